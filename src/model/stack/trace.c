// SPDX-License-Identifier: Apache-2.0
// Goes from a call to its caller, and on as long as a value is what the caller itself was given. A
// frame that stands at a CALL has not moved since: a stack word that held the value at the CALL
// holds it now, unless the callee may write there (its arguments, variables whose address was
// taken). A step from callee to caller is taken only when the CALL is seen to go to the callee's
// entry: wrappers that jump on leave no frame.
#include "model/stack/trace.h"

#include "model/stack/stack_object.h"

#include <stdlib.h>

enum {
	WORD = 8,
	DEPTH_MAX = 16,       /* calls, and values that lead to values */
	CONTEXT_AMD64 = 2,    /* RDX: the closure at its function's entry */
	CONTEXT_ARM64 = 26,   /* R26 */
	STOPPED_AREA = 64,    /* bytes of arguments of a callee that left no frame */
	LOWEST_POINTER = 4096 /* the first page is never mapped */
};

/* A physical frame at a CALL, and what the code says of that moment. */
struct live {
	struct program *program;
	const struct stack *stack;
	size_t index;
	unsigned depth;
	bool loose; /* for a guess: variables whose address may have been taken count, too */
	struct flow_call call;
};

static bool value_trace(const struct live *live, struct flow_value value, struct trace *ret);

size_t trace_physical(const struct stack *stack, size_t index)
{
	while (index + 1 < stack->count && stack->frames[index].site->inlined)
		index++;
	return index;
}

static const struct frame *frame_of(const struct live *live)
{
	return &live->stack->frames[live->index];
}

static uint64_t stack_address(const struct live *live, int64_t offset)
{
	return frame_of(live)->cfa - WORD + (uint64_t)offset;
}

static struct flow_value stack_pointer(const struct live *live)
{
	return live->call.state.registers[code_stack_pointer(live->program->arch)];
}

/* The code and the stack must agree on where the frame is. */
static bool is_where_code_says(const struct live *live)
{
	struct flow_value sp = stack_pointer(live);

	return sp.kind == FLOW_STACK && stack_address(live, sp.number) == frame_of(live)->sp;
}

static bool live_at(struct program *program, const struct stack *stack, size_t index,
		    unsigned depth, struct live *ret)
{
	if (index >= stack->count || depth > DEPTH_MAX || stack->frames[index].exact_pc)
		return false;
	*ret = (struct live){.program = program, .stack = stack, .index = index, .depth = depth};
	return sites_call_returning_to(program->sites, stack->frames[index].pc, &ret->call) &&
	       is_where_code_says(ret);
}

/* A frame that was stopped between two instructions. */
static bool stopped_at(struct program *program, const struct stack *stack, size_t index,
		       struct live *ret)
{
	if (index >= stack->count || !stack->frames[index].exact_pc)
		return false;
	*ret = (struct live){.program = program, .stack = stack, .index = index};
	return sites_stopped_at(program->sites, stack->frames[index].pc, &ret->call) &&
	       is_where_code_says(ret);
}

static bool is_object(const struct live *live, int64_t offset)
{
	const struct program *program = live->program;
	struct flow_objects objects;
	bool inside;

	if (!stack_objects_read(program->memory, program->tables[frame_of(live)->table],
				frame_of(live)->function, program->layout, &objects))
		return !live->loose;
	inside = stack_object_covers(&objects, offset);
	free(objects.objects);
	return inside;
}

/* Of the frame that the live one called; NULL when it left none. */
static const struct frame *callee_of(const struct live *live)
{
	size_t i = live->index;

	while (i && live->stack->frames[i - 1].site->inlined)
		i--;
	return i ? &live->stack->frames[i - 1] : NULL;
}

/* Nobody but the frame's own function writes there. */
static bool is_private(const struct live *live, int64_t offset)
{
	int64_t area = STOPPED_AREA, low = stack_pointer(live).number;
	const struct frame *callee = callee_of(live);

	if (callee)
		area = callee->function->args_bytes;
	if (area < 0)
		return false;
	if (live->program->arch == GO_ARCH_ARM64)
		low += WORD;
	return offset >= low + area && !is_object(live, offset);
}

static bool frame_word(const struct live *live, int64_t offset, struct trace *ret)
{
	uint64_t value;

	if (!is_private(live, offset) ||
	    !memory_u64(live->program->memory, stack_address(live, offset), &value))
		return false;
	*ret = (struct trace){value, TRACE_FRAME, frame_of(live)->function->name};
	return true;
}

static bool is_argument(struct flow_value value, uint8_t number)
{
	return value.kind == FLOW_ARGUMENT && value.argument == number;
}

/* Register @number at entry, where the function keeps a copy in its frame. */
static bool copy_trace(const struct live *live, uint8_t number, struct trace *ret)
{
	const struct flow_state *state = &live->call.state;

	for (unsigned i = 0; i < state->slot_count; i++)
		if (state->slots[i].plane == FLOW_WORD &&
		    is_argument(state->slots[i].value, number) &&
		    frame_word(live, state->slots[i].offset, ret))
			return true;
	return false;
}

static bool calls_function(const struct live *live, const struct go_function *function)
{
	const struct code_operation *op = &live->call.operation;
	struct flow_value target;
	struct trace trace;

	if (op->value)
		return op->value == function->entry;
	target = op->source != CODE_NONE ? live->call.state.registers[op->source & 31]
					 : flow_loaded(&live->call.state, op);
	return value_trace(live, target, &trace) && trace.value == function->entry;
}

