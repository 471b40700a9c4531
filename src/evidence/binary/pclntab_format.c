// SPDX-License-Identifier: Apache-2.0
#include "evidence/binary/pclntab_format.h"

#define NONE PCLNTAB_NO_FIELD

// runtime/symtab.go:517@go1.9.7, :446@go1.16.15 (pcHeader), :414@go1.18.10, :376@go1.26.8.
// From 1.26 on the word at 24 is no longer written, with the same magic.
static const struct pclntab_format formats[] = {
	{0xfffffffb, 9, 15, 16, NONE, NONE, NONE, NONE, NONE, NONE, 16},
	{0xfffffffa, 16, 17, 64, NONE, 24, 32, 40, 48, 56, 16},
	{0xfffffff0, 18, 19, 72, 24, 32, 40, 48, 56, 64, 8},
	{0xfffffff1, 20, GO_MINOR_NEWEST, 72, 24, 32, 40, 48, 56, 64, 8},
};

// runtime/runtime2.go, type _func, of each release named. The arrays start right after nfuncdata:
// in 1.16 and 1.17 that is before the end of the Go struct, which is padded.
static const struct pclntab_record records[] = {
	{9, 8, 8, 12, NONE, 20, 24, 28, 32, NONE, NONE, NONE, 0, NONE, 36, 4, 40, true},
	{10, 8, 8, 12, NONE, 20, 24, 28, 32, NONE, NONE, 16, 4, NONE, 36, 4, 40, true},
	{12, 8, 8, 12, 16, 20, 24, 28, 32, NONE, NONE, 36, 1, NONE, 39, 1, 40, true},
	{16, 8, 8, 12, 16, 20, 24, 28, 32, 36, NONE, 40, 1, NONE, 43, 1, 44, true},
	{17, 8, 8, 12, 16, 20, 24, 28, 32, 36, NONE, 40, 1, 41, 43, 1, 44, true},
	{18, 4, 4, 8, 12, 16, 20, 24, 28, 32, NONE, 36, 1, 37, 39, 1, 40, false},
	{20, 4, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 1, 41, 43, 1, 44, false},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const struct pclntab_format *pclntab_format_of(uint32_t magic)
{
	for (size_t i = 0; i < COUNT(formats); i++)
		if (formats[i].magic == magic)
			return &formats[i];
	return NULL;
}

const struct pclntab_record *pclntab_record_of(int minor)
{
	const struct pclntab_record *record = &records[0];

	for (size_t i = 0; i < COUNT(records); i++)
		if (records[i].first_minor <= minor)
			record = &records[i];
	return record;
}

static uint64_t header_word(struct span header, int8_t at)
{
	uint64_t word = 0;

	if (at != NONE)
		span_u64(header, (uint64_t)at, &word);
	return word;
}

/** The tables stand in this order behind the header (cmd/link/internal/ld/pcln.go@go1.16 ...
 * go1.27). */
static bool offsets_sane(const struct pclntab_header *header, uint64_t extent)
{
	return header->format->header_bytes <= header->names && header->names <= header->cutab &&
	       header->cutab <= header->filetab && header->filetab <= header->pctab &&
	       header->pctab <= header->functions && header->functions < extent;
}

/** The functab and its sentinel fit, and what the first entry leads to does as well. */
static bool functab_sane(const struct pclntab_header *header, uint64_t extent)
{
	uint64_t bytes = (header->count + 1) * header->format->functab_entry_bytes;

	return header->count > 0 && header->count <= LIMIT_FUNCTIONS && header->functab < extent &&
	       extent - header->functab >= bytes;
}

bool pclntab_header_read(const struct memory *memory, uint64_t address, struct pclntab_header *ret)
{
	uint64_t extent = memory_extent(memory, address);
	struct span bytes = {memory_view(memory, address, extent), extent};
	struct pclntab_header header = {0};
	uint32_t magic;

	if (!bytes.p || !span_u32(bytes, 0, &magic))
		return false;
	header.format = pclntab_format_of(magic);
	if (!header.format || bytes.n < header.format->header_bytes || bytes.p[4] || bytes.p[5] ||
	    (bytes.p[6] != 1 && bytes.p[6] != 4) || bytes.p[7] != 8)
		return false;
	header.quantum = bytes.p[6];
	header.count = header_word(bytes, 8);
	header.text_start = header_word(bytes, header.format->text_start);
	header.functab = header.format->header_bytes;
	if (header.format->functions != NONE) {
		header.file_count = header_word(bytes, 16);
		header.names = header_word(bytes, header.format->names);
		header.cutab = header_word(bytes, header.format->cutab);
		header.filetab = header_word(bytes, header.format->filetab);
		header.pctab = header_word(bytes, header.format->pctab);
		header.functions = header_word(bytes, header.format->functions);
		header.functab = header.functions;
		if (!offsets_sane(&header, extent))
			return false;
	}
	if (!functab_sane(&header, extent))
		return false;
	*ret = header;
	return true;
}
