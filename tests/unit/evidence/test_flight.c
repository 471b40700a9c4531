// SPDX-License-Identifier: Apache-2.0
// Files of the flight recorder, built by hand: what is whole is read, what is torn or hostile is not.
#include "flight_build.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define TEXT 0x7f0000000000ull
#define MAP  0xc000123450ull

static struct built *build(void) { return flight_build(TEXT); }

static struct flight_slot slot_of(uint32_t goroutine, uint64_t map, uint32_t place)
{
	return flight_build_slot(goroutine, map, place, TEXT + 0x1234, TEXT + 0x2345);
}

static struct flight *read_built(const struct built *b)
{
	struct flight *flight = NULL;
	scoped(error) struct error *error =
		flight_read(b, sizeof(*b), place_whole("built"), &flight);

	assert_null(error);
	return flight;
}

static void refused(const void *bytes, size_t size, enum error_code code, const char *words)
{
	struct flight *flight = NULL;
	scoped(error) struct error *error = flight_read(bytes, size, place_whole("built"), &flight);

	assert_non_null(error);
	assert_int_equal(error_code(error), code);
	if (!strstr(error_text(error), words))
		fail_msg("\"%s\" does not say \"%s\"", error_text(error), words);
}

static void records_are_read(void **state)
{
	struct built *b = build();
	size_t count;

	b->slots[1] = slot_of(7, MAP, 5);
	b->slots[2] = slot_of(9, MAP + 48, 6);
	b->slots[2].who = (b->slots[2].who | SITE(1)) & ~(uint64_t)FLIGHT_INSIDE;
	b->slots[2].left = 4;

	scoped(flight) struct flight *flight = read_built(b);
	const struct flight_write *writes = flight_writes(flight, &count);

	assert_int_equal(count, 2);
	assert_int_equal(writes[0].goroutine, 7);
	assert_int_equal(writes[0].place, 5);
	assert_true(writes[0].inside);
	assert_true(flight_write_is_of(&writes[0], MAP));
	assert_false(flight_write_is_of(&writes[1], MAP));
	assert_false(writes[1].inside);
	assert_int_equal(writes[1].left, 4);
	assert_int_equal(writes[0].pc_count, 2);
	assert_int_equal(writes[0].pcs[0], TEXT + 0x1234);
	assert_int_equal(writes[0].pcs[1], TEXT + 0x2345);
	assert_string_equal(writes[0].function, "runtime.mapassign");
}

static void reads_are_apart_from_writes(void **state)
{
	struct built *b = build();
	size_t count;

	b->slots[0] = slot_of(7, MAP, 5);
	b->reads[3] = slot_of(9, MAP, 4);
	b->reads[3].who &= ~(uint64_t)FLIGHT_INSIDE;

	scoped(flight) struct flight *flight = read_built(b);
	const struct flight_write *reads = flight_reads(flight, &count);

	assert_int_equal(count, 1);
	assert_int_equal(reads[0].goroutine, 9);
	assert_int_equal(reads[0].place, 4);
	assert_int_equal(flight_writes(flight, &count)[0].goroutine, 7);
	assert_int_equal(count, 1);
}

/** Three maps that share a word of the order; one of the first was made at place 5. */
static void maps_that_follow_each_other_at_one_address_are_told_apart(void **state)
{
	const uint64_t shares = MAP + (16ull << FLIGHT_ORDER_BITS);
	struct built *b = build();
	size_t count;

	flight_build_era(b, MAP, 5);
	b->slots[0] = slot_of(7, MAP, 4);
	b->slots[1] = slot_of(8, MAP, 6);
	b->slots[2] = slot_of(9, shares, 4);
	b->slots[3] = slot_of(9, shares, UINT32_MAX);
	b->slots[4] = slot_of(9, MAP + 48, 1);
	b->slots[4].who |= FLIGHT_ON_STACK;

	scoped(flight) struct flight *flight = read_built(b);
	const struct flight_write *writes = flight_writes(flight, &count);

	assert_int_equal(count, 5);
	assert_true(writes[0].earlier && !writes[0].sure);
	assert_true(!writes[1].earlier && writes[1].sure);
	assert_int_equal(writes[1].turn, 1);
	assert_true(!writes[2].earlier && !writes[2].sure); // its own map may be as old as it
	assert_true(!writes[3].earlier && !writes[3].sure); // before the order wrapped
	assert_true(!writes[4].earlier && writes[4].sure);
	assert_true(writes[4].on_stack && !writes[0].on_stack);
	b->header.eras_offset = 0;

	scoped(flight) struct flight *without = read_built(b);

	writes = flight_writes(without, &count);
	assert_false(writes[0].earlier || writes[1].sure || flight_facts(without)->eras);
	b->header.eras_offset = sizeof(*b) - 8;
	refused(b, sizeof(*b), ERROR_MALFORMED, "when maps were made");
}

