// SPDX-License-Identifier: Apache-2.0
#include "core_build.h"

#include "evidence/process/core.h"

#include <errno.h>
#include <zstd.h>

static struct elf_build b;

static struct error *open_bytes(const void *bytes, size_t size, struct core **ret)
{
	struct test_file file = test_file_open(bytes, size);
	struct error *error = core_open(file.path, ret);

	test_file_close(&file);
	return error;
}

static struct core *open_built(void)
{
	struct core *core = NULL;
	struct error *error = open_bytes(b.body, elf_build_make(&b), &core);

	if (error)
		print_error("%s\n", error_text(error));
	assert_null(error);
	return core;
}

static void assert_refused(const void *bytes, size_t size, enum error_code code, const char *words)
{
	struct core *core = NULL;
	scoped(error) struct error *error = open_bytes(bytes, size, &core);

	assert_null(core);
	assert_non_null(error);
	assert_int_equal(error_code(error), code);
	if (!strstr(error_text(error), words))
		fail_msg("\"%s\" does not say \"%s\"", error_text(error), words);
}

static void amd64_threads_have_their_registers(void **state)
{
	core_build_init(&b, EM_X86_64, 0x401000, NULL, 0);
	scoped(core) struct core *core = open_built();
	size_t count = core_process(core)->thread_count;
	const struct process_thread *threads = core_process(core)->threads;

	assert_int_equal(count, 2);
	assert_int_equal(threads[0].tid, CORE_TID);
	assert_int_equal(threads[0].signal, 6);
	assert_int_equal(threads[1].signal, 0);
	// sys/user.h: struct user_regs_struct
	assert_int_equal(threads[0].registers.pc, 0x1000 + 16);
	assert_int_equal(threads[0].registers.sp, 0x1000 + 19);
	assert_int_equal(threads[0].registers.bp, 0x1000 + 4);
	assert_int_equal(threads[0].registers.tls, 0x1000 + 21);
	assert_int_equal(threads[0].registers.lr, 0);
	assert_int_equal(threads[0].registers.general[0], 0x1000 + 10); // rax
	assert_int_equal(threads[0].registers.general[14], 0x1000 + 1); // r14, the goroutine
}

static void arm64_threads_have_their_registers(void **state)
{
	core_build_init(&b, EM_AARCH64, 0x401000, NULL, 0);
	scoped(core) struct core *core = open_built();
	const struct process_thread *threads = core_process(core)->threads;

	assert_int_equal(core_process(core)->arch, GO_ARCH_ARM64);
	assert_int_equal(threads[0].registers.sp, 0x1000 + 31);
	assert_int_equal(threads[0].registers.pc, 0x1000 + 32);
	assert_int_equal(threads[0].registers.lr, 0x1000 + 30);
	assert_int_equal(threads[0].registers.bp, 0x1000 + 29);
	assert_int_equal(threads[0].registers.general[28], 0x1000 + 28);
	assert_int_equal(threads[0].registers.tls, 0x7777);
	assert_int_equal(threads[1].registers.tls, 0);
}

static void notes_give_mappings_auxv_and_command(void **state)
{
	core_build_init(&b, EM_X86_64, 0x401000, NULL, 0);
	scoped(core) struct core *core = open_built();
	size_t count = core_process(core)->mapping_count;
	const struct process_mapping *mappings = core_process(core)->mappings;
	uint64_t value;

	assert_int_equal(count, 2);
	assert_string_equal(mappings[0].path, "/srv/app");
	assert_string_equal(mappings[1].path, "/lib/libc.so");
	assert_int_equal(mappings[1].offset, 5 * 4096);
	assert_true(process_auxv(core_process(core), AT_ENTRY, &value));
	assert_int_equal(value, 0x401000);
	assert_false(process_auxv(core_process(core), AT_BASE, &value));
	assert_string_equal(core_process(core)->command, "./app -v 3");
}

