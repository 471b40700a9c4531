// SPDX-License-Identifier: Apache-2.0
#include "model/code/origin.h"

#include "base/bytes.h"
#include "base/sorted.h"
#include "model/code/control.h"

#include <glib.h>
#include <string.h>

#define WORD           8
#define FUNCTIONS_MAX  512 /* that lead to one */
#define ONCE_CALLS_MAX 16  /* from main.main to a `go` statement that is made once */
#define VIEW_BYTES     4096u

struct origins {
	struct program *program;
	struct callers *callers;
	struct itabs *itabs;
	struct code *code;
	GHashTable *known; // entry → GArray of struct origin; NULL where not all can be told
	GArray *visited;   // uint64_t: entries of all functions that the answers rest on
};

static void free_array(gpointer array)
{
	if (array)
		g_array_free(array, TRUE);
}

struct origins *origins_new(struct program *program, struct callers *callers)
{
	struct origins *origins = g_new0(struct origins, 1);

	origins->program = program;
	origins->callers = callers;
	origins->itabs = itabs_new(program);
	origins->code = code_new(program->arch);
	origins->known = g_hash_table_new_full(NULL, NULL, NULL, free_array);
	origins->visited = g_array_new(FALSE, FALSE, sizeof(uint64_t));
	return origins;
}

void origins_free(struct origins *origins)
{
	if (!origins)
		return;
	itabs_free(origins->itabs);
	code_free(origins->code);
	g_hash_table_destroy(origins->known);
	g_array_free(origins->visited, TRUE);
	g_free(origins);
}

static bool function_at(const struct origins *origins, uint64_t pc, struct go_function *ret)
{
	uint32_t table;

	return program_function(origins->program, pc, ret, &table);
}

static bool is_main(const struct go_function *function)
{
	return !strcmp(function->name, "main.main");
}

/** A method of some interface: whoever has one of those calls it without naming it. */
static bool is_method(const struct origins *origins, const struct go_function *function)
{
	size_t count;

	itabs_slots_of(origins->itabs, function->entry, &count);
	return count > 0;
}

/** "Put" of "main.(*store).Put" or "main.store.Put": what reflect.Value.Method finds by its name. */
static bool is_exported_method(const struct go_function *function)
{
	struct text package = go_package_of(function->name);
	const char *dot = strrchr(function->name, '.');

	return dot && dot > function->name + package.n && g_ascii_isupper(dot[1]);
}

/** Reflection calls methods that no itab has: text/template, net/rpc. */
static bool may_be_called_by_name(const struct origins *origins, const struct go_function *function)
{
	struct go_function call;

	return is_exported_method(function) &&
	       program_function_named(origins->program, "reflect.Value.call", &call);
}

/** Control comes back to the call that ends at @a end, without leaving its function. */
static bool is_in_loop(struct origins *origins, const struct go_function *function, uint64_t end)
{
	struct control *control = control_read(origins->program, origins->code, function);
	GArray *ahead = control_ahead(control, end);
	// a function too large to be read shows no calls
	bool loop = !control->call_count || control_is_ahead(ahead, end - 1);

	g_array_free(ahead, TRUE);
	control_free(control);
	return loop;
}

/** A jump of its own to its beginning follows a stack check that failed; a call is recursion. */
static bool is_stack_check(const struct origins *origins, const struct go_function *function,
			   const struct caller *caller)
{
	uint64_t target;

	return !caller->value && caller->end > function->entry && caller->end <= function->end &&
	       !sites_is_return_address(origins->program->sites, caller->end, &target);
}

/** NULL when there are several, or none. */
static const struct caller *only_caller(const struct origins *origins,
					const struct go_function *function)
{
	const struct caller *only = NULL;
	size_t count;
	const struct caller *callers = callers_of(origins->callers, function->entry, &count);

	for (size_t i = 0; i < count; i++) {
		if (is_stack_check(origins, function, &callers[i]))
			continue;
		if (only)
			return NULL;
		only = &callers[i];
	}
	return only;
}

