// SPDX-License-Identifier: Apache-2.0
// Knows ELF compression and the layout of a small ELF file in memory that holds nothing but DWARF.
// Does not know DWARF.
#include "evidence/debug/debug_section.h"

#include <elf.h>
#include <endian.h>
#include <gelf.h>
#include <glib.h>
#include <libdeflate.h>
#include <sys/mman.h>
#include <zstd.h>

#define INFLATED_MAX  (2ull << 30)
#define DEFLATE_RATIO 1032 /* the most that one byte of deflate can stand for */
#define ALIGNED(size) (((size) + 7) & ~7ull)
#define GNU_HEADER    12 /* of .zdebug_*: "ZLIB" and the size, big-endian */

/** Sections that are read, and whether only locals need them. */
static const struct wanted {
	const char *name;
	bool later;
} wanted[] = {
	{".debug_info", false},     {".debug_abbrev", false},  {".debug_str", false},
	{".debug_line_str", false}, {".debug_addr", false},    {".debug_str_offsets", false},
	{".debug_loc", true},       {".debug_loclists", true}, {".debug_ranges", true},
	{".debug_rnglists", true},
};

enum packing { PACKING_NONE, PACKING_ZLIB, PACKING_ZSTD };

struct section {
	const struct wanted *wanted;
	enum packing packing;
	struct text packed; // as in the file, compression header removed
	uint64_t size;      // inflated
	uint64_t offset;    // in the built file
	bool filled;
};

struct debug_sections {
	Elf *elf;
	uint8_t *built; // NULL when the image's own bytes serve
	uint64_t built_size;
	struct section list[G_N_ELEMENTS(wanted)];
	size_t count;
};

static const struct wanted *wanted_find(const char *name, bool *gnu)
{
	*gnu = strncmp(name, ".z", 2) == 0;
	for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++)
		if (strcmp(name + 1 + *gnu, wanted[i].name + 1) == 0)
			return &wanted[i];
	return NULL;
}

/** Strips the compression header that ELF defines. */
static bool section_unwrap(struct section *section)
{
	Elf64_Chdr header;

	if (section->packed.n < sizeof(header))
		return false;
	memcpy(&header, section->packed.p, sizeof(header));
	section->packing = header.ch_type == ELFCOMPRESS_ZLIB ? PACKING_ZLIB : PACKING_ZSTD;
	section->size = header.ch_size;
	section->packed.p += sizeof(header);
	section->packed.n -= sizeof(header);
	return header.ch_type == ELFCOMPRESS_ZLIB || header.ch_type == 2 /* ELFCOMPRESS_ZSTD */;
}

/** Strips the header of GNU's older scheme; a section without it was left uncompressed. */
static bool section_unwrap_gnu(struct section *section)
{
	uint64_t size;

	if (section->packed.n < GNU_HEADER || memcmp(section->packed.p, "ZLIB", 4) != 0)
		return true;
	memcpy(&size, section->packed.p + 4, sizeof(size));
	section->packing = PACKING_ZLIB;
	section->size = be64toh(size);
	section->packed.p += GNU_HEADER;
	section->packed.n -= GNU_HEADER;
	return true;
}

/** Reads one section of the image into @a ret; false when it is not wanted or makes no sense. */
static bool section_read(Elf *elf, Elf_Scn *scn, size_t names, struct section *ret)
{
	GElf_Shdr header;
	bool gnu;

	if (!gelf_getshdr(scn, &header) || header.sh_type == SHT_NOBITS)
		return false;

	const char *name = elf_strptr(elf, names, header.sh_name);
	const struct wanted *kind = name && name[0] == '.' ? wanted_find(name, &gnu) : NULL;
	Elf_Data *data = kind ? elf_rawdata(scn, NULL) : NULL;

	if (!data || !data->d_buf)
		return false;
	*ret = (struct section){.wanted = kind, .packed = {data->d_buf, data->d_size}};
	ret->size = data->d_size;
	if (header.sh_flags & SHF_COMPRESSED)
		return section_unwrap(ret);
	return gnu ? section_unwrap_gnu(ret) : true;
}

