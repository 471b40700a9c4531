// SPDX-License-Identifier: Apache-2.0
#include "reproduce/program.h"

#include "reproduce/gofmt.h"
#include "reproduce/template.h"

#include <glib.h>

#define KEYS_MADE      65536
#define GO_WITH_SWISS  24
#define GO_WITH_CLONE  21
#define ROUND_KEYS_MIN 16
#define ROUND_KEYS_MAX KEYS_MADE
#define GO_ON          "defer func() { recover() }() // the race can make the library panic, too\n"

struct composer {
	const struct program_input *input;
	struct go_program *program;
	struct arena *arena;
	struct names *names;
	struct local_types *types;
	struct sharing sharing;
	struct part parts[2];
	const struct shape *map; // its key and element
	const char *burst;
	const char *loops[2];
	bool over; // one side goes on until the other has finished
};

unsigned go_program_minor(const struct verdict *verdict)
{
	guint64 minor = 0;

	if (g_str_has_prefix(verdict->go_version, "1."))
		minor = g_ascii_strtoull(verdict->go_version + 2, NULL, 10);
	if (minor >= GO_MINOR_OLDEST && minor < 100)
		return (unsigned)minor;
	for (size_t i = 0; i < 2; i++)
		if (verdict->sides[i].operation == REPRODUCE_CLONE)
			return GO_WITH_CLONE;
	return GO_MINOR_OLDEST;
}

/* Sizes at which maps grow: 6.5 entries a bucket up to Go 1.23, 7 of 8 slots of a table after. Half
 * of the keys are there before the race, so that its first writes make the map grow. */
static void plan_rounds(const struct program_input *input, struct go_program *program)
{
	static const struct program_round classic[] = {{4, 100, 832, 0},
						       {4, 10, 106, 0},
						       {2, 100, 13312, 0},
						       {8, 5, 6656, 64},
						       {4, 1, 65536, 0}};
	static const struct program_round swiss[] = {{4, 100, 896, 0},
						     {4, 10, 112, 0},
						     {2, 100, 14336, 0},
						     {8, 5, 7168, 64},
						     {4, 1, 65536, 0}};
	const struct program_round *table = program->go_minor >= GO_WITH_SWISS ? swiss : classic;
	size_t count = G_N_ELEMENTS(classic), first = input->first_round;
	struct program_round own = table[0];

	for (size_t i = 0; i < count; i++)
		program->rounds[i] = table[i];
	own.keys = (unsigned)CLAMP(2 * input->verdict->map_count, ROUND_KEYS_MIN, ROUND_KEYS_MAX);
	if (input->verdict->map_count)
		program->rounds[count++] = own;
	program->round_count = count;
	if (first > 0 && first < count) {
		own = program->rounds[first];
		memmove(program->rounds + 1, program->rounds, first * sizeof(own));
		program->rounds[0] = own;
	}
}

static const char *rounds_text(struct arena *arena, const struct go_program *program)
{
	g_autoptr(GString) text = g_string_new(NULL);

	for (size_t i = 0; i < program->round_count; i++)
		g_string_append_printf(text, "\t{%u, %d, %u, %u},\n", program->rounds[i].procs,
				       program->rounds[i].gc_percent, program->rounds[i].keys,
				       program->rounds[i].yield_every);
	return arena_string(arena, text_of(text->str));
}

