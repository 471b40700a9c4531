// SPDX-License-Identifier: Apache-2.0
// Profiles leave out the runtime's own frames below the user's, so that a map's growth shows as an allocation of the
// line that wrote (runtime/pprof/protomem.go:31-51@1.26.8). The address is that of the CALL: where the code calls a map
// function there, the allocation was a map's.
#include "model/profile/map_profile.h"

#include "model/profile/profile_code.h"

#include <glib.h>

struct map_profile {
	struct program *program;
	struct write_reach *reach;
	GHashTable *sites; /**< call_pc → struct map_site_profile */
};

static struct map_site_profile *slot(struct map_profile *profile, const struct map_site *site)
{
	gpointer key = GSIZE_TO_POINTER(site->call_pc);
	struct map_site_profile *found = g_hash_table_lookup(profile->sites, key);

	if (!found) {
		found = g_new0(struct map_site_profile, 1);
		g_hash_table_insert(profile->sites, key, found);
	}
	return found;
}

static uint64_t value_of(const struct profile *from, size_t sample, const char *type)
{
	uint32_t index = profile_type(from, type);
	int64_t value = index == PROFILE_NONE ? 0 : profile_value(from, sample, index);

	return value > 0 ? (uint64_t)value : 0;
}

/**
 * The innermost map operation that other code than the maps' own asks for, with nothing of the user's below it. What that code
 * calls on the way is part of one: a new map's first table is reset, and nobody has written the map.
 */
static const struct map_site *grown_at(const struct map_profile *profile,
				       const struct profile_code *code,
				       const struct profile_sample *sample)
{
	struct program *program = profile->program;

	for (uint32_t i = 0; i < sample->location_count; i++) {
		uint64_t pc = profile_return_pc(code, sample, i);
		const struct map_site *site = sites_returning_to(program->sites, pc);
		struct go_function function;
		uint32_t table;

		if (site && !go_map_function_find(site->caller.name))
			return map_operation_writes(site->function->operation) ? site : NULL;
		if (!program_function(program, pc - 1, &function, &table) ||
		    !go_is_runtime_function(function.name))
			return NULL;
	}
	return NULL;
}

static void add_heap(struct map_profile *profile, const struct profile *from,
		     const struct profile_code *code)
{
	for (size_t i = 0; i < from->sample_count; i++) {
		const struct map_site *site = grown_at(profile, code, &from->samples[i]);

		if (!site)
			continue;
		slot(profile, site)->alloc_bytes += value_of(from, i, "alloc_space");
		slot(profile, site)->inuse_bytes += value_of(from, i, "inuse_space");
	}
}

/** The write that a goroutine of the profile is nearest to, from any of its frames. */
static const struct map_site *nearest_write(const struct map_profile *profile,
					    const struct profile_code *code,
					    const struct profile_sample *sample)
{
	struct write_path best = {0};

	for (uint32_t i = 0; i < sample->location_count; i++) {
		uint64_t pc = profile_return_pc(code, sample, i);
		struct go_function function;
		struct write_path path;
		uint32_t table;

		if (!program_function(profile->program, pc - 1, &function, &table) ||
		    go_is_runtime_function(function.name) ||
		    !write_reach_from(profile->reach, &function, pc, &path))
			continue;
		if (!best.site || path.calls + i < best.calls) {
			best = path;
			best.calls += i;
		}
	}
	return best.site ? best.site->site : NULL;
}

static void add_goroutines(struct map_profile *profile, const struct profile *from,
			   const struct profile_code *code)
{
	for (size_t i = 0; i < from->sample_count; i++) {
		const struct map_site *site = nearest_write(profile, code, &from->samples[i]);

		if (site)
			slot(profile, site)->goroutines += value_of(from, i, "goroutine");
	}
}

/** A profile of another program says nothing of this one. */
static void add(struct map_profile *profile, const struct profile *from)
{
	struct profile_code *code = NULL;
	scoped(error) struct error *error = profile_code_open(from, profile->program, false, &code);

	if (error) {
		program_gap(profile->program, "a profile", error_text(error),
			    "which writes were at work before the crash");
		return;
	}
	if (from->kind == PROFILE_HEAP || from->kind == PROFILE_ALLOCS)
		add_heap(profile, from, code);
	else if (from->kind == PROFILE_GOROUTINE)
		add_goroutines(profile, from, code);
	profile_code_close(code);
}

struct map_profile *map_profile_new(struct program *program, struct write_reach *reach)
{
	struct map_profile *profile;

	if (!program->image || !program->profile_count)
		return NULL;
	profile = g_new0(struct map_profile, 1);
	profile->program = program;
	profile->reach = reach;
	profile->sites = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	for (size_t i = 0; i < program->profile_count; i++)
		add(profile, program->profiles[i]);
	return profile;
}

void map_profile_free(struct map_profile *profile)
{
	if (!profile)
		return;
	g_hash_table_destroy(profile->sites);
	g_free(profile);
}

struct map_site_profile map_profile_of(const struct map_profile *profile,
				       const struct map_site *site)
{
	const struct map_site_profile *found =
		profile && site
			? g_hash_table_lookup(profile->sites, GSIZE_TO_POINTER(site->call_pc))
			: NULL;

	return found ? *found : (struct map_site_profile){0};
}
