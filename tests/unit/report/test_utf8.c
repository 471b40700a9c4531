// SPDX-License-Identifier: Apache-2.0
#include "report/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void check(const char *text, const char *expected)
{
	char *safe = utf8_safe(text);

	assert_string_equal(safe, expected);
	g_free(safe);
}

static void test_plain_text_stays(void **state)
{
	check("main.(*Größe).put·1 世界 😀", "main.(*Größe).put·1 世界 😀");
	check("", "");
	check(NULL, "");
}

static void test_controls_become_visible(void **state)
{
	check("a\x1b[2Jb\n\t\x7f", "a\\x1b[2Jb\\x0a\\x09\\x7f");
	check("\xc2\x9b"
	      "31m",
	      "\\x9b31m"); /* C1 CSI */
	check("\xe2\x80\xae"
	      "abc",
	      "\\u202e"
	      "abc");
	check("\xef\xbb\xbf", "\\ufeff");
}

/* RFC 3629: overlong forms, surrogates, beyond U+10FFFF, cut off, stray continuation bytes. */
static void test_malformed_bytes_are_replaced(void **state)
{
	check("\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd");
	check("\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	check("\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	check("\xe4\xb8", "\xef\xbf\xbd\xef\xbf\xbd");
	check("\x80z", "\xef\xbf\xbdz");
}

static void test_columns(void **state)
{
	assert_int_equal(utf8_columns("abc", 3), 3);
	assert_int_equal(utf8_columns("世界", 6), 4);
	assert_int_equal(utf8_columns("e\xcc\x81", 3), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain_text_stays),
		cmocka_unit_test(test_controls_become_visible),
		cmocka_unit_test(test_malformed_bytes_are_replaced),
		cmocka_unit_test(test_columns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
