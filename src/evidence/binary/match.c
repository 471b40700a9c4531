// SPDX-License-Identifier: Apache-2.0
// The kernel dumps the first page of every mapped ELF file (coredump_filter bit 4), and that page
// holds the program headers and, as both linkers place them, the build-ID notes.
#include "evidence/binary/match.h"
#include "evidence/process/note.h"

#include <elf.h>
#include <glib.h>

#define PAGE_BYTES       4096u
#define NOTE_GO_BUILD_ID 4  /* cmd/link/internal/ld/elf.go: ELF_NOTE_GOBUILDID_TAG */
#define ID_SHOWN         64 /* characters of a build ID in a message */

/** What the core kept of one mapped ELF file. */
struct remains {
	const uint8_t *page; // NULL when nothing was kept
	uint64_t size;
	Elf64_Ehdr header;
	struct text go_id, gnu_id;
};

enum verdict { VERDICT_NONE, VERDICT_SAME, VERDICT_OTHER };

struct comparison {
	enum verdict verdict;
	const char *checked;
	struct text in_core, in_image; // the IDs that differ
};

static void take_ids(struct remains *remains, struct bytes notes, uint64_t alignment)
{
	struct note note;
	struct error *error = NULL;

	while (bytes_left(&notes) && !(error = note_next(&notes, alignment, &note))) {
		struct text id = {(const char *)note.description.start,
				  bytes_left(&note.description)};

		if (note.type == NT_GNU_BUILD_ID && strcmp(note.owner, "GNU") == 0)
			remains->gnu_id = id;
		if (note.type == NOTE_GO_BUILD_ID && strcmp(note.owner, "Go") == 0)
			remains->go_id = id;
	}
	error_free(error);
}

/** Program headers beyond the kept page are passed over, and so are notes. */
static void remains_read_notes(struct remains *remains)
{
	const Elf64_Ehdr *header = &remains->header;

	for (size_t i = 0; i < header->e_phnum; i++) {
		uint64_t at = header->e_phoff + i * sizeof(Elf64_Phdr);
		Elf64_Phdr segment;

		if (header->e_phoff > remains->size || at > remains->size ||
		    remains->size - at < sizeof(segment))
			return;
		memcpy(&segment, remains->page + at, sizeof(segment));
		if (segment.p_type != PT_NOTE || segment.p_offset > remains->size ||
		    segment.p_filesz > remains->size - segment.p_offset)
			continue;
		take_ids(remains,
			 bytes_over(remains->page + segment.p_offset, segment.p_filesz,
				    (struct place){"", segment.p_offset}),
			 segment.p_align);
	}
}

/** What stands in @a memory where an ELF file's first byte was loaded; false when that is no ELF
 * file. */
static bool remains_at(const struct memory *memory, uint64_t address, struct remains *ret)
{
	struct remains remains = {0};

	remains.size = memory_extent(memory, address);
	if (remains.size < sizeof(remains.header))
		return false;
	remains.page = memory_view(memory, address, remains.size);
	memcpy(&remains.header, remains.page, sizeof(remains.header));
	if (memcmp(remains.header.e_ident, ELFMAG, SELFMAG) != 0 ||
	    remains.header.e_ident[EI_CLASS] != ELFCLASS64)
		return false;
	remains_read_notes(&remains);
	*ret = remains;
	return true;
}

/** Stripping changes where the section headers are, and nothing else of the first bytes. */
static bool same_headers(const struct remains *remains, const struct text *image)
{
	Elf64_Ehdr one = remains->header, two;
	uint64_t size = one.e_phnum * sizeof(Elf64_Phdr);

	memcpy(&two, image->p, sizeof(two)); // an opened image has a whole header
	one.e_shoff = two.e_shoff = 0;
	one.e_shnum = two.e_shnum = one.e_shstrndx = two.e_shstrndx = 0;
	if (memcmp(&one, &two, sizeof(one)) != 0)
		return false;
	if (one.e_phoff > remains->size || remains->size - one.e_phoff < size ||
	    one.e_phoff > image->n || image->n - one.e_phoff < size)
		return false;
	return memcmp(remains->page + one.e_phoff, image->p + one.e_phoff, size) == 0;
}

static struct comparison compare_ids(const char *what, struct text in_core, struct text in_image)
{
	return (struct comparison){text_equal(in_core, in_image) ? VERDICT_SAME : VERDICT_OTHER,
				   what, in_core, in_image};
}

static struct comparison compare(const struct remains *remains, const struct image *image)
{
	struct text go_id = image_go_build_id(image), gnu_id = image_build_id(image);
	struct text bytes = image_bytes(image);
	uint64_t page = MIN(MIN(remains->size, PAGE_BYTES), bytes.n);

	if (go_id.n && remains->go_id.n)
		return compare_ids("Go build ID", remains->go_id, go_id);
	if (gnu_id.n && remains->gnu_id.n)
		return compare_ids("GNU build ID", remains->gnu_id, gnu_id);
	if (memcmp(remains->page, bytes.p, page) == 0)
		return (struct comparison){VERDICT_SAME, "first text page"};
	if (same_headers(remains, &bytes))
		return (struct comparison){VERDICT_SAME, "program headers"};
	return (struct comparison){VERDICT_OTHER, "program headers"};
}

