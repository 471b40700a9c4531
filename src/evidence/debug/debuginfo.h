// SPDX-License-Identifier: Apache-2.0
// DWARF, where the binary still has it: names of globals, locals, closure variables, and structure
// layouts. Optional everywhere: nothing in mapfault needs it to name goroutines, lines or types.
#pragma once
#include "base/error.h"
#include "evidence/binary/image.h"
#include "golang/layout.h"

struct debuginfo;

/** A variable at a place in memory. Strings live as long as the debuginfo. */
struct debuginfo_variable {
	const char *name;      /**< "main.registry"; a local's plain name */
	const char *type_name; /**< Go's spelling, "*main.server"; "" when DWARF does not say */
	uint64_t address;      /**< as linked (globals); in the process (locals in memory) */
	uint64_t size;         /**< bytes; 0 when not known */
	uint64_t type;         /**< for debuginfo_type_at(); 0 when DWARF does not say */
	/** Locals: entry (as linked) of the function; that of the outer one if inlined */
	uint64_t frame_entry;
};

/**
 * Opens the image's own DWARF (versions 2 to 5, compressed or not). NULL in @a ret when it has
 * none.
 */
struct error *debuginfo_open(const struct image *image, struct debuginfo **ret);
void debuginfo_close(struct debuginfo *debuginfo);

/** The global variable that covers @a address (as linked). First call walks all units once. */
bool debuginfo_global_at(struct debuginfo *debuginfo, uint64_t address,
			 struct debuginfo_variable *ret);
/** The global of that name, "runtime.allgs". */
bool debuginfo_global_named(struct debuginfo *debuginfo, const char *name,
			    struct debuginfo_variable *ret);
/**
 * Byte offset of "runtime.g.goid" or size of "runtime.g"; GO_ABSENT when DWARF does not have it.
 */
int32_t debuginfo_layout(struct debuginfo *debuginfo, const char *path, bool size);

/** Registers and frame needed to evaluate a local's location. */
struct debuginfo_frame {
	uint64_t pc;  /**< as linked; a return address less one */
	uint64_t cfa; /**< in the process; 0 when not known */
};

/**
 * Calls @a visit for each parameter and local of the function at @a frame->pc (and of the inlined
 * calls that are open there) that has a place in memory at that PC: those in registers are left
 * out. Names of captured closure variables come with a leading "&" when held by reference.
 */
struct error *debuginfo_locals(struct debuginfo *debuginfo, const struct debuginfo_frame *frame,
			       void (*visit)(const struct debuginfo_variable *, void *),
			       void *context);

/**
 * Names of a closure's captured variables by offset in the closure object, for the function at @a
 * entry (as linked).
 */
struct error *debuginfo_closure(struct debuginfo *debuginfo, uint64_t entry,
				void (*visit)(const struct debuginfo_variable *, void *),
				void *context);

/** A type as DWARF describes it; typedefs are entered. */
struct debuginfo_type {
	const char *name;
	uint64_t size;
	uint8_t kind; /**< enum go_kind's number; 0 when it is no Go type */
	/**
	 * Bytes from the start of the module's types to its descriptor (Go 1.11+); 0 when it has
	 * none
	 */
	uint64_t runtime_type;
	uint64_t elem;   /**< of a pointer, array, slice or channel; 0 when none */
	uint64_t length; /**< of an array */
};

/** The type that a handle stands for. */
bool debuginfo_type_at(struct debuginfo *debuginfo, uint64_t type, struct debuginfo_type *ret);
/**
 * Visits the members of a structure: name, address = offset in it, type. @a visit returns false to
 * stop.
 */
void debuginfo_members(struct debuginfo *debuginfo, uint64_t type,
		       bool (*visit)(const struct debuginfo_variable *, void *), void *context);
/**
 * Visits every global that has an address, in address order; type_name and size are not filled in.
 */
void debuginfo_globals(struct debuginfo *debuginfo,
		       bool (*visit)(const struct debuginfo_variable *, void *), void *context);
