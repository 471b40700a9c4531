// SPDX-License-Identifier: Apache-2.0
// What the parts of the tracee share: the table of threads, and one thread's dealings with the kernel.
#pragma once
#include "record/tracee.h"

#include <glib.h>
#include <signal.h>
#include <sys/ptrace.h>

enum thread_state { THREAD_RUNNING, THREAD_STOPPED };

struct tracee_thread {
	pid_t tid;
	enum thread_state state;
	int signal;         /**< to be delivered when it runs on */
	bool group_stopped; /**< by job control: it is to stay stopped when "run on" */
	bool watched;       /**< its debug registers are set */
	bool still;         /**< not to be resumed */
	bool left_out;      /**< did not stop in time */
	bool in_call; /**< inside a system call that has not its result yet: clone and the like */
	bool told;    /**< of the breakpoint that it stands on: to be stepped over */
	int pending;  /**< wait status seen while stopping, told later; 0 when none */
};

struct breakpoint {
	uint64_t address;
	uint8_t original;
};

struct tracee {
	pid_t pid;
	bool child, held, ended, stopping, stopped;
	bool tell_births;
	char name[32];
	GHashTable *threads; /**< pid_t → struct tracee_thread, owned */
	GHashTable *early;   /**< pid_t of tasks that stopped before their parent told of them */
	GArray *tids;        /**< pid_t, for tracee_threads() */
	GArray *breakpoints;
	int memory; /**< /proc/PID/mem, or -1 */
	struct {
		uint64_t syscall,
			sigreturn; /**< of instructions in its code; 0 when not looked for */
	} gadgets;
	struct {
		uint64_t address;
		unsigned size;
	} watch;
	struct tracee_times times;
	struct tracee_event kept; /**< to be told again */
	bool has_kept;
	sigset_t mask_before; /**< of this process */
	sigset_t wanted;      /**< SIGCHLD and the caught ones */
	bool masked;
	struct sigaction chld_before;
	int end_status;
};

struct tracee_thread *thread_find(struct tracee *tracee, pid_t tid);
struct tracee_thread *thread_add(struct tracee *tracee, pid_t tid);
void thread_forget(struct tracee *tracee, pid_t tid);
/** Restarts it, delivering what is due; one that is gone already is forgotten at its exit status. */
void thread_run(struct tracee *tracee, struct tracee_thread *thread, int request);
/** Takes in a wait status of a thread that is now stopped: what to deliver, who was born. */
void thread_stopped(struct tracee *tracee, struct tracee_thread *thread, int status);
/** True when it stands just behind a breakpoint that it has executed; moves it back onto it. */
bool thread_back_up(struct tracee *tracee, struct tracee_thread *thread, int status, uint64_t *ret);
/**
 * A thread that was asked to stop just as it ran into a breakpoint or a watchpoint stops before the kernel tells of
 * that. Takes the trap in then, as thread_stopped() does: let go with it still due, the thread would die of it.
 */
void thread_take_due_trap(struct tracee *tracee, struct tracee_thread *thread);
/** Is a SIGTRAP on its way to the program itself, in some stopped thread? */
bool tracee_has_traps(struct tracee *tracee);
/** Does some stopped thread's PC lie in [@a start, @a end)? */
bool tracee_is_inside(struct tracee *tracee, uint64_t start, uint64_t end);
/** Sets or clears its debug registers by tracee->watch; false when there are none to be had. */
bool thread_watch(struct tracee *tracee, struct tracee_thread *thread);

/** Removes breakpoints from a forked child's own copy of memory, and lets it run free. */
void child_release(struct tracee *tracee, pid_t child, bool shares_memory);

const struct breakpoint *breakpoint_at(const struct tracee *tracee, uint64_t address);
/** Writes or removes the trap itself. */
struct error *breakpoint_plant(struct tracee *tracee, const struct breakpoint *breakpoint,
			       bool set);
/** Executes the instruction under a breakpoint that the stopped thread stands on; all others stand. */
struct error *breakpoint_step_over(struct tracee *tracee, struct tracee_thread *thread);

/** Lets threads that a killed tracer left on the way back from a borrowed system call come back. */
struct error *tracee_settle(struct tracee *tracee);

/** Opens /proc/PID/mem again: after exec the old one is of the program that was. */
struct error *memory_reopen(struct tracee *tracee);

/** Why ptrace refused: which right is missing, or who traces it already. */
struct error *tracee_refusal(pid_t pid, int number);

uint64_t now_ns(void);
