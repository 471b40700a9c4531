// SPDX-License-Identifier: Apache-2.0
// A stripped program still says much about a word: the allocator keeps the type of larger objects
// (Go 1.22+), the type descriptors tell which struct has a map at that very offset, and a method on
// the stack tells that its receiver's type is in use. A type is only named when no other one fits.
#include "model/data/holder.h"

#include "model/data/lock.h"
#include "model/data/map_element.h"
#include "model/data/object_type.h"
#include "model/data/receiver.h"
#include "model/stack/unwind.h"

#include <string.h>

#define WORDS_MAX        256 /* in one kind of place */
#define ALIKE_MAX        2   /* owners that are told by one path */
#define SEARCHES_MAX     8   /* for methods called on objects, a pass over the heap each */
#define CANDIDATES_MAX   8
#define FIELD_OFFSET_MAX 4096
#define NAMED_MAX        3 /* types that are told where several fit */
#define NESTED_MAX       3 /* maps in maps */

/** What is known of the map: its type, and a site that used it; NULL each when not known. */
struct map_use {
	const struct go_type *type;
	const struct map_site *site;
	struct object_types *types; // of the program
	unsigned *searches_left;
	unsigned depth; // maps that this one is an element of, so far
};

static size_t holders_find(struct program *program, uint64_t address, const struct map_use *use,
			   struct owner *ret, size_t room);

/** Words that hold the address, by where they are: of those of the heap and of stacks there can be any number. */
enum word_place { WORD_DATA, WORD_HEAP, WORD_STACK, WORD_PLACES };

struct words {
	struct program *program;
	GArray *lists[WORD_PLACES]; // uint64_t
};

static void word_add(uint64_t word, uint64_t value, void *context)
{
	struct words *words = context;
	struct heap_object object;
	GArray *list = words->lists[WORD_STACK];

	if (program_in_data(words->program, word))
		list = words->lists[WORD_DATA];
	else if (heap_object_at(words->program, word, &object))
		list = object.allocated ? words->lists[WORD_HEAP] : NULL;
	if (list && list->len < WORDS_MAX)
		g_array_append_val(list, word);
}

/** Variables first, stacks last. */
static GArray *words_with(struct program *program, uint64_t address)
{
	struct words words = {program, {NULL}};

	for (size_t i = 0; i < WORD_PLACES; i++)
		words.lists[i] = g_array_new(FALSE, FALSE, sizeof(uint64_t));
	heap_references(program, address, address + 1, word_add, &words);
	for (size_t i = 1; i < WORD_PLACES; i++) {
		g_array_append_vals(words.lists[0], words.lists[i]->data, words.lists[i]->len);
		g_array_free(words.lists[i], TRUE);
	}
	return words.lists[0];
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

static size_t receivers_search(struct program *program, const struct map_use *use, uint64_t low,
			       uint64_t high, struct receiver ret[CANDIDATES_MAX])
{
	if (!program_in_data(program, high)) { // variables are few
		if (!*use->searches_left)
			return 0;
		--*use->searches_left;
	}
	return receivers_in(program, low, high, ret, CANDIDATES_MAX);
}

/** Of several types, the one whose methods are called on that object, or run on a detector's stack. */
static const struct object_guess *guess_decide(struct program *program,
					       const struct heap_object *object, uint64_t word,
					       const struct map_use *use,
					       const struct object_guess *guesses, size_t count)
{
	struct receiver receivers[CANDIDATES_MAX];
	const struct object_guess *found = NULL;
	size_t known = receivers_search(program, use, object->data, word, receivers);

	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < known; j++)
			if (receiver_is(receivers[j].type, guesses[i].type->full_name))
				return &guesses[i];
	for (size_t i = 0; i < count; i++) {
		if (!receiver_on_stack(program, guesses[i].type))
			continue;
		if (found)
			return NULL;
		found = &guesses[i];
	}
	return found;
}

/** The field, and whose it is: @a offset bytes into a value of @a type. */
static bool field_owner(struct program *program, const struct go_type *type, uint64_t offset,
			uint64_t word, struct owner *ret)
{
	const struct go_type *leaf, *holder = go_type_holder(type, offset);
	char path[256] = "";

	if (go_type_is_runtimes(type) || !go_type_path(type, offset, path, sizeof(path), &leaf))
		return false;
	*ret = (struct owner){.path = arena_format(program->arena, "%s%s", type->name, path),
			      .via = "type only",
			      .holder_type = (holder ? holder : type)->full_name,
			      .type = leaf && leaf->kind == GO_KIND_MAP ? leaf : NULL,
			      .word = word,
			      .hops = 1};
	return true;
}