static bool section_is_plausible(const struct section *section)
{
	if (section->size > INFLATED_MAX)
		return false;
	return section->packing != PACKING_ZLIB ||
	       section->size <= (uint64_t)section->packed.n * DEFLATE_RATIO + 64;
}

static bool section_inflate(const struct section *section, uint8_t *to)
{
	size_t size = section->size;

	if (section->packing == PACKING_NONE) {
		memcpy(to, section->packed.p, size);
		return true;
	}
	if (section->packing == PACKING_ZSTD)
		return ZSTD_decompress(to, size, section->packed.p, section->packed.n) == size;

	struct libdeflate_decompressor *inflater = libdeflate_alloc_decompressor();
	size_t written = 0;
	bool done = inflater &&
		    libdeflate_zlib_decompress(inflater, section->packed.p, section->packed.n, to,
					       size, &written) == LIBDEFLATE_SUCCESS;

	libdeflate_free_decompressor(inflater);
	return done && written == size;
}

static void sections_read(struct debug_sections *sections, Elf *elf)
{
	size_t names;
	Elf_Scn *scn = NULL;

	if (elf_getshdrstrndx(elf, &names) != 0)
		return;
	while ((scn = elf_nextscn(elf, scn)) && sections->count < G_N_ELEMENTS(wanted)) {
		struct section section;

		if (section_read(elf, scn, names, &section) && section_is_plausible(&section))
			sections->list[sections->count++] = section;
	}
}

static bool sections_have(const struct debug_sections *sections, const char *name)
{
	for (size_t i = 0; i < sections->count; i++)
		if (strcmp(sections->list[i].wanted->name, name) == 0)
			return true;
	return false;
}

/** True when some .debug_* section of the file is compressed: libdw would inflate it. */
static bool elf_is_packed(Elf *elf)
{
	size_t names;
	Elf_Scn *scn = NULL;
	GElf_Shdr header;

	if (elf_getshdrstrndx(elf, &names) != 0)
		return false;
	while ((scn = elf_nextscn(elf, scn))) {
		const char *name =
			gelf_getshdr(scn, &header) ? elf_strptr(elf, names, header.sh_name) : NULL;

		if (name &&
		    (g_str_has_prefix(name, ".zdebug_") || (header.sh_flags & SHF_COMPRESSED)))
			return true;
	}
	return false;
}

/** Gives every section its place; @return where the section names go, 0 when it is all too large.
 */
static uint64_t sections_place(struct debug_sections *sections)
{
	uint64_t at = sizeof(Elf64_Ehdr);

	for (size_t i = 0; i < sections->count; i++) {
		sections->list[i].offset = at;
		at += ALIGNED(sections->list[i].size);
		if (at > INFLATED_MAX)
			return 0;
	}
	return at;
}

/** Writes the section headers and names of the built file from @a names_at on. */
static void sections_write_headers(struct debug_sections *sections, const GString *names,
				   uint64_t names_at, const uint32_t *name_offsets)
{
	Elf64_Shdr *headers = (void *)(sections->built + names_at + ALIGNED(names->len));

	memcpy(sections->built + names_at, names->str, names->len);
	for (size_t i = 0; i < sections->count; i++)
		headers[i + 1] = (Elf64_Shdr){.sh_name = name_offsets[i],
					      .sh_type = SHT_PROGBITS,
					      .sh_offset = sections->list[i].offset,
					      .sh_size = sections->list[i].size,
					      .sh_addralign = 1};
	headers[sections->count + 1] = (Elf64_Shdr){.sh_name = 1,
						    .sh_type = SHT_STRTAB,
						    .sh_offset = names_at,
						    .sh_size = names->len,
						    .sh_addralign = 1};
}

static void sections_write_ehdr(struct debug_sections *sections, uint64_t headers_at,
				enum go_arch arch)
{
	Elf64_Ehdr *header = (void *)sections->built;

