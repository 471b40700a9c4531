// SPDX-License-Identifier: Apache-2.0
#include "model/profile/gc_log.h"

#include "evidence/file/elf_file.h"
#include "evidence/text/gctrace.h"

#include <glib.h>
#include <sys/stat.h>
#include <unistd.h>

#define NS_PER_S 1000000000ll

struct reading {
	struct gc_log *log;
	GArray *cycles; /* struct gc_cycle */
	size_t stamped;
};

static void add_cycle(struct reading *in, const struct gctrace_cycle *found)
{
	const struct gc_cycle *last =
		in->cycles->len ? &g_array_index(in->cycles, struct gc_cycle, in->cycles->len - 1)
				: NULL;
	struct gc_cycle cycle = {
		.number = found->number,
		.at_s = found->at_s,
		.time_ns = found->stamp_ns,
		.cpu_percent = found->cpu_percent,
		.before_mb = found->before_mb,
		.after_mb = found->after_mb,
		.live_mb = found->live_mb,
		.goal_mb = found->goal_mb,
		.forced = found->forced,
	};

	if (last && cycle.number <= last->number) { /* the process began anew */
		g_array_set_size(in->cycles, 0);
		in->stamped = 0;
	}
	in->stamped += cycle.time_ns != 0;
	g_array_append_val(in->cycles, cycle);
}

static void add_line(struct reading *in, struct text line)
{
	struct gctrace_cycle cycle;
	struct schedtrace_line sched;

	if (gctrace_line(line, &cycle)) {
		add_cycle(in, &cycle);
	} else if (schedtrace_take(line, &sched)) {
		in->log->sched_count++;
		in->log->run_queue_max = MAX(in->log->run_queue_max, sched.run_queue);
		in->log->threads_max = MAX(in->log->threads_max, sched.threads);
	}
}

static void read_lines(struct reading *in, struct text text)
{
	while (text.n) {
		const char *end = memchr(text.p, '\n', text.n);
		struct text line = {text.p, end ? (size_t)(end - text.p) : text.n};

		add_line(in, line);
		text.p += line.n + (end != NULL);
		text.n -= line.n + (end != NULL);
	}
}

/*
 * A line's own time is best. Without, the file was last written when its last line was: that is
 * exact for a log that still stands where the process wrote it.
 */
static void set_clock(struct reading *in, int64_t written_ns)
{
	struct gc_log *log = in->log;
	struct gc_cycle *cycles = log->cycles;
	size_t n = log->cycle_count;

	log->clock = "";
	if (n == 0)
		return;
	if (in->stamped == n) {
		log->clock = "time stamps of its lines";
		return;
	}
	for (size_t i = 0; i < n; i++)
		cycles[i].time_ns =
			written_ns - (int64_t)((cycles[n - 1].at_s - cycles[i].at_s) * NS_PER_S);
	log->clock = "time of the file";
	gap_add(&log->gaps, log->arena, "when the collector's cycles were",
		"the lines of the log have no time: the last is taken to be as old as the file",
		"which cycles lie before a change and which after");
}

struct error *gc_log_read(const char *path, struct gc_log **ret)
{
	struct gc_log *log = g_new0(struct gc_log, 1);
	struct reading in = {log, g_array_new(FALSE, FALSE, sizeof(struct gc_cycle)), 0};
	struct elf_file mapped = {0};
	struct stat info = {0};
	struct error *error;
	int file = -1;

	log->arena = arena_new();
	log->path = arena_string(log->arena, text_of(path));
	error = elf_file_open_path(path, &file);
	if (!error) {
		fstat(file, &info);
		error = elf_file_map(file, path, &mapped);
		close(file);
	}
	if (!error) {
		read_lines(&in, (struct text){(const char *)mapped.bytes, mapped.size});
		log->cycles = arena_copy(log->arena, in.cycles->data,
					 in.cycles->len * sizeof(struct gc_cycle));
		log->cycle_count = in.cycles->len;
		set_clock(&in, info.st_mtim.tv_sec * NS_PER_S + info.st_mtim.tv_nsec);
	}
	elf_file_done(&mapped);
	g_array_unref(in.cycles);
	if (!error && !log->cycle_count && !log->sched_count)
		error = error_with_hint(error_new(ERROR_UNRECOGNISED, place_whole(path),
						  "is text, and no line of it is the collector's"),
					"run the program with GODEBUG=gctrace=1 and keep its "
					"standard error");
	if (error)
		gc_log_free(log);
	else
		*ret = log;
	return error;
}

void gc_log_free(struct gc_log *log)
{
	if (!log)
		return;
	g_free(log->gaps.items);
	arena_free(log->arena);
	g_free(log);
}
