// SPDX-License-Identifier: Apache-2.0
#include "reproduce/sharing.h"

#include "reproduce/linked_name.h"

#include <glib.h>

#define STEPS_MAX     16
#define INDEX_MAX     1024
#define LOCAL_MARK    " (local of "
#define SHARED_KEY    "\"shared\""
#define UNKNOWN_INDEX UINT_MAX

/* One step of a path: a field, or an element of a list (index) or of a map (UNKNOWN_INDEX). */
struct step {
	const char *field; // NULL for an element
	unsigned index;
};

struct path {
	const char *root;
	struct step steps[STEPS_MAX];
	size_t count;
	bool local;
};

static const char *word_take(struct arena *arena, const char **at)
{
	size_t n = strcspn(*at, ".[");
	const char *word = arena_string(arena, (struct text){*at, n});

	*at += n;
	return word;
}

static struct step index_take(const char **at)
{
	char *end;
	guint64 index = g_ascii_strtoull(*at + 1, &end, 10);
	bool known = end > *at + 1 && *end == ']' && index < INDEX_MAX;

	*at += strcspn(*at, "]");
	*at += **at == ']';
	return (struct step){NULL, known ? (unsigned)index : UNKNOWN_INDEX};
}

/* Import paths have dots of their own before the last slash. */
static const char *after_package(const char *text)
{
	const char *slash = strrchr(text, '/'), *dot = strchr(slash ? slash : text, '.');

	return dot ? dot + 1 : text;
}

static struct path path_parse(struct arena *arena, const struct verdict *verdict)
{
	const char *mark = strstr(verdict->owner_path, LOCAL_MARK);
	size_t n = mark ? (size_t)(mark - verdict->owner_path) : strlen(verdict->owner_path);
	// one of several types, none for certain: no path
	bool told = *verdict->holder_type || !g_str_equal(verdict->owner_via, "type only");
	const char *at = arena_string(arena, (struct text){verdict->owner_path, told ? n : 0});
	struct path path = {.root = "",
			    .local = mark || g_str_equal(verdict->owner_via, "local") ||
				     g_str_equal(verdict->owner_via, "closure") ||
				     g_str_equal(verdict->owner_via, "type only")};

	if (*at == '.') // the compiler's own: .autotmp_2
		at++;
	else if (!mark)
		at = after_package(at);
	path.root = word_take(arena, &at);
	while (*at && path.count < STEPS_MAX) {
		if (*at == '[') {
			path.steps[path.count++] = index_take(&at);
			continue;
		}
		at++;
		path.steps[path.count++] = (struct step){word_take(arena, &at), 0};
	}
	return path;
}

static size_t last_field(const struct path *path)
{
	for (size_t i = path->count; i > 0; i--)
		if (path->steps[i - 1].field)
			return i - 1;
	return SIZE_MAX;
}

/* A report without a path: the map is a field of what the methods belong to, else a variable. */
static void path_complete(struct path *path, const char *receiver)
{
	if (!*path->root)
		path->root = "common";
	if (path->count == 0 && *receiver && !path->local && g_str_equal(path->root, "common"))
		path->steps[path->count++] = (struct step){"entries", 0};
}

struct planner {
	struct local_types *types;
	struct names *names;
	struct arena *arena;
	const char *map_type;
	struct path *path;
	const char *types_from[STEPS_MAX + 1]; // of what stands before step i; the last is the map
};

/* Types from the map outwards. */
static void plan_types(struct planner *planner, const char *holder)
{
	struct arena *arena = planner->arena;
	const struct path *path = planner->path;
	size_t holder_step = last_field(path);

	planner->types_from[path->count] = planner->map_type;
	for (size_t i = path->count; i > 0; i--) {
		const struct step *step = &path->steps[i - 1];
		const char *inner = planner->types_from[i];
		bool is_struct = i < path->count && path->steps[i].field;

		if (step->field) {
			const char *body =
				arena_format(arena, "struct{ %s %s }",
					     names_member(planner->names, step->field), inner);

			if (i - 1 == holder_step && *holder &&
			    local_types_declare(planner->types, holder, body))
				body = holder;
			planner->types_from[i - 1] = body;
		} else if (step->index != UNKNOWN_INDEX) {
			planner->types_from[i - 1] =
				arena_format(arena, "[%u]%s", step->index + 1, inner);
		} else {
			planner->types_from[i - 1] =
				arena_format(arena, "map[string]%s%s", is_struct ? "*" : "", inner);
		}
	}
}

/* What stands at each step, and the statements that make the maps and structs on the way. */
static void plan_expressions(struct planner *planner, struct sharing *sharing)
{
	g_autoptr(GString) at = g_string_new(sharing->root), setup = g_string_new(NULL);
	const struct path *path = planner->path;
	size_t holder_step = last_field(path), tail = 0;

	for (size_t i = 0; i < path->count; i++) {
		const struct step *step = &path->steps[i];

		if (i == holder_step) {
			sharing->holder = arena_string(planner->arena, text_of(at->str));
			tail = at->len;
		}
		if (step->field) {
			g_string_append_printf(at, ".%s",
					       names_member(planner->names, step->field));
		} else if (step->index != UNKNOWN_INDEX) {
			g_string_append_printf(at, "[%u]", step->index);
		} else {
			g_string_append_printf(setup, "\t%s = make(%s)\n", at->str,
					       planner->types_from[i]);
			g_string_append(at, "[" SHARED_KEY "]");
			if (i + 1 < path->count && path->steps[i + 1].field)
				g_string_append_printf(setup, "\t%s = new(%s)\n", at->str,
						       planner->types_from[i + 1]);
		}
	}
	g_string_append_printf(setup, "\t%s = make(%s)\n", at->str, planner->map_type);
	sharing->map = arena_string(planner->arena, text_of(at->str));
	sharing->setup = arena_string(planner->arena, text_of(setup->str));
	sharing->tail = holder_step == SIZE_MAX ? "" : sharing->map + tail;
}

void sharing_plan(const struct verdict *verdict, struct local_types *types, struct names *names,
		  struct arena *arena, const char *map_type, const char *receiver,
		  struct sharing *ret)
{
	struct path path = path_parse(arena, verdict);
	struct planner planner = {types, names, arena, map_type, &path, {NULL}};
	const char *holder = "";

	path_complete(&path, receiver);
	if (last_field(&path) != SIZE_MAX && *verdict->holder_type)
		holder = local_types_name(types, verdict->holder_type);
	else if (last_field(&path) != SIZE_MAX && *receiver)
		holder = local_types_name(types, receiver);
	*ret = (struct sharing){.local = path.local, .holder_type = holder, .holder = ""};
	ret->root = names_take(names, path.root);
	plan_types(&planner, holder);
	ret->root_type = planner.types_from[0];
	plan_expressions(&planner, ret);
}