/** By the runtime alone, which refers to it at several places. */
static bool is_called_once_by_runtime(const struct origins *origins,
				      const struct go_function *function)
{
	size_t count;
	const struct caller *callers = callers_of(origins->callers, function->entry, &count);

	for (size_t i = 0; i < count; i++) {
		struct go_function from;

		if (!is_stack_check(origins, function, &callers[i]) &&
		    (!function_at(origins, callers[i].end - 1, &from) ||
		     !go_is_runtime_function(from.name)))
			return false;
	}
	return true;
}

/** Every call on the one way from main.main, or from an initializer, is made at one place and in no loop. */
static bool runs_once(struct origins *origins, struct go_function function)
{
	for (unsigned i = 0; i < ONCE_CALLS_MAX; i++) {
		const struct caller *caller = only_caller(origins, &function);
		struct go_function from;

		if (go_is_package_initializer(function.name))
			return true;
		if (is_main(&function))
			return is_called_once_by_runtime(origins, &function);
		if (!caller || is_method(origins, &function) ||
		    may_be_called_by_name(origins, &function) ||
		    !function_at(origins, caller->end - 1, &from) || from.entry == function.entry ||
		    is_in_loop(origins, &from, caller->end) ||
		    (caller->value && !callers_go_statement(origins->program, caller->end)))
			return false;
		g_array_append_val(origins->visited, function.entry);
		function = from;
	}
	return false;
}

struct search {
	struct origins *origins;
	GArray *functions; // struct go_function: all that lead to the one asked about
	GArray *found;     // struct origin
};

static void add_function(struct search *search, struct go_function function)
{
	for (guint i = 0; i < search->functions->len; i++)
		if (g_array_index(search->functions, struct go_function, i).entry == function.entry)
			return;
	g_array_append_val(search->functions, function);
}

/** Somewhere the program ends goroutines in the middle of their work. */
static bool calls_goexit(const struct origins *origins)
{
	struct go_function goexit, from;
	const struct caller *callers;
	size_t count;

	if (!program_function_named(origins->program, CALLERS_GOEXIT, &goexit))
		return false;
	callers = callers_of(origins->callers, goexit.entry, &count);
	for (size_t i = 0; i < count; i++)
		if (!function_at(origins, callers[i].end - 1, &from) ||
		    !go_is_runtime_function(from.name))
			return true;
	return false;
}

/** What comes after a panic that was recovered returns, and no jump leads there. */
static bool is_endless(struct origins *origins, const struct go_function *function)
{
	struct control *control = control_read(origins->program, origins->code, function);
	GArray *ahead = control_ahead(control, function->entry);
	bool endless = !function->deferreturn && !control_may_return(control, ahead) &&
		       !calls_goexit(origins);

	g_array_free(ahead, TRUE);
	control_free(control);
	return endless;
}

static void add_start(struct search *search, const struct go_function *function, bool only)
{
	struct origin origin = {function->entry, only && runs_once(search->origins, *function),
				is_endless(search->origins, function)};

	for (guint i = 0; i < search->found->len; i++)
		if (g_array_index(search->found, struct origin, i).start == origin.start)
			return;
	g_array_append_val(search->found, origin);
}

/** The main goroutine begins in runtime.main, which calls main.main by a function value. */
static bool add_main(struct search *search)
{
	struct origin origin = {.once = true};
	struct go_function start;

	if (!program_function_named(search->origins->program, "runtime.main", &start))
		return false;
	origin.start = start.entry;
	g_array_append_val(search->found, origin);
	return true;
}

/** Who comes to @a function in one step. */
static bool expand(struct search *search, const struct go_function *function)
{
	struct origins *origins = search->origins;
	size_t count, values = 0;
	const struct caller *callers = callers_of(origins->callers, function->entry, &count);

	if (go_is_package_initializer(function->name))
		return true;
	if (is_main(function) && !add_main(search))
		return false;
	if (!count || is_method(origins, function) || may_be_called_by_name(origins, function))
		return false;
	for (size_t i = 0; i < count; i++)
		values += callers[i].value;
	for (size_t i = 0; i < count; i++) {
		struct go_function from;

		if (!function_at(origins, callers[i].end - 1, &from))
			return false;
		if (is_main(function) && go_is_runtime_function(from.name))
			continue;
		if (!callers[i].value)
			add_function(search, from);
		else if (callers_go_statement(origins->program, callers[i].end))
			add_start(search, function, values == 1);
		else
			return false;
	}
	return true;
}

