// SPDX-License-Identifier: Apache-2.0
// Which map it was and who tripped the check.
#include "findings/flight_record.h"
#include "findings/rules.h"

#include "model/stack/ghost.h"
#include "model/data/holder.h"
#include "model/stack/map_recover.h"
#include "model/process/recording.h"
#include "model/printout/printout.h"

#include <string.h>

#define OWNERS_MAX 8

static bool any_entry(uint64_t key, uint64_t elem, void *context) { return true; }

/** How many other goroutines show that they used this map. */
static unsigned users_of(struct reasoning *reasoning, uint64_t map)
{
	struct program *program = reasoning->program;
	unsigned users = 0;

	for (guint i = 0; i < reasoning->calls->len; i++) {
		const struct map_call *call = &g_array_index(reasoning->calls, struct map_call, i);

		users += call != reasoning->detected && call->map == map;
	}
	for (size_t i = 0; i < program->live_count && !users; i++) {
		const struct ghost *ghosts;

		if (!program->goroutines[i].system && !program->goroutines[i].detector)
			users += ghosts_of_writes(program, &program->goroutines[i], map, &ghosts) >
				 0;
	}
	return users;
}

/** Of several maps that it may be, the one that somebody else was using; none when that does not tell. */
static const struct map_candidate *choose(struct reasoning *reasoning,
					  const struct map_candidate *candidates, size_t count)
{
	const struct map_candidate *chosen = count == 1 ? &candidates[0] : NULL;

	for (size_t i = 0; i < count && count > 1; i++) {
		if (!users_of(reasoning, candidates[i].map))
			continue;
		if (chosen)
			return NULL;
		chosen = &candidates[i];
	}
	return chosen;
}

/** "(*cluster)" of "main.(*cluster).lookup" is the receiver: does this struct fit it? */
static bool is_receiver_of(const char *holder, const char *function)
{
	const char *dot = strrchr(holder, '.');
	const char *receiver = strstr(function, "(*");
	size_t n;

	if (!dot || !receiver)
		return false;
	n = strcspn(dot + 1, "[");
	return !strncmp(receiver + 2, dot + 1, n) &&
	       (receiver[2 + n] == ')' || receiver[2 + n] == '[');
}

/** The maps of the detector's type that the program's variables lead to, those of its receiver before others. */
static size_t maps_of_type(struct reasoning *reasoning, struct map_candidate *ret, size_t room)
{
	const struct map_call *call = reasoning->detected;
	const struct stack *stack = &reasoning->program->goroutines[call->goroutine].stack;
	const char *function =
		call->user < stack->count ? stack->frames[call->user].site->function : "";
	const struct map_found *maps;
	size_t count = 0, found = 0, fits = 0;

	if (!reasoning->program->debuginfo)
		return 0; // one of several may be all that is seen
	count = maps_reachable(reasoning->program, &maps);
	for (size_t i = 0; i < count; i++)
		fits += maps[i].type == call->type && is_receiver_of(maps[i].holder_type, function);
	for (size_t i = 0; i < count && found < room; i++)
		if (maps[i].type == call->type &&
		    (!fits || is_receiver_of(maps[i].holder_type, function)))
			ret[found++] = (struct map_candidate){
				maps[i].address, call->type,
				"the map of this type that the program's variables lead to"};
	return found;
}

static void recover_map(struct reasoning *reasoning)
{
	struct map_candidate candidates[MAP_CANDIDATES_MAX];
	struct conflict_map *map = &reasoning->findings->map;
	size_t count = map_recover(reasoning->program, reasoning->detected, candidates);
	const struct map_candidate *chosen = choose(reasoning, candidates, count);

	if (!count && reasoning->detected->type) {
		count = maps_of_type(reasoning, candidates, MAP_CANDIDATES_MAX);
		chosen = count == 1 ? &candidates[0] : NULL; // nothing ties any one of them to it
	}
	if (chosen) {
		map->address = chosen->map;
		map->type = chosen->type;
		map->found_by = chosen->found_by;
		// a caller may have others of its type at hand, which others use in turn with it
		map->sure = CONFIDENCE_POSSIBLE;
		return;
	}
	program_gap(reasoning->program, "the map's address",
		    count ? "several maps fit what the detector's frames still hold"
			  : "the detector's frames no longer hold it",
		    "which goroutines were using this very map");
}

static bool is_mid_write(const struct reasoning *reasoning)
{
	const struct conflict_map *map = &reasoning->findings->map;

	for (guint i = 0; i < reasoning->calls->len; i++) {
		const struct map_call *call = &g_array_index(reasoning->calls, struct map_call, i);

		if (call->map == map->address && map_operation_writes(call->operation))
			return true;
	}
	return map->header.writing;
}

static void read_map(struct reasoning *reasoning)
{
	struct conflict_map *map = &reasoning->findings->map;
	struct program *program = reasoning->program;
	struct owner *owners;

	map->readable = map_read(program, map->address, &map->header);
	if (map->readable && map->type)
		map->integrity = map_entries(program, &map->header, map->type, any_entry, NULL);
	map->mid_write = is_mid_write(reasoning);
	owners = arena_array(reasoning->findings->arena, OWNERS_MAX, sizeof(*owners));
	map->owner_count = owners_of(program, map->address, map->type, reasoning->detected->site,
				     owners, OWNERS_MAX);
	map->owners = owners;
}

