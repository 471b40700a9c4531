// SPDX-License-Identifier: Apache-2.0
// Taking hold of a process and letting go of it.
#include "record/tracee_thread.h"

#include "base/limits.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define OPTIONS                                                                                    \
	(PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC |     \
	 PTRACE_O_TRACESYSGOOD)
#define STOP_SECONDS  5
#define HEAD_START_US 2000 /* of the thread that came to a breakpoint first */
#define LISTINGS_MAX  64   /* of a process that makes threads faster than they can be listed */

uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

pid_t tracee_pid(const struct tracee *tracee) { return tracee->pid; }
bool tracee_is_child(const struct tracee *tracee) { return tracee->child; }
bool tracee_is_held(const struct tracee *tracee) { return tracee->held && !tracee->ended; }
const char *tracee_name(const struct tracee *tracee) { return tracee->name; }
struct tracee_times tracee_times(const struct tracee *tracee) { return tracee->times; }

/** SIGCHLD announces every stop. It is waited for, and must neither be lost nor reap children unseen. */
static void signals_take(struct tracee *tracee)
{
	struct sigaction normal = {.sa_handler = SIG_DFL};

	sigaction(SIGCHLD, &normal, &tracee->chld_before);
	sigemptyset(&tracee->wanted);
	sigaddset(&tracee->wanted, SIGCHLD);
	sigprocmask(SIG_BLOCK, &tracee->wanted, &tracee->mask_before);
	tracee->masked = true;
}

static void signals_give_back(struct tracee *tracee)
{
	if (!tracee->masked)
		return;
	tracee->masked = false;
	sigaction(SIGCHLD, &tracee->chld_before, NULL);
	sigprocmask(SIG_SETMASK, &tracee->mask_before, NULL);
}

void tracee_catch(struct tracee *tracee, const int *signals, size_t count)
{
	for (size_t i = 0; i < count; i++)
		sigaddset(&tracee->wanted, signals[i]);
	sigprocmask(SIG_BLOCK, &tracee->wanted, NULL);
}

static struct tracee *tracee_new(void)
{
	struct tracee *tracee = g_new0(struct tracee, 1);

	tracee->memory = -1;
	tracee->threads = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	tracee->early = g_hash_table_new(NULL, NULL);
	tracee->tids = g_array_new(FALSE, FALSE, sizeof(pid_t));
	tracee->breakpoints = g_array_new(FALSE, FALSE, sizeof(struct breakpoint));
	signals_take(tracee);
	return tracee;
}

void tracee_close(struct tracee *tracee)
{
	if (!tracee)
		return;
	error_free(tracee_detach(tracee));
	signals_give_back(tracee);
	if (tracee->memory >= 0)
		close(tracee->memory);
	g_hash_table_unref(tracee->threads);
	g_hash_table_unref(tracee->early);
	g_array_free(tracee->tids, TRUE);
	g_array_free(tracee->breakpoints, TRUE);
	g_free(tracee);
}

static void name_it(struct tracee *tracee, pid_t pid)
{
	tracee->pid = pid;
	snprintf(tracee->name, sizeof(tracee->name), "process %d", (int)pid);
}

static struct error *seize(struct tracee *tracee, pid_t tid)
{
	if (ptrace(PTRACE_SEIZE, tid, NULL, (void *)OPTIONS) != 0)
		return tracee_refusal(tid, errno);
	thread_add(tracee, tid);
	return NULL;
}

/* --- launch --- */

/** In the child: waits to be seized, becomes the program, or says why not. */
static _Noreturn void become(struct tracee *tracee, char *const argv[], const int go[2], int failed)
{
	char byte;
	int number;

	sigaction(SIGCHLD, &tracee->chld_before, NULL);
	sigprocmask(SIG_SETMASK, &tracee->mask_before, NULL);
	close(go[1]);
	while (read(go[0], &byte, 1) < 0 && errno == EINTR)
		;
	execvp(argv[0], argv);
	number = errno;
	(void)!write(failed, &number, sizeof(number));
	_exit(127);
}

static struct error *cannot_run(const char *program, int number)
{
	if (number == ENOENT)
		return error_with_hint(error_new(ERROR_NOT_FOUND, place_whole(program),
						 "there is no such program"),
				       "give its path, as in `mapfault run -- ./server`");
	return error_system(number, place_whole(program), "cannot be run");
}

