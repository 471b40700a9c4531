// SPDX-License-Identifier: Apache-2.0
// Map operations in machine code. A function is decoded once, when somebody first asks about it;
// which functions can call a map function at all is found by a scan over all text. The type of a
// map in generic code comes from the dictionaries that the direct callers pass, when all of them
// agree.
#include "model/code/site.h"

#include "base/sorted.h"
#include "evidence/binary/code.h"
#include "model/code/call_effect.h"
#include "model/code/call_graph.h"
#include "model/code/flow.h"
#include "model/stack/stack_object.h"

#include <glib.h>

enum {
	DICTIONARY_DEPTH = 6, /* generic functions that hand their dictionary's parts on */
	ARGUMENT_REGISTERS = 16,
	STATES_KEPT = 512 /* of single instructions, some 10 KB each */
};

/* What a call passes, kept for calls of generic functions. */
struct generic_call {
	uint64_t target;
	struct flow_value registers[32];
};

struct call_end {
	uint64_t return_pc, target;
};

struct function_code {
	struct go_function function;
	GArray *sites;      /* struct map_site */
	GArray *types;      /* struct flow_value: of the type argument, one a site */
	GArray *generic;    /* struct generic_call */
	GArray *calls;      /* struct call_end, in address order */
	GArray *indirect;   /* struct indirect_call, in address order */
	GArray *callees;    /* uint64_t */
	GArray *references; /* uint64_t */
	bool typed;         /* sites' types were looked up */
};

/* A function by its entry: what calling it means. */
struct callee {
	struct flow_effect effect;
	const struct go_map_function *map;
	uint64_t entry;
	bool generic;
};

struct sites {
	const struct memory *memory;
	struct pclntab *const *tables;
	size_t table_count;
	const struct go_layout *layout;
	struct types *types;
	struct flow_abi abi;
	struct code *code;
	GHashTable *functions; /* entry → struct function_code */
	GHashTable *callees;   /* target → struct callee */
	GArray *candidates; /* uint64_t: entries of functions that may call map functions, sorted */
	GHashTable *callers;         /* generic function's entry → GArray of callers' entries */
	GHashTable *returns, *stops; /* PC → struct flow_call; NULL for none */
};

static void function_code_free(void *pointer)
{
	struct function_code *f = pointer;

	g_array_unref(f->sites);
	g_array_unref(f->types);
	g_array_unref(f->generic);
	g_array_unref(f->calls);
	g_array_unref(f->indirect);
	g_array_unref(f->callees);
	g_array_unref(f->references);
	g_free(f);
}

static void array_free(void *array) { g_array_unref(array); }

struct sites *sites_new(const struct memory *memory, struct pclntab *const *tables,
			size_t table_count, const struct go_layout *layout, struct types *types)
{
	struct sites *sites = g_new0(struct sites, 1);

	sites->memory = memory;
	sites->tables = tables;
	sites->table_count = table_count;
	sites->layout = layout;
	sites->types = types;
	sites->abi.arch = layout->arch;
	/* cmd/compile: ABIInternal came to amd64 with 1.17, to arm64 with 1.18. */
	sites->abi.registers = layout->version.minor >= (layout->arch == GO_ARCH_AMD64 ? 17 : 18);
	sites->code = code_new(layout->arch);
	sites->functions =
		g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, function_code_free);
	sites->callees = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
	sites->returns = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
	sites->stops = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
	return sites;
}

void sites_free(struct sites *sites)
{
	if (!sites)
		return;
	code_free(sites->code);
	g_hash_table_destroy(sites->functions);
	g_hash_table_destroy(sites->callees);
	g_hash_table_destroy(sites->returns);
	g_hash_table_destroy(sites->stops);
	if (sites->candidates)
		g_array_unref(sites->candidates);
	if (sites->callers)
		g_hash_table_destroy(sites->callers);
	g_free(sites);
}

static const struct pclntab *table_of(const struct sites *sites, uint64_t pc)
{
	for (size_t i = 0; i < sites->table_count; i++) {
		const struct pclntab_module *module = pclntab_module(sites->tables[i]);

		if (pc >= module->minpc && pc < module->maxpc)
			return sites->tables[i];
	}
	return NULL;
}

static bool function_at(const struct sites *sites, uint64_t pc, struct go_function *ret)
{
	for (size_t i = 0; i < sites->table_count; i++) {
		const struct pclntab_module *module = pclntab_module(sites->tables[i]);

		if (pc >= module->minpc && pc < module->maxpc &&
		    pclntab_find(sites->tables[i], pc, ret))
			return true;
	}
	return false;
}

