// SPDX-License-Identifier: Apache-2.0
// The words that hold an address, and what each is part of, without any variable names.
#pragma once
#include "model/data/owner.h"

/**
 * Owners of @a address found backwards through memory; fields of known types first. @a type and @a used_at:
 * see owners_of().
 */
size_t holders_of(struct program *program, uint64_t address, const struct go_type *type,
		  const struct map_site *used_at, struct owner *ret, size_t room);
/**
 * The variable, or the field of a method's receiver, that the code at @a site loads its map from: all that is known of the
 * holder where there is no memory. Its word is 0. False when the code does not tell, or @a site is NULL.
 */
bool holder_by_code(struct program *program, const struct map_site *site, struct owner *ret);