static void only_dumped_bytes_are_memory(void **state)
{
	core_build_init(&b, EM_X86_64, 0x401000, "page", 4);
	scoped(core) struct core *core = open_built();
	scoped(memory) struct memory *memory = memory_new();

	core_process(core)->add_to(core_process(core), memory);
	assert_int_equal(memory_extent(memory, CORE_BASE), 4);
	assert_memory_equal(memory_view(memory, CORE_HEAP, 8), "heapheap", 8);
	core_process(core)->rest(core_process(core)); // views stay good
	assert_memory_equal(memory_view(memory, CORE_HEAP, 8), "heapheap", 8);
	assert_int_equal(core_process(core)->missing_bytes, 0);
	assert_int_equal(memory_place(memory, CORE_HEAP + 1).offset, b.segments[2].p_offset + 1);
}

static void a_cut_file_tells_how_much_is_gone(void **state)
{
	struct core *core = NULL;

	core_build_init(&b, EM_X86_64, 0x401000, NULL, 0);
	b.segments[1].p_filesz = b.segments[1].p_memsz = 1000;
	assert_null(open_bytes(b.body, elf_build_make(&b), &core));
	assert_int_equal(core_process(core)->missing_bytes, 992);
	core_close(core);
}

static void missing_bytes_do_not_wrap(void **state)
{
	core_build_init(&b, EM_X86_64, 0x401000, "page", 4);
	b.segments[1].p_filesz = b.segments[2].p_filesz = UINT64_MAX;
	scoped(core) struct core *core = open_built();

	assert_int_equal(core_process(core)->missing_bytes, UINT64_MAX);
}

/** Section 0 counts the program headers when there are more than e_phnum can say. */
static void more_segments_than_the_header_can_count(void **state)
{
	Elf64_Shdr first = {0};

	core_build_init(&b, EM_X86_64, 0x401000, "page", 4);
	first.sh_info = b.header.e_phnum;
	b.header.e_phnum = PN_XNUM;
	b.header.e_shoff = elf_build_put(&b, &first, sizeof(first));
	b.header.e_shnum = 1;
	scoped(core) struct core *core = open_built();
	scoped(memory) struct memory *memory = memory_new();

	core_process(core)->add_to(core_process(core), memory);
	assert_int_equal(memory_extent(memory, CORE_HEAP), 8);

	first.sh_info = UINT32_MAX;
	memcpy(b.body + b.header.e_shoff, &first, sizeof(first));
	assert_refused(b.body, b.size, ERROR_LIMIT, "4294967295 program headers");
	assert_refused(b.body, b.header.e_shoff, ERROR_TRUNCATED, "section header 0");
}

static void a_compressed_core_opens_like_a_plain_one(void **state)
{
	static uint8_t packed[BUILD_BYTES];
	size_t size, plain;
	struct core *core = NULL;

	core_build_init(&b, EM_X86_64, 0x401000, "page", 4);
	plain = elf_build_make(&b);
	size = ZSTD_compress(packed, sizeof(packed), b.body, plain, 1);
	assert_true(core_recognise((struct text){(char *)packed, size}));
	assert_null(open_bytes(packed, size, &core));
	assert_string_equal(core_compression(core), "zstd");
	assert_false(core_stream_cut(core));
	core_close(core);

	size = ZSTD_compress(packed, sizeof(packed), b.body, plain - 4, 1);
	assert_null(open_bytes(packed, size, &core));
	assert_int_equal(core_process(core)->missing_bytes, 4);
	core_close(core);
	assert_refused(packed, 8, ERROR_TRUNCATED, "zstd");
	size = ZSTD_compress(packed, sizeof(packed), "just text", 9, 1);
	assert_refused(packed, size, ERROR_UNRECOGNISED, "not a core");
}

