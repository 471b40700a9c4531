// SPDX-License-Identifier: Apache-2.0
// Which bytes can be a value of a type: two structs of one size with a map at one offset are told apart.
#include "model/data/value_fit.h"
#include "space.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct space space;
static uint64_t at, text, other;

#define NOWHERE 0x500ull

static const struct go_type string_type = {.size = 16, .pointer_bytes = 8, .kind = GO_KIND_STRING};
static const struct go_type int_type = {.size = 8, .kind = GO_KIND_INT};
static const struct go_type bool_type = {.size = 1, .kind = GO_KIND_BOOL};
static const struct go_type pointer_type = {
	.size = 8, .pointer_bytes = 8, .kind = GO_KIND_POINTER, .elem = &string_type};
static const struct go_type slice_type = {
	.size = 24, .pointer_bytes = 8, .kind = GO_KIND_SLICE, .elem = &int_type};
static const struct go_type_field named_fields[] = {
	{.name = "name", .offset = 0, .type = &string_type},
	{.name = "id", .offset = 16, .type = &int_type},
};
static const struct go_type_field linked_fields[] = {
	{.name = "next", .offset = 0, .type = &pointer_type},
	{.name = "n", .offset = 8, .type = &int_type},
	{.name = "on", .offset = 16, .type = &bool_type},
};
static const struct go_type named = {.size = 24,
				     .pointer_bytes = 8,
				     .kind = GO_KIND_STRUCT,
				     .fields = named_fields,
				     .field_count = 2};
static const struct go_type linked = {.size = 24,
				      .pointer_bytes = 8,
				      .kind = GO_KIND_STRUCT,
				      .fields = linked_fields,
				      .field_count = 3};
static const struct go_type pair = {
	.size = 48, .pointer_bytes = 48, .kind = GO_KIND_ARRAY, .elem = &named, .length = 2};

static int make(void **state)
{
	space_init(&space, 22, GO_ARCH_AMD64);
	at = space_take(&space, 64);
	text = space_take(&space, 16);
	other = space_take(&space, 24);
	return 0;
}

static int drop(void **state)
{
	space_done(&space);
	return 0;
}

static void put3(uint64_t a, uint64_t b, uint64_t c)
{
	const uint64_t words[] = {a, b, c};

	space_write(&space, at, words, sizeof(words));
}

static bool fits(const struct go_type *type) { return value_fits(&space.program, type, at); }

static void a_string_is_text_and_its_length(void **state)
{
	put3(text, 5, 7);
	assert_true(fits(&named));
	put3(text, SPACE_BYTES, 7); // ends outside
	assert_false(fits(&named));
	put3(NOWHERE, 5, 7);
	assert_false(fits(&named));
	put3(0, 5, 7);
	assert_false(fits(&named));
	put3(0, 0, 7);
	assert_true(fits(&named));
}

static void a_pointer_leads_to_what_is_there_and_a_bool_is_one_bit(void **state)
{
	put3(other, 1ull << 60, 1);
	assert_true(fits(&linked));
	assert_false(fits(&named)); // as long as no text is
	put3(other, 5, 7);
	assert_false(fits(&linked));
	put3(NOWHERE, 5, 0);
	assert_false(fits(&linked));
	put3(SPACE_START + SPACE_BYTES - 8, 5, 0); // room for half of it
	assert_false(fits(&linked));
	put3(0, 5, 0);
	assert_true(fits(&linked));
}

static void a_slice_has_room_for_its_elements(void **state)
{
	put3(other, 2, 3);
	assert_true(fits(&slice_type));
	put3(other, 4, 3);
	assert_false(fits(&slice_type));
	put3(other, 2, SPACE_BYTES);
	assert_false(fits(&slice_type));
	put3(other, 2, UINT64_MAX / 4);
	assert_false(fits(&slice_type));
	put3(0, 0, 0);
	assert_true(fits(&slice_type));
}

static void every_element_counts_and_what_is_not_dumped_is_none(void **state)
{
	put3(text, 5, 7);
	assert_true(fits(&pair));
	space_u64(&space, at + 24, NOWHERE);
	space_u64(&space, at + 32, 1);
	assert_false(fits(&pair));
	assert_false(value_fits(&space.program, &named, NOWHERE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_string_is_text_and_its_length, make, drop),
		cmocka_unit_test_setup_teardown(
			a_pointer_leads_to_what_is_there_and_a_bool_is_one_bit, make, drop),
		cmocka_unit_test_setup_teardown(a_slice_has_room_for_its_elements, make, drop),
		cmocka_unit_test_setup_teardown(every_element_counts_and_what_is_not_dumped_is_none,
						make, drop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