/* The caller of the function of frame @index, at its CALL. */
static bool caller_of(struct program *program, const struct stack *stack, size_t index,
		      unsigned depth, struct live *ret)
{
	return index + 1 < stack->count &&
	       live_at(program, stack, trace_physical(stack, index + 1), depth, ret) &&
	       calls_function(ret, stack->frames[index].function);
}

static bool register_trace(struct program *program, const struct stack *stack, size_t index,
			   uint8_t number, unsigned depth, struct trace *ret)
{
	struct live live;

	if (live_at(program, stack, index, depth, &live) && copy_trace(&live, number, ret))
		return true;
	return caller_of(program, stack, index, depth, &live) &&
	       value_trace(&live, live.call.state.registers[number & 31], ret);
}

static bool variable_trace(const struct live *live, uint64_t address, struct trace *ret)
{
	uint64_t value;

	if (!memory_u64(live->program->memory, address, &value))
		return false;
	*ret = (struct trace){value, TRACE_VARIABLE, frame_of(live)->function->name};
	return true;
}

static bool root_trace(const struct live *live, struct flow_value field, struct trace *ret)
{
	switch (field.root) {
	case FLOW_ROOT_ARGUMENT:
		return register_trace(live->program, live->stack, live->index,
				      (uint8_t)field.origin, live->depth + 1, ret);
	case FLOW_ROOT_FIXED:
		return variable_trace(live, (uint64_t)field.origin, ret);
	case FLOW_ROOT_SLOT:
		return frame_word(live, field.origin, ret);
	default:
		return false;
	}
}

static bool field_load(const struct live *live, int64_t offset, uint64_t *value)
{
	return *value >= LOWEST_POINTER &&
	       memory_u64(live->program->memory, *value + (uint64_t)offset, value);
}

/* What a closure captured by value is part of the closure, and never changes. */
static bool is_captured(const struct live *live, struct flow_value field)
{
	return field.root == FLOW_ROOT_ARGUMENT && !field.hops &&
	       field.origin ==
		       (live->program->arch == GO_ARCH_AMD64 ? CONTEXT_AMD64 : CONTEXT_ARM64);
}

/* The pointer that @field's last offset is counted from. */
static bool pointer_trace(const struct live *live, struct flow_value field, struct trace *ret)
{
	if (!root_trace(live, field, ret))
		return false;
	for (unsigned i = 0; i < field.hops; i++)
		if (!field_load(live, field.hop[i], &ret->value))
			return false;
	if (field.hops)
		ret->source = TRACE_FIELD;
	return ret->value >= LOWEST_POINTER;
}

static bool address_trace(const struct live *live, struct flow_value address, struct trace *ret)
{
	struct trace trace;

	if (!pointer_trace(live, address, &trace))
		return false;
	trace.value += (uint64_t)address.number;
	*ret = trace;
	return true;
}

static bool field_trace(const struct live *live, struct flow_value field, struct trace *ret)
{
	struct trace trace;

	if (!pointer_trace(live, field, &trace) || !field_load(live, field.number, &trace.value))
		return false;
	if (!is_captured(live, field))
		trace.source = TRACE_FIELD;
	trace.function = frame_of(live)->function->name;
	*ret = trace;
	return true;
}

static bool value_trace(const struct live *live, struct flow_value value, struct trace *ret)
{
	if (value.slot != FLOW_NOWHERE && frame_word(live, value.slot, ret))
		return true;
	switch (value.kind) {
	case FLOW_CONSTANT:
		*ret = (struct trace){(uint64_t)value.number, TRACE_FRAME,
				      frame_of(live)->function->name};
		return true;
	case FLOW_STACK:
		*ret = (struct trace){stack_address(live, value.number), TRACE_FRAME,
				      frame_of(live)->function->name};
		return true;
	case FLOW_ARGUMENT:
		return register_trace(live->program, live->stack, live->index, value.argument,
				      live->depth + 1, ret);
	case FLOW_COPY:
		return frame_word(live, value.number, ret);
	case FLOW_LOADED:
		return variable_trace(live, (uint64_t)value.number, ret);
	case FLOW_FIELD:
		return field_trace(live, value, ret);
	case FLOW_ADDRESS:
		return address_trace(live, value, ret);
	default:
		return false;
	}
}

bool trace_argument(struct program *program, const struct stack *stack, size_t index, int argument,
		    struct trace *ret)
{
	struct flow_abi abi = sites_abi(program->sites);
	uint8_t number = flow_argument_register(abi.arch, argument);
	struct live live;

	if (argument < 0)
		return false;
	if (abi.registers)
		return number != CODE_NONE && register_trace(program, stack, index, number, 0, ret);
	return caller_of(program, stack, index, 0, &live) &&
	       value_trace(&live, flow_argument(&live.call.state, abi, argument, false), ret);
}

bool trace_value(struct program *program, const struct stack *stack, size_t index,
		 struct flow_value value, struct trace *ret)
{
	struct live live;

	if (!live_at(program, stack, index, 0, &live) && !stopped_at(program, stack, index, &live))
		return false;
	live.loose = true;
	return value_trace(&live, value, ret);
}