/** Waits until it has become the program, which stops it, or has failed to. */
static struct error *await_exec(struct tracee *tracee, const char *program, int failed)
{
	struct tracee_thread *thread = thread_find(tracee, tracee->pid);
	int status, number = 0;

	for (;;) {
		if (waitpid(tracee->pid, &status, __WALL) < 0 && errno == EINTR)
			continue;
		if (!WIFSTOPPED(status)) {
			tracee->ended = true;
			if (read(failed, &number, sizeof(number)) != sizeof(number))
				number = ECHILD;
			return cannot_run(program, number);
		}
		thread->state = THREAD_STOPPED;
		if (status >> 16 == PTRACE_EVENT_EXEC)
			return NULL;
		thread_stopped(tracee, thread, status);
		thread_run(tracee, thread, PTRACE_CONT);
	}
}

static struct error *launch(struct tracee *tracee, char *const argv[])
{
	int go[2], failed[2];
	struct error *error;
	pid_t pid;

	if (pipe2(go, O_CLOEXEC) != 0 || pipe2(failed, O_CLOEXEC) != 0)
		return error_system(errno, place_whole(argv[0]), "cannot be run");
	pid = fork();
	if (pid < 0)
		return error_system(errno, place_whole(argv[0]), "cannot be run");
	if (pid == 0)
		become(tracee, argv, go, failed[1]);
	name_it(tracee, pid);
	tracee->child = tracee->held = true;
	error = seize(tracee, pid);
	close(go[0]);
	close(failed[1]);
	close(go[1]);
	if (!error)
		error = await_exec(tracee, argv[0], failed[0]);
	close(failed[0]);
	tracee->stopped = true;
	return error ? error : memory_reopen(tracee);
}

struct error *tracee_launch(char *const argv[], struct tracee **ret)
{
	scoped(tracee) struct tracee *tracee = tracee_new();

	TRY(launch(tracee, argv));
	*ret = g_steal_pointer(&tracee);
	return NULL;
}

/* --- attach --- */

/** The process that a thread belongs to; the number itself when it cannot be told. */
static pid_t process_of(pid_t tid)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/status", (int)tid);
	g_autofree char *status = NULL;
	const char *at;

	if (!g_file_get_contents(path, &status, NULL, NULL))
		return tid;
	at = strstr(status, "\nTgid:");
	return at ? (pid_t)g_ascii_strtoll(at + strlen("\nTgid:"), NULL, 10) : tid;
}

static bool is_ours(pid_t tid)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/status", (int)tid);
	g_autofree char *status = NULL;
	const char *at;

	if (!g_file_get_contents(path, &status, NULL, NULL))
		return false;
	at = strstr(status, "\nTracerPid:");
	return at && g_ascii_strtoll(at + strlen("\nTracerPid:"), NULL, 10) == getpid();
}

/** Seizes the threads that are not yet; a thread made by a seized one is so from birth. */
static struct error *seize_listed(struct tracee *tracee, size_t *ret_new)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/task", (int)tracee->pid);
	DIR *folder = opendir(path);
	struct dirent *entry;

	*ret_new = 0;
	if (!folder)
		return tracee_refusal(tracee->pid, ESRCH);
	while ((entry = readdir(folder))) {
		pid_t tid = (pid_t)g_ascii_strtoll(entry->d_name, NULL, 10);

		if (tid <= 0 || thread_find(tracee, tid))
			continue;
		if (ptrace(PTRACE_SEIZE, tid, NULL, (void *)OPTIONS) != 0 && !is_ours(tid))
			continue; // ended meanwhile
		thread_add(tracee, tid);
		(*ret_new)++;
	}
	closedir(folder);
	return NULL;
}

static struct error *attach(struct tracee *tracee, pid_t pid)
{
	size_t new = 1;

	name_it(tracee, process_of(pid));
	TRY(seize(tracee, tracee->pid));
	tracee->held = true;
	for (int i = 0; new &&i < LISTINGS_MAX; i++)
		TRY(seize_listed(tracee, &new));
	TRY(memory_reopen(tracee));
	TRY(tracee_stop(tracee));
	return tracee_settle(tracee);
}

struct error *tracee_attach(pid_t pid, struct tracee **ret)
{
	scoped(tracee) struct tracee *tracee = NULL;

	if (pid <= 0)
		return error_new(ERROR_USAGE, place_whole(""), "%d is no process's number",
				 (int)pid);
	tracee = tracee_new();
	TRY(attach(tracee, pid));
	*ret = g_steal_pointer(&tracee);
	return NULL;
}

