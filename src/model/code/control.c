// SPDX-License-Identifier: Apache-2.0
#include "model/code/control.h"

#include "base/sorted.h"

#define FUNCTION_MAX_BYTES (256u << 10)

/** Where control leaves the straight line: to `to`, or (0) somewhere that the code does not say. */
struct jump {
	uint64_t from, to;
	bool always;  // nothing goes on after it
	bool returns; // to the caller, or by way of another function
};

struct stretch {
	uint64_t from, to;
};

struct reading {
	const struct go_function *function;
	enum go_arch arch;
	GArray *calls, *jumps;
};

/** CODE_END is a trap as well, which comes after a call that does not return. */
static bool is_return(enum go_arch arch, const uint8_t *bytes, size_t size)
{
	enum { RET = 0xc3, REP = 0xf3, ARM64_RET = 0xd6 }; // the last byte of arm64's

	if (arch == GO_ARCH_AMD64)
		return bytes[0] == RET || (bytes[0] == REP && size > 1 && bytes[1] == RET);
	return size == 4 && bytes[3] == ARM64_RET;
}

static void note_operation(struct reading *reading, const struct code_operation *operation,
			   const uint8_t *bytes)
{
	const struct go_function *function = reading->function;
	struct control_call call = {operation->address, operation->address + operation->size,
				    operation->value};
	struct jump jump = {operation->address, operation->value, operation->kind != CODE_BRANCH,
			    operation->kind == CODE_END &&
				    is_return(reading->arch, bytes, operation->size)};

	if (operation->kind == CODE_CALL && operation->value)
		g_array_append_val(reading->calls, call);
	if (operation->kind != CODE_JUMP && operation->kind != CODE_BRANCH &&
	    operation->kind != CODE_END)
		return;
	// the jump to the entry is the end of the stack check that failed, no loop; one out of the
	// function does not come back
	if (operation->kind == CODE_END || operation->value == function->entry)
		jump.to = jump.from;
	if (operation->kind != CODE_END && operation->value &&
	    (operation->value < function->entry || operation->value >= function->end)) {
		jump.to = jump.from;
		jump.returns = true;
	}
	g_array_append_val(reading->jumps, jump);
}

struct control *control_read(const struct program *program, struct code *code,
			     const struct go_function *function)
{
	struct control *control = g_new0(struct control, 1);
	struct reading reading = {function, program->arch,
				  g_array_new(FALSE, FALSE, sizeof(struct control_call)),
				  g_array_new(FALSE, FALSE, sizeof(struct jump))};
	uint64_t size = function->end - function->entry;
	const uint8_t *bytes = size <= FUNCTION_MAX_BYTES
				       ? memory_view(program->memory, function->entry, size)
				       : NULL;

	for (uint64_t at = 0; bytes && code && at < size;) {
		struct code_operation operations[CODE_OPERATIONS_MAX];
		size_t count =
			code_decode(code, bytes + at, size - at, function->entry + at, operations);

		for (size_t i = 0; i < count; i++)
			note_operation(&reading, &operations[i], bytes + at);
		at += count && operations[0].size ? operations[0].size : 1;
	}
	control->jumps = reading.jumps;
	control->call_count = reading.calls->len;
	control->calls = (struct control_call *)(void *)g_array_free(reading.calls, FALSE);
	return control;
}

void control_free(struct control *control)
{
	g_array_free(control->jumps, TRUE);
	g_free(control->calls);
	g_free(control);
}

/** The first jump at or after @a pc; the count when there is none. */
static size_t jump_after(const struct control *control, uint64_t pc)
{
	size_t count;

	return sorted_run(control->jumps->data, control->jumps->len, sizeof(struct jump), pc,
			  &count);
}

bool control_is_ahead(const GArray *stretches, uint64_t target)
{
	for (guint i = 0; i < stretches->len; i++) {
		const struct stretch *stretch = &g_array_index(stretches, struct stretch, i);

		if (target >= stretch->from && target <= stretch->to)
			return true;
	}
	return false;
}

/** The first stop at or after @a pc. */
static uint64_t stop_after(uint64_t pc, const uint64_t *stops, size_t count)
{
	uint64_t first = UINT64_MAX;

	for (size_t i = 0; i < count; i++)
		if (stops[i] >= pc && stops[i] < first)
			first = stops[i];
	return first;
}

/** Follows the straight line from @a pc to where it ends; what jumps on it lead to goes to @a starts. */
static struct stretch follow_line(const struct control *control, uint64_t pc, uint64_t stop,
				  GArray *starts)
{
	struct stretch line = {pc, stop};

	for (size_t i = jump_after(control, pc); i < control->jumps->len; i++) {
		const struct jump *jump = &g_array_index(control->jumps, struct jump, i);

		if (jump->from >= stop)
			break;
		if (!jump->to) // through a table: to anywhere
			return (struct stretch){0, UINT64_MAX};
		if (jump->to != jump->from)
			g_array_append_val(starts, jump->to);
		if (jump->always) {
			line.to = jump->from;
			break;
		}
	}
	return line;
}

GArray *control_ahead(const struct control *control, uint64_t pc)
{
	return control_ahead_until(control, pc, NULL, 0);
}

GArray *control_ahead_until(const struct control *control, uint64_t pc, const uint64_t *stops,
			    size_t count)
{
	GArray *stretches = g_array_new(FALSE, FALSE, sizeof(struct stretch));
	GArray *starts = g_array_new(FALSE, FALSE, sizeof(uint64_t));

	g_array_append_val(starts, pc);
	while (starts->len) {
		uint64_t start = g_array_index(starts, uint64_t, starts->len - 1);
		struct stretch line;

		g_array_set_size(starts, starts->len - 1);
		if (control_is_ahead(stretches, start))
			continue;
		line = follow_line(control, start, stop_after(start, stops, count), starts);
		g_array_append_val(stretches, line);
	}
	g_array_free(starts, TRUE);
	return stretches;
}

bool control_may_return(const struct control *control, const GArray *stretches)
{
	for (guint i = 0; i < control->jumps->len; i++) {
		const struct jump *jump = &g_array_index(control->jumps, struct jump, i);

		if (jump->returns && control_is_ahead(stretches, jump->from))
			return true;
	}
	return !control->jumps->len;
}
