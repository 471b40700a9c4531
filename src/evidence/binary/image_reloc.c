// SPDX-License-Identifier: Apache-2.0
#include "evidence/binary/image_reloc.h"

#include <endian.h>
#include <glib.h>

#ifndef DT_RELR // gABI, 2022; in <elf.h> since glibc 2.36
#define DT_RELRSZ 35
#define DT_RELR   36
#endif

#define WORD 8u

/** Link-time address → bytes of the file, with the last segment remembered: entries are sorted. */
struct target {
	struct elf_file *elf;
	const Elf64_Phdr *last;
};

struct table {
	uint64_t address, size;
};

static bool segment_holds(const Elf64_Phdr *segment, uint64_t address, uint64_t size)
{
	uint64_t offset = address - segment->p_vaddr;

	return segment->p_type == PT_LOAD && address >= segment->p_vaddr &&
	       offset <= segment->p_filesz && segment->p_filesz - offset >= size;
}

/** NULL when the address has no bytes in the file. */
static uint8_t *target_at(struct target *target, uint64_t address, uint64_t size)
{
	const struct elf_file *elf = target->elf;
	const Elf64_Phdr *segment = target->last;
	uint64_t offset;

	for (size_t i = 0; !segment || !segment_holds(segment, address, size); i++) {
		if (i == elf->segment_count)
			return NULL;
		segment = &elf->segments[i];
	}
	target->last = segment;
	if (__builtin_add_overflow(segment->p_offset, address - segment->p_vaddr, &offset))
		return NULL;
	return offset <= elf->size && elf->size - offset >= size ? elf->bytes + offset : NULL;
}

static void dynamic_read(const struct elf_file *elf, struct table *rela, struct table *relr)
{
	for (size_t i = 0; i < elf->segment_count; i++) {
		struct text part;

		if (elf->segments[i].p_type != PT_DYNAMIC)
			continue;
		part = elf_file_part(elf, elf->segments[i].p_offset, elf->segments[i].p_filesz);
		for (size_t at = 0; part.n - at >= sizeof(Elf64_Dyn); at += sizeof(Elf64_Dyn)) {
			Elf64_Dyn entry;

			memcpy(&entry, part.p + at, sizeof(entry));
			switch (entry.d_tag) {
			case DT_NULL:
				return;
			case DT_RELA:
				rela->address = entry.d_un.d_ptr;
				break;
			case DT_RELASZ:
				rela->size = entry.d_un.d_val;
				break;
			case DT_RELR:
				relr->address = entry.d_un.d_ptr;
				break;
			case DT_RELRSZ:
				relr->size = entry.d_un.d_val;
				break;
			default:
				break;
			}
		}
	}
}

static void word_store(struct target *target, uint64_t address, uint64_t value)
{
	uint8_t *at = target_at(target, address, WORD);

	value = htole64(value);
	if (at)
		memcpy(at, &value, WORD);
}

static void word_add(struct target *target, uint64_t address, uint64_t more)
{
	uint8_t *at = target_at(target, address, WORD);
	uint64_t value;

	if (!at)
		return;
	memcpy(&value, at, WORD);
	value = htole64(le64toh(value) + more);
	memcpy(at, &value, WORD);
}

static void apply_rela(struct elf_file *elf, struct table table, uint64_t bias)
{
	uint32_t relative = elf->arch == GO_ARCH_AMD64 ? R_X86_64_RELATIVE : R_AARCH64_RELATIVE;
	struct target source = {elf, NULL}, target = {elf, NULL};
	const uint8_t *bytes = target_at(&source, table.address, table.size);

	for (uint64_t at = 0; bytes && table.size - at >= sizeof(Elf64_Rela);
	     at += sizeof(Elf64_Rela)) {
		Elf64_Rela entry;

		memcpy(&entry, bytes + at, sizeof(entry));
		if (ELF64_R_TYPE(entry.r_info) == relative)
			word_store(&target, entry.r_offset, bias + (uint64_t)entry.r_addend);
	}
}

/**
 * An even entry is an address; an odd one is a bitmap of the 63 words after the last address
 * covered. Source: gABI, "Relative relocation table".
 */
static void apply_relr(struct elf_file *elf, struct table table, uint64_t more)
{
	struct target source = {elf, NULL}, target = {elf, NULL};
	const uint8_t *bytes = target_at(&source, table.address, table.size);
	uint64_t next = 0;

	for (uint64_t at = 0; bytes && table.size - at >= WORD; at += WORD) {
		uint64_t entry;

		memcpy(&entry, bytes + at, WORD);
		entry = le64toh(entry);
		if (!(entry & 1)) {
			word_add(&target, entry, more);
			next = entry + WORD;
			continue;
		}
		for (unsigned bit = 1; bit < 64; bit++)
			if (entry >> bit & 1)
				word_add(&target, next + (bit - 1) * WORD, more);
		next += 63 * WORD;
	}
}

void image_relocate(struct elf_file *elf, uint64_t bias, uint64_t applied)
{
	struct table rela = {0, 0}, relr = {0, 0};

	dynamic_read(elf, &rela, &relr);
	if (rela.size)
		apply_rela(elf, rela, bias);
	if (relr.size && bias != applied)
		apply_relr(elf, relr, bias - applied);
}
