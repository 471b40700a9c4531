// SPDX-License-Identifier: Apache-2.0
// Takes the same mappings as the kernel dumps into a core (fs/coredump.c, vma_dump_size with the
// default filter): what the program may have changed, and of files that it only reads the first page,
// which holds their build ID. The rest is in the program's file.
#include "evidence/process/live.h"

#include "evidence/process/proc_maps.h"

#include <errno.h>
#include <glib.h>
#include <sys/uio.h>
#include <unistd.h>

struct live {
	struct process process; // first, so that it leads back to the live one
	int32_t pid;
	char *name, *program, *program_path, *command, *auxv;
	struct proc_maps maps;
	GArray *files; // struct process_mapping
	struct process_thread *threads;
};

static uint64_t fetch(void *context, uint64_t address, void *ret, uint64_t size)
{
	const struct live *live = context;
	uint64_t done = 0;

	while (done < size) {
		struct iovec here = {(uint8_t *)ret + done, size - done};
		struct iovec there = {(void *)(uintptr_t)(address + done), size - done};
		ssize_t n = process_vm_readv(live->pid, &here, 1, &there, 1, 0);

		if (n <= 0)
			break;
		done += (uint64_t)n;
	}
	return done;
}

static const struct proc_mapping *mapping_at(const struct live *live, guint i)
{
	return proc_maps_at(live->maps.list, i);
}

/** Mappings that touch are one range: a table may begin in one and end in the next. */
static uint64_t add_to(const struct process *process, struct memory *memory)
{
	struct live *live = (struct live *)(uintptr_t)process;
	uint64_t left_out = 0;
	guint i = 0;

	while (i < live->maps.list->len) {
		uint64_t start = mapping_at(live, i)->start;
		uint64_t end = start + proc_mapping_kept(mapping_at(live, i));

		for (i++;
		     i < live->maps.list->len && end > start && mapping_at(live, i)->start == end;
		     i++)
			end += proc_mapping_kept(mapping_at(live, i));
		if (!memory_add_lazy(memory, start, end - start, fetch, live,
				     (struct place){live->name, start}))
			left_out += end - start;
	}
	return left_out;
}

static void list_files(struct live *live)
{
	for (guint i = 0; i < live->maps.list->len; i++) {
		const struct proc_mapping *mapping = mapping_at(live, i);
		struct process_mapping file = {mapping->start, mapping->end, mapping->offset,
					       mapping->path};

		if (mapping->is_file)
			g_array_append_val(live->files, file);
	}
}

/** The arguments, parted by spaces as a core's are; the kernel ends each with NUL. */
static void join_arguments(char *command, gsize size)
{
	for (gsize i = 0; i + 1 < size; i++)
		if (!command[i])
			command[i] = ' ';
	g_strchomp(command);
}

static bool read_memory(void *context, uint64_t address, void *ret, size_t size)
{
	return fetch(context, address, ret, size) == size;
}

static struct error *read_all(struct live *live)
{
	gsize size = 0;

	TRY(proc_maps_read(live->pid, &live->maps));
	proc_maps_mark(live->maps.list, read_memory, live);
	list_files(live);
	TRY(proc_file_read(live->pid, "cmdline", &live->command, &size));
	join_arguments(live->command, size);
	TRY(proc_file_read(live->pid, "auxv", &live->auxv, &size));
	live->process.auxv = (struct text){live->auxv, size};
	live->program_path = g_file_read_link(live->program, NULL);
	if (!live->program_path)
		live->program_path = g_strdup(live->program);
	return NULL;
}

static void fill(struct live *live, size_t count)
{
	struct process *process = &live->process;

	process->name = live->name;
	process->live = true;
#ifdef __aarch64__
	process->arch = GO_ARCH_ARM64;
#else
	process->arch = GO_ARCH_AMD64;
#endif
	process->threads = live->threads;
	process->thread_count = count;
	process->mappings = (const struct process_mapping *)(const void *)live->files->data;
	process->mapping_count = live->files->len;
	process->command = live->command;
	process->add_to = add_to;
}

struct error *live_open(int32_t pid, const struct process_thread *threads, size_t count,
			struct live **ret)
{
	scoped(live) struct live *live = g_new0(struct live, 1);

	live->pid = pid;
	live->name = g_strdup_printf("process %d", (int)pid);
	live->program = g_strdup_printf("/proc/%d/exe", (int)pid);
	live->files = g_array_new(FALSE, FALSE, sizeof(struct process_mapping));
	live->threads = g_memdup2(threads, count * sizeof(*threads));
	TRY(read_all(live));
	fill(live, count);
	*ret = g_steal_pointer(&live);
	return NULL;
}

void live_set_later(struct live *live, struct process_later later) { live->process.later = later; }

void live_close(struct live *live)
{
	if (!live)
		return;
	proc_maps_done(&live->maps);
	g_array_free(live->files, TRUE);
	g_free(live->threads);
	g_free(live->name);
	g_free(live->program);
	g_free(live->program_path);
	g_free(live->command);
	g_free(live->auxv);
	g_free(live);
}

const struct process *live_process(const struct live *live) { return &live->process; }
const char *live_program(const struct live *live) { return live->program; }
const char *live_program_path(const struct live *live) { return live->program_path; }
