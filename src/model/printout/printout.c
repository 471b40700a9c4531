// SPDX-License-Identifier: Apache-2.0
// Of several deaths in one text one is told of: with stacks rather than without, a map fatal rather than another, the
// last rather than an earlier one. A program may print the runtime's words itself; what really ended it stands directly
// above its stacks.
#include "model/printout/printout_frame.h"
#include "model/printout/printout_race.h"

#include "golang/map_function.h"

#include <glib.h>

struct reader {
	struct program *program;
	struct printout *printout;
	const struct dump *dump;
	struct printout_frames *frames;
	GArray *goroutines; /**< struct goroutine */
	GHashTable *by_id;  /**< id → index + 1 */
	GHashTable *folded; /**< group and state → index + 1 */
	uint64_t seen;      /**< of the section */
	bool found_dying;
	uint64_t dying_after;  /**< goroutines of the section before the one that died */
	uint64_t self_printed; /**< that were running, and shown with a stack */
	bool over;             /**< the rest is of another print */
};

static bool is_map_fatal(const struct dump_message *message)
{
	g_autofree char *line = NULL;

	if (message->kind != DUMP_FATAL)
		return false;
	line = g_strdup_printf("fatal error: %.*s", TEXT_ARGUMENTS(message->text));
	return go_map_fatal_find(text_of(line)) != MAP_FATAL_NONE;
}

static bool is_death(const struct dump_message *message)
{
	return message->kind == DUMP_FATAL || message->kind == DUMP_PANIC ||
	       message->kind == DUMP_SIGNAL;
}

static uint16_t largest_section(const struct dump *dump)
{
	uint64_t most = 0;
	uint16_t best = 0;

	for (size_t i = 0; i < dump_section_count(dump); i++) {
		const struct dump_section *section = dump_section(dump, i);

		if (section->form == DUMP_FORM_RACE || section->goroutines <= most)
			continue;
		most = section->goroutines;
		best = (uint16_t)i;
	}
	return best;
}

/** What was said last before the first stack: what a program printed itself came earlier. */
static const struct dump_message *death_in(const struct dump *dump, uint16_t section)
{
	const struct dump_message *death = NULL;

	for (size_t i = 0; i < dump_message_count(dump); i++) {
		const struct dump_message *message = dump_message(dump, i);

		if (message->section == section && is_death(message) &&
		    (!death || message->goroutines_before == death->goroutines_before))
			death = message;
	}
	return death;
}

static unsigned weight(const struct dump *dump, uint16_t section, const struct dump_message *death)
{
	bool stacks = dump_section(dump, section)->goroutines > 0;

	return death ? 1 + 2 * stacks + is_map_fatal(death) : 0;
}

static uint16_t choose_section(const struct dump *dump)
{
	unsigned most = 0;
	uint16_t chosen = largest_section(dump);

	for (size_t i = 0; i < dump_section_count(dump); i++) {
		uint16_t section = (uint16_t)i;
		unsigned found = weight(dump, section, death_in(dump, section));

		if (!found || found < most)
			continue;
		most = found;
		chosen = section;
	}
	return chosen;
}

static enum printout_death death_of(const struct dump_message *message)
{
	return message->kind == DUMP_FATAL   ? PRINTOUT_FATAL
	       : message->kind == DUMP_PANIC ? PRINTOUT_PANIC
					     : PRINTOUT_SIGNAL;
}

/** The first line of what was said, as the runtime prints it, without what a terminal would act on. */
static char *line_of(const struct dump_message *message)
{
	const char *end = memchr(message->text.p, '\n', message->text.n);
	size_t n = end ? (size_t)(end - message->text.p) : message->text.n;
	char *line =
		g_strdup_printf("%s%.*s", dump_message_prefix(message), (int)n, message->text.p);

	for (char *at = line; *at; at++)
		if (g_ascii_iscntrl(*at) && *at != '\t')
			*at = '?';
	return line;
}

/** The message of the death; of a chain, or of several fatal errors of maps, the first. */
static void read_death(struct reader *reader, const struct dump_message *death)
{
	struct printout *printout = reader->printout;
	const struct dump_message *first = death;
	g_autofree char *line = NULL;

	for (size_t i = dump_message_count(reader->dump); i-- > 0;) {
		const struct dump_message *message = dump_message(reader->dump, i);

		if (message->section == printout->section && message->kind == death->kind &&
		    message->goroutines_before == death->goroutines_before &&
		    is_map_fatal(message) == is_map_fatal(death) &&
		    message->place.line <= first->place.line)
			first = message;
	}
	line = line_of(first);
	printout->death = death_of(death);
	printout->message = arena_string(reader->program->arena, text_of(line));
	reader->dying_after = death->goroutines_before;
}

