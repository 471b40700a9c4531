// SPDX-License-Identifier: Apache-2.0
// The bytes are written here field by field, after profile.proto.
#include "../base/cmocka_first.h"

#include "evidence/profile/profile.h"

#include <glib.h>
#include <libdeflate.h>

static void put_varint(GByteArray *to, uint64_t value)
{
	do {
		uint8_t byte = (uint8_t)(value & 0x7f) | (value > 0x7f ? 0x80 : 0);

		g_byte_array_append(to, &byte, 1);
		value >>= 7;
	} while (value);
}

static void put_number(GByteArray *to, unsigned field, uint64_t value)
{
	put_varint(to, field << 3);
	put_varint(to, value);
}

static void put_bytes(GByteArray *to, unsigned field, const void *bytes, size_t n)
{
	put_varint(to, field << 3 | 2);
	put_varint(to, n);
	g_byte_array_append(to, bytes, (guint)n);
}

/* Appends a message and frees it. */
static void put_message(GByteArray *to, unsigned field, GByteArray *message)
{
	put_bytes(to, field, message->data, message->len);
	g_byte_array_unref(message);
}

/* Pairs of field and value; ends with field 0. */
static GByteArray *message_of(const uint64_t *pairs)
{
	GByteArray *message = g_byte_array_new();

	for (; *pairs; pairs += 2)
		put_number(message, (unsigned)pairs[0], pairs[1]);
	return message;
}

#define MESSAGE(...) message_of((const uint64_t[]){__VA_ARGS__, 0})

static const char *const strings[] = {"",          "inuse_objects", "count",   "inuse_space",
				      "bytes",     "main.put",      "main.go", "/bin/app",
				      "buildid77", "tenant",        "blue"};

static GByteArray *sample_of(uint64_t location, uint64_t count, int64_t bytes)
{
	GByteArray *sample = g_byte_array_new(), *values = g_byte_array_new();

	put_number(sample, 1, location); /* not packed, which is as good */
	put_varint(values, count);
	put_varint(values, (uint64_t)bytes);
	put_message(sample, 2, values);
	put_message(sample, 3, MESSAGE(1, 9, 2, 10));
	return sample;
}

/* A heap profile as Go writes it: samples first, strings last. */
static GByteArray *whole(void)
{
	GByteArray *p = g_byte_array_new(), *location;

	put_message(p, 11, MESSAGE(1, 3, 2, 4));
	put_number(p, 12, 524288);
	put_message(p, 1, MESSAGE(1, 1, 2, 2));
	put_message(p, 1, MESSAGE(1, 3, 2, 4));
	put_number(p, 14, 3);
	put_message(p, 2, sample_of(1, 2, 4096));
	put_message(p, 2, sample_of(70000000000, 1, -8));
	location = MESSAGE(1, 1, 2, 5, 3, 0x4a2b30);
	put_message(location, 4, MESSAGE(1, 3, 2, 17));
	put_message(p, 4, location);
	put_message(p, 4, MESSAGE(1, 70000000000, 3, 0x4a2b90));
	put_message(p, 5, MESSAGE(1, 3, 2, 5, 3, 5, 4, 6, 5, 12));
	put_message(p, 3, MESSAGE(1, 5, 2, 0x400000, 3, 0x500000, 4, 0x1000, 5, 7, 6, 8));
	for (size_t i = 0; i < G_N_ELEMENTS(strings); i++)
		put_bytes(p, 6, strings[i], strlen(strings[i]));
	put_number(p, 9, 1700000000000000000);
	return p;
}

static struct error *read_array(const GByteArray *bytes, struct profile **ret)
{
	return profile_open_bytes((struct text){(const char *)bytes->data, bytes->len}, "p", ret);
}

#define ASSERT_TEXT(text, string) assert_true(text_is(text, string))

