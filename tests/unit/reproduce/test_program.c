// SPDX-License-Identifier: Apache-2.0
// Reports of a few lines → what the program that reproduces them must hold. That such programs build and
// die as they should is seen by tests/e2e/test_repro.py.
#include "cmocka_first.h"

#include "reproduce/program.h"

struct made {
	struct arena *arena;
	struct notes notes;
	struct verdict verdict;
	struct go_program program;
};

/* A report with two sides, and lines that the program of it must hold. */
static const struct example {
	const char *name;
	const char *kind, *type, *path;
	struct {
		const char *operation, *function;
	} sides[2];
	const char *holds[6];
	const char *functions[2]; // of the program's sites; NULL: any
	const char *go;           // NULL: not known
} examples[] = {
	{"a field is shared by its methods",
	 "concurrent_map_read_and_write",
	 "map[string]int",
	 "main.registry.entries",
	 {{"read", "main.(*store).get"}, {"assign", "main.(*store).put"}},
	 {"type store struct{ entries map[string]int }\n", "var registry store\n",
	  "func (x *store) get(n int) {\n\t_, ok := x.entries[keys[n]] // ",
	  "func (x *store) put(n int) {\n\tx.entries[keys[n]] = value // ",
	  "\tregistry.entries = make(map[string]int)\n"},
	 {"main.(*store).get", "main.(*store).put"}},
	{"a local is handed on",
	 "concurrent_map_writes",
	 "map[int]bool",
	 "seen (local of main.walk, goroutine 7)",
	 {{"assign", "main.visit"}, {"delete", "main.forget"}},
	 {"func visit(m map[int]bool, n int) {\n\tm[keys[n]] = value // ",
	  "func forget(m map[int]bool, n int) {\n\tdelete(m, keys[n]) // ",
	  "\tvar seen map[int]bool\n", "visit(seen, n)\n"},
	 {NULL, NULL}},
	{"closures stand in their function",
	 "concurrent_map_writes",
	 "map[int]bool",
	 "found (local of main.collect.func1, goroutine 7)",
	 {{"assign", "main.collect.func1"}, {"assign", "main.collect.func2"}},
	 {"func collect(r round) {", "found[keys[n]] = value // "},
	 {"main.collect.func", "main.collect.func"}},
	{"one function may do both",
	 "concurrent_map_read_and_write",
	 "map[int]bool",
	 "main.limit.buckets",
	 {{"read", "main.(*limiter).allow"}, {"assign", "main.(*limiter).allow"}},
	 {"func (x *limiter) allow(side, n int) {\n\tif side == 0 {\n", "limit.allow(0, n)\n",
	  "limit.allow(1, n)\n"},
	 {NULL, NULL}},
	{"a map type has methods itself",
	 "concurrent_map_read_and_write",
	 "http.Header",
	 "main.client.headers",
	 {{"read", "net/http.Header.get"}, {"assign", "main.(*sender).retry"}},
	 {"type Header map[string][]string\n", "type sender struct{ headers Header }\n",
	  "func (x Header) get(n int) {\n\t_, ok := x[keys[n]] // ",
	  "func (x *sender) retry(n int) {\n\tx.headers[keys[n]] = value // ",
	  "client.headers.get(n)\n"},
	 {"main.Header.get", NULL}},
	{"a library walks for its caller",
	 "concurrent_map_iteration_and_write",
	 "map[string]int",
	 "main.common.counts",
	 {{"iterate", "encoding/gob.(*Encoder).encodeMap"}, {"assign", "main.(*replica).add"}},
	 {"gob.NewEncoder(ioutil.Discard).Encode(", "\t\"encoding/gob\"\n"},
	 {NULL, NULL},
	 "go1.22.12"},
	{"gob refuses what has no exported field, so the program walks itself",
	 "concurrent_map_iteration_and_write",
	 "map[string]*main.entry",
	 "main.common.entries",
	 {{"iterate", "encoding/gob.(*Encoder).encodeMap"}, {"assign", "main.(*replica).add"}},
	 {"for range "},
	 {NULL, NULL},
	 "go1.22.12"},
	{"json refuses keys of interfaces, so the program walks itself",
	 "concurrent_map_iteration_and_write",
	 "map[interface {}]int",
	 "main.common.entries",
	 {{"iterate", "encoding/json.mapEncoder.encode"}, {"assign", "main.(*replica).add"}},
	 {"for range "},
	 {NULL, NULL},
	 "go1.22.12"},
	{"elements are reached",
	 "concurrent_map_writes",
	 "map[string]int",
	 "main.usage.tenants[...]",
	 {{"assign", "main.(*quotas).charge"}, {"assign", "main.(*quotas).credit"}},
	 {"type quotas struct{ tenants map[string]map[string]int }\n",
	  "x.tenants[\"shared\"][keys[n]] = value // ",
	  "\tusage.tenants = make(map[string]map[string]int)\n"
	  "\tusage.tenants[\"shared\"] = make(map[string]int)\n"},
	 {NULL, NULL}},
};

