// SPDX-License-Identifier: Apache-2.0
// The scan over all text for direct calls.
#include "model/call_graph.h"

struct scan {
	struct call_targets targets;
	uint64_t low, high; /* of the targets */
	void (*visit)(uint64_t end, uint64_t target, void *context);
	void *context;
};

static bool is_target(const struct call_targets *targets, uint64_t address)
{
	size_t low = 0, high = targets->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (targets->addresses[middle] == address)
			return true;
		if (targets->addresses[middle] < address)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

static inline void candidate(const struct scan *scan, uint64_t end, uint64_t target)
{
	if (target >= scan->low && target <= scan->high && is_target(&scan->targets, target))
		scan->visit(end, target, scan->context);
}

/* E8 or E9 and 32 bits of distance. */
static void scan_amd64(const struct scan *scan, const uint8_t *p, uint64_t size, uint64_t address,
		       uint8_t opcode)
{
	const uint8_t *at = p, *last = p + size - 4;

	if (size < 5)
		return;
	while ((at = memchr(at, opcode, (size_t)(last - at)))) {
		uint64_t end = address + (uint64_t)(at - p) + 5;
		int32_t distance;

		memcpy(&distance, ++at, sizeof(distance));
		candidate(scan, end, end + (uint64_t)(int64_t)distance);
		if (at >= last)
			break;
	}
}

/* BL and B: six bits of opcode, 26 of distance in words. */
static void scan_arm64(const struct scan *scan, const uint8_t *p, uint64_t size, uint64_t address)
{
	for (uint64_t i = 0; i + 4 <= size; i += 4) {
		uint32_t word;
		int32_t words;

		memcpy(&word, p + i, sizeof(word));
		words = (int32_t)(word << 6) >> 6;
		if ((word & 0x7c000000) == 0x14000000)
			candidate(scan, address + i + 4,
				  address + i + (uint64_t)((int64_t)words * 4));
	}
}

static void scan_piece(const struct scan *scan, enum go_arch arch, const uint8_t *p, uint64_t size,
		       uint64_t address)
{
	if (arch == GO_ARCH_ARM64) {
		scan_arm64(scan, p, size, address);
		return;
	}
	scan_amd64(scan, p, size, address, 0xe8);
	scan_amd64(scan, p, size, address, 0xe9);
}

void call_graph_scan(const struct memory *memory, const struct pclntab *table, enum go_arch arch,
		     struct call_targets targets,
		     void (*visit)(uint64_t end, uint64_t target, void *context), void *context)
{
	const struct pclntab_module *module = pclntab_module(table);
	const struct memory_range *ranges;
	struct scan scan = {targets, 0, 0, visit, context};
	const uint8_t *bytes;
	size_t count;

	if (!targets.count)
		return;
	scan.low = targets.addresses[0];
	scan.high = targets.addresses[targets.count - 1];
	ranges = memory_ranges(memory, &count);
	for (size_t i = 0; i < count; i++) {
		uint64_t low = ranges[i].address, high = low + ranges[i].size;

		low = low < module->minpc ? module->minpc : low;
		high = high > module->maxpc ? module->maxpc : high;
		bytes = low < high ? memory_view(memory, low, high - low) : NULL;
		if (bytes)
			scan_piece(&scan, arch, bytes, high - low, low);
	}
}
