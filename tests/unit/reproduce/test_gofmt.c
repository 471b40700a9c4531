// SPDX-License-Identifier: Apache-2.0
// What is expected here is what gofmt makes of the same text; tests/e2e asks gofmt itself about whole programs.
#include "cmocka_first.h"

#include "reproduce/gofmt.h"

static void becomes(const char *code, const char *wanted)
{
	struct arena *arena = arena_new();

	assert_string_equal(gofmt_structs(arena, code), wanted);
	arena_free(arena);
}

static void one_short_field_stays(void **state)
{
	becomes("type a struct{}\n", "type a struct{}\n");
	becomes("type a struct{ m map[string]int }\n", "type a struct{ m map[string]int }\n");
}

/* 29 characters of type are the most: go/printer, isOneLineFieldList. */
static void a_long_field_gets_a_line(void **state)
{
	becomes("var x struct{ f map[string]map[string]string9 }\n",
		"var x struct{ f map[string]map[string]string9 }\n");
	becomes("var x struct{ f map[string]map[string]string910 }\n",
		"var x struct {\n\tf map[string]map[string]string910\n}\n");
}

static void types_stand_in_a_column(void **state)
{
	becomes("\tvar x map[struct{ a int; long string }]bool // kept\n",
		"\tvar x map[struct {\n\t\ta    int\n\t\tlong string\n\t}]bool // kept\n");
}

static void a_column_ends_with_a_type_of_several_lines(void **state)
{
	becomes("var x struct{ a int; bcd struct{ e int; f int }; ghi func(int, struct{ j int }); "
		"k int }\n",
		"var x struct {\n\ta   int\n\tbcd struct {\n\t\te int\n\t\tf int\n\t}\n"
		"\tghi func(int, struct{ j int })\n\tk   int\n}\n");
}

static void comments_and_strings_are_left_alone(void **state)
{
	becomes("// struct{ a int; b int }\n", "// struct{ a int; b int }\n");
	becomes("x := \"struct{ a int; b int }\"", "x := \"struct{ a int; b int }\"");
}

static void what_does_not_end_is_no_harm(void **state)
{
	becomes("struct{ a int; b", "struct {\n\ta int\n\tb \n}");
	becomes("struct{ ", "struct {\n}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_short_field_stays),
		cmocka_unit_test(a_long_field_gets_a_line),
		cmocka_unit_test(types_stand_in_a_column),
		cmocka_unit_test(a_column_ends_with_a_type_of_several_lines),
		cmocka_unit_test(comments_and_strings_are_left_alone),
		cmocka_unit_test(what_does_not_end_is_no_harm),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