/* The map's type, its key and its value; where the report has none, by the runtime's functions. */
static void plan_types(struct composer *composer)
{
	const struct verdict *verdict = composer->input->verdict;
	struct go_program *program = composer->program;
	const char *function = *verdict->sides[0].map_function ? verdict->sides[0].map_function
							       : verdict->sides[1].map_function;
	const struct shape *shape = shape_parse(composer->arena, verdict->map_type), *map = NULL;

	if (shape && shape->kind == SHAPE_NAMED && !shape_known_type(shape->name))
		local_types_map(composer->types, shape, function);
	if (shape) {
		program->map_type = local_types_text(composer->types, shape, function);
		map = local_types_underlying(composer->types, shape);
	}
	if (!map || map->kind != SHAPE_MAP || !shape_is_comparable(map->key)) {
		notes_add(composer->input->notes,
			  *verdict->map_type ? "the map's type, %s, says no key and value: "
					       "map[string]interface{} "
					       "stands in"
					     : "the report does not know the map's type%s: "
					       "map[string]interface{} "
					       "stands in",
			  verdict->map_type);
		map = shape_parse(composer->arena, "map[string]interface {}");
		program->map_type = local_types_text(composer->types, map, function);
	}
	program->key_type = local_types_text(composer->types, map->key, function);
	program->value_type = local_types_text(composer->types, map->element, NULL);
	program->key = local_types_key(composer->types, map->key, "n");
	composer->map = map;
}

static void plan_parts(struct composer *composer)
{
	const struct program_input *input = composer->input;
	const struct parts_input parts = {input->verdict,
					  &composer->sharing,
					  composer->types,
					  composer->names,
					  composer->arena,
					  input->notes,
					  composer->program->map_type,
					  composer->map,
					  composer->program->go_minor};

	sharing_plan(input->verdict, composer->types, composer->names, composer->arena,
		     composer->program->map_type, parts_receiver(&parts), &composer->sharing);
	parts_plan(&parts, composer->parts);
	composer->burst = "burst";
	for (size_t i = 2; i > 0; i--)
		if (composer->parts[i - 1].closure)
			composer->burst = composer->parts[i - 1].outer;
	if (!g_str_equal(composer->burst, "burst"))
		composer->burst = names_take(composer->names, composer->burst);
	for (size_t i = 0; i < 2; i++) {
		struct part *part = &composer->parts[i];

		composer->program->labels[i] = part->label;
		composer->program->sites[i] = (struct program_site){
			part->closure
				? arena_format(composer->arena, "main.%s.func", composer->burst)
				: part->linked_name,
			part->closure, "main.go", 0, 0};
	}
}

/* How long a side goes on. Only writes that end by themselves are counted: the other side goes on
 * until they are over, and each burst has a fresh map. */
enum loop { LOOP_COUNTED, LOOP_UNTIL_OVER, LOOP_ONCE };

static enum loop loop_of(const struct verdict *verdict, size_t side)
{
	enum reproduced_operation mine = verdict->sides[side].operation;
	enum reproduced_operation theirs = verdict->sides[1 - side].operation;

	if (!reproduced_operation_writes(mine))
		return LOOP_UNTIL_OVER;
	if (mine != REPRODUCE_CLEAR)
		return LOOP_COUNTED;
	return theirs == REPRODUCE_ASSIGN || theirs == REPRODUCE_DELETE ? LOOP_UNTIL_OVER
									: LOOP_ONCE;
}

static const char *key_number(enum reproduced_operation operation)
{
	switch (operation) {
	case REPRODUCE_ASSIGN:
		return "(i + r.keys/2 + 17*p) % r.keys";
	case REPRODUCE_DELETE:
		return "(i + p*r.keys/2) % r.keys";
	default:
		return "(7*i + 31*p) % r.keys";
	}
}

static const char *loop_text(struct composer *composer, size_t side)
{
	static const char *const heads[] = {
		[LOOP_COUNTED] = "for i := 0; i < r.keys; i++ {\n",
		[LOOP_UNTIL_OVER] = "for i := 0; atomic.LoadInt32(&over) == 0; i++ {\n",
		[LOOP_ONCE] = "for i := 0; i < 1; i++ {\n",
	};
	const struct verdict *verdict = composer->input->verdict;
	enum loop mine = loop_of(verdict, side), theirs = loop_of(verdict, 1 - side);
	const struct part *part = &composer->parts[side];
	g_autoptr(GString) text = g_string_new(part->may_panic ? GO_ON : "");

	g_string_append(text, heads[mine]);
	composer->over |= mine == LOOP_UNTIL_OVER;
	if (!part->closure || strstr(part->call, "keys[n]"))
		g_string_append_printf(text, "n := %s\n",
				       key_number(verdict->sides[side].operation));
	g_string_append_printf(text, "%sr.pause(i)\n}\n", part->call);
	if (mine != LOOP_UNTIL_OVER && theirs == LOOP_UNTIL_OVER)
		g_string_append(text, "atomic.StoreInt32(&over, 1)\n");
	return template_indent(composer->arena, text->str, 3);
}

