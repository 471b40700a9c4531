// SPDX-License-Identifier: Apache-2.0
#include "elf_build.h"

#include "evidence/debug/debugfile.h"

#include <sys/stat.h>

#define BASE 0x400000ull
#define BIAS 0x550000000000ull

static struct elf_build b;

static struct error *open_bytes(const void *bytes, size_t size, struct image **ret)
{
	struct test_file file = test_file_open(bytes, size);
	struct error *error = image_open(file.path, ret);

	test_file_close(&file);
	return error;
}

static struct image *open_built(void)
{
	struct image *image = NULL;

	assert_null(open_bytes(b.body, elf_build_make(&b), &image));
	return image;
}

static void image_build_init(uint16_t type, uint16_t machine, uint64_t base)
{
	uint8_t notes[256];
	size_t n = note_build(notes, "Go", 4, "action/content", 14);

	n += note_build(notes + n, "GNU", NT_GNU_BUILD_ID, "\xab\xcd\xef", 3);
	elf_build_init(&b, type, machine);
	b.header.e_entry = base + 0x40;
	elf_build_segment(&b, PT_LOAD, base, "", 0)->p_offset = 0;
	b.segments[0].p_filesz = b.segments[0].p_memsz = 64;
	elf_build_segment(&b, PT_NOTE, base + 0x100, notes, n);
	elf_build_segment(&b, PT_LOAD, base + 0x1000, "\0\0\0\0\0\0\0\0\1\2\3\4\0\0\0\0", 16);
}

/** .shstrtab, .text and .symtab (whose strings are in .shstrtab too). */
static void sections_add(uint32_t text_type)
{
	static const char strings[] = "\0.shstrtab\0.text\0.symtab\0runtime.allgs";
	const Elf64_Sym symbols[2] = {{0}, {.st_name = 25, .st_shndx = 2, .st_value = 0x1234}};
	Elf64_Shdr table[4] = {{0}};

	table[1] = (Elf64_Shdr){.sh_name = 1, .sh_type = SHT_STRTAB, .sh_size = sizeof(strings)};
	table[1].sh_offset = elf_build_put(&b, strings, sizeof(strings));
	table[2] = (Elf64_Shdr){.sh_name = 11, .sh_type = text_type, .sh_size = 16};
	table[2].sh_flags = SHF_ALLOC | SHF_EXECINSTR;
	table[2].sh_addr = b.segments[2].p_vaddr;
	table[2].sh_offset = b.segments[2].p_offset;
	table[3] = (Elf64_Shdr){
		.sh_name = 17, .sh_type = SHT_SYMTAB, .sh_size = sizeof(symbols), .sh_link = 1};
	table[3].sh_offset = elf_build_put(&b, symbols, sizeof(symbols));
	b.header.e_shoff = elf_build_put(&b, table, sizeof(table));
	b.header.e_shnum = 4;
	b.header.e_shstrndx = 1;
}

static void without_sections_segments_and_notes_say_enough(void **state)
{
	image_build_init(ET_EXEC, EM_X86_64, BASE);
	scoped(image) struct image *image = open_built();
	struct image_range range;
	uint64_t value;
	size_t count;

	assert_int_equal(image_arch(image), GO_ARCH_AMD64);
	assert_false(image_is_pie(image));
	assert_true(text_is(image_go_build_id(image), "action/content"));
	assert_int_equal(image_build_id(image).n, 3);
	assert_int_equal(image_segments(image, &count)[1].address, BASE + 0x1000);
	assert_int_equal(count, 2);
	assert_false(image_section(image, ".text", &range));
	assert_false(image_symbol(image, "runtime.allgs", &value));
	assert_true(image_header_address(image, &value));
	assert_int_equal(value, BASE);
}

static void sections_and_symbols_are_found(void **state)
{
	image_build_init(ET_EXEC, EM_AARCH64, BASE);
	sections_add(SHT_PROGBITS);
	scoped(image) struct image *image = open_built();
	struct image_range range;
	uint64_t value;

	assert_int_equal(image_arch(image), GO_ARCH_ARM64);
	assert_true(image_section(image, ".text", &range));
	assert_int_equal(range.address, BASE + 0x1000);
	assert_int_equal(range.size, 16);
	assert_true(range.executable);
	assert_false(image_section(image, ".tex", &range));
	assert_true(image_symbol(image, "runtime.allgs", &value));
	assert_int_equal(value, 0x1234);
	assert_false(image_symbol(image, "runtime.allg", &value));
	assert_int_equal(image_missing_bytes(image), 0);
}

static void a_cut_segment_is_an_error_that_names_it(void **state)
{
	image_build_init(ET_EXEC, EM_X86_64, BASE);
	struct image *image = NULL;
	size_t size = elf_build_make(&b);
	scoped(error) struct error *error = open_bytes(b.body, size - 1, &image);

	assert_int_equal(error_code(error), ERROR_TRUNCATED);
	assert_non_null(strstr(error_text(error), "segment 2 (data)"));
}

static void lost_section_headers_are_counted(void **state)
{
	struct image *image = NULL;

	image_build_init(ET_EXEC, EM_X86_64, BASE);
	sections_add(SHT_PROGBITS);
	size_t size = elf_build_make(&b);

	assert_null(open_bytes(b.body, size - 2 * sizeof(Elf64_Shdr), &image));
	assert_int_equal(image_missing_bytes(image), 2 * sizeof(Elf64_Shdr));
	image_close(image);
}

