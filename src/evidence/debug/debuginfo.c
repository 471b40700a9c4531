// SPDX-License-Identifier: Apache-2.0
// Knows the shape of the DWARF that Go's linker writes, over libdw: one unit a package, globals and
// types at its top level. Nothing is read before the first question, and a question about one name
// walks one unit where it can. Bounded on hostile input: entries must lie one behind the other,
// depth and number of entries are limited.
#include "evidence/debug/debuginfo_unit.h"

#include <dwarf.h>

struct error *debuginfo_open(const struct image *image, struct debuginfo **ret)
{
	struct image_range range;

	*ret = NULL;
	if (!image_section(image, ".debug_info", &range) &&
	    !image_section(image, ".zdebug_info", &range))
		return NULL;

	struct debuginfo *debuginfo = g_new0(struct debuginfo, 1);

	debuginfo->image = image;
	*ret = debuginfo;
	return NULL;
}

void debuginfo_close(struct debuginfo *debuginfo)
{
	if (!debuginfo)
		return;
	if (debuginfo->structures)
		g_hash_table_unref(debuginfo->structures);
	if (debuginfo->named)
		g_hash_table_unref(debuginfo->named);
	if (debuginfo->globals)
		g_array_unref(debuginfo->globals);
	if (debuginfo->ranges)
		g_array_unref(debuginfo->ranges);
	if (debuginfo->units)
		g_array_unref(debuginfo->units);
	dwarf_end(debuginfo->dwarf);
	debug_sections_close(debuginfo->sections);
	g_free(debuginfo);
}

bool debuginfo_load(struct debuginfo *debuginfo)
{
	if (debuginfo->tried)
		return debuginfo->dwarf != NULL;
	debuginfo->tried = true;

	// a fact that is missing, not an error: every caller can do without
	scoped(error) struct error *error =
		debug_sections_open(debuginfo->image, &debuginfo->sections);

	if (!error && debuginfo->sections)
		debuginfo->dwarf = dwarf_begin_elf(debug_sections_elf(debuginfo->sections),
						   DWARF_C_READ, NULL);
	return debuginfo->dwarf != NULL;
}

bool debuginfo_die(struct debuginfo *debuginfo, Dwarf_Off offset, Dwarf_Die *ret)
{
	return offset && debuginfo_load(debuginfo) &&
	       dwarf_offdie(debuginfo->dwarf, offset, ret) != NULL;
}

bool die_next(Dwarf_Die *die)
{
	Dwarf_Off before = dwarf_dieoffset(die);
	Dwarf_Die next;

	if (dwarf_siblingof(die, &next) != 0 || dwarf_dieoffset(&next) <= before)
		return false;
	*die = next;
	return true;
}

const char *die_name(Dwarf_Die *die)
{
	Dwarf_Attribute attribute;

	return dwarf_formstring(dwarf_attr_integrate(die, DW_AT_name, &attribute));
}

Dwarf_Off die_type(Dwarf_Die *die)
{
	Dwarf_Attribute attribute;
	Dwarf_Die type;

	if (!dwarf_attr_integrate(die, DW_AT_type, &attribute) ||
	    !dwarf_formref_die(&attribute, &type))
		return 0;
	return dwarf_dieoffset(&type);
}

bool die_unsigned(Dwarf_Die *die, unsigned attribute, Dwarf_Word *ret)
{
	Dwarf_Attribute found;

	if (!dwarf_attr(die, attribute, &found))
		return false;
	if (dwarf_whatform(&found) == DW_FORM_addr)
		return dwarf_formaddr(&found, ret) == 0;
	return dwarf_formudata(&found, ret) == 0;
}

const GArray *debuginfo_units(struct debuginfo *debuginfo)
{
	Dwarf_Off offset = 0, next;
	size_t header;

	if (debuginfo->units)
		return debuginfo->units;
	debuginfo->units = g_array_new(FALSE, FALSE, sizeof(struct debuginfo_unit));
	if (!debuginfo_load(debuginfo))
		return debuginfo->units;
	while (dwarf_nextcu(debuginfo->dwarf, offset, &next, &header, NULL, NULL, NULL) == 0 &&
	       next > offset) {
		Dwarf_Die die;

		if (dwarf_offdie(debuginfo->dwarf, offset + header, &die)) {
			struct debuginfo_unit unit = {offset + header, die_name(&die)};

			g_array_append_val(debuginfo->units, unit);
		}
		offset = next;
	}
	return debuginfo->units;
}

/** Calls @a visit for each entry at the top level of a unit; it returns false to stop. */
static bool unit_walk(struct debuginfo *debuginfo, const struct debuginfo_unit *unit,
		      bool (*visit)(Dwarf_Die *, void *), void *context)
{
	Dwarf_Die top, die;

	if (!debuginfo_die(debuginfo, unit->die, &top) || dwarf_child(&top, &die) != 0)
		return true;
	for (size_t i = 0; i < DEBUGINFO_ENTRIES_MAX; i++) {
		if (!visit(&die, context))
			return false;
		if (!die_next(&die))
			break;
	}
	return true;
}

void debuginfo_each_entry(struct debuginfo *debuginfo, bool (*visit)(Dwarf_Die *, void *),
			  void *context)
{
	const GArray *units = debuginfo_units(debuginfo);

	for (guint i = 0; i < units->len; i++)
		if (!unit_walk(debuginfo, &g_array_index(units, struct debuginfo_unit, i), visit,
			       context))
			return;
}

