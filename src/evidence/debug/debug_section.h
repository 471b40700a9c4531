// SPDX-License-Identifier: Apache-2.0
// The DWARF sections of an image in a form that libdw opens at no cost. libdw inflates every
// compressed .debug_* section when it opens a file, tables that nobody here reads included; so
// compressed sections are inflated here, the large secondary ones only when they are asked for.
#pragma once
#include "base/error.h"
#include "evidence/binary/image.h"

#include <libelf.h>

struct debug_sections;

/**
 * Prepares the sections of @a image (plain, SHF_COMPRESSED or the .zdebug_* of Go 1.11 to 1.18).
 * Sets @a ret to NULL when it has no DWARF.
 */
struct error *debug_sections_open(const struct image *image, struct debug_sections **ret);
void debug_sections_close(struct debug_sections *sections);

/** The ELF to hand to libdw; lives as long as @a sections. */
Elf *debug_sections_elf(const struct debug_sections *sections);
/**
 * Inflates the location and range lists; until then they read as zeros. False when they are
 * damaged.
 */
bool debug_sections_complete(struct debug_sections *sections);

static inline void debug_sections_free_at(struct debug_sections **sections)
{
	debug_sections_close(*sections);
}