static void every_field_is_read(void **state)
{
	g_autoptr(GByteArray) bytes = whole();
	scoped(profile) struct profile *p = NULL;

	assert_null(read_array(bytes, &p));
	assert_int_equal(p->kind, PROFILE_HEAP);
	assert_int_equal(p->period, 524288);
	assert_int_equal(p->time_ns, 1700000000000000000);
	assert_int_equal(p->type_count, 2);
	assert_int_equal(p->default_type, 1);
	assert_int_equal(p->sample_count, 2);
	assert_int_equal(profile_value(p, 0, profile_type(p, "inuse_space")), 4096);
	assert_int_equal(profile_value(p, 1, profile_type(p, "inuse_space")), -8);
	assert_int_equal(profile_type(p, "alloc_space"), PROFILE_NONE);
	assert_int_equal(profile_location_at(p, &p->samples[1], 0), 1);
	assert_int_equal(p->location[1].mapping, PROFILE_NONE);
	assert_int_equal(p->location[0].address, 0x4a2b30);
	assert_int_equal(p->line[p->location[0].first_line].line, 17);
	ASSERT_TEXT(p->function[0].name, "main.put");
	ASSERT_TEXT(p->function[0].file, "main.go");
	ASSERT_TEXT(p->mapping[p->location[0].mapping].build_id, "buildid77");
	ASSERT_TEXT(p->labels[p->samples[0].first_label].key, "tenant");
	ASSERT_TEXT(p->labels[p->samples[1].first_label].value, "blue");
}

/** Locations are kept in one, two or four bytes each, by how many there are. */
static void stacks_of_any_width(void **state)
{
	static const unsigned counts[] = {1, 256, 257, 65536, 65537};

	for (size_t i = 0; i < G_N_ELEMENTS(counts); i++) {
		GByteArray *p = g_byte_array_new(), *ids = g_byte_array_new(),
			   *sample = g_byte_array_new();
		scoped(profile) struct profile *read = NULL;

		put_message(p, 1, MESSAGE(1, 1, 2, 2));
		for (unsigned id = 1; id <= counts[i]; id++)
			put_message(p, 4, MESSAGE(1, id, 3, 0x400000 + id));
		for (unsigned n = 0; n < 100; n++) // the last, the first, the last ...
			put_varint(ids, n % 2 ? 1 : counts[i]);
		put_message(sample, 1, ids);
		put_number(sample, 2, 7);
		put_message(p, 2, sample);
		for (size_t j = 0; j < G_N_ELEMENTS(strings); j++)
			put_bytes(p, 6, strings[j], strlen(strings[j]));
		assert_null(read_array(p, &read));
		assert_int_equal(read->samples[0].location_count, 100);
		for (uint32_t n = 0; n < 100; n++)
			assert_int_equal(profile_location_at(read, &read->samples[0], n),
					 n % 2 ? 0 : counts[i] - 1);
		g_byte_array_unref(p);
	}
}

static void a_cut_is_told_wherever_it_falls(void **state)
{
	g_autoptr(GByteArray) bytes = whole();

	for (guint n = 0; n < bytes->len; n++) {
		scoped(profile) struct profile *p = NULL;
		scoped(error) struct error *error = NULL;
		struct text cut = {(const char *)bytes->data, n};

		error = profile_open_bytes(cut, "p", &p);
		assert_true(error || p->sample_count <= 2);
	}
}

static void refuse(GByteArray *bytes, enum error_code code, const char *words)
{
	scoped(profile) struct profile *p = NULL;
	scoped(error) struct error *error = read_array(bytes, &p);

	assert_non_null(error);
	assert_int_equal(error_code(error), code);
	assert_non_null(strstr(error_text(error), words));
	g_byte_array_unref(bytes);
}

