// SPDX-License-Identifier: Apache-2.0
// Layouts and order of notes: fs/binfmt_elf.c (fill_note_info), include/uapi/linux/elfcore.h. Which mappings
// are dumped: evidence/process/proc_maps.h.
#include "record/core_write.h"

#include "base/limits.h"
#include "evidence/process/proc_maps.h"

#include <elf.h>
#include <errno.h>
#include <sys/procfs.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#define PAGE_BYTES       4096u
#define PIECE_BYTES      (1u << 20)
#define NOTE_ALIGN       4
#define XSTATE_BYTES_MAX (20u << 10)

struct writer {
	struct tracee *tracee;
	FILE *out;
	GArray *mappings; // struct proc_mapping
	GByteArray *notes;
};

static void note_add(struct writer *w, uint32_t type, const char *owner, const void *bytes,
		     size_t size)
{
	static const uint8_t zeros[NOTE_ALIGN];
	Elf64_Nhdr header = {(Elf64_Word)strlen(owner) + 1, (Elf64_Word)size, type};

	g_byte_array_append(w->notes, (const guint8 *)&header, sizeof(header));
	g_byte_array_append(w->notes, (const guint8 *)owner, header.n_namesz);
	g_byte_array_append(w->notes, zeros, -header.n_namesz & (NOTE_ALIGN - 1));
	g_byte_array_append(w->notes, bytes, (guint)size);
	g_byte_array_append(w->notes, zeros, -size & (NOTE_ALIGN - 1));
}

/** A file of /proc/PID. */
static char *proc_file(struct writer *w, const char *file, gsize *ret_size)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/%s", (int)tracee_pid(w->tracee), file);
	char *text;

	*ret_size = 0;
	return g_file_get_contents(path, &text, ret_size, NULL) ? text : NULL;
}

static void thread_notes(struct writer *w, pid_t tid, int signal)
{
	g_autofree uint8_t *state = g_malloc(XSTATE_BYTES_MAX);
	struct iovec io = {state, XSTATE_BYTES_MAX};
	struct elf_prstatus status = {.pr_pid = tid, .pr_cursig = (short)signal};
	struct user_fpregs_struct floats;
	struct user_regs_struct registers;
	scoped(error) struct error *error = tracee_registers(w->tracee, tid, &registers);

	if (error)
		return; // it did not stop, or has ended
	status.pr_info.si_signo = signal;
	memcpy(&status.pr_reg, &registers, sizeof(status.pr_reg));
	note_add(w, NT_PRSTATUS, "CORE", &status, sizeof(status));
	if (ptrace(PTRACE_GETFPREGS, tid, NULL, &floats) == 0)
		note_add(w, NT_FPREGSET, "CORE", &floats, sizeof(floats));
	if (ptrace(PTRACE_GETREGSET, tid, (void *)NT_X86_XSTATE, &io) == 0)
		note_add(w, NT_X86_XSTATE, "LINUX", state, io.iov_len);
}

/** The number in field @a n of /proc/PID/stat, counted from 1; the name in field 2 may hold anything. */
static int64_t stat_field(const char *stat, unsigned n)
{
	const char *at = stat ? strrchr(stat, ')') : NULL;

	for (unsigned field = 2; at && field < n; field++)
		at = strchr(at + 1, ' ');
	return at ? g_ascii_strtoll(at, NULL, 10) : 0;
}

static void process_note(struct writer *w)
{
	gsize size;
	g_autofree char *stat = proc_file(w, "stat", &size), *name = proc_file(w, "comm", &size);
	g_autofree char *arguments = proc_file(w, "cmdline", &size);
	struct elf_prpsinfo info = {.pr_sname = 'R', .pr_pid = tracee_pid(w->tracee)};

	info.pr_ppid = (int)stat_field(stat, 4);
	info.pr_pgrp = (int)stat_field(stat, 5);
	info.pr_sid = (int)stat_field(stat, 6);
	info.pr_nice = (char)stat_field(stat, 19);
	if (name)
		memcpy(info.pr_fname, name, MIN(strcspn(name, "\n"), sizeof(info.pr_fname) - 1));
	size = MIN(size, sizeof(info.pr_psargs) - 1);
	for (gsize i = 0; arguments && i < size; i++)
		info.pr_psargs[i] = arguments[i] ? arguments[i] : ' ';
	note_add(w, NT_PRPSINFO, "CORE", &info, sizeof(info));
}

static void file_note(struct writer *w)
{
	GByteArray *table = g_byte_array_new(), *paths = g_byte_array_new();
	uint64_t head[2] = {0, PAGE_BYTES};

	for (guint i = 0; i < w->mappings->len; i++) {
		const struct proc_mapping *m = &g_array_index(w->mappings, struct proc_mapping, i);
		const uint64_t row[3] = {m->start, m->end, m->offset / PAGE_BYTES};

		if (!m->is_file)
			continue;
		head[0]++;
		g_byte_array_append(table, (const guint8 *)row, sizeof(row));
		g_byte_array_append(paths, (const guint8 *)m->path, (guint)strlen(m->path) + 1);
	}
	g_byte_array_prepend(table, (const guint8 *)head, sizeof(head));
	g_byte_array_append(table, paths->data, paths->len);
	note_add(w, NT_FILE, "CORE", table->data, table->len);
	g_byte_array_free(table, TRUE);
	g_byte_array_free(paths, TRUE);
}

