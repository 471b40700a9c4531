// SPDX-License-Identifier: Apache-2.0
// Direct calls, and addresses that code makes, found by looking at the bytes alone, at the speed of
// memory. What it finds are candidates: the same bytes can also stand inside another instruction.
#pragma once
#include "evidence/process/memory.h"
#include "evidence/binary/pclntab.h"

/** Sorted addresses to look for. */
struct call_targets {
	const uint64_t *addresses;
	size_t count;
};

/**
 * Calls @a visit for each place of the text of @a table whose bytes are a direct call of, or jump
 * to, one of @a targets; @a end is the address after it. In no particular order.
 */
void call_graph_scan(const struct memory *memory, const struct pclntab *table, enum go_arch arch,
		     struct call_targets targets,
		     void (*visit)(uint64_t end, uint64_t target, void *context), void *context);

/**
 * Calls @a visit for each place of the text of @a table that makes a fixed address in [@a low, @a high] (LEA with RIP,
 * ADRP and ADD); @a end is the address after it.
 */
void call_graph_addresses(const struct memory *memory, const struct pclntab *table,
			  enum go_arch arch, uint64_t low, uint64_t high,
			  void (*visit)(uint64_t end, uint64_t target, void *context),
			  void *context);
/**
 * The same of places that load the word at a fixed address in [@a low, @a high] (MOV with RIP, ADRP and LDR).
 */
void call_graph_loads(const struct memory *memory, const struct pclntab *table, enum go_arch arch,
		      uint64_t low, uint64_t high,
		      void (*visit)(uint64_t end, uint64_t target, void *context), void *context);
