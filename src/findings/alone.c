// SPDX-License-Identifier: Apache-2.0
#include "findings/alone.h"

#include "findings/sequence.h"
#include "model/code/origin.h"

#include <string.h>

#define LINES_MAX 64 /* that may be writes of the map */

struct elimination {
	struct inquiry *inquiry;
	struct origins *origins;
	const struct goroutine *goroutine; // who is left; NULL as long as nobody is
	const struct map_site *site;
};

/** One line may be several writes in the code, where it is inlined or a loop was unrolled. */
static bool is_same_line(struct program *program, const struct map_site *a,
			 const struct map_site *b)
{
	return a->call_pc == b->call_pc || site_equal(suspect_user_site(program, a->call_pc),
						      suspect_user_site(program, b->call_pc));
}

/**
 * Before Go 1.21 a goroutine does not know who started it: that it was the main goroutine is sure where nobody else runs
 * the code that did.
 */
static bool is_starter_known(const struct elimination *elimination)
{
	const struct reasoning *reasoning = elimination->inquiry->reasoning;
	const struct goroutine *detector =
		&reasoning->program->goroutines[reasoning->detected->goroutine];
	struct go_function creator, start;
	const struct origin *origins;
	uint32_t table;
	size_t count;

	if (detector->parent_id)
		return true;
	return detector->go_pc &&
	       program_function(reasoning->program, detector->go_pc - 1, &creator, &table) &&
	       origins_of(elimination->origins, creator.entry, &origins, &count) && count == 1 &&
	       program_function(reasoning->program, origins[0].start, &start, &table) &&
	       !strcmp(start.name, "runtime.main");
}

/** All ways of the goroutine to that write, of which there is one at least, had ended before the detector's was started. */
static bool came_before(struct elimination *elimination, const struct goroutine *goroutine,
			const struct map_site *site)
{
	struct inquiry *inquiry = elimination->inquiry;
	const struct stack *stack = &goroutine->stack;
	bool found = false;

	if (!is_starter_known(elimination))
		return false;
	for (size_t i = 0; i < stack->count; i++) {
		const struct frame *frame = &stack->frames[i];
		const struct write_path *paths;
		size_t count;

		if (frame->site->inlined || frame->runtime || !frame->function->entry)
			continue;
		paths = write_reach_paths(inquiry->reach, frame->function, frame->pc, &count);
		if (count == WRITE_PATHS_MAX)
			return false; // there may be more
		for (size_t j = 0; j < count; j++) {
			// whom it starts is looked at in his own right
			if (paths[j].site->site->call_pc != site->call_pc ||
			    write_path_starts(&paths[j]))
				continue;
			if (paths[j].again ||
			    !sequence_before_detector(inquiry->reasoning, inquiry->reach, goroutine,
						      i, &paths[j]))
				return false;
			found = true;
		}
	}
	return found;
}

/** False when that makes two of them. */
static bool may_have_written(struct elimination *elimination, const struct goroutine *goroutine,
			     const struct map_site *site)
{
	struct program *program = elimination->inquiry->reasoning->program;

	if (goroutine->detector || came_before(elimination, goroutine, site))
		return true;
	if (!elimination->goroutine) {
		elimination->goroutine = goroutine;
		elimination->site = site;
	}
	return elimination->goroutine == goroutine &&
	       is_same_line(program, elimination->site, site);
}

/** By an initializer of a package, which it may run next to. */
static bool any_started_early(const struct program *program)
{
	uint64_t seen = 0; // many are started at one place

	for (size_t i = 0; i < program->goroutine_count; i++) {
		uint64_t go_pc = program->goroutines[i].go_pc;
		struct go_function creator;
		uint32_t table;

		if (!go_pc || go_pc == seen)
			continue;
		seen = go_pc;
		if (program_function(program, go_pc - 1, &creator, &table) &&
		    go_is_package_initializer(creator.name) &&
		    !go_is_library_function(creator.name))
			return true;
	}
	return false;
}

