// SPDX-License-Identifier: Apache-2.0
#include "report/words.h"

#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void check(char *words, const char *expected)
{
	assert_string_equal(words, expected);
	g_free(words);
}

static void test_functions(void **state)
{
	check(words_function("example.com/shop/cart.(*Store).Put"), "cart.(*Store).Put");
	check(words_function("gopkg.in/yaml%2ev3.Unmarshal"), "yaml.v3.Unmarshal");
	check(words_function("net/http.(*conn).serve"), "net/http.(*conn).serve");
	check(words_function("main.main.func1"), "main.main.func1");
	check(words_function("a.b/c.Do[go.shape.struct { a.b/c.K; x []int }]"), "c.Do[...]");
	check(words_function("main.(*cache[go.shape.string]).put"), "main.(*cache[...]).put");
	check(words_function("main.broken[x"), "main.broken[");
	check(words_function(NULL), "unknown function");
}

static void test_places(void **state)
{
	check(words_place(&(struct go_site){.file = "/src/shop/cart/store.go", .line = 41}),
	      "cart/store.go:41");
	check(words_place(&(struct go_site){.file = "main.go", .line = 0}), "main.go");
	check(words_place(&(struct go_site){.file = NULL, .line = 7}), "");
}

static void test_counts(void **state)
{
	check(words_count(0), "0");
	check(words_count(999), "999");
	check(words_count(1204), "1,204");
	check(words_count(UINT64_MAX), "18,446,744,073,709,551,615");
}

static void test_waits(void **state)
{
	check(words_wait(-1), "");
	check(words_wait(999999999), "");
	check(words_wait(119000000000), "119 s");
	check(words_wait(120000000000), "2 min");
	check(words_wait(7200000000000), "2 h");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_functions),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
