// SPDX-License-Identifier: Apache-2.0
#include "reproduce/verdict.h"

#include <glib.h>

static const char *const operation_names[REPRODUCED_OPERATIONS] = {
	[REPRODUCE_READ] = "read",   [REPRODUCE_ASSIGN] = "assign",   [REPRODUCE_DELETE] = "delete",
	[REPRODUCE_CLEAR] = "clear", [REPRODUCE_ITERATE] = "iterate", [REPRODUCE_CLONE] = "clone",
};

const char *reproduced_operation_name(enum reproduced_operation operation)
{
	return operation_names[operation];
}

bool reproduced_operation_writes(enum reproduced_operation operation)
{
	return operation == REPRODUCE_ASSIGN || operation == REPRODUCE_DELETE ||
	       operation == REPRODUCE_CLEAR;
}

/* The operation that a side without a known one must have had, to be the detector of this kind. */
static const struct {
	const char *kind, *words;
	enum reproduced_operation detector;
} kinds[] = {
	{"concurrent_map_writes", "concurrent map writes", REPRODUCE_ASSIGN},
	{"concurrent_map_read_and_write", "concurrent map read and map write", REPRODUCE_READ},
	{"concurrent_map_iteration_and_write", "concurrent map iteration and map write",
	 REPRODUCE_ITERATE},
	{"concurrent_map_clone_and_write", "concurrent map clone and map write", REPRODUCE_CLONE},
};

const char *verdict_kind_words(const char *kind)
{
	for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
		if (g_str_equal(kinds[i].kind, kind))
			return kinds[i].words;
	return NULL;
}

static enum reproduced_operation detector_operation(const char *kind)
{
	for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
		if (g_str_equal(kinds[i].kind, kind))
			return kinds[i].detector;
	return REPRODUCE_ASSIGN;
}

static const char *keep(struct arena *arena, const json_t *object, const char *key)
{
	return arena_string(arena, text_of(report_text_at(object, key)));
}

static struct verdict_frame frame_read(struct arena *arena, const json_t *frame)
{
	json_int_t line = report_number_at(frame, "line");

	return (struct verdict_frame){keep(arena, frame, "function"), keep(arena, frame, "file"),
				      line > 0 && line < INT_MAX ? (unsigned)line : 0};
}

static bool is_map_function(const char *function)
{
	return g_str_has_prefix(function, "runtime.mapa") ||
	       g_str_has_prefix(function, "runtime.mapdelete") ||
	       g_str_has_prefix(function, "runtime.mapiter");
}

static void stack_read(struct arena *arena, const json_t *stack, struct verdict_side *side)
{
	size_t i;
	json_t *one;

	side->map_function = "";
	json_array_foreach(stack, i, one)
	{
		struct verdict_frame *frame = &side->frames[side->frame_count];

		if (side->frame_count == VERDICT_FRAMES_MAX)
			return;
		*frame = frame_read(arena, one);
		side->frame_count++;
		if (!*side->map_function && is_map_function(frame->function))
			side->map_function = frame->function;
	}
}

static enum reproduced_operation operation_read(const json_t *side,
						enum reproduced_operation otherwise)
{
	const char *name = report_text_at(side, "operation");

	for (size_t i = 0; i < REPRODUCED_OPERATIONS; i++)
		if (g_str_equal(operation_names[i], name))
			return (enum reproduced_operation)i;
	return otherwise;
}

static void side_read(struct arena *arena, const json_t *json, enum side_basis basis,
		      enum reproduced_operation otherwise, struct verdict_side *ret)
{
	*ret = (struct verdict_side){.basis = basis, .operation = operation_read(json, otherwise)};
	ret->site = frame_read(arena, json_object_get(json, "site"));
	stack_read(arena, json_object_get(json, "stack"), ret);
}

static const json_t *side_with_role(const json_t *report, const char *role)
{
	size_t i;
	json_t *one;

	json_array_foreach(json_object_get(report, "sides"), i,
			   one) if (g_str_equal(report_text_at(one, "role"), role)) return one;
	return NULL;
}

