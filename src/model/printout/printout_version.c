// SPDX-License-Identifier: Apache-2.0
// What a text gives away of the build that printed it: paths of a toolchain of its own, lines of the runtime's checks,
// forms that came with a release, and where the program was loaded.
#include "model/printout/printout_frame.h"

#include "golang/map_function.h"

#include <glib.h>

#define FRAMES_LOOKED_AT 4096 /* groups: the runtime's own frames come early or not at all */

/** "/usr/local/go1.22.12/src/", "toolchain@v0.0.1-go1.22.12.linux-amd64/src/". */
static bool version_in_path(struct text file, struct go_version *ret)
{
	static const char mark[] = "go1.";
	const char *at = file.p, *end = file.p + file.n;

	while ((at = memmem(at, (size_t)(end - at), mark, strlen(mark)))) {
		size_t n = 2;

		while (at + n < end && (g_ascii_isdigit(at[n]) || at[n] == '.'))
			n++;
		while (n > 0 && at[n - 1] == '.')
			n--;
		if (go_version_parse((struct text){at, n}, ret) &&
		    memmem(at, (size_t)(end - at), "/src/", 5))
			return true;
		at += strlen(mark);
	}
	return false;
}

/** Minors in which a check of the runtime's stands at this line, as bits. */
static uint32_t minors_of_check(const struct dump_frame *frame)
{
	g_autofree char *name = g_strndup(frame->function.p, frame->function.n);
	uint32_t minors = 0;

	if (!go_map_function_find(name))
		return 0;
	for (int minor = GO_MINOR_OLDEST; minor <= GO_MINOR_NEWEST; minor++)
		if (go_map_check_at((struct go_version){.minor = minor}, name,
				    (int32_t)frame->line) != MAP_CHECK_NONE)
			minors |= 1u << minor;
	return minors;
}

struct go_version printout_version(const struct dump *dump)
{
	struct go_version version = {0};
	size_t groups = MIN(dump_group_count(dump), FRAMES_LOOKED_AT);
	uint32_t possible = UINT32_MAX;

	for (size_t i = 0; i < groups; i++) {
		const struct dump_group *group = dump_group(dump, i);

		for (size_t j = 0; j < group->frame_count; j++) {
			const struct dump_frame *frame = dump_frame_at(dump, group, j);
			uint32_t minors = 0;

			if (version_in_path(frame->file, &version))
				return version;
			if (i == 0)
				minors = minors_of_check(frame);
			if (minors)
				possible &= minors;
		}
	}
	if (possible != UINT32_MAX && possible && !(possible & (possible - 1)))
		version.minor = __builtin_ctz(possible);
	return version;
}

uint64_t printout_bias(const struct program *program, const struct dump *dump)
{
	struct dump_call calls[64];

	for (size_t i = 0; i < MIN(dump_goroutine_count(dump), 64u); i++) {
		const struct dump_goroutine *goroutine = dump_goroutine(dump, i);
		const struct dump_group *group = dump_group(dump, goroutine->group);
		size_t count = dump_calls(dump, goroutine, calls, G_N_ELEMENTS(calls));

		for (size_t j = 0; j < MIN(count, group->frame_count); j++) {
			const struct dump_frame *frame = dump_frame_at(dump, group, j);
			g_autofree char *name = g_strndup(frame->function.p, frame->function.n);
			struct go_function function;

			if (calls[j].pc && frame->flags & DUMP_FRAME_OFFSET &&
			    program_function_named(program, name, &function))
				return calls[j].pc - frame->pc_offset - function.entry;
		}
	}
	return 0;
}
