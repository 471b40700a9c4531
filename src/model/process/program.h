// SPDX-License-Identifier: Apache-2.0
// The crashed program rebuilt from its evidence: what every rule in findings/ argues from. Objects
// live in one arena and refer to each other by index.
#pragma once
#include "base/arena.h"
#include "evidence/binary/buildinfo.h"
#include "evidence/debug/debuginfo.h"
#include "evidence/binary/image.h"
#include "evidence/binary/moduledata.h"
#include "evidence/process/process.h"
#include "golang/runtime.h"
#include "model/gap.h"
#include "model/code/site.h"
#include "model/data/type.h"

#define NO_INDEX UINT32_MAX

/**
 * One frame of a stack, outermost functions last; inlined ones stand before the frame that holds
 * them.
 */
struct frame {
	const struct go_site *site;         /**< shared by all frames at this PC */
	const struct go_function *function; /**< that holds the code; same for inlined frames */
	uint64_t pc;    /**< as on the stack: a return address except in the innermost frame */
	uint64_t sp;    /**< of this frame */
	uint64_t cfa;   /**< above the return address: the callee's argument area starts here */
	uint32_t table; /**< the function's pclntab in program.tables */
	bool exact_pc;  /**< pc is where it stopped, not a return address */
	bool runtime;   /**< the source position is the runtime's own: go_is_runtime_function() */
	bool on_g0;     /**< ran on the thread's system stack */
};

struct stack {
	struct frame *frames;
	size_t count;
	const char *broken; /**< why the walk ended early; NULL when it reached the top */
};

struct profile;   /* evidence/profile/profile.h */
struct printout;  /* model/printout/printout.h */
struct dump;      /* evidence/text/dump.h */
struct flight;    /* evidence/recorded/flight.h */
struct recording; /* model/process/recording.h */

struct goroutine {
	uint64_t id;
	uint64_t address;        /**< of the g */
	uint32_t status;         /**< enum go_status, scan bit removed */
	const char *wait_reason; /**< "" when not waiting */
	int64_t wait_ns;         /**< since waitsince; -1 when the runtime had not noted it */
	uint64_t stack_lo, stack_hi;
	uint64_t live_sp; /**< lowest live address of its stack; below it is dead stack */
	uint64_t start_pc, go_pc;
	uint64_t parent_id; /**< 0 before Go 1.21 */
	uint32_t thread;    /**< index of the m that runs it, or NO_INDEX */
	bool system;        /**< the runtime's own */
	bool locked;        /**< to its thread */
	bool detector;      /**< was inside the fatal when the process died */
	/* Of one that a text tells of (model/printout/printout.h); a core's stands for itself alone */
	bool raised;        /**< printed as one that raised the fatal error */
	uint32_t printed;   /**< its index in the dump */
	uint32_t text_line; /**< of its header */
	uint64_t count;     /**< goroutines that it stands for; 0 for one from a core */
	const char *start_function;
	struct go_site created_by; /**< function NULL when unknown */
	const char *const *labels; /**< key, value, key, value, ..., NULL; NULL when none */
	struct stack stack;        /**< empty until program_stack() */
	bool unwound;
};

struct thread {
	int32_t tid;
	uint64_t address; /**< of the m; 0 when no m claims this thread */
	uint64_t g0, gsignal;
	uint32_t goroutine; /**< its curg, or NO_INDEX */
	int32_t signal;
	const struct process_registers *registers;
};

struct program {
	struct arena *arena;
	const struct image *image;     /**< NULL for a text alone: then no tables, types or sites */
	const struct process *process; /**< NULL for a binary alone, or with a text */
	struct debuginfo *debuginfo;   /**< NULL when the binary has none */
	struct memory *memory;
	uint64_t bias;
	struct buildinfo build;
	enum go_arch arch;
	const struct go_layout *layout;
	struct moduledata *modules;
	struct pclntab **tables; /**< one per module */
	size_t module_count;
	struct types *types;
	struct sites *sites;
	struct goroutine *goroutines; /**< by id; dead ones after the living */
	size_t goroutine_count, live_count;
	/** Memory lacks some of them or of what they were: who is not there can't be ruled out */
	bool goroutines_missing;
	struct thread *threads;
	size_t thread_count;
	struct printout *printout;       /**< NULL with a core */
	struct recording *recording;     /**< of the flight recorder; NULL when none */
	struct profile *const *profiles; /**< see model/profile/map_profile.h */
	size_t profile_count;
	/** What the runtime last printed (runtime.printBacklog); "" when not found */
	const char *backlog;
	struct gap_list gaps;
	uint32_t walked;     /**< see program_walked() */
	struct spots *spots; /**< see model/stack/spot.h; made at the first question */
	struct heap *heap;
};

/** Notes a fact that is missing; strings are copied. */
void program_gap(struct program *program, const char *what, const char *why,
		 const char *would_decide);

/** The function that covers @a pc, of any module. */
bool program_function(const struct program *program, uint64_t pc, struct go_function *ret,
		      uint32_t *ret_table);
bool program_function_named(const struct program *program, const char *name,
			    struct go_function *ret);
/** True when @a address lies among the package-level variables that hold pointers. */
bool program_in_data(const struct program *program, uint64_t address);
/** Source positions of @a pc, innermost first; pass a return address less one. */
size_t program_sites(const struct program *program, uint64_t pc,
		     struct go_site ret[PCLNTAB_MAX_INLINED]);
/** Lets go of what was read so far; it is read again when somebody asks. */
void program_rest(const struct program *program);
/** Call it after each goroutine in a walk over the stacks of all: now and then it lets go of what they were read from. */
void program_walked(struct program *program);
/** The goroutine with that id; NULL when there is none alive. */
struct goroutine *program_goroutine(struct program *program, uint64_t id);
/** An offset of this program's Go version. */
static inline int32_t program_offset(const struct program *program, enum go_field field)
{
	return program->layout->offset[field];
}
/**
 * The first @a shown bytes of the string whose header is at @a header; NULL when it is not dumped, or claims to be longer
 * than @a longest. In the program's arena.
 */
const char *program_string(const struct program *program, uint64_t header, uint64_t longest,
			   uint64_t shown);
/** A pointer-sized field of the object at @a base; 0 when absent or not dumped. */
uint64_t program_word(const struct program *program, uint64_t base, enum go_field field);
