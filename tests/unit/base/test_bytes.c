// SPDX-License-Identifier: Apache-2.0
#include "cmocka_first.h"

#include "base/bytes.h"

static struct bytes over(const void *data, size_t size)
{
	return bytes_over(data, size, (struct place){"file", 0x100});
}

static void integers_are_little_endian(void **state)
{
	struct bytes b = over("\1\2\3\4\5\6\7\x8\x9\xa\xb\xc\xd\xe\xf", 15);
	uint8_t u8;
	uint16_t u16;
	uint32_t u32;
	uint64_t u64;

	assert_null(bytes_u8(&b, "a", &u8));
	assert_null(bytes_u16(&b, "b", &u16));
	assert_null(bytes_u32(&b, "c", &u32));
	assert_null(bytes_u64(&b, "d", &u64));
	assert_int_equal(u8, 1);
	assert_int_equal(u16, 0x0302);
	assert_int_equal(u32, 0x07060504);
	assert_int_equal(u64, 0x0f0e0d0c0b0a0908);
	assert_int_equal(bytes_left(&b), 0);
}

static void a_short_read_names_field_and_place_and_moves_nothing(void **state)
{
	struct bytes b = over("\1\2\3", 3);
	uint32_t value = 42;

	assert_null(bytes_skip(&b, "lead", 1));
	scoped(error) struct error *error = bytes_u32(&b, "goid", &value);

	assert_int_equal(error_code(error), ERROR_TRUNCATED);
	assert_non_null(strstr(error_text(error), "goid"));
	assert_non_null(strstr(error_text(error), "0x101"));
	assert_int_equal(value, 42);
	assert_int_equal(bytes_left(&b), 2);
}

static void many_uvarints_at_once(void **state)
{
	// nine short ones, 300, seven short ones, and one that is cut off
	static const uint8_t data[] = {1, 2, 3, 4, 5, 6, 7, 8,   9,   0xac,
				       2, 1, 2, 3, 4, 5, 6, 127, 0x80};
	static const uint64_t expected[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 300, 1, 2, 3, 4, 5, 6, 127};
	struct bytes b = bytes_over(data, sizeof(data) - 1, (struct place){"test", 0});
	uint64_t values[32] = {0};
	struct error *error;
	size_t n;

	assert_null(bytes_uvarints(&b, "n", values, 17, &n));
	assert_int_equal(n, 17);
	assert_memory_equal(values, expected, sizeof(expected));
	assert_int_equal(bytes_left(&b), 0);
	assert_null(bytes_uvarints(&b, "n", values, 32, &n));
	assert_int_equal(n, 0);

	b = bytes_over(data, sizeof(data), (struct place){"test", 0});
	assert_null(bytes_uvarints(&b, "n", values, 10, &n));
	assert_int_equal(n, 10);
	assert_int_equal(bytes_place(&b).offset, 11);
	error = bytes_uvarints(&b, "n", values, 32, &n);
	assert_int_equal(error_code(error), ERROR_TRUNCATED);
	error_free(error);
}

static void uvarints_end_in_ten_bytes(void **state)
{
	struct bytes b = over("\xac\x02", 2);
	uint64_t value = 42;

	assert_null(bytes_uvarint(&b, "n", &value));
	assert_int_equal(value, 300); // the example of protobuf's encoding guide
	b = over("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 11);
	struct error *error = bytes_uvarint(&b, "n", &value);
	assert_int_equal(error_code(error), ERROR_MALFORMED);
	assert_int_equal(value, 300);
	error_free(error);
	b = over("\x80", 1);
	error = bytes_uvarint(&b, "n", &value);
	assert_int_equal(error_code(error), ERROR_TRUNCATED);
	error_free(error);
}

static void a_taken_part_keeps_its_place(void **state)
{
	struct bytes b = over("abcdef", 6), part;

	assert_null(bytes_skip(&b, "lead", 2));
	assert_null(bytes_take(&b, "part", 3, &part));
	assert_memory_equal(part.start, "cde", 3);
	assert_int_equal(bytes_place(&part).offset, 0x102);
	assert_int_equal(bytes_left(&b), 1);
	scoped(error) struct error *error = bytes_take(&b, "part", UINT64_MAX, &part);
	assert_int_equal(error_code(error), ERROR_TRUNCATED);
	assert_int_equal(bytes_left(&b), 1);
}

static void alignment_counts_from_the_start(void **state)
{
	struct bytes b = over("abcdef", 6);

	assert_null(bytes_align(&b, 4));
	assert_int_equal(bytes_left(&b), 6);
	assert_null(bytes_skip(&b, "lead", 1));
	assert_null(bytes_align(&b, 4));
	assert_int_equal(bytes_left(&b), 2);
	assert_null(bytes_skip(&b, "one", 1));
	scoped(error) struct error *error = bytes_align(&b, 4);
	assert_int_equal(error_code(error), ERROR_TRUNCATED);
}

static void a_string_needs_its_end(void **state)
{
	struct bytes b = over("go\0no", 5);
	const char *text;

	assert_null(bytes_string(&b, "name", &text));
	assert_string_equal(text, "go");
	scoped(error) struct error *error = bytes_string(&b, "name", &text);
	assert_int_equal(error_code(error), ERROR_TRUNCATED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers_are_little_endian),
		cmocka_unit_test(a_short_read_names_field_and_place_and_moves_nothing),
		cmocka_unit_test(uvarints_end_in_ten_bytes),
		cmocka_unit_test(many_uvarints_at_once),
		cmocka_unit_test(a_taken_part_keeps_its_place),
		cmocka_unit_test(alignment_counts_from_the_start),
		cmocka_unit_test(a_string_needs_its_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