static void read_messages(struct reader *reader)
{
	g_autoptr(GString) all = g_string_new(NULL);
	struct printout *printout = reader->printout;
	const struct dump_message *death = death_in(reader->dump, printout->section);

	if (!death)
		return;
	read_death(reader, death);
	for (size_t i = 0; i < dump_message_count(reader->dump); i++) {
		const struct dump_message *message = dump_message(reader->dump, i);
		g_autofree char *line = NULL;

		if (message->section != printout->section || !is_death(message))
			continue;
		line = line_of(message);
		g_string_append_printf(all, "%s\n", line);
		printout->fatals += is_map_fatal(death) && is_map_fatal(message);
	}
	printout->headlines = arena_string(reader->program->arena, text_of(all->str));
}

/** Frames of the runtime's fatal path: the text then shows by itself who raised it. */
static bool stands_in_fatal(const struct stack *stack)
{
	static const char *const names[] = {"runtime.throw", "runtime.fatal", "runtime.fatalthrow",
					    "internal/runtime/maps.fatal"};

	for (size_t i = 0; i < stack->count && stack->frames[i].runtime; i++)
		for (size_t j = 0; j < G_N_ELEMENTS(names); j++)
			if (!strcmp(stack->frames[i].site->function, names[j]))
				return true;
	return false;
}

/** A second goroutine that raised the fatal is printed again at the end, with its stack. */
static bool printed_before(struct reader *reader, const struct goroutine *goroutine)
{
	gpointer found = g_hash_table_lookup(reader->by_id, &goroutine->id);
	struct goroutine *first;

	if (!goroutine->id || !found)
		return false;
	first = &g_array_index(reader->goroutines, struct goroutine, GPOINTER_TO_UINT(found) - 1);
	if (goroutine->stack.count && !first->stack.count) {
		uint64_t count = first->count;

		*first = *goroutine;
		first->count = count;
	}
	first->raised |= goroutine->stack.count && reader->printout->fatals > 1 &&
			 goroutine->status == GO_STATUS_RUNNING;
	return true;
}

/** True when the goroutine was counted to one like it. */
static bool fold(struct reader *reader, const struct dump_goroutine *printed)
{
	uint64_t key =
		(uint64_t)printed->state << 32 | printed->group; // the hash takes the low half
	gpointer found;

	if (reader->goroutines->len < PRINTOUT_GOROUTINES_MAX)
		return false;
	found = g_hash_table_lookup(reader->folded, &key);
	if (found) {
		g_array_index(reader->goroutines, struct goroutine, GPOINTER_TO_UINT(found) - 1)
			.count += printed->count;
		return true;
	}
	g_hash_table_insert(reader->folded, g_memdup2(&key, sizeof(key)),
			    GUINT_TO_POINTER(reader->goroutines->len + 1));
	return false;
}

static void add(struct reader *reader, uint32_t index, const struct dump_goroutine *printed)
{
	bool dies = reader->printout->death != PRINTOUT_NO_DEATH && !reader->found_dying &&
		    reader->seen > reader->dying_after;
	struct goroutine goroutine;

	reader->found_dying |= dies;
	reader->printout->goroutines += printed->count;
	if (!dies && fold(reader, printed))
		return;
	goroutine = printout_frames_goroutine(reader->frames, index);
	reader->printout->unavailable += goroutine.stack.count ? 0 : goroutine.count;
	goroutine.raised =
		reader->printout->fatals &&
		(dies || (reader->printout->fatals > 1 && stands_in_fatal(&goroutine.stack)));
	if (printed_before(reader, &goroutine))
		return;
	if (dies)
		reader->program->threads[0].goroutine = reader->goroutines->len;
	g_array_append_val(reader->goroutines, goroutine);
	if (goroutine.id)
		g_hash_table_insert(reader->by_id, g_memdup2(&goroutine.id, sizeof(goroutine.id)),
				    GUINT_TO_POINTER(reader->goroutines->len));
}

/**
 * Goroutines that were printed before the words of the death, and those from one on that printed itself without having
 * raised the fatal, are of a dump at another time, or of another process: the runtime shows no stack of one that runs on
 * another thread (tracebackothers, runtime/traceback.go@1.22.12), unless each thread prints its own (GOTRACEBACK=crash).
 */
