// SPDX-License-Identifier: Apache-2.0
#include "model/printout/printout_goroutine.h"

#include <glib.h>

#define NAME_BYTES 256 /* the names of the runtime's start functions are shorter */

/** Its outermost frame is the one that the goroutine began with. */
static bool has_start(const struct dump_group *group)
{
	bool open = group->flags & DUMP_STACK_ELIDED && group->elided_before == group->frame_count;

	return !open && !(group->flags & (DUMP_STACK_UNAVAILABLE | DUMP_STACK_CUT));
}

/** The function that the goroutine began with; empty when that was not printed. */
static struct text start_function(const struct dump *dump, const struct dump_group *group)
{
	for (uint32_t i = has_start(group) ? group->frame_count : 0; i-- > 0;) {
		struct text name = dump_frame_at(dump, group, i)->function;

		if (!text_is(name, "runtime.goexit"))
			return name;
	}
	return (struct text){"", 0};
}

bool printout_is_system(const struct dump *dump, const struct dump_group *group)
{
	struct text start = start_function(dump, group);
	char name[NAME_BYTES];

	if (!start.n || start.n >= sizeof(name))
		return false;
	memcpy(name, start.p, start.n);
	name[start.n] = 0;
	return go_is_system_goroutine(name);
}

static const struct {
	const char *word;
	uint32_t status;
} states[] = {
	{"idle", GO_STATUS_IDLE},           {"runnable", GO_STATUS_RUNNABLE},
	{"running", GO_STATUS_RUNNING},     {"syscall", GO_STATUS_SYSCALL},
	{"dead", GO_STATUS_DEAD},           {"copystack", GO_STATUS_COPYSTACK},
	{"preempted", GO_STATUS_PREEMPTED}, {"leaked", GO_STATUS_LEAKED},
	{"waiting", GO_STATUS_WAITING},     {"waiting for cgo callback", GO_STATUS_DEADEXTRA},
};

static void describe_state(struct text state, struct arena *arena, struct goroutine *ret)
{
	ret->status = state.n ? GO_STATUS_WAITING : STATUS_UNKNOWN;
	for (size_t i = 0; i < G_N_ELEMENTS(states); i++) {
		if (!text_is(state, states[i].word))
			continue;
		ret->status = states[i].status;
		return;
	}
	if (state.n)
		ret->wait_reason = arena_string(arena, state);
}

static const char *const *labels_of(const struct dump *dump, const struct dump_goroutine *printed,
				    struct arena *arena)
{
	g_autoptr(GPtrArray) words = NULL;
	struct text key, value;

	if (!printed->labels)
		return NULL;
	words = g_ptr_array_new();
	for (size_t i = 0; dump_label(dump, printed, i, &key, &value); i++) {
		g_ptr_array_add(words, arena_string(arena, key));
		g_ptr_array_add(words, arena_string(arena, value));
	}
	g_ptr_array_add(words, NULL);
	return arena_copy(arena, words->pdata, words->len * sizeof(char *));
}

struct goroutine printout_goroutine(const struct dump *dump, size_t index, struct arena *arena)
{
	const struct dump_goroutine *printed = dump_goroutine(dump, index);
	const struct dump_group *group = dump_group(dump, printed->group);
	bool races = dump_section(dump, printed->section)->form == DUMP_FORM_RACE;
	struct goroutine ret = {
		.id = printed->id,
		.parent_id = printed->parent_id,
		.thread = NO_INDEX,
		.status = STATUS_UNKNOWN,
		.wait_reason = "",
		.wait_ns = printed->flags & DUMP_GOROUTINE_WAIT
				   ? (int64_t)printed->minutes * NS_PER_MINUTE
				   : -1,
		.locked = printed->flags & DUMP_GOROUTINE_LOCKED,
		.system = printed->flags & DUMP_GOROUTINE_SYSTEM_STACK ||
			  printout_is_system(dump, group),
		.count = printed->count ? printed->count : 1,
		.printed = (uint32_t)index,
		.text_line = printed->line,
		.start_function = arena_string(arena, start_function(dump, group)),
		.labels = labels_of(dump, printed, arena),
		.unwound = true,
	};

	if (!races) // there it is the access: "Previous write"
		describe_state(dump_word(dump, printed->state), arena, &ret);
	return ret;
}

struct go_site printout_site(const struct dump_frame *frame, struct arena *arena)
{
	return (struct go_site){
		.function = text_is(frame->function, "panic")
				    ? "runtime.gopanic"
				    : arena_string(arena, frame->function),
		.file = arena_string(arena, frame->file),
		.line = (int32_t)MIN(frame->line, INT32_MAX),
		.pc = frame->pc,
		.inlined = frame->flags & DUMP_FRAME_INLINED,
	};
}

const char *printout_broken(const struct dump_group *group)
{
	if (group->flags & DUMP_STACK_UNAVAILABLE)
		return "it ran on another thread, and the runtime could not print its stack";
	if (group->flags & DUMP_STACK_CUT)
		return "the text is cut off within the stack";
	return group->flags & DUMP_STACK_ELIDED ? "the runtime left frames out" : NULL;
}
