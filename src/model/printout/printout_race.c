// SPDX-License-Identifier: Apache-2.0
// The runtime tells the detector of each map operation as an access to the map's header (racereadpc and racewritepc in
// runtime/map.go@1.23.12, race.ReadPC in internal/runtime/maps@1.26.8), and of the key as a read; so memory that a map
// function writes is a map.
#include "model/printout/printout_race.h"

#include "model/printout/printout_frame.h"

#include <glib.h>

#define RACES_MAX 256 /* different ones */

static bool is_write(const struct dump *dump, const struct dump_goroutine *printed)
{
	struct text word = dump_word(dump, printed->state);

	return word.n && memmem(word.p, word.n, "rite", 4);
}

static const struct goroutine *describe(struct program *program, struct printout_frames *frames,
					uint32_t index)
{
	struct goroutine *ret = arena_take(program->arena, sizeof(*ret));

	*ret = printout_frames_goroutine(frames, index);
	if (ret->stack.broken)
		ret->stack.broken = "the race detector could not restore it";
	return ret;
}

/** The map functions at the inner end: all that the detector shows of the operation. */
static void read_operation(const struct stack *stack, bool writes, struct printed_access *ret)
{
	unsigned maps = 0;

	ret->operation = writes ? MAP_WRITE : MAP_READ;
	for (ret->user = 0; ret->user < stack->count && stack->frames[ret->user].runtime;
	     ret->user++) {
		const char *name = stack->frames[ret->user].site->function;
		const struct go_map_function *function = go_map_function_find(name);

		if (!function || function->operation == MAP_MAKE)
			continue;
		maps += !g_str_has_prefix(name, "reflect.");
		ret->function = function;
		if (function->operation != MAP_GROW)
			ret->operation = function->operation;
	}
	ret->lost = maps > 1;
}

static enum map_fatal fatal_of(const struct printed_race *race)
{
	bool iterates = false, clones = false;

	if (map_operation_writes(race->side[0].operation) &&
	    map_operation_writes(race->side[1].operation))
		return MAP_FATAL_WRITES;
	for (size_t i = 0; i < RACE_SIDES; i++) {
		iterates |= race->side[i].operation == MAP_ITERATE;
		clones |= race->side[i].operation == MAP_CLONE;
	}
	return iterates ? MAP_FATAL_ITERATION_AND_WRITE
	       : clones ? MAP_FATAL_CLONE_AND_WRITE
			: MAP_FATAL_READ_AND_WRITE;
}

/** The PC of a report is that of the CALL, a byte before its end (GetPreviousInstructionPc). */
static const struct map_site *site_of(const struct program *program,
				      const struct printed_access *access)
{
	const struct stack *stack = &access->goroutine->stack;
	const struct map_site *site;

	if (!program->sites || access->user >= stack->count || !stack->frames[access->user].pc)
		return NULL;
	site = sites_returning_to(program->sites, stack->frames[access->user].pc + 1);
	return site ? site : sites_returning_to(program->sites, stack->frames[access->user].pc);
}

static struct printed_race read_race(struct program *program, struct printout_frames *frames,
				     uint32_t first)
{
	const struct dump *dump = program->printout->dump;
	struct printed_race race = {0};

	for (uint32_t i = 0; i < RACE_SIDES; i++) {
		struct printed_access *access = &race.side[i];
		bool writes = is_write(dump, dump_goroutine(dump, first + i));

		access->goroutine = describe(program, frames, first + i);
		read_operation(&access->goroutine->stack, writes, access);
		access->site = site_of(program, access);
		race.of_map |= writes && access->function;
	}
	race.fatal = fatal_of(&race);
	return race;
}

static uint64_t address_of(const struct dump *dump, uint16_t section)
{
	uint32_t first = dump_section(dump, section)->first_message;

	return first == DUMP_NO_FRAME ? 0 : dump_message(dump, first)->address;
}

/** Stacks are kept once: equal numbers are equal stacks. */
static bool seen_before(GHashTable *seen, const struct dump *dump, uint32_t first)
{
	uint64_t key = (uint64_t)dump_goroutine(dump, first)->group << 32 |
		       dump_goroutine(dump, first + 1)->group;

	return !g_hash_table_add(seen, g_memdup2(&key, sizeof(key)));
}

static bool is_race(const struct dump *dump, size_t first)
{
	uint16_t section = dump_goroutine(dump, first)->section;

	return dump_section(dump, section)->form == DUMP_FORM_RACE &&
	       first + 1 < dump_goroutine_count(dump) &&
	       dump_goroutine(dump, first + 1)->section == section;
}

/** A log of several writers: another's races say nothing of this one's death. */
static bool is_of_program(const struct program *program, size_t race)
{
	const struct printout *printout = program->printout;
	const struct dump *dump = printout->dump;

	return !printout->fatals ||
	       text_equal(dump_section(dump, dump_goroutine(dump, race)->section)->source,
			  dump_section(dump, printout->section)->source);
}

void printout_races(struct program *program, const struct dump *dump)
{
	g_autoptr(GHashTable) seen =
		g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	GArray *races = g_array_new(FALSE, FALSE, sizeof(struct printed_race));
	struct printout_frames *frames = printout_frames_new(program, dump);
	struct printout *printout = program->printout;

	for (uint32_t i = 0; i < dump_goroutine_count(dump) && races->len < RACES_MAX; i++) {
		struct printed_race race;

		if (!is_race(dump, i) || !is_of_program(program, i) || seen_before(seen, dump, i))
			continue;
		race = read_race(program, frames, i);
		race.address = address_of(dump, dump_goroutine(dump, i)->section);
		g_array_append_val(races, race);
		i += RACE_SIDES - 1;
	}
	printout->race_count = races->len;
	printout->races =
		arena_copy(program->arena, races->data, races->len * sizeof(struct printed_race));
	g_array_free(races, TRUE);
	printout_frames_free(frames);
}