/* --- stop and go --- */

/** Takes the stop of each thread that has stopped; how many are still running. */
static size_t collect(struct tracee *tracee)
{
	GHashTableIter all;
	gpointer value;
	size_t running = 0;
	GArray *gone = g_array_new(FALSE, FALSE, sizeof(pid_t));
	GPtrArray *list = g_ptr_array_new();

	g_hash_table_iter_init(&all, tracee->threads);
	while (g_hash_table_iter_next(&all, NULL, &value))
		if (((struct tracee_thread *)value)->state == THREAD_RUNNING &&
		    !((struct tracee_thread *)value)->left_out)
			g_ptr_array_add(list, value);
	for (guint i = 0; i < list->len; i++) {
		struct tracee_thread *thread = g_ptr_array_index(list, i);
		int status;
		pid_t got = waitpid(thread->tid, &status, __WALL | WNOHANG);

		running += got == 0;
		if (got == thread->tid && WIFSTOPPED(status)) {
			thread_stopped(tracee, thread, status);
			continue;
		}
		if (got == thread->tid && thread->tid == tracee->pid) {
			tracee->ended = true;
			tracee->end_status = status;
		}
		if (got != 0)
			g_array_append_val(gone, thread->tid);
	}
	for (guint i = 0; i < gone->len; i++)
		thread_forget(tracee, g_array_index(gone, pid_t, i));
	g_array_free(gone, TRUE);
	g_ptr_array_free(list, TRUE);
	return running;
}

static void leave_out_running(struct tracee *tracee)
{
	GHashTableIter all;
	gpointer value;

	g_hash_table_iter_init(&all, tracee->threads);
	while (g_hash_table_iter_next(&all, NULL, &value)) {
		struct tracee_thread *thread = value;

		thread->left_out = thread->state == THREAD_RUNNING;
	}
}

static bool any_runs(struct tracee *tracee)
{
	GHashTableIter all;
	gpointer value;

	g_hash_table_iter_init(&all, tracee->threads);
	while (g_hash_table_iter_next(&all, NULL, &value))
		if (((struct tracee_thread *)value)->state == THREAD_RUNNING)
			return true;
	return false;
}

/** A main thread that has ended by itself stays a zombie until the others have, and never stops. */
static bool only_zombie_leader(struct tracee *tracee, size_t running)
{
	g_autofree char *path =
		g_strdup_printf("/proc/%d/task/%d/stat", (int)tracee->pid, (int)tracee->pid);
	struct tracee_thread *leader = thread_find(tracee, tracee->pid);
	g_autofree char *stat = NULL;
	const char *state;

	if (running != 1 || !leader || leader->state != THREAD_RUNNING ||
	    !g_file_get_contents(path, &stat, NULL, NULL))
		return false;
	state = strrchr(stat, ')');
	return state && state[1] && state[2] == 'Z';
}

static void take_due_traps(struct tracee *tracee)
{
	g_autoptr(GList) threads = g_hash_table_get_values(tracee->threads);
	bool any = tracee->breakpoints->len || tracee->watch.size;

	for (GList *i = threads; any && i; i = i->next)
		thread_take_due_trap(tracee, i->data);
}

struct error *tracee_stop(struct tracee *tracee)
{
	static const struct timespec patience = {0, 2000000};
	uint64_t until = now_ns() + STOP_SECONDS * 1000000000ull;
	sigset_t child;
	GHashTableIter all;
	gpointer value;
	size_t running;

	if (!tracee_is_held(tracee) || tracee->stopped)
		return NULL;
	tracee->stopping = true;
	g_hash_table_iter_init(&all, tracee->threads);
	while (g_hash_table_iter_next(&all, NULL, &value))
		if (((struct tracee_thread *)value)->state == THREAD_RUNNING)
			ptrace(PTRACE_INTERRUPT, ((struct tracee_thread *)value)->tid, NULL, NULL);
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	// threads that are born meanwhile are among those that run, and stop at birth
	while (!tracee->ended && ((running = collect(tracee)) || any_runs(tracee))) {
		if (only_zombie_leader(tracee, running) || now_ns() > until)
			break;
		if (running)
			sigtimedwait(&child, NULL, &patience);
	}
	leave_out_running(tracee);
	take_due_traps(tracee);
	tracee->stopping = false;
	tracee->stopped = true;
	if (tracee->ended)
		return error_new(ERROR_NOT_FOUND, place_whole(tracee->name), "has ended");
	return NULL;
}