/* Code shared by instances of a generic function: the linker's name has the shapes in it. */
static bool is_generic(const char *name) { return strstr(name, "go.shape.") != NULL; }

static const struct flow_effect any_effect = {.returns = true, .type = -1, .map = -1, .iter = -1};

/* What duffzero and duffcopy write when they are entered at @target: the stores from there on. 0 when not known. */
static uint32_t bytes_filled(const struct sites *sites, uint64_t target, uint64_t end)
{
	const uint8_t *bytes = memory_view(sites->memory, target, end - target);
	struct code_operation ops[CODE_OPERATIONS_MAX];
	uint32_t filled = 0;
	uint64_t at = 0;

	while (bytes && at < end - target) {
		size_t count =
			code_decode(sites->code, bytes + at, end - target - at, target + at, ops);

		for (size_t i = 0; i < count; i++) {
			if (ops[i].kind == CODE_END)
				return filled;
			filled += ops[i].kind == CODE_STORE ? ops[i].width : 0;
		}
		at += count ? ops[0].size : 1;
	}
	return 0;
}

static void callee_describe(const struct sites *sites, uint64_t target, struct callee *ret)
{
	struct go_function f;

	*ret = (struct callee){.effect = any_effect};
	if (!function_at(sites, target, &f) || !f.name)
		return;
	ret->entry = f.entry;
	ret->effect = call_effect(sites->abi, f.name);
	if (ret->effect.fills)
		ret->effect.fill_bytes = bytes_filled(sites, target, f.end);
	/* Negative: not known. Nothing passes more than this in practice. */
	ret->effect.args_bytes = f.args_bytes >= 0 ? (uint32_t)f.args_bytes : 256;
	ret->generic = is_generic(f.name);
	if (f.entry != target)
		return;
	ret->map = go_map_function_find(f.name);
	if (ret->map && ret->map->type_argument >= 0 && ret->map->iter_argument >= 0) {
		ret->effect.type = ret->map->type_argument;
		ret->effect.map = ret->map->map_argument;
		ret->effect.iter = ret->map->iter_argument;
	}
}

static const struct callee *callee_of(struct sites *sites, uint64_t target)
{
	struct callee *callee = g_hash_table_lookup(sites->callees, &target);

	if (callee)
		return callee;
	callee = g_new(struct callee, 1);
	callee_describe(sites, target, callee);
	g_hash_table_insert(sites->callees, g_memdup2(&target, sizeof(target)), callee);
	return callee;
}

struct reading {
	struct sites *sites;
	struct function_code *into;
	GHashTable *seen;           /* callees and references already listed */
	uint64_t return_pc;         /* of the call that is asked about */
	struct flow_call *ret_call; /* where the answer goes; `found` when it did */
	bool found;
};

static struct flow_effect effect_of(uint64_t target, void *context)
{
	const struct reading *reading = context;

	if (target)
		return callee_of(reading->sites, target)->effect;
	return any_effect;
}

static void list_once(const struct reading *reading, GArray *list, uint64_t address)
{
	if (g_hash_table_contains(reading->seen, &address))
		return;
	g_hash_table_add(reading->seen, g_memdup2(&address, sizeof(address)));
	g_array_append_val(list, address);
}

static struct map_source source_of(struct flow_abi abi, struct flow_value map)
{
	if (map.kind == FLOW_LOADED)
		return (struct map_source){MAP_SOURCE_GLOBAL, (uint64_t)map.number, 0, false};
	if (map.kind == FLOW_FIELD)
		return (struct map_source){MAP_SOURCE_FIELD, flow_holder(map), map.number,
					   flow_is_of_first_argument(abi, map)};
	return (struct map_source){MAP_SOURCE_UNKNOWN, 0, 0, false};
}

/* maps.clone(m any): the two words of the interface are type and map. */
static void interface_arguments(const struct go_map_function *map, int *type, int *source)
{
	if (map->operation != MAP_CLONE || map->type_argument >= 0 || map->map_argument >= 0)
		return;
	*type = 0;
	*source = 1;
}

