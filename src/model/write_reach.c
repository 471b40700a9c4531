// SPDX-License-Identifier: Apache-2.0
#include "model/write_reach.h"

#include "model/control.h"
#include "model/heap.h"
#include "model/spot.h"

#include <glib.h>
#include <string.h>

#define CALLS_FOLLOWED_MAX  256 /* to see what they are given */
#define ARGUMENTS_LOOKED_AT 9
#define CALLEES_MAX         48u /* of one function, whose indirect calls are looked at */
#define PATHS_MAX           16  /* kept from one place */
#define WAYS_MAX            256 /* looked at from one place, of those that are guesses */

struct write_reach {
	struct program *program;
	struct write_target target;
	GArray *sites; // struct write_site
	GArray *goals; // struct write_site, better matches first; NULL before the first question
	struct ways *ways; // to them; NULL before the first question
	GArray *callbacks; // struct go_function: what C can call; NULL until asked for
	GHashTable *flows; // function entry → struct control *
	GHashTable *by_pc; // where execution stands → GArray of struct write_path
	struct code *code;
	unsigned calls_followed; // so far
};

static void paths_free(gpointer data) { g_array_free(data, TRUE); }

static void flow_free(gpointer flow) { control_free(flow); }

static const struct control *function_flow(struct write_reach *reach,
					   const struct go_function *function)
{
	gpointer key = GSIZE_TO_POINTER(function->entry);
	struct control *flow = g_hash_table_lookup(reach->flows, key);

	if (flow)
		return flow;
	flow = control_read(reach->program, reach->code, function);
	g_hash_table_insert(reach->flows, key, flow);
	return flow;
}

/** A text has no memory: all that is read then is what the binary gave its variables to begin with. */
static bool variables_are_seen(const struct write_reach *reach)
{
	return !reach->program->printout;
}

static enum site_match match_global(const struct write_reach *reach,
				    const struct map_source *source)
{
	const struct map_site *known = reach->target.known;
	uint64_t map = variables_are_seen(reach) ? reach->target.map : 0, value;

	if (!map && known && known->source.kind == MAP_SOURCE_GLOBAL)
		return source->address == known->source.address ? SITE_SAME_MAP : SITE_OTHER_MAP;
	if (!map || !memory_u64(reach->program->memory, source->address, &value))
		return SITE_SAME_TYPE;
	return value == map ? SITE_SAME_MAP : SITE_OTHER_MAP;
}

/** Where the object that @a word belongs to begins and what of it is left before @a word; false when unknown. */
static bool object_start(const struct write_reach *reach, uint64_t word, uint64_t *ret)
{
	struct program *program = reach->program;
	struct debuginfo_variable variable;
	struct heap_object object;

	if (heap_object_at(program, word, &object)) {
		*ret = object.data;
		return true;
	}
	if (!program->debuginfo || !program_in_data(program, word) ||
	    !debuginfo_global_at(program->debuginfo, word - program->bias, &variable))
		return false;
	*ret = variable.address + program->bias;
	return true;
}

/**
 * A pointer that @a offset leads from to @a holder must lie in the holder's own object, else the
 * field is another one. It is the very field when the object begins there, or when the code that
 * used this map used the same offset; what lies further in could be anybody's.
 */
static enum site_match match_holder(const struct write_reach *reach, uint64_t holder,
				    int64_t offset)
{
	const struct map_site *known = reach->target.known;
	uint64_t start;

	if (known && known->source.kind == MAP_SOURCE_FIELD && known->source.offset == offset)
		return object_start(reach, holder, &start) && holder - start < (uint64_t)offset
			       ? SITE_OTHER_MAP
			       : SITE_SAME_FIELD;
	if (offset < 0 || !object_start(reach, holder, &start))
		return SITE_SAME_TYPE;
	if (holder - start < (uint64_t)offset)
		return SITE_OTHER_MAP;
	return holder - start == (uint64_t)offset ? SITE_SAME_FIELD : SITE_SAME_TYPE;
}

/** Code that loads the holder's pointer from a fixed address says exactly which map it is. */
static enum site_match match_field_of_global(const struct write_reach *reach,
					     const struct map_source *source)
{
	struct map_source field = {.kind = MAP_SOURCE_GLOBAL};
	uint64_t holder;

	if (!memory_u64(reach->program->memory, source->address, &holder) || !holder)
		return SITE_SAME_TYPE;
	field.address = holder + (uint64_t)source->offset;
	return match_global(reach, &field);
}

/** "main.(*cluster)" of "main.(*cluster).lookup"; empty when it is no method of a pointer. */
static struct text receiver_of(const char *function)
{
	const char *open = strstr(function, ".(*"), *close = open ? strchr(open, ')') : NULL;

	return (struct text){function, close ? (size_t)(close - function) : 0};
}

/** The receiver in the name of the function that the user wrote the site in, inlined or not. */
static struct text receiver_at(const struct write_reach *reach, const struct map_site *site)
{
	const struct spot *spot = program_spot(reach->program, site->call_pc, true);
	size_t i = 0;

