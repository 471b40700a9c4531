// SPDX-License-Identifier: Apache-2.0
#include "model/data/lock.h"

#define DEPTH_MAX 4 /* of structs in structs */

struct search {
	struct program *program;
	const char *suffix;
	struct lock found[LOCKS_MAX];
	size_t count;
};

static void scan(struct search *search, const struct go_type *type, uint64_t address,
		 const char *path, unsigned depth);

static void add(struct search *search, enum go_lock_kind kind, uint64_t address, const char *path)
{
	struct lock lock = {arena_format(search->program->arena, "%s%s", path, search->suffix),
			    kind,
			    address,
			    {0}};
	uint8_t bytes[GO_LOCK_BYTES_MAX];

	if (search->count < LOCKS_MAX &&
	    memory_read(search->program->memory, address, bytes, go_lock_bytes(kind)) &&
	    go_lock_read(kind, bytes, &lock.state))
		search->found[search->count++] = lock;
}

static enum go_lock_kind kind_of(const struct go_type *type)
{
	return type->kind == GO_KIND_STRUCT ? go_lock_kind(type->full_name, type->size)
					    : GO_LOCK_NONE;
}

static void scan_field(struct search *search, const struct go_type_field *field, uint64_t address,
		       const char *path, unsigned depth)
{
	const struct go_type *type = field->type;
	const char *own = arena_format(search->program->arena, "%s.%s", path, field->name);
	uint64_t target;

	if (kind_of(type) != GO_LOCK_NONE)
		add(search, kind_of(type), address, own);
	else if (type->kind == GO_KIND_STRUCT)
		scan(search, type, address, own, depth + 1);
	else if (type->kind == GO_KIND_POINTER && type->elem && kind_of(type->elem) &&
		 memory_u64(search->program->memory, address, &target) && target)
		add(search, kind_of(type->elem), target, own);
}

static void scan(struct search *search, const struct go_type *type, uint64_t address,
		 const char *path, unsigned depth)
{
	for (size_t i = 0; depth < DEPTH_MAX && i < type->field_count; i++)
		if (type->fields[i].type)
			scan_field(search, &type->fields[i], address + type->fields[i].offset, path,
				   depth);
}

size_t locks_in(struct program *program, const char *name, const char *suffix,
		const struct go_type *type, uint64_t address, const struct lock **ret)
{
	struct search search = {.program = program, .suffix = suffix};

	if (!type || type->kind != GO_KIND_STRUCT)
		return 0;
	scan(&search, type, address, name, 0);
	*ret = arena_copy(program->arena, search.found, search.count * sizeof(*search.found));
	return search.count;
}
