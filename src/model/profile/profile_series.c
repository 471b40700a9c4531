// SPDX-License-Identifier: Apache-2.0
#include "model/profile/profile_series.h"

#include "model/profile/profile_code.h"

#include <glib.h>
#include <sys/stat.h>

#define NS_PER_S 1000000000ll

/* Identity of a site: pointers to interned strings. */
struct site_key {
	const char *function, *file, *via, *map_type;
	int32_t line, via_line;
	enum site_map_role role;
};

struct site_build {
	struct site_key key;
	struct allocation_site site;
	GArray *values;  /* struct site_value */
	int64_t largest; /* bytes of the sample whose stack is kept */
	const struct profile_sample
		*sample; /* of the profile at hand, larger than that; else NULL */
};

struct reading {
	struct profile_series *series;
	const struct series_request *request;
	GHashTable *sites;   /* struct site_key → struct site_build */
	GPtrArray *builds;   /* struct site_build, in the order in which they were met */
	GStringChunk *names; /* lives as long as the series */
	GArray *points;      /* struct series_point */
	char *build_id;      /* of the first profile that has one */
	bool hides;
};

struct series_owner {
	struct profile_series series;
	GStringChunk *names;
};

static guint key_hash(gconstpointer pointer)
{
	const struct site_key *key = pointer;
	guint hash = g_direct_hash(key->function) ^ (guint)key->line;

	return hash * 33 + g_direct_hash(key->via) * 7 + g_direct_hash(key->map_type) +
	       (guint)key->role;
}

static gboolean key_equal(gconstpointer a, gconstpointer b)
{
	const struct site_key *x = a, *y = b;

	return x->function == y->function && x->file == y->file && x->via == y->via &&
	       x->map_type == y->map_type && x->line == y->line && x->via_line == y->via_line &&
	       x->role == y->role;
}

static const char *intern(struct reading *in, const char *string)
{
	return g_string_chunk_insert_const(in->names, string ? string : "");
}

static struct go_site kept_site(struct reading *in, const struct go_site *site)
{
	struct go_site kept = *site;

	kept.function = intern(in, site->function);
	kept.file = intern(in, site->file);
	return kept;
}

/* What tells samples of one profile apart: its sites are the same objects. */
struct near_key {
	const struct go_site *user, *library;
	const struct go_type *type;
	enum site_map_role role;
};

static guint near_hash(gconstpointer pointer)
{
	const struct near_key *key = pointer;

	return g_direct_hash(key->user) * 31 + g_direct_hash(key->library) * 7 +
	       g_direct_hash(key->type) + (guint)key->role;
}

static gboolean near_equal(gconstpointer a, gconstpointer b)
{
	const struct near_key *x = a, *y = b;

	return x->user == y->user && x->library == y->library && x->type == y->type &&
	       x->role == y->role;
}

static enum site_map_role role_of(const struct reading *in, const struct map_use *use)
{
	if (!use->function)
		return in->hides ? SITE_MAP_UNKNOWN : SITE_NO_MAP;
	return use->operation == MAP_MAKE || use->operation == MAP_CLONE ? SITE_MAP_MAKE
									 : SITE_MAP_GROW;
}

static struct site_build *site_build_of(struct reading *in, const struct site_key *key)
{
	struct site_build *build = g_hash_table_lookup(in->sites, key);

	if (build)
		return build;
	build = g_new0(struct site_build, 1);
	build->key = *key;
	build->largest = -1;
	build->values = g_array_new(FALSE, FALSE, sizeof(struct site_value));
	build->site.map_function = "";
	g_hash_table_insert(in->sites, &build->key, build);
	g_ptr_array_add(in->builds, build);
	return build;
}

static void add_saturated(int64_t *to, int64_t value)
{
	if (__builtin_add_overflow(*to, value, to))
		*to = value < 0 ? INT64_MIN : INT64_MAX;
}

static void allocation_add(struct allocation *to, const struct allocation *value)
{
	add_saturated(&to->alloc_objects, value->alloc_objects);
	add_saturated(&to->alloc_bytes, value->alloc_bytes);
	add_saturated(&to->inuse_objects, value->inuse_objects);
	add_saturated(&to->inuse_bytes, value->inuse_bytes);
}

