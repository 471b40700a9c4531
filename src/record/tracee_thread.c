// SPDX-License-Identifier: Apache-2.0
// One thread's dealings with the kernel.
#include "record/tracee_thread.h"

#include <errno.h>
#include <linux/kcmp.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEBUG_CONTROL        7
#define DEBUG_STATUS         6
#define DEBUG_ENABLE_FIRST   0x1ull /* of DR7: DR0, this thread */
#define DEBUG_ON_WRITE       0x1ull
#define DEBUG_CONTROL_SHIFT  16
#define DEBUG_LENGTH_SHIFT   18
#define INT3_BYTES           1
#define REGISTER_OF_DEBUG(n) (offsetof(struct user, u_debugreg) + (n) * sizeof(long))
#define CLONE_EVENTS_SHIFT   16

struct tracee_thread *thread_find(struct tracee *tracee, pid_t tid)
{
	return g_hash_table_lookup(tracee->threads, GINT_TO_POINTER(tid));
}

struct tracee_thread *thread_add(struct tracee *tracee, pid_t tid)
{
	struct tracee_thread *thread = g_new0(struct tracee_thread, 1);

	thread->tid = tid;
	thread->state = THREAD_RUNNING;
	g_hash_table_insert(tracee->threads, GINT_TO_POINTER(tid), thread);
	return thread;
}

void thread_forget(struct tracee *tracee, pid_t tid)
{
	g_hash_table_remove(tracee->threads, GINT_TO_POINTER(tid));
}

void thread_run(struct tracee *tracee, struct tracee_thread *thread, int request)
{
	intptr_t signal = thread->signal;

	if (thread->watched != (tracee->watch.size != 0))
		thread_watch(tracee, thread);
	thread->signal = 0;
	thread->told = thread->in_call = false;
	thread->state = THREAD_RUNNING;
	if (thread->group_stopped)
		ptrace(PTRACE_LISTEN, thread->tid, NULL, NULL);
	else
		ptrace((enum __ptrace_request)request, thread->tid, NULL, (void *)signal);
	// one that was killed meanwhile says so by its exit status
}

/** clone() that makes a process of its own is told of as one that makes a thread. */
static bool is_thread(const struct tracee *tracee, pid_t tid)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/task/%d", (int)tracee->pid, (int)tid);

	return access(path, F_OK) == 0;
}

static bool shares_memory(const struct tracee *tracee, pid_t child, bool likely)
{
	long different = syscall(SYS_kcmp, tracee->pid, child, KCMP_VM, 0, 0);

	return different < 0 ? likely : different == 0;
}

static void take_child(struct tracee *tracee, pid_t child, int event)
{
	bool stopped = g_hash_table_remove(tracee->early, GINT_TO_POINTER(child));
	int status;

	if (event == PTRACE_EVENT_CLONE && is_thread(tracee, child)) {
		struct tracee_thread *thread = thread_find(tracee, child);

		if (!thread)
			thread = thread_add(tracee, child);
		if (stopped)
			thread->state = THREAD_STOPPED;
		if (stopped && !tracee->stopped && !tracee->stopping)
			thread_run(tracee, thread, PTRACE_CONT);
		return;
	}
	while (!stopped && waitpid(child, &status, __WALL) < 0 && errno == EINTR)
		;
	child_release(tracee, child, shares_memory(tracee, child, event != PTRACE_EVENT_FORK));
}

static void take_event(struct tracee *tracee, struct tracee_thread *thread, int status)
{
	unsigned long message = 0;
	int event = status >> CLONE_EVENTS_SHIFT;

	switch (event) {
	case PTRACE_EVENT_STOP:
		thread->group_stopped = WSTOPSIG(status) != SIGTRAP;
		return;
	case PTRACE_EVENT_CLONE:
	case PTRACE_EVENT_FORK:
	case PTRACE_EVENT_VFORK:
		thread->in_call = true;
		if (ptrace(PTRACE_GETEVENTMSG, thread->tid, NULL, &message) == 0)
			take_child(tracee, (pid_t)message, event);
		return;
	case PTRACE_EVENT_EXEC:
		thread->pending = status;
		return;
	default:
		return;
	}
}

/** True when its debug registers say that it has written the watched bytes; clears that. */
static bool thread_has_written(struct tracee_thread *thread)
{
	long status;

	if (!thread->watched)
		return false;
	errno = 0;
	status = ptrace(PTRACE_PEEKUSER, thread->tid, REGISTER_OF_DEBUG(DEBUG_STATUS), NULL);
	if (errno || !(status & 1))
		return false;
	ptrace(PTRACE_POKEUSER, thread->tid, REGISTER_OF_DEBUG(DEBUG_STATUS), 0);
	return true;
}