/** All that it may be, and of no type for certain. */
static bool several_owners(struct program *program, const struct object_guess *guesses,
			   size_t count, uint64_t offset, uint64_t word, struct owner *ret)
{
	g_autoptr(GString) text = g_string_new(NULL);

	for (size_t i = 0; i < count; i++) {
		struct owner one;

		if (i < NAMED_MAX && field_owner(program, guesses[i].type,
						 offset % guesses[i].type->size, word, &one))
			g_string_append_printf(text, "%s%s", text->len ? " or " : "", one.path);
	}
	if (count > NAMED_MAX)
		g_string_append(text, " or others");
	*ret = (struct owner){.path = arena_string(program->arena, text_of(text->str)),
			      .via = "type only",
			      .holder_type = "",
			      .word = word,
			      .hops = 1};
	return text->len != 0;
}

static bool guessed_object(struct program *program, const struct heap_object *object, uint64_t word,
			   const struct map_use *use, struct owner *ret)
{
	struct object_guess guesses[OBJECT_GUESSES_MAX];
	size_t count = object_types_fit(use->types, object, word, use->type, guesses);
	const struct object_guess *guess =
		count == 1 ? guesses : guess_decide(program, object, word, use, guesses, count);
	uint64_t offset = word - object->data;

	if (!count)
		return false;
	return guess ? field_owner(program, guess->type, offset % guess->type->size, word, ret)
		     : several_owners(program, guesses, count, offset, word, ret);
}

static bool holder_object(struct program *program, uint64_t word, const struct map_use *use,
			  struct owner *ret)
{
	struct heap_object object;
	const struct go_type *type;
	uint64_t offset;

	if (!heap_object_at(program, word, &object) || !object.allocated || word < object.data)
		return false;
	if (!object.type)
		return guessed_object(program, &object, word, use, ret);
	type = types_at(program->types, object.type);
	// an array of them was allocated with its element's type
	offset = type && type->size ? (word - object.data) % type->size : 0;
	if (!type || !field_owner(program, type, offset, word, ret))
		return false;
	// where the type is guessed, so would the locks be
	ret->lock_count = locks_in(program, type->name, "", type, word - offset, &ret->locks);
	return true;
}

/** What a closure captured: its object begins with the address of its code. */
static bool holder_closure(struct program *program, uint64_t word, const struct map_use *use,
			   struct owner *ret)
{
	struct heap_object object;
	struct go_function function;
	uint32_t table;
	uint64_t entry;

	if (!heap_object_at(program, word, &object) || !object.allocated || word <= object.data ||
	    !memory_u64(program->memory, object.data, &entry) ||
	    !program_function(program, entry, &function, &table) || function.entry != entry ||
	    go_is_runtime_function(function.name))
		return false;
	*ret = (struct owner){
		.path = arena_format(program->arena, "a variable captured by %s", function.name),
		.via = "closure",
		.holder_type = "",
		.word = word,
		.hops = 1};
	return true;
}

/** The word is, or is part of, an element of another map. */
static bool holder_element(struct program *program, uint64_t word, const struct map_use *use,
			   struct owner *ret)
{
	struct map_element element;
	struct map_use outer = {
		.types = use->types, .searches_left = use->searches_left, .depth = use->depth + 1};
	struct owner owner = {.path = "", .holder_type = ""};

	if (use->depth >= NESTED_MAX ||
	    !map_element_at(program, use->types, word, use->type, &element))
		return false;
	outer.type = element.type;
	if (!holders_find(program, element.map, &outer, &owner, 1))
		owner.path = arena_format(program->arena, "a %s", element.type->name);
	*ret = (struct owner){
		.path = arena_format(program->arena, "%s[...]%s", owner.path, element.path),
		.via = "map element",
		.holder_type = *element.holder ? element.holder : owner.holder_type,
		.word = word,
		.hops = owner.hops + 1};
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

