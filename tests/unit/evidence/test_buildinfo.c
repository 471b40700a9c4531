// SPDX-License-Identifier: Apache-2.0
#include "evidence/binary/buildinfo.h"

#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define BASE    0x400000ull
#define DATA_AT 128u // one writable segment: no sections, no symbols
#define MODULES "0000000000000000path\tx/y\nmod\tx/y\t(devel)\n1111111111111111"

struct file {
	uint8_t bytes[1024];
};

static void file_init(struct file *file)
{
	Elf64_Ehdr header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
			     .e_type = ET_EXEC,
			     .e_machine = EM_X86_64,
			     .e_version = EV_CURRENT,
			     .e_phoff = 64,
			     .e_ehsize = 64,
			     .e_phentsize = 56,
			     .e_phnum = 1};
	Elf64_Phdr segment = {.p_type = PT_LOAD,
			      .p_flags = PF_R | PF_W,
			      .p_vaddr = BASE,
			      .p_filesz = sizeof(file->bytes),
			      .p_memsz = sizeof(file->bytes)};

	memset(file, 0, sizeof(*file));
	memcpy(file->bytes, &header, sizeof(header));
	memcpy(file->bytes + 64, &segment, sizeof(segment));
}

static void put(struct file *file, size_t at, const void *bytes, size_t size)
{
	memcpy(file->bytes + at, bytes, size);
}

static void put_word(struct file *file, size_t at, uint64_t word) { put(file, at, &word, 8); }

static struct buildinfo read_file(const struct file *file, struct arena *arena)
{
	int handle = memfd_create("binary", MFD_CLOEXEC);
	struct memory *memory = memory_new();
	struct buildinfo info;
	struct image *image;
	char path[64];

	assert_int_equal(write(handle, file->bytes, sizeof(file->bytes)), sizeof(file->bytes));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", handle);
	assert_null(image_open(path, &image));
	image_add_to(image, 0, memory);
	assert_null(buildinfo_read(image, 0, memory, arena, &info));
	memory_free(memory);
	image_close(image);
	close(handle);
	return info;
}

/** 1.18+: the strings follow, each behind its length (debug/buildinfo/buildinfo.go@go1.26.8). */
static void inline_put(struct file *file, const char *version)
{
	uint8_t lengths[] = {(uint8_t)strlen(version), sizeof(MODULES) - 1};

	file_init(file);
	put(file, DATA_AT, "\xff Go buildinf:\x08\x02", 16);
	put(file, DATA_AT + 32, &lengths[0], 1);
	put(file, DATA_AT + 33, version, lengths[0]);
	put(file, DATA_AT + 33 + lengths[0], &lengths[1], 1);
	put(file, DATA_AT + 34 + lengths[0], MODULES, lengths[1]);
}

static void test_inline(void **state)
{
	struct arena *arena = arena_new();
	struct file file;
	struct buildinfo info;

	inline_put(&file, "go1.22.12");
	info = read_file(&file, arena);
	assert_string_equal(info.go_version, "go1.22.12");
	assert_int_equal(info.version.minor, 22);
	assert_int_equal(info.version.patch, 12);
	assert_string_equal(info.main_path, "x/y");
	assert_string_equal(info.module_info, "path\tx/y\nmod\tx/y\t(devel)\n");
	assert_string_equal(info.found_in, ".go.buildinfo");
	arena_free(arena);
}

/** 1.13 to 1.17: pointers to Go strings. */
static void test_pointers(void **state)
{
	struct arena *arena = arena_new();
	struct file file;
	struct buildinfo info;

	file_init(&file);
	put(&file, DATA_AT, "\xff Go buildinf:\x08\x00", 16);
	put_word(&file, DATA_AT + 16, BASE + 256);
	put_word(&file, DATA_AT + 24, BASE + 272);
	put_word(&file, 256, BASE + 300);
	put_word(&file, 264, 9);
	put_word(&file, 272, BASE + 320);
	put_word(&file, 280, sizeof(MODULES) - 1);
	put(&file, 300, "go1.16.15", 9);
	put(&file, 320, MODULES, sizeof(MODULES) - 1);
	info = read_file(&file, arena);
	assert_string_equal(info.go_version, "go1.16.15");
	assert_int_equal(info.version.minor, 16);
	assert_string_equal(info.main_path, "x/y");
	arena_free(arena);
}

/** Nothing says: no version, and no guess. */
static void test_unknown(void **state)
{
	struct arena *arena = arena_new();
	struct file file;
	struct buildinfo info;

	file_init(&file);
	info = read_file(&file, arena);
	assert_int_equal(info.version.minor, 0);
	assert_string_equal(info.go_version, "");
	inline_put(&file, "unknown");
	assert_int_equal(read_file(&file, arena).version.minor, 0);
	arena_free(arena);
}

/** Lengths that lead out of the file. */
static void test_damage(void **state)
{
	struct arena *arena = arena_new();
	struct file file;

	for (size_t at = DATA_AT; at < DATA_AT + 64; at++) {
		inline_put(&file, "go1.22.12");
		file.bytes[at] = 0xff;
		read_file(&file, arena);
	}
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_inline), cmocka_unit_test(test_pointers),
		cmocka_unit_test(test_unknown), cmocka_unit_test(test_damage)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
