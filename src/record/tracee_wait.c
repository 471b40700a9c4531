// SPDX-License-Identifier: Apache-2.0
// The loop that follows a running process: what the kernel tells becomes the few events that matter.
#include "record/tracee_thread.h"

#include <errno.h>
#include <sys/wait.h>

static bool told(struct tracee_event *ret, struct tracee_event event)
{
	*ret = event;
	return true;
}

static bool ended(struct tracee *tracee, int status, struct tracee_event *ret)
{
	tracee->ended = true;
	tracee->end_status = status;
	return told(ret, (struct tracee_event){
				 .kind = TRACEE_ENDED, .tid = tracee->pid, .status = status});
}

/** The other threads are gone without a word, and so is the memory with its breakpoints. */
static bool became_another(struct tracee *tracee, struct tracee_thread *thread,
			   struct tracee_event *ret)
{
	pid_t tid = tracee->pid;

	thread->pending = 0;
	g_hash_table_steal(tracee->threads, GINT_TO_POINTER(thread->tid));
	g_hash_table_remove_all(tracee->threads);
	g_hash_table_insert(tracee->threads, GINT_TO_POINTER(tid), thread);
	thread->tid = tid;
	thread->watched = thread->told = false;
	tracee->gadgets.syscall = 0;
	g_array_set_size(tracee->breakpoints, 0);
	tracee->watch.size = 0;
	tracee->stopped = true;
	error_free(memory_reopen(tracee));
	return told(ret, (struct tracee_event){.kind = TRACEE_EXEC, .tid = tid});
}

static bool hit(struct tracee *tracee, struct tracee_thread *thread, uint64_t address,
		struct tracee_event *ret)
{
	scoped(error) struct error *error = NULL;

	thread->told = true;
	tracee->times = (struct tracee_times){.hit_ns = now_ns()};
	error = tracee_stop(tracee);
	tracee->times.stopped_ns = now_ns();
	if (error)
		return ended(tracee, tracee->end_status, ret);
	return told(ret, (struct tracee_event){.kind = TRACEE_BREAKPOINT,
					       .tid = thread->tid,
					       .address = address});
}

/** What a stop of a known thread means; the thread runs on when it means nothing. */
static bool take_stop(struct tracee *tracee, struct tracee_thread *thread, int status,
		      struct tracee_event *ret)
{
	uint64_t address;
	bool was_stopped = thread->group_stopped;

	thread->state = THREAD_STOPPED;
	if (thread_back_up(tracee, thread, status, &address))
		return hit(tracee, thread, address, ret);
	thread_stopped(tracee, thread, status);
	if (thread->pending >> 16 == PTRACE_EVENT_EXEC)
		return became_another(tracee, thread, ret);
	if (thread->pending) {
		thread->pending = 0;
		return told(ret,
			    (struct tracee_event){.kind = TRACEE_WATCHPOINT, .tid = thread->tid});
	}
	if (tracee->tell_births && status >> 16 == PTRACE_EVENT_CLONE)
		return told(ret, (struct tracee_event){.kind = TRACEE_BIRTH, .tid = thread->tid});
	thread_run(tracee, thread, PTRACE_CONT);
	if (thread->group_stopped && !was_stopped && thread->tid == tracee->pid)
		return told(ret, (struct tracee_event){.kind = TRACEE_SUSPENDED,
						       .tid = thread->tid,
						       .signal = WSTOPSIG(status)});
	return false;
}

static bool take_status(struct tracee *tracee, pid_t tid, int status, struct tracee_event *ret)
{
	struct tracee_thread *thread = thread_find(tracee, tid);

	if (!WIFSTOPPED(status)) {
		thread_forget(tracee, tid);
		return tid == tracee->pid && ended(tracee, status, ret);
	}
	if (!thread) { // its parent's word is still on the way
		g_hash_table_add(tracee->early, GINT_TO_POINTER(tid));
		return false;
	}
	return take_stop(tracee, thread, status, ret);
}

/** What was seen while stopping, and could not be told then. */
static bool take_pending(struct tracee *tracee, struct tracee_event *ret)
{
	g_autoptr(GList) threads = g_hash_table_get_values(tracee->threads);

	for (GList *i = threads; i; i = i->next) {
		struct tracee_thread *thread = i->data;

		if (!thread->pending)
			continue;
		if (thread->pending >> 16 == PTRACE_EVENT_EXEC)
			return became_another(tracee, thread, ret);
		thread->pending = 0;
		return told(ret,
			    (struct tracee_event){.kind = TRACEE_WATCHPOINT, .tid = thread->tid});
	}
	return false;
}

/** This process's own signals come first: a stream of stops must not keep Ctrl-C out. */
static bool take_signal(struct tracee *tracee, const struct timespec *patience, int *ret_signal,
			struct tracee_event *ret)
{
	siginfo_t info;