static GArray *search_from(struct origins *origins, uint64_t entry)
{
	struct search search = {origins, g_array_new(FALSE, FALSE, sizeof(struct go_function)),
				g_array_new(FALSE, FALSE, sizeof(struct origin))};
	struct go_function function;
	bool all = function_at(origins, entry, &function);

	if (all)
		g_array_append_val(search.functions, function);
	for (guint i = 0; i < search.functions->len && all; i++) {
		function = g_array_index(search.functions, struct go_function, i);
		if (!is_main(&function))
			g_array_append_val(origins->visited, function.entry);
		all = i < FUNCTIONS_MAX && expand(&search, &function);
	}
	g_array_free(search.functions, TRUE);
	if (all)
		return search.found;
	g_array_free(search.found, TRUE);
	return NULL;
}

bool origins_of(struct origins *origins, uint64_t entry, const struct origin **ret,
		size_t *ret_count)
{
	gpointer key = GSIZE_TO_POINTER(entry), value;
	GArray *found;

	if (!g_hash_table_lookup_extended(origins->known, key, NULL, &value)) {
		value = search_from(origins, entry);
		g_hash_table_insert(origins->known, key, value);
	}
	found = value;
	if (!found)
		return false;
	*ret = (const struct origin *)(const void *)found->data;
	*ret_count = found->len;
	return true;
}

typedef void (*word_visit)(uint64_t address, uint64_t word, void *context);

static void each_word_in(const struct program *program, uint64_t low, uint64_t high,
			 word_visit visit, void *context)
{
	uint8_t buffer[VIEW_BYTES];
	uint64_t size;

	for (uint64_t at = low; at < high; at += size) {
		const void *view;
		struct bytes words;
		uint64_t word;

		size = MIN(high - at, VIEW_BYTES);
		view = memory_glance(program->memory, at, size, buffer);
		if (!view)
			continue;
		words = bytes_over(view, size, memory_place(program->memory, at));
		for (uint64_t slot = at; bytes_left(&words) >= WORD; slot += WORD) {
			if (bytes_u64(&words, "a variable", &word))
				break; // cannot be: the loop asks for what is left
			visit(slot, word, context);
		}
	}
}

/** The words of the program's variables and constants; those of its code are instructions. */
static void each_word(const struct program *program, word_visit visit, void *context)
{
	size_t count;
	const struct memory_range *ranges = memory_ranges(program->memory, &count);

	for (size_t i = 0; i < program->module_count; i++) {
		const struct moduledata *module = &program->modules[i];
		uint64_t end = MAX(module->end, module->etypes);

		for (size_t j = 0; j < count; j++) {
			uint64_t low = MAX(ranges[j].address, module->pclntab.maxpc);
			uint64_t high = MIN(ranges[j].address + ranges[j].size, end);

			each_word_in(program, (low + WORD - 1) & ~(uint64_t)(WORD - 1), high, visit,
				     context);
		}
	}
}

/** Sorted addresses, and those of the words that hold one. */
struct word_search {
	const GArray *wanted; // uint64_t
	GArray *found;        // uint64_t
};

static void note_word(uint64_t address, uint64_t word, void *context)
{
	struct word_search *search = context;
	size_t count;

	sorted_run(search->wanted->data, search->wanted->len, WORD, word, &count);
	if (count)
		g_array_append_val(search->found, address);
}

/** In address order. */
static GArray *words_that_hold(const struct program *program, GArray *wanted)
{
	struct word_search search = {wanted, g_array_new(FALSE, FALSE, sizeof(uint64_t))};

	g_array_sort(wanted, sorted_compare);
	each_word(program, note_word, &search);
	return search.found;
}

bool origins_hold(struct origins *origins)
{
	// a function value is the address of a word that holds the function's
	GArray *values = words_that_hold(origins->program, origins->visited);
	GArray *variables = words_that_hold(origins->program, values);
	bool none = !variables->len;

	g_array_free(variables, TRUE);
	g_array_free(values, TRUE);
	return none;
}
