// SPDX-License-Identifier: Apache-2.0
#include "evidence/process/core_notes.h"
#include "base/limits.h"

#include <elf.h>
#include <endian.h>

#define STATUS_SIGNAL       12  /* elf_prstatus.pr_cursig */
#define STATUS_TID          32  /* elf_prstatus.pr_pid */
#define STATUS_REGISTERS    112 /* elf_prstatus.pr_reg */
#define INFO_NAME           40  /* elf_prpsinfo.pr_fname */
#define INFO_NAME_SIZE      16
#define INFO_ARGUMENTS      56 /* elf_prpsinfo.pr_psargs */
#define INFO_ARGUMENTS_SIZE 80

void core_notes_init(struct core_notes *notes)
{
	*notes = (struct core_notes){
		.threads = g_array_sized_new(FALSE, TRUE, sizeof(struct process_thread), 16),
		.mappings = g_array_sized_new(FALSE, TRUE, sizeof(struct process_mapping), 16),
	};
}

void core_notes_done(struct core_notes *notes)
{
	if (notes->threads)
		g_array_free(notes->threads, TRUE);
	if (notes->mappings)
		g_array_free(notes->mappings, TRUE);
}

static struct error *read_status(struct core_notes *notes, enum go_arch arch, struct bytes b)
{
	struct process_thread thread = {0};
	struct bytes words;
	uint64_t copy[34];
	uint32_t tid;
	uint16_t signal;

	if (notes->threads->len >= LIMIT_THREADS)
		return error_new(ERROR_LIMIT, bytes_place(&b), "more than %u threads",
				 LIMIT_THREADS);
	TRY(bytes_skip(&b, "thread status", STATUS_SIGNAL));
	TRY(bytes_u16(&b, "thread's signal", &signal));
	TRY(bytes_skip(&b, "thread status", STATUS_TID - STATUS_SIGNAL - sizeof(signal)));
	TRY(bytes_u32(&b, "thread's id", &tid));
	TRY(bytes_skip(&b, "thread status", STATUS_REGISTERS - STATUS_TID - sizeof(tid)));
	TRY(bytes_take(&b, "thread's registers", process_register_words(arch) * sizeof(uint64_t),
		       &words));
	memcpy(copy, words.start, bytes_left(&words));
	thread.tid = (int32_t)tid;
	// the kernel writes the signal into every thread; the first is the one that died
	thread.signal = notes->threads->len == 0 ? signal : 0;
	thread.registers = process_registers_from(arch, copy);
	g_array_append_val(notes->threads, thread);
	return NULL;
}

static struct error *read_info(struct core_notes *notes, enum go_arch arch, struct bytes b)
{
	struct bytes name, arguments;

	TRY(bytes_skip(&b, "process information", INFO_NAME));
	TRY(bytes_take(&b, "process name", INFO_NAME_SIZE, &name));
	TRY(bytes_take(&b, "process arguments", INFO_ARGUMENTS_SIZE, &arguments));
	if (*arguments.start)
		memcpy(notes->command, arguments.start, INFO_ARGUMENTS_SIZE);
	else
		memcpy(notes->command, name.start, INFO_NAME_SIZE);
	g_strchomp(notes->command); // the kernel turns each argument's end into a space
	return NULL;
}

static struct error *read_auxv(struct core_notes *notes, enum go_arch arch, struct bytes b)
{
	notes->auxv = (struct text){(const char *)b.start, bytes_left(&b)};
	return NULL;
}

/** count, page size, count × (start, end, page offset), then as many paths. */
static struct error *read_files(struct core_notes *notes, enum go_arch arch, struct bytes b)
{
	uint64_t count, page_size;
	struct bytes table;

	TRY(bytes_u64(&b, "mapped file count", &count));
	TRY(bytes_u64(&b, "mapped file page size", &page_size));
	if (count > bytes_left(&b) / 24)
		return error_new(ERROR_MALFORMED, bytes_place(&b),
				 "%llu mapped files in a note of %zu bytes",
				 (unsigned long long)count, bytes_left(&b));
	TRY(bytes_take(&b, "mapped files", count * 24, &table));
	for (uint64_t i = 0; i < count; i++) {
		struct process_mapping mapping;

		TRY(bytes_u64(&table, "mapping's start", &mapping.start));
		TRY(bytes_u64(&table, "mapping's end", &mapping.end));
		TRY(bytes_u64(&table, "mapping's offset", &mapping.offset));
		TRY(bytes_string(&b, "mapped file's path", &mapping.path));
		mapping.offset *= page_size;
		g_array_append_val(notes->mappings, mapping);
	}
	return NULL;
}

/** arm64 keeps the thread pointer in a note of its own, after the status of its thread. */
static struct error *read_arm_tls(struct core_notes *notes, enum go_arch arch, struct bytes b)
{
	struct process_thread *last;

	if (arch != GO_ARCH_ARM64 || notes->threads->len == 0)
		return NULL;
	last = &g_array_index(notes->threads, struct process_thread, notes->threads->len - 1);
	return bytes_u64(&b, "thread pointer", &last->registers.tls);
}

static const struct {
	const char *owner;
	uint32_t type;
	struct error *(*read)(struct core_notes *, enum go_arch, struct bytes);
} readers[] = {
	{"CORE", NT_PRSTATUS, read_status},  {"CORE", NT_PRPSINFO, read_info},
	{"CORE", NT_AUXV, read_auxv},        {"CORE", NT_FILE, read_files},
	{"LINUX", NT_ARM_TLS, read_arm_tls},
};

struct error *core_notes_read(struct core_notes *notes, enum go_arch arch, struct bytes segment,
			      uint64_t alignment)
{
	while (bytes_left(&segment)) {
		struct note note;

		TRY(note_next(&segment, alignment, &note));
		for (size_t i = 0; i < G_N_ELEMENTS(readers); i++)
			if (readers[i].type == note.type &&
			    strcmp(readers[i].owner, note.owner) == 0)
				TRY(readers[i].read(notes, arch, note.description));
	}
	return NULL;
}
