// SPDX-License-Identifier: Apache-2.0
#include "../base/cmocka_first.h"

#include "evidence/text/text_stream.h"

#include <glib.h>
#include <zlib.h>
#include <zstd.h>

#define PACKED_BYTES 4096

/** Reads all of it, a few bytes at a time. */
static char *read_all(struct text input, bool *ret_damaged)
{
	struct text_stream *stream = text_stream_of_text(input, "test");
	GString *all = g_string_new(NULL);
	char piece[24];
	size_t n = 1;

	while (n) {
		assert_null(text_stream_read(stream, piece, sizeof(piece), &n));
		g_string_append_len(all, piece, (gssize)n);
	}
	*ret_damaged = text_stream_damage(stream) != NULL;
	text_stream_close(stream);
	return g_string_free(all, FALSE);
}

static void assert_reads(struct text input, const char *expected)
{
	bool damaged;
	g_autofree char *all = read_all(input, &damaged);

	assert_string_equal(all, expected);
	assert_false(damaged);
}

static struct text gzip(struct text input, char *to)
{
	z_stream z = {.next_in = (Bytef *)(uintptr_t)input.p,
		      .avail_in = (uInt)input.n,
		      .next_out = (Bytef *)to,
		      .avail_out = PACKED_BYTES};

	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return (struct text){to, z.total_out};
}

#define WORDS                                                                                      \
	"goroutine 1 [running]:\nmain.main()\n\t/src/main.go:1 +0x1d\nand so on, and so on, and "  \
	"so on, until more than one piece is full\n"

static void plain_text_comes_through(void **state)
{
	assert_reads(text_of(WORDS), WORDS);
	assert_reads(text_of(""), "");
	assert_reads(text_of("\xef\xbb\xbfx"), "x");
}

static void compression_within_compression_is_undone(void **state)
{
	char once[PACKED_BYTES], twice[PACKED_BYTES], mixed[PACKED_BYTES];
	struct text inner = gzip(text_of(WORDS), once), outer = gzip(inner, twice);
	size_t n = ZSTD_compress(mixed, sizeof(mixed), outer.p, outer.n, 3);

	assert_reads(inner, WORDS);
	assert_reads(outer, WORDS);
	assert_reads((struct text){mixed, n}, WORDS);
}

static void members_in_a_row_are_one_text(void **state)
{
	char packed[2 * PACKED_BYTES];
	struct text first = gzip(text_of("one "), packed);
	struct text second = gzip(text_of("two"), packed + first.n);

	assert_reads((struct text){packed, first.n + second.n}, "one two");
}

static void a_cut_stream_gives_what_it_has_and_says_so(void **state)
{
	char packed[PACKED_BYTES];
	struct text whole = gzip(text_of(WORDS), packed);

	for (size_t n = 20; n < whole.n; n++) {
		bool damaged;
		g_autofree char *all = read_all((struct text){packed, n}, &damaged);

		assert_true(damaged);
		assert_true(g_str_has_prefix(WORDS, all));
	}
}

static void too_many_layers_are_refused(void **state)
{
	char packed[2][PACKED_BYTES];
	struct text inner = text_of("x");
	struct error *error = NULL;
	struct text_stream *stream;
	char piece[8];
	size_t n = 1;

	for (int i = 0; i < 6; i++)
		inner = gzip(inner, packed[i % 2]);
	stream = text_stream_of_text(inner, "test");
	error = text_stream_read(stream, piece, sizeof(piece), &n);
	assert_non_null(error);
	assert_int_equal(error_code(error), ERROR_LIMIT);
	error_free(error);
	text_stream_close(stream);
}

static void utf16_of_both_orders_becomes_utf8(void **state)
{
	static const char little[] = "\xff\xfe"
				     "g\0o\0\xe9\0\x3d\xd8\x00\xde";
	static const char big[] = "\xfe\xff"
				  "\0g\0o\0\xe9\xd8\x3d\xde\x00";

	assert_reads((struct text){little, sizeof(little) - 1}, "go\xc3\xa9\xf0\x9f\x98\x80");
	assert_reads((struct text){big, sizeof(big) - 1}, "go\xc3\xa9\xf0\x9f\x98\x80");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_text_comes_through),
		cmocka_unit_test(compression_within_compression_is_undone),
		cmocka_unit_test(members_in_a_row_are_one_text),
		cmocka_unit_test(a_cut_stream_gives_what_it_has_and_says_so),
		cmocka_unit_test(too_many_layers_are_refused),
		cmocka_unit_test(utf16_of_both_orders_becomes_utf8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
