// SPDX-License-Identifier: Apache-2.0
// An ELF image: the Go binary, or a separate debug file. Knows segments, sections, symbols, build
// IDs and relative relocations; nothing of Go's own tables.
#pragma once
#include "base/error.h"
#include "base/text.h"
#include "evidence/process/memory.h"
#include "golang/version.h"

struct image;

struct image_range {
	uint64_t address; /**< as linked */
	uint64_t size;    /**< in the file */
	uint64_t memory_size;
	uint64_t offset; /**< in the file */
	bool writable, executable;
};

/**
 * Opens an ELF executable or shared object of x86-64 or arm64. Works where section headers are
 * gone: everything needed is then found through program headers.
 *
 * @return ERROR_TRUNCATED when a loadable segment reaches past the end of the file
 */
struct error *image_open(const char *path, struct image **ret);
void image_close(struct image *image);

const char *image_path(const struct image *image);
enum go_arch image_arch(const struct image *image);
/** ET_DYN: the process may have loaded it anywhere. */
bool image_is_pie(const struct image *image);
/** Where execution begins, as linked (e_entry). */
uint64_t image_entry(const struct image *image);
/**
 * The page that holds the ELF header in memory: its link-time address; false when no segment has
 * it.
 */
bool image_header_address(const struct image *image, uint64_t *ret);
/**
 * The loadable segments, in address order. A separate debug file's have no bytes: their size is 0.
 */
const struct image_range *image_segments(const struct image *image, size_t *ret_count);
/**
 * A section's range; false when it (or every section header) is missing or reaches past the end of
 * the file. NOBITS sections have size 0.
 */
bool image_section(const struct image *image, const char *name, struct image_range *ret);
/** A symbol's link-time address; false when the symbol table is stripped or has no such name. */
bool image_symbol(const struct image *image, const char *name, uint64_t *ret);
/** The bytes of NT_GNU_BUILD_ID; empty when there are none. */
struct text image_build_id(const struct image *image);
/** The Go linker's build ID, "action/.../content"; empty when there is none. */
struct text image_go_build_id(const struct image *image);
/** Contents of .gnu_debuglink; NULL when there is none. */
const char *image_debuglink(const struct image *image, uint32_t *ret_crc);
/** Bytes of sections that the headers promise and the file lacks; 0 for a whole file. */
uint64_t image_missing_bytes(const struct image *image);
/** The whole file, mapped. */
struct text image_bytes(const struct image *image);

/**
 * Adds the loadable segments to @a memory, moved by @a bias (0 for non-PIE). In a PIE the relative
 * relocations are applied to a private copy first, so that pointers in read-only data are those of
 * the process; a core's own bytes, added before, win as always.
 */
void image_add_to(struct image *image, uint64_t bias, struct memory *memory);

static inline void image_free_at(struct image **image) { image_close(*image); }
