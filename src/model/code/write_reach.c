// SPDX-License-Identifier: Apache-2.0
#include "model/code/write_reach.h"

#include "model/code/control.h"

#include <glib.h>
#include <string.h>

#define CALLEES_MAX 48u /* of one function, whose indirect calls are looked at */
#define WAYS_MAX    256 /* looked at from one place, of those that are guesses */

struct write_reach {
	struct program *program;
	struct write_matcher matcher;
	GArray *sites;  // struct write_site
	GArray *others; // struct write_site
	GArray *goals;  // struct write_site, better matches first; NULL before the first question
	struct ways *ways;    // to them; NULL before the first question
	GArray *callbacks;    // struct go_function: what C can call; NULL until asked for
	GHashTable *controls; // function entry → struct control *
	GHashTable *by_pc;    // where execution stands → GArray of struct write_path
	struct code *code;
};

static void paths_free(gpointer data) { g_array_free(data, TRUE); }

static void free_control(gpointer control) { control_free(control); }

static const struct control *control_of(struct write_reach *reach,
					const struct go_function *function)
{
	gpointer key = GSIZE_TO_POINTER(function->entry);
	struct control *control = g_hash_table_lookup(reach->controls, key);

	if (control)
		return control;
	control = control_read(reach->program, reach->code, function);
	g_hash_table_insert(reach->controls, key, control);
	return control;
}

static bool is_same_type(const struct go_type *a, const struct go_type *b)
{
	return a == b ||
	       (a && b && a->hash == b->hash && g_strcmp0(a->full_name, b->full_name) == 0);
}

static bool has_same_shape(const struct go_type *a, const struct go_type *b)
{
	return is_same_type(a, b) || (a && b && a->kind == b->kind && a->size == b->size);
}

/**
 * http.Header(m) is the same map under another type, and generic code knows its maps by the shape of key and element
 * alone (Go 1.18 and 1.19: "map[go.shape.string_0]...").
 */
static bool may_be_converted(const struct go_type *a, const struct go_type *b)
{
	bool shaped = strstr(a->full_name, "go.shape.") || strstr(b->full_name, "go.shape.");

	return shaped ? has_same_shape(a->key, b->key) && has_same_shape(a->elem, b->elem)
		      : is_same_type(a->key, b->key) && is_same_type(a->elem, b->elem);
}

static void collect(const struct map_site *site, void *context)
{
	struct write_reach *reach = context;
	struct write_site write = {.site = site};

	if (!map_operation_writes(site->function->operation))
		return;
	if (site->type && reach->matcher.target.type &&
	    !is_same_type(site->type, reach->matcher.target.type)) {
		if (may_be_converted(site->type, reach->matcher.target.type))
			g_array_append_val(reach->others, write);
		return;
	}
	write.match = write_match(&reach->matcher, site);
	write.fresh = write_match_is_fresh(&reach->matcher, site);
	write.known = reach->matcher.target.known &&
		      reach->matcher.target.known->call_pc == site->call_pc;
	g_array_append_val(write.match == SITE_OTHER_MAP ? reach->others : reach->sites, write);
}

struct write_reach *write_reach_new(struct program *program, const struct write_target *target)
{
	struct write_reach *reach = g_new0(struct write_reach, 1);

	reach->program = program;
	reach->matcher = (struct write_matcher){program, *target, 0};
	reach->sites = g_array_new(FALSE, FALSE, sizeof(struct write_site));
	reach->others = g_array_new(FALSE, FALSE, sizeof(struct write_site));
	reach->controls = g_hash_table_new_full(NULL, NULL, NULL, free_control);
	reach->by_pc = g_hash_table_new_full(NULL, NULL, NULL, paths_free);
	reach->code = code_new(program->arch);
	if (target->type)
		sites_each(program->sites, collect, reach);
	return reach;
}

void write_reach_free(struct write_reach *reach)
{
	if (!reach)
		return;
	g_array_free(reach->sites, TRUE);
	g_array_free(reach->others, TRUE);
	if (reach->goals)
		g_array_free(reach->goals, TRUE);
	ways_free(reach->ways);
	g_hash_table_destroy(reach->controls);
	g_hash_table_destroy(reach->by_pc);
	code_free(reach->code);
	g_free(reach);
}

const struct write_site *write_reach_sites(const struct write_reach *reach, size_t *ret_count)
{
	*ret_count = reach->sites->len;
	return (const struct write_site *)(const void *)reach->sites->data;
}

const struct write_site *write_reach_others(const struct write_reach *reach, size_t *ret_count)
{
	*ret_count = reach->others->len;
	return (const struct write_site *)(const void *)reach->others->data;
}

