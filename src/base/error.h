// SPDX-License-Identifier: Apache-2.0
// An error says what could not be done, where in the evidence, why, and what to do next. NULL means
// success. A fact that is merely missing is a gap (model/gap.h), not an error.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** code, name in JSON, exit status, what the user can do next. */
#define ERROR_CODES(X)                                                                             \
	X(USAGE, "usage", 2, "see `mapfault help`")                                                \
	X(NOT_FOUND, "not_found", 3, "check the path and its permissions")                         \
	X(UNRECOGNISED, "unrecognised", 3, "give a core file and the Go binary that produced it")  \
	X(TRUNCATED, "truncated", 3, "fetch the whole file again, or raise the limit that cut it") \
	X(MALFORMED, "malformed", 3, "check that the file was copied in binary mode")              \
	X(MISMATCH, "mismatch", 3,                                                                 \
	  "give the very binary that was running, or --force to go on all the same")               \
	X(NOT_GO, "not_go", 3, "mapfault reads programs built by the Go toolchain (gc)")           \
	X(UNSUPPORTED, "unsupported", 3, "mapfault reads x86-64 and arm64 Linux evidence")         \
	X(REFUSED, "refused", 3, "run mapfault with the rights that the message names")            \
	X(LIMIT, "limit", 3, "the file asks for more than any sound one would")                    \
	X(SYSTEM, "system", 3, "the operating system refused; see the reason above")               \
	X(INTERRUPTED, "interrupted", 130, "nothing half-written is left; run it again")

enum error_code {
#define X(code, name, status, hint) ERROR_##code,
	ERROR_CODES(X)
#undef X
};

/** Where in the evidence something stands. */
struct place {
	const char *source; /**< name of the file or process; borrowed, "" when there is none */
	uint64_t offset;    /**< byte offset in it */
};

struct error;

/** A new error; @a format says what was being done. Never NULL, even when memory is out. */
struct error *error_new(enum error_code code, struct place where, const char *format, ...)
	__attribute__((format(printf, 3, 4), returns_nonnull, warn_unused_result));
/** As error_new(), ending in the text of the operating system's @a number (an errno). */
struct error *error_system(int number, struct place where, const char *format, ...)
	__attribute__((format(printf, 3, 4), returns_nonnull, warn_unused_result));
/** A place that is a whole file or an operation: no offset is printed. */
struct place place_whole(const char *source);

/** One line for a person: where, what, why. Valid until @a error is freed. */
const char *error_text(const struct error *error);
enum error_code error_code(const struct error *error);
const char *error_name(enum error_code code);
int error_exit_status(enum error_code code);
/** What the user can do next; replaces the code's own hint when the error carries a better one. */
const char *error_hint(const struct error *error);
/** Gives @a error a hint of its own; returns @a error. */
struct error *error_with_hint(struct error *error, const char *format, ...)
	__attribute__((format(printf, 2, 3), warn_unused_result));
void error_free(struct error *error);

/**
 * Ends the process with the message and exit status of ERROR_SYSTEM: that memory is out is the one failure
 * that is not passed on, as passing it on takes memory.
 */
void memory_exhausted(void) __attribute__((noreturn));

/** Passes a failure on to the caller. */
#define TRY(expression)                                                                            \
	do {                                                                                       \
		struct error *error_ = (expression);                                               \
		if (error_)                                                                        \
			return error_;                                                             \
	} while (0)

/** Frees an object at the end of the scope: `scoped(error) struct error *e = ...;` */
#define scoped(type_) __attribute__((cleanup(type_##_free_at), unused))
static inline void error_free_at(struct error **error) { error_free(*error); }
