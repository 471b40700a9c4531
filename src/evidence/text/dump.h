// SPDX-License-Identifier: Apache-2.0
// What the text says that a Go program printed of itself: crash output, SIGQUIT dumps,
// runtime.Stack, pprof's goroutine profiles of debug=1 and 2, of Go 1.9 to 1.27. Goroutines with
// equal stacks share a group, frames and names are kept once, so that a million goroutines fit in
// memory. Says what was printed and what was lost, not what it means.
//
// A text may hold more than one program's words, or one program's several deaths: each is a section.
// All text views live until dump_close().
#pragma once
#include "base/error.h"
#include "base/text.h"

struct dump;

/** Where something stands in the text: as inflated and in UTF-8, but before a log's wrapping is
 *  taken off. */
struct dump_place {
	uint64_t offset; /**< of the line, in bytes */
	uint64_t line;   /**< counted from 1 */
};

/* Stacks */

enum dump_frame_flags {
	DUMP_FRAME_INLINED = 1 << 0, /**< printed as f(...): no arguments, no offset */
	DUMP_FRAME_OFFSET = 1 << 1, /**< pc_offset was printed, or is 0 since the PC is the entry */
	DUMP_FRAME_FOREIGN = 1 << 2, /**< C code: "non-Go function", or its symbolizer's name */
};

/** A place in the code, shared by all goroutines that stand there. Arguments: dump_calls(). */
struct dump_frame {
	struct text function; /**< as printed; "panic" stands for runtime.gopanic */
	struct text file;     /**< empty when the text has none */
	uint64_t pc;          /**< where it is part of the place: debug=1 and C code; else 0 */
	uint32_t line;        /**< 0 when not printed */
	uint32_t pc_offset;   /**< from the function's entry; for all but the innermost frame the
	                       *   return address's */
	uint32_t flags;       /**< enum dump_frame_flags */
};

#define DUMP_NO_FRAME UINT32_MAX

enum dump_stack_flags {
	DUMP_STACK_ELIDED =
		1 << 0, /**< "...N frames elided...", "...additional frames elided..." */
	DUMP_STACK_UNAVAILABLE =
		1 << 1,          /**< "goroutine running on other thread; stack unavailable" */
	DUMP_STACK_CUT = 1 << 2, /**< the text ends, or something else begins, within a frame */
};

/** A stack that at least one goroutine has. */
struct dump_group {
	uint64_t count;       /**< goroutines that have it */
	uint32_t frames;      /**< first of its frames; see dump_frame_at() */
	uint32_t frame_count; /**< innermost first */
	uint32_t created_by;  /**< "created by": for dump_frame(); DUMP_NO_FRAME when not printed */
	uint32_t elided_before; /**< index of the frame that the elided ones stood before */
	uint32_t elided_count;  /**< 0 when their number was not printed */
	uint32_t flags;         /**< enum dump_stack_flags */
	uint32_t first;         /**< its first goroutine in the text; its calls are always kept */
	uint32_t wait_min, wait_max; /**< minutes; goroutines that print none count as 0 */
};

/* Goroutines */

enum dump_goroutine_flags {
	DUMP_GOROUTINE_LOCKED = 1 << 0,       /**< "locked to thread" */
	DUMP_GOROUTINE_SCAN = 1 << 1,         /**< "(scan)" */
	DUMP_GOROUTINE_LEAKED = 1 << 2,       /**< "(leaked)" */
	DUMP_GOROUTINE_DURABLE = 1 << 3,      /**< "(durable)" */
	DUMP_GOROUTINE_BUBBLE = 1 << 4,       /**< "synctest bubble" or "synctest group" */
	DUMP_GOROUTINE_SYSTEM_STACK = 1 << 5, /**< "runtime stack:": a thread's own, id 0 */
	DUMP_GOROUTINE_NO_HEADER = 1 << 6,    /**< frames without a line that says whose; id 0 */
	DUMP_GOROUTINE_WAIT = 1 << 7,         /**< minutes were printed */
	DUMP_GOROUTINE_AGAIN = 1 << 8, /**< without a stack, which its section prints elsewhere */
	DUMP_GOROUTINE_ODD = 1 << 10,  /**< lines that are no frames stood between its frames */
	DUMP_GOROUTINE_ANCESTOR = 1 << 9, /**< "[originating from goroutine N]": where that one
	                                       *   started what stands before, not where it is */
};