enum site_match write_reach_match(const struct write_reach *reach, const struct map_site *site)
{
	for (guint i = 0; i < reach->sites->len; i++) {
		const struct write_site *write = &g_array_index(reach->sites, struct write_site, i);

		if (write->site->call_pc == site->call_pc)
			return write->match;
	}
	return SITE_OTHER_MAP;
}

bool write_reach_is_exact(const struct write_reach *reach)
{
	for (guint i = 0; i < reach->sites->len; i++)
		if (g_array_index(reach->sites, struct write_site, i).match >= SITE_SAME_FIELD)
			return true;
	return false;
}

unsigned write_path_guesses(const struct write_path *path)
{
	unsigned guesses = 0;

	for (unsigned i = 0; i < path->way.count; i++)
		guesses += path->way.steps[i].kind == WAY_METHOD ||
			   path->way.steps[i].kind == WAY_VALUE ||
			   path->way.steps[i].kind == WAY_FAR;
	return guesses;
}

static unsigned count_kind(const struct write_path *path, enum way_kind kind)
{
	unsigned count = 0;

	for (unsigned i = 0; i < path->way.count; i++)
		count += path->way.steps[i].kind == kind;
	return count;
}

bool write_path_starts(const struct write_path *path) { return count_kind(path, WAY_STARTED) > 0; }

/* Those of others it is handed in generic code and by reflection. */
bool write_site_is_library_own(const struct write_site *write)
{
	const struct map_site *site = write->site;

	return write->match == SITE_SAME_TYPE && !write->known && site->type &&
	       g_str_has_prefix(site->type->full_name, "map[") &&
	       go_is_library_function(site->caller.name) &&
	       !g_str_has_prefix(site->caller.name, "maps.");
}

/*
 * Each is a guess at the logarithm of a likelihood ratio, and only their order was ever measured. What is past for
 * good weighs most: of all writes that a program has, few are made just once and at the moment of the crash.
 */
int write_path_points(const struct write_path *path)
{
	enum {
		MATCH = 12,   /* each step from type to field to variable */
		PAST = -30,   /* it can't come to the write again */
		GUESS = -6,   /* a call through an interface or a function value */
		STARTED = -8, /* somebody else's goroutine would do it */
		HANDED = -1,  /* a function value that is made here */
		UNTYPED = -8, /* reflection: it may write any map */
		CALL = -2,
		LIBRARY = -12, /* Go's own library fills maps of its own */
		DELETE = -3,   /* less is deleted than assigned */
		FRESH = -25,   /* a map literal, or one that is filled before it is handed on */
		KNOWN = 4      /* code that this map was used by is busy code */
	};
	const struct write_site *site = path->site;

	return MATCH * (int)site->match + (path->again ? 0 : PAST) +
	       GUESS * (int)(write_path_guesses(path) + count_kind(path, WAY_FAR)) +
	       (write_site_is_library_own(site) ? LIBRARY : 0) +
	       STARTED * (int)count_kind(path, WAY_STARTED) +
	       HANDED * (int)count_kind(path, WAY_HANDED) + (site->site->type ? 0 : UNTYPED) +
	       CALL * (int)path->calls +
	       (site->site->function->operation == MAP_ASSIGN ? 0 : DELETE) +
	       (site->fresh ? FRESH : 0) + (site->known ? KNOWN : 0);
}

static int compare_paths(const void *a, const void *b)
{
	const struct write_path *x = a, *y = b;
	int order = write_path_points(y) - write_path_points(x);

	if (order)
		return order;
	return (x->site->site->call_pc > y->site->site->call_pc) -
	       (x->site->site->call_pc < y->site->site->call_pc);
}

static int by_match(const void *a, const void *b)
{
	const struct write_site *x = a, *y = b;

	if (x->match != y->match)
		return x->match > y->match ? -1 : 1;
	return (x->site->call_pc > y->site->call_pc) - (x->site->call_pc < y->site->call_pc);
}

/** The ways to the functions that hold the sites, better matches first. */
static struct ways *ways_of(struct write_reach *reach)
{
	uint64_t *goals;
	size_t preferred = 0;

	if (reach->ways)
		return reach->ways;
	reach->goals = g_array_new(FALSE, FALSE, sizeof(struct write_site));
	g_array_append_vals(reach->goals, reach->sites->data, reach->sites->len);
	g_array_sort(reach->goals, by_match);
	goals = g_new(uint64_t, reach->goals->len + 1);
	for (guint i = 0; i < reach->goals->len; i++) {
		const struct write_site *site = &g_array_index(reach->goals, struct write_site, i);

		goals[i] = site->site->caller.entry;
		preferred += site->match >= SITE_SAME_FIELD;
	}
	reach->ways = ways_new(reach->program, goals, reach->goals->len, preferred, WAY_STEPS_MAX);
	g_free(goals);
	return reach->ways;
}

struct callers *write_reach_callers(struct write_reach *reach)
{
	return ways_callers(ways_of(reach));
}