static bool global_read(Dwarf_Die *die, struct debuginfo_global *ret)
{
	Dwarf_Attribute location;

	if (dwarf_tag(die) != DW_TAG_variable)
		return false;
	*ret = (struct debuginfo_global){.name = die_name(die), .die = dwarf_dieoffset(die)};
	return ret->name && dwarf_attr(die, DW_AT_location, &location) &&
	       location_fixed(&location, &ret->address);
}

static bool global_collect(Dwarf_Die *die, void *context)
{
	struct debuginfo_global global;

	if (global_read(die, &global))
		g_array_append_val((GArray *)context, global);
	return true;
}

static int global_compare(const void *a, const void *b)
{
	const struct debuginfo_global *x = a, *y = b;

	return x->address < y->address ? -1 : x->address > y->address;
}

static const GArray *globals_all(struct debuginfo *debuginfo)
{
	if (debuginfo->globals)
		return debuginfo->globals;

	GArray *globals = g_array_new(FALSE, FALSE, sizeof(struct debuginfo_global));

	debuginfo_each_entry(debuginfo, global_collect, globals);
	g_array_sort(globals, global_compare);
	debuginfo->globals = globals;
	debuginfo->named = g_hash_table_new(g_str_hash, g_str_equal);
	for (guint i = 0; i < globals->len; i++) {
		struct debuginfo_global *global =
			&g_array_index(globals, struct debuginfo_global, i);

		g_hash_table_insert(debuginfo->named, (void *)(uintptr_t)global->name, global);
	}
	return globals;
}

void debuginfo_variable_type(struct debuginfo *debuginfo, Dwarf_Die *die,
			     struct debuginfo_variable *ret)
{
	struct debuginfo_type type;

	ret->type = die_type(die);
	ret->type_name = "";
	ret->size = 0;
	if (!debuginfo_type_at(debuginfo, ret->type, &type))
		return;
	ret->type_name = type.name;
	ret->size = type.size;
}

static bool global_describe(struct debuginfo *debuginfo, const struct debuginfo_global *global,
			    struct debuginfo_variable *ret)
{
	Dwarf_Die die;

	if (!debuginfo_die(debuginfo, global->die, &die))
		return false;
	*ret = (struct debuginfo_variable){.name = global->name, .address = global->address};
	debuginfo_variable_type(debuginfo, &die, ret);
	return true;
}

bool debuginfo_global_at(struct debuginfo *debuginfo, uint64_t address,
			 struct debuginfo_variable *ret)
{
	const GArray *globals = globals_all(debuginfo);
	guint low = 0, high = globals->len;
	struct debuginfo_variable found;

	while (low < high) {
		guint middle = low + (high - low) / 2;

		if (g_array_index(globals, struct debuginfo_global, middle).address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0 ||
	    !global_describe(debuginfo, &g_array_index(globals, struct debuginfo_global, low - 1),
			     &found) ||
	    address - found.address >= MAX(found.size, 1))
		return false;
	*ret = found;
	return true;
}

struct search {
	const char *name;
	struct debuginfo_global global;
	bool found;
};

static bool global_match(Dwarf_Die *die, void *context)
{
	struct search *search = context;
	const char *name = dwarf_tag(die) == DW_TAG_variable ? dwarf_diename(die) : NULL;

	if (name && strcmp(name, search->name) == 0)
		search->found = global_read(die, &search->global);
	return !search->found;
}

/** Bytes of the import path in front of "path/to/package.name". */
static size_t package_length(const char *name)
{
	const char *slash = strrchr(name, '/');
	const char *dot = strchr(slash ? slash : name, '.');

	return dot ? (size_t)(dot - name) : 0;
}

/** Looks through the units of the package that @a name belongs to. */
static bool package_search(struct debuginfo *debuginfo, const char *name,
			   bool (*visit)(Dwarf_Die *, void *), void *context)
{
	const GArray *units = debuginfo_units(debuginfo);
	struct text package = {name, package_length(name)};

	for (guint i = 0; i < units->len; i++) {
		const struct debuginfo_unit *unit = &g_array_index(units, struct debuginfo_unit, i);

		if (unit->name && text_is(package, unit->name) &&
		    !unit_walk(debuginfo, unit, visit, context))
			return true;
	}
	return false;
}

bool debuginfo_global_named(struct debuginfo *debuginfo, const char *name,
			    struct debuginfo_variable *ret)
{
	struct search search = {.name = name};

	if (!debuginfo->globals && package_search(debuginfo, name, global_match, &search))
		return global_describe(debuginfo, &search.global, ret);
	globals_all(debuginfo);

	const struct debuginfo_global *global = g_hash_table_lookup(debuginfo->named, name);

	return global && global_describe(debuginfo, global, ret);
}

void debuginfo_globals(struct debuginfo *debuginfo,
		       bool (*visit)(const struct debuginfo_variable *, void *), void *context)
{
	const GArray *globals = globals_all(debuginfo);

	for (guint i = 0; i < globals->len; i++) {
		const struct debuginfo_global *global =
			&g_array_index(globals, struct debuginfo_global, i);
		Dwarf_Die die;
		struct debuginfo_variable variable = {
			.name = global->name, .type_name = "", .address = global->address};

		if (debuginfo_die(debuginfo, global->die, &die))
			variable.type = die_type(&die);
		if (!visit(&variable, context))
			return;
	}
}
