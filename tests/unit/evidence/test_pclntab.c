// SPDX-License-Identifier: Apache-2.0
#include "table.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct pclntab *opened(struct table *t, int minor)
{
	struct pclntab *table;

	assert_null(
		pclntab_open(t->memory, &t->module, (struct go_version){minor, 0, true}, &table));
	return table;
}

/** Calls @a check for each release and both architectures. */
static void each_version(void (*check)(struct table *, struct pclntab *))
{
	for (int minor = GO_MINOR_OLDEST; minor <= GO_MINOR_NEWEST; minor++) {
		for (uint8_t quantum = 1; quantum <= 4; quantum += 3) {
			struct table t;
			struct pclntab *table;

			table_init(&t, minor, quantum);
			table = opened(&t, minor);
			check(&t, table);
			pclntab_close(table);
			table_done(&t);
		}
	}
}

static void check_functions(struct table *t, struct pclntab *table)
{
	struct go_function f;

	assert_int_equal(pclntab_count(table), 2);
	assert_true(pclntab_find(table, TABLE_TEXT + 0x3f, &f));
	assert_string_equal(f.name, "main.outer");
	assert_int_equal(f.entry, TABLE_TEXT);
	assert_int_equal(f.end, TABLE_TEXT + 0x40);
	assert_int_equal(f.args_bytes, 8);
	assert_int_equal(f.start_line, t->minor >= 20 ? 7 : 0);
	assert_true(pclntab_find(table, TABLE_TEXT + 0x40, &f));
	assert_string_equal(f.name, "main.last");
	assert_int_equal(f.end, TABLE_TEXT + 0x80);
	assert_false(pclntab_find(table, TABLE_TEXT - 1, &f));
	assert_false(pclntab_find(table, TABLE_TEXT + 0x80, &f));
	assert_true(pclntab_find_named(table, "main.last", &f));
	assert_int_equal(f.index, 1);
	assert_false(pclntab_find_named(table, "main.inner", &f));
	assert_false(pclntab_function(table, 2, &f));
}

static void test_functions(void **state) { each_version(check_functions); }

static void check_tables(struct table *t, struct pclntab *table)
{
	struct go_function f;
	int32_t number;
	const char *file;

	assert_true(pclntab_function(table, 0, &f));
	assert_true(pclntab_sp_delta(table, &f, TABLE_TEXT, &number));
	assert_int_equal(number, 0);
	assert_true(pclntab_sp_delta(table, &f, TABLE_TEXT + 4, &number));
	assert_int_equal(number, 24);
	assert_false(pclntab_sp_delta(table, &f, TABLE_TEXT + 0x40, &number));
	assert_true(pclntab_line(table, &f, TABLE_TEXT + 0x10, &file, &number));
	assert_string_equal(file, "b.go");
	assert_int_equal(number, 99);
	assert_int_equal(pclntab_pcdata(table, &f, GO_PCDATA_INL_TREE, TABLE_TEXT + 0x10), 0);
	assert_int_equal(pclntab_pcdata(table, &f, GO_PCDATA_INL_TREE, TABLE_TEXT), -1);
	assert_int_equal(pclntab_pcdata(table, &f, GO_PCDATA_ARG_LIVE, TABLE_TEXT), -1);
	assert_int_equal(pclntab_funcdata(table, &f, GO_FUNCDATA_INL_TREE),
			 TABLE_START + TABLE_TREE);
	assert_int_equal(pclntab_funcdata(table, &f, GO_FUNCDATA_ARGS_POINTER_MAPS), 0);
}

static void test_tables(void **state) { each_version(check_tables); }

