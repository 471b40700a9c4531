// SPDX-License-Identifier: Apache-2.0
// Where each generation of the function table keeps what: the header, the functab and the _func
// record, as data. Knows bytes and offsets, no meaning.
#pragma once
#include "base/limits.h"
#include "evidence/process/memory.h"
#include "evidence/binary/pclntab.h"

#include <endian.h>
#include <string.h>

#define PCLNTAB_NO_FIELD (-1)

/** The shape of a header and of what it leads to. */
struct pclntab_format {
	uint32_t magic;
	int first_minor, last_minor; /**< Go releases that write it */
	uint8_t header_bytes;
	/** Header words with offsets */
	int8_t text_start, names, cutab, filetab, pctab, functions;
	uint8_t functab_entry_bytes;
};

/** Byte offsets in a _func; PCLNTAB_NO_FIELD where a version has no such field. */
struct pclntab_record {
	int first_minor;
	uint8_t entry_bytes;
	int8_t name, args, deferreturn, pcsp, pcfile, pcln, npcdata, cu_offset, start_line, func_id;
	uint8_t func_id_bytes;
	int8_t flag, nfuncdata;
	uint8_t nfuncdata_bytes;
	uint8_t arrays; /**< where the pcdata array starts, which also is the record's size */
	bool funcdata_is_pointer;
};

/** NULL when no Go release writes that magic. */
const struct pclntab_format *pclntab_format_of(uint32_t magic);
const struct pclntab_record *pclntab_record_of(int minor);

/** What a table's own header says, checked. */
struct pclntab_header {
	const struct pclntab_format *format;
	uint8_t quantum;     /**< the smallest instruction: 1 amd64, 4 arm64 */
	uint64_t count;      /**< of functions */
	uint64_t file_count; /**< 1.16+; else 0 */
	uint64_t text_start; /**< 1.18 to 1.25; else 0 */
	/** Bytes from the header; 0 before 1.16 */
	uint64_t names, cutab, filetab, pctab, functions;
	uint64_t functab; /**< bytes from the header */
};

/**
 * Reads the header at @a address. False when none stands there, or when its counts and offsets do
 * not fit into the bytes that memory has from there on.
 */
bool pclntab_header_read(const struct memory *memory, uint64_t address, struct pclntab_header *ret);

/** Borrowed bytes; every read says whether it was inside. */
struct span {
	const uint8_t *p;
	uint64_t n;
};

static inline bool span_has(struct span span, uint64_t at, uint64_t size)
{
	return at <= span.n && span.n - at >= size;
}

/** What is left from @a at on; empty when there is nothing. */
static inline struct span span_from(struct span span, uint64_t at)
{
	return at <= span.n ? (struct span){span.p + at, span.n - at} : (struct span){span.p, 0};
}

static inline bool span_u32(struct span span, uint64_t at, uint32_t *ret)
{
	uint32_t raw;

	if (!span_has(span, at, sizeof(raw)))
		return false;
	memcpy(&raw, span.p + at, sizeof(raw));
	*ret = le32toh(raw);
	return true;
}

static inline bool span_u64(struct span span, uint64_t at, uint64_t *ret)
{
	uint64_t raw;

	if (!span_has(span, at, sizeof(raw)))
		return false;
	memcpy(&raw, span.p + at, sizeof(raw));
	*ret = le64toh(raw);
	return true;
}

/** A NUL-terminated string of at most LIMIT_NAME_BYTES; NULL when there is none. */
static inline const char *span_string(struct span span, uint64_t at)
{
	struct span rest = span_from(span, at);
	uint64_t n = rest.n < LIMIT_NAME_BYTES ? rest.n : LIMIT_NAME_BYTES;

	return n && memchr(rest.p, '\0', n) ? (const char *)rest.p : NULL;
}
