// SPDX-License-Identifier: Apache-2.0
// gotraceback() of each release (runtime/runtime1.go): up to Go 1.18 a map fatal was a throw, which prints all, whatever
// the level. Since 1.19 it is the user's error: runtime frames are left out, and the level counts. Since 1.26 the
// default shows the detecting goroutine alone.
#include "golang/traceback.h"

#define FATAL_IS_THE_USERS      19 /* the first minor */
#define DEFAULT_PRINTS_ONE_ONLY 26

static const char *const names[] = {"none", "single", "all", "system", "crash"};

#define LEVELS (sizeof(names) / sizeof(*names))

static bool parse_number(struct text text, enum go_traceback *ret)
{
	unsigned number = 0;

	*ret = GO_TRACEBACK_NONE;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9' || i > 8)
			return false;
		number = 10 * number + (unsigned)(text.p[i] - '0');
	}
	*ret = number == 0   ? GO_TRACEBACK_NONE
	       : number == 1 ? GO_TRACEBACK_ALL
			     : GO_TRACEBACK_SYSTEM;
	return true;
}

bool go_traceback_parse(struct text text, enum go_traceback *ret)
{
	*ret = GO_TRACEBACK_SINGLE;
	if (text.n == 0)
		return true;
	for (size_t i = 0; i < LEVELS; i++) {
		if (!text_is(text, names[i]))
			continue;
		*ret = (enum go_traceback)i;
		return true;
	}
	return parse_number(text, ret);
}

struct go_traceback_effect go_traceback_effect(enum go_traceback level, struct go_version version)
{
	int minor = version.minor ? version.minor : GO_MINOR_NEWEST;
	struct go_traceback_effect effect = {.core = level == GO_TRACEBACK_CRASH};

	if (minor < FATAL_IS_THE_USERS) {
		effect.stacks = effect.others = effect.runtime_frames = true;
		return effect;
	}
	effect.stacks = level != GO_TRACEBACK_NONE;
	effect.others = level >= GO_TRACEBACK_ALL ||
			(level == GO_TRACEBACK_SINGLE && minor < DEFAULT_PRINTS_ONE_ONLY);
	effect.runtime_frames = level >= GO_TRACEBACK_SYSTEM;
	return effect;
}
