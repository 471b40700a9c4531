// SPDX-License-Identifier: Apache-2.0
// Structures in DWARF: their members, and offsets along a path of them.
#include "evidence/debug/debuginfo_unit.h"

#include <dwarf.h>

#define MEMBERS_MAX (1u << 16)

/** Go's attributes of one entry; maps, channels and interfaces carry theirs on a typedef. */
static void go_attributes(Dwarf_Die *die, struct debuginfo_type *ret)
{
	Dwarf_Attribute attribute;
	Dwarf_Die elem;
	Dwarf_Word value;

	if (!ret->kind && die_unsigned(die, DW_AT_GO_KIND, &value))
		ret->kind = value & 0x1f;
	if (!ret->runtime_type && die_unsigned(die, DW_AT_GO_RUNTIME_TYPE, &value))
		ret->runtime_type = value;
	if (!ret->elem && dwarf_attr(die, DW_AT_GO_ELEM, &attribute) &&
	    dwarf_formref_die(&attribute, &elem))
		ret->elem = dwarf_dieoffset(&elem);
}

/** C's qualifiers count as names, too: cgo brings them. */
static bool tag_is_transparent(int tag)
{
	return tag == DW_TAG_typedef || tag == DW_TAG_const_type || tag == DW_TAG_volatile_type;
}

/** Enters typedefs from @a type; @a description gets the first name and what Go says on the way. */
static bool typedefs_enter(struct debuginfo *debuginfo, Dwarf_Off type, Dwarf_Die *ret,
			   struct debuginfo_type *description)
{
	*description = (struct debuginfo_type){.name = ""};
	for (int depth = 0; depth < DEBUGINFO_DEPTH_MAX; depth++) {
		if (!debuginfo_die(debuginfo, type, ret))
			return false;
		if (!*description->name && die_name(ret))
			description->name = die_name(ret);
		go_attributes(ret, description);
		if (!tag_is_transparent(dwarf_tag(ret)))
			return true;
		type = die_type(ret);
	}
	return false;
}

static uint64_t array_length(Dwarf_Die *die)
{
	Dwarf_Die range;
	Dwarf_Word value;

	if (dwarf_tag(die) != DW_TAG_array_type || dwarf_child(die, &range) != 0)
		return 0;
	if (die_unsigned(&range, DW_AT_count, &value))
		return value;
	return die_unsigned(&range, DW_AT_upper_bound, &value) ? value + 1 : 0;
}

bool debuginfo_type_at(struct debuginfo *debuginfo, uint64_t type, struct debuginfo_type *ret)
{
	struct debuginfo_type found;
	Dwarf_Die die;
	Dwarf_Word value;

	if (!typedefs_enter(debuginfo, type, &die, &found))
		return false;
	found.length = array_length(&die);
	if (die_unsigned(&die, DW_AT_byte_size, &value))
		found.size = value;
	else if (dwarf_tag(&die) == DW_TAG_pointer_type)
		found.size = sizeof(uint64_t);
	if (!found.elem)
		found.elem = die_type(&die);
	*ret = found;
	return true;
}

/** Offset of a member; before Go 1.10 it is written as an expression, DW_OP_plus_uconst N. */
static bool member_offset(Dwarf_Die *die, Dwarf_Word *ret)
{
	Dwarf_Attribute attribute;

	return die_unsigned(die, DW_AT_data_member_location, ret) ||
	       (dwarf_attr(die, DW_AT_data_member_location, &attribute) &&
		location_member(&attribute, ret));
}

void debuginfo_members(struct debuginfo *debuginfo, uint64_t type,
		       bool (*visit)(const struct debuginfo_variable *, void *), void *context)
{
	Dwarf_Die structure, die;
	struct debuginfo_type description;

	if (!typedefs_enter(debuginfo, type, &structure, &description) ||
	    dwarf_child(&structure, &die) != 0)
		return;
	for (size_t i = 0; i < MEMBERS_MAX; i++) {
		struct debuginfo_variable member = {0};

		if (dwarf_tag(&die) == DW_TAG_member && member_offset(&die, &member.address)) {
			member.name = die_name(&die) ?: "";
			debuginfo_variable_type(debuginfo, &die, &member);
			if (!visit(&member, context))
				return;
		}
		if (!die_next(&die))
			return;
	}
}

static bool structure_collect(Dwarf_Die *die, void *context)
{
	int tag = dwarf_tag(die);
	const char *name =
		tag == DW_TAG_structure_type || tag == DW_TAG_typedef ? die_name(die) : NULL;

	if (name && !g_hash_table_contains(context, name))
		g_hash_table_insert(context, (void *)(uintptr_t)name,
				    GSIZE_TO_POINTER(dwarf_dieoffset(die)));
	return true;
}

/** The structure of that name; Go 1.9 to 1.27 put types in any unit, so the first question reads
 * all. */
static Dwarf_Off structure_named(struct debuginfo *debuginfo, const char *name)
{
	if (!debuginfo->structures) {
		debuginfo->structures = g_hash_table_new(g_str_hash, g_str_equal);
		debuginfo_each_entry(debuginfo, structure_collect, debuginfo->structures);
	}
	return GPOINTER_TO_SIZE(g_hash_table_lookup(debuginfo->structures, name));
}

struct member_search {
	struct text name;
	struct debuginfo_variable found;
};

static bool member_match(const struct debuginfo_variable *member, void *context)
{
	struct member_search *search = context;

	if (!text_is(search->name, member->name))
		return true;
	search->found = *member;
	return false;
}

/** Follows ".a.b" from @a type; the offset of the last member and the type's size. */
static bool path_follow(struct debuginfo *debuginfo, Dwarf_Off type, const char *path,
			uint64_t *ret_offset, uint64_t *ret_size)
{
	struct debuginfo_type described;

	*ret_offset = 0;
	*ret_size = debuginfo_type_at(debuginfo, type, &described) ? described.size : 0;
	while (*path == '.') {
		const char *end = strchrnul(++path, '.');
		struct member_search search = {{path, (size_t)(end - path)}, {0}};

		debuginfo_members(debuginfo, type, member_match, &search);
		if (!search.found.name)
			return false;
		*ret_offset += search.found.address;
		*ret_size = search.found.size;
		type = search.found.type;
		path = end;
	}
	return true;
}

/** Splits "pkg.type.field" behind a type that exists; a C structure's name has no package. */
static Dwarf_Off path_start(struct debuginfo *debuginfo, const char *path, const char **ret_rest)
{
	const char *slash = strrchr(path, '/');
	const char *end = strchrnul(slash ? slash : path, '.');
	Dwarf_Off type = 0;

	for (int parts = 0; parts < 2 && !type; parts++) {
		if (parts)
			end = *end ? strchrnul(end + 1, '.') : end;

		g_autofree char *name = g_strndup(path, (size_t)(end - path));

		type = structure_named(debuginfo, name);
	}
	*ret_rest = end;
	return type;
}

int32_t debuginfo_layout(struct debuginfo *debuginfo, const char *path, bool size)
{
	const char *rest;
	Dwarf_Off type = path_start(debuginfo, path, &rest);
	uint64_t offset, bytes;

	if (!type || !path_follow(debuginfo, type, rest, &offset, &bytes))
		return GO_ABSENT;
	if (size)
		offset = bytes;
	return offset <= INT32_MAX ? (int32_t)offset : GO_ABSENT;
}
