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

static json_t *side(const char *role, const char *operation, const char *function, int line)
{
	return json_pack("{s:s, s:s, s:{s:s, s:i}}", "role", role, "operation", operation, "site",
			 "function", function, "line", line);
}

static json_t *report_of(const char *kind, const char *type, const char *path, json_t *detector,
			 json_t *other)
{
	return json_pack("{s:s, s:{s:s}, s:{s:s, s:[{s:s}]}, s:[o, o]}", "schema", REPORT_SCHEMA,
			 "verdict", "kind", kind, "map", "type", type, "owners", "path", path,
			 "sides", detector, other);
}

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

static void holds(const struct made *made, const char *text)
{
	if (!strstr(made->program.main_go, text))
		fail_msg("the program lacks \"%s\":\n%s", text, made->program.main_go);
}

static void a_field_is_shared_by_its_methods(void **state)
{
	struct made made;

	make(report_of("concurrent_map_read_and_write", "map[string]int", "main.registry.entries",
		       side("detector", "read", "main.(*store).get", 10),
		       side("other", "assign", "main.(*store).put", 20)),
	     &made);
	holds(&made, "type store struct{ entries map[string]int }\n");
	holds(&made, "var registry store\n");
	holds(&made, "func (x *store) get(n int) {\n\t_, ok := x.entries[keys[n]] // ");
	holds(&made, "func (x *store) put(n int) {\n\tx.entries[keys[n]] = value // ");
	holds(&made, "\tregistry.entries = make(map[string]int)\n");
	assert_string_equal(made.program.sites[0].function, "main.(*store).get");
	assert_true(made.program.sites[0].line > 0);
	assert_true(made.program.sites[1].line > made.program.sites[0].line);
	arena_free(made.arena);
}

static void a_local_is_handed_on(void **state)
{
	struct made made;

	make(report_of("concurrent_map_writes", "map[int]bool",
		       "seen (local of main.walk, goroutine 7)",
		       side("detector", "assign", "main.visit", 10),
		       side("other", "delete", "main.forget", 20)),
	     &made);
	holds(&made, "func visit(m map[int]bool, n int) {\n\tm[keys[n]] = value // ");
	holds(&made, "func forget(m map[int]bool, n int) {\n\tdelete(m, keys[n]) // ");
	holds(&made, "\tvar seen map[int]bool\n");
	holds(&made, "visit(seen, n)\n");
	arena_free(made.arena);
}

static void closures_stand_in_their_function(void **state)
{
	struct made made;

	make(report_of("concurrent_map_writes", "map[int]bool",
		       "found (local of main.collect.func1, goroutine 7)",
		       side("detector", "assign", "main.collect.func1", 10),
		       side("other", "assign", "main.collect.func2", 20)),
	     &made);
	holds(&made, "func collect(r round) {");
	holds(&made, "found[keys[n]] = value // ");
	assert_string_equal(made.program.sites[1].function, "main.collect.func");
	arena_free(made.arena);
}

static void one_function_may_do_both(void **state)
{
	struct made made;

	make(report_of("concurrent_map_read_and_write", "map[int]bool", "main.limit.buckets",
		       side("detector", "read", "main.(*limiter).allow", 10),
		       side("other", "assign", "main.(*limiter).allow", 12)),
	     &made);
	holds(&made, "func (x *limiter) allow(side, n int) {\n\tif side == 0 {\n");
	holds(&made, "limit.allow(0, n)\n");
	holds(&made, "limit.allow(1, n)\n");
	arena_free(made.arena);
}

static void a_map_type_has_methods_itself(void **state)
{
	struct made made;

	make(report_of("concurrent_map_read_and_write", "http.Header", "main.client.headers",
		       side("detector", "read", "net/http.Header.get", 10),
		       side("other", "assign", "main.(*sender).retry", 20)),
	     &made);
	holds(&made, "type Header map[string][]string\n");
	holds(&made, "type sender struct{ headers Header }\n");
	holds(&made, "func (x Header) get(n int) {\n\t_, ok := x[keys[n]] // ");
	holds(&made, "func (x *sender) retry(n int) {\n\tx.headers[keys[n]] = value // ");
	holds(&made, "client.headers.get(n)\n");
	assert_string_equal(made.program.sites[0].function, "main.Header.get");
	arena_free(made.arena);
}

static void elements_are_reached(void **state)
{
	struct made made;

	make(report_of("concurrent_map_writes", "map[string]int", "main.usage.tenants[...]",
		       side("detector", "assign", "main.(*quotas).charge", 10),
		       side("other", "assign", "main.(*quotas).credit", 20)),
	     &made);
	holds(&made, "type quotas struct{ tenants map[string]map[string]int }\n");
	holds(&made, "x.tenants[\"shared\"][keys[n]] = value // ");
	holds(&made, "\tusage.tenants = make(map[string]map[string]int)\n"
		     "\tusage.tenants[\"shared\"] = make(map[string]int)\n");
	arena_free(made.arena);
}

/* Nothing of a report gets into the program as code. */
static void a_hostile_report_is_only_a_comment(void **state)
{
	struct made made;

	make(report_of("concurrent_map_writes", "map[string]int\nfunc init() { panic(1) }",
		       "main.x\nfunc init() { panic(2) }.y\"{",
		       side("detector", "assign", "main.f() {}\nfunc init", 10),
		       side("other", "assign", "main.(*T {}\nfunc init).m", 20)),
	     &made);
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
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_field_is_shared_by_its_methods),
		cmocka_unit_test(a_local_is_handed_on),
		cmocka_unit_test(closures_stand_in_their_function),
		cmocka_unit_test(one_function_may_do_both),
		cmocka_unit_test(a_map_type_has_methods_itself),
		cmocka_unit_test(elements_are_reached),
		cmocka_unit_test(a_hostile_report_is_only_a_comment),
		cmocka_unit_test(no_conflict_is_refused),
		cmocka_unit_test(missing_keys_are_stood_in_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
