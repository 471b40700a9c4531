// SPDX-License-Identifier: Apache-2.0
// Separate debug files by .gnu_debuglink: the name, and the CRC-32 of the whole file.
#include "elf_build.h"

#include "evidence/debug/debugfile.h"

#include <sys/stat.h>

/** The CRC-32 of "123456789", the check value that every catalogue of CRCs gives. */
#define DEBUG_BYTES "123456789"
#define DEBUG_CRC   0xcbf43926u

static char folder[64], program[128];

static void write_file(const char *path, const void *bytes, size_t size)
{
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	fclose(file);
}

/** A program whose .gnu_debuglink names app.debug with that CRC. */
static struct image *program_open(const char *name, uint32_t crc)
{
	static const char strings[] = "\0.strings\0.gnu_debuglink";
	static struct elf_build b;
	Elf64_Shdr table[3] = {{0}};
	struct image *image = NULL;
	uint8_t link[64] = {0};
	size_t at = (strlen(name) + 1 + 3) / 4 * 4;

	memcpy(link, name, strlen(name));
	memcpy(link + at, &crc, sizeof(crc));
	elf_build_init(&b, ET_EXEC, EM_X86_64);
	elf_build_segment(&b, PT_LOAD, 0x400000, "", 1);
	table[1] = (Elf64_Shdr){.sh_name = 1, .sh_type = SHT_STRTAB, .sh_size = sizeof(strings)};
	table[1].sh_offset = elf_build_put(&b, strings, sizeof(strings));
	table[2] =
		(Elf64_Shdr){.sh_name = 10, .sh_type = SHT_PROGBITS, .sh_size = at + sizeof(crc)};
	table[2].sh_offset = elf_build_put(&b, link, at + sizeof(crc));
	b.header.e_shoff = elf_build_put(&b, table, sizeof(table));
	b.header.e_shnum = 3;
	b.header.e_shstrndx = 1;
	write_file(program, b.body, elf_build_make(&b));
	assert_null(image_open(program, &image));
	return image;
}

static int make(void **state)
{
	snprintf(folder, sizeof(folder), "%s/mapfault-test-XXXXXX",
		 getenv("TMPDIR") ? getenv("TMPDIR") : P_tmpdir);
	assert_non_null(mkdtemp(folder));
	snprintf(program, sizeof(program), "%s/app", folder);
	return 0;
}

static int drop(void **state)
{
	unlink(program);
	return rmdir(folder);
}

/** Puts the debug file at @a path under the folder, looks for it, and takes it away. */
static bool is_found_at(const char *path, uint32_t crc)
{
	scoped(image) struct image *image = program_open("app.debug", crc);
	char place[256], found[256] = "?";

	snprintf(place, sizeof(place), "%s/%s", folder, path);
	write_file(place, DEBUG_BYTES, strlen(DEBUG_BYTES));
	assert_null(debugfile_find(image, folder, found, sizeof(found)));
	unlink(place);
	if (!*found)
		return false;
	assert_string_equal(found, place);
	return true;
}

static void it_stands_beside_the_program_or_below(void **state)
{
	char below[128];

	assert_true(is_found_at("app.debug", DEBUG_CRC));
	snprintf(below, sizeof(below), "%s/.debug", folder);
	assert_int_equal(mkdir(below, 0700), 0);
	assert_true(is_found_at(".debug/app.debug", DEBUG_CRC));
	rmdir(below);
}

static void another_builds_file_is_not_taken(void **state)
{
	assert_false(is_found_at("app.debug", DEBUG_CRC + 1));
	assert_false(is_found_at("other.debug", DEBUG_CRC));
}

static void links_lead_to_no_other_folder_nor_to_itself(void **state)
{
	uint32_t crc;
	struct image *image = program_open("../app.debug", DEBUG_CRC);

	assert_null(image_debuglink(image, &crc));
	image_close(image);
	image = program_open("app", DEBUG_CRC);
	assert_string_equal(image_debuglink(image, &crc), "app");
	assert_int_equal(crc, DEBUG_CRC);

	char found[256] = "?";

	assert_null(debugfile_find(image, folder, found, sizeof(found)));
	assert_string_equal(found, "");
	image_close(image);
}

static void a_path_that_does_not_fit_is_an_error(void **state)
{
	scoped(image) struct image *image = program_open("app.debug", DEBUG_CRC);
	char place[256], found[8];

	snprintf(place, sizeof(place), "%s/app.debug", folder);
	write_file(place, DEBUG_BYTES, strlen(DEBUG_BYTES));
	scoped(error) struct error *error = debugfile_find(image, folder, found, sizeof(found));

	unlink(place);
	assert_int_equal(error_code(error), ERROR_LIMIT);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, drop)
	const struct CMUnitTest tests[] = {
		TEST(it_stands_beside_the_program_or_below),
		TEST(another_builds_file_is_not_taken),
		TEST(links_lead_to_no_other_folder_nor_to_itself),
		TEST(a_path_that_does_not_fit_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
