// SPDX-License-Identifier: Apache-2.0
// clang-format off: cmocka needs these first
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "doctor/tree.h"

static struct tree *read_text(const char *text)
{
	struct tree *tree = NULL;

	assert_null(tree_read("test", text_of(text), &tree));
	return tree;
}

static void yaml_by_path(void **state)
{
	scoped(tree) struct tree *tree =
		read_text("spec:\n  containers:\n  - name: web\n    env: []\n---\nkind: Pod\n");
	struct branch list = branch_at(tree_document(tree, 0), "spec.containers");
	const char *key;

	assert_int_equal(tree_documents(tree), 2);
	assert_true(branch_is_list(list));
	assert_int_equal(branch_count(list), 1);
	assert_string_equal(branch_text_at(branch_item(list, 0, &key), "name"), "web");
	assert_string_equal(branch_text_at(tree_document(tree, 1), "kind"), "Pod");
	assert_null(branch_text_at(tree_document(tree, 1), "kind.more"));
	assert_false(branch_exists(branch_item(list, 1, &key)));
}

static void json_is_yaml(void **state)
{
	scoped(tree) struct tree *tree = read_text("[{\"Config\": {\"Env\": [\"A=1\"]}}]");
	const char *key;
	struct branch env = branch_at(branch_item(tree_document(tree, 0), 0, &key), "Config.Env");

	assert_string_equal(branch_text(branch_item(env, 0, &key)), "A=1");
}

static void aliases_are_followed(void **state)
{
	scoped(tree) struct tree *tree = read_text("a: &x {b: c}\nd: *x\n");

	assert_string_equal(branch_text_at(tree_document(tree, 0), "d.b"), "c");
}

static void refused(void **state)
{
	static const char *const texts[] = {"a: [", "\"", "{a: b: c}", "\x01"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct tree *tree = NULL;
		struct error *error = tree_read("test", text_of(texts[i]), &tree);

		assert_non_null(error);
		error_free(error);
		assert_null(tree);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(yaml_by_path),
		cmocka_unit_test(json_is_yaml),
		cmocka_unit_test(aliases_are_followed),
		cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
