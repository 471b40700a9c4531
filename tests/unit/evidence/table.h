// SPDX-License-Identifier: Apache-2.0
// A function table of two functions, written by hand in any of the four formats:
//   main.outer  0x401000-0x401040  a.go:10, from +0x10 to +0x20 main.inner inlined (b.go:99), then a.go:12
//   main.last   0x401040-0x401080  a.go:20
// The frame of main.outer has 0 bytes up to +4, then 24.
#pragma once
#include "evidence/binary/pclntab.h"

#include <assert.h>
#include <string.h>

#define TABLE_START 0x500000ull
#define TABLE_TEXT  0x401000ull
#define TABLE_TREE  2048u // where the inline tree stands in the bytes
#define TABLE_BYTES 8192u

struct table {
	uint8_t bytes[TABLE_BYTES];
	size_t next; // where the next piece goes
	int minor;
	uint8_t quantum;
	uint64_t text; // where the functions' code starts
	struct memory *memory;
	struct pclntab_module module;
};

static inline void table_put(struct table *t, size_t at, uint64_t value, size_t size)
{
	assert(at + size <= TABLE_BYTES);
	memcpy(t->bytes + at, &value, size);
}

static inline size_t table_string(struct table *t, const char *string)
{
	size_t at = t->next;

	assert(at + strlen(string) < TABLE_BYTES);
	memcpy(t->bytes + at, string, strlen(string) + 1);
	t->next += strlen(string) + 1;
	return at;
}

static inline void table_uvarint(struct table *t, uint32_t value)
{
	for (; value >= 0x80; value >>= 7)
		t->bytes[t->next++] = (uint8_t)(value | 0x80);
	t->bytes[t->next++] = (uint8_t)value;
}

/** Pairs of value and bytes of code, ended by a count of 0. Neighbours of one value make one entry. */
static inline size_t table_values(struct table *t, const int32_t (*runs)[2])
{
	size_t at = t->next;
	int32_t value = -1;

	for (; (*runs)[1]; runs++) {
		int32_t delta = (*runs)[0] - value, bytes = (*runs)[1];

		while (runs[1][1] && runs[1][0] == (*runs)[0])
			bytes += (*++runs)[1];
		table_uvarint(t, (uint32_t)delta << 1 ^ (uint32_t)(delta >> 31));
		table_uvarint(t, (uint32_t)bytes / t->quantum);
		value = (*runs)[0];
	}
	t->bytes[t->next++] = 0;
	return at;
}

/** Where the fields of a _func stand: from runtime/runtime2.go of each release. */
static inline size_t table_record(struct table *t, uint64_t entry, size_t name,
				  const size_t values[4])
{
	bool offsets = t->minor >= 18;
	size_t at = t->next = (t->next + 7) / 8 * 8, word = at + (offsets ? 4 : 8);
	int inline_pcdata = t->minor >= 13 ? 2 : 1;
	int inline_funcdata = t->minor >= 16 ? 3 : t->minor >= 13 ? 4 : 2;
	size_t nfuncdata, arrays;

	table_put(t, at, offsets ? entry - t->text : entry, offsets ? 4 : 8);
	table_put(t, word, name, 4);
	table_put(t, word + 4, 8, 4);  // args
	for (size_t i = 0; i < 3; i++) // pcsp, pcfile, pcln
		table_put(t, word + 12 + 4 * i, values[i], 4);
	table_put(t, word + 24, (uint64_t)inline_pcdata + 1, 4);
	if (t->minor >= 20)
		table_put(t, word + 32, 7, 4); // startLine
	nfuncdata = t->minor < 12                                       ? at + 36
		    : t->minor < 16 || t->minor == 18 || t->minor == 19 ? at + 39
									: at + 43;
	arrays = nfuncdata + (t->minor < 12 ? 4 : 1);
	table_put(t, nfuncdata, (uint64_t)inline_funcdata + 1, t->minor < 12 ? 4 : 1);
	table_put(t, arrays + 4 * (size_t)inline_pcdata, values[3], 4);
	t->next = arrays + 4 * (size_t)(inline_pcdata + 1);
	if (offsets) {
		for (int i = 0; i <= inline_funcdata; i++)
			table_put(t, t->next + 4 * (size_t)i, i == inline_funcdata ? 0 : UINT32_MAX,
				  4);
		t->next += 4 * (size_t)(inline_funcdata + 1);
	} else {
		t->next = (t->next + 7) / 8 * 8 + 8 * (size_t)(inline_funcdata + 1);
		table_put(t, t->next - 8, TABLE_START + TABLE_TREE, 8);
	}
	return at;
}

/** The tree's one node: main.inner, called at a.go:11 (to 1.19) or from the code at +8, which is
 * a.go:10. */
static inline void table_tree(struct table *t, size_t name, int32_t parent, uint32_t parent_pc)
{
	if (t->minor >= 20) {
		table_put(t, TABLE_TREE + 4, name, 4);
		table_put(t, TABLE_TREE + 8, parent_pc, 4);
		return;
	}
	table_put(t, TABLE_TREE, (uint64_t)(int64_t)parent, t->minor >= 12 ? 2 : 4);
	table_put(t, TABLE_TREE + 4, t->minor >= 16 ? 0 : 1, 4);
	table_put(t, TABLE_TREE + 8, 11, 4);
	table_put(t, TABLE_TREE + 12, name, 4);
}

static inline void table_functab(struct table *t, size_t at, const size_t records[2], size_t base)
{
	size_t size = t->minor >= 18 ? 4 : 8;

	for (size_t i = 0; i < 3; i++) {
		uint64_t entry = TABLE_TEXT + 0x40 * i;

		table_put(t, at + 2 * size * i, t->minor >= 18 ? entry - TABLE_TEXT : entry, size);
		if (i < 2)
			table_put(t, at + 2 * size * i + size, records[i] - base, size);
	}
}