	if (!spot || !spot->site_count)
		return receiver_of(site->caller.name);
	while (i + 1 < spot->site_count && spot->runtime[i])
		i++;
	return receiver_of(spot->sites[i].function);
}

/** "main.(*index" is the receiver of main.index; the arguments of a generic type are not compared. */
static bool is_receiver_type(struct text receiver, const char *type)
{
	const char *open = g_strstr_len(receiver.p, (gssize)receiver.n, ".(*");
	size_t package = open ? (size_t)(open - receiver.p) : 0;
	const char *name = receiver.p + package + strlen(".(*");
	size_t length = receiver.n - package - strlen(".(*");
	const char *bracket = memchr(name, '[', length);

	if (bracket)
		length = (size_t)(bracket - name);
	return !strncmp(type, receiver.p, package) && type[package] == '.' &&
	       !strncmp(type + package + 1, name, length) &&
	       (type[package + 1 + length] == '\0' || type[package + 1 + length] == '[');
}

/** A method of a type that is neither the holder's nor that of the code that used this map: a map of its own may well stand at the same offset. */
static bool is_of_other_receiver(const struct write_reach *reach, const struct map_site *site)
{
	const struct write_target *target = &reach->target;
	struct text receiver = receiver_at(reach, site);
	struct text known = target->known ? receiver_at(reach, target->known) : (struct text){0};
	bool told = known.n != 0;

	if (!receiver.n || (known.n && text_equal(receiver, known)))
		return false;
	for (size_t i = 0; i < target->holder_count; i++) {
		const char *type = target->holder_types ? target->holder_types[i] : "";

		if (*type && is_receiver_type(receiver, type))
			return false;
		told |= *type != '\0';
	}
	return told;
}

/** Two methods of one type that load their maps at different offsets load different fields. */
static bool is_other_field(const struct write_reach *reach, const struct map_site *site)
{
	const struct map_site *known = reach->target.known;
	struct text receiver;

	if (!known || known->source.kind != MAP_SOURCE_FIELD ||
	    known->source.offset == site->source.offset)
		return false;
	receiver = receiver_at(reach, site);
	return receiver.n && text_equal(receiver, receiver_at(reach, known));
}

/** With no holder known: methods of one type that load their maps at one offset load the same field. */
static bool is_same_field(const struct write_reach *reach, const struct map_site *site)
{
	const struct map_site *known = reach->target.known;
	struct text receiver;

	if (!known || known->source.kind != MAP_SOURCE_FIELD ||
	    known->source.offset != site->source.offset)
		return false;
	receiver = receiver_at(reach, site);
	return receiver.n && text_equal(receiver, receiver_at(reach, known));
}

static enum site_match match_field(const struct write_reach *reach, const struct map_site *site)
{
	enum site_match best = SITE_OTHER_MAP;

	if (site->source.address)
		return match_field_of_global(reach, &site->source);
	if (!reach->target.holder_count)
		return is_same_field(reach, site) ? SITE_SAME_FIELD : SITE_SAME_TYPE;
	for (size_t i = 0; i < reach->target.holder_count; i++) {
		enum site_match match =
			match_holder(reach, reach->target.holders[i], site->source.offset);

		best = MAX(best, match);
	}
	return best == SITE_SAME_FIELD && is_of_other_receiver(reach, site) ? SITE_SAME_TYPE : best;
}

static enum site_match match_site(const struct write_reach *reach, const struct map_site *site)
{
	if (site->source.kind == MAP_SOURCE_GLOBAL)
		return match_global(reach, &site->source);
	if (site->source.kind == MAP_SOURCE_FIELD)
		return is_other_field(reach, site) ? SITE_OTHER_MAP : match_field(reach, site);
	return SITE_SAME_TYPE;
}

static bool is_same_type(const struct go_type *a, const struct go_type *b)
{
	return a == b ||
	       (a && b && a->hash == b->hash && g_strcmp0(a->full_name, b->full_name) == 0);
}

/** Functions that may be called between making a map and filling it, without anybody else getting hold of it. */
static bool keeps_to_itself(const struct write_reach *reach, uint64_t target)
{
	static const char *const names[] = {
		"runtime.map",       "runtime.conv",         "runtime.newobject", "runtime.make",
		"runtime.concat",    "runtime.typedmemmove", "runtime.duff",      "runtime.panic",
		"runtime.slicebyte", "runtime.intstring"};
	struct go_function function;
	uint32_t table;

	if (!target || !program_function(reach->program, target, &function, &table))
		return false;
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		if (g_str_has_prefix(function.name, names[i]))
			return true;
	return g_str_has_prefix(function.name, "internal/runtime/maps.");
}

/** The call hands on what the call at @a maker made. */
static bool hands_on(struct write_reach *reach, uint64_t return_pc, int64_t maker)
{
	struct flow_abi abi = sites_abi(reach->program->sites);
	struct flow_call call;

	if (reach->calls_followed++ >= CALLS_FOLLOWED_MAX ||
	    !sites_call_returning_to(reach->program->sites, return_pc, &call))
		return true;
	for (int i = 0; i < ARGUMENTS_LOOKED_AT; i++) {
		struct flow_value value = flow_argument(&call.state, abi, i, false);

		if (value.kind == FLOW_MADE && value.number == maker)
			return true;
	}
	return false;
}

