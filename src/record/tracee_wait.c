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
	*ret_signal = sigtimedwait(&tracee->wanted, NULL, patience);
	if (*ret_signal <= 0 || *ret_signal == SIGCHLD)
		return false;
	return told(ret, (struct tracee_event){.kind = TRACEE_SIGNALLED, .signal = *ret_signal});
}

static struct timespec remaining(uint64_t until)
{
	uint64_t now = now_ns(), left = until > now ? until - now : 0;

	return (struct timespec){(time_t)(left / 1000000000u), (long)(left % 1000000000u)};
}

struct error *tracee_wait(struct tracee *tracee, int timeout_ms, struct tracee_event *ret)
{
	static const struct timespec none = {0};
	uint64_t until = timeout_ms < 0 ? UINT64_MAX : now_ns() + (uint64_t)timeout_ms * 1000000u;

	if (tracee->ended && ended(tracee, tracee->end_status, ret))
		return NULL;
	if (take_pending(tracee, ret))
		return NULL;
	for (;;) {
		int status, signal;
		pid_t tid = waitpid(-1, &status, __WALL | WNOHANG);

		if (tid > 0 && take_status(tracee, tid, status, ret))
			return NULL;
		if (tid < 0 && errno == ECHILD)
			return error_new(ERROR_NOT_FOUND, place_whole(tracee->name),
					 "was lost: another process traces it now");
		if (tid > 0) {
			if (take_signal(tracee, &none, &signal, ret))
				return NULL;
			continue;
		}
		struct timespec left = remaining(until);

		if (take_signal(tracee, &left, &signal, ret))
			return NULL;
		if (signal < 0 && errno == EAGAIN && now_ns() >= until)
			return told(ret, (struct tracee_event){.kind = TRACEE_TIMEOUT}), NULL;
	}
}
