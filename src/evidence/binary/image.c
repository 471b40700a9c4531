// SPDX-License-Identifier: Apache-2.0
#include "evidence/binary/image.h"
#include "base/limits.h"
#include "evidence/file/elf_file.h"
#include "evidence/binary/image_reloc.h"
#include "evidence/process/note.h"

#include <glib.h>
#include <unistd.h>

#define NOTE_GO_BUILD_ID 4 /* cmd/link/internal/ld/elf.go: ELF_NOTE_GOBUILDID_TAG */

struct image {
	struct elf_file elf;
	struct image_range *segments;
	size_t segment_count;
	struct text build_id, go_build_id;
	char *debuglink;
	uint32_t debuglink_crc;
	uint64_t applied_bias; // of the relative relocations, 0 at first
};

static bool section_name_is(const struct image *image, const Elf64_Shdr *names,
			    const Elf64_Shdr *section, const char *name)
{
	size_t size = strlen(name) + 1;
	uint64_t offset;
	struct text part;

	if (__builtin_add_overflow(names->sh_offset, section->sh_name, &offset))
		return false;
	part = elf_file_part(&image->elf, offset, size);
	return part.n == size && memcmp(part.p, name, size) == 0;
}

static bool section_names(const struct elf_file *elf, Elf64_Shdr *ret)
{
	Elf64_Shdr first;
	size_t index = elf->header.e_shstrndx;

	if (index == SHN_XINDEX) {
		if (!elf_file_section(elf, 0, &first))
			return false;
		index = first.sh_link;
	}
	return index != SHN_UNDEF && elf_file_section(elf, index, ret);
}

static bool section_find(const struct image *image, const char *name, Elf64_Shdr *ret)
{
	size_t count = elf_file_section_count(&image->elf);
	Elf64_Shdr names, section;

	if (count == 0 || !section_names(&image->elf, &names))
		return false;
	for (size_t i = 1; i < count; i++) {
		if (elf_file_section(&image->elf, i, &section) &&
		    section_name_is(image, &names, &section, name)) {
			*ret = section;
			return true;
		}
	}
	return false;
}

bool image_section(const struct image *image, const char *name, struct image_range *ret)
{
	Elf64_Shdr section;
	uint64_t size;

	if (!section_find(image, name, &section))
		return false;
	size = section.sh_type == SHT_NOBITS ? 0 : section.sh_size;
	if (elf_file_part(&image->elf, section.sh_offset, size).n < size)
		return false;
	*ret = (struct image_range){section.sh_addr,
				    size,
				    section.sh_size,
				    section.sh_offset,
				    section.sh_flags & SHF_WRITE,
				    section.sh_flags & SHF_EXECINSTR};
	return true;
}

uint64_t image_missing_bytes(const struct image *image)
{
	size_t count = elf_file_section_count(&image->elf);
	uint64_t missing = 0;
	Elf64_Shdr section;

	if (image->elf.header.e_shnum > count)
		missing += (image->elf.header.e_shnum - count) * sizeof(section);
	for (size_t i = 1; i < count; i++)
		if (elf_file_section(&image->elf, i, &section) && section.sh_type != SHT_NOBITS &&
		    section.sh_type != SHT_NULL)
			missing += section.sh_size -
				   elf_file_part(&image->elf, section.sh_offset, section.sh_size).n;
	return missing;
}

/** A separate debug file keeps the program headers of its image, but not what they describe. */
static bool is_debug_file(const struct elf_file *elf)
{
	size_t count = elf_file_section_count(elf);
	Elf64_Shdr section;

	for (size_t i = 1; i < count; i++)
		if (elf_file_section(elf, i, &section) && section.sh_type == SHT_NOBITS &&
		    section.sh_flags & SHF_EXECINSTR)
			return true;
	return false;
}

static int by_address(const void *a, const void *b)
{
	const struct image_range *one = a, *two = b;

	return (one->address > two->address) - (one->address < two->address);
}