static void add_value(struct site_build *build, uint32_t point, const struct allocation *value)
{
	struct site_value fresh = {point, *value}, *last = NULL;

	if (build->values->len)
		last = &g_array_index(build->values, struct site_value, build->values->len - 1);
	if (last && last->point == point)
		allocation_add(&last->value, value);
	else
		g_array_append_val(build->values, fresh);
}

static void keep_stack(struct reading *in, struct site_build *build, const struct go_site *stack,
		       size_t count)
{
	struct go_site *kept;

	count = MIN(count, SERIES_STACK_MAX);
	kept = arena_array(in->series->arena, count, sizeof(*kept));
	for (size_t i = 0; i < count; i++)
		kept[i] = kept_site(in, &stack[i]);
	build->site.stack = kept;
	build->site.stack_count = count;
}

static void describe(struct reading *in, struct site_build *build, const struct near_key *near)
{
	if (near->user)
		build->site.site = kept_site(in, near->user);
	if (near->library)
		build->site.via = kept_site(in, near->library);
	build->site.role = build->key.role;
	build->site.map_type = build->key.map_type;
}

/* The site of a sample by what it is called, which is the same in all profiles. */
static struct site_build *build_by_name(struct reading *in, const struct near_key *near)
{
	const struct go_site none = {0}, *user = near->user ? near->user : &none,
			     *via = near->library ? near->library : &none;
	struct site_key key = {
		.function = intern(in, user->function),
		.file = intern(in, user->file),
		.via = intern(in, via->function),
		.map_type = intern(in, near->type ? near->type->name : ""),
		.line = user->line,
		.via_line = via->line,
		.role = near->role,
	};
	struct site_build *build = site_build_of(in, &key);

	if (!build->values->len)
		describe(in, build, near);
	return build;
}

static struct site_build *build_of(struct reading *in, GHashTable *near_builds,
				   const struct profile_origin *origin)
{
	struct near_key near = {origin->user, NULL, origin->use.type, role_of(in, &origin->use)};
	struct site_build *build;

	if (!near.user)
		near.user = origin->library ? origin->library : origin->innermost;
	else if (origin->library != origin->user)
		near.library = origin->library;
	build = g_hash_table_lookup(near_builds, &near);
	if (build)
		return build;
	build = build_by_name(in, &near);
	g_hash_table_insert(near_builds, arena_copy(in->series->arena, &near, sizeof(near)), build);
	return build;
}

static void add_sample(struct reading *in, struct site_build *build,
		       const struct profile_sample *sample, const struct allocation *value)
{
	int64_t size = value->inuse_bytes ? value->inuse_bytes : value->alloc_bytes;

	add_value(build, in->points->len, value);
	if (size <= build->largest)
		return;
	build->largest = size;
	build->sample = sample;
}

/* The stacks of the samples that were larger than any before. */
static void keep_stacks(struct reading *in, struct profile_code *code)
{
	for (guint i = 0; i < in->builds->len; i++) {
		struct site_build *build = g_ptr_array_index(in->builds, i);
		const struct go_site *stack;
		size_t count;

		if (!build->sample)
			continue;
		build->site.map_function =
			intern(in, profile_origin(code, build->sample).use.function);
		stack = profile_stack(code, build->sample, &count);
		keep_stack(in, build, stack, count);
		build->sample = NULL;
	}
}

static int64_t value_at(const struct profile *profile, size_t sample, uint32_t type)
{
	return type == PROFILE_NONE ? 0 : profile_value(profile, sample, type);
}

#define HEAP_HINT "take them with /debug/pprof/heap, or pprof.Lookup(\"heap\").WriteTo(file, 1)"

static bool is_of_heap(const struct profile *profile)
{
	return profile->kind == PROFILE_HEAP || profile->kind == PROFILE_ALLOCS;
}