static void what_does_not_fit_together_is_refused(void **state)
{
	GByteArray *p = whole();

	put_message(p, 2, MESSAGE(1, 1)); /* no values */
	refuse(p, ERROR_MALFORMED, "0 values");
	p = whole();
	put_message(p, 2, MESSAGE(1, 9, 2, 1, 2, 1));
	refuse(p, ERROR_MALFORMED, "location 9");
	p = whole();
	put_message(p, 2, MESSAGE(1, 1, 2, 1, 2, 1, 2, 1));
	refuse(p, ERROR_MALFORMED, "more values");
	p = whole();
	put_message(p, 4, MESSAGE(1, 1));
	refuse(p, ERROR_MALFORMED, "two locations");
	p = whole();
	put_message(p, 4, MESSAGE(3, 1));
	refuse(p, ERROR_MALFORMED, "no number of its own");
	p = whole();
	put_message(p, 5, MESSAGE(1, 50, 2, 1000));
	refuse(p, ERROR_MALFORMED, "string 1000");
	refuse(MESSAGE(12, 1), ERROR_UNRECOGNISED, "not a profile");
}

static GByteArray *packed(const void *bytes, size_t n)
{
	struct libdeflate_compressor *deflater = libdeflate_alloc_compressor(6);
	GByteArray *out = g_byte_array_new();

	g_byte_array_set_size(out, (guint)libdeflate_gzip_compress_bound(deflater, n));
	g_byte_array_set_size(
		out, (guint)libdeflate_gzip_compress(deflater, bytes, n, out->data, out->len));
	libdeflate_free_compressor(deflater);
	return out;
}

static void gzip_is_unpacked_and_its_faults_are_told(void **state)
{
	g_autoptr(GByteArray) bytes = whole();
	GByteArray *once = packed(bytes->data, bytes->len);
	scoped(profile) struct profile *p = NULL;
	const char *looks_like;

	assert_null(read_array(once, &p));
	assert_int_equal(p->sample_count, 2);
	assert_true(
		profile_recognise((struct text){(const char *)once->data, once->len}, &looks_like));
	refuse(packed(once->data, once->len), ERROR_MALFORMED, "compressed twice");
	g_byte_array_set_size(once, once->len - 20);
	refuse(g_byte_array_ref(once), ERROR_TRUNCATED, "cut off");
	once->data[15] ^= 0x55;
	once->data[16] ^= 0x55;
	{
		scoped(profile) struct profile *damaged = NULL;
		scoped(error) struct error *error = read_array(once, &damaged);

		assert_non_null(error);
	}
	g_byte_array_unref(once);
}

static void members_of_gzip_are_joined(void **state)
{
	g_autoptr(GByteArray) bytes = whole();
	GByteArray *first = packed(bytes->data, 20);
	g_autoptr(GByteArray) second = packed(bytes->data + 20, bytes->len - 20);
	scoped(profile) struct profile *p = NULL;

	g_byte_array_append(first, second->data, second->len);
	assert_null(read_array(first, &p));
	assert_int_equal(p->sample_count, 2);
	g_byte_array_unref(first);
}

static void a_bomb_ends_at_the_limit(void **state)
{
	size_t n = 300u << 20;
	char *zeros = calloc(1, n);
	GByteArray *bomb = packed(zeros, n);

	free(zeros);
	refuse(bomb, ERROR_LIMIT, "inflates to more than");
}

static const char heap_text[] = "heap profile: 3: 1064 [5: 2128] @ heap/2\n"
				"2: 64 [4: 128] @ 0x401011 0x402021 0x402021\n"
				"#\t0x402020\tmain.grow+0x20\t\t/src/main.go:12\n"
				"#\t0x402020\tmain.grow+0x20\t\t/src/main.go:12\n"
				"\n"
				"1: 1000 [1: 2000] @ 0x403031\n"
				"#\t0x403030\tmain.inner+0x30\t/src/a.go:1\r\n"
				"#\t0x403030\tmain.outer+0x30\t/src/b.go:2\r\n"
				"\n"
				"# runtime.MemStats\n"
				"# Alloc = 123\n";