static struct error *segment_check(const struct image *image, size_t index,
				   const Elf64_Phdr *header)
{
	struct place where = {image->elf.path, header->p_offset};
	uint64_t end;

	if (__builtin_add_overflow(header->p_vaddr, MAX(header->p_memsz, header->p_filesz), &end))
		return error_new(ERROR_MALFORMED, where, "segment %zu ends beyond all memory",
				 index);
	if (elf_file_part(&image->elf, header->p_offset, header->p_filesz).n < header->p_filesz)
		return error_new(ERROR_TRUNCATED, where,
				 "segment %zu (%s) wants %llu bytes, but the file ends at %#llx",
				 index, header->p_flags & PF_X ? "code" : "data",
				 (unsigned long long)header->p_filesz,
				 (unsigned long long)image->elf.size);
	return NULL;
}

static struct error *segments_read(struct image *image)
{
	const struct elf_file *elf = &image->elf;
	bool bare = is_debug_file(elf);

	if (elf->segment_count > LIMIT_IMAGE_SEGMENTS)
		return error_new(ERROR_LIMIT, place_whole(elf->path), "%zu program headers",
				 elf->segment_count);
	image->segments = g_new0(struct image_range, elf->segment_count + 1); // never NULL
	for (size_t i = 0; i < elf->segment_count; i++) {
		const Elf64_Phdr *header = &elf->segments[i];

		if (header->p_type != PT_LOAD)
			continue;
		if (!bare)
			TRY(segment_check(image, i, header));
		image->segments[image->segment_count++] = (struct image_range){
			header->p_vaddr,  bare ? 0 : header->p_filesz, header->p_memsz,
			header->p_offset, header->p_flags & PF_W,      header->p_flags & PF_X};
	}
	qsort(image->segments, image->segment_count, sizeof(*image->segments), by_address);
	return NULL;
}

/** Takes the build IDs out of one range of notes; one that breaks off keeps what came before. */
static void build_ids_take(struct image *image, uint64_t offset, uint64_t size, uint64_t alignment)
{
	struct text part = elf_file_part(&image->elf, offset, size);
	struct bytes notes = bytes_over(part.p, part.n, (struct place){image->elf.path, offset});
	struct error *error = NULL;
	struct note note;

	while (bytes_left(&notes) && !(error = note_next(&notes, alignment, &note))) {
		struct text id = {(const char *)note.description.start,
				  bytes_left(&note.description)};

		if (note.type == NT_GNU_BUILD_ID && strcmp(note.owner, "GNU") == 0)
			image->build_id = id;
		if (note.type == NOTE_GO_BUILD_ID && strcmp(note.owner, "Go") == 0)
			image->go_build_id = id;
	}
	error_free(error);
}

/** Program headers first, which stripping keeps; then sections, which say more in a debug file. */
static void build_ids_read(struct image *image)
{
	const struct elf_file *elf = &image->elf;
	size_t count = elf_file_section_count(elf);
	Elf64_Shdr section;

	for (size_t i = 0; i < elf->segment_count; i++)
		if (elf->segments[i].p_type == PT_NOTE)
			build_ids_take(image, elf->segments[i].p_offset, elf->segments[i].p_filesz,
				       elf->segments[i].p_align);
	for (size_t i = 1; i < count; i++)
		if (elf_file_section(elf, i, &section) && section.sh_type == SHT_NOTE)
			build_ids_take(image, section.sh_offset, section.sh_size,
				       section.sh_addralign);
}

/** A file name, padded to four bytes, and the CRC-32 of that file. Source: GDB manual, 18.3. */
static void debuglink_read(struct image *image)
{
	struct image_range range;
	struct bytes section;
	const char *name;
	struct error *error;

	if (!image_section(image, ".gnu_debuglink", &range))
		return;
	section = bytes_over(image->elf.bytes + range.offset, range.size,
			     (struct place){image->elf.path, range.offset});
	error = bytes_string(&section, "debug file name", &name);
	if (!error)
		error = bytes_align(&section, 4);
	if (!error)
		error = bytes_u32(&section, "debug file CRC", &image->debuglink_crc);
	if (!error && *name && !strchr(name, '/'))
		image->debuglink = g_strdup(name);
	error_free(error);
}