static void note_map_call(const struct reading *reading, const struct code_operation *op,
			  const struct flow_state *state, const struct go_map_function *map)
{
	struct flow_abi abi = reading->sites->abi;
	bool tail = op->kind == CODE_JUMP;
	int type_index = map->type_argument, source_index = map->map_argument;
	struct flow_value type, source;
	struct flow_value iter = flow_argument(state, abi, map->iter_argument, tail);
	struct map_site site = {.call_pc = op->address,
				.return_pc = tail ? 0 : op->address + op->size,
				.function = map,
				.caller = reading->into->function};

	interface_arguments(map, &type_index, &source_index);
	type = flow_argument(state, abi, type_index, tail);
	source = flow_argument(state, abi, source_index, tail);
	if (type_index < 0)
		type = flow_iterator(state, iter, FLOW_ITERATOR_TYPE);
	if (source_index < 0)
		source = flow_iterator(state, iter, FLOW_ITERATOR_MAP);
	site.source = source_of(abi, source);
	site.map = source;
	g_array_append_val(reading->into->sites, site);
	g_array_append_val(reading->into->types, type);
}

static void note_call(const struct reading *reading, const struct code_operation *op,
		      const struct flow_state *state)
{
	struct call_end call = {op->address + op->size, op->value};
	struct indirect_call indirect = {
		call.return_pc, op->source == CODE_NONE ? flow_loaded(state, op)
							: state->registers[op->source & 31]};

	g_array_append_val(reading->into->calls, call);
	if (!op->value)
		g_array_append_val(reading->into->indirect, indirect);
}

static void note_transfer(const struct reading *reading, const struct code_operation *op,
			  const struct flow_state *state)
{
	const struct callee *callee;
	uint64_t entry = reading->into->function.entry, end = reading->into->function.end;

	if (op->kind == CODE_CALL)
		note_call(reading, op, state);
	if (!op->value || (op->kind == CODE_JUMP && op->value >= entry && op->value < end))
		return;
	callee = callee_of(reading->sites, op->value);
	if (callee->entry)
		list_once(reading, reading->into->callees, callee->entry);
	if (callee->map)
		note_map_call(reading, op, state, callee->map);
	if (callee->generic) {
		struct generic_call call = {.target = callee->entry};

		memcpy(call.registers, state->registers, sizeof(call.registers));
		g_array_append_val(reading->into->generic, call);
	}
}

/* Data, not code: a constant address that a LEA or ADD makes, or that memory is read at. */
static void note_reference(const struct reading *reading, const struct code_operation *op,
			   const struct flow_state *state)
{
	struct flow_value at = flow_address(state, op);
	bool amd64 = reading->sites->abi.arch == GO_ARCH_AMD64;

	if (op->kind == CODE_SET && amd64)
		at = (struct flow_value){.kind = FLOW_CONSTANT, .number = (int64_t)op->value};
	if (op->kind == CODE_ADD && op->source != CODE_NONE && op->offset &&
	    state->registers[op->source & 31].kind == FLOW_CONSTANT) {
		at = state->registers[op->source & 31];
		at.number = (int64_t)((uint64_t)at.number + (uint64_t)op->offset);
	}
	if (at.kind != FLOW_CONSTANT || !memory_extent(reading->sites->memory, (uint64_t)at.number))
		return;
	list_once(reading, reading->into->references, (uint64_t)at.number);
}

static void read_operation(const struct code_operation *op, const struct flow_state *state,
			   void *context)
{
	if (op->kind == CODE_CALL || op->kind == CODE_JUMP)
		note_transfer(context, op, state);
	note_reference(context, op, state);
}

static struct function_code *function_code_new(const struct go_function *function)
{
	struct function_code *f = g_new0(struct function_code, 1);

	f->function = *function;
	f->sites = g_array_new(FALSE, FALSE, sizeof(struct map_site));
	f->types = g_array_new(FALSE, FALSE, sizeof(struct flow_value));
	f->generic = g_array_new(FALSE, FALSE, sizeof(struct generic_call));
	f->calls = g_array_new(FALSE, FALSE, sizeof(struct call_end));
	f->indirect = g_array_new(FALSE, FALSE, sizeof(struct indirect_call));
	f->callees = g_array_new(FALSE, FALSE, sizeof(uint64_t));
	f->references = g_array_new(FALSE, FALSE, sizeof(uint64_t));
	return f;
}