static bool is_of_another_print(struct reader *reader, const struct dump_goroutine *printed)
{
	const struct dump *dump = reader->dump;

	if (reader->seen <= reader->dying_after)
		return true;
	if (reader->printout->fatals &&
	    dump_section(dump, printed->section)->level != DUMP_LEVEL_CRASH &&
	    text_is(dump_word(dump, printed->state), "running") &&
	    dump_group(dump, printed->group)->frame_count)
		reader->over |= ++reader->self_printed > reader->printout->fatals;
	return reader->over;
}

static void read_goroutines(struct reader *reader)
{
	for (size_t i = 0; i < dump_goroutine_count(reader->dump); i++) {
		const struct dump_goroutine *printed = dump_goroutine(reader->dump, i);

		if (printed->section != reader->printout->section ||
		    dump_section(reader->dump, printed->section)->form == DUMP_FORM_RACE)
			continue;
		reader->seen++;
		// a thread's own stack is printed before the goroutine that it ran
		if (!(printed->flags & DUMP_GOROUTINE_SYSTEM_STACK) &&
		    !is_of_another_print(reader, printed))
			add(reader, (uint32_t)i, printed);
	}
}

static bool shows_runtime(const struct program *program)
{
	for (size_t i = 0; i < program->goroutine_count; i++) {
		const struct stack *stack = &program->goroutines[i].stack;

		for (size_t j = 0; j < stack->count; j++)
			if (!strcmp(stack->frames[j].site->function, "runtime.goexit"))
				return true;
	}
	return false;
}

/** A race on a map tells more than another death does, and any race more than no death. */
static bool is_about_race(const struct printout *printout)
{
	enum map_fatal said = go_map_fatal_find(text_of(printout->message));
	bool of_map = false;

	for (size_t i = 0; i < printout->race_count; i++)
		of_map |= printout->races[i].of_map &&
			  (!printout->fatals || printout->races[i].fatal == said);
	if (printout->fatals)
		return of_map && !printout->goroutines; // a fatal error without a stack
	return of_map || (printout->race_count && printout->death == PRINTOUT_NO_DEATH);
}

static void note_gaps(struct program *program, const struct printout *printout)
{
	char why[128];

	if (printout->cut)
		program_gap(program, "part of the text", "it is cut off within a stack",
			    "whatever stood there: goroutines, and the other writer among them");
	if (!printout->unavailable)
		return;
	snprintf(why, sizeof(why),
		 "%llu goroutine%s running on other threads when the text was written",
		 (unsigned long long)printout->unavailable,
		 printout->unavailable == 1 ? " was" : "s were");
	program_gap(program, "some stacks", why, "whether one of them was the other writer");
}

static bool is_cut(const struct dump *dump)
{
	return dump_gap(dump, DUMP_GAP_CUT)->count || dump_gap(dump, DUMP_GAP_NO_HEADER)->count ||
	       dump_gap(dump, DUMP_GAP_DAMAGED)->count;
}

void printout_read(struct program *program, const struct dump *dump)
{
	struct printout *printout = arena_take(program->arena, sizeof(*printout));
	struct reader reader = {.program = program, .printout = printout, .dump = dump};

	printout->dump = dump;
	printout->message = printout->headlines = "";
	printout->section = choose_section(dump);
	printout->cut = is_cut(dump);
	program->printout = printout;
	program->threads = arena_take(program->arena, sizeof(*program->threads));
	program->threads[0] = (struct thread){.goroutine = NO_INDEX};
	program->thread_count = 1;
	reader.frames = printout_frames_new(program, dump);
	reader.goroutines = g_array_new(FALSE, FALSE, sizeof(struct goroutine));
	reader.by_id = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	reader.folded = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	read_messages(&reader);
	read_goroutines(&reader);
	program->goroutine_count = program->live_count = reader.goroutines->len;
	program->goroutines = arena_copy(program->arena, reader.goroutines->data,
					 reader.goroutines->len * sizeof(struct goroutine));
	printout->hides_runtime = !shows_runtime(program);
	printout->agreement = printout_frames_agreement(reader.frames);
	printout_races(program, dump);
	if (is_about_race(printout))
		printout->death = PRINTOUT_RACE;
	note_gaps(program, printout);
	g_hash_table_destroy(reader.folded);
	g_hash_table_destroy(reader.by_id);
	g_array_free(reader.goroutines, TRUE);
	printout_frames_free(reader.frames);
}
