// SPDX-License-Identifier: Apache-2.0
// Little ELF files in a few lines: segments are added, then the file is made. Sizes and addresses
// are whatever the test says, sound or not.
#pragma once
#include <elf.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
// cmocka wants those before it
#include <cmocka.h>

#define BUILD_SEGMENTS 8
#define BUILD_BYTES    (64u << 10)

struct elf_build {
	Elf64_Ehdr header;
	Elf64_Phdr segments[BUILD_SEGMENTS];
	uint8_t body[BUILD_BYTES]; // of the file; segments are laid down after the headers
	size_t size;
};

static inline void elf_build_init(struct elf_build *b, uint16_t type, uint16_t machine)
{
	memset(b, 0, sizeof(*b));
	memcpy(b->header.e_ident, ELFMAG, SELFMAG);
	b->header.e_ident[EI_CLASS] = ELFCLASS64;
	b->header.e_ident[EI_DATA] = ELFDATA2LSB;
	b->header.e_ident[EI_VERSION] = EV_CURRENT;
	b->header.e_type = type;
	b->header.e_machine = machine;
	b->header.e_phoff = sizeof(b->header);
	b->header.e_phentsize = sizeof(b->segments[0]);
	b->header.e_shentsize = sizeof(Elf64_Shdr);
	b->size = sizeof(b->header) + sizeof(b->segments);
}

static inline size_t elf_build_put(struct elf_build *b, const void *bytes, size_t size)
{
	size_t at = b->size;

	assert_true(at + size <= BUILD_BYTES);
	if (size)
		memcpy(b->body + at, bytes, size);
	b->size += (size + 7) & ~(size_t)7;
	return at;
}

/** A segment over bytes of its own; the result may be changed until the file is made. */
static inline Elf64_Phdr *elf_build_segment(struct elf_build *b, uint32_t type, uint64_t address,
					    const void *bytes, size_t size)
{
	Elf64_Phdr *segment = &b->segments[b->header.e_phnum++];

	*segment = (Elf64_Phdr){.p_type = type,
				.p_flags = PF_R,
				.p_offset = elf_build_put(b, bytes, size),
				.p_vaddr = address,
				.p_filesz = size,
				.p_memsz = size,
				.p_align = 4};
	return segment;
}

/** Lays the headers down; the bytes stay in @a b. */
static inline size_t elf_build_make(struct elf_build *b)
{
	memcpy(b->body, &b->header, sizeof(b->header));
	memcpy(b->body + sizeof(b->header), b->segments, sizeof(b->segments));
	return b->size;
}

/** One note; the result is its whole size. */
static inline size_t note_build(uint8_t *to, const char *owner, uint32_t type, const void *data,
				uint32_t size)
{
	uint32_t head[3] = {(uint32_t)strlen(owner) + 1, size, type};
	size_t padded = (head[0] + 3) & ~3u;

	memset(to, 0, sizeof(head) + padded + ((size + 3) & ~3u));
	memcpy(to, head, sizeof(head));
	memcpy(to + sizeof(head), owner, head[0]);
	memcpy(to + sizeof(head) + padded, data, size);
	return sizeof(head) + padded + ((size + 3) & ~3u);
}

/** A file in memory that has a path. */
struct test_file {
	int file;
	char path[64];
};

static inline struct test_file test_file_open(const void *bytes, size_t size)
{
	struct test_file made = {.file = memfd_create("test", MFD_CLOEXEC)};

	assert_true(made.file >= 0);
	assert_int_equal(write(made.file, bytes, size), size);
	snprintf(made.path, sizeof(made.path), "/proc/self/fd/%d", made.file);
	return made;
}

static inline void test_file_close(struct test_file *made) { close(made->file); }
