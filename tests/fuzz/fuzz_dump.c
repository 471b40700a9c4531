// SPDX-License-Identifier: Apache-2.0
// Any bytes as a goroutine dump; then everything that can be asked of it.
#include "evidence/text/dump.h"

#define CALLS_MAX     64
#define ARGUMENTS_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads the ends of a piece, which the sanitizer then checks. */
static size_t touch(struct text text)
{
	return text.n ? (size_t)(uint8_t)text.p[0] + (uint8_t)text.p[text.n - 1] : 0;
}

static size_t ask_goroutine(const struct dump *dump, const struct dump_goroutine *goroutine)
{
	struct dump_argument arguments[ARGUMENTS_MAX];
	struct dump_call calls[CALLS_MAX];
	struct dump_thread thread;
	struct text key, value;
	uint64_t pcs[CALLS_MAX];
	size_t sum = touch(dump_word(dump, goroutine->state));
	size_t n = dump_calls(dump, goroutine, calls, CALLS_MAX);

	if (goroutine->group >= dump_group_count(dump) ||
	    goroutine->section >= dump_section_count(dump))
		abort();
	for (size_t i = 0; i < n; i++)
		sum += dump_arguments(calls[i].arguments, arguments, ARGUMENTS_MAX);
	for (size_t i = 0; dump_label(dump, goroutine, i, &key, &value); i++)
		sum += touch(key) + touch(value);
	return sum + dump_thread_of(dump, goroutine, &thread) +
	       dump_record_pcs(dump, goroutine, pcs, CALLS_MAX);
}

static size_t ask_group(const struct dump *dump, const struct dump_group *group)
{
	size_t sum = 0;

	if (group->first >= dump_goroutine_count(dump) || group->elided_before > group->frame_count)
		abort();
	for (size_t i = 0; i < group->frame_count; i++)
		sum += touch(dump_frame_at(dump, group, i)->function) +
		       touch(dump_frame_at(dump, group, i)->file);
	if (group->created_by != DUMP_NO_FRAME)
		sum += touch(dump_frame(dump, group->created_by)->function);
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dump *dump = NULL;
	struct error *error =
		dump_read_text((struct text){(const char *)data, size}, "fuzz", &dump);
	uint64_t counted = 0;
	size_t sum = 0;

	if (error) {
		error_free(error);
		return 0;
	}
	for (size_t i = 0; i < dump_goroutine_count(dump); i++)
		sum += ask_goroutine(dump, dump_goroutine(dump, i));
	for (size_t i = 0; i < dump_group_count(dump); i++) {
		sum += ask_group(dump, dump_group(dump, i));
		counted += dump_group(dump, i)->count;
	}
	for (size_t i = 0; i < dump_section_count(dump); i++)
		counted -= dump_section(dump, i)->goroutines;
	for (size_t i = 0; i < dump_message_count(dump); i++)
		sum += touch(dump_message(dump, i)->text);
	dump_close(dump);
	if (counted != 0 || sum == SIZE_MAX)
		abort(); // groups and sections count the same goroutines
	return 0;
}
