// SPDX-License-Identifier: Apache-2.0
#include "evidence/binary/pcvalue.h"

// Pairs of one function. The largest seen in real programs, generated initialisers, have some
// 100,000; the bound keeps a table of a foreign file's making from costing more than a few
// milliseconds a look-up.
#define PAIRS_MAX (1u << 20)

/** Go's uvarint of 32 bits, at most five bytes; NULL at the end of the bytes. Nearly all are one
 * byte. */
static inline const uint8_t *uvarint32(const uint8_t *at, const uint8_t *end, uint32_t *ret)
{
	uint32_t value = 0;

	if (__builtin_expect(at < end && *at < 0x80, true)) {
		*ret = *at;
		return at + 1;
	}
	for (unsigned shift = 0; shift < 35 && at < end; shift += 7) {
		uint8_t byte = *at++;

		value |= (uint32_t)(byte & 0x7f) << shift;
		if (byte < 0x80) {
			*ret = value;
			return at;
		}
	}
	return NULL;
}

bool pcvalue_at(struct span table, uint8_t quantum, uint64_t offset, int32_t *ret)
{
	const uint8_t *at = table.p, *end = table.p + table.n;
	uint32_t value = UINT32_MAX; // -1: wraps as the runtime's int32 does
	uint64_t pc = 0;

	for (unsigned pair = 0; pair < PAIRS_MAX; pair++) {
		uint32_t delta, step;

		at = uvarint32(at, end, &delta);
		if (!at || (delta == 0 && pair > 0))
			return false;
		at = uvarint32(at, end, &step);
		if (!at)
			return false;
		value += (delta >> 1) ^ -(delta & 1); // zigzag
		pc += (uint64_t)step * quantum;
		if (offset < pc) {
			*ret = (int32_t)value;
			return true;
		}
	}
	return false;
}
