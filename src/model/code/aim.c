// SPDX-License-Identifier: Apache-2.0
#include "model/code/aim.h"

#include "model/stack/map_recover.h"
#include "model/stack/trace.h"

#define WORD           8
#define WORDS_PASSED   9  /* the first arguments; further ones are not known */
#define CONTEXT_AMD64  2  /* RDX: the closure at its function's entry */
#define CONTEXT_ARM64  26 /* R26 */
#define LOWEST_POINTER 4096

/** What a function that leaves no frame was given, as far as that is known. */
struct given {
	bool known[WORDS_PASSED + 1];
	uint64_t words[WORDS_PASSED + 1]; // the last one: the closure
};

/** Where a value is asked about: in a live frame, or, further down the way, in a call that is only thought of. */
struct place_of_value {
	struct program *program;
	const struct stack *stack;
	size_t index;
	const struct given *given; // NULL in the live frame
};

static uint8_t context_register(const struct program *program)
{
	return program->arch == GO_ARCH_AMD64 ? CONTEXT_AMD64 : CONTEXT_ARM64;
}

/** The word of @a given that the register held at entry; WORDS_PASSED + 1 when it held none. */
static unsigned word_in_register(const struct program *program, uint8_t number)
{
	if (number == context_register(program))
		return WORDS_PASSED;
	for (unsigned i = 0; i < WORDS_PASSED && sites_abi(program->sites).registers; i++)
		if (flow_argument_register(program->arch, (int)i) == number)
			return i;
	return WORDS_PASSED + 1;
}

static bool given_word(const struct place_of_value *at, unsigned word, uint64_t *ret)
{
	if (word > WORDS_PASSED || !at->given->known[word])
		return false;
	*ret = at->given->words[word];
	return true;
}

/** Arguments on the stack begin above the return address. */
static bool given_slot(const struct place_of_value *at, int64_t offset, uint64_t *ret)
{
	return offset >= WORD && offset % WORD == 0 && offset <= WORD * WORDS_PASSED &&
	       !sites_abi(at->program->sites).registers &&
	       given_word(at, (unsigned)(offset / WORD) - 1, ret);
}

static bool root_value(const struct place_of_value *at, struct flow_value value, uint64_t *ret)
{
	switch (value.root) {
	case FLOW_ROOT_ARGUMENT:
		return given_word(at, word_in_register(at->program, (uint8_t)value.origin), ret);
	case FLOW_ROOT_FIXED:
		return memory_u64(at->program->memory, (uint64_t)value.origin, ret);
	case FLOW_ROOT_SLOT:
		return given_slot(at, value.origin, ret);
	default:
		return false;
	}
}

/** The pointer that the path of a FIELD or ADDRESS ends at. */
static bool pointer_value(const struct place_of_value *at, struct flow_value value, uint64_t *ret)
{
	if (!root_value(at, value, ret))
		return false;
	for (unsigned i = 0; i < value.hops; i++)
		if (*ret < LOWEST_POINTER ||
		    !memory_u64(at->program->memory, *ret + (uint64_t)value.hop[i], ret))
			return false;
	return *ret >= LOWEST_POINTER;
}

static bool value_given(const struct place_of_value *at, struct flow_value value, uint64_t *ret)
{
	switch (value.kind) {
	case FLOW_CONSTANT:
		*ret = (uint64_t)value.number;
		return true;
	case FLOW_ARGUMENT:
		return given_word(at, word_in_register(at->program, value.argument), ret);
	case FLOW_COPY:
		return given_slot(at, value.number, ret);
	case FLOW_LOADED:
		return memory_u64(at->program->memory, (uint64_t)value.number, ret);
	case FLOW_FIELD:
		return pointer_value(at, value, ret) &&
		       memory_u64(at->program->memory, *ret + (uint64_t)value.number, ret);
	case FLOW_ADDRESS:
		if (!pointer_value(at, value, ret))
			return false;
		*ret += (uint64_t)value.number;
		return true;
	default:
		return value.slot != FLOW_NOWHERE && given_slot(at, value.slot, ret);
	}
}

static bool value_at(const struct place_of_value *at, struct flow_value value, uint64_t *ret)
{
	struct trace trace;

	if (at->given)
		return value_given(at, value, ret);
	if (!trace_value(at->program, at->stack, at->index, value, &trace))
		return false;
	*ret = trace.value;
	return true;
}

static struct given pass(const struct place_of_value *at, const struct flow_call *call)
{
	struct flow_abi abi = sites_abi(at->program->sites);
	struct given given = {0};

	for (int i = 0; i < WORDS_PASSED; i++)
		given.known[i] =
			value_at(at, flow_argument(&call->state, abi, i, false), &given.words[i]);
	given.known[WORDS_PASSED] =
		value_at(at, call->state.registers[context_register(at->program)],
			 &given.words[WORDS_PASSED]);
	return given;
}

/** Whom the function calls is not always in its own code. */
static bool calls_indirectly(const struct program *program, uint64_t entry)
{
	struct go_function function;
	uint32_t table;
	size_t count = 0;

	if (program_function(program, entry, &function, &table))
		sites_indirect_calls(program->sites, &function, &count);
	return count > 0;
}

/** A call that the code does not name goes where its frame says; from there it may go on to the callee yet. */
static enum path_relation goes_to(const struct place_of_value *at, const struct flow_call *call,
				  uint64_t callee)
{
	const struct code_operation *op = &call->operation;
	struct flow_value through = op->source == CODE_NONE
					    ? flow_loaded(&call->state, op)
					    : call->state.registers[op->source & 31];
	uint64_t target;

	if (!value_at(at, through, &target) || !target)
		return PATH_UNKNOWN;
	if (target == callee)
		return PATH_SAME;
	return calls_indirectly(at->program, target) ? PATH_UNKNOWN : PATH_OTHER;
}

enum path_relation aim_of(struct program *program, const struct goroutine *goroutine, size_t index,
			  const struct write_path *path, uint64_t map)
{
	struct place_of_value at = {program, &goroutine->stack, index, NULL};
	struct given given = {0};
	uint64_t value;

	for (unsigned i = 0; i < path->way.count; i++) {
		const struct way_step *step = &path->way.steps[i];
		struct given next;
		struct flow_call call;

		if (step->kind == WAY_HANDED || step->kind == WAY_STARTED ||
		    !sites_call_returning_to(program->sites, step->end, &call))
			return PATH_UNKNOWN;
		if (!call.operation.value) {
			enum path_relation there = goes_to(&at, &call, step->callee);

			if (there != PATH_SAME)
				return there;
		}
		next = pass(&at, &call);
		given = next;
		at.given = &given;
	}
	if (!value_at(&at, path->site->site->map, &value) || !value)
		return PATH_UNKNOWN;
	if (value == map)
		return PATH_SAME;
	// one that stands on the goroutine's own stack is nobody else's
	if (value >= goroutine->stack_lo && value < goroutine->stack_hi)
		return PATH_OTHER;
	return map_is_heap_object(program, value) ? PATH_OTHER : PATH_UNKNOWN;
}
