// SPDX-License-Identifier: Apache-2.0
// Maps that the program's roots reach, and one map in detail.
#include "report/lists.h"

#include "report/json_parts.h"
#include "report/keys.h"
#include "report/screen.h"
#include "report/words.h"

#define OWNERS_SHOWN 8

static const char *implementation(const struct go_type *type)
{
	return !type ? NULL : type->map.swiss ? "swiss" : "hmap";
}

void report_maps_json(struct program *program, FILE *out)
{
	const struct map_found *maps;
	size_t count = maps_reachable(program, &maps);
	struct json_writer json;

	json_writer_init(&json, out);
	json_put_object(&json, NULL);
	json_put_string(&json, "schema", MAPS_SCHEMA);
	json_put_array(&json, "maps");
	for (size_t i = 0; i < count; i++) {
		json_put_line(&json, NULL);
		json_put_address(&json, "address", maps[i].address);
		json_put_known(&json, "type", maps[i].type ? maps[i].type->name : NULL);
		json_put_unsigned(&json, "count", maps[i].count);
		json_put_string(&json, "implementation", implementation(maps[i].type));
		json_put_known(&json, "owner", maps[i].owner);
		json_end_object(&json);
	}
	json_end_array(&json);
	json_put_gaps(&json, "gaps", program->gaps.items, program->gaps.count);
	json_end_object(&json);
	json_writer_done(&json);
}

static int by_count(const void *a, const void *b)
{
	const struct map_found *x = a, *y = b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return x->address < y->address ? -1 : x->address > y->address;
}

static void map_row(struct screen *screen, const struct map_found *map)
{
	g_autofree char *count = words_count(map->count);
	g_autofree char *address = g_strdup_printf("%#llx", (unsigned long long)map->address);

	screen->indent = 4;
	screen_format(screen, TONE_PLAIN, "%-14s  %-5s", address,
		      map->type ? implementation(map->type) : "?");
	screen_to(screen, 23);
	screen_space(screen, (unsigned)MAX(0, 14 - (int)strlen(count)));
	screen_words(screen, TONE_BOLD, count);
	screen_space(screen, 2);
	screen_field(screen, TONE_PLAIN, map->type ? map->type->name : "type not known");
	screen_space(screen, 2);
	screen_field(screen, TONE_BOLD, map->owner);
	screen_newline(screen);
}

void report_maps_text(struct program *program, const struct report_style *style, FILE *out)
{
	const struct map_found *found;
	size_t count = maps_reachable(program, &found);
	g_autofree struct map_found *maps = g_memdup2(found, count * sizeof(*found));
	struct screen screen;

	screen_init(&screen, out, style->width, style->color);
	if (count)
		qsort(maps, count, sizeof(*maps), by_count);
	for (size_t i = 0; i < count; i++)
		map_row(&screen, &maps[i]);
	for (size_t i = 0; i < program->gaps.count; i++) {
		screen.indent = 2;
		screen_format(&screen, TONE_YELLOW, "missing: %s: %s", program->gaps.items[i].what,
			      program->gaps.items[i].why);
		screen_newline(&screen);
	}
}

/* All that is said about one map, however it is written. */
struct map_facts {
	struct go_map header;
	const struct go_type *type;
	struct owner owners[OWNERS_SHOWN];
	size_t owner_count;
	struct map_integrity integrity;
	GPtrArray *keys; /* of strings */
	bool more_keys;
	const struct map_request *request;
	struct program *program;
};

static bool visit_entry(uint64_t key, uint64_t elem, void *context)
{
	struct map_facts *facts = context;

	if (!facts->request->keys)
		return true;
	if (facts->keys->len < facts->request->limit)
		g_ptr_array_add(facts->keys, key_text(facts->program, facts->type->key, key));
	else
		facts->more_keys = true;
	return true;
}

/* The type is what the reachable maps say of the one at that address. */
static const struct go_type *type_of(struct program *program, uint64_t address)
{
	const struct map_found *found;
	size_t count = maps_reachable(program, &found);

	for (size_t i = 0; i < count; i++)
		if (found[i].address == address)
			return found[i].type;
	return NULL;
}

static bool collect(struct program *program, const struct map_request *request,
		    struct map_facts *ret)
{
	*ret = (struct map_facts){.request = request, .program = program};
	if (!map_read(program, request->address, &ret->header))
		return false;
	ret->type = type_of(program, request->address);
	ret->owner_count =
		owners_of(program, request->address, NULL, NULL, ret->owners, OWNERS_SHOWN);
	ret->keys = g_ptr_array_new_with_free_func(g_free);
	if (ret->type)
		ret->integrity = map_entries(program, &ret->header, ret->type, visit_entry, ret);
	return true;
}

static void growth_json(struct json_writer *json, const struct go_map *map)
{
	json_put_line(json, "growth");
	json_put_boolean(json, "growing", map->growing);
	json_put_unsigned(json, map->swiss ? "global_depth" : "B", map->B);
	if (map->swiss) {
		json_put_integer(json, "dirlen", map->dirlen);
	} else {
		json_put_address(json, "buckets", map->buckets);
		json_put_address(json, "oldbuckets", map->oldbuckets);
		json_put_unsigned(json, "nevacuate", map->nevacuate);
	}
	json_end_object(json);
}