static void follow_code(struct reading *reading, const struct go_function *f,
			void (*visit)(const struct code_operation *, const struct flow_state *,
				      void *))
{
	struct sites *sites = reading->sites;
	uint64_t size = f->end > f->entry ? f->end - f->entry : 0;
	struct flow_objects objects = {0};
	struct flow_code flow = {.code = sites->code,
				 .memory = sites->memory,
				 .abi = sites->abi,
				 .entry = f->entry,
				 .end = f->end,
				 .effect = effect_of,
				 .visit = visit,
				 .context = reading};

	if (!sites->code || !size || size > SITES_FUNCTION_MAX)
		return;
	flow.bytes = memory_view(sites->memory, f->entry, size);
	if (!flow.bytes)
		return;
	if (stack_objects_read(sites->memory, table_of(sites, f->entry), f, sites->layout,
			       &objects))
		flow.objects = &objects;
	flow_run(&flow);
	free(objects.objects);
}

static void read_code(struct sites *sites, struct function_code *into)
{
	struct reading reading = {.sites = sites, .into = into};

	reading.seen = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	follow_code(&reading, &into->function, read_operation);
	g_hash_table_destroy(reading.seen);
}

static struct function_code *code_of(struct sites *sites, const struct go_function *function)
{
	struct function_code *f = g_hash_table_lookup(sites->functions, &function->entry);

	if (f)
		return f;
	f = function_code_new(function);
	g_hash_table_insert(sites->functions, &f->function.entry, f);
	read_code(sites, f);
	return f;
}

struct generic_scan {
	struct sites *sites;
	GHashTable *callers;
};

static void note_generic_caller(uint64_t end, uint64_t target, void *context)
{
	struct generic_scan *scan = context;
	struct go_function caller;
	GArray *list = g_hash_table_lookup(scan->callers, &target);

	if (!list || !function_at(scan->sites, end - 1, &caller))
		return;
	if (list->len && g_array_index(list, uint64_t, list->len - 1) == caller.entry)
		return;
	g_array_append_val(list, caller.entry);
}

static GArray *functions_where(const struct sites *sites, bool (*wanted)(const char *name))
{
	GArray *list = g_array_new(FALSE, FALSE, sizeof(uint64_t));
	struct go_function f;

	for (size_t t = 0; t < sites->table_count; t++)
		for (uint32_t i = 0; i < pclntab_count(sites->tables[t]); i++)
			if (pclntab_function(sites->tables[t], i, &f) && f.name && wanted(f.name))
				g_array_append_val(list, f.entry);
	g_array_sort(list, sorted_compare);
	return list;
}

static bool is_map_function(const char *name) { return go_map_function_find(name) != NULL; }

static void scan_all(struct sites *sites, const GArray *targets,
		     void (*visit)(uint64_t, uint64_t, void *), void *context)
{
	struct call_targets list = {(const uint64_t *)(const void *)targets->data, targets->len};

	for (size_t t = 0; t < sites->table_count; t++)
		call_graph_scan(sites->memory, sites->tables[t], sites->abi.arch, list, visit,
				context);
}

static const GArray *generic_callers(struct sites *sites, uint64_t entry)
{
	if (!sites->callers) {
		GArray *generic = functions_where(sites, is_generic);
		struct generic_scan scan = {sites, NULL};

		sites->callers = scan.callers =
			g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, array_free);
		for (guint i = 0; i < generic->len; i++)
			g_hash_table_insert(scan.callers,
					    g_memdup2(&g_array_index(generic, uint64_t, i), 8),
					    g_array_new(FALSE, FALSE, sizeof(uint64_t)));
		scan_all(sites, generic, note_generic_caller, &scan);
		g_array_unref(generic);
	}
	return g_hash_table_lookup(sites->callers, &entry);
}

static uint64_t constant_of(struct sites *sites, struct function_code *in, struct flow_value value,
			    unsigned depth);

/* What every direct caller passes in that register; 0 when they differ or one does not tell. */
static uint64_t constant_passed(struct sites *sites, struct function_code *to, uint8_t argument,
				unsigned depth)
{
	const GArray *callers = generic_callers(sites, to->function.entry);
	uint64_t agreed = 0;

	for (guint i = 0; callers && i < callers->len; i++) {
		struct go_function function;
		struct function_code *from;

		if (!function_at(sites, g_array_index(callers, uint64_t, i), &function))
			return 0;
		from = code_of(sites, &function);
		for (guint j = 0; j < from->generic->len; j++) {
			struct generic_call *call =
				&g_array_index(from->generic, struct generic_call, j);
			uint64_t passed;

			if (call->target != to->function.entry)
				continue;
			passed =
				constant_of(sites, from, call->registers[argument & 31], depth + 1);
			if (!passed || (agreed && agreed != passed))
				return 0;
			agreed = passed;
		}
	}
	return agreed;
}

