// SPDX-License-Identifier: Apache-2.0
// The report as JSON, key by key as schema/report.schema.json has them.
#include "report/report.h"

#include "model/data/lock.h"

#include "report/blocked.h"
#include "report/json_parts.h"

#include <glib.h>

static void evidence_list(struct json_writer *json, const struct report_input *input)
{
	json_put_array(json, "evidence");
	for (size_t i = 0; i < input->evidence_count; i++) {
		const struct report_evidence *evidence = &input->evidence[i];

		json_put_object(json, NULL);
		json_put_string(json, "id", evidence->id);
		json_put_string(json, "kind", evidence->kind);
		json_put_string(json, "path", evidence->path);
		json_put_known(json, "build_id", evidence->build_id);
		json_put_known(json, "go_version", evidence->go_version);
		json_put_known(json, "arch", evidence->arch);
		json_put_gaps(json, "gaps", evidence->gaps, evidence->gap_count);
		json_end_object(json);
	}
	json_end_array(json);
}

static void verdict(struct json_writer *json, const struct findings *findings)
{
	json_put_object(json, "verdict");
	json_put_string(json, "kind", findings->kind);
	json_put_string(json, "confidence", confidence_name(findings->confidence));
	json_put_string(json, "sentence", findings->sentence);
	json_put_known(json, "message", findings->message);
	json_put_known(json, "caveat", findings->caveat);
	json_end_object(json);
}

static void owner_list(struct json_writer *json, const struct conflict_map *map)
{
	json_put_array(json, "owners");
	for (size_t i = 0; i < map->owner_count; i++) {
		json_put_line(json, NULL);
		json_put_string(json, "path", map->owners[i].path);
		json_put_known(json, "via", map->owners[i].via);
		json_put_known(json, "holder_type", map->owners[i].holder_type);
		if (map->owners[i].word)
			json_put_address(json, "word", map->owners[i].word);
		else
			json_put_null(json, "word");
		json_end_object(json);
	}
	json_end_array(json);
}

static void integrity(struct json_writer *json, const struct map_integrity *found)
{
	if (!found->checked) {
		json_put_null(json, "integrity");
		return;
	}
	json_put_object(json, "integrity");
	json_put_unsigned(json, "entries_found", found->entries_found);
	json_put_boolean(json, "count_matches", found->count_matches);
	json_put_unsigned(json, "problems", found->problems);
	json_put_known(json, "first_problem", found->first_problem);
	json_end_object(json);
}

static void site_list(struct json_writer *json, const char *key, const struct go_site *sites,
		      size_t count)
{
	json_put_array(json, key);
	for (size_t i = 0; i < count; i++)
		if (sites[i].function)
			json_put_site(json, NULL, &sites[i]);
	json_end_array(json);
}

static void goroutine_number(struct json_writer *json, const char *key,
			     const struct goroutine *goroutine)
{
	if (goroutine)
		json_put_unsigned(json, key, goroutine->id);
	else
		json_put_null(json, key);
}

static void map_header(struct json_writer *json, const struct conflict_map *map)
{
	if (map->readable) {
		json_put_string(json, "implementation", map->header.swiss ? "swiss" : "hmap");
		json_put_unsigned(json, "count", map->header.count);
		json_put_unsigned(json, "flags", map->header.flags);
		json_put_boolean(json, "writing", map->header.writing);
		json_put_boolean(json, "growing", map->header.growing);
		return;
	}
	if (map->type)
		json_put_string(json, "implementation", map->type->map.swiss ? "swiss" : "hmap");
	else
		json_put_null(json, "implementation");
	json_put_null(json, "count");
	json_put_null(json, "flags");
	json_put_null(json, "writing");
	json_put_null(json, "growing");
}

/* Growth happens inside an assignment; the report knows only what the program's author wrote. */
static const char *operation_word(enum map_operation operation)
{
	return map_operation_name(operation == MAP_GROW ? MAP_ASSIGN : operation);
}

