// SPDX-License-Identifier: Apache-2.0
// Other facts of the runtime, by version: goroutine states, wait reasons, roles of functions on a
// stack.
#pragma once
#include "base/text.h"
#include "golang/version.h"

#include <stdint.h>

/** g.atomicstatus without the scan bit. */
enum go_status {
	GO_STATUS_IDLE = 0,
	GO_STATUS_RUNNABLE = 1,
	GO_STATUS_RUNNING = 2,
	GO_STATUS_SYSCALL = 3,
	GO_STATUS_WAITING = 4,
	GO_STATUS_DEAD = 6,
	GO_STATUS_COPYSTACK = 8,
	GO_STATUS_PREEMPTED = 9,
	GO_STATUS_LEAKED = 10,
	GO_STATUS_DEADEXTRA = 11,
};
#define GO_STATUS_SCAN 0x1000u

/** "runnable", "waiting" ...: gStatusStrings; "unknown" for a number that the runtime lacks. */
const char *go_status_name(uint32_t status);
/**
 * Text of a wait reason in @a version (1.11+, where it is a number); "" for 0, NULL when out of
 * range or when the minor is not in the table: reasons are renumbered too often for a guess.
 */
const char *go_wait_reason(struct go_version version, uint8_t reason);

/**
 * How the runtime names a signal that it dies of: "SIGSEGV: segmentation violation" (sigtable,
 * runtime/sigtab_linux_generic.go); NULL for others.
 */
const char *go_signal_text(int signal);

/** What a function means for a stack walk. By name: the numbers (funcID) move between versions. */
enum go_role {
	GO_ROLE_NORMAL,
	GO_ROLE_TOP,          /**< goexit, mstart, rt0_go ...: the walk ends here */
	GO_ROLE_MCALL,        /**< top of a g0 stack, continue at curg.sched */
	GO_ROLE_SYSTEMSTACK,  /**< on g0: continue at curg.sched */
	GO_ROLE_MORESTACK,    /**< on g0: continue at curg.sched */
	GO_ROLE_ASMCGOCALL,   /**< on g0: continue at curg.syscallsp */
	GO_ROLE_SIGNAL_FRAME, /**< sigtramp, sigreturn: a kernel signal frame is above */
	GO_ROLE_CGOCALLBACK,  /**< moves SP, yet its frame can be walked through on both stacks */
	GO_ROLE_INJECTED,     /**< sigpanic, asyncPreempt, debugCall: the caller's PC is exact */
};
enum go_role go_role_of(const char *function);

/** A function's name with its type arguments as Go's own tracebacks print them: "F[...]". Free with g_free(). */
char *go_function_name_folded(const char *name);
/**
 * True for functions that users do not write: runtime, internal/runtime, reflect, and what the
 * compiler makes up. The generic functions of package maps are not among them.
 */
bool go_is_runtime_function(const char *function);
/**
 * True for functions that come with Go: the above and the standard library, by the first element of
 * the import path. A module that is called as a package of the library is taken for it.
 */
bool go_is_library_function(const char *function);
/**
 * The import path in a function's name: up to the first dot after the last slash, where neither a
 * receiver nor type arguments count. The linker escapes dots in a path's last element.
 */
struct text go_package_of(const char *function);
/**
 * True for what runs once, before main.main: "init" and "init.0" of a package, and the parts that the linker splits off
 * ("map.init.0", 1.21+). Closures of an initializer may run at any time and are not among them.
 */
bool go_is_package_initializer(const char *function);
/**
 * True for goroutines that the runtime starts for itself, by their start function. The finalizer's
 * and the cleanup's (runtime.runfinq, runFinalizers, runCleanups) are the runtime's while they
 * wait; with a function of the user's on the stack they run his code, which the start function
 * can't tell.
 */
bool go_is_system_goroutine(const char *start_function);
