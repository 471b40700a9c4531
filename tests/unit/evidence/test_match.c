// SPDX-License-Identifier: Apache-2.0
#include "core_build.h"

#include "evidence/process/core.h"
#include "evidence/binary/match.h"

static struct elf_build core_bytes, image_bytes_built;

/** An image whose Go build ID is @a id (none when empty), at @a base. */
static void image_build(uint16_t type, uint16_t machine, uint64_t base, const char *id)
{
	struct elf_build *b = &image_bytes_built;
	uint8_t notes[256];
	size_t n = *id ? note_build(notes, "Go", 4, id, (uint32_t)strlen(id)) : 0;

	elf_build_init(b, type, machine);
	b->header.e_entry = base + 0x1040;
	elf_build_segment(b, PT_LOAD, base, "", 0)->p_offset = 0;
	elf_build_segment(b, PT_NOTE, base + 0x200, notes, n);
	b->segments[0].p_filesz = b->segments[0].p_memsz = b->size;
	elf_build_make(b);
}

static void core_build(uint16_t machine, bool with_page)
{
	core_build_init(&core_bytes, machine, CORE_BASE + 0x1040,
			with_page ? image_bytes_built.body : NULL, image_bytes_built.size);
	elf_build_make(&core_bytes);
}

static struct error *match(bool force, uint64_t *bias, const char **checked)
{
	struct test_file one = test_file_open(core_bytes.body, core_bytes.size);
	struct test_file two = test_file_open(image_bytes_built.body, image_bytes_built.size);
	struct core *core = NULL;
	struct image *image = NULL;
	struct error *error;

	assert_null(core_open(one.path, &core));
	assert_null(image_open(two.path, &image));
	assert_string_equal(match_program_path(core_process(core)), "/srv/app");
	error = match_image(core_process(core), image, force, bias, checked);
	core_close(core);
	image_close(image);
	test_file_close(&one);
	test_file_close(&two);
	return error;
}

static void assert_matches(uint64_t bias, const char *checked)
{
	uint64_t found = 1;
	const char *how = NULL;
	struct error *error = match(false, &found, &how);

	if (error)
		print_error("%s\n", error_text(error));
	assert_null(error);
	assert_int_equal(found, bias);
	assert_string_equal(how, checked);
}

static void the_same_go_build_id(void **state)
{
	image_build(ET_EXEC, EM_X86_64, CORE_BASE, "one/two");
	core_build(EM_X86_64, true);
	assert_matches(0, "Go build ID");
}

static void another_build_id_is_a_mismatch_naming_both(void **state)
{
	uint64_t bias = 1;
	const char *checked = NULL;

	image_build(ET_EXEC, EM_X86_64, CORE_BASE, "one/two");
	core_build(EM_X86_64, true);
	image_build(ET_EXEC, EM_X86_64, CORE_BASE, "one/new");
	scoped(error) struct error *error = match(false, &bias, &checked);

	assert_int_equal(error_code(error), ERROR_MISMATCH);
	assert_non_null(strstr(error_text(error), "one/two"));
	assert_non_null(strstr(error_text(error), "one/new"));
	assert_null(checked);
	assert_null(match(true, &bias, &checked));
	assert_int_equal(bias, 0);
}

static void a_pie_is_found_where_it_was_loaded(void **state)
{
	image_build(ET_DYN, EM_AARCH64, 0, "one/two");
	core_build(EM_AARCH64, true);
	assert_matches(CORE_BASE, "Go build ID");
}

static void without_ids_the_first_page_is_compared(void **state)
{
	image_build(ET_EXEC, EM_X86_64, CORE_BASE, "");
	core_build(EM_X86_64, true);
	assert_matches(0, "first text page");
	image_bytes_built.header.e_shoff = 0x5000; // as before it was stripped
	elf_build_make(&image_bytes_built);
	assert_matches(0, "program headers");
}

static void a_core_that_kept_nothing_is_no_mismatch(void **state)
{
	image_build(ET_EXEC, EM_X86_64, CORE_BASE, "one/two");
	core_build(EM_X86_64, false);
	assert_matches(0, "entry point");
	image_bytes_built.header.e_entry += 16;
	elf_build_make(&image_bytes_built);
	assert_matches(0, "");
	image_build(ET_DYN, EM_X86_64, 0, "one/two");
	assert_matches(CORE_BASE, "");
}

static void another_architecture_is_a_mismatch_even_when_forced(void **state)
{
	uint64_t bias;
	const char *checked;

	image_build(ET_EXEC, EM_AARCH64, CORE_BASE, "one/two");
	core_build(EM_X86_64, false);
	scoped(error) struct error *error = match(true, &bias, &checked);

	assert_int_equal(error_code(error), ERROR_MISMATCH);
	assert_non_null(strstr(error_text(error), "arm64"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_go_build_id),
		cmocka_unit_test(another_build_id_is_a_mismatch_naming_both),
		cmocka_unit_test(a_pie_is_found_where_it_was_loaded),
		cmocka_unit_test(without_ids_the_first_page_is_compared),
		cmocka_unit_test(a_core_that_kept_nothing_is_no_mismatch),
		cmocka_unit_test(another_architecture_is_a_mismatch_even_when_forced),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