static void integrity_json(struct json_writer *json, const struct map_integrity *found)
{
	if (!found->checked) {
		json_put_null(json, "integrity");
		return;
	}
	json_put_line(json, "integrity");
	json_put_unsigned(json, "entries_found", found->entries_found);
	json_put_boolean(json, "count_matches", found->count_matches);
	json_put_unsigned(json, "problems", found->problems);
	json_put_known(json, "first_problem", found->first_problem);
	json_end_object(json);
}

static void owners_json(struct json_writer *json, const struct map_facts *facts)
{
	json_put_array(json, "owners");
	for (size_t i = 0; i < facts->owner_count; i++) {
		json_put_line(json, NULL);
		json_put_string(json, "path", facts->owners[i].path);
		json_put_known(json, "via", facts->owners[i].via);
		json_put_known(json, "holder_type", facts->owners[i].holder_type);
		json_put_address(json, "word", facts->owners[i].word);
		json_end_object(json);
	}
	json_end_array(json);
}

static void keys_json(struct json_writer *json, const struct map_facts *facts)
{
	if (!facts->request->keys) {
		json_put_null(json, "keys");
		return;
	}
	json_put_array(json, "keys");
	for (size_t i = 0; i < facts->keys->len; i++)
		json_put_string(json, NULL, g_ptr_array_index(facts->keys, i));
	json_end_array(json);
}

bool report_map_json(struct program *program, const struct map_request *request, FILE *out)
{
	struct json_writer json;
	struct map_facts facts;

	if (!collect(program, request, &facts))
		return false;
	json_writer_init(&json, out);
	json_put_object(&json, NULL);
	json_put_string(&json, "schema", MAP_SCHEMA);
	json_put_address(&json, "address", request->address);
	json_put_known(&json, "type", facts.type ? facts.type->name : NULL);
	json_put_string(&json, "implementation", facts.header.swiss ? "swiss" : "hmap");
	json_put_unsigned(&json, "count", facts.header.count);
	json_put_unsigned(&json, "flags", facts.header.flags);
	json_put_boolean(&json, "writing", facts.header.writing);
	growth_json(&json, &facts.header);
	integrity_json(&json, &facts.integrity);
	owners_json(&json, &facts);
	keys_json(&json, &facts);
	json_put_boolean(&json, "more_keys", facts.more_keys);
	json_end_object(&json);
	json_writer_done(&json);
	g_ptr_array_unref(facts.keys);
	return true;
}

static void row(struct screen *screen, const char *label, const char *text)
{
	screen->indent = 12;
	screen_words(screen, TONE_DIM, label);
	screen_to(screen, 12);
	screen_words(screen, TONE_PLAIN, text);
	screen_newline(screen);
}

static void row_take(struct screen *screen, const char *label, char *text)
{
	row(screen, label, text);
	g_free(text);
}

static char *growth_words(const struct go_map *map)
{
	if (map->swiss && map->dirlen == 0)
		return g_strdup("one small group");
	if (map->swiss)
		return g_strdup_printf("directory of %lld tables, global depth %u",
				       (long long)map->dirlen, map->B);
	if (map->growing)
		return g_strdup_printf("growing: 2^%u buckets, old ones evacuated to %llu", map->B,
				       (unsigned long long)map->nevacuate);
	return g_strdup_printf("2^%u buckets, not growing", map->B);
}

static char *integrity_words(const struct map_facts *facts)
{
	const struct map_integrity *found = &facts->integrity;
	g_autofree char *entries = words_count(found->entries_found);

	if (!found->checked)
		return g_strdup(facts->type ? "not checked" : "not checked: type not known");
	if (found->problems)
		return g_strdup_printf("%s entries found, %llu problems, first: %s", entries,
				       (unsigned long long)found->problems, found->first_problem);
	return g_strdup_printf("%s entries found%s", entries,
			       found->count_matches ? ", as the header says"
						    : ", unlike the header says");
}

static void owners_and_keys(struct screen *screen, const struct map_facts *facts)
{
	for (size_t i = 0; i < facts->owner_count; i++)
		row_take(screen, i ? "" : "held by",
			 g_strdup_printf("%s (%s)", facts->owners[i].path, facts->owners[i].via));
	for (size_t i = 0; i < facts->keys->len; i++)
		row(screen, i ? "" : "keys", g_ptr_array_index(facts->keys, i));
	if (facts->more_keys)
		row(screen, "", "... more: raise --limit");
}

bool report_map_text(struct program *program, const struct map_request *request,
		     const struct report_style *style, FILE *out)
{
	struct map_facts facts;
	struct screen screen;

	if (!collect(program, request, &facts))
		return false;
	screen_init(&screen, out, style->width, style->color);
	row_take(&screen, "map",
		 g_strdup_printf("%s %#llx", facts.header.swiss ? "swiss" : "hmap",
				 (unsigned long long)request->address));
	row(&screen, "type", facts.type ? facts.type->name : "not known");
	row_take(&screen, "entries", words_count(facts.header.count));
	row(&screen, "writing", facts.header.writing ? "yes: a writer was inside" : "no");
	row_take(&screen, "growth", growth_words(&facts.header));
	row_take(&screen, "structure", integrity_words(&facts));
	owners_and_keys(&screen, &facts);
	g_ptr_array_unref(facts.keys);
	return true;
}