	if (base && base->named && base->kind == GO_KIND_STRUCT && !go_type_is_shape(base) &&
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
		    leaf->kind != GO_KIND_MAP || !object_holds_as(type, leaf, use->type))
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

/** Of the types by that name, the one with such a map there. */
struct named_holder {
	const char *name;
	uint64_t offset;
	const struct go_type *map, *found;
	bool several;
};

static void named_consider(const struct go_type *type, struct named_holder *named)
{
	const struct go_type *leaf;
	char path[256] = "";

	if (type->kind != GO_KIND_STRUCT || !receiver_is(named->name, type->full_name) ||
	    go_type_is_shape(type) ||
	    !go_type_path(type, named->offset, path, sizeof(path), &leaf) || !leaf ||
	    !object_holds_as(type, leaf, named->map))
		return;
	named->several |= named->found && named->found != type;
	named->found = type;
}

/** What starts @a offset bytes before the word is of a type by that name. */
static bool receiver_owner(struct program *program, const struct receiver *receiver, uint64_t word,
			   const struct map_use *use, struct owner *ret)
{
	struct named_holder named = {receiver->type, word - receiver->address, use->type, NULL,
				     false};
	const GPtrArray *all = object_types_all(use->types);

	for (guint i = 0; i < all->len; i++)
		named_consider(g_ptr_array_index(all, i), &named);
	if (named.found && !named.several)
		return field_owner(program, named.found, named.offset, word, ret);
	if (!receiver_has_field(program, receiver->type, named.offset))
		return false;
	*ret = (struct owner){.path = arena_format(program->arena, "%s, the field at +%llu",
						   receiver->type,
						   (unsigned long long)named.offset),
			      .via = "type only",
			      .holder_type = receiver->type,
			      .word = word,
			      .hops = 1};
	return true;
}

/** A struct that methods are called on: its type has their name, whether the program keeps a descriptor or not. */
static bool holder_called(struct program *program, uint64_t word, const struct map_use *use,
			  struct owner *ret)
{
	struct receiver receivers[CANDIDATES_MAX];
	struct heap_object object;
	uint64_t low = word - MIN(word, FIELD_OFFSET_MAX);
	size_t count;

	if (heap_object_at(program, word, &object))
		low = object.data;
	else if (!program_in_data(program, word))
		return false;
	if (word < low || object_word_is_boxed(program, word))
		return false;
	count = receivers_search(program, use, low, word, receivers);
	for (size_t i = 0; i < count; i++)
		if (receiver_owner(program, &receivers[i], word, use, ret))
			return true;
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

/** Copies of a struct, dead or alive, can be any number: the first ones are enough. */
static bool is_one_more(const struct owner *owners, size_t count, const struct owner *owner)
{
	size_t alike = 0;

	for (size_t i = 0; i < count; i++)
		alike += !strcmp(owners[i].path, owner->path);
	return alike >= ALIKE_MAX;
}

/** True when an owner of that word was found already. */
static bool word_known(const struct owner *owners, size_t count, uint64_t word)
{
	for (size_t i = 0; i < count; i++)
		if (owners[i].word == word)
			return true;
	return false;
}

static size_t holders_find(struct program *program, uint64_t address, const struct map_use *use,
			   struct owner *ret, size_t room)
{
	static bool (*const kinds[])(struct program *, uint64_t, const struct map_use *,
				     struct owner *) = {
		holder_closure, holder_element,  holder_object, holder_called,
		holder_static,  holder_receiver, holder_global, holder_local};
	GArray *words = words_with(program, address);
	size_t count = 0;

	for (size_t kind = 0; kind < G_N_ELEMENTS(kinds); kind++) {
		for (guint i = 0; i < words->len && count < room; i++) {
			uint64_t word = g_array_index(words, uint64_t, i);

			if (!word_known(ret, count, word) &&
			    kinds[kind](program, word, use, &ret[count]))
				count += !is_one_more(ret, count, &ret[count]);
		}
	}
	g_array_free(words, TRUE);
	return count;
}

size_t holders_of(struct program *program, uint64_t address, const struct go_type *type,
		  const struct map_site *used_at, struct owner *ret, size_t room)
{
	unsigned searches = SEARCHES_MAX;
	struct map_use use = {type, used_at, object_types_new(program), &searches, 0};
	size_t count = holders_find(program, address, &use, ret, room);

	object_types_free(use.types);
	return count;
}
