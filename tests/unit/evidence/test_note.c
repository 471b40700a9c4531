// SPDX-License-Identifier: Apache-2.0
#include "elf_build.h"

#include "evidence/process/note.h"

static struct bytes segment(const void *data, size_t size)
{
	return bytes_over(data, size, (struct place){"test", 0x1000});
}

static void reads_owner_type_and_description(void **state)
{
	struct bytes b = segment("\4\0\0\0\2\0\0\0\3\0\0\0GNU\0\xab\xcd\0\0", 20);
	struct note note;

	assert_null(note_next(&b, 4, &note));
	assert_string_equal(note.owner, "GNU");
	assert_int_equal(note.type, 3);
	assert_int_equal(bytes_left(&note.description), 2);
	assert_memory_equal(note.description.start, "\xab\xcd", 2);
	assert_int_equal(note.description.origin.offset, 0x1010);
	assert_int_equal(bytes_left(&b), 0);
}

static void the_last_padding_may_be_missing(void **state)
{
	struct bytes b = segment("\4\0\0\0\2\0\0\0\3\0\0\0GNU\0\xab\xcd", 18);
	struct note note;

	assert_null(note_next(&b, 4, &note));
	assert_int_equal(bytes_left(&b), 0);
}

static void an_owner_may_be_missing(void **state)
{
	struct bytes b = segment("\0\0\0\0\4\0\0\0\1\0\0\0abcd", 16);
	struct note note;

	assert_null(note_next(&b, 4, &note));
	assert_string_equal(note.owner, "");
	assert_memory_equal(note.description.start, "abcd", 4);
}

static void eight_byte_notes_are_padded_to_eight(void **state)
{
	struct bytes b = segment("\4\0\0\0\4\0\0\0\5\0\0\0GNU\0abcd\0\0\0\0"
				 "\4\0\0\0\0\0\0\0\6\0\0\0GNU\0",
				 40);
	struct note note;

	assert_null(note_next(&b, 8, &note));
	assert_memory_equal(note.description.start, "abcd", 4);
	assert_null(note_next(&b, 8, &note));
	assert_int_equal(note.type, 6);
	assert_int_equal(bytes_left(&b), 0);
}

static void a_cut_at_any_byte_is_an_error(void **state)
{
	static const char whole[] = "\4\0\0\0\2\0\0\0\3\0\0\0GNU\0\xab\xcd";

	for (size_t size = 0; size < sizeof(whole) - 1; size++) {
		struct bytes b = segment(whole, size);
		struct note untouched = {.type = 77}, note = untouched;
		scoped(error) struct error *error = note_next(&b, 4, &note);

		assert_non_null(error);
		assert_int_equal(error_code(error), ERROR_TRUNCATED);
		assert_memory_equal(&note, &untouched, sizeof(note));
	}
}

static void an_owner_without_end_is_malformed(void **state)
{
	struct bytes b = segment("\4\0\0\0\0\0\0\0\3\0\0\0GNUX", 16);
	struct note note;
	scoped(error) struct error *error = note_next(&b, 4, &note);

	assert_int_equal(error_code(error), ERROR_MALFORMED);
}

static void a_size_past_the_end_is_refused(void **state)
{
	struct bytes b = segment("\4\0\0\0\xff\xff\xff\xff\1\0\0\0GNU", 16);
	struct note note;
	scoped(error) struct error *error = note_next(&b, 4, &note);

	assert_int_equal(error_code(error), ERROR_TRUNCATED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_owner_type_and_description),
		cmocka_unit_test(the_last_padding_may_be_missing),
		cmocka_unit_test(an_owner_may_be_missing),
		cmocka_unit_test(eight_byte_notes_are_padded_to_eight),
		cmocka_unit_test(a_cut_at_any_byte_is_an_error),
		cmocka_unit_test(an_owner_without_end_is_malformed),
		cmocka_unit_test(a_size_past_the_end_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
