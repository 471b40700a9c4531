// SPDX-License-Identifier: Apache-2.0
// A stripped program still says much about a word: the allocator keeps the type of larger objects
// (Go 1.22+), the type descriptors tell which struct has a map at that very offset, and a method on
// the stack tells that its receiver's type is in use. A type is only named when no other one fits.
#include "model/data/holder.h"

#include "model/data/heap.h"
#include "model/data/lock.h"
#include "model/stack/unwind.h"

#include <glib.h>
#include <string.h>

#define WORDS_MAX        64
#define CANDIDATES_MAX   8
#define FIELD_OFFSET_MAX 4096

/** What is known of the map: its type, and a site that used it; NULL each when not known. */
struct map_use {
	const struct go_type *type;
	const struct map_site *site;
};

struct words {
	GArray *list; // uint64_t
};

static void word_add(uint64_t word, uint64_t value, void *context)
{
	struct words *words = context;

	if (words->list->len < WORDS_MAX)
		g_array_append_val(words->list, word);
}

/** Struct types that could be what an object of @a size with a map at @a offset is. */
struct guess {
	uint64_t size, offset;
	const struct go_type
		*map; // as the code that used it has it, maybe by shape; NULL: not known
	const struct go_type *fits[CANDIDATES_MAX];
	size_t count;
};

/** Generic code is compiled for shapes; what it allocates has the real type. */
static bool is_shape(const struct go_type *type) { return strstr(type->full_name, "go.shape."); }

static bool is_alike(const struct go_type *a, const struct go_type *b)
{
	return !a || !b || (a->kind == b->kind && a->size == b->size);
}

/** Can code have used a map of the type @a declared as one of @a used? */
static bool is_map_as(const struct go_type *declared, const struct go_type *used)
{
	if (declared->kind != GO_KIND_MAP)
		return false;
	if (declared == used || !strcmp(declared->full_name, used->full_name))
		return true;
	return is_shape(used) && is_alike(declared->key, used->key) &&
	       is_alike(declared->elem, used->elem);
}

/** Instances of a generic type differ in their maps alone. */
static bool may_be_of(const struct go_type *holder, const struct go_type *declared,
		      const struct go_type *used)
{
	return used ? is_map_as(declared, used) : !strchr(holder->full_name, '[');
}

static void guess_consider(struct guess *guess, const struct go_type *type)
{
	const struct go_type *leaf;
	char path[256] = "";

	if (type->kind != GO_KIND_STRUCT || !type->named || type->size > guess->size ||
	    type->size * 2 <= guess->size || guess->offset >= type->size)
		return;
	if (!go_type_path(type, guess->offset, path, sizeof(path), &leaf) || !leaf ||
	    is_shape(type) || !may_be_of(type, leaf, guess->map))
		return;
	for (size_t i = 0; i < MIN(guess->count, (size_t)CANDIDATES_MAX); i++)
		if (guess->fits[i] == type)
			return;
	if (guess->count < CANDIDATES_MAX)
		guess->fits[guess->count] = type;
	guess->count++;
}

static void guess_type(const struct go_type *type, void *context)
{
	guess_consider(context, type);
	if (type->elem && type->kind == GO_KIND_POINTER)
		guess_consider(context, type->elem);
}

/** "main.(*store" for main.store and main.store[int]; NULL for a type that cannot have methods. */
static char *method_prefix(const struct go_type *type)
{
	const char *name = type->full_name;
	size_t length = strcspn(name, "[");
	const char *dot = g_strrstr_len(name, (gssize)length, ".");

	return dot ? g_strdup_printf("%.*s.(*%.*s", (int)(dot - name), name,
				     (int)(length - (size_t)(dot + 1 - name)), dot + 1)
		   : NULL;
}

/** The arguments of a generic type are not compared: functions are named by shapes. */
static bool is_method(const char *function, const char *prefix)
{
	const char *rest = function + strlen(prefix);

	return g_str_has_prefix(function, prefix) && (*rest == '[' || g_str_has_prefix(rest, ")."));
}

/** True when a method of @a type is on the stack of a detector. */
static bool receiver_on_stack(struct program *program, const struct go_type *type)
{
	g_autofree char *prefix = method_prefix(type);

	for (size_t i = 0; prefix && i < program->live_count; i++) {
		if (!program->goroutines[i].detector)
			continue;

		const struct stack *stack = program_stack(program, &program->goroutines[i]);

		for (size_t j = 0; j < stack->count; j++)
			if (stack->frames[j].site->function &&
			    is_method(stack->frames[j].site->function, prefix))
				return true;
	}
	return false;
}

static const struct go_type *guess_decide(struct program *program, const struct guess *guess)
{
	const struct go_type *found = NULL;

	if (guess->count == 1)
		return guess->fits[0];
	for (size_t i = 0; i < MIN(guess->count, (size_t)CANDIDATES_MAX); i++) {
		if (!receiver_on_stack(program, guess->fits[i]))
			continue;
		if (found)
			return NULL;
		found = guess->fits[i];
	}
	return found;
}

