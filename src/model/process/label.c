// SPDX-License-Identifier: Apache-2.0
// Up to Go 1.23 g.labels points to a *map[string]string (runtime/pprof/label.go:38@1.23.12),
// from 1.24 on to a struct that begins with a slice of {key, value} (label.go@1.24.11:
// labelMap{LabelSet{list}}).
#include "model/process/label.h"

#include "model/data/map.h"

#include <glib.h>

#define LABELS_AS_MAP_UNTIL 23
#define WORD                8
#define STRING_SIZE         16
#define LABEL_SIZE          (2 * STRING_SIZE)
#define LABELS_MAX          256
#define LABEL_TEXT_MAX      1024

static const char *read_string(const struct program *program, uint64_t header)
{
	const char *text = program_string(program, header, LABEL_TEXT_MAX, LABEL_TEXT_MAX);

	return text ? text : "?";
}

struct label_list {
	struct program *program;
	GPtrArray *texts;
};

static bool add_label(uint64_t key, uint64_t value, void *context)
{
	struct label_list *list = context;

	g_ptr_array_add(list->texts, (gpointer)read_string(list->program, key));
	g_ptr_array_add(list->texts, (gpointer)read_string(list->program, value));
	return list->texts->len < 2 * LABELS_MAX;
}

/** map[string]string as both implementations lay it out: no descriptor is needed to walk one. */
static struct go_type string_map_type(const struct go_map *map)
{
	struct go_type type = {.kind = GO_KIND_MAP, .name = "map[string]string"};

	type.map.swiss = map->swiss;
	type.map.key_size = type.map.elem_size = STRING_SIZE;
	type.map.bucket_size = 8 + 8 * LABEL_SIZE + WORD;
	return type;
}

static void read_map(struct label_list *list, uint64_t labels)
{
	struct go_map map;
	struct go_type type;
	uint64_t header;

	if (!memory_u64(list->program->memory, labels, &header) ||
	    !map_read(list->program, header, &map))
		return;
	type = string_map_type(&map);
	map_entries(list->program, &map, &type, add_label, list);
}

static void read_list(struct label_list *list, uint64_t labels)
{
	uint64_t array, count;

	if (!memory_u64(list->program->memory, labels, &array) ||
	    !memory_u64(list->program->memory, labels + WORD, &count) || count > LABELS_MAX)
		return;
	for (uint64_t i = 0; i < count; i++)
		add_label(array + i * LABEL_SIZE, array + i * LABEL_SIZE + STRING_SIZE, list);
}

const char *const *labels_read(struct program *program, uint64_t labels)
{
	struct label_list list = {program, NULL};
	const char *const *texts = NULL;

	if (!labels)
		return NULL;
	list.texts = g_ptr_array_new();
	if (program->layout->version.minor <= LABELS_AS_MAP_UNTIL)
		read_map(&list, labels);
	else
		read_list(&list, labels);
	if (list.texts->len) {
		g_ptr_array_add(list.texts, NULL);
		texts = arena_copy(program->arena, list.texts->pdata,
				   list.texts->len * sizeof(*list.texts->pdata));
	}
	g_ptr_array_free(list.texts, TRUE);
	return texts;
}
