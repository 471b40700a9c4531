// SPDX-License-Identifier: Apache-2.0
#include "elf_build.h"

#include "evidence/file/inflate.h"

#include <lz4frame.h>
#include <lzma.h>
#include <sys/stat.h>
#include <zstd.h>

#define PLAIN_BYTES  (1u << 20)
#define PACKED_BYTES (2u << 20)

static uint8_t plain[PLAIN_BYTES], packed[PACKED_BYTES], back[PLAIN_BYTES];

/** Half noise, a quarter zeros (a hole), noise again, zeros at the end. */
static void plain_fill(void)
{
	uint32_t random = 7;

	for (size_t i = 0; i < PLAIN_BYTES; i++) {
		random = random * 1664525 + 1013904223;
		plain[i] = i / (PLAIN_BYTES / 8) % 3 == 2 ? 0 : (uint8_t)(random >> 24);
	}
	memset(plain + PLAIN_BYTES - 65536, 0, 65536);
}

static size_t pack(enum compression kind)
{
	LZ4F_preferences_t checked = {.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled};
	size_t size = 0;

	switch (kind) {
	case COMPRESSION_ZSTD:
		return ZSTD_compress(packed, PACKED_BYTES, plain, PLAIN_BYTES, 1);
	case COMPRESSION_LZ4:
		return LZ4F_compressFrame(packed, PACKED_BYTES, plain, PLAIN_BYTES, &checked);
	default:
		lzma_easy_buffer_encode(0, LZMA_CHECK_CRC64, NULL, plain, PLAIN_BYTES, packed,
					&size, PACKED_BYTES);
		return size;
	}
}

static struct error *run(enum compression kind, size_t size, uint64_t limit, struct inflated *ret)
{
	int file = memfd_create("out", MFD_CLOEXEC);
	struct text input = {(const char *)packed, size};
	struct error *error = inflate_stream(kind, input, "packed", file, limit, ret);

	memset(back, 0xee, sizeof(back));
	if (!error)
		assert_int_equal(pread(file, back, PLAIN_BYTES, 0), ret->size);
	close(file);
	return error;
}

static const enum compression kinds[] = {COMPRESSION_ZSTD, COMPRESSION_LZ4, COMPRESSION_XZ};

#define FOR_EACH_KIND(kind)                                                                        \
	for (size_t i_ = 0; i_ < 3; i_++)                                                          \
		for (enum compression kind = kinds[i_], end_ = (enum compression)(kind + 1);       \
		     kind < end_; kind = end_)

static void each_kind_is_recognised_and_comes_back(void **state)
{
	FOR_EACH_KIND(kind)
	{
		size_t size = pack(kind);
		struct inflated inflated;

		assert_int_equal(compression_recognise((struct text){(char *)packed, size}), kind);
		assert_null(run(kind, size, UINT64_MAX, &inflated));
		assert_int_equal(inflated.size, PLAIN_BYTES);
		assert_false(inflated.cut);
		assert_memory_equal(back, plain, PLAIN_BYTES);
	}
	assert_int_equal(compression_recognise(text_of("\x7f"
						       "ELF")),
			 COMPRESSION_NONE);
	assert_int_equal(compression_recognise((struct text){"", 0}), COMPRESSION_NONE);
}

static void a_cut_stream_keeps_what_it_gave(void **state)
{
	FOR_EACH_KIND(kind)
	{
		size_t size = pack(kind);

		for (size_t part = 0; part < 20; part++) {
			struct inflated inflated;

			assert_null(run(kind, size * part / 20, UINT64_MAX, &inflated));
			assert_true(inflated.cut);
			assert_memory_equal(back, plain, inflated.size);
		}
	}
}

static void a_limit_cuts(void **state)
{
	FOR_EACH_KIND(kind)
	{
		struct inflated inflated;

		assert_null(run(kind, pack(kind), 100000, &inflated));
		assert_int_equal(inflated.size, 100000);
		assert_true(inflated.cut);
		assert_memory_equal(back, plain, 100000);
	}
}

static void damage_is_an_error(void **state)
{
	FOR_EACH_KIND(kind)
	{
		size_t size = pack(kind);
		struct inflated inflated;
		struct error *error;

		memset(packed + size / 2, 0xff, 64);
		error = run(kind, size, UINT64_MAX, &inflated);
		// only zstd's plain frames carry no check sum of literal bytes
		if (kind != COMPRESSION_ZSTD) {
			assert_non_null(error);
			assert_int_equal(error_code(error), ERROR_MALFORMED);
		}
		error_free(error);
	}
}

static void the_temporary_file_has_no_name(void **state)
{
	struct stat status;
	int file;

	assert_null(temporary_file(&file));
	assert_int_equal(fstat(file, &status), 0);
	assert_int_equal(status.st_nlink, 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	close(file);
}

static void a_bad_temporary_folder_says_what_to_do(void **state)
{
	const char *before = getenv("TMPDIR");
	char *kept = before ? strdup(before) : NULL;
	struct error *error;
	int file;

	setenv("TMPDIR", "/nonexistent", 1);
	error = temporary_file(&file);
	if (kept)
		setenv("TMPDIR", kept, 1);
	else
		unsetenv("TMPDIR");
	free(kept);
	assert_non_null(error);
	assert_non_null(strstr(error_text(error), "/nonexistent"));
	assert_non_null(strstr(error_hint(error), "TMPDIR"));
	error_free(error);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_is_recognised_and_comes_back),
		cmocka_unit_test(a_cut_stream_keeps_what_it_gave),
		cmocka_unit_test(a_limit_cuts),
		cmocka_unit_test(damage_is_an_error),
		cmocka_unit_test(the_temporary_file_has_no_name),
		cmocka_unit_test(a_bad_temporary_folder_says_what_to_do),
	};

	plain_fill();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