static void text_is_read_with_its_names(void **state)
{
	scoped(profile) struct profile *p = NULL;

	assert_null(profile_open_bytes(text_of(heap_text), "p", &p));
	assert_true(p->is_text && !p->cut);
	assert_int_equal(p->sample_count, 2);
	assert_int_equal(profile_value(p, 0, profile_type(p, "alloc_space")), 128);
	assert_int_equal(profile_value(p, 1, profile_type(p, "inuse_space")), 1000);
	assert_int_equal(p->samples[0].location_count, 3);
	assert_int_equal(p->location_count, 3);
	assert_int_equal(p->location[0].address, 0x401010);
	assert_int_equal(p->location[0].line_count, 0); /* hidden: the runtime's own */
	assert_int_equal(p->location[1].line_count, 1); /* called itself: not inlined */
	assert_int_equal(p->location[1].entry, 0x402000);
	assert_int_equal(p->location[2].line_count, 2);
	ASSERT_TEXT(p->function[p->line[p->location[2].first_line + 1].function].name,
		    "main.outer");
	ASSERT_TEXT(p->function[p->line[p->location[2].first_line + 1].function].file, "/src/b.go");
}

static void sampled_values_are_scaled(void **state)
{
	/* One object of 1000 bytes at a rate of 1000: 1 / (1 - 1/e) = 1.58197... of them. */
	static const char text[] = "heap profile: 1: 1000 [1: 1000] @ heap/2000\n"
				   "1: 1000 [1: 1000] @ 0x1001\n";
	scoped(profile) struct profile *p = NULL;

	assert_null(profile_open_bytes(text_of(text), "p", &p));
	assert_int_equal(p->period, 1000);
	assert_int_equal(profile_value(p, 0, profile_type(p, "inuse_objects")), 1);
	assert_int_equal(profile_value(p, 0, profile_type(p, "inuse_space")), 1581);
}

static void goroutines_and_their_labels(void **state)
{
	static const char text[] = "goroutine profile: total 9\n"
				   "7 @ 0x1001 0x2002\n"
				   "# labels: {\"a\":\"x\", \"b\":\"say \\\"hi\\\"\"}\n"
				   "#\t0x1000\tmain.wait+0x0\t/src/main.go:3\n"
				   "\n"
				   "1 @ 0x3";
	scoped(profile) struct profile *p = NULL;

	assert_null(profile_open_bytes(text_of(text), "p", &p));
	assert_int_equal(p->kind, PROFILE_GOROUTINE);
	assert_int_equal(p->sample_count, 1); /* the last line may have lost digits */
	assert_true(p->cut);
	assert_int_equal(p->samples[0].label_count, 2);
	ASSERT_TEXT(p->labels[1].value, "say \"hi\"");
}

static void text_that_is_no_profile_is_refused(void **state)
{
	static const char *const bad[] = {
		"heap profile: \n",
		"heap profile: 1: 2 [3: 4] @ heap\n",
		"heap profile: 1: 2 [3: 4] @ heap/x\n",
		"heap profile: 1: 2 [3: 4] @ heap/2\nnonsense\n",
		"goroutine profile: total 1\n1 0x1\n",
		"goroutine profile: total 1\n99999999999999999999 @ 0x1\n",
		"goroutine profile: total 1\n1 @ 0x11112222333344445\n",
		"goroutine profile: total 1\n1 @ zebra\n",
	};

	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		scoped(profile) struct profile *p = NULL;
		scoped(error) struct error *error = profile_open_bytes(text_of(bad[i]), "p", &p);

		assert_non_null(error);
		assert_int_equal(error_code(error), ERROR_MALFORMED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_is_read),
		cmocka_unit_test(stacks_of_any_width),
		cmocka_unit_test(a_cut_is_told_wherever_it_falls),
		cmocka_unit_test(what_does_not_fit_together_is_refused),
		cmocka_unit_test(gzip_is_unpacked_and_its_faults_are_told),
		cmocka_unit_test(members_of_gzip_are_joined),
		cmocka_unit_test(a_bomb_ends_at_the_limit),
		cmocka_unit_test(text_is_read_with_its_names),
		cmocka_unit_test(sampled_values_are_scaled),
		cmocka_unit_test(goroutines_and_their_labels),
		cmocka_unit_test(text_that_is_no_profile_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