/** A call of the program's own that is given other things. */
static bool is_given_others(struct write_reach *reach, uint64_t target, uint64_t return_pc,
			    int64_t maker)
{
	struct go_function function;
	uint32_t table;

	return target && program_function(reach->program, target, &function, &table) &&
	       !go_is_runtime_function(function.name) && !hands_on(reach, return_pc, maker);
}

/** A write of a map that stands on the stack, or that was made some lines before and went nowhere since. */
static bool is_fresh(struct write_reach *reach, const struct map_site *site)
{
	uint64_t at = (uint64_t)site->map.number, target;

	if (site->map.kind == FLOW_STACK)
		return true;
	if (site->map.kind != FLOW_MADE || at >= site->call_pc)
		return false;
	while (sites_call_after(reach->program->sites, &site->caller, at, &at, &target) &&
	       at <= site->call_pc)
		if (!keeps_to_itself(reach, target) &&
		    !is_given_others(reach, target, at, site->map.number))
			return false;
	return true;
}

static void collect(const struct map_site *site, void *context)
{
	struct write_reach *reach = context;
	struct write_site write = {.site = site};

	if (!map_operation_writes(site->function->operation))
		return;
	if (site->type && reach->target.type && !is_same_type(site->type, reach->target.type))
		return;
	write.match = match_site(reach, site);
	if (write.match == SITE_OTHER_MAP)
		return;
	write.fresh = is_fresh(reach, site);
	write.known = reach->target.known && reach->target.known->call_pc == site->call_pc;
	g_array_append_val(reach->sites, write);
}

struct write_reach *write_reach_new(struct program *program, const struct write_target *target)
{
	struct write_reach *reach = g_new0(struct write_reach, 1);

	reach->program = program;
	reach->target = *target;
	reach->sites = g_array_new(FALSE, FALSE, sizeof(struct write_site));
	reach->flows = g_hash_table_new_full(NULL, NULL, NULL, flow_free);
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
	if (reach->goals)
		g_array_free(reach->goals, TRUE);
	ways_free(reach->ways);
	g_hash_table_destroy(reach->flows);
	g_hash_table_destroy(reach->by_pc);
	code_free(reach->code);
	g_free(reach);
}

const struct write_site *write_reach_sites(const struct write_reach *reach, size_t *ret_count)
{
	*ret_count = reach->sites->len;
	return (const struct write_site *)(const void *)reach->sites->data;
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

/** Go's library writes maps of unnamed types of its own; those of others it is handed in generic code and by reflection. */
static bool is_library_own(const struct write_site *write)
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
	       (is_library_own(site) ? LIBRARY : 0) + STARTED * (int)count_kind(path, WAY_STARTED) +
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
static void direct_paths(struct write_reach *reach, const struct control *flow, const GArray *ahead,
			 GArray *paths)
{
	GArray *ways = g_array_new(FALSE, FALSE, sizeof(struct way));

	for (guint i = 0; i < flow->call_count; i++) {
		const struct control_call *call = &flow->calls[i];

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
static void nested_paths(struct write_reach *reach, const struct control *flow, const GArray *ahead,
			 GArray *paths)
{
	GArray *ways = g_array_new(FALSE, FALSE, sizeof(struct way));

	for (size_t i = 0;
	     ways_may_be_indirect(ways_of(reach)) && i < MIN(flow->call_count, CALLEES_MAX); i++) {
		const struct control_call *call = &flow->calls[i];
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
	const struct control *flow = function_flow(reach, function);
	GArray *paths = g_array_new(FALSE, FALSE, sizeof(struct write_path));
	GArray *ahead = control_ahead(flow, pc);

	ways_of(reach);
	for (guint i = 0; i < reach->goals->len; i++) {
		const struct write_site *site = &g_array_index(reach->goals, struct write_site, i);
		struct write_path path = {.site = site,
					  .again = control_is_ahead(ahead, site->site->call_pc)};

		if (site->site->caller.entry == function->entry)
			g_array_append_val(paths, path);
	}
	direct_paths(reach, flow, ahead, paths);
	indirect_paths(reach, function, ahead, pc, paths);
	if (!has_plain_path(paths))
		nested_paths(reach, flow, ahead, paths);
	g_array_free(ahead, TRUE);
	g_array_sort(paths, compare_paths);
	g_array_set_size(paths, MIN(paths->len, PATHS_MAX));
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

	if (!reach->sites->len)
		return false;
	ways = g_array_new(FALSE, FALSE, sizeof(struct way));
	paths = g_array_new(FALSE, FALSE, sizeof(struct write_path));
	ways_from(ways_of(reach), entry, ways);
	for (guint i = 0; i < ways->len; i++)
		add_way(reach, &g_array_index(ways, struct way, i), true, paths);
	g_array_sort(paths, compare_paths);
	if (paths->len)
		*ret = g_array_index(paths, struct write_path, 0);
	g_array_free(ways, TRUE);
	g_array_free(paths, TRUE);
	return ret->site != NULL;
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