/** reflect.Value.SetMapIndex deletes when the element, its third argument of three words each, is the zero Value. */
static bool passes_zero_element(struct write_reach *reach, const struct way_step *step)
{
	enum { ELEMENT_WORD = 6 };
	struct flow_call call;
	struct flow_value value;
	uint64_t word = 1;

	if (step->kind != WAY_CALL ||
	    !sites_call_returning_to(reach->program->sites, step->end, &call))
		return false;
	value = flow_argument(&call.state, sites_abi(reach->program->sites), ELEMENT_WORD, false);
	if (value.kind == FLOW_LOADED)
		return memory_u64(reach->program->memory, (uint64_t)value.number, &word) && !word;
	return value.kind == FLOW_CONSTANT && !value.number;
}

/** A write through reflection that the code can be seen not to make. */
static bool is_ruled_out(struct write_reach *reach, const struct write_path *path)
{
	const struct map_site *site = path->site->site;

	return site->function->operation == MAP_ASSIGN && path->way.count &&
	       !strcmp(site->caller.name, "reflect.Value.SetMapIndex") &&
	       passes_zero_element(reach, &path->way.steps[path->way.count - 1]);
}

static void add_way(struct write_reach *reach, const struct way *way, bool again, GArray *paths)
{
	struct write_path path = {.calls = way->count, .again = again, .way = *way};

	path.site = &g_array_index(reach->goals, struct write_site, way->goal);
	if (!is_ruled_out(reach, &path))
		g_array_append_val(paths, path);
}

/** The ways from what @a call calls begin with that call. */
static void add_after(struct write_reach *reach, const struct control_call *call, bool again,
		      GArray *ways, GArray *paths)
{
	for (guint j = 0; j < ways->len; j++) {
		struct way way = g_array_index(ways, struct way, j);

		if (way.count == WAY_STEPS_MAX)
			continue;
		memmove(way.steps + 1, way.steps, way.count++ * sizeof(way.steps[0]));
		way.steps[0] = (struct way_step){WAY_CALL, call->end, call->target};
		add_way(reach, &way, again, paths);
	}
}

/** The calls that the function makes itself. */
static void direct_paths(struct write_reach *reach, const struct control *control,
			 const GArray *ahead, GArray *paths)
{
	GArray *ways = g_array_new(FALSE, FALSE, sizeof(struct way));

	for (guint i = 0; i < control->call_count; i++) {
		const struct control_call *call = &control->calls[i];

		g_array_set_size(ways, 0);
		ways_from(ways_of(reach), call->target, ways);
		add_after(reach, call, control_is_ahead(ahead, call->pc), ways, paths);
	}
	g_array_free(ways, TRUE);
}

/** A function value that is made ahead, is run by the call that execution is in, or was deferred. */
static bool may_run(struct write_reach *reach, const struct go_function *function,
		    const GArray *ahead, uint64_t pc, const struct way_step *step)
{
	uint64_t end, target;

	if (control_is_ahead(ahead, step->end - 1))
		return true;
	if (step->kind == WAY_STARTED)
		return false;
	return function->deferreturn ||
	       (sites_call_after(reach->program->sites, function, step->end, &end, &target) &&
		end == pc);
}

/** What the function lets others call, and what it calls without its code saying what that is. */
static void indirect_paths(struct write_reach *reach, const struct go_function *function,
			   const GArray *ahead, uint64_t pc, GArray *paths)
{
	GArray *ways = g_array_new(FALSE, FALSE, sizeof(struct way));
	const struct indirect_call *calls;
	size_t count;

	ways_handed(ways_of(reach), function, ways);
	if (ways_may_be_indirect(ways_of(reach))) {
		calls = sites_indirect_calls(reach->program->sites, function, &count);
		for (size_t i = 0; i < count && ways->len < WAYS_MAX; i++)
			ways_through(ways_of(reach), calls[i].target, calls[i].return_pc, ways);
	}
	for (guint i = 0; i < ways->len; i++) {
		const struct way *way = &g_array_index(ways, struct way, i);

		add_way(reach, way, may_run(reach, function, ahead, pc, &way->steps[0]), paths);
	}
	g_array_free(ways, TRUE);
}

/** A way that is no guess, to a write that can still be made of a map that others have. */
static bool has_plain_path(const GArray *paths)
{
	for (guint i = 0; i < paths->len; i++) {
		const struct write_path *path = &g_array_index(paths, struct write_path, i);

		if (path->again && !path->site->fresh && path->site->site->type &&
		    !write_path_guesses(path))
			return true;
	}
	return false;
}

