// SPDX-License-Identifier: Apache-2.0
// From an element to its map it is one pointer back (buckets, a single group) to four (overflow buckets; group, table,
// directory): each object on the way is looked at as a map, by all types that could have such elements.
#include "model/data/map_element.h"

#include "model/stack/map_recover.h"

#define OBJECTS_MAX 12 /* objects whose references are searched for: a pass over the heap each */
#define TYPES_MAX   32
#define WORDS_MAX   64
#define SLOTS       8 /* of a bucket or group, each with a byte at its start */
/* Smaller marks are of empty and moved slots (runtime/map.go:86@go1.12.17; 4 before) */
#define CLASSIC_MARKS 4
#define SWISS_FREE    0x80

struct search {
	struct program *program;
	uint64_t word;
	const struct go_type *types[TYPES_MAX]; // of maps that can have such elements
	size_t type_count;
	uint64_t objects[OBJECTS_MAX];
	size_t object_count;
	GArray *words;    // uint64_t: what refers to the object in turn
	uint64_t element; // that the word stands in
};

/** Could the element of a map of type @a outer, @a offset bytes into it, be such a map? */
static bool holds_at(const struct go_type *outer, const struct go_type *inner, uint64_t offset)
{
	const struct go_type *leaf;
	char path[256] = "";

	return go_type_path(outer->elem, offset, path, sizeof(path), &leaf) && leaf &&
	       (leaf->kind == GO_KIND_INTERFACE || object_holds_as(outer->elem, leaf, inner));
}

/** Do eight slots begin at @a start, of which the one with the word is in use? */
static bool is_used_slot(const struct search *search, const struct go_type *outer,
			 const struct go_type *inner, uint64_t start)
{
	const struct go_map_shape *shape = &outer->map;
	uint64_t elems =
		shape->swiss ? shape->elems_offset : SLOTS + SLOTS * (uint64_t)shape->key_size;
	uint64_t stride = shape->swiss ? shape->elem_stride : shape->elem_size;
	uint64_t at = search->word - start - elems;
	uint8_t mark;

	if (search->word < start + elems || !stride || at / stride >= SLOTS ||
	    !holds_at(outer, inner, at % stride) ||
	    !memory_u8(search->program->memory, start + at / stride, &mark))
		return false;
	return shape->swiss ? mark < SWISS_FREE : mark >= CLASSIC_MARKS;
}

/** The words of the object as buckets or groups of such a map. */
static bool could_be_of(const struct search *search, const struct heap_object *object,
			const struct go_type *outer, const struct go_type *inner)
{
	uint64_t size = outer->map.swiss ? outer->map.group_size : outer->map.bucket_size;
	uint64_t at = search->word - object->data;

	return size && outer->elem && !outer->map.indirect_elem && !go_type_is_shape(outer) &&
	       object->address + object->size - object->data >= size &&
	       is_used_slot(search, outer, inner, object->data + at / size * size);
}

static bool element_compare(uint64_t key, uint64_t elem, void *context)
{
	struct search *search = context;
	uint64_t size = search->types[0]->elem->size;

	if (search->word - elem < MAX(size, 8))
		search->element = elem;
	return true; // to the end: only a sound map is believed
}

/** The one type by which a walk over the map at @a address comes to the word; NULL for none. */
static const struct go_type *walk_as_map(struct search *search, uint64_t address)
{
	struct go_map map;

	if (!map_is_heap_object(search->program, address) ||
	    !map_read(search->program, address, &map))
		return NULL;
	for (size_t i = 0; i < search->type_count; i++) {
		struct search one = *search;

		one.types[0] = search->types[i];
		one.element = 0;

		struct map_integrity found =
			map_entries(search->program, &map, search->types[i], element_compare, &one);

		if (!one.element || !found.count_matches || found.problems)
			continue;
		search->element = one.element;
		return search->types[i];
	}
	return NULL;
}

static void word_note(uint64_t word, uint64_t value, void *context)
{
	struct search *search = context;

	if (search->words->len < WORDS_MAX)
		g_array_append_val(search->words, word);
}

static void object_note(struct search *search, uint64_t address)
{
	for (size_t i = 0; i < search->object_count; i++)
		if (search->objects[i] == address)
			return;
	if (search->object_count < OBJECTS_MAX)
		search->objects[search->object_count++] = address;
}

/** Looks at what refers to one object; true when one is the map. */
static bool referrers_look(struct search *search, uint64_t address, struct map_element *ret)
{
	struct heap_object object;

	if (!heap_object_at(search->program, address, &object))
		return false;
	g_array_set_size(search->words, 0);
	heap_references(search->program, object.address, object.address + object.size, word_note,
			search);
	for (guint i = 0; i < search->words->len; i++) {
		struct heap_object holder;

		if (!heap_object_at(search->program, g_array_index(search->words, uint64_t, i),
				    &holder) ||
		    !holder.allocated || holder.address == object.address)
			continue;
		ret->type = walk_as_map(search, holder.data);
		ret->map = holder.data;
		if (ret->type)
			return true;
		object_note(search, holder.address);
	}
	return false;
}

static void describe(struct search *search, struct map_element *ret)
{
	const struct go_type *elem = ret->type->elem, *leaf;
	uint64_t offset = search->word - search->element;
	const struct go_type *holder = go_type_holder(elem, offset);
	char path[256] = "";

	go_type_path(elem, offset, path, sizeof(path), &leaf);
	ret->path = arena_string(search->program->arena, text_of(path));
	ret->holder = holder ? holder->full_name : "";
}

bool map_element_at(struct program *program, struct object_types *types, uint64_t word,
		    const struct go_type *inner, struct map_element *ret)
{
	struct search search = {
		.program = program, .word = word, .objects = {word}, .object_count = 1};
	const GPtrArray *all = object_types_all(types);
	struct heap_object object;
	bool found = false;

	if (!heap_object_at(program, word, &object) || !object.allocated || word < object.data)
		return false;
	for (guint i = 0; i < all->len && search.type_count < TYPES_MAX; i++) {
		const struct go_type *type = g_ptr_array_index(all, i);

		if (type->kind == GO_KIND_MAP && could_be_of(&search, &object, type, inner))
			search.types[search.type_count++] = type;
	}
	if (!search.type_count)
		return false;
	search.words = g_array_new(FALSE, FALSE, sizeof(uint64_t));
	for (size_t i = 0; i < search.object_count && !found; i++)
		found = referrers_look(&search, search.objects[i], ret);
	g_array_free(search.words, TRUE);
	if (found)
		describe(&search, ret);
	return found;
}
