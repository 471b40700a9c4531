// SPDX-License-Identifier: Apache-2.0
// The kernel's list of a process's mappings, /proc/PID/maps.
#pragma once
#include "base/error.h"

#include <glib.h>

struct proc_mapping {
	uint64_t start, end, offset; /**< offset: in the mapped file */
	bool readable, writable, executable, shared;
	bool is_file;     /**< the path is that of a file */
	bool is_moved;    /**< of a position-independent ELF file: proc_maps_mark() */
	const char *path; /**< "" when it has none; "[stack]" and the like for the kernel's own */
};

/**
 * A file of /proc/@a pid as a whole, with a NUL behind it; g_free() it.
 * @return ERROR_NOT_FOUND when the process has ended, ERROR_REFUSED when this one may not look at it
 */
struct error *proc_file_read(int32_t pid, const char *file, char **ret, size_t *ret_size);

/**
 * Reads the list's text. Lines that are none are ERROR_MALFORMED.
 * @param text  ends in NUL; changed, and the paths point into it
 * @param source  named in errors
 * @param ret  struct proc_mapping, appended in the list's order, which is that of addresses
 */
struct error *proc_maps_parse(char *text, const char *source, GArray *ret);

/** The list of one process. */
struct proc_maps {
	GArray *list; /**< struct proc_mapping */
	char *text;   /**< the paths point into it */
};

struct error *proc_maps_read(int32_t pid, struct proc_maps *ret);
void proc_maps_done(struct proc_maps *maps);
static inline void proc_maps_free_at(struct proc_maps *maps) { proc_maps_done(maps); }

static inline const struct proc_mapping *proc_maps_at(const GArray *list, guint i)
{
	return &g_array_index(list, struct proc_mapping, i);
}

/**
 * The highest free place of @a size bytes, in pages, from which everything in [@a start, @a end) can be reached with
 * 32 bits and the other way round; 0 when there is none.
 */
uint64_t proc_maps_room_near(const GArray *list, uint64_t start, uint64_t end, uint64_t size);

/** Reads the process's memory; false when it cannot. */
typedef bool (*proc_read)(void *context, uint64_t address, void *ret, size_t size);
/** Marks the mappings of files that were linked to be loaded anywhere. */
void proc_maps_mark(GArray *mappings, proc_read read, void *context);
/**
 * How much of the mapping, from its start, the file does not hold as it is in memory, or is needed to recognise the
 * file: what the kernel dumps into a core (fs/coredump.c, vma_dump_size), without its own mappings.
 */
uint64_t proc_mapping_kept(const struct proc_mapping *mapping);