static struct error *check_kind(const struct profile *profile)
{
	if (is_of_heap(profile))
		return NULL;
	return error_with_hint(error_new(ERROR_USAGE, place_whole(profile->path),
					 "is a %s profile: growth is told by heap profiles",
					 profile_kind_name(profile->kind)),
			       HEAP_HINT);
}

/* Profiles of one series must come from one program. */
static struct error *check_build(struct reading *in, const struct profile *profile)
{
	for (size_t i = 0; i < profile->mapping_count; i++) {
		struct text id = profile->mapping[i].build_id;

		if (id.n == 0)
			continue;
		if (!in->build_id)
			in->build_id = g_strndup(id.p, id.n);
		if (text_is(id, in->build_id) || in->request->force)
			return NULL;
		return error_with_hint(
			error_new(ERROR_MISMATCH, place_whole(profile->path),
				  "is of the program with build ID %.*s, the others have %s",
				  TEXT_ARGUMENTS(id), in->build_id),
			"give profiles of one program, or --force to compare them all the same");
	}
	return NULL;
}

static void add_samples(struct reading *in, struct profile_code *code,
			const struct profile *profile, struct series_point *point)
{
	uint32_t objects = profile_type(profile, "alloc_objects"),
		 bytes = profile_type(profile, "alloc_space"),
		 inuse_objects = profile_type(profile, "inuse_objects"),
		 inuse_bytes = profile_type(profile, "inuse_space");
	g_autoptr(GHashTable) near_builds = g_hash_table_new(near_hash, near_equal);

	in->series->has_alloc &= bytes != PROFILE_NONE;
	in->hides = profile_hides_maps(code);
	for (size_t i = 0; i < profile->sample_count; i++) {
		const struct profile_sample *sample = &profile->samples[i];
		struct allocation value = {
			value_at(profile, i, objects), value_at(profile, i, bytes),
			value_at(profile, i, inuse_objects), value_at(profile, i, inuse_bytes)};
		struct profile_origin origin;

		allocation_add(&point->total, &value);
		if (!value.alloc_bytes && !value.inuse_bytes)
			continue;
		origin = profile_origin(code, sample);
		add_sample(in, build_of(in, near_builds, &origin), sample, &value);
	}
	keep_stacks(in, code);
}

static struct error *add_profile(struct reading *in, const struct profile *profile)
{
	struct series_point point = {arena_string(in->series->arena, text_of(profile->path)),
				     profile->time_ns,
				     profile->time_ns != 0,
				     profile->period,
				     {0}};
	struct profile_code *code = NULL;
	struct stat info;

	TRY(check_kind(profile));
	TRY(check_build(in, profile));
	TRY(profile_code_open(profile, in->request->program, in->request->force, &code));
	if (!point.time_ns && stat(profile->path, &info) == 0)
		point.time_ns = info.st_mtim.tv_sec * NS_PER_S + info.st_mtim.tv_nsec;
	add_samples(in, code, profile, &point);
	if (profile->cut)
		gap_add(&in->series->gaps, in->series->arena, "part of a profile",
			"its first line counts more than its records hold",
			"how much its sites hold");
	if (in->request->program)
		in->series->checked =
			arena_string(in->series->arena, text_of(profile_code_checked(code)));
	g_array_append_val(in->points, point);
	profile_code_close(code);
	return NULL;
}

static struct error *read_one(struct reading *in, const char *path, bool listed)
{
	scoped(profile) struct profile *profile = NULL;

	TRY(profile_open(path, &profile));
	if (listed && !is_of_heap(profile))
		return NULL;
	return add_profile(in, profile);
}

/* A profile's own faults; that it is another program's is a mistake in any case. */
static bool may_leave_out(const struct error *error)
{
	return error_code(error) == ERROR_TRUNCATED || error_code(error) == ERROR_MALFORMED ||
	       error_code(error) == ERROR_LIMIT;
}

static int by_path(const void *a, const void *b, void *context)
{
	const char *const *paths = context;

	return strverscmp(paths[*(const uint32_t *)a], paths[*(const uint32_t *)b]);
}

/* By name: so that the order of the arguments changes nothing in the report. */
static struct error *read_profiles(struct reading *in)
{
	g_autofree uint32_t *order = g_new(uint32_t, in->request->count + 1);

