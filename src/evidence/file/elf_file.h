// SPDX-License-Identifier: Apache-2.0
// What a core and an image have in common: a mapped file with an ELF header and program headers, of
// an architecture we read. Headers are copied out checked, so that no later code meets an unchecked
// one.
#pragma once
#include "base/bytes.h"
#include "base/text.h"
#include "golang/version.h"

#include <elf.h>
#include <stddef.h>

struct elf_file {
	char *path;
	/** The whole file, as evidence/file/mapping.h gives it */
	uint8_t *bytes;
	uint64_t size;
	enum go_arch arch;
	Elf64_Ehdr header;
	Elf64_Phdr *segments;
	size_t segment_count;
};

/** Opens @a path for reading; a directory or an unreadable file is told apart from a bad one. */
struct error *elf_file_open_path(const char *path, int *ret_file);
/** Maps @a file, which stays the caller's to close. An empty file is ERROR_TRUNCATED. */
struct error *elf_file_map(int file, const char *path, struct elf_file *ret);
/**
 * Reads the header and the program headers of a mapped file, more than 65,534 of them included
 * (PN_XNUM). @a kind, "a core file" or "a Go binary", ends the sentence "this is not ...".
 */
struct error *elf_file_read(struct elf_file *elf, const char *kind);
/**
 * Lets the kernel take back the memory of what was looked at so far, which is read again when asked for. What was
 * written to the mapping is lost.
 */
void elf_file_rest(const struct elf_file *elf);
/** Unmaps; harmless on one that is all zero. */
void elf_file_done(struct elf_file *elf);

/** The bytes of a file range that are really there: @a size clipped to the end of the file. */
struct text elf_file_part(const struct elf_file *elf, uint64_t offset, uint64_t size);
/** As a cursor; ERROR_TRUNCATED, naming @a what, when the range is not wholly in the file. */
struct error *elf_file_bytes(const struct elf_file *elf, const char *what, uint64_t offset,
			     uint64_t size, struct bytes *ret);
/** Section header @a index; false when it lies outside the file. */
bool elf_file_section(const struct elf_file *elf, size_t index, Elf64_Shdr *ret);
/** How many section headers there are in the file; 0 when they were stripped. */
size_t elf_file_section_count(const struct elf_file *elf);