/** A build ID for a person: Go's as it is, GNU's in hexadecimal. */
static char *id_text(struct text id)
{
	GString *text = g_string_new(NULL);
	bool printable = true;

	for (size_t i = 0; i < id.n; i++)
		printable &= g_ascii_isgraph(id.p[i]);
	for (size_t i = 0; i < id.n && text->len < ID_SHOWN; i++) {
		if (printable)
			g_string_append_c(text, id.p[i]);
		else
			g_string_append_printf(text, "%02x", (uint8_t)id.p[i]);
	}
	if (text->len >= ID_SHOWN)
		g_string_append(text, "...");
	return g_string_free(text, FALSE);
}

static struct error *mismatch(const struct process *process, const struct image *image,
			      const struct comparison *found)
{
	g_autofree char *in_core = id_text(found->in_core), *in_image = id_text(found->in_image);

	if (found->in_core.n == 0)
		return error_new(ERROR_MISMATCH, place_whole(image_path(image)),
				 "not the program of %s: its program headers differ",
				 process->name);
	return error_new(ERROR_MISMATCH, place_whole(image_path(image)),
			 "not the program of %s: %s %s, in the %s %s", process->name,
			 found->checked, in_image, process->live ? "process" : "core", in_core);
}

/** The load bias that the auxiliary vector implies for the main program. */
static bool bias_of_main(const struct process *process, const struct image *image, uint64_t *ret)
{
	uint64_t entry, bias;

	if (!process_auxv(process, AT_ENTRY, &entry))
		return false;
	bias = entry - image_entry(image);
	if (bias % PAGE_BYTES)
		return false; // another program's entry
	*ret = bias;
	return true;
}

static bool same_base_name(const char *one, const char *two)
{
	g_autofree char *a = g_path_get_basename(one), *b = g_path_get_basename(two);

	return strcmp(a, b) == 0;
}

/**
 * Finds the load bias of a position-independent image among all mapped files: the one whose remains
 * are the image's. Without such, the main program's place or that of a file of the same name.
 */
static bool bias_find(const struct process *process, const struct image *image,
		      const struct memory *memory, uint64_t header, uint64_t *ret)
{
	const struct process_mapping *mappings = process->mappings;
	bool found = bias_of_main(process, image, ret);
	struct remains remains;

	if (found && remains_at(memory, *ret + header, &remains) &&
	    compare(&remains, image).verdict == VERDICT_SAME)
		return true;
	for (size_t i = 0; i < process->mapping_count; i++) {
		uint64_t bias = mappings[i].start - header;

		if (mappings[i].offset != 0)
			continue;
		if (remains_at(memory, mappings[i].start, &remains) &&
		    compare(&remains, image).verdict == VERDICT_SAME) {
			*ret = bias;
			return true;
		}
		if (!found && same_base_name(mappings[i].path, image_path(image))) {
			*ret = bias;
			found = true;
		}
	}
	return found;
}

static struct error *check_arch(const struct process *process, const struct image *image)
{
	static const char *const names[] = {[GO_ARCH_AMD64] = "x86-64", [GO_ARCH_ARM64] = "arm64"};

	if (process->arch == image_arch(image))
		return NULL;
	return error_new(ERROR_MISMATCH, place_whole(image_path(image)),
			 "the binary is of %s, the %s of %s", names[image_arch(image)],
			 process->live ? "process" : "core", names[process->arch]);
}

static struct error *match_in(const struct process *process, const struct image *image, bool force,
			      const struct memory *memory, uint64_t *ret_bias,
			      const char **ret_checked)
{
	struct comparison found = {VERDICT_NONE, ""};
	uint64_t bias = 0, header = 0, entry;
	bool has_header = image_header_address(image, &header);
	struct remains remains;

	if (image_is_pie(image) && !bias_find(process, image, memory, header, &bias) && !force)
		return error_new(
			ERROR_MISMATCH, place_whole(image_path(image)),
			"nothing in %s says where this position-independent image was loaded",
			process->name);
	if (has_header && remains_at(memory, bias + header, &remains))
		found = compare(&remains, image);
	else if (process_auxv(process, AT_ENTRY, &entry) && entry == bias + image_entry(image) &&
		 !image_is_pie(image))
		found.checked = "entry point"; // a PIE's bias came from it: it proves nothing
	if (found.verdict == VERDICT_OTHER && !force)
		return mismatch(process, image, &found);
	*ret_bias = bias;
	*ret_checked = found.checked;
	return NULL;
}

struct error *match_image(const struct process *process, const struct image *image, bool force,
			  uint64_t *ret_bias, const char **ret_checked)
{
	scoped(memory) struct memory *memory = memory_new();

	TRY(check_arch(process, image));
	process->add_to(process, memory);
	return match_in(process, image, force, memory, ret_bias, ret_checked);
}

static const char *path_at(const struct process *process, uint64_t address)
{
	const struct process_mapping *mappings = process->mappings;

	for (size_t i = 0; i < process->mapping_count; i++)
		if (address >= mappings[i].start && address < mappings[i].end)
			return mappings[i].path;
	return NULL;
}

const char *match_program_path(const struct process *process)
{
	static const uint64_t types[] = {AT_PHDR, AT_ENTRY};

	for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
		uint64_t address;
		const char *path;

		if (process_auxv(process, types[i], &address) && (path = path_at(process, address)))
			return path;
	}
	return NULL;
}
