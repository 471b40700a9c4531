// SPDX-License-Identifier: Apache-2.0
// A sound little core of two threads, to be changed by the test before it is made.
#pragma once
#include "elf_build.h"

#define CORE_BASE  0x400000ull
#define CORE_HEAP  0xc000000000ull
#define CORE_TID   4711
#define FIRST_WORD 112 /* of pr_reg in elf_prstatus */

/** NT_PRSTATUS whose register number n holds 0x1000 + n. */
static inline size_t status_build(uint8_t *to, uint16_t machine, int32_t tid)
{
	uint64_t words = machine == EM_X86_64 ? 27 : 34;
	uint8_t status[512] = {0};
	uint16_t signal = 6;

	memcpy(status + 12, &signal, sizeof(signal));
	memcpy(status + 32, &tid, sizeof(tid));
	for (uint64_t i = 0; i < words; i++) {
		uint64_t word = 0x1000 + i;

		memcpy(status + FIRST_WORD + i * 8, &word, sizeof(word));
	}
	return note_build(to, "CORE", NT_PRSTATUS, status, (uint32_t)(FIRST_WORD + words * 8 + 8));
}

static inline size_t core_notes_build(uint8_t *to, uint16_t machine, uint64_t entry)
{
	static const char paths[] = "/srv/app\0/lib/libc.so";
	const uint64_t auxv[] = {AT_PHDR, CORE_BASE + 64, AT_ENTRY, entry, AT_NULL, 0};
	const uint64_t files[] = {2, 4096,           CORE_BASE,      CORE_BASE + 0x3000,
				  0, 0x7f0000000000, 0x7f0000001000, 5};
	uint8_t table[sizeof(files) + sizeof(paths)], info[136] = {0};
	const uint64_t tls = 0x7777;
	size_t n = 0;

	memcpy(table, files, sizeof(files));
	memcpy(table + sizeof(files), paths, sizeof(paths));
	memcpy(info + 40, "app", 3);
	memcpy(info + 56, "./app -v 3 ", 11);
	n += status_build(to + n, machine, CORE_TID);
	n += note_build(to + n, "LINUX", NT_ARM_TLS, &tls, sizeof(tls));
	n += note_build(to + n, "CORE", NT_PRPSINFO, info, sizeof(info));
	n += note_build(to + n, "CORE", NT_AUXV, auxv, sizeof(auxv));
	n += note_build(to + n, "CORE", NT_FILE, table, sizeof(table));
	n += status_build(to + n, machine, CORE_TID + 1);
	return n;
}

/** Notes, the first page of the program (@a page may be NULL) and eight bytes of heap. */
static inline void core_build_init(struct elf_build *b, uint16_t machine, uint64_t entry,
				   const void *page, size_t page_size)
{
	uint8_t notes[4096];

	elf_build_init(b, ET_CORE, machine);
	elf_build_segment(b, PT_NOTE, 0, notes, core_notes_build(notes, machine, entry));
	if (page)
		elf_build_segment(b, PT_LOAD, CORE_BASE, page, page_size)->p_memsz = 0x3000;
	elf_build_segment(b, PT_LOAD, CORE_HEAP, "heapheap", 8);
}