/* The number that @value must be at run time; 0 when the code does not say. */
static uint64_t constant_of(struct sites *sites, struct function_code *in, struct flow_value value,
			    unsigned depth)
{
	uint64_t pointer = 0, word = 0;

	switch (value.kind) {
	case FLOW_CONSTANT:
		return (uint64_t)value.number;
	case FLOW_LOADED: /* through the global offset table */
		memory_u64(sites->memory, (uint64_t)value.number, &word);
		return word;
	case FLOW_ARGUMENT:
	case FLOW_FIELD:
		if (value.argument == CODE_NONE || depth > DICTIONARY_DEPTH ||
		    !is_generic(in->function.name))
			return 0;
		pointer = constant_passed(sites, in, value.argument, depth);
		if (value.kind == FLOW_ARGUMENT || !pointer)
			return pointer;
		memory_u64(sites->memory, pointer + (uint64_t)value.number, &word);
		return word;
	default:
		return 0;
	}
}

static void find_types(struct sites *sites, struct function_code *f)
{
	f->typed = true;
	for (guint i = 0; i < f->sites->len; i++) {
		struct map_site *site = &g_array_index(f->sites, struct map_site, i);
		uint64_t address =
			constant_of(sites, f, g_array_index(f->types, struct flow_value, i), 0);
		const struct go_type *type = address ? types_at(sites->types, address) : NULL;

		if (type && type->kind == GO_KIND_MAP)
			site->type = type;
	}
}

const struct map_site *sites_in(struct sites *sites, const struct go_function *function,
				size_t *ret_count)
{
	struct function_code *f = code_of(sites, function);

	if (!f->typed)
		find_types(sites, f);
	*ret_count = f->sites->len;
	return (const struct map_site *)(const void *)f->sites->data;
}

const uint64_t *sites_callees(struct sites *sites, const struct go_function *function,
			      size_t *ret_count)
{
	struct function_code *f = code_of(sites, function);

	*ret_count = f->callees->len;
	return (const uint64_t *)(const void *)f->callees->data;
}

const uint64_t *sites_data_references(struct sites *sites, const struct go_function *function,
				      size_t *ret_count)
{
	struct function_code *f = code_of(sites, function);

	*ret_count = f->references->len;
	return (const uint64_t *)(const void *)f->references->data;
}

const struct indirect_call *
sites_indirect_calls(struct sites *sites, const struct go_function *function, size_t *ret_count)
{
	struct function_code *f = code_of(sites, function);

	*ret_count = f->indirect->len;
	return (const struct indirect_call *)(const void *)f->indirect->data;
}

bool sites_call_after(struct sites *sites, const struct go_function *function, uint64_t pc,
		      uint64_t *ret_return_pc, uint64_t *ret_target)
{
	const GArray *calls = code_of(sites, function)->calls;

	for (guint i = 0; i < calls->len; i++) {
		const struct call_end *call = &g_array_index(calls, struct call_end, i);

		if (call->return_pc <= pc)
			continue;
		*ret_return_pc = call->return_pc;
		*ret_target = call->target;
		return true;
	}
	return false;
}

static bool in_text(const struct sites *sites, uint64_t pc)
{
	for (size_t i = 0; i < sites->table_count; i++) {
		const struct pclntab_module *module = pclntab_module(sites->tables[i]);

		if (pc > module->minpc && pc <= module->maxpc)
			return true;
	}
	return false;
}

bool sites_is_return_address(struct sites *sites, uint64_t return_pc, uint64_t *ret_target)
{
	enum { LONGEST = 7 }; /* FF /2 with SIB and 32 bits of displacement */

	*ret_target = 0;
	if (!in_text(sites, return_pc))
		return false;
	for (uint64_t n = LONGEST; n >= 2; n--) {
		const uint8_t *p = memory_view(sites->memory, return_pc - n, n);

		if (p)
			return code_ends_in_call(sites->abi.arch, p, p + n, return_pc, ret_target);
	}
	return false;
}

bool sites_is_call_boundary(struct sites *sites, uint64_t return_pc, uint64_t *ret_target)
{
	struct go_function function;
	const struct function_code *f;
	const struct call_end *call;

	*ret_target = 0;
	if (!sites_is_return_address(sites, return_pc, ret_target) ||
	    !function_at(sites, return_pc - 1, &function))
		return false;
	f = code_of(sites, &function);
	call = bsearch(&return_pc, f->calls->data, f->calls->len, sizeof(struct call_end),
		       sorted_compare);
	if (call)
		*ret_target = call->target;
	return call != NULL;
}

