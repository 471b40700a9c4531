// SPDX-License-Identifier: Apache-2.0
// A flight recorder's file by hand: three hooked places of runtime.mapassign, one for each moment of a write, and what a
// test puts into the slots and detections.
#pragma once
#include "evidence/recorded/flight.h"
#include "evidence/recorded/flight_format.h"

#include <glib.h>
#include <stddef.h>
#include <string.h>

#define BUILT_SLOTS      6
#define BUILT_TEXT_BYTES 0x100000

struct built {
	struct flight_header header;
	struct flight_site sites[3];
	char names[32];
	struct flight_detection detections[FLIGHT_DETECTIONS];
	struct flight_slot slots[BUILT_SLOTS];
	struct flight_slot reads[BUILT_SLOTS];
	uint64_t eras[1u << FLIGHT_ORDER_BITS];
};

/** Of a program whose code begins at @a text; the next call builds the same one anew. */
static inline struct built *flight_build(uint64_t text)
{
	static struct built b;

	memset(&b, 0, sizeof(b));
	b.header = (struct flight_header){
		.magic = FLIGHT_MAGIC,
		.version = FLIGHT_VERSION,
		.header_bytes = sizeof(b.header),
		.total_bytes = sizeof(b),
		.go_minor = 22,
		.text = text,
		.etext = text + BUILT_TEXT_BYTES,
		.site_count = 3,
		.sites_offset = offsetof(struct built, sites),
		.names_offset = offsetof(struct built, names),
		.names_bytes = sizeof(b.names),
		.detections_offset = offsetof(struct built, detections),
		.slots_offset = offsetof(struct built, slots),
		.slot_count = BUILT_SLOTS,
		.reads_offset = offsetof(struct built, reads),
		.eras_offset = offsetof(struct built, eras),
		.complete = 1,
		.frozen = 1,
	};
	strncpy(b.names, "runtime.mapassign", sizeof(b.names));
	for (uint8_t i = 0; i < 3; i++)
		b.sites[i] = (struct flight_site){
			.moment = i, .operation = MAP_ASSIGN, .return_offset = 16};
	return &b;
}

/** A map is made there, at that place of its order. */
static inline void flight_build_era(struct built *b, uint64_t map, uint32_t place)
{
	uint32_t low = (uint32_t)(map >> FLIGHT_MAP_SHIFT);

	b->eras[low & ((1u << FLIGHT_ORDER_BITS) - 1)] = (uint64_t)low << 32 | place;
}

#define SITE(number) ((uint64_t)(number) << FLIGHT_SITE_SHIFT)

/** A write under way that returns to @a pc, which was called from before @a caller. */
static inline struct flight_slot flight_build_slot(uint32_t goroutine, uint64_t map, uint32_t place,
						   uint64_t pc, uint64_t caller)
{
	uint64_t key = (uint64_t)goroutine << 32 | (uint32_t)(map >> FLIGHT_MAP_SHIFT);

	return (struct flight_slot){
		.key = key,
		.claimed = key,
		.who = pc << 32 | (uint32_t)(goroutine >> FLIGHT_TAG_FROM << FLIGHT_TAG_SHIFT) |
		       SITE(0) | FLIGHT_INSIDE,
		.order = (uint64_t)place << 32 | goroutine,
		.callers = {(uint32_t)caller},
		.callers_of = goroutine,
	};
}
