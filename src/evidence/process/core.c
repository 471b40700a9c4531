// SPDX-License-Identifier: Apache-2.0
#include "evidence/process/core.h"
#include "base/limits.h"
#include "evidence/process/core_notes.h"
#include "evidence/file/elf_file.h"
#include "evidence/file/inflate.h"

#include <endian.h>
#include <unistd.h>

struct core {
	struct process process; // first, so that it leads back to the core
	struct elf_file elf;
	enum compression compression;
	bool stream_cut;
	struct core_notes notes;
	GArray *dumped; // struct memory_range, in address order
};

bool core_recognise(struct text head)
{
	Elf64_Half type;

	if (compression_recognise(head) != COMPRESSION_NONE)
		return true;
	if (head.n < offsetof(Elf64_Ehdr, e_machine) || memcmp(head.p, ELFMAG, SELFMAG) != 0)
		return false;
	memcpy(&type, head.p + offsetof(Elf64_Ehdr, e_type), sizeof(type));
	if (head.p[EI_DATA] == ELFDATA2MSB)
		type = be16toh(type); // told to be a core, then refused with the reason
	return type == ET_CORE;
}

/** Puts the inflated file in the place of the compressed one; its path stays. */
static struct error *core_inflate(struct core *core)
{
	struct text input = {(const char *)core->elf.bytes, core->elf.size};
	struct elf_file plain = {0};
	struct inflated inflated;
	struct error *error;
	int file;

	TRY(temporary_file(&file));
	error = inflate_stream(core->compression, input, core->elf.path, file, LIMIT_INFLATED_BYTES,
			       &inflated);
	if (!error && inflated.size == 0)
		error = error_new(ERROR_TRUNCATED, place_whole(core->elf.path),
				  "the %s stream ends before its first byte",
				  compression_name(core->compression));
	if (!error)
		error = elf_file_map(file, core->elf.path, &plain);
	close(file);
	TRY(error);
	elf_file_done(&core->elf);
	core->elf = plain;
	core->stream_cut = inflated.cut;
	return NULL;
}

static struct error *check_type(const struct core *core)
{
	static const char *const names[] = {[ET_REL] = "an object file",
					    [ET_EXEC] = "an executable",
					    [ET_DYN] = "an executable or shared object"};
	unsigned type = core->elf.header.e_type;

	if (type == ET_CORE)
		return NULL;
	return error_new(ERROR_UNRECOGNISED, place_whole(core->elf.path), "this is %s, not a core",
			 type < G_N_ELEMENTS(names) && names[type] ? names[type]
								   : "another kind of ELF file");
}

static struct error *notes_read(struct core *core)
{
	const struct elf_file *elf = &core->elf;
	uint64_t total = 0;

	for (size_t i = 0; i < elf->segment_count; i++) {
		const Elf64_Phdr *segment = &elf->segments[i];
		struct bytes notes;

		if (segment->p_type != PT_NOTE)
			continue;
		if (segment->p_filesz > LIMIT_NOTE_BYTES - total)
			return error_new(ERROR_LIMIT, (struct place){elf->path, segment->p_offset},
					 "notes of %llu bytes",
					 (unsigned long long)segment->p_filesz);
		total += segment->p_filesz;
		TRY(elf_file_bytes(elf, "notes", segment->p_offset, segment->p_filesz, &notes));
		TRY(core_notes_read(&core->notes, elf->arch, notes, segment->p_align));
	}
	if (core->notes.threads->len == 0)
		return error_new(ERROR_MALFORMED, place_whole(elf->path),
				 "the core names no thread (no NT_PRSTATUS note)");
	return NULL;
}

static gint by_address(gconstpointer a, gconstpointer b)
{
	const struct memory_range *one = a, *two = b;

	if (one->address != two->address)
		return one->address < two->address ? -1 : 1;
	return (one->origin.offset > two->origin.offset) - // the order must not depend on the sort
	       (one->origin.offset < two->origin.offset);
}

/** Only what was dumped is memory: the rest of p_memsz was left out on purpose, not lost. */
static void segments_read(struct core *core)
{
	const struct elf_file *elf = &core->elf;

	for (size_t i = 0; i < elf->segment_count; i++) {
		const Elf64_Phdr *segment = &elf->segments[i];
		struct text part = elf_file_part(elf, segment->p_offset, segment->p_filesz);
		struct memory_range range = {segment->p_vaddr,
					     part.n,
					     (const uint8_t *)part.p,
					     {elf->path, segment->p_offset}};

		if (segment->p_type != PT_LOAD)
			continue;
		if (__builtin_add_overflow(core->process.missing_bytes, segment->p_filesz - part.n,
					   &core->process.missing_bytes))
			core->process.missing_bytes = UINT64_MAX;
		if (part.n)
			g_array_append_val(core->dumped, range);
	}
	g_array_sort(core->dumped, by_address);
}

static uint64_t core_add_to(const struct process *process, struct memory *memory)
{
	const struct core *core = (const struct core *)process;

	for (guint i = 0; i < core->dumped->len; i++) {
		const struct memory_range *range =
			&g_array_index(core->dumped, struct memory_range, i);

		memory_add(memory, range->address, range->bytes, range->size, range->origin);
	}
	return 0;
}

static void core_rest(const struct process *process)
{
	elf_file_rest(&((const struct core *)process)->elf);
}

static void process_fill(struct core *core)
{
	struct process *process = &core->process;
	const struct core_notes *notes = &core->notes;

	process->name = core->elf.path;
	process->arch = core->elf.arch;
	process->threads = (const struct process_thread *)(const void *)notes->threads->data;
	process->thread_count = notes->threads->len;
	process->mappings = (const struct process_mapping *)(const void *)notes->mappings->data;
	process->mapping_count = notes->mappings->len;
	process->auxv = notes->auxv;
	process->command = notes->command;
	process->add_to = core_add_to;
	process->rest = core_rest;
}

static struct error *core_read(struct core *core)
{
	struct text whole = {(const char *)core->elf.bytes, core->elf.size};

	core->compression = compression_recognise(whole);
	if (core->compression != COMPRESSION_NONE)
		TRY(core_inflate(core));
	TRY(elf_file_read(&core->elf, "a core file"));
	TRY(check_type(core));
	TRY(notes_read(core));
	segments_read(core);
	process_fill(core);
	return NULL;
}

struct error *core_open(const char *path, struct core **ret)
{
	scoped(core) struct core *core = g_new0(struct core, 1);
	struct error *error;
	int file;

	core_notes_init(&core->notes);
	core->dumped = g_array_new(FALSE, FALSE, sizeof(struct memory_range));
	TRY(elf_file_open_path(path, &file));
	error = elf_file_map(file, path, &core->elf);
	close(file);
	TRY(error);
	TRY(core_read(core));
	*ret = g_steal_pointer(&core);
	return NULL;
}

void core_close(struct core *core)
{
	if (!core)
		return;
	core_notes_done(&core->notes);
	g_array_free(core->dumped, TRUE);
	elf_file_done(&core->elf);
	g_free(core);
}

const struct process *core_process(const struct core *core) { return &core->process; }
bool core_stream_cut(const struct core *core) { return core->stream_cut; }
const char *core_compression(const struct core *core)
{
	return compression_name(core->compression);
}