	*header = (Elf64_Ehdr){.e_type = ET_EXEC,
			       .e_machine = arch == GO_ARCH_ARM64 ? EM_AARCH64 : EM_X86_64,
			       .e_version = EV_CURRENT,
			       .e_shoff = headers_at,
			       .e_ehsize = sizeof(Elf64_Ehdr),
			       .e_shentsize = sizeof(Elf64_Shdr),
			       .e_shnum = sections->count + 2,
			       .e_shstrndx = sections->count + 1};
	memcpy(header->e_ident, ELFMAG, SELFMAG);
	header->e_ident[EI_CLASS] = ELFCLASS64;
	header->e_ident[EI_DATA] = ELFDATA2LSB;
	header->e_ident[EI_VERSION] = EV_CURRENT;
}

static bool sections_fill(struct debug_sections *sections, bool later)
{
	bool whole = true;

	for (size_t i = 0; i < sections->count; i++) {
		struct section *section = &sections->list[i];

		if (section->filled || section->wanted->later != later)
			continue;
		section->filled = true;
		whole &= section_inflate(section, sections->built + section->offset);
	}
	return whole;
}

/** Lays out an ELF file in fresh memory; pages of sections that are filled later cost nothing. */
static struct error *sections_build(struct debug_sections *sections, const struct image *image)
{
	struct place where = place_whole(image_path(image));
	uint32_t name_offsets[G_N_ELEMENTS(wanted)] = {0};
	GString *names = g_string_new_len("\0.shstrtab\0", 11);
	uint64_t names_at = sections_place(sections);

	for (size_t i = 0; i < sections->count; i++) {
		const char *name = sections->list[i].wanted->name;

		name_offsets[i] = names->len;
		g_string_append_len(names, name, strlen(name) + 1);
	}

	uint64_t headers_at = names_at + ALIGNED(names->len);
	uint64_t size = headers_at + (sections->count + 2) * sizeof(Elf64_Shdr);
	void *built = names_at ? mmap(NULL, size, PROT_READ | PROT_WRITE,
				      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
			       : MAP_FAILED;

	if (built != MAP_FAILED) {
		sections->built = built;
		sections->built_size = size;
		sections_write_headers(sections, names, names_at, name_offsets);
		sections_write_ehdr(sections, headers_at, image_arch(image));
	}
	g_string_free(names, TRUE);
	if (!sections->built)
		return error_new(ERROR_LIMIT, where, "the debug sections are too large");
	if (!sections_fill(sections, false))
		return error_new(ERROR_MALFORMED, where, "inflating the debug sections");
	return NULL;
}

struct error *debug_sections_open(const struct image *image, struct debug_sections **ret)
{
	struct text file = image_bytes(image);
	scoped(debug_sections) struct debug_sections *sections = g_new0(struct debug_sections, 1);

	*ret = NULL;
	elf_version(EV_CURRENT);
	// libelf only writes through this pointer after elf_update(), which nobody calls
	sections->elf = file.n ? elf_memory((char *)(uintptr_t)file.p, file.n) : NULL;
	if (!sections->elf)
		return NULL;
	sections_read(sections, sections->elf);
	if (!sections_have(sections, ".debug_info") || !sections_have(sections, ".debug_abbrev"))
		return NULL;
	if (elf_is_packed(sections->elf)) {
		TRY(sections_build(sections, image));
		elf_end(sections->elf);
		sections->elf = elf_memory((char *)sections->built, sections->built_size);
		if (!sections->elf)
			return error_new(ERROR_MALFORMED, place_whole(image_path(image)),
					 "opening the debug sections: %s", elf_errmsg(-1));
	}
	*ret = sections;
	sections = NULL;
	return NULL;
}

void debug_sections_close(struct debug_sections *sections)
{
	if (!sections)
		return;
	elf_end(sections->elf);
	if (sections->built)
		munmap(sections->built, sections->built_size);
	g_free(sections);
}

Elf *debug_sections_elf(const struct debug_sections *sections) { return sections->elf; }

bool debug_sections_complete(struct debug_sections *sections)
{
	return !sections->built || sections_fill(sections, true);
}
