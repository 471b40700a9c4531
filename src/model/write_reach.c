// SPDX-License-Identifier: Apache-2.0
#include "model/write_reach.h"

#include "evidence/code.h"
#include "model/heap.h"
#include "model/spot.h"

#include <glib.h>

#define VISITED_MAX 4096 /* functions looked at from one starting point */
#define FUNCTION_MAX_BYTES                                                                         \
	(256u << 10) /* a larger one is generated code: its loops are not looked for */

struct call {
	uint64_t pc, target;
};

struct back_jump {
	uint64_t from, to;
};

/** What the code of one function does, as far as it matters here. */
struct function_flow {
	GArray *calls;      // struct call: direct ones
	GArray *back_jumps; // struct back_jump: loops
};

struct write_reach {
	struct program *program;
	struct write_target target;
	GArray *sites;         // struct write_site
	GHashTable *by_caller; // function entry → index of its first site + 1
	GHashTable *nearest;   // function entry → struct write_path *, as a callee
	GArray *callbacks;     // struct go_function: what C can call; NULL until asked for
	GHashTable *flows;     // function entry → struct function_flow *
	GHashTable *by_pc;     // where execution stands → struct write_path *
	struct code *code;
};

static void flow_free(gpointer data)
{
	struct function_flow *flow = data;

	g_array_free(flow->calls, TRUE);
	g_array_free(flow->back_jumps, TRUE);
	g_free(flow);
}

static void note_operation(struct function_flow *flow, uint64_t entry,
			   const struct code_operation *operation)
{
	struct call call = {operation->address, operation->value};
	struct back_jump jump = {operation->address, operation->value};

	// the jump to the entry is the end of the stack check that failed, no loop
	if (operation->value == entry)
		return;
	if (operation->kind == CODE_CALL && operation->value)
		g_array_append_val(flow->calls, call);
	if ((operation->kind == CODE_JUMP || operation->kind == CODE_BRANCH) && operation->value &&
	    operation->value <= operation->address)
		g_array_append_val(flow->back_jumps, jump);
}

static void read_flow(struct write_reach *reach, const struct go_function *function,
		      struct function_flow *flow)
{
	uint64_t size = function->end - function->entry;
	const uint8_t *bytes = size <= FUNCTION_MAX_BYTES
				       ? memory_view(reach->program->memory, function->entry, size)
				       : NULL;

	for (uint64_t at = 0; bytes && reach->code && at < size;) {
		struct code_operation operations[CODE_OPERATIONS_MAX];
		size_t count = code_decode(reach->code, bytes + at, size - at, function->entry + at,
					   operations);

		for (size_t i = 0; i < count; i++)
			note_operation(flow, function->entry, &operations[i]);
		at += count && operations[0].size ? operations[0].size : 1;
	}
}

static const struct function_flow *function_flow(struct write_reach *reach,
						 const struct go_function *function)
{
	gpointer key = GSIZE_TO_POINTER(function->entry);
	struct function_flow *flow = g_hash_table_lookup(reach->flows, key);

	if (flow)
		return flow;
	flow = g_new0(struct function_flow, 1);
	flow->calls = g_array_new(FALSE, FALSE, sizeof(struct call));
	flow->back_jumps = g_array_new(FALSE, FALSE, sizeof(struct back_jump));
	read_flow(reach, function, flow);
	g_hash_table_insert(reach->flows, key, flow);
	return flow;
}