static void use_list(struct json_writer *json, const char *key, const struct map_use *uses,
		     size_t count)
{
	json_put_array(json, key);
	for (size_t i = 0; i < count; i++) {
		json_put_object(json, NULL);
		json_put_unsigned(json, "goroutine", uses[i].goroutine->id);
		json_put_string(json, "operation", operation_word(uses[i].operation));
		json_put_site(json, "site", &uses[i].site);
		json_put_unsigned(json, "turns", uses[i].turns);
		json_put_boolean(json, "inside", uses[i].inside);
		json_end_object(json);
	}
	json_end_array(json);
}

static void lock_list(struct json_writer *json, const struct conflict_map *map)
{
	json_put_array(json, "locks");
	for (size_t i = 0; i < map->lock_count; i++) {
		const struct lock *lock = map->locks[i].lock;

		json_put_object(json, NULL);
		json_put_string(json, "path", lock->path);
		json_put_string(json, "type", go_lock_kind_name(lock->kind));
		json_put_address(json, "address", lock->address);
		json_put_string(json, "state", go_lock_hold_name(lock->state.hold));
		json_put_unsigned(json, "readers", lock->state.readers);
		json_put_unsigned(json, "waiters", lock->state.waiters);
		json_put_boolean(json, "writer_waits", lock->state.writer_waits);
		json_put_string(json, "says", map->locks[i].says);
		json_end_object(json);
	}
	json_end_array(json);
}

static void conflict_map(struct json_writer *json, const struct conflict_map *map)
{
	if (!map->address && !map->type) {
		json_put_null(json, "map");
		return;
	}
	json_put_object(json, "map");
	if (map->address)
		json_put_address(json, "address", map->address);
	else
		json_put_null(json, "address");
	json_put_known(json, "type", map->type ? map->type->name : NULL);
	json_put_known(json, "found_by", map->found_by);
	json_put_string(json, "confidence", confidence_name(map->sure));
	map_header(json, map);
	owner_list(json, map);
	integrity(json, &map->integrity);
	site_list(json, "made_at", map->made_at, map->made_at_count);
	site_list(json, "grown_at", map->grown_at, map->grown_at_count);
	goroutine_number(json, "made_by", map->made_by);
	goroutine_number(json, "grown_by", map->grown_by);
	use_list(json, "last_readers", map->readers, map->reader_count);
	use_list(json, "last_writers", map->writers, map->writer_count);
	lock_list(json, map);
	json_end_object(json);
}

static void witness_list(struct json_writer *json, const char *key, const struct witnesses *list)
{
	json_put_array(json, key);
	for (size_t i = 0; i < list->count; i++) {
		json_put_object(json, NULL);
		json_put_string(json, "fact", list->items[i].fact);
		json_put_known(json, "evidence", list->items[i].evidence);
		json_put_known(json, "place", list->items[i].place);
		json_end_object(json);
	}
	json_end_array(json);
}

static const char *check_word(enum map_check check)
{
	static const char *const words[] = {
		[MAP_CHECK_NONE] = NULL, [MAP_CHECK_ENTRY] = "entry", [MAP_CHECK_EXIT] = "exit"};

	return (size_t)check < G_N_ELEMENTS(words) ? words[check] : NULL;
}

static void goroutine(struct json_writer *json, const struct goroutine *goroutine)
{
	if (!goroutine) {
		json_put_null(json, "goroutine");
		return;
	}
	json_put_object(json, "goroutine");
	json_put_goroutine_members(json, goroutine);
	json_end_object(json);
}

