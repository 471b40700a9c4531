// SPDX-License-Identifier: Apache-2.0
// Knows amd64 frames only: there a call leaves its return address right below its argument slots.
// On arm64 the return address stands at the other end of the callee's frame, and no ghost is looked
// for.
#include "model/stack/ghost.h"

#include "base/bytes.h"

#include <glib.h>

#define WORD             8
#define ARGUMENTS_BEYOND 8 /* more than any map function has */
#define SCAN_MAX_BYTES                                                                             \
	(64u << 10) /* below the live stack; deeper leftovers are too old to mean anything */

/** Where the callee found (or spilled) its map: its arguments begin above the return address. */
static bool holds_map(struct program *program, const struct map_site *site, uint64_t slot,
		      uint64_t map)
{
	uint64_t arguments = slot + WORD, value;

	if (site->function->map_argument == MAP_ARGUMENT_NONE)
		return false;
	return memory_u64(program->memory,
			  arguments + (uint64_t)site->function->map_argument * WORD, &value) &&
	       value == map;
}

static bool is_ghost(struct program *program, uint64_t word, uint64_t slot, uint64_t map,
		     struct ghost *ret)
{
	const struct map_site *site;
	struct go_function function;
	uint32_t table;

	if (!program_function(program, word, &function, &table))
		return false;
	site = sites_returning_to(program->sites, word);
	if (!site || !site->function->user_facing ||
	    !map_operation_writes(site->function->operation) ||
	    go_is_runtime_function(site->caller.name) || !holds_map(program, site, slot, map))
		return false;
	*ret = (struct ghost){slot, site, map};
	return true;
}

static void scan(struct program *program, uint64_t low, uint64_t size, uint64_t map, GArray *found)
{
	const void *view = memory_view(program->memory, low, size);
	struct bytes words;
	struct ghost ghost;
	uint64_t word;

	if (!view)
		return;
	words = bytes_over(view, size, memory_place(program->memory, low));
	for (uint64_t slot = low; bytes_left(&words) >= WORD; slot += WORD) {
		if (bytes_u64(&words, "dead stack", &word))
			break; // cannot be: the loop asks for what is left
		if (is_ghost(program, word, slot, map, &ghost))
			g_array_prepend_val(found, ghost);
	}
}

size_t ghosts_of_writes(struct program *program, const struct goroutine *goroutine, uint64_t map,
			const struct ghost **ret)
{
	uint64_t top = goroutine->live_sp & ~(uint64_t)(WORD - 1), low = goroutine->stack_lo;
	GArray *found;
	size_t count;

	*ret = NULL;
	if (program->arch != GO_ARCH_AMD64 || top <= low)
		return 0;
	if (top - low > SCAN_MAX_BYTES)
		low = top - SCAN_MAX_BYTES;
	// most dead stacks hold nothing of the map at all, and that is told faster than what each
	// word is; the arguments of the last call stand beyond the dead part
	if (!memory_holds(program->memory, low, top - low + ARGUMENTS_BEYOND * WORD, map))
		return 0;
	found = g_array_new(FALSE, FALSE, sizeof(struct ghost));
	scan(program, low, top - low, map, found);
	count = found->len;
	*ret = arena_copy(program->arena, found->data, count * sizeof(struct ghost));
	g_array_free(found, TRUE);
	return count;
}
