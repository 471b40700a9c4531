// SPDX-License-Identifier: Apache-2.0
#include "model/code/itab.h"

#include "base/sorted.h"
#include "model/process/variable.h"

#include <glib.h>

#define ITABS_MAX   (1u << 18)
#define METHODS_MAX 512 /* of one interface */
#define SLOTS_MAX   (1u << 20)
#define WORD        8

struct itabs {
	struct program *program;
	GArray *slots; // struct itab_slot, sorted, each once
};

static int compare_slots(const void *a, const void *b)
{
	const struct itab_slot *x = a, *y = b;

	if (x->entry != y->entry)
		return x->entry < y->entry ? -1 : 1;
	return (x->offset > y->offset) - (x->offset < y->offset);
}

/** @return the itab's size in bytes */
static uint64_t read_itab(struct itabs *itabs, uint64_t itab)
{
	struct program *program = itabs->program;
	int32_t methods_at = program_offset(program, GO_INTERFACETYPE_METHODS);
	int32_t fun = program_offset(program, GO_ITAB_FUN);
	uint64_t type = program_word(program, itab, GO_ITAB_INTER), count = 0;

	memory_u64(program->memory, type + (uint64_t)methods_at + WORD, &count);
	count = CLAMP(count, 1, METHODS_MAX); // fun has one element at least
	for (uint64_t i = 0; i < count; i++) {
		struct itab_slot slot = {0, fun + (int64_t)(i * WORD)};

		if (itabs->slots->len < SLOTS_MAX &&
		    memory_u64(program->memory, itab + (uint64_t)slot.offset, &slot.entry) &&
		    slot.entry)
			g_array_append_val(itabs->slots, slot);
	}
	return (uint64_t)fun + count * WORD;
}

static void read_pointers(struct itabs *itabs, uint64_t array, uint64_t count)
{
	uint64_t itab;

	for (uint64_t i = 0; i < MIN(count, ITABS_MAX); i++) {
		if (!memory_u64(itabs->program->memory, array + i * WORD, &itab))
			return;
		if (itab)
			read_itab(itabs, itab);
	}
}

static void read_module(struct itabs *itabs, const struct moduledata *module)
{
	uint64_t at = module->itabs;

	read_pointers(itabs, module->itablinks, module->itablink_count);
	for (unsigned i = 0; i < ITABS_MAX && at < module->itabs_end; i++)
		at += read_itab(itabs, at);
}

/** runtime.itabTableType is size, count, and entries from the third word on, many of them empty (iface.go). */
static void read_made(struct itabs *itabs)
{
	const struct program *program = itabs->program;
	uint64_t variable = program_runtime_variable(itabs->program, "runtime.itabTable");
	uint64_t table, size;

	if (variable && memory_u64(program->memory, variable, &table) &&
	    memory_u64(program->memory, table, &size))
		read_pointers(itabs, table + 2 * WORD, size);
}

static void sort_slots(GArray *slots)
{
	guint kept = 0;

	g_array_sort(slots, compare_slots);
	for (guint i = 0; i < slots->len; i++) {
		struct itab_slot slot = g_array_index(slots, struct itab_slot, i);

		if (!kept ||
		    compare_slots(&g_array_index(slots, struct itab_slot, kept - 1), &slot))
			g_array_index(slots, struct itab_slot, kept++) = slot;
	}
	g_array_set_size(slots, kept);
}

struct itabs *itabs_new(struct program *program)
{
	struct itabs *itabs = g_new0(struct itabs, 1);

	itabs->program = program;
	itabs->slots = g_array_new(FALSE, FALSE, sizeof(struct itab_slot));
	if (program_offset(program, GO_ITAB_FUN) == GO_ABSENT ||
	    program_offset(program, GO_INTERFACETYPE_METHODS) == GO_ABSENT)
		return itabs;
	for (size_t i = 0; i < program->module_count; i++)
		read_module(itabs, &program->modules[i]);
	if (program->process)
		read_made(itabs);
	sort_slots(itabs->slots);
	return itabs;
}

void itabs_free(struct itabs *itabs)
{
	if (!itabs)
		return;
	g_array_free(itabs->slots, TRUE);
	g_free(itabs);
}

const struct itab_slot *itabs_slots_of(const struct itabs *itabs, uint64_t entry, size_t *ret_count)
{
	const struct itab_slot *slots = (const struct itab_slot *)(const void *)itabs->slots->data;

	return slots + sorted_run(slots, itabs->slots->len, sizeof(*slots), entry, ret_count);
}

bool itabs_is_method(const struct itabs *itabs, int64_t offset)
{
	int32_t fun = program_offset(itabs->program, GO_ITAB_FUN);

	return fun != GO_ABSENT && offset >= fun && (offset - fun) % WORD == 0;
}