static struct error *image_read(struct image *image)
{
	TRY(elf_file_read(&image->elf, "a Go binary"));
	if (image->elf.header.e_type == ET_CORE)
		return error_with_hint(
			error_new(ERROR_UNRECOGNISED, place_whole(image->elf.path),
				  "this is a core file, not a binary"),
			"name the core as evidence and the program's binary beside it");
	if (image->elf.header.e_type != ET_EXEC && image->elf.header.e_type != ET_DYN)
		return error_new(ERROR_UNRECOGNISED, place_whole(image->elf.path),
				 "neither an executable nor a shared object (e_type %u)",
				 image->elf.header.e_type);
	TRY(segments_read(image));
	build_ids_read(image);
	debuglink_read(image);
	return NULL;
}

struct error *image_open(const char *path, struct image **ret)
{
	scoped(image) struct image *image = g_new0(struct image, 1);
	struct error *error;
	int file;

	TRY(elf_file_open_path(path, &file));
	error = elf_file_map(file, path, &image->elf);
	close(file);
	TRY(error);
	TRY(image_read(image));
	*ret = g_steal_pointer(&image);
	return NULL;
}

void image_close(struct image *image)
{
	if (!image)
		return;
	elf_file_done(&image->elf);
	g_free(image->segments);
	g_free(image->debuglink);
	g_free(image);
}

const char *image_path(const struct image *image) { return image->elf.path; }
enum go_arch image_arch(const struct image *image) { return image->elf.arch; }
bool image_is_pie(const struct image *image) { return image->elf.header.e_type == ET_DYN; }
uint64_t image_entry(const struct image *image) { return image->elf.header.e_entry; }
struct text image_build_id(const struct image *image) { return image->build_id; }
struct text image_go_build_id(const struct image *image) { return image->go_build_id; }

struct text image_bytes(const struct image *image)
{
	return (struct text){(const char *)image->elf.bytes, image->elf.size};
}

const struct image_range *image_segments(const struct image *image, size_t *ret_count)
{
	*ret_count = image->segment_count;
	return image->segments;
}

bool image_header_address(const struct image *image, uint64_t *ret)
{
	for (size_t i = 0; i < image->segment_count; i++)
		if (image->segments[i].offset == 0) {
			*ret = image->segments[i].address;
			return true;
		}
	return false;
}

const char *image_debuglink(const struct image *image, uint32_t *ret_crc)
{
	if (image->debuglink)
		*ret_crc = image->debuglink_crc;
	return image->debuglink;
}

static bool symbol_in(const struct image *image, const char *table_name, const char *name,
		      uint64_t *ret)
{
	size_t size = strlen(name) + 1;
	Elf64_Shdr table, strings;
	struct text symbols, names;
	Elf64_Sym symbol;

	if (!section_find(image, table_name, &table) || table.sh_type == SHT_NOBITS ||
	    !elf_file_section(&image->elf, table.sh_link, &strings))
		return false;
	symbols = elf_file_part(&image->elf, table.sh_offset, table.sh_size);
	names = elf_file_part(&image->elf, strings.sh_offset, strings.sh_size);
	for (size_t at = 0; symbols.n - at >= sizeof(symbol); at += sizeof(symbol)) {
		memcpy(&symbol, symbols.p + at, sizeof(symbol));
		if (symbol.st_name < names.n && names.n - symbol.st_name >= size &&
		    symbol.st_shndx != SHN_UNDEF &&
		    memcmp(names.p + symbol.st_name, name, size) == 0) {
			*ret = symbol.st_value;
			return true;
		}
	}
	return false;
}

bool image_symbol(const struct image *image, const char *name, uint64_t *ret)
{
	return symbol_in(image, ".symtab", name, ret) || symbol_in(image, ".dynsym", name, ret);
}

void image_add_to(struct image *image, uint64_t bias, struct memory *memory)
{
	if (image_is_pie(image)) {
		image_relocate(&image->elf, bias, image->applied_bias);
		image->applied_bias = bias;
	}
	for (size_t i = 0; i < image->segment_count; i++) {
		const struct image_range *segment = &image->segments[i];

		if (segment->size == 0)
			continue; // its offset may lie outside the file
		memory_add(memory, segment->address + bias, image->elf.bytes + segment->offset,
			   segment->size, (struct place){image->elf.path, segment->offset});
	}
}