/* Nothing of a report gets into the program as code. */
static const struct example hostile = {
	"a hostile report is only a comment",
	"concurrent_map_writes",
	"map[string]int\nfunc init() { panic(1) }",
	"main.x\nfunc init() { panic(2) }.y\"{",
	{{"assign", "main.f() {}\nfunc init"}, {"assign", "main.(*T {}\nfunc init).m"}},
	{NULL},
	{NULL, NULL},
	NULL};

static void make(json_t *report, struct made *made)
{
	struct program_input input;
	struct error *error;

	*made = (struct made){.arena = arena_new()};
	made->notes.arena = made->arena;
	error = verdict_read(report, made->arena, &made->verdict);
	if (error)
		fail_msg("%s", error_text(error));
	input = (struct program_input){&made->verdict, go_program_minor(&made->verdict), 0,
				       made->arena, &made->notes};
	go_program_plan(&input, &made->program);
	json_decref(report);
}

static json_t *side_of(const struct example *example, size_t side)
{
	return json_pack("{s:s, s:s, s:{s:s, s:i}}", "role", side ? "other" : "detector",
			 "operation", example->sides[side].operation, "site", "function",
			 example->sides[side].function, "line", 10 + (int)side);
}

static void make_example(const struct example *example, struct made *made)
{
	make(json_pack("{s:s, s:[{s:s?}], s:{s:s}, s:{s:s, s:[{s:s}]}, s:[o, o]}", "schema",
		       REPORT_SCHEMA, "evidence", "go_version", example->go, "verdict", "kind",
		       example->kind, "map", "type", example->type, "owners", "path", example->path,
		       "sides", side_of(example, 0), side_of(example, 1)),
	     made);
}

static void holds(const struct made *made, const char *text)
{
	if (!strstr(made->program.main_go, text))
		fail_msg("the program lacks \"%s\":\n%s", text, made->program.main_go);
}

static void the_program_holds_its_lines(void **state)
{
	const struct example *example = *state;
	struct made made;

	make_example(example, &made);
	for (const char *const *text = example->holds; *text; text++)
		holds(&made, *text);
	for (size_t i = 0; i < 2; i++) {
		assert_true(made.program.sites[i].line > 0);
		if (example->functions[i])
			assert_string_equal(made.program.sites[i].function, example->functions[i]);
	}
	arena_free(made.arena);
}

static void sites_stand_in_order(void **state)
{
	struct made made;

	make_example(&examples[0], &made);
	assert_true(made.program.sites[1].line > made.program.sites[0].line);
	arena_free(made.arena);
}

static void a_hostile_report_is_only_a_comment(void **state)
{
	struct made made;

	make_example(&hostile, &made);
	assert_null(strstr(made.program.main_go, "\nfunc init"));
	assert_null(strstr(made.program.main_go, "panic(1) }\n"));
	assert_true(made.program.sites[0].line > 0);
	arena_free(made.arena);
}

static void no_conflict_is_refused(void **state)
{
	static const char *const kinds[] = {"nil_map_write", "not_a_map_fatal", "", "nonsense"};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		json_t *report = json_pack("{s:{s:s}}", "verdict", "kind", kinds[i]);
		struct arena *arena = arena_new();
		struct verdict verdict;
		struct error *error = verdict_read(report, arena, &verdict);

		assert_non_null(error);
		assert_int_equal(error_code(error), ERROR_UNSUPPORTED);
		error_free(error);
		arena_free(arena);
		json_decref(report);
	}
}

static void missing_keys_are_stood_in_for(void **state)
{
	struct made made;

	make(json_pack("{s:{s:s}}", "verdict", "kind", "concurrent_map_read_and_write"), &made);
	holds(&made, "map[string]interface{}");
	assert_int_equal(made.verdict.sides[1].basis, SIDE_STAND_IN);
	assert_int_equal(made.verdict.sides[0].operation, REPRODUCE_READ);
	assert_true(made.notes.count >= 2);
	arena_free(made.arena);
}

int main(void)
{
	enum { EXAMPLES = sizeof(examples) / sizeof(*examples) };
	const struct CMUnitTest others[] = {
		cmocka_unit_test(sites_stand_in_order),
		cmocka_unit_test(a_hostile_report_is_only_a_comment),
		cmocka_unit_test(no_conflict_is_refused),
		cmocka_unit_test(missing_keys_are_stood_in_for),
	};
	struct CMUnitTest shown[EXAMPLES];
	int failed;

	for (size_t i = 0; i < EXAMPLES; i++)
		shown[i] = (struct CMUnitTest){.name = examples[i].name,
					       .test_func = the_program_holds_its_lines,
					       .initial_state = (void *)&examples[i]};
	failed = cmocka_run_group_tests(shown, NULL, NULL);
	return cmocka_run_group_tests(others, NULL, NULL) + failed;
}
