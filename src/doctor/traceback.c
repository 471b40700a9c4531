// SPDX-License-Identifier: Apache-2.0
// Two settings that every subject has, wherever it keeps them: GOTRACEBACK and the limit on the size of cores.
#include "doctor/examination.h"

#define PAGE_BYTES 4096 /* a core that fits in less is none */

static const char *version_words(const struct examination *examination)
{
	return examination->version.minor ? KEEP(examination, "Go 1.%d", examination->version.minor)
					  : "Go 1.26 and later";
}

static void examine_text(struct examination *examination, struct check check,
			 enum go_traceback level)
{
	struct go_traceback_effect effect = go_traceback_effect(level, examination->version);

	check.concern = CONCERN_TEXT;
	check.outcome = effect.stacks && effect.others ? OUTCOME_KEPT : OUTCOME_LOST;
	if (!effect.stacks)
		check.means = "the crash text has one line and no stack";
	else if (!effect.others)
		check.means = KEEP(examination,
				   "with %s a map fatal then prints the goroutine that noticed and "
				   "no other: the writer's stack is lost",
				   version_words(examination));
	else
		check.means = effect.runtime_frames
				      ? "the crash text has every goroutine, with the map's address"
				      : "the crash text has every goroutine, without the map's "
					"address and the runtime's frames";
	if (check.outcome == OUTCOME_KEPT)
		check.set = check.set_in = "";
	check_add(examination, &check);
}

void examine_traceback(struct examination *examination, const char *value, const char *line,
		       const char *set_in)
{
	struct check check = {
		.setting = "GOTRACEBACK", .value = value, .set = line, .set_in = set_in};
	enum go_traceback level;

	if (!go_traceback_parse(text_of(value), &level)) {
		check.concern = CONCERN_TEXT;
		check.outcome = OUTCOME_LOST;
		check.means = "the runtime does not know this word and prints no stack at all";
		check_add(examination, &check);
	} else {
		examine_text(examination, check, level);
	}
	check.concern = CONCERN_CORE;
	if (level == GO_TRACEBACK_CRASH) {
		check.outcome = OUTCOME_KEPT;
		check.means = "the runtime aborts after its report, so that a core can be written";
		check.set = check.set_in = "";
	} else {
		check.outcome = OUTCOME_LOST;
		check.means = "the runtime ends with exit status 2 after its report: no core is "
			      "written unless this is \"crash\"";
	}
	check_add(examination, &check);
}

void examine_core_limit(struct examination *examination, const char *setting, const char *value,
			const char *line, const char *set_in)
{
	struct check check = {.concern = CONCERN_CORE,
			      .outcome = OUTCOME_LOST,
			      .setting = setting,
			      .value = value,
			      .set = line,
			      .set_in = set_in};
	uint64_t limit;

	if (!size_parse(value, &limit)) {
		check.outcome = OUTCOME_UNSURE;
		check.means = "this is no size";
	} else if (limit < PAGE_BYTES) {
		check.means = examination->host_known && examination->to == CORE_TO_PROGRAM
				      ? "the handler is told that this process wants no core"
				      : "no core is written, whatever the kernel and its handler "
					"would do with one";
	} else if (limit == UINT64_MAX) {
		check.outcome = OUTCOME_KEPT;
		check.means = "a core of any size";
		check.set = check.set_in = "";
	} else if (examination->core_bytes > limit) {
		check.means = KEEP(examination,
				   "a core of about %s is cut off: goroutines, stacks or the map "
				   "itself may be lost",
				   size_words(examination, examination->core_bytes));
	} else {
		check.outcome = OUTCOME_UNSURE;
		check.means = KEEP(examination, "a core larger than %s is cut off",
				   size_words(examination, limit));
	}
	check_add(examination, &check);
}