static enum site_match match_global(const struct write_reach *reach,
				    const struct map_source *source)
{
	const struct map_site *known = reach->target.known;
	uint64_t value;

	if (!reach->target.map && known && known->source.kind == MAP_SOURCE_GLOBAL)
		return source->address == known->source.address ? SITE_SAME_MAP : SITE_OTHER_MAP;
	if (!reach->target.map || !memory_u64(reach->program->memory, source->address, &value))
		return SITE_SAME_TYPE;
	return value == reach->target.map ? SITE_SAME_MAP : SITE_OTHER_MAP;
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

static void collect(const struct map_site *site, void *context)
{
	struct write_reach *reach = context;
	struct write_site write = {site, SITE_OTHER_MAP};
	gpointer caller = GSIZE_TO_POINTER(site->caller.entry);

	if (!map_operation_writes(site->function->operation))
		return;
	if (site->type && reach->target.type && !is_same_type(site->type, reach->target.type))
		return;
	write.match = match_site(reach, site);
	if (write.match == SITE_OTHER_MAP)
		return;
	g_array_append_val(reach->sites, write);
	if (!g_hash_table_contains(reach->by_caller, caller))
		g_hash_table_insert(reach->by_caller, caller, GSIZE_TO_POINTER(reach->sites->len));
}

struct write_reach *write_reach_new(struct program *program, const struct write_target *target)
{
	struct write_reach *reach = g_new0(struct write_reach, 1);

	reach->program = program;
	reach->target = *target;
	reach->sites = g_array_new(FALSE, FALSE, sizeof(struct write_site));
	reach->by_caller = g_hash_table_new(NULL, NULL);
	reach->nearest = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	reach->flows = g_hash_table_new_full(NULL, NULL, NULL, flow_free);
	reach->by_pc = g_hash_table_new_full(NULL, NULL, NULL, g_free);
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
	g_hash_table_destroy(reach->by_caller);
	g_hash_table_destroy(reach->nearest);
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

/** Better match first, then what execution can still come to, then the nearer. */
static bool is_better(const struct write_path *a, const struct write_path *b)
{
	if (!b->site)
		return true;
	if (a->site->match != b->site->match)
		return a->site->match > b->site->match;
	if (a->again != b->again)
		return a->again;
	return a->calls < b->calls;
}

static void take_better(struct write_path *best, struct write_path path)
{
	if (path.site && is_better(&path, best))
		*best = path;
}

static const struct write_site *best_in(const struct write_reach *reach, uint64_t entry)
{
	size_t at =
		GPOINTER_TO_SIZE(g_hash_table_lookup(reach->by_caller, GSIZE_TO_POINTER(entry)));
	const struct write_site *best = NULL;

	for (size_t i = at; i && i <= reach->sites->len; i++) {
		const struct write_site *site =
			&g_array_index(reach->sites, struct write_site, i - 1);

		if (site->site->caller.entry != entry)
			break;
		if (!best || site->match > best->match)
			best = site;
	}
	return best;
}

struct queue {
	GArray *entries; // uint64_t function entries, level by level
	GHashTable *visited;
};

static void push_callees(struct write_reach *reach, struct queue *queue, uint64_t entry)
{
	struct go_function function;
	const uint64_t *callees;
	uint32_t table;
	size_t count;

	if (!program_function(reach->program, entry, &function, &table) ||
	    go_is_runtime_function(function.name))
		return;
	callees = sites_callees(reach->program->sites, &function, &count);
	for (size_t i = 0; i < count && queue->entries->len < VISITED_MAX; i++)
		if (g_hash_table_add(queue->visited, GSIZE_TO_POINTER(callees[i])))
			g_array_append_val(queue->entries, callees[i]);
}

/** The nearest write site from the beginning of the function at @a entry, in at most @a calls_max calls. */
static struct write_path search(struct write_reach *reach, uint64_t entry, unsigned calls_max)
{
	struct queue queue = {g_array_new(FALSE, FALSE, sizeof(uint64_t)),
			      g_hash_table_new(NULL, NULL)};
	struct write_path best = {.again = true};
	guint begin = 0;

	g_array_append_val(queue.entries, entry);
	g_hash_table_add(queue.visited, GSIZE_TO_POINTER(entry));
	for (unsigned calls = 0; calls <= calls_max && !best.site; calls++) {
		guint end = queue.entries->len;

		for (guint i = begin; i < end; i++) {
			uint64_t at = g_array_index(queue.entries, uint64_t, i);

			take_better(&best, (struct write_path){best_in(reach, at), calls, true});
			if (calls < calls_max)
				push_callees(reach, &queue, at);
		}
		begin = end;
	}
	g_array_free(queue.entries, TRUE);
	g_hash_table_destroy(queue.visited);
	return best;
}

/** What the callee at @a entry can get to; kept, as many frames call the same functions. */
static struct write_path path_of_callee(struct write_reach *reach, uint64_t entry)
{
	gpointer key = GSIZE_TO_POINTER(entry);
	struct write_path *known = g_hash_table_lookup(reach->nearest, key);

	if (!known) {
		known = g_new0(struct write_path, 1);
		*known = search(reach, entry, WRITE_REACH_CALLS - 1);
		known->calls++;
		g_hash_table_insert(reach->nearest, key, known);
	}
	return *known;
}

/** Execution at @a pc comes to @a target when that lies ahead, or a jump leads back to before it. */
static bool can_come_to(const struct function_flow *flow, uint64_t pc, uint64_t target)
{
	if (target >= pc)
		return true;
	for (guint i = 0; i < flow->back_jumps->len; i++) {
		const struct back_jump *jump =
			&g_array_index(flow->back_jumps, struct back_jump, i);

		if (jump->from >= pc && jump->to <= target)
			return true;
	}
	return false;
}

static struct write_path path_search(struct write_reach *reach, const struct go_function *function,
				     uint64_t pc)
{
	const struct function_flow *flow = function_flow(reach, function);
	struct write_path best = {NULL, 0, false};

	for (guint i = 0; i < flow->calls->len; i++) {
		const struct call *call = &g_array_index(flow->calls, struct call, i);
		struct write_path path = path_of_callee(reach, call->target);

		path.again = can_come_to(flow, pc, call->pc);
		take_better(&best, path);
	}
	for (guint i = 0; i < reach->sites->len; i++) {
		const struct write_site *site = &g_array_index(reach->sites, struct write_site, i);

		if (site->site->caller.entry == function->entry)
			take_better(&best,
				    (struct write_path){
					    site, 0, can_come_to(flow, pc, site->site->call_pc)});
	}
	return best;
}

bool write_reach_from(struct write_reach *reach, const struct go_function *function, uint64_t pc,
		      struct write_path *ret)
{
	gpointer key = GSIZE_TO_POINTER(pc);
	struct write_path *known;

	if (!reach->sites->len)
		return false;
	known = g_hash_table_lookup(reach->by_pc, key);
	if (!known) {
		known = g_new(struct write_path, 1);
		*known = path_search(reach, function, pc);
		g_hash_table_insert(reach->by_pc, key, known);
	}
	*ret = *known;
	return known->site != NULL;
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
	*ret = (struct write_path){NULL, 0, false};
	if (!reach->callbacks)
		find_callbacks(reach);
	for (guint i = 0; i < reach->callbacks->len; i++)
		take_better(ret,
			    path_of_callee(
				    reach,
				    g_array_index(reach->callbacks, struct go_function, i).entry));
	return ret->site != NULL;
}
