// SPDX-License-Identifier: Apache-2.0
// The scans over all text for direct calls and for addresses that are made.
#include "model/code/call_graph.h"

struct scan {
	struct call_targets targets;
	uint64_t low, high; /* of the targets */
	bool loads;         /* what stands at an address is wanted, not the address */
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

/** Every piece of the table's text that memory has. */
static void each_piece(const struct memory *memory, const struct pclntab *table,
		       void (*visit)(const struct scan *, enum go_arch, const uint8_t *, uint64_t,
				     uint64_t),
		       const struct scan *scan, enum go_arch arch)
{
	const struct pclntab_module *module = pclntab_module(table);
	const struct memory_range *ranges;
	const uint8_t *bytes;
	size_t count;

	ranges = memory_ranges(memory, &count);
	for (size_t i = 0; i < count; i++) {
		uint64_t low = ranges[i].address, high = low + ranges[i].size;

		low = low < module->minpc ? module->minpc : low;
		high = high > module->maxpc ? module->maxpc : high;
		bytes = low < high ? memory_view(memory, low, high - low) : NULL;
		if (bytes)
			visit(scan, arch, bytes, high - low, low);
	}
}

void call_graph_scan(const struct memory *memory, const struct pclntab *table, enum go_arch arch,
		     struct call_targets targets,
		     void (*visit)(uint64_t end, uint64_t target, void *context), void *context)
{
	struct scan scan = {.targets = targets, .visit = visit, .context = context};

	if (!targets.count)
		return;
	scan.low = targets.addresses[0];
	scan.high = targets.addresses[targets.count - 1];
	each_piece(memory, table, scan_piece, &scan, arch);
}

static inline void address_made(const struct scan *scan, uint64_t end, uint64_t target)
{
	if (target >= scan->low && target <= scan->high)
		scan->visit(end, target, scan->context);
}

/* REX.W, LEA or MOV, a ModR/M byte that means RIP, and 32 bits of distance. */
static void addresses_amd64(const struct scan *scan, const uint8_t *p, uint64_t size,
			    uint64_t address)
{
	const uint8_t *at = p + 1, *last = p + size - 5;
	int opcode = scan->loads ? 0x8b : 0x8d;

	if (size < 7)
		return;
	while (at < last && (at = memchr(at, opcode, (size_t)(last - at)))) {
		uint64_t end = address + (uint64_t)(at - p) + 6;
		int32_t distance;

		memcpy(&distance, at + 2, sizeof(distance));
		if ((at[1] & 0xc7) == 0x05 && (at[-1] & 0xf8) == 0x48)
			address_made(scan, end, end + (uint64_t)(int64_t)distance);
		at++;
	}
}

/* ADRP and the ADD or LDR after it, of one register: 21 bits of distance in pages, 12 of bytes or words. */
static void addresses_arm64(const struct scan *scan, const uint8_t *p, uint64_t size,
			    uint64_t address)
{
	const uint32_t opcode = scan->loads ? 0xf9400000 : 0x91000000;
	const unsigned scale = scan->loads ? 3 : 0;

	for (uint64_t i = 0; i + 8 <= size; i += 4) {
		uint64_t page = (address + i) & ~0xfffull;
		uint32_t adrp, add;
		int64_t pages;

		memcpy(&adrp, p + i, sizeof(adrp));
		memcpy(&add, p + i + 4, sizeof(add));
		if ((adrp & 0x9f000000) != 0x90000000 || (add & 0xffc00000) != opcode ||
		    (add >> 5 & 31) != (adrp & 31))
			continue;
		pages = (int64_t)((uint64_t)((adrp >> 5 & 0x7ffff) << 2 | (adrp >> 29 & 3))
				  << 43) >>
			43;
		address_made(scan, address + i + 8,
			     page + (uint64_t)(pages * 4096) + ((add >> 10 & 0xfff) << scale));
	}
}

static void addresses_piece(const struct scan *scan, enum go_arch arch, const uint8_t *p,
			    uint64_t size, uint64_t address)
{
	if (arch == GO_ARCH_ARM64)
		addresses_arm64(scan, p, size, address);
	else
		addresses_amd64(scan, p, size, address);
}

void call_graph_addresses(const struct memory *memory, const struct pclntab *table,
			  enum go_arch arch, uint64_t low, uint64_t high,
			  void (*visit)(uint64_t end, uint64_t target, void *context),
			  void *context)
{
	struct scan scan = {.low = low, .high = high, .visit = visit, .context = context};

	each_piece(memory, table, addresses_piece, &scan, arch);
}

void call_graph_loads(const struct memory *memory, const struct pclntab *table, enum go_arch arch,
		      uint64_t low, uint64_t high,
		      void (*visit)(uint64_t end, uint64_t target, void *context), void *context)
{
	struct scan scan = {
		.low = low, .high = high, .loads = true, .visit = visit, .context = context};

	each_piece(memory, table, addresses_piece, &scan, arch);
}