/** What was used through reflection has the type that its holder declares. */
static void take_type(struct reasoning *reasoning)
{
	struct conflict_map *map = &reasoning->findings->map;

	for (size_t i = 0; i < map->owner_count && !map->type; i++)
		if (map->owners[i].type && map->owners[i].type->kind == GO_KIND_MAP)
			map->type = map->owners[i].type;
}

/**
 * Generic code of Go 1.18 and 1.19 names its maps by shape ("map[go.shape.string_0]..."); what holds the map declares
 * it by its real type.
 */
static void name_type(struct conflict_map *map)
{
	if (!map->type || !strstr(map->type->name, "go.shape."))
		return;
	for (size_t i = 0; i < map->owner_count; i++) {
		const struct go_type *type = map->owners[i].type;

		if (!type || type->kind != GO_KIND_MAP || strstr(type->name, "go.shape."))
			continue;
		map->type = type;
		return;
	}
}

static void describe_detector(struct reasoning *reasoning)
{
	struct program *program = reasoning->program;
	const struct map_call *call = reasoning->detected;
	const struct goroutine *goroutine = &program->goroutines[call->goroutine];
	struct side *side = arena_take(reasoning->findings->arena, sizeof(*side));

	reasoning->told_of = goroutine;
	side->role = SIDE_DETECTOR;
	side->operation = call->operation;
	side->goroutine = goroutine;
	side->stack = &goroutine->stack;
	side->rule = "";
	side->check = call->check;
	side->confidence = CONFIDENCE_PROVEN;
	if (call->user < goroutine->stack.count)
		side->site = *goroutine->stack.frames[call->user].site;
	if (call->function && recording_is_all(program))
		witness_add(reasoning, &side->witnesses, EVIDENCE_FLIGHT,
			    goroutine->stack.frames[call->first].pc,
			    "the check of goroutine %llu inside %s failed",
			    (unsigned long long)goroutine->id, call->function->name);
	else if (call->function)
		witness_add(reasoning, &side->witnesses, EVIDENCE_CORE,
			    goroutine->stack.frames[call->first].pc,
			    "goroutine %llu stands in the runtime's fatal path inside %s",
			    (unsigned long long)goroutine->id, call->function->name);
	else
		witness_add(reasoning, &side->witnesses, EVIDENCE_CORE, 0,
			    "the runtime printed goroutine %llu as the one that noticed",
			    (unsigned long long)goroutine->id);
	if (call->check != MAP_CHECK_NONE)
		witness_add(reasoning, &side->witnesses, EVIDENCE_BINARY, 0,
			    call->check == MAP_CHECK_ENTRY
				    ? "the check at the entry of the operation fired: another "
				      "goroutine was writing"
				    : "the check at the exit of the operation fired: another "
				      "goroutine wrote meanwhile");
	reasoning->findings->detector = side;
}

/** A text has no memory to read the map from: its address if printed, else which variable the code loads it from. */
static void identify_by_text(struct reasoning *reasoning)
{
	struct conflict_map *map = &reasoning->findings->map;
	const struct map_call *call = reasoning->detected;
	struct owner *owner;

	owner = arena_take(reasoning->findings->arena, sizeof(*owner));
	map->owner_count = holder_by_code(reasoning->program, call->site, owner);
	map->owners = owner;
	if (call->map) {
		map->sure = call->map_inferred ? CONFIDENCE_POSSIBLE : CONFIDENCE_PROVEN;
		return;
	}
	if (call->site && call->site->source.kind == MAP_SOURCE_GLOBAL) {
		map->sure = CONFIDENCE_LIKELY;
		map->found_by = "the variable that the code loads it from";
	}
	program_gap(reasoning->program, "the map's address",
		    reasoning->program->printout->hides_runtime
			    ? "the runtime's frames, which carry it, were left out of the text"
			    : "it was not printed",
		    "which goroutines were using this very map");
}

void conflict_identify(struct reasoning *reasoning)
{
	struct conflict_map *map = &reasoning->findings->map;
	const struct map_call *call = reasoning->detected;

	map->address = call->map;
	map->found_by = call->map_found_by;
	map->type = call->type;
	map->sure = !map->address          ? CONFIDENCE_UNKNOWN
		    : call->map_unrecorded ? CONFIDENCE_POSSIBLE
		    : call->map_inferred   ? CONFIDENCE_LIKELY
					   : CONFIDENCE_PROVEN;
	if (flight_record_map(reasoning, &map->address)) {
		map->sure = CONFIDENCE_PROVEN;
		map->found_by =
			"the flight recorder: the register that the failed check read it from";
	} else if (reasoning->program->printout)
		identify_by_text(reasoning);
	else if (!map->address && !recording_is_all(reasoning->program))
		recover_map(reasoning);
	if (map->address && !reasoning->program->printout && !recording_is_all(reasoning->program))
		read_map(reasoning);
	take_type(reasoning);
	reasoning->type = map->type;
	name_type(map);
	describe_detector(reasoning);
}