/** The indirect calls of the functions that the function calls: handlers, observers, tasks. */
static void nested_paths(struct write_reach *reach, const struct control *control,
			 const GArray *ahead, GArray *paths)
{
	GArray *ways = g_array_new(FALSE, FALSE, sizeof(struct way));

	for (size_t i = 0;
	     ways_may_be_indirect(ways_of(reach)) && i < MIN(control->call_count, CALLEES_MAX);
	     i++) {
		const struct control_call *call = &control->calls[i];
		const struct indirect_call *calls;
		struct go_function callee;
		uint32_t table;
		size_t count;

		if (!program_function(reach->program, call->target, &callee, &table) ||
		    go_is_runtime_function(callee.name))
			continue;
		g_array_set_size(ways, 0);
		calls = sites_indirect_calls(reach->program->sites, &callee, &count);
		for (size_t j = 0; j < count && ways->len < WAYS_MAX; j++)
			ways_through(ways_of(reach), calls[j].target, calls[j].return_pc, ways);
		add_after(reach, call, control_is_ahead(ahead, call->pc), ways, paths);
	}
	g_array_free(ways, TRUE);
}

static GArray *path_search(struct write_reach *reach, const struct go_function *function,
			   uint64_t pc)
{
	const struct control *control = control_of(reach, function);
	GArray *paths = g_array_new(FALSE, FALSE, sizeof(struct write_path));
	GArray *ahead = control_ahead(control, pc);

	ways_of(reach);
	for (guint i = 0; i < reach->goals->len; i++) {
		const struct write_site *site = &g_array_index(reach->goals, struct write_site, i);
		struct write_path path = {.site = site,
					  .again = control_is_ahead(ahead, site->site->call_pc)};

		if (site->site->caller.entry == function->entry)
			g_array_append_val(paths, path);
	}
	direct_paths(reach, control, ahead, paths);
	indirect_paths(reach, function, ahead, pc, paths);
	if (!has_plain_path(paths))
		nested_paths(reach, control, ahead, paths);
	g_array_free(ahead, TRUE);
	g_array_sort(paths, compare_paths);
	g_array_set_size(paths, MIN(paths->len, WRITE_PATHS_MAX));
	return paths;
}

const struct write_path *write_reach_paths(struct write_reach *reach,
					   const struct go_function *function, uint64_t pc,
					   size_t *ret_count)
{
	gpointer key = GSIZE_TO_POINTER(pc);
	GArray *known;

	*ret_count = 0;
	if (!reach->sites->len)
		return NULL;
	known = g_hash_table_lookup(reach->by_pc, key);
	if (!known) {
		known = path_search(reach, function, pc);
		g_hash_table_insert(reach->by_pc, key, known);
	}
	*ret_count = known->len;
	return (const struct write_path *)(const void *)known->data;
}

bool write_reach_from(struct write_reach *reach, const struct go_function *function, uint64_t pc,
		      struct write_path *ret)
{
	size_t count;
	const struct write_path *paths = write_reach_paths(reach, function, pc, &count);

	if (count)
		*ret = paths[0];
	return count > 0;
}

bool write_reach_within(struct write_reach *reach, uint64_t entry, struct write_path *ret)
{
	GArray *ways, *paths;
	bool found;

	if (!reach->sites->len)
		return false;
	ways = g_array_new(FALSE, FALSE, sizeof(struct way));
	paths = g_array_new(FALSE, FALSE, sizeof(struct write_path));
	ways_from(ways_of(reach), entry, ways);
	for (guint i = 0; i < ways->len; i++)
		add_way(reach, &g_array_index(ways, struct way, i), true, paths);
	g_array_sort(paths, compare_paths);
	found = paths->len > 0;
	if (found)
		*ret = g_array_index(paths, struct write_path, 0);
	g_array_free(ways, TRUE);
	g_array_free(paths, TRUE);
	return found;
}

/** cgo gives each exported function an entry for C, _cgoexp_..., and up to 1.15 a wrapper, _cgoexpwrap_... (cmd/cgo/out.go). */
static void find_callbacks(struct write_reach *reach)
{
	const struct program *program = reach->program;
	struct go_function function;

	reach->callbacks = g_array_new(FALSE, FALSE, sizeof(function));
	for (size_t i = 0; i < program->module_count; i++)
		for (uint32_t j = 0; j < pclntab_count(program->tables[i]); j++)
			if (pclntab_function(program->tables[i], j, &function) &&
			    strstr(function.name, "_cgoexp"))
				g_array_append_val(reach->callbacks, function);
}

bool write_reach_from_c(struct write_reach *reach, struct write_path *ret)
{
	*ret = (struct write_path){0};
	if (!reach->callbacks)
		find_callbacks(reach);
	for (guint i = 0; i < reach->callbacks->len; i++) {
		struct write_path path = {0};

		if (write_reach_within(reach,
				       g_array_index(reach->callbacks, struct go_function, i).entry,
				       &path) &&
		    (!ret->site || compare_paths(&path, ret) < 0))
			*ret = path;
	}
	return ret->site != NULL;
}