/** One goroutine, in the order of the text. */
struct dump_goroutine {
	uint64_t id;        /**< 0 of a thread's own stack; 0 in debug=1, which has no ids */
	uint64_t parent_id; /**< "in goroutine N"; 0 when not printed */
	uint64_t offset;    /**< of its header */
	uint32_t line;      /**< of its header; saturates */
	uint32_t group;     /**< for dump_group() */
	uint32_t state;     /**< for dump_word(): "running", "chan receive" ...; empty when none */
	uint32_t minutes;   /**< it has waited; see DUMP_GOROUTINE_WAIT */
	uint32_t labels;    /**< for dump_label(); 0 when none */
	uint32_t calls;     /**< see dump_calls(); 0 when they were not kept */
	uint32_t count;     /**< goroutines that this record stands for: 1 but in debug=1 */
	uint16_t section;   /**< for dump_section() */
	uint16_t flags;     /**< enum dump_goroutine_flags */
};

/** What differs between goroutines that stand at the same place. */
struct dump_call {
	struct text arguments; /**< as printed, within the brackets; "..." of an inlined frame */
	uint64_t fp, sp, pc;   /**< 0 when not printed: only under GOTRACEBACK=system and crash, and
	                        *   of the goroutine that threw */
};

enum dump_argument_kind {
	DUMP_ARGUMENT_WORD,  /**< a value */
	DUMP_ARGUMENT_OPEN,  /**< "{" of a string, slice, interface or struct */
	DUMP_ARGUMENT_CLOSE, /**< "}" */
	DUMP_ARGUMENT_MORE,  /**< "...": the rest was not printed */
	DUMP_ARGUMENT_FAR,   /**< "_": stands too far off to be printed */
};

struct dump_argument {
	uint64_t value;
	uint16_t kind;     /**< enum dump_argument_kind */
	uint16_t depth;    /**< of braces around it */
	bool stale;        /**< "?": the register's last home, which may hold an older value */
	bool pointer_like; /**< could be the address of a heap object: word-aligned, user half, high */
};

/** The header's "gp=0x… m=3 mp=0x…", Go 1.23 and later under GOTRACEBACK=system or crash. */
struct dump_thread {
	uint64_t g, mp; /**< addresses; mp is 0 when m is nil */
	int64_t m;      /**< -1 when nil */
};

/* Sections */

enum dump_message_kind {
	DUMP_FATAL,       /**< "fatal error: …" */
	DUMP_PANIC,       /**< "panic: …", one for each of a chain */
	DUMP_SIGNAL,      /**< "SIGQUIT: quit", with the PC= line's values */
	DUMP_SIGNAL_NOTE, /**< "[signal SIGSEGV: …]" below a panic */
	DUMP_RUNTIME,     /**< "runtime: …": what the runtime says beside */
	DUMP_EXIT,        /**< "exit status N", as `go run` and shells print it */
	DUMP_RACE, /**< the race detector's "Write at 0x… by goroutine 6", with the address */
};

enum dump_message_flags {
	DUMP_MESSAGE_RECOVERED = 1 << 0,  /**< "[recovered]" */
	DUMP_MESSAGE_REPANICKED = 1 << 1, /**< "[recovered, repanicked]" */
	DUMP_MESSAGE_NESTED = 1 << 2,     /**< indented: below another of the chain */
	DUMP_MESSAGE_CGO = 1 << 3,        /**< "signal arrived during cgo execution" followed */
	DUMP_MESSAGE_REGISTERS = 1 << 4,  /**< a register dump followed */
};

struct dump_message {
	struct text
		text; /**< without what its kind says; lines of one message joined by newlines */
	struct dump_place place;
	uint64_t pc, address;       /**< of a signal; 0 when not printed */
	int64_t number;             /**< exit status, or a signal's code; -1 when not printed */
	uint32_t goroutines_before; /**< of its section: 0 for what killed the program first */
	uint16_t kind;              /**< enum dump_message_kind */
	uint16_t flags;             /**< enum dump_message_flags */
	uint16_t section;
};

enum dump_form {
	DUMP_FORM_STACKS,  /**< headers and stacks: a crash, a signal, runtime.Stack, debug=2 */
	DUMP_FORM_PROFILE, /**< "goroutine profile: total N": debug=1, counted stacks without ids */
	/** "WARNING: DATA RACE": its goroutines are the two accesses, in the order printed, "Write" or "Previous read"
	 *  their states */
	DUMP_FORM_RACE,
};

/** GOTRACEBACK as far as the text shows it; what it shows is a lower bound. */
enum dump_level {
	DUMP_LEVEL_UNKNOWN,
	DUMP_LEVEL_NONE,   /**< died without a stack */
	DUMP_LEVEL_SINGLE, /**< one goroutine */
	DUMP_LEVEL_ALL,    /**< several */
	DUMP_LEVEL_SYSTEM, /**< the runtime's frames or goroutines as well */
	DUMP_LEVEL_CRASH,  /**< threads relayed the signal, or the program died of SIGABRT */
};