static bool uses(const char *code, const char *word)
{
	const char *at = code;

	while ((at = strstr(at, word))) {
		if (at == code || !(g_ascii_isalnum(at[-1]) || strchr("_.\"", at[-1])))
			return true;
		at++;
	}
	return false;
}

static const char *imports_text(struct arena *arena, const char *code)
{
	static const struct {
		const char *path, *word; // NULL: the template itself uses it
	} imports[] = {
		{"encoding/gob", "gob."},
		{"encoding/json", "json."},
		{"flag", NULL},
		{"fmt", NULL},
		{"io/ioutil", "ioutil."},
		{"maps", "maps."},
		{"os", NULL},
		{"runtime", NULL},
		{"runtime/debug", NULL},
		{"strconv", "strconv."},
		{"sync", NULL},
		{"sync/atomic", "atomic."},
		{"time", NULL},
	};
	g_autoptr(GString) text = g_string_new(NULL);

	for (size_t i = 0; i < G_N_ELEMENTS(imports); i++)
		if (!imports[i].word || uses(code, imports[i].word))
			g_string_append_printf(text, "\t\"%s\"\n", imports[i].path);
	return arena_string(arena, text_of(text->str));
}

static void plan_goroutines(struct composer *composer)
{
	const struct verdict *verdict = composer->input->verdict;
	struct go_program *program = composer->program;

	program->others = 1;
	if (reproduced_operation_writes(verdict->sides[0].operation))
		program->others = MAX(1, verdict->parties / 2);
	program->detectors = verdict->parties - program->others;
}

static void note_sides(struct composer *composer)
{
	const struct verdict_side *other = &composer->input->verdict->sides[1];

	if (other->basis == SIDE_SUSPECTED)
		notes_add(composer->input->notes,
			  "the report names no second side: its first candidate, %s, plays it",
			  other->site.function);
	if (other->basis == SIDE_STAND_IN)
		notes_add(composer->input->notes,
			  "the report knows no second side: a writer of that map stands in");
}

static const char *header(struct composer *composer)
{
	const struct verdict *verdict = composer->input->verdict;
	g_autoptr(GString) text = g_string_new("A reproduction of what mapfault reported:\n\n");

	if (*verdict->sentence)
		g_string_append_printf(text, "\t%s\n\n", verdict->sentence);
	g_string_append_printf(text, "\tkind  %s\n\tmap   %s%s%s\n",
			       verdict_kind_words(verdict->kind),
			       *verdict->map_type ? verdict->map_type : "of a type not known",
			       *verdict->owner_path ? "  " : "", verdict->owner_path);
	if (*verdict->go_version)
		g_string_append_printf(text, "\tGo    %s\n", verdict->go_version);
	for (size_t i = 0; i < composer->input->notes->count; i++)
		g_string_append_printf(text, "\nNote: %s.\n", composer->input->notes->lines[i]);
	g_string_append(text,
			"\n\tgo build -o reproduction . && ./reproduction    it dies as the "
			"report says\n\tgo test -race .                                 the race "
			"detector names both lines\n");
	return template_comment(composer->arena, text->str);
}

bool program_site_is(const struct program_site *site, const char *function, unsigned line)
{
	if (line < site->line || line > site->last_line)
		return false;
	return site->closure ? g_str_has_prefix(function, site->function)
			     : g_str_equal(function, site->function);
}