static void notes_make(struct writer *w, pid_t first, int signal)
{
	siginfo_t info = {.si_signo = signal};
	g_autofree char *auxv = NULL;
	size_t count;
	const pid_t *tids = tracee_threads(w->tracee, &count);
	gsize size;

	thread_notes(w, first, signal);
	process_note(w);
	note_add(w, NT_SIGINFO, "CORE", &info, sizeof(info));
	auxv = proc_file(w, "auxv", &size);
	if (auxv)
		note_add(w, NT_AUXV, "CORE", auxv, size);
	file_note(w);
	for (size_t i = 0; i < count; i++)
		if (tids[i] != first)
			thread_notes(w, tids[i], signal);
}

/** With the vdso, which debuggers read. */
static uint64_t dumped_size(const struct proc_mapping *m)
{
	return strcmp(m->path, "[vdso]") == 0 ? m->end - m->start : proc_mapping_kept(m);
}

static bool read_memory(void *context, uint64_t address, void *ret, size_t size)
{
	return tracee_read(context, address, ret, size);
}

static bool put(struct writer *w, const void *bytes, size_t size)
{
	return fwrite(bytes, 1, size, w->out) == size;
}

static bool put_headers(struct writer *w)
{
	guint count = w->mappings->len;
	uint64_t notes_at = sizeof(Elf64_Ehdr) + (count + 1) * sizeof(Elf64_Phdr);
	uint64_t at = (notes_at + w->notes->len + PAGE_BYTES - 1) & ~(uint64_t)(PAGE_BYTES - 1);
	Elf64_Ehdr header = {.e_type = ET_CORE,
			     .e_machine = EM_X86_64,
			     .e_version = EV_CURRENT,
			     .e_phoff = sizeof(header),
			     .e_ehsize = sizeof(header),
			     .e_phentsize = sizeof(Elf64_Phdr),
			     .e_phnum = (Elf64_Half)(count + 1)};
	Elf64_Phdr segment = {.p_type = PT_NOTE,
			      .p_offset = notes_at,
			      .p_filesz = w->notes->len,
			      .p_align = NOTE_ALIGN};
	bool good;

	memcpy(header.e_ident, ELFMAG, SELFMAG);
	header.e_ident[EI_CLASS] = ELFCLASS64;
	header.e_ident[EI_DATA] = ELFDATA2LSB;
	header.e_ident[EI_VERSION] = EV_CURRENT;
	good = put(w, &header, sizeof(header)) && put(w, &segment, sizeof(segment));
	for (guint i = 0; i < count && good; i++) {
		const struct proc_mapping *m = &g_array_index(w->mappings, struct proc_mapping, i);

		segment = (Elf64_Phdr){
			.p_type = PT_LOAD,
			.p_flags =
				(Elf64_Word)((m->readable ? PF_R : 0) | (m->writable ? PF_W : 0) |
					     (m->executable ? PF_X : 0)),
			.p_offset = at,
			.p_vaddr = m->start,
			.p_filesz = dumped_size(m),
			.p_memsz = m->end - m->start,
			.p_align = PAGE_BYTES,
		};
		at += segment.p_filesz;
		good = put(w, &segment, sizeof(segment));
	}
	return good && put(w, w->notes->data, w->notes->len);
}

/** Pages that cannot be read become zeros, as in the kernel's own cores. */
static bool put_memory(struct writer *w, uint64_t address, uint64_t size, uint8_t *buffer)
{
	for (uint64_t done = 0, piece; done < size; done += piece) {
		piece = MIN(size - done, PIECE_BYTES);
		if (!tracee_read(w->tracee, address + done, buffer, piece)) {
			memset(buffer, 0, piece);
			for (uint64_t page = 0; page < piece; page += PAGE_BYTES)
				if (!tracee_read(w->tracee, address + done + page, buffer + page,
						 PAGE_BYTES))
					memset(buffer + page, 0, PAGE_BYTES);
		}
		if (!put(w, buffer, piece))
			return false;
	}
	return true;
}

static bool put_all(struct writer *w)
{
	static const uint8_t zeros[PAGE_BYTES];
	g_autofree uint8_t *buffer = g_malloc(PIECE_BYTES);
	uint64_t head =
		sizeof(Elf64_Ehdr) + (w->mappings->len + 1) * sizeof(Elf64_Phdr) + w->notes->len;
	bool good = put_headers(w) && put(w, zeros, -head & (PAGE_BYTES - 1));

	for (guint i = 0; i < w->mappings->len && good; i++) {
		const struct proc_mapping *m = &g_array_index(w->mappings, struct proc_mapping, i);

		good = put_memory(w, m->start, dumped_size(m), buffer);
	}
	return good && fflush(w->out) == 0;
}

struct error *core_write(struct tracee *tracee, pid_t first, int signal, FILE *out)
{
	scoped(proc_maps) struct proc_maps maps = {0};
	g_autoptr(GByteArray) notes = g_byte_array_new();
	struct writer w = {.tracee = tracee, .out = out, .notes = notes};

	TRY(proc_maps_read(tracee_pid(tracee), &maps));
	w.mappings = maps.list;
	proc_maps_mark(maps.list, read_memory, tracee);
	if (maps.list->len + 1 >= PN_XNUM)
		return error_new(ERROR_LIMIT, place_whole(tracee_name(tracee)),
				 "has too many mappings (%u) for a core file", maps.list->len);
	notes_make(&w, first, signal);
	if (!put_all(&w))
		return error_system(errno, place_whole(tracee_name(tracee)),
				    "its core cannot be written");
	return NULL;
}