const struct map_site *sites_returning_to(struct sites *sites, uint64_t return_pc)
{
	struct go_function function;
	const struct map_site *found;
	uint64_t target;
	size_t count;

	if (!sites_is_return_address(sites, return_pc, &target) || !target ||
	    !callee_of(sites, target)->map || !function_at(sites, return_pc - 1, &function))
		return NULL;
	found = sites_in(sites, &function, &count);
	for (size_t i = 0; i < count; i++)
		if (found[i].return_pc == return_pc)
			return &found[i];
	return NULL;
}

static void keep_call(const struct code_operation *op, const struct flow_state *state,
		      void *context)
{
	struct reading *reading = context;

	if (op->kind != CODE_CALL || op->address + op->size != reading->return_pc)
		return;
	reading->ret_call->operation = *op;
	reading->ret_call->state = *state;
	reading->found = true;
}

static void keep_stop(const struct code_operation *op, const struct flow_state *state,
		      void *context)
{
	struct reading *reading = context;

	if (reading->found || op->address != reading->return_pc || !state->reached)
		return;
	reading->ret_call->operation = *op;
	reading->ret_call->state = *state;
	reading->found = true;
}

/* Of the function that covers @in; remembered, as many goroutines stand at one place. */
static bool state_at(struct sites *sites, GHashTable *known, uint64_t pc, uint64_t in,
		     void (*visit)(const struct code_operation *, const struct flow_state *,
				   void *),
		     struct flow_call *ret)
{
	struct reading reading = {.sites = sites, .return_pc = pc, .ret_call = ret};
	struct go_function function;
	gpointer kept;

	if (g_hash_table_lookup_extended(known, &pc, NULL, &kept)) {
		if (kept)
			*ret = *(struct flow_call *)kept;
		return kept != NULL;
	}
	if (function_at(sites, in, &function))
		follow_code(&reading, &function, visit);
	if (g_hash_table_size(known) >= STATES_KEPT)
		g_hash_table_remove_all(known);
	g_hash_table_insert(known, g_memdup2(&pc, sizeof(pc)),
			    reading.found ? g_memdup2(ret, sizeof(*ret)) : NULL);
	return reading.found;
}

bool sites_call_returning_to(struct sites *sites, uint64_t return_pc, struct flow_call *ret)
{
	return state_at(sites, sites->returns, return_pc, return_pc - 1, keep_call, ret);
}

bool sites_stopped_at(struct sites *sites, uint64_t pc, struct flow_call *ret)
{
	return state_at(sites, sites->stops, pc, pc, keep_stop, ret);
}

struct flow_abi sites_abi(const struct sites *sites) { return sites->abi; }

static void note_candidate(uint64_t end, uint64_t target, void *context)
{
	struct sites *sites = context;
	struct go_function f;

	(void)target;
	if (function_at(sites, end - 1, &f))
		g_array_append_val(sites->candidates, f.entry);
}

/* Functions whose bytes may call a map function, each once, by address. */
static void find_candidates(struct sites *sites)
{
	GArray *targets = functions_where(sites, is_map_function);
	guint kept = 0;

	sites->candidates = g_array_new(FALSE, FALSE, sizeof(uint64_t));
	scan_all(sites, targets, note_candidate, sites);
	g_array_unref(targets);
	g_array_sort(sites->candidates, sorted_compare);
	for (guint i = 0; i < sites->candidates->len; i++) {
		uint64_t entry = g_array_index(sites->candidates, uint64_t, i);

		if (!kept || g_array_index(sites->candidates, uint64_t, kept - 1) != entry)
			g_array_index(sites->candidates, uint64_t, kept++) = entry;
	}
	g_array_set_size(sites->candidates, kept);
}

void sites_each(struct sites *sites, void (*visit)(const struct map_site *, void *), void *context)
{
	if (!sites->candidates)
		find_candidates(sites);
	for (guint i = 0; i < sites->candidates->len; i++) {
		struct go_function f;
		const struct map_site *found;
		size_t count;

		if (!function_at(sites, g_array_index(sites->candidates, uint64_t, i), &f) ||
		    !f.name || is_map_function(f.name) ||
		    g_str_has_prefix(f.name, "internal/runtime/maps."))
			continue;
		found = sites_in(sites, &f, &count);
		for (size_t j = 0; j < count; j++)
			visit(&found[j], context);
	}
}