void thread_stopped(struct tracee *tracee, struct tracee_thread *thread, int status)
{
	uint64_t address;

	thread->state = THREAD_STOPPED;
	thread->signal = 0;
	if (status >> CLONE_EVENTS_SHIFT) {
		take_event(tracee, thread, status);
		return;
	}
	if (WSTOPSIG(status) == SIGTRAP && thread_back_up(tracee, thread, status, &address))
		return;
	if (WSTOPSIG(status) == SIGTRAP && thread_has_written(thread)) {
		thread->pending = status;
		return;
	}
	thread->signal = WSTOPSIG(status);
}

bool thread_back_up(struct tracee *tracee, struct tracee_thread *thread, int status, uint64_t *ret)
{
	struct user_regs_struct registers;
	siginfo_t info;

	if (status >> CLONE_EVENTS_SHIFT || WSTOPSIG(status) != SIGTRAP ||
	    ptrace(PTRACE_GETSIGINFO, thread->tid, NULL, &info) != 0 ||
	    (info.si_code != SI_KERNEL && info.si_code != TRAP_BRKPT) ||
	    ptrace(PTRACE_GETREGS, thread->tid, NULL, &registers) != 0 ||
	    !breakpoint_at(tracee, registers.rip - INT3_BYTES))
		return false;
	registers.rip -= INT3_BYTES;
	*ret = registers.rip;
	return ptrace(PTRACE_SETREGS, thread->tid, NULL, &registers) == 0;
}

/* Raised by the processor, so it cannot be blocked: it comes before the thread executes anything. */
static bool has_trap_due(const struct tracee_thread *thread)
{
	struct __ptrace_peeksiginfo_args which = {.off = 0, .flags = 0, .nr = 1};
	siginfo_t info;

	for (; ptrace(PTRACE_PEEKSIGINFO, thread->tid, &which, &info) == 1; which.off++)
		if (info.si_signo == SIGTRAP && info.si_code > 0)
			return true;
	return false;
}

void thread_take_due_trap(struct tracee *tracee, struct tracee_thread *thread)
{
	int status;

	if (thread->state != THREAD_STOPPED || thread->signal || thread->pending ||
	    thread->group_stopped || !has_trap_due(thread))
		return;
	if (ptrace(PTRACE_CONT, thread->tid, NULL, NULL) != 0 ||
	    waitpid(thread->tid, &status, __WALL) != thread->tid)
		return; // it was killed: its exit status will say so
	if (WIFSTOPPED(status)) {
		thread_stopped(tracee, thread, status);
		return;
	}
	if (thread->tid == tracee->pid) {
		tracee->ended = true;
		tracee->end_status = status;
	}
	thread_forget(tracee, thread->tid);
}

typedef bool (*thread_test)(const struct tracee_thread *thread, uint64_t start, uint64_t end);

static bool any_stopped(struct tracee *tracee, thread_test test, uint64_t start, uint64_t end)
{
	GHashTableIter all;
	gpointer value;

	g_hash_table_iter_init(&all, tracee->threads);
	while (g_hash_table_iter_next(&all, NULL, &value)) {
		const struct tracee_thread *thread = value;

		if (thread->state == THREAD_STOPPED && test(thread, start, end))
			return true;
	}
	return false;
}

static bool is_trapped(const struct tracee_thread *thread, uint64_t start, uint64_t end)
{
	return thread->signal == SIGTRAP || has_trap_due(thread);
}

static bool is_inside(const struct tracee_thread *thread, uint64_t start, uint64_t end)
{
	struct user_regs_struct registers;

	return ptrace(PTRACE_GETREGS, thread->tid, NULL, &registers) == 0 &&
	       registers.rip >= start && registers.rip < end;
}

bool tracee_has_traps(struct tracee *tracee) { return any_stopped(tracee, is_trapped, 0, 0); }

bool tracee_is_inside(struct tracee *tracee, uint64_t start, uint64_t end)
{
	return any_stopped(tracee, is_inside, start, end);
}

static uint64_t control_for(unsigned size)
{
	static const uint64_t lengths[] = {[1] = 0, [2] = 1, [4] = 3, [8] = 2};

	if (!size)
		return 0;
	return DEBUG_ENABLE_FIRST | DEBUG_ON_WRITE << DEBUG_CONTROL_SHIFT |
	       lengths[size] << DEBUG_LENGTH_SHIFT;
}

static bool set_debug_register(const struct tracee_thread *thread, int number, uint64_t value)
{
	return ptrace(PTRACE_POKEUSER, thread->tid, REGISTER_OF_DEBUG(number), value) == 0 ||
	       errno == ESRCH;
}

bool thread_watch(struct tracee *tracee, struct tracee_thread *thread)
{
	bool done = set_debug_register(thread, DEBUG_CONTROL, 0);

	if (tracee->watch.size)
		done = done && set_debug_register(thread, 0, tracee->watch.address) &&
		       set_debug_register(thread, DEBUG_CONTROL, control_for(tracee->watch.size));
	thread->watched = tracee->watch.size != 0;
	return done;
}
