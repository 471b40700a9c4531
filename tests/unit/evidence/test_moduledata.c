// SPDX-License-Identifier: Apache-2.0
#include "evidence/binary/moduledata.h"
#include "table.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define MODULE_AT 3000u // in the table's bytes; 8-aligned

static const struct go_layout *layout_of(int minor)
{
	bool exact;

	return go_layout_find((struct go_version){minor, 0, true}, GO_ARCH_AMD64, &exact);
}

static void field_put(struct table *t, enum go_field field, uint64_t add, uint64_t value)
{
	int32_t offset = layout_of(t->minor)->offset[field];

	if (offset != GO_ABSENT)
		table_put(t, MODULE_AT + (size_t)offset + add, value, 8);
}

/** A module's data as moduledataverify1 accepts it. */
static void module_put(struct table *t)
{
	size_t functab = t->minor < 16 ? 16 : t->minor < 18 ? 56 : 64;

	if (t->minor >= 16)
		memcpy(&functab, t->bytes + functab, 8);
	table_put(t, MODULE_AT, TABLE_START, 8);
	field_put(t, GO_MODULEDATA_FTAB, 0, TABLE_START + functab);
	field_put(t, GO_MODULEDATA_FTAB, 8, 3);
	field_put(t, GO_MODULEDATA_TEXT, 0, t->module.text);
	field_put(t, GO_MODULEDATA_ETEXT, 0, t->module.etext);
	field_put(t, GO_MODULEDATA_MINPC, 0, t->module.minpc);
	field_put(t, GO_MODULEDATA_MAXPC, 0, t->module.maxpc);
	field_put(t, GO_MODULEDATA_TYPES, 0, 0x600000);
	field_put(t, GO_MODULEDATA_ETYPES, 0, 0x601000);
	field_put(t, GO_MODULEDATA_GOFUNC, 0, t->module.gofunc);
}

static void test_read(void **state)
{
	for (int minor = GO_MINOR_OLDEST; minor <= GO_MINOR_NEWEST; minor++) {
		struct moduledata module;
		struct table t;

		table_init(&t, minor, 1);
		module_put(&t);
		assert_null(moduledata_read(t.memory, layout_of(minor), TABLE_START + MODULE_AT,
					    &module));
		assert_int_equal(module.pclntab.header, TABLE_START);
		assert_int_equal(module.pclntab.maxpc, TABLE_TEXT + 0x80);
		assert_int_equal(module.types, 0x600000);
		assert_int_equal(module.pclntab.gofunc, minor >= 18 ? t.module.gofunc : 0);
		table_done(&t);
	}
}

/** A word that happens to be the table's address is not a module: any one field off is enough. */
static void test_refuses(void **state)
{
	static const enum go_field fields[] = {GO_MODULEDATA_FTAB, GO_MODULEDATA_MINPC,
					       GO_MODULEDATA_MAXPC, GO_MODULEDATA_ETEXT,
					       GO_MODULEDATA_ETYPES};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		struct moduledata module;
		struct table t;
		struct error *error;

		table_init(&t, 22, 1);
		module_put(&t);
		field_put(&t, fields[i], 0, 8);
		error = moduledata_read(t.memory, layout_of(22), TABLE_START + MODULE_AT, &module);
		assert_non_null(error);
		assert_int_equal(error_code(error), ERROR_MALFORMED);
		error_free(error);
		table_done(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_read),
					   cmocka_unit_test(test_refuses)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