	for (uint32_t i = 0; i < in->request->count; i++)
		order[i] = i;
	g_qsort_with_data(order, (int)in->request->count, sizeof(*order), by_path,
			  (void *)(uintptr_t)in->request->paths);
	for (size_t i = 0; i < in->request->count; i++) {
		const char *path = in->request->paths[order[i]];
		bool listed = in->request->listed && in->request->listed[order[i]];
		struct error *error = read_one(in, path, listed);

		if (error && (!listed || !may_leave_out(error)))
			return error;
		if (error)
			gap_add(&in->series->gaps, in->series->arena, "a profile of the directory",
				error_text(error), "what was in use then");
		error_free(error);
	}
	if (in->points->len == 0)
		return error_with_hint(error_new(ERROR_NOT_FOUND,
						 place_whole(in->request->paths[0]),
						 "there is no heap profile in the directory"),
				       HEAP_HINT);
	return NULL;
}

/* Which point comes when: by time where all have one that differs, else by name. */
static int by_time(const void *a, const void *b, void *context)
{
	const struct series_point *points = context;
	const struct series_point *x = &points[*(const uint32_t *)a],
				  *y = &points[*(const uint32_t *)b];

	if (x->time_ns != y->time_ns)
		return x->time_ns < y->time_ns ? -1 : 1;
	return strverscmp(x->path, y->path);
}

static int by_name(const void *a, const void *b, void *context)
{
	const struct series_point *points = context;

	return strverscmp(points[*(const uint32_t *)a].path, points[*(const uint32_t *)b].path);
}

/*
 * Files' times are as good as nothing where they were copied, all in a moment: less than a
 * millisecond from one to the next.
 */
static bool times_tell(const struct series_point *points, const uint32_t *order, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		const struct series_point *a = &points[order[i - 1]], *b = &points[order[i]];

		if (b->time_ns - a->time_ns < (a->profile_time && b->profile_time ? 1 : 1000000))
			return false;
	}
	for (size_t i = 1; i < count; i++)
		if (points[i].profile_time != points[0].profile_time)
			return false;
	return count > 0 && points[0].time_ns > 0;
}

static uint32_t *time_order(struct reading *in)
{
	struct series_point *points = (struct series_point *)(void *)in->points->data;
	guint count = in->points->len;
	uint32_t *order = g_new(uint32_t, count + 1);

	for (uint32_t i = 0; i < count; i++)
		order[i] = i;
	g_qsort_with_data(order, (int)count, sizeof(*order), by_time, points);
	in->series->timed = times_tell(points, order, count);
	if (!in->series->timed)
		g_qsort_with_data(order, (int)count, sizeof(*order), by_name, points);
	return order;
}

struct run {
	size_t first, count;
};

/* All that was ever allocated never falls within one process. */
static struct run longest_run(struct reading *in, const uint32_t *order)
{
	const struct series_point *points = (const void *)in->points->data;
	struct run best = {0, 0}, run = {0, 0};

	for (size_t i = 0; i < in->points->len; i++) {
		const struct series_point *point = &points[order[i]];
		const struct series_point *before = i ? &points[order[i - 1]] : point;

		if (point->total.alloc_bytes < before->total.alloc_bytes / 10 * 9)
			run = (struct run){i, 0};
		run.count++;
		if (run.count > best.count)
			best = run;
	}
	return best;
}

static void note_restart(struct reading *in, struct run run)
{
	struct profile_series *series = in->series;

	if (run.count == in->points->len)
		return;
	gap_add(&series->gaps, series->arena, "part of the series",
		arena_format(series->arena,
			     "%zu of %u profiles are of another run of the program: what was ever "
			     "allocated is less than before",
			     in->points->len - run.count, in->points->len),
		"how the sites grew in those; give them on their own");
}

static int value_by_point(const void *a, const void *b)
{
	const struct site_value *x = a, *y = b;

	return x->point < y->point ? -1 : x->point > y->point;
}