/** Where the parts stand, in bytes from the table's start; 0 for what the form of 1.2 has not. */
struct table_parts {
	size_t names, cutab, files, pctab, functions, functab;
	size_t outer, inner, last, a, b; // strings
};

static inline bool table_is_modern(const struct table *t) { return t->minor >= 16; }

static inline void table_header(struct table *t)
{
	static const uint32_t magics[] = {0xfffffffb, 0xfffffffa, 0xfffffff0, 0xfffffff1};

	table_put(t, 0, magics[t->minor < 16 ? 0 : t->minor < 18 ? 1 : t->minor < 20 ? 2 : 3], 4);
	t->bytes[6] = t->quantum;
	t->bytes[7] = 8;
	table_put(t, 8, 2, 8); // functions
}

static inline void table_strings(struct table *t, struct table_parts *at)
{
	size_t header = !table_is_modern(t) ? 16 : t->minor < 18 ? 64 : 72;

	at->functab = header;
	t->next = at->names = table_is_modern(t) ? header : header + 64;
	at->outer = table_string(t, "main.outer");
	at->inner = table_string(t, "main.inner");
	at->last = table_string(t, "main.last");
	if (table_is_modern(t)) {
		at->cutab = t->next = (t->next + 3) / 4 * 4;
		t->next += 8;
	}
	at->files = t->next;
	at->a = table_string(t, "a.go");
	at->b = table_string(t, "b.go");
	if (!table_is_modern(t))
		return;
	table_put(t, at->cutab, at->a - at->files, 4);
	table_put(t, at->cutab + 4, at->b - at->files, 4);
	at->pctab = t->next++; // offset 0 means no table
}

/** Frame size, file, line and inline tree of both functions. */
static inline void table_all_values(struct table *t, size_t pctab, size_t ret[2][4])
{
	// the first word of the old file table is its length
	int32_t a = table_is_modern(t) ? 0 : 1, b = a + 1;

	ret[0][0] = table_values(t, (const int32_t[][2]){{0, 4}, {24, 0x3c}, {0, 0}});
	ret[0][1] = table_values(t, (const int32_t[][2]){{a, 0x10}, {b, 0x10}, {a, 0x20}, {0, 0}});
	ret[0][2] =
		table_values(t, (const int32_t[][2]){{10, 0x10}, {99, 0x10}, {12, 0x20}, {0, 0}});
	ret[0][3] =
		table_values(t, (const int32_t[][2]){{-1, 0x10}, {0, 0x10}, {-1, 0x20}, {0, 0}});
	ret[1][0] = table_values(t, (const int32_t[][2]){{0, 0x40}, {0, 0}});
	ret[1][1] = table_values(t, (const int32_t[][2]){{a, 0x40}, {0, 0}});
	ret[1][2] = table_values(t, (const int32_t[][2]){{20, 0x40}, {0, 0}});
	ret[1][3] = pctab; // none
	for (size_t i = 0; i < 8; i++)
		ret[i / 4][i % 4] -= pctab;
}

/** The words of the header that say where the parts are, 1.16+. */
static inline void table_offsets(struct table *t, const struct table_parts *at)
{
	const size_t offsets[] = {at->names, at->cutab, at->files, at->pctab, at->functions};
	size_t word = t->minor < 18 ? 24 : 32;

	for (size_t i = 0; i < 5; i++)
		table_put(t, word + 8 * i, offsets[i], 8);
}

/** The list of files behind everything else, to 1.15. */
static inline void table_files(struct table *t, const struct table_parts *at)
{
	size_t files = t->next = (t->next + 3) / 4 * 4;

	table_put(t, at->functab + 40, files, 4);
	table_put(t, files, 3, 4);
	table_put(t, files + 4, at->a, 4);
	table_put(t, files + 8, at->b, 4);
	t->next += 12;
}

static inline void table_publish(struct table *t)
{
	t->module = (struct pclntab_module){
		.header = TABLE_START,
		.text = TABLE_TEXT,
		.etext = TABLE_TEXT + 0x80,
		.gofunc = TABLE_START + TABLE_TREE,
		.minpc = TABLE_TEXT,
		.maxpc = TABLE_TEXT + 0x80,
	};
	t->memory = memory_new();
	memory_add(t->memory, TABLE_START, t->bytes, TABLE_BYTES, place_whole("table"));
}

/** Lays the table out. The caller may spoil bytes before it opens the table. */
static inline void table_init(struct table *t, int minor, uint8_t quantum)
{
	struct table_parts at = {0};
	size_t values[2][4], records[2], names;

	memset(t, 0, sizeof(*t));
	t->minor = minor;
	t->quantum = quantum;
	t->text = TABLE_TEXT;
	table_header(t);
	table_strings(t, &at);
	table_all_values(t, at.pctab, values);
	if (table_is_modern(t)) {
		at.functions = at.functab = t->next = (t->next + 7) / 8 * 8;
		t->next += 48;
	}
	names = table_is_modern(t) ? at.names : 0;
	records[0] = table_record(t, TABLE_TEXT, at.outer - names, values[0]);
	records[1] = table_record(t, TABLE_TEXT + 0x40, at.last - names, values[1]);
	table_functab(t, at.functab, records, at.functions);
	if (table_is_modern(t))
		table_offsets(t, &at);
	else
		table_files(t, &at);
	assert(t->next <= TABLE_TREE);
	table_tree(t, at.inner - names, -1, 8);
	table_publish(t);
}

static inline void table_done(struct table *t) { memory_free(t->memory); }