/** One death, or one printing of goroutines. */
struct dump_section {
	struct text source; /**< who printed it where the log tells: "pod/api-0/app", "app[123]" */
	struct dump_place place;
	uint64_t goroutines;     /**< that it holds, counts of debug=1 added up */
	uint64_t stated;         /**< "total N" of debug=1; 0 otherwise */
	uint64_t created_by_ids; /**< goroutines that print "in goroutine N": Go 1.21 or later */
	uint32_t first_message;  /**< its first in dump_message(); DUMP_NO_FRAME when none */
	uint16_t form;           /**< enum dump_form */
	uint16_t level;          /**< enum dump_level */
};

/* Gaps */

enum dump_gap_kind {
	DUMP_GAP_FOREIGN_LINES, /**< lines that belong to no dump; normal in a log */
	DUMP_GAP_ORPHAN_LINES,  /**< lines of a stack that belong to no goroutine */
	DUMP_GAP_NO_HEADER,     /**< stacks whose header is missing: the head was cut off */
	DUMP_GAP_CUT,           /**< the text ends within a stack */
	DUMP_GAP_ELIDED,        /**< goroutines whose stack the runtime elided */
	DUMP_GAP_UNAVAILABLE,   /**< goroutines whose stack the runtime could not print */
	DUMP_GAP_LONG_LINES,    /**< lines cut at the limit */
	DUMP_GAP_CALLS,         /**< goroutines whose arguments were not kept: too many */
	DUMP_GAP_LIMIT,         /**< goroutines not kept at all: more than any sound program has */
	DUMP_GAP_DAMAGED,       /**< the compressed stream breaks off or is damaged */
	DUMP_GAP_FEWER,         /**< debug=1: goroutines fewer than the total it states */
	DUMP_GAP_SECTIONS,      /**< deaths beyond the limit; counted into the last section */
	DUMP_GAP_KINDS,
};

struct dump_gap {
	uint64_t count;
	struct dump_place first; /**< of the first of them */
};

/* Reading */

/** Where the text comes from: a file, or what standard input or a buffer holds. */
struct error *dump_read_path(const char *path, struct dump **ret);
/** Reads @a fd to its end, once and in order, behind @a head, which was read of it before. */
struct error *dump_read_fd(struct text head, int fd, const char *name, struct dump **ret);
struct error *dump_read_text(struct text text, const char *name, struct dump **ret);
void dump_close(struct dump *dump);
/** Does a dump begin in the first bytes of a file, wrapped and compressed as they may be? */
bool dump_recognise(struct text head);

static inline void dump_free_at(struct dump **dump) { dump_close(*dump); }

/* Asking */

size_t dump_goroutine_count(const struct dump *dump);
const struct dump_goroutine *dump_goroutine(const struct dump *dump, size_t index);
size_t dump_group_count(const struct dump *dump);
const struct dump_group *dump_group(const struct dump *dump, size_t index);
size_t dump_message_count(const struct dump *dump);
const struct dump_message *dump_message(const struct dump *dump, size_t index);
/** What stood before a message's text: "fatal error: ", "panic: ", or "". */
const char *dump_message_prefix(const struct dump_message *message);
size_t dump_section_count(const struct dump *dump);
const struct dump_section *dump_section(const struct dump *dump, size_t index);
const struct dump_gap *dump_gap(const struct dump *dump, enum dump_gap_kind kind);

/** A frame by its number. */
const struct dump_frame *dump_frame(const struct dump *dump, uint32_t frame);
/** The frame at @a index of a group, below its frame_count. */
const struct dump_frame *dump_frame_at(const struct dump *dump, const struct dump_group *group,
				       size_t index);
/** Number of that frame: equal numbers are the same place in the code. */
uint32_t dump_frame_number(const struct dump *dump, const struct dump_group *group, size_t index);

/** A state, by the number in a goroutine. */
struct text dump_word(const struct dump *dump, uint32_t word);
/**
 * The label at @a index of goroutine's labels, decoded.
 * @return false when there is none
 */
bool dump_label(const struct dump *dump, const struct dump_goroutine *goroutine, size_t index,
		struct text *ret_key, struct text *ret_value);

/**
 * What was printed with each of the goroutine's frames, in their order.
 * @return how many were written to @a ret; 0 when they were not kept
 */
size_t dump_calls(const struct dump *dump, const struct dump_goroutine *goroutine,
		  struct dump_call *ret, size_t max);
/** False when the header did not say. */
bool dump_thread_of(const struct dump *dump, const struct dump_goroutine *goroutine,
		    struct dump_thread *ret);
/** The raw PCs of a record of debug=1, innermost first, runtime leaves included. */
size_t dump_record_pcs(const struct dump *dump, const struct dump_goroutine *goroutine,
		       uint64_t *ret, size_t max);
/**
 * Splits what stands within a frame's brackets.
 * @return how many were written to @a ret, at most @a max; stops at what it does not understand
 */
size_t dump_arguments(struct text arguments, struct dump_argument *ret, size_t max);