/* Values of the chosen run, renumbered. */
static void keep_values(struct profile_series *series, struct site_build *build,
			const uint32_t *rank, struct run run)
{
	struct site_value *kept =
		arena_array(series->arena, build->values->len, sizeof(struct site_value));
	size_t count = 0;

	for (guint i = 0; i < build->values->len; i++) {
		struct site_value value = g_array_index(build->values, struct site_value, i);

		value.point = rank[value.point];
		if (value.point < run.first || value.point >= run.first + run.count)
			continue;
		value.point -= (uint32_t)run.first;
		kept[count++] = value;
	}
	qsort(kept, count, sizeof(*kept), value_by_point);
	build->site.values = kept;
	build->site.value_count = count;
}

static int by_name_of_site(const struct allocation_site *x, const struct allocation_site *y)
{
	int order = g_strcmp0(x->site.function, y->site.function);

	if (!order)
		order = x->site.line - y->site.line;
	if (!order)
		order = g_strcmp0(x->via.function, y->via.function);
	if (!order)
		order = x->via.line - y->via.line;
	if (!order)
		order = strcmp(x->map_type, y->map_type);
	return order ? order : (int)x->role - (int)y->role;
}

static int by_bytes(const void *a, const void *b)
{
	const struct allocation_site *x = a, *y = b;
	const struct allocation *p = &x->values[x->value_count - 1].value,
				*q = &y->values[y->value_count - 1].value;
	int64_t m = MAX(p->alloc_bytes, p->inuse_bytes), n = MAX(q->alloc_bytes, q->inuse_bytes);

	if (m != n)
		return m < n ? 1 : -1;
	return by_name_of_site(x, y);
}

static void finish(struct reading *in)
{
	struct profile_series *series = in->series;
	g_autofree uint32_t *order = time_order(in);
	g_autofree uint32_t *rank = g_new(uint32_t, in->points->len + 1);
	struct run run = longest_run(in, order);

	note_restart(in, run);
	series->points = arena_array(series->arena, run.count, sizeof(*series->points));
	series->point_count = run.count;
	for (uint32_t i = 0; i < in->points->len; i++)
		rank[order[i]] = i;
	for (size_t i = 0; i < run.count; i++)
		series->points[i] =
			g_array_index(in->points, struct series_point, order[run.first + i]);
	series->sites = arena_array(series->arena, in->builds->len, sizeof(*series->sites));
	for (guint i = 0; i < in->builds->len; i++) {
		struct site_build *build = g_ptr_array_index(in->builds, i);

		keep_values(series, build, rank, run);
		if (build->site.value_count)
			series->sites[series->site_count++] = build->site;
	}
	qsort(series->sites, series->site_count, sizeof(*series->sites), by_bytes);
}

static void build_free(void *pointer)
{
	struct site_build *build = pointer;

	g_array_unref(build->values);
	g_free(build);
}

struct error *profile_series_read(const struct series_request *request, struct profile_series **ret)
{
	struct series_owner *owner = g_new0(struct series_owner, 1);
	struct reading in = {
		.series = &owner->series,
		.request = request,
		.sites = g_hash_table_new(key_hash, key_equal),
		.builds = g_ptr_array_new_with_free_func(build_free),
		.names = g_string_chunk_new(4096),
		.points = g_array_new(FALSE, TRUE, sizeof(struct series_point)),
	};
	struct error *error;

	owner->names = in.names;
	owner->series.arena = arena_new();
	owner->series.has_alloc = true;
	owner->series.checked = "";
	error = read_profiles(&in);
	if (!error)
		finish(&in);
	g_hash_table_destroy(in.sites);
	g_ptr_array_unref(in.builds);
	g_array_unref(in.points);
	g_free(in.build_id);
	if (error)
		profile_series_free(&owner->series);
	else
		*ret = &owner->series;
	return error;
}

void profile_series_free(struct profile_series *series)
{
	struct series_owner *owner = (struct series_owner *)(void *)series;

	if (!series)
		return;
	g_string_chunk_free(owner->names);
	g_free(series->gaps.items);
	arena_free(series->arena);
	g_free(owner);
}