static void side(struct json_writer *json, const struct side *side)
{
	static const char *const roles[] = {[SIDE_DETECTOR] = "detector",
					    [SIDE_OTHER] = "other",
					    [SIDE_CANDIDATE] = "candidate"};

	json_put_object(json, NULL);
	json_put_string(json, "role", roles[side->role]);
	json_put_string(json, "operation", operation_word(side->operation));
	json_put_string(json, "confidence", confidence_name(side->confidence));
	json_put_known(json, "rule", side->rule);
	json_put_string(json, "check", check_word(side->check));
	goroutine(json, side->goroutine);
	json_put_site(json, "site", &side->site);
	json_put_stack(json, "stack", side->stack);
	json_put_known(json, "stack_broken", side->stack ? side->stack->broken : NULL);
	witness_list(json, "witnesses", &side->witnesses);
	json_end_object(json);
}

static void sides(struct json_writer *json, const struct findings *findings)
{
	json_put_array(json, "sides");
	if (findings->detector)
		side(json, findings->detector);
	if (findings->other)
		side(json, findings->other);
	json_end_array(json);
	json_put_array(json, "candidates");
	for (size_t i = 0; i < findings->candidate_count; i++)
		side(json, &findings->candidates[i]);
	json_end_array(json);
}

static void goroutine_id(struct json_writer *json, const struct goroutine *goroutine)
{
	if (goroutine)
		json_put_unsigned(json, "goroutine", goroutine->id);
	else
		json_put_null(json, "goroutine");
}

static void innocent_list(struct json_writer *json, const struct findings *findings)
{
	json_put_array(json, "innocents");
	for (size_t i = 0; i < findings->innocent_count; i++) {
		const struct innocent *innocent = &findings->innocents[i];

		json_put_object(json, NULL);
		goroutine_id(json, innocent->goroutine);
		json_put_site(json, "site", &innocent->site);
		json_put_known(json, "looked_guilty", innocent->looked_guilty);
		json_put_known(json, "ruled_out", innocent->ruled_out);
		json_end_object(json);
	}
	json_end_array(json);
}

static void flags_table(struct json_writer *json, const struct findings *findings)
{
	json_put_array(json, "flags_table");
	for (size_t i = 0; i < findings->flag_count; i++) {
		const struct flag_row *row = &findings->flags[i];

		json_put_line(json, NULL);
		goroutine_id(json, row->goroutine);
		json_put_string(json, "operation", operation_word(row->operation));
		json_put_known(json, "saw_or_set", row->saw_or_set);
		json_put_known(json, "state_now", row->state_now);
		json_end_object(json);
	}
	json_end_array(json);
}

static void advice_list(struct json_writer *json, const struct findings *findings)
{
	json_put_array(json, "advice");
	for (size_t i = 0; i < findings->advice_count; i++) {
		json_put_object(json, NULL);
		json_put_string(json, "pattern", findings->advice[i].pattern);
		json_put_string(json, "text", findings->advice[i].text);
		witness_list(json, "because", &findings->advice[i].because);
		json_end_object(json);
	}
	json_end_array(json);
}

static void tool(struct json_writer *json)
{
	json_put_line(json, "tool");
	json_put_string(json, "name", "mapfault");
	json_put_string(json, "version", MAPFAULT_VERSION);
	json_end_object(json);
}

void report_json(const struct report_input *input, FILE *out)
{
	const struct findings *findings = input->findings;
	const struct gap_list *gaps = &findings->program->gaps;
	struct json_writer json;

	json_writer_init(&json, out);
	json_put_object(&json, NULL);
	json_put_string(&json, "schema", REPORT_SCHEMA);
	tool(&json);
	evidence_list(&json, input);
	verdict(&json, findings);
	conflict_map(&json, &findings->map);
	sides(&json, findings);
	innocent_list(&json, findings);
	flags_table(&json, findings);
	advice_list(&json, findings);
	if (findings->blocked)
		report_blocked_json(findings->blocked, &json);
	else
		json_put_null(&json, "blocked");
	json_put_gaps(&json, "gaps", gaps->items, gaps->count);
	json_put_null(&json, "reproduction");
	json_end_object(&json);
	json_writer_done(&json);
}
