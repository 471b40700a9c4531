// SPDX-License-Identifier: Apache-2.0
// What the parts of the DWARF reader share: the open file and careful access to its entries.
#pragma once
#include "evidence/debug/debug_section.h"
#include "evidence/debug/debuginfo.h"

#include <elfutils/libdw.h>
#include <glib.h>

/* Go's own attributes (cmd/internal/dwarf/dwarf.go) */
#define DW_AT_GO_KIND           0x2900
#define DW_AT_GO_ELEM           0x2902
#define DW_AT_GO_RUNTIME_TYPE   0x2904 /* 1.11+ */
#define DW_AT_GO_CLOSURE_OFFSET 0x2907 /* 1.23+ */

#define DEBUGINFO_ENTRIES_MAX (64u << 20) /* entries visited by one walk */
#define DEBUGINFO_DEPTH_MAX   32          /* of lexical blocks, of typedefs */

/** One unit and the code it covers. */
struct debuginfo_unit {
	Dwarf_Off die;
	const char *name; /**< a Go package's import path */
};

struct debuginfo_range {
	uint64_t low, high;
	Dwarf_Off die; /**< of the unit */
};

struct debuginfo_global {
	uint64_t address;
	const char *name;
	Dwarf_Off die;
};

struct debuginfo {
	struct debug_sections *sections;
	Dwarf *dwarf; /**< NULL until the first question */
	bool tried;
	const struct image *image;
	GArray *units;          /**< struct debuginfo_unit; NULL until needed */
	GArray *ranges;         /**< struct debuginfo_range, by address; NULL until needed */
	GArray *globals;        /**< struct debuginfo_global, by address; NULL until needed */
	GHashTable *named;      /**< name -> struct debuginfo_global * */
	GHashTable *structures; /**< name -> Dwarf_Off of a structure; NULL until needed */
};

/** Opens the DWARF when that was not yet done; false when it cannot be. */
bool debuginfo_load(struct debuginfo *debuginfo);
/** The units; loads them at the first call. */
const GArray *debuginfo_units(struct debuginfo *debuginfo);
/** Calls @a visit for every entry at the top level of every unit; it returns false to stop. */
void debuginfo_each_entry(struct debuginfo *debuginfo, bool (*visit)(Dwarf_Die *, void *),
			  void *context);
/** The entry at @a offset of .debug_info. */
bool debuginfo_die(struct debuginfo *debuginfo, Dwarf_Off offset, Dwarf_Die *ret);
/**
 * The next entry of the same parent. Entries lie one behind the other: a sibling that does not is
 * refused, so that no walk can go in circles.
 */
bool die_next(Dwarf_Die *die);
/** Name of the entry or of the one it is an instance of; NULL when it has none. */
const char *die_name(Dwarf_Die *die);
/** Handle of the entry's type; 0 when none. */
Dwarf_Off die_type(Dwarf_Die *die);
bool die_unsigned(Dwarf_Die *die, unsigned attribute, Dwarf_Word *ret);
/** Fills in type, type name and size. */
void debuginfo_variable_type(struct debuginfo *debuginfo, Dwarf_Die *die,
			     struct debuginfo_variable *ret);

/** The bytes of an expression that is written out in the entry, in any form; false for a list. */
bool attribute_block(Dwarf_Attribute *attribute, struct text *ret);

/** Where a variable stands, as far as it is memory. */
struct location {
	uint64_t address;
	uint64_t size; /**< of the first piece; 0 when the variable is in one piece */
};

/** Location of a global: DW_OP_addr and nothing else. */
bool location_fixed(Dwarf_Attribute *attribute, uint64_t *ret);
/** Offset of a structure's member, written as an expression: DW_OP_plus_uconst and nothing else. */
bool location_member(Dwarf_Attribute *attribute, uint64_t *ret);
/** Location of a local at @a pc; false when (its first piece) is not in memory there. */
bool location_at(Dwarf_Attribute *attribute, uint64_t pc, uint64_t cfa, struct location *ret);