static void run_all(struct tracee *tracee)
{
	g_autoptr(GList) threads = g_hash_table_get_values(tracee->threads);

	tracee->stopped = false;
	for (GList *i = threads; i; i = i->next) {
		struct tracee_thread *thread = i->data;

		thread->left_out = false;
		if (thread->state == THREAD_STOPPED && !thread->pending && !thread->still)
			thread_run(tracee, thread, PTRACE_CONT);
	}
}

/** Those that hit a breakpoint first execute what is under it, alone. */
static struct error *step_all_over(struct tracee *tracee)
{
	g_autoptr(GList) threads = g_hash_table_get_values(tracee->threads);

	for (GList *i = threads; i && tracee->breakpoints->len; i = i->next) {
		struct tracee_thread *thread = i->data;

		if (thread->state == THREAD_STOPPED && thread->told && !thread->still)
			TRY(breakpoint_step_over(tracee, thread));
	}
	return NULL;
}

struct error *tracee_resume(struct tracee *tracee)
{
	if (!tracee_is_held(tracee) || !tracee->stopped)
		return NULL;
	TRY(step_all_over(tracee));
	run_all(tracee);
	return NULL;
}

struct error *tracee_resume_others(struct tracee *tracee, pid_t still)
{
	struct tracee_thread *thread = thread_find(tracee, still);

	if (thread)
		thread->still = true;
	return tracee_resume(tracee);
}

struct error *tracee_continue(struct tracee *tracee, pid_t tid)
{
	struct tracee_thread *thread = thread_find(tracee, tid);

	if (thread && thread->state == THREAD_STOPPED)
		thread_run(tracee, thread, PTRACE_CONT);
	return NULL;
}

/** A watched thread's debug registers would outlive the tracer, so they are cleared here. */
static void let_go_of(struct tracee *tracee, struct tracee_thread *thread)
{
	if (thread->watched)
		thread_watch(tracee, thread);
	ptrace(PTRACE_DETACH, thread->tid, NULL, (void *)(intptr_t)thread->signal);
}

/** Whoever was held still, or else stands at a breakpoint, was first there, and is to be first again. */
static gint before(gconstpointer a, gconstpointer b)
{
	const struct tracee_thread *x = a, *y = b;

	if (x->still != y->still)
		return x->still ? -1 : 1;
	return x->told == y->told ? 0 : x->told ? -1 : 1;
}

static void let_go(struct tracee *tracee)
{
	GList *threads = g_list_sort(g_hash_table_get_values(tracee->threads), before);

	for (GList *i = threads; i; i = i->next) {
		const struct tracee_thread *thread = i->data;

		let_go_of(tracee, i->data);
		if (i == threads && (thread->still || thread->told))
			g_usleep(HEAD_START_US);
	}
	g_list_free(threads);
	g_hash_table_remove_all(tracee->threads);
	tracee->held = false;
}

static struct error *detach(struct tracee *tracee, bool stopped)
{
	scoped(error) struct error *ended = NULL;

	if (!tracee_is_held(tracee))
		return NULL;
	ended = tracee_stop(tracee);
	if (ended)
		return NULL; // nothing is left to be put back
	tracee_remove_breakpoints(tracee);
	tracee->watch.size = 0;
	if (stopped)
		kill(tracee->pid, SIGSTOP);
	let_go(tracee);
	return NULL;
}

struct error *tracee_detach(struct tracee *tracee) { return detach(tracee, false); }
struct error *tracee_detach_stopped(struct tracee *tracee) { return detach(tracee, true); }

static void list_thread(gpointer key, gpointer value, gpointer context)
{
	struct tracee *tracee = context;
	const struct tracee_thread *thread = value;

	if (thread->tid == tracee->pid)
		g_array_prepend_val(tracee->tids, thread->tid);
	else
		g_array_append_val(tracee->tids, thread->tid);
}

const pid_t *tracee_threads(const struct tracee *tracee, size_t *ret_count)
{
	g_array_set_size(tracee->tids, 0);
	g_hash_table_foreach(tracee->threads, list_thread, (gpointer)tracee);
	*ret_count = tracee->tids->len;
	return (const pid_t *)(const void *)tracee->tids->data;
}
