// SPDX-License-Identifier: Apache-2.0
// Locals and captured variables of a function. Go writes no .debug_aranges, so units are found
// through the ranges in their own entries.
//
// Names of captured variables: "s" when copied into the closure, "&s" when held by reference. Their
// offset in the closure object is in DWARF from Go 1.23 on (DW_AT_go_closure_offset); up to 1.22
// only the names and types are.
#include "evidence/debug/debuginfo_unit.h"

#include <dwarf.h>

#define RANGES_MAX  (4u << 20)
#define ENTRIES_MAX (1u << 20) /* below one unit or function */

static void unit_ranges(Dwarf_Die *die, GArray *ranges)
{
	Dwarf_Addr base, low, high;
	Dwarf_Off off = dwarf_dieoffset(die);

	for (ptrdiff_t at = 0; (at = dwarf_ranges(die, at, &base, &low, &high)) > 0;) {
		struct debuginfo_range range = {low, high, off};

		if (ranges->len >= RANGES_MAX)
			return;
		if (low < high)
			g_array_append_val(ranges, range);
	}
}

static int range_compare(const void *a, const void *b)
{
	const struct debuginfo_range *x = a, *y = b;

	return x->low < y->low ? -1 : x->low > y->low;
}

static const GArray *ranges_all(struct debuginfo *debuginfo)
{
	if (debuginfo->ranges)
		return debuginfo->ranges;

	const GArray *units = debuginfo_units(debuginfo);

	debuginfo->ranges = g_array_new(FALSE, FALSE, sizeof(struct debuginfo_range));
	if (!debuginfo->dwarf || !debug_sections_complete(debuginfo->sections))
		return debuginfo->ranges;
	for (guint i = 0; i < units->len; i++) {
		Dwarf_Die die;

		if (debuginfo_die(debuginfo, g_array_index(units, struct debuginfo_unit, i).die,
				  &die))
			unit_ranges(&die, debuginfo->ranges);
	}
	g_array_sort(debuginfo->ranges, range_compare);
	return debuginfo->ranges;
}

static bool unit_at(struct debuginfo *debuginfo, uint64_t pc, Dwarf_Die *ret)
{
	const GArray *ranges = ranges_all(debuginfo);
	guint low = 0, high = ranges->len;

	while (low < high) {
		guint middle = low + (high - low) / 2;

		if (g_array_index(ranges, struct debuginfo_range, middle).low <= pc)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return false;

	const struct debuginfo_range *range =
		&g_array_index(ranges, struct debuginfo_range, low - 1);

	return pc < range->high && debuginfo_die(debuginfo, range->die, ret);
}

static bool function_at(struct debuginfo *debuginfo, uint64_t pc, Dwarf_Die *ret)
{
	Dwarf_Die unit;

	if (!unit_at(debuginfo, pc, &unit) || dwarf_child(&unit, ret) != 0)
		return false;
	for (size_t i = 0; i < ENTRIES_MAX; i++) {
		if (dwarf_tag(ret) == DW_TAG_subprogram && dwarf_haspc(ret, pc) == 1)
			return true;
		if (!die_next(ret))
			return false;
	}
	return false;
}

struct locals {
	struct debuginfo *debuginfo;
	const struct debuginfo_frame *frame;
	uint64_t cfa; // 0 when the function's frame base is not the CFA
	uint64_t entry;
	size_t entries_left;
	void (*visit)(const struct debuginfo_variable *, void *);
	void *context;
};

static bool frame_base_is_cfa(Dwarf_Die *function)
{
	Dwarf_Attribute attribute;
	struct text block;

	return dwarf_attr_integrate(function, DW_AT_frame_base, &attribute) &&
	       attribute_block(&attribute, &block) && block.n == 1 &&
	       (uint8_t)block.p[0] == DW_OP_call_frame_cfa;
}

static void local_visit(struct locals *locals, Dwarf_Die *die)
{
	struct debuginfo_variable variable = {.name = die_name(die), .frame_entry = locals->entry};
	Dwarf_Attribute attribute;
	struct location location;

	if (!variable.name || !dwarf_attr(die, DW_AT_location, &attribute) ||
	    !location_at(&attribute, locals->frame->pc, locals->cfa, &location))
		return;
	debuginfo_variable_type(locals->debuginfo, die, &variable);
	variable.address = location.address;
	if (location.size && (!variable.size || location.size < variable.size))
		variable.size = location.size;
	locals->visit(&variable, locals->context);
}

static bool block_is_open(struct locals *locals, Dwarf_Die *die)
{
	int tag = dwarf_tag(die);

	return (tag == DW_TAG_lexical_block || tag == DW_TAG_inlined_subroutine) &&
	       dwarf_haspc(die, locals->frame->pc) == 1;
}

/** Walks a function and the blocks that are open at the PC; a stack of our own bounds the depth. */
static void locals_walk(struct locals *locals, Dwarf_Die *function)
{
	Dwarf_Die stack[DEBUGINFO_DEPTH_MAX];
	int depth = 0;

	if (dwarf_child(function, &stack[0]) != 0)
		return;
	while (depth >= 0 && locals->entries_left--) {
		Dwarf_Die *die = &stack[depth], child;
		int tag = dwarf_tag(die);

		if (tag == DW_TAG_variable || tag == DW_TAG_formal_parameter)
			local_visit(locals, die);

		bool open = depth + 1 < DEBUGINFO_DEPTH_MAX && block_is_open(locals, die) &&
			    dwarf_child(die, &child) == 0;

		if (!die_next(die))
			depth--;
		if (open && depth + 1 < DEBUGINFO_DEPTH_MAX)
			stack[++depth] = child;
	}
}

struct error *debuginfo_locals(struct debuginfo *debuginfo, const struct debuginfo_frame *frame,
			       void (*visit)(const struct debuginfo_variable *, void *),
			       void *context)
{
	Dwarf_Die function;
	Dwarf_Addr entry = 0;

	if (!function_at(debuginfo, frame->pc, &function))
		return NULL;
	dwarf_lowpc(&function, &entry);

	struct locals locals = {.debuginfo = debuginfo,
				.frame = frame,
				.cfa = frame_base_is_cfa(&function) ? frame->cfa : 0,
				.entry = entry,
				.entries_left = ENTRIES_MAX,
				.visit = visit,
				.context = context};

	locals_walk(&locals, &function);
	return NULL;
}

struct error *debuginfo_closure(struct debuginfo *debuginfo, uint64_t entry,
				void (*visit)(const struct debuginfo_variable *, void *),
				void *context)
{
	Dwarf_Die function, die;

	if (!function_at(debuginfo, entry, &function) || dwarf_child(&function, &die) != 0)
		return NULL;
	for (size_t i = 0; i < ENTRIES_MAX; i++) {
		struct debuginfo_variable variable = {.name = die_name(&die), .frame_entry = entry};
		Dwarf_Word offset;

		if (variable.name && die_unsigned(&die, DW_AT_GO_CLOSURE_OFFSET, &offset)) {
			debuginfo_variable_type(debuginfo, &die, &variable);
			variable.address = offset;
			visit(&variable, context);
		}
		if (!die_next(&die))
			break;
	}
	return NULL;
}