	*ret_signal = sigtimedwait(&tracee->wanted, &info, patience);
	if (*ret_signal <= 0 || *ret_signal == SIGCHLD)
		return false;
	return told(ret, (struct tracee_event){.kind = TRACEE_SIGNALLED,
					       .signal = *ret_signal,
					       .sent = info.si_code <= 0});
}

/**
 * Of a process that was let go: its end, and a child's stops. Threads that were killed before they could be let go, as the
 * first to run ended them all, are still this process's to be waited for.
 */
static bool take_released(struct tracee *tracee, struct tracee_event *ret)
{
	int status;
	pid_t got;

	while ((got = waitpid(-1, &status, __WALL | WNOHANG | WUNTRACED)) > 0) {
		if (got != tracee->pid)
			continue;
		if (!WIFSTOPPED(status))
			return ended(tracee, status, ret);
		return told(ret, (struct tracee_event){.kind = TRACEE_SUSPENDED,
						       .tid = tracee->pid,
						       .signal = WSTOPSIG(status)});
	}
	if (tracee->child)
		return got < 0 && errno == ECHILD && ended(tracee, 0, ret);
	return kill(tracee->pid, 0) != 0 && errno == ESRCH && ended(tracee, 0, ret);
}

static struct timespec remaining(uint64_t until)
{
	uint64_t now = now_ns(), left = until > now ? until - now : 0;

	return (struct timespec){(time_t)(left / 1000000000u), (long)(left % 1000000000u)};
}

/** Of a process that is no child nothing announces the end: it is looked for now and then. */
static struct error *wait_released(struct tracee *tracee, uint64_t until, struct tracee_event *ret)
{
	static const struct timespec now_and_then = {0, 20000000};

	for (;;) {
		int signal;

		if (take_released(tracee, ret) || take_signal(tracee, &now_and_then, &signal, ret))
			return NULL;
		if (now_ns() >= until)
			return told(ret, (struct tracee_event){.kind = TRACEE_TIMEOUT}), NULL;
	}
}

/** What the kernel tells of the held process; false when it has nothing to tell for now. */
static bool take_next(struct tracee *tracee, bool *ret_told, struct tracee_event *ret,
		      struct error **ret_error)
{
	int status;
	pid_t tid = waitpid(-1, &status, __WALL | WNOHANG);

	*ret_told = tid > 0 && take_status(tracee, tid, status, ret);
	if (tid < 0 && errno == ECHILD)
		*ret_error = error_new(ERROR_NOT_FOUND, place_whole(tracee->name),
				       "was lost: another process traces it now");
	return tid > 0;
}

static struct error *wait_held(struct tracee *tracee, uint64_t until, struct tracee_event *ret)
{
	static const struct timespec none = {0};

	for (;;) {
		struct error *error = NULL;
		bool done;
		bool more = take_next(tracee, &done, ret, &error);
		struct timespec patience = more ? none : remaining(until);
		int signal;

		if (done || error)
			return error;
		if (take_signal(tracee, &patience, &signal, ret))
			return NULL;
		if (!more && signal < 0 && errno == EAGAIN && now_ns() >= until)
			return told(ret, (struct tracee_event){.kind = TRACEE_TIMEOUT}), NULL;
	}
}

struct error *tracee_wait(struct tracee *tracee, int timeout_ms, struct tracee_event *ret)
{
	uint64_t until = timeout_ms < 0 ? UINT64_MAX : now_ns() + (uint64_t)timeout_ms * 1000000u;

	if (tracee->ended && ended(tracee, tracee->end_status, ret))
		return NULL;
	if (tracee->has_kept) {
		*ret = tracee->kept;
		tracee->has_kept = false;
		return NULL;
	}
	if (!tracee->held)
		return wait_released(tracee, until, ret);
	return take_pending(tracee, ret) ? NULL : wait_held(tracee, until, ret);
}

void tracee_tell_births(struct tracee *tracee, bool tell) { tracee->tell_births = tell; }

void tracee_put_back(struct tracee *tracee, const struct tracee_event *event)
{
	tracee->kept = *event;
	tracee->has_kept = true;
}

struct error *tracee_run_for(struct tracee *tracee, int ms)
{
	uint64_t until = now_ns() + (uint64_t)ms * 1000000u;
	struct tracee_event kept = {0};

	TRY(tracee_resume(tracee));
	while (now_ns() < until && !tracee->stopped) {
		struct tracee_event event = {0};

		TRY(tracee_wait(tracee, ms, &event));
		if (event.kind == TRACEE_ENDED || event.kind == TRACEE_EXEC)
			return error_new(ERROR_NOT_FOUND, place_whole(tracee->name), "has ended");
		if (event.kind == TRACEE_SIGNALLED)
			kept = event;
		if (event.kind == TRACEE_WATCHPOINT || event.kind == TRACEE_BIRTH)
			TRY(tracee_continue(tracee, event.tid));
	}
	if (kept.kind == TRACEE_SIGNALLED)
		tracee_put_back(tracee, &kept);
	return tracee_stop(tracee);
}
