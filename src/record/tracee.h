// SPDX-License-Identifier: Apache-2.0
// A whole live process under ptrace: all its threads stopped and let go together, its memory,
// registers, breakpoints and system calls. Knows nothing of Go. Everything is done by the thread that
// launched or attached, as ptrace asks. x86-64.
#pragma once
#include "base/error.h"

#include <sys/types.h>
#include <sys/user.h>

struct tracee;

/**
 * Starts a program and stops it at its first instruction. It inherits standard streams, environment,
 * working folder and process group. @a argv is NULL-terminated; argv[0] is looked for in PATH.
 */
struct error *tracee_launch(char *const argv[], struct tracee **ret);
/**
 * Takes hold of every thread of a running process and stops it. The process sees no signal.
 * @return ERROR_REFUSED saying which right is missing, or who traces it already
 */
struct error *tracee_attach(pid_t pid, struct tracee **ret);
/**
 * Lets go: every breakpoint and watchpoint is removed, signals that were held back are delivered, and
 * all threads run on. Harmless when the process has ended or was let go before.
 */
struct error *tracee_detach(struct tracee *tracee);
/** As tracee_detach(), but the process is left stopped as by SIGSTOP. */
struct error *tracee_detach_stopped(struct tracee *tracee);
/** Detaches if need be, and frees. */
void tracee_close(struct tracee *tracee);

pid_t tracee_pid(const struct tracee *tracee);
/** It was started by tracee_launch(), so it is this process's child. */
bool tracee_is_child(const struct tracee *tracee);
/** False once it has ended or was let go. */
bool tracee_is_held(const struct tracee *tracee);
/** "process 1234": for messages and places. */
const char *tracee_name(const struct tracee *tracee);

/**
 * Stops every thread. Those that do not stop within some seconds (in the middle of disk I/O that hangs)
 * are left out and keep running only in the kernel.
 */
struct error *tracee_stop(struct tracee *tracee);
/** Lets every thread run on, with the signals that are due to it. */
struct error *tracee_resume(struct tracee *tracee);

/** The same, but one thread stays where it is, until the process is let go. */
struct error *tracee_resume_others(struct tracee *tracee, pid_t still);

struct tracee_times {
	uint64_t hit_ns;     /**< when the tracer saw the breakpoint */
	uint64_t stopped_ns; /**< when every thread stood */
};
/** Of the last breakpoint's stop, on CLOCK_MONOTONIC; zeros before the first. */
struct tracee_times tracee_times(const struct tracee *tracee);

/** Thread ids, the main thread first; valid until the tracee is resumed. */
const pid_t *tracee_threads(const struct tracee *tracee, size_t *ret_count);
/** Registers of a stopped thread. */
struct error *tracee_registers(struct tracee *tracee, pid_t tid, struct user_regs_struct *ret);
struct error *tracee_set_registers(struct tracee *tracee, pid_t tid,
				   const struct user_regs_struct *registers);

/** False when not all of it is readable. Works while it runs, too. */
bool tracee_read(const struct tracee *tracee, uint64_t address, void *ret, size_t size);
/** Writes to any mapping, read-only code included. Works while it runs, too. */
struct error *tracee_write(struct tracee *tracee, uint64_t address, const void *bytes, size_t size);

/**
 * Makes a stopped thread execute one system call, all others standing, and puts everything back. No
 * byte of the process's code is changed, and should the tracer be killed in the middle, the thread goes on
 * by itself where it was.
 * @param ret_result  what the kernel returned: -errno when the call itself failed
 */
struct error *tracee_syscall(struct tracee *tracee, long number, const uint64_t arguments[6],
			     int64_t *ret_result);

/** The same; a call that fails is an error, "it may not @a what". */
struct error *tracee_call(struct tracee *tracee, const char *what, long number,
			  const uint64_t arguments[6], uint64_t *ret);
/** Maps memory in the process, there or not at all. */
struct error *tracee_map(struct tracee *tracee, uint64_t address, uint64_t size, int rights,
			 int flags, uint64_t fd);
struct error *tracee_unmap(struct tracee *tracee, uint64_t address, uint64_t size);

/**
 * A breakpoint on the instruction at @a address; the process must be stopped. Twice at one address is
 * once. A hit is told by tracee_wait().
 */
struct error *tracee_add_breakpoint(struct tracee *tracee, uint64_t address);
struct error *tracee_remove_breakpoint(struct tracee *tracee, uint64_t address);
void tracee_remove_breakpoints(struct tracee *tracee);
/**
 * A hardware watchpoint on writes to @a size (1, 2, 4, 8) aligned bytes, on all threads, also new ones.
 * @return ERROR_REFUSED when there is no debug register to be had
 */
struct error *tracee_watch(struct tracee *tracee, uint64_t address, unsigned size);
void tracee_unwatch(struct tracee *tracee);

enum tracee_event_kind {
	TRACEE_BREAKPOINT, /**< a thread stands on a breakpoint; every thread is stopped */
	TRACEE_WATCHPOINT, /**< a thread has written the watched bytes; only that thread is stopped */
	TRACEE_BIRTH, /**< a thread has made another one, and alone is stopped: only when asked for */
	TRACEE_EXEC,      /**< it became another program; stopped, breakpoints are gone */
	TRACEE_ENDED,     /**< `status` is that of waitpid() */
	TRACEE_SIGNALLED, /**< this process got the signal `signal`, one of those of tracee_catch() */
	TRACEE_SUSPENDED, /**< job control stopped it, by `signal` */
	TRACEE_TIMEOUT,
};

struct tracee_event {
	enum tracee_event_kind kind;
	pid_t tid;
	uint64_t address; /**< of the breakpoint */
	int status;
	int signal;
	bool sent; /**< the signal came from a process, not from the terminal */
};

/** Signals of this process's own that tracee_wait() shall tell of, instead of what they do else. */
void tracee_catch(struct tracee *tracee, const int *signals, size_t count);
/**
 * Waits for the next event while the process runs, also after it was let go: then for its end only, whose status is
 * known of a child. Everything else is handled inside: signals are passed
 * on, new threads are taken along, stops by job control stay stops, and child processes run free, without
 * breakpoints. After TRACEE_BREAKPOINT and TRACEE_EXEC call tracee_resume(), which first steps over the
 * breakpoint; after TRACEE_WATCHPOINT and TRACEE_BIRTH,
 * tracee_continue().
 * @param timeout_ms  negative: none
 */
struct error *tracee_wait(struct tracee *tracee, int timeout_ms, struct tracee_event *ret);
/** Shall tracee_wait() tell of new threads? */
void tracee_tell_births(struct tracee *tracee, bool tell);
/** Has the next tracee_wait() tell of this. */
void tracee_put_back(struct tracee *tracee, const struct tracee_event *event);
/** Lets a stopped process run for so long at least, and stops it again. */
struct error *tracee_run_for(struct tracee *tracee, int ms);
/** Lets one thread run on. */
struct error *tracee_continue(struct tracee *tracee, pid_t tid);

static inline void tracee_free_at(struct tracee **tracee) { tracee_close(*tracee); }