static void check_sites(struct table *t, struct pclntab *table)
{
	struct go_site sites[PCLNTAB_MAX_INLINED];

	for (int again = 0; again < 2; again++) { // the second answer is a remembered one
		assert_int_equal(pclntab_sites(table, TABLE_TEXT + 0x14, sites), 2);
		assert_string_equal(sites[0].function, "main.inner");
		assert_string_equal(sites[0].file, "b.go");
		assert_int_equal(sites[0].line, 99);
		assert_true(sites[0].inlined);
		assert_string_equal(sites[1].function, "main.outer");
		assert_string_equal(sites[1].file, "a.go");
		assert_int_equal(sites[1].line, t->minor >= 20 ? 10 : 11);
		assert_false(sites[1].inlined);
	}
	assert_int_equal(pclntab_sites(table, TABLE_TEXT + 0x20, sites), 1);
	assert_int_equal(sites[0].line, 12);
	assert_int_equal(pclntab_sites(table, TABLE_TEXT + 0x80, sites), 0);
}

static void test_sites(void **state) { each_version(check_sites); }

/** A node that is its own caller: the walk ends, and claims no line for the outermost function. */
static void check_circle(struct table *t, struct pclntab *table)
{
	struct go_site sites[PCLNTAB_MAX_INLINED];

	if (t->minor >= 20)
		table_put(t, TABLE_TREE + 8, 0x14, 4);
	else
		table_put(t, TABLE_TREE, 0, 4);
	assert_int_equal(pclntab_sites(table, TABLE_TEXT + 0x14, sites), PCLNTAB_MAX_INLINED);
	assert_string_equal(sites[PCLNTAB_MAX_INLINED - 1].function, "main.outer");
	assert_int_equal(sites[PCLNTAB_MAX_INLINED - 1].line, 0);
}

static void test_circle(void **state) { each_version(check_circle); }

/** Every table cut off at every byte, and with every byte spoilt: an answer or none, never a crash.
 */
static void test_damage(void **state)
{
	struct table t;

	for (int minor = 9; minor <= 20; minor += minor == 9 ? 7 : 2) {
		for (size_t at = 0; at < 1024; at++) {
			struct go_site sites[PCLNTAB_MAX_INLINED];
			struct pclntab *table = NULL;

			table_init(&t, minor, 1);
			t.bytes[at] ^= 0xff;
			if (at % 2) {
				memory_free(t.memory);
				t.memory = memory_new();
				memory_add(t.memory, TABLE_START, t.bytes, at, place_whole("cut"));
			}
			error_free(pclntab_open(t.memory, &t.module,
						(struct go_version){minor, 0, true}, &table));
			for (uint64_t pc = TABLE_TEXT; table && pc < TABLE_TEXT + 0x80; pc += 8)
				pclntab_sites(table, pc, sites);
			pclntab_close(table);
			table_done(&t);
		}
	}
}

static void test_unknown_version(void **state)
{
	for (int minor = GO_MINOR_OLDEST; minor <= GO_MINOR_NEWEST; minor++) {
		struct go_function f;
		struct pclntab *table;
		struct table t;

		table_init(&t, minor, 1);
		table = opened(&t, 0);
		assert_true(pclntab_find(table, TABLE_TEXT, &f));
		assert_string_equal(f.name, "main.outer");
		pclntab_close(table);
		table_done(&t);
	}
}

/** The second function was put 0x1000 further by the external linker. */
static void test_text_sections(void **state)
{
	const uint64_t sections[] = {0, 0x40, TABLE_TEXT, 0x40, 0x80, TABLE_TEXT + 0x1040};
	struct pclntab *table;
	struct go_function f;
	struct table t;

	table_init(&t, 22, 1);
	memcpy(t.bytes + 3000, sections, sizeof(sections));
	t.module.textsectmap = TABLE_START + 3000;
	t.module.textsectmap_count = 2;
	t.module.maxpc = t.module.etext = TABLE_TEXT + 0x1080;
	table = opened(&t, 22);
	assert_true(pclntab_find(table, TABLE_TEXT + 0x1044, &f));
	assert_string_equal(f.name, "main.last");
	assert_int_equal(f.entry, TABLE_TEXT + 0x1040);
	assert_int_equal(f.end, TABLE_TEXT + 0x1080);
	pclntab_close(table);
	table_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_functions),     cmocka_unit_test(test_tables),
		cmocka_unit_test(test_sites),         cmocka_unit_test(test_circle),
		cmocka_unit_test(test_damage),        cmocka_unit_test(test_unknown_version),
		cmocka_unit_test(test_text_sections),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