static const struct go_type *object_type(struct program *program, const struct heap_object *object,
					 uint64_t word, const struct map_use *use)
{
	struct guess guess = {.size = object->address + object->size - object->data,
			      .offset = word - object->data,
			      .map = use->type};

	if (object->type)
		return types_at(program->types, object->type);
	types_each(program->types, guess_type, &guess);
	return guess_decide(program, &guess);
}

static bool holder_object(struct program *program, uint64_t word, const struct map_use *use,
			  struct owner *ret)
{
	struct heap_object object;
	const struct go_type *leaf;
	char path[256] = "";

	if (!heap_object_at(program, word, &object) || !object.allocated || word < object.data)
		return false;

	const struct go_type *type = object_type(program, &object, word, use);
	// an array of them was allocated with its element's type
	uint64_t offset = type && type->size ? (word - object.data) % type->size : 0;

	if (!type || go_type_is_runtimes(type) ||
	    !go_type_path(type, offset, path, sizeof(path), &leaf))
		return false;
	*ret = (struct owner){.path = arena_format(program->arena, "%s%s", type->name, path),
			      .via = "type only",
			      .holder_type = type->full_name,
			      .type = leaf && leaf->kind == GO_KIND_MAP ? leaf : NULL,
			      .word = word,
			      .hops = 1};
	if (object.type) // where it is guessed, so would the locks be
		ret->lock_count =
			locks_in(program, type->name, "", type, word - offset, &ret->locks);
	return true;
}

/** Receivers' types of the methods on the detectors' stacks. */
struct receivers {
	struct program *program;
	const struct go_type *types[CANDIDATES_MAX];
	size_t count;
};

static void receiver_consider(const struct go_type *type, void *context)
{
	struct receivers *receivers = context;
	const struct go_type *base = type->kind == GO_KIND_POINTER ? type->elem : NULL;

	if (base && base->named && base->kind == GO_KIND_STRUCT && !is_shape(base) &&
	    receivers->count < CANDIDATES_MAX && receiver_on_stack(receivers->program, base))
		receivers->types[receivers->count++] = base;
}

static void word_count(uint64_t word, uint64_t value, void *context) { ++*(size_t *)context; }

/** True when @a word is a map field of a struct of @a type that something points to. */
static bool field_of(struct program *program, const struct go_type *type, uint64_t word,
		     const struct map_use *use, struct owner *ret)
{
	for (uint64_t offset = 0; offset < type->size && offset < FIELD_OFFSET_MAX; offset += 8) {
		const struct go_type *leaf;
		char path[256] = "";
		size_t pointers = 0;

		if (!go_type_path(type, offset, path, sizeof(path), &leaf) || !leaf ||
		    leaf->kind != GO_KIND_MAP || !may_be_of(type, leaf, use->type))
			continue;
		heap_references(program, word - offset, word - offset + 1, word_count, &pointers);
		if (!pointers)
			continue;
		*ret = (struct owner){
			.path = arena_format(program->arena, "%s%s", type->name, path),
			.via = "type only",
			.holder_type = type->full_name,
			.type = leaf,
			.word = word,
			.hops = 1};
		return true;
	}
	return false;
}

/** A struct that the compiler laid out in the data segment, the receiver of a method that was running. */
static bool holder_static(struct program *program, uint64_t word, const struct map_use *use,
			  struct owner *ret)
{
	struct receivers receivers = {program};

	if (!program_in_data(program, word))
		return false;
	types_each(program->types, receiver_consider, &receivers);
	for (size_t i = 0; i < receivers.count; i++)
		if (field_of(program, receivers.types[i], word, use, ret))
			return true;
	return false;
}

/**
 * "main.store" of "main.(*store).get"; NULL when it is no method of a pointer. The arguments of a
 * generic type's name are shapes there, and left out.
 */
static char *receiver_name(const char *function)
{
	const char *open = strstr(function, ".(*"), *close = open ? strstr(open, ").") : NULL;
	size_t length = close ? (size_t)(close - open) - strlen(".(*") : 0;
	const char *name = open ? open + strlen(".(*") : NULL, *bracket;

	if (!close || strchr(close + strlen(")."), '.')) // of a closure in a method
		return NULL;
	bracket = memchr(name, '[', length);
	return bracket ? g_strdup_printf("%.*s.%.*s[...]", (int)(open - function), function,
					 (int)(bracket - name), name)
		       : g_strdup_printf("%.*s.%.*s", (int)(open - function), function, (int)length,
					 name);
}

/**
 * The word belongs to the receiver of the method that used the map: its code says at which offset. An object whose type the
 * allocator keeps is no guess.
 */
static bool holder_receiver(struct program *program, uint64_t word, const struct map_use *use,
			    struct owner *ret)
{
	g_autofree char *name = use->site && use->site->source.first_argument
					? receiver_name(use->site->caller.name)
					: NULL;
	struct heap_object object;