/** Words of two owners in one slot: nobody is to be named by it. */
static void torn_records_are_left_out(void **state)
{
	struct built *b = build();
	size_t count;

	b->slots[0] = slot_of(7, MAP, 5);
	b->slots[0].who = slot_of(7 + (1u << FLIGHT_TAG_FROM), MAP, 5).who;
	b->slots[1] = slot_of(7, MAP, 5);
	b->slots[1].order = slot_of(8, MAP, 5).order;
	b->slots[4] = slot_of(7, MAP, 5);
	b->slots[4].claimed = slot_of(7, MAP + 48, 5).claimed;
	b->slots[2] = slot_of(7, MAP, 5);
	b->slots[2].key = FLIGHT_KEY_TAKEN;
	b->slots[3] = slot_of(7, MAP, 5);
	b->slots[3].callers_of = 8; // of another: only the record's own address counts
	b->slots[5] = slot_of(9, MAP, 5);
	b->slots[5].who ^= FLIGHT_INSIDE | FLIGHT_UNSETTLED; // its callers were just being replaced

	scoped(flight) struct flight *flight = read_built(b);
	const struct flight_write *writes = flight_writes(flight, &count);

	assert_int_equal(count, 2);
	assert_int_equal(writes[0].pc_count, 1);
	assert_int_equal(writes[1].pc_count, 1);
	assert_false(writes[1].inside);
}

static void a_failed_check_tells_its_callers(void **state)
{
	struct built *b = build();
	struct flight_detection *d = &b->detections[0];
	uint64_t stack[] = {0, 0, TEXT + 0x100, 0x8030, TEXT + 0x200, 0, 0x8000, TEXT + 0x300};
	size_t count;

	*d = (struct flight_detection){.complete = 1,
				       .goroutine = 7,
				       .map = MAP,
				       .site = 2,
				       .stack_bytes = sizeof(stack),
				       .sp = 0x8000};
	d->registers[5] = 0x8018; // frame pointer: holds 0x8030, above it a return address
	memcpy(d->stack, stack, sizeof(stack));
	d[1] = *d;
	d[1].site = 0; // a place that does not give up
	d[2] = *d;
	d[2].complete = 0;

	scoped(flight) struct flight *flight = read_built(b);
	const struct flight_failure *failures = flight_failures(flight, &count);

	assert_int_equal(count, 1);
	assert_int_equal(failures[0].goroutine, 7);
	assert_int_equal(failures[0].map, MAP);
	assert_int_equal(failures[0].pc_count, 2);
	assert_int_equal(failures[0].pcs[0], TEXT + 0x100);
	assert_int_equal(failures[0].pcs[1], TEXT + 0x300);
}

static void what_does_not_fit_is_refused(void **state)
{
	struct built *b = build();

	refused(b, 100, ERROR_MALFORMED, "no file of the flight recorder");
	refused(b, sizeof(*b) - 1, ERROR_TRUNCATED, "1 bytes of it are missing");
	b->header.version = 99;
	refused(b, sizeof(*b), ERROR_UNSUPPORTED, "another version");
	b = build();
	b->header.slot_count = UINT32_MAX;
	refused(b, sizeof(*b), ERROR_MALFORMED, "records are not all there");
	b = build();
	b->header.site_count = UINT32_MAX;
	refused(b, sizeof(*b), ERROR_MALFORMED, "hooked places");
	b = build();
	b->header.reads_offset = sizeof(*b) - 8;
	refused(b, sizeof(*b), ERROR_MALFORMED, "records of reads");
	b = build();
	memset(b->names, 'x', sizeof(b->names));
	refused(b, sizeof(*b), ERROR_MALFORMED, "names");
	b = build();
	memset(b->header.program, 'x', sizeof(b->header.program));
	refused(b, sizeof(*b), ERROR_MALFORMED, "does not end");
}

static void it_is_found_in_memory(void **state)
{
	struct built *b = build();
	struct memory *memory = memory_new();
	struct flight *flight = NULL;
	uint8_t other[4096] = {0};

	memory_add(memory, 0x1000, other, sizeof(other), place_whole("core"));
	assert_null(flight_find(memory, &flight));
	assert_null(flight);
	memory_add(memory, 0x10000, b, sizeof(*b), place_whole("core"));
	assert_null(flight_find(memory, &flight));
	assert_non_null(flight);
	flight_close(flight);
	memory_free(memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_are_read),
		cmocka_unit_test(reads_are_apart_from_writes),
		cmocka_unit_test(maps_that_follow_each_other_at_one_address_are_told_apart),
		cmocka_unit_test(torn_records_are_left_out),
		cmocka_unit_test(a_failed_check_tells_its_callers),
		cmocka_unit_test(what_does_not_fit_is_refused),
		cmocka_unit_test(it_is_found_in_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
