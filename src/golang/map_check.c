// SPDX-License-Identifier: Apache-2.0
// The lines of the runtime that find a concurrent use of a map (generated), and the four messages
// they print. The words have not changed since Go 1.9; clone came with 1.21. `throw` printed them
// up to 1.18, `fatal` since.
#include "golang/map_function.h"

#include <ctype.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

struct check_line {
	int minor;
	int32_t line;
	enum map_check check;
	const char *function;
};

static const struct check_line check_lines[] = {
#include "golang/map_check_table.inc"
};

enum map_check go_map_check_at(struct go_version version, const char *function, int32_t line)
{
	for (size_t i = 0; i < LENGTH(check_lines); i++) {
		const struct check_line *known = &check_lines[i];

		if (known->minor == version.minor && known->line == line &&
		    strcmp(known->function, function) == 0)
			return known->check;
	}
	return MAP_CHECK_NONE;
}

static const struct fatal_words {
	const char *message; /* the runtime's */
	const char *kind;    /* the report's */
} fatals[] = {
	[MAP_FATAL_NONE] = {"", "not_a_map_fatal"},
	[MAP_FATAL_WRITES] = {"concurrent map writes", "concurrent_map_writes"},
	[MAP_FATAL_READ_AND_WRITE] = {"concurrent map read and map write",
				      "concurrent_map_read_and_write"},
	[MAP_FATAL_ITERATION_AND_WRITE] = {"concurrent map iteration and map write",
					   "concurrent_map_iteration_and_write"},
	[MAP_FATAL_CLONE_AND_WRITE] = {"concurrent map clone and map write",
				       "concurrent_map_clone_and_write"},
};

/** Which message stands at the start of @a text, ending where a word ends. */
static enum map_fatal fatal_at_start(struct text text)
{
	for (size_t i = MAP_FATAL_NONE + 1; i < LENGTH(fatals); i++) {
		size_t n = strlen(fatals[i].message);

		if (text_starts(text, fatals[i].message) &&
		    (text.n == n || !isalnum((unsigned char)text.p[n])))
			return (enum map_fatal)i;
	}
	return MAP_FATAL_NONE;
}

/** The first message that follows @a prefix in @a text. */
static enum map_fatal fatal_after(struct text text, const char *prefix)
{
	static const char common[] = "concurrent map ";
	size_t prefix_length = strlen(prefix);

	while (text.n) {
		const char *hit = memmem(text.p, text.n, common, sizeof(common) - 1);
		enum map_fatal fatal;
		size_t before;

		if (!hit)
			break;
		before = (size_t)(hit - text.p);
		fatal = fatal_at_start((struct text){hit, text.n - before});
		if (fatal != MAP_FATAL_NONE && before >= prefix_length &&
		    memcmp(hit - prefix_length, prefix, prefix_length) == 0)
			return fatal;
		text = (struct text){hit + 1, text.n - before - 1};
	}
	return MAP_FATAL_NONE;
}

enum map_fatal go_map_fatal_find(struct text text)
{
	enum map_fatal fatal = fatal_after(text, "fatal error: ");

	return fatal != MAP_FATAL_NONE ? fatal : fatal_after(text, "");
}

const char *go_map_fatal_message(enum map_fatal fatal) { return fatals[fatal].message; }

const char *go_map_fatal_kind(enum map_fatal fatal) { return fatals[fatal].kind; }