	if (!name || use->site->source.offset < 0)
		return false;
	if (heap_object_at(program, word, &object)
		    ? object.type || word - object.data < (uint64_t)use->site->source.offset
		    : !program_in_data(program, word))
		return false;
	*ret = (struct owner){.path = arena_format(program->arena, "%s, the field at +%lld", name,
						   (long long)use->site->source.offset),
			      .via = "type only",
			      .holder_type = arena_string(program->arena, text_of(name)),
			      .word = word,
			      .hops = 1};
	return true;
}

static bool holder_global(struct program *program, uint64_t word, const struct map_use *use,
			  struct owner *ret)
{
	struct debuginfo_variable variable;

	if (!program_in_data(program, word))
		return false;

	bool named = program->debuginfo &&
		     debuginfo_global_at(program->debuginfo, word - program->bias, &variable);

	*ret = (struct owner){.path = named ? variable.name
					    : arena_format(program->arena,
							   "a package-level variable at 0x%lx",
							   (unsigned long)word),
			      .via = "global",
			      .holder_type = "",
			      .word = word};
	return true;
}

static const char *frame_function(const struct stack *stack, uint64_t word)
{
	for (size_t i = 0; i < stack->count; i++) {
		const struct frame *frame = &stack->frames[i];

		if (!frame->site->inlined && word >= frame->sp && word < frame->cfa)
			return frame->function->name;
	}
	return NULL;
}

static bool holder_local(struct program *program, uint64_t word, const struct map_use *use,
			 struct owner *ret)
{
	for (size_t i = 0; i < program->live_count; i++) {
		struct goroutine *goroutine = &program->goroutines[i];

		if (word < goroutine->live_sp || word < goroutine->stack_lo ||
		    word >= goroutine->stack_hi)
			continue;

		const char *function = frame_function(program_stack(program, goroutine), word);

		if (!function || go_is_runtime_function(function))
			return false;
		*ret = (struct owner){.path = arena_format(program->arena,
							   "a local of %s, goroutine %lu", function,
							   (unsigned long)goroutine->id),
				      .via = "local",
				      .holder_type = "",
				      .word = word};
		return true;
	}
	return false;
}

struct named_type {
	const char *name;
	const struct go_type *found;
};

static void match_name(const struct go_type *type, void *context)
{
	struct named_type *named = context;

	if (type->elem && type->kind == GO_KIND_POINTER)
		type = type->elem; // a struct whose values are never boxed has a descriptor only there
	if (!strcmp(type->full_name, named->name))
		named->found = type;
}

/** The field's name, where the program kept the struct's type. */
static const char *field_path(struct program *program, const char *name, int64_t offset)
{
	struct named_type named = {.name = name};
	const struct go_type *type = NULL;
	char path[256] = "";

	types_each(program->types, match_name, &named);
	if (named.found && offset >= 0 &&
	    go_type_path(named.found, (uint64_t)offset, path, sizeof(path), &type) && type &&
	    type->kind == GO_KIND_MAP)
		return arena_format(program->arena, "%s%s", named.found->name, path);
	return arena_format(program->arena, "%s, the field at +%lld", name, (long long)offset);
}

bool holder_by_code(struct program *program, const struct map_site *site, struct owner *ret)
{
	g_autofree char *name = NULL;

	if (!site)
		return false;
	if (site->source.kind == MAP_SOURCE_GLOBAL &&
	    holder_global(program, site->source.address, NULL, ret)) {
		ret->type = site->type;
		ret->word = 0;
		return true;
	}
	if (site->source.kind == MAP_SOURCE_FIELD && site->source.first_argument)
		name = receiver_name(site->caller.name);
	if (!name)
		return false;
	*ret = (struct owner){.path = field_path(program, name, site->source.offset),
			      .via = "type only",
			      .holder_type = arena_string(program->arena, text_of(name)),
			      .type = site->type,
			      .hops = 1};
	return true;
}

/** True when an owner of that word was found already. */
static bool word_known(const struct owner *owners, size_t count, uint64_t word)
{
	for (size_t i = 0; i < count; i++)
		if (owners[i].word == word)
			return true;
	return false;
}

size_t holders_of(struct program *program, uint64_t address, const struct go_type *type,
		  const struct map_site *used_at, struct owner *ret, size_t room)
{
	const struct map_use use = {type, used_at};
	static bool (*const kinds[])(struct program *, uint64_t, const struct map_use *,
				     struct owner *) = {
		holder_object, holder_static, holder_receiver, holder_global, holder_local};
	struct words words = {g_array_new(FALSE, FALSE, sizeof(uint64_t))};
	size_t count = 0;

	heap_references(program, address, address + 1, word_add, &words);
	for (size_t kind = 0; kind < G_N_ELEMENTS(kinds); kind++) {
		for (guint i = 0; i < words.list->len && count < room; i++) {
			uint64_t word = g_array_index(words.list, uint64_t, i);

			if (word_known(ret, count, word))
				continue;
			count += kinds[kind](program, word, &use, &ret[count]);
		}
	}
	g_array_free(words.list, TRUE);
	return count;
}