static void a_debug_file_has_no_bytes_in_its_segments(void **state)
{
	size_t count;

	image_build_init(ET_EXEC, EM_X86_64, BASE);
	sections_add(SHT_NOBITS);
	b.segments[2].p_filesz = 1u << 20; // of the image it was taken from
	scoped(image) struct image *image = open_built();

	assert_int_equal(image_segments(image, &count)[1].size, 0);
}

static void pie_pointers_are_moved(void **state)
{
	static const struct {
		uint16_t machine;
		uint32_t relative;
	} cases[] = {{EM_X86_64, R_X86_64_RELATIVE}, {EM_AARCH64, R_AARCH64_RELATIVE}};

	for (size_t i = 0; i < 2; i++) {
		const Elf64_Rela rela[] = {
			{0x1000, ELF64_R_INFO(0, cases[i].relative), 0x77},
			{0x1000, ELF64_R_INFO(0, R_X86_64_64), 0x99}, // of a symbol: not ours
			{0xffffffffffffff00, ELF64_R_INFO(0, cases[i].relative), 1},
		};
		const uint64_t relr[] = {0x1008};
		const Elf64_Dyn dynamic[] = {{DT_RELA, {0x2000}},
					     {DT_RELASZ, {sizeof(rela)}},
					     {36, {0x3000}},
					     {35, {sizeof(relr)}},
					     {DT_NULL, {0}}};

		image_build_init(ET_DYN, cases[i].machine, 0);
		elf_build_segment(&b, PT_LOAD, 0x2000, rela, sizeof(rela));
		elf_build_segment(&b, PT_LOAD, 0x3000, relr, sizeof(relr));
		elf_build_segment(&b, PT_DYNAMIC, 0x4000, dynamic, sizeof(dynamic));
		scoped(image) struct image *image = open_built();

		for (uint64_t bias = BIAS; bias < 3 * BIAS; bias += BIAS) { // moved twice
			scoped(memory) struct memory *memory = memory_new();
			uint64_t word;

			image_add_to(image, bias, memory);
			assert_true(memory_u64(memory, bias + 0x1000, &word));
			assert_int_equal(word, bias + 0x77);
			assert_true(memory_u64(memory, bias + 0x1008, &word));
			assert_int_equal(word, bias + 0x04030201);
		}
	}
}

static void a_core_or_text_is_no_image(void **state)
{
	struct image *image = NULL;
	struct error *error;

	elf_build_init(&b, ET_CORE, EM_X86_64);
	error = open_bytes(b.body, elf_build_make(&b), &image);
	assert_non_null(strstr(error_text(error), "this is a core file"));
	error_free(error);
	error = open_bytes("#!/bin/sh\n", 10, &image);
	assert_int_equal(error_code(error), ERROR_UNRECOGNISED);
	error_free(error);
}

static void cuts_and_wrong_bytes_never_crash(void **state)
{
	image_build_init(ET_DYN, EM_X86_64, 0);
	sections_add(SHT_PROGBITS);
	size_t size = elf_build_make(&b);

	for (size_t i = 0; i < 2 * size; i++) {
		struct image *image = NULL;
		scoped(memory) struct memory *memory = memory_new();
		uint8_t kept = b.body[i % size];
		uint64_t value;

		if (i >= size)
			b.body[i - size] = 0xff;
		error_free(open_bytes(b.body, i < size ? i : size, &image));
		b.body[i % size] = kept;
		if (image) {
			image_symbol(image, "runtime.allgs", &value);
			image_add_to(image, BIAS, memory);
		}
		image_close(image);
	}
}

static void write_file(const char *path, const void *bytes, size_t size)
{
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	fclose(file);
}

/** Its build ID is abcdef: the file is ab/cdef.debug. */
static void a_debug_file_is_found_by_build_id(void **state)
{
	char root[] = "/tmp/mapfault-test-XXXXXX", path[256], found[256];

	assert_non_null(mkdtemp(root));
	image_build_init(ET_EXEC, EM_X86_64, BASE);
	scoped(image) struct image *image = open_built();

	assert_null(debugfile_find(image, root, found, sizeof(found)));
	assert_string_equal(found, "");
	snprintf(path, sizeof(path), "%s/.build-id", root);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/.build-id/ab", root);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/.build-id/ab/cdef.debug", root);
	write_file(path, "x", 1);
	assert_null(debugfile_find(image, root, found, sizeof(found)));
	assert_string_equal(found, path);
	unlink(path);
	snprintf(path, sizeof(path), "%s/.build-id/ab", root);
	rmdir(path);
	snprintf(path, sizeof(path), "%s/.build-id", root);
	rmdir(path);
	rmdir(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_sections_segments_and_notes_say_enough),
		cmocka_unit_test(sections_and_symbols_are_found),
		cmocka_unit_test(a_cut_segment_is_an_error_that_names_it),
		cmocka_unit_test(lost_section_headers_are_counted),
		cmocka_unit_test(a_debug_file_has_no_bytes_in_its_segments),
		cmocka_unit_test(pie_pointers_are_moved),
		cmocka_unit_test(a_core_or_text_is_no_image),
		cmocka_unit_test(cuts_and_wrong_bytes_never_crash),
		cmocka_unit_test(a_debug_file_is_found_by_build_id),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