/** All goroutines that began there; none to be seen: whoever did is gone. */
static bool examine_origin(struct elimination *elimination, struct origin origin,
			   const struct map_site *site)
{
	const struct program *program = elimination->inquiry->reasoning->program;
	struct go_function start;
	bool found = false;
	uint32_t table;

	if (!program_function(program, origin.start, &start, &table))
		return false;
	for (size_t i = 0; i < program->goroutine_count; i++) {
		const struct goroutine *goroutine = &program->goroutines[i];

		if (goroutine->start_pc < start.entry || goroutine->start_pc >= start.end)
			continue;
		if (!may_have_written(elimination, goroutine, site))
			return false;
		found = true;
	}
	return origin.endless || (found && origin.once);
}

static bool examine_line(struct elimination *elimination, const struct map_site *site)
{
	const struct origin *origins;
	size_t count;

	if (!origins_of(elimination->origins, site->caller.entry, &origins, &count))
		return false;
	for (size_t i = 0; i < count; i++)
		if (!examine_origin(elimination, origins[i], site))
			return false;
	return true;
}

/**
 * Of a map on the goroutine's own stack, or of one of the library's own. What a package does to set itself up comes before
 * all goroutines. A write through reflection may be of any map.
 */
static bool is_out_of_question(const struct write_site *write)
{
	return write->site->map.kind == FLOW_STACK || write_site_is_library_own(write) ||
	       go_is_package_initializer(write->site->caller.name);
}

static bool examine_lines(struct elimination *elimination, const struct write_site *writes,
			  size_t count)
{
	size_t examined = 0;

	for (size_t i = 0; i < count; i++) {
		if (is_out_of_question(&writes[i]))
			continue;
		if (examined++ == LINES_MAX || !examine_line(elimination, writes[i].site))
			return false;
	}
	return true;
}

/** Nobody but who is left can have made any write of the map; false as well when some writes are made by who knows whom. */
static bool one_is_left(struct elimination *elimination)
{
	const struct write_reach *reach = elimination->inquiry->reach;
	size_t count, other_count;
	const struct write_site *writes = write_reach_sites(reach, &count);
	const struct write_site *others = write_reach_others(reach, &other_count);

	return examine_lines(elimination, writes, count) &&
	       examine_lines(elimination, others, other_count) && elimination->goroutine &&
	       origins_hold(elimination->origins);
}

/** What the program's own types hold is the program's. */
static bool is_held_by_program(const struct conflict_map *map)
{
	for (size_t i = 0; i < map->owner_count; i++)
		if (map->owners[i].holder_type && *map->owners[i].holder_type &&
		    !go_is_library_function(map->owners[i].holder_type))
			return true;
	return false;
}

/** A map of an unnamed type that the library itself uses may be one of its own. */
static bool is_of_library(const struct reasoning *reasoning)
{
	const struct side *detector = reasoning->findings->detector;

	return reasoning->type && g_str_has_prefix(reasoning->type->full_name, "map[") &&
	       detector && detector->site.function &&
	       go_is_library_function(detector->site.function) &&
	       !is_held_by_program(&reasoning->findings->map);
}

guint alone_find(struct inquiry *inquiry, const GArray *suspects, const struct map_site **ret)
{
	struct elimination elimination = {.inquiry = inquiry};
	guint found = suspects->len;

	if (inquiry->reasoning->program->printout ||
	    inquiry->reasoning->program->goroutines_missing || is_of_library(inquiry->reasoning) ||
	    any_started_early(inquiry->reasoning->program))
		return found; // not all goroutines need be there; or initializers are as good as they
	elimination.origins =
		origins_new(inquiry->reasoning->program, write_reach_callers(inquiry->reach));
	if (one_is_left(&elimination)) {
		for (guint i = 0; i < suspects->len; i++) {
			const struct suspect *suspect = &g_array_index(suspects, struct suspect, i);

			if (&inquiry->reasoning->program->goroutines[suspect->goroutine] ==
			    elimination.goroutine)
				found = i;
		}
		*ret = elimination.site;
	}
	origins_free(elimination.origins);
	return found;
}