/* The line of code that ends in a mark; comments of the head of the file are no code. */
static unsigned line_of(const char *code, const char *mark)
{
	unsigned line = 1;

	while (*code) {
		size_t n = strcspn(code, "\n"), m = strlen(mark);

		if (n > m && strncmp(code, "//", 2) != 0 && strncmp(code + n - m, mark, m) == 0)
			return line;
		line++;
		code += n + (code[n] == '\n');
	}
	return 0;
}

static void write_main(struct composer *composer)
{
	struct arena *arena = composer->arena;
	struct go_program *program = composer->program;
	const struct sharing *sharing = &composer->sharing;
	const enum reproduced_operation *a = &composer->input->verdict->sides[0].operation;
	const enum reproduced_operation *b = &composer->input->verdict->sides[1].operation;
	bool grows = *a != REPRODUCE_DELETE && *a != REPRODUCE_CLEAR && *b != REPRODUCE_DELETE &&
		     *b != REPRODUCE_CLEAR;
	const char *functions =
		template_indent(arena,
				arena_format(arena, "%s%s", composer->parts[0].declaration,
					     composer->parts[1].declaration),
				0);
	const char *declared =
		arena_format(arena, "var %s %s\n", sharing->root, sharing->root_type);
	const char *loops = arena_format(arena, "%s%s", composer->loops[0], composer->loops[1]);
	const struct template_value values[] = {
		{"comment", header(composer)},
		{"imports", imports_text(arena, arena_format(arena, "%s%s%s", functions, loops,
							     program->key))},
		{"types", program->declarations},
		{"declaration",
		 sharing->local ? ""
				: arena_format(arena, "// What both sides share.\n%s\n", declared)},
		{"keys_made", G_STRINGIFY(KEYS_MADE)},
		{"value_type", program->value_type},
		{"key_type", program->key_type},
		{"key", program->key},
		{"map_type", program->map_type},
		{"functions", functions},
		{"rounds", rounds_text(arena, program)},
		{"detectors", arena_format(arena, "%u", program->detectors)},
		{"others", arena_format(arena, "%u", program->others)},
		{"burst", composer->burst},
		{"setup", sharing->local ? arena_format(arena, "\t%s%s", declared, sharing->setup)
					 : sharing->setup},
		{"map", sharing->map},
		{"fill_part", grows ? "/2" : ""},
		{"over", composer->over ? "\tvar over int32\n" : ""},
		{"detector_loop", composer->loops[0]},
		{"other_loop", composer->loops[1]},
		{NULL, NULL},
	};
	const char *const marks[] = {MARK_DETECTOR, MARK_OTHER};

	program->main_go = gofmt_structs(arena, template_expand(arena, "main.go", values));
	for (size_t i = 0; i < 2; i++) {
		program->sites[i].line = line_of(program->main_go, marks[i]);
		if (!program->sites[i].line)
			program->sites[i].line = line_of(program->main_go, MARK_BOTH);
		/* Before there was a builtin for it, a map is cleared by a loop of two lines. */
		program->sites[i].last_line =
			program->sites[i].line +
			(composer->input->verdict->sides[i].operation == REPRODUCE_CLEAR);
	}
}

void go_program_plan(const struct program_input *input, struct go_program *ret)
{
	scoped(names) struct names *names = names_new(input->arena);
	scoped(local_types) struct local_types *types =
		local_types_new(input->arena, names, input->notes);
	struct composer composer = {.input = input,
				    .program = ret,
				    .arena = input->arena,
				    .names = names,
				    .types = types};

	*ret = (struct go_program){.go_minor = input->go_minor};
	plan_rounds(input, ret);
	plan_types(&composer);
	plan_parts(&composer);
	plan_goroutines(&composer);
	note_sides(&composer);
	composer.loops[0] = loop_text(&composer, 0);
	composer.loops[1] = loop_text(&composer, 1);
	ret->declarations = arena_string(input->arena, text_of(local_types_declarations(types)));
	write_main(&composer);
	ret->main_test_go = template_text("main_test.go");
	ret->go_mod = arena_format(input->arena, "module reproduction\n\ngo 1.%u\n", ret->go_minor);
}