static bool has_site(const json_t *side)
{
	return *report_text_at(json_object_get(side, "site"), "function") != '\0';
}

/* A writer that the report names, else suspects, else any. */
static void other_read(struct arena *arena, const json_t *report, struct verdict_side *ret)
{
	const json_t *other = side_with_role(report, "other");
	enum side_basis basis = SIDE_NAMED;
	size_t i;
	json_t *one;

	if (!has_site(other)) {
		other = NULL;
		basis = SIDE_SUSPECTED;
		json_array_foreach(json_object_get(report, "candidates"), i,
				   one) if (!other && has_site(one)) other = one;
	}
	side_read(arena, other, other ? basis : SIDE_STAND_IN, REPRODUCE_ASSIGN, ret);
	if (!reproduced_operation_writes(ret->operation))
		ret->operation = REPRODUCE_ASSIGN;
}

static unsigned count_parties(const json_t *report)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(g_int64_hash, g_int64_equal);
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint64));
	const json_t *table = json_object_get(report, "flags_table");
	size_t i;
	json_t *one;

	json_array_foreach(table, i, one)
	{
		gint64 id = report_number_at(one, "goroutine");

		if (ids->len < VERDICT_PARTIES_MAX)
			g_array_append_val(ids, id);
	}
	for (guint k = 0; k < ids->len; k++)
		g_hash_table_add(seen, &g_array_index(ids, gint64, k));
	return MAX(2, g_hash_table_size(seen));
}

static const char *const *patterns_read(struct arena *arena, const json_t *report)
{
	const json_t *advice = json_object_get(report, "advice");
	const char **patterns = arena_array(arena, json_array_size(advice) + 1, sizeof(*patterns));
	size_t i;
	json_t *one;

	json_array_foreach(advice, i, one) patterns[i] = keep(arena, one, "pattern");
	return patterns;
}

/* "1.24.11" of the first file that says it. */
static const char *go_version_read(struct arena *arena, const json_t *report)
{
	size_t i;
	json_t *one;

	json_array_foreach(json_object_get(report, "evidence"), i, one)
	{
		const char *version = report_text_at(one, "go_version");

		if (g_str_has_prefix(version, "go1."))
			return arena_string(arena, text_of(version + strlen("go")));
	}
	return "";
}

static struct error *refuse(const char *kind)
{
	if (g_str_equal(kind, "nil_map_write"))
		return error_with_hint(
			error_new(ERROR_UNSUPPORTED, place_whole(""),
				  "the report is of a write to a nil map, which is no race"),
			"it happens every time: make the map before the first assignment to it");
	return error_with_hint(
		error_new(ERROR_UNSUPPORTED, place_whole(""),
			  "the report has no verdict about a map (%s): there is nothing to "
			  "reproduce",
			  *kind ? kind : "no kind"),
		"give the report of a concurrent map fatal: mapfault --json CORE BINARY");
}

struct error *verdict_read(const json_t *report, struct arena *arena, struct verdict *ret)
{
	const json_t *verdict = json_object_get(report, "verdict");
	const json_t *map = json_object_get(report, "map");
	const json_t *owner = json_array_get(json_object_get(map, "owners"), 0);
	json_int_t count = report_number_at(map, "count");

	*ret = (struct verdict){
		.kind = keep(arena, verdict, "kind"),
		.sentence = keep(arena, verdict, "sentence"),
		.go_version = go_version_read(arena, report),
		.map_type = keep(arena, map, "type"),
		.owner_path = keep(arena, owner, "path"),
		.owner_via = keep(arena, owner, "via"),
		.holder_type = keep(arena, owner, "holder_type"),
		.map_count = count > 0 ? (uint64_t)count : 0,
		.parties = count_parties(report),
		.patterns = patterns_read(arena, report),
	};
	if (!verdict_kind_words(ret->kind))
		return refuse(ret->kind);
	side_read(arena, side_with_role(report, "detector"), SIDE_NAMED,
		  detector_operation(ret->kind), &ret->sides[0]);
	other_read(arena, report, &ret->sides[1]);
	return NULL;
}