static void what_is_no_core_is_told_apart(void **state)
{
	assert_refused("", 0, ERROR_TRUNCATED, "empty");
	assert_refused("fatal error: all goroutines", 27, ERROR_UNRECOGNISED, "not a core file");
	elf_build_init(&b, ET_EXEC, EM_X86_64);
	assert_refused(b.body, elf_build_make(&b), ERROR_UNRECOGNISED, "an executable, not a core");
	elf_build_init(&b, ET_DYN, EM_X86_64);
	assert_refused(b.body, elf_build_make(&b), ERROR_UNRECOGNISED, "not a core");
	elf_build_init(&b, ET_CORE, EM_S390);
	assert_refused(b.body, elf_build_make(&b), ERROR_UNSUPPORTED, "s390x");
	elf_build_init(&b, ET_CORE, 9999);
	assert_refused(b.body, elf_build_make(&b), ERROR_UNSUPPORTED, "9999");
	elf_build_init(&b, ET_CORE, EM_386);
	b.header.e_ident[EI_CLASS] = ELFCLASS32;
	assert_refused(b.body, elf_build_make(&b), ERROR_UNSUPPORTED, "32-bit");
	b.header.e_ident[EI_DATA] = ELFDATA2MSB;
	assert_refused(b.body, elf_build_make(&b), ERROR_UNSUPPORTED, "big-endian");
	elf_build_init(&b, ET_CORE, EM_X86_64);
	assert_refused(b.body, elf_build_make(&b), ERROR_MALFORMED, "no thread");
}

static void a_folder_and_a_missing_file_are_told_apart(void **state)
{
	struct core *core = NULL;
	struct error *folder = core_open("/", &core), *missing = core_open("/nonexistent", &core);

	assert_int_equal(error_code(folder), ERROR_SYSTEM);
	assert_non_null(strstr(error_text(folder), strerror(EISDIR)));
	assert_int_equal(error_code(missing), ERROR_NOT_FOUND);
	error_free(folder);
	error_free(missing);
}

static void recognises_cores_and_compressed_files(void **state)
{
	elf_build_init(&b, ET_CORE, EM_X86_64);
	elf_build_make(&b);
	assert_true(core_recognise((struct text){(char *)b.body, 64}));
	assert_false(core_recognise((struct text){(char *)b.body, 17}));
	elf_build_init(&b, ET_EXEC, EM_X86_64);
	elf_build_make(&b);
	assert_false(core_recognise((struct text){(char *)b.body, 64}));
	assert_true(core_recognise((struct text){"\x28\xb5\x2f\xfd", 4}));
	assert_false(core_recognise((struct text){"", 0}));
}

/** Every cut either opens, its threads whole, or is refused with words. */
static void a_cut_at_any_byte_never_crashes(void **state)
{
	core_build_init(&b, EM_X86_64, 0x401000, "page", 4);
	size_t size = elf_build_make(&b),
	       notes_end = b.segments[0].p_offset + b.segments[0].p_filesz;

	for (size_t cut = 0; cut <= size; cut++) {
		struct core *core = NULL;
		struct error *error = open_bytes(b.body, cut, &core);

		assert_int_equal(error == NULL, cut >= notes_end);
		if (core)
			assert_int_equal(core_process(core)->missing_bytes != 0,
					 cut < b.segments[2].p_offset + 8);
		error_free(error);
		core_close(core);
	}
}

static void any_header_byte_may_be_wrong(void **state)
{
	core_build_init(&b, EM_X86_64, 0x401000, "page", 4);
	size_t size = elf_build_make(&b), end = b.segments[0].p_offset + b.segments[0].p_filesz;

	for (size_t i = 0; i < end; i++) {
		uint8_t kept = b.body[i];
		struct core *core = NULL;
		scoped(memory) struct memory *memory = memory_new();

		b.body[i] = 0xff;
		error_free(open_bytes(b.body, size, &core));
		if (core)
			core_process(core)->add_to(core_process(core), memory);
		b.body[i] = kept;
		core_close(core);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(amd64_threads_have_their_registers),
		cmocka_unit_test(arm64_threads_have_their_registers),
		cmocka_unit_test(notes_give_mappings_auxv_and_command),
		cmocka_unit_test(only_dumped_bytes_are_memory),
		cmocka_unit_test(a_cut_file_tells_how_much_is_gone),
		cmocka_unit_test(missing_bytes_do_not_wrap),
		cmocka_unit_test(more_segments_than_the_header_can_count),
		cmocka_unit_test(a_compressed_core_opens_like_a_plain_one),
		cmocka_unit_test(what_is_no_core_is_told_apart),
		cmocka_unit_test(a_folder_and_a_missing_file_are_told_apart),
		cmocka_unit_test(recognises_cores_and_compressed_files),
		cmocka_unit_test(a_cut_at_any_byte_never_crashes),
		cmocka_unit_test(any_header_byte_may_be_wrong),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
