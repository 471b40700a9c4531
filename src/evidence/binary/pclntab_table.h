// SPDX-License-Identifier: Apache-2.0
// The opened table, as the files that read it share it.
#pragma once
#include "evidence/binary/pclntab_format.h"

#include <glib.h>

struct pclntab_cache;

struct pclntab {
	struct pclntab_module module;
	struct pclntab_header header;
	const struct pclntab_record *record;
	int minor; /**< of Go; when the caller did not know, the newest that writes this table */
	const struct memory *memory;
	struct span bytes; /**< from the header to the end of what memory has */
	struct span names, cutab, filetab, pctab, functions;
	struct span sections; /**< textsectmap; empty when the text is one section */
	struct pclntab_cache *cache;
	GHashTable **by_name; /**< name -> index + 1; *by_name is NULL until asked for */
};

/**
 * The value of the table at @a offset of the pc tables (0: none) at @a pc; false when it cannot be
 * read.
 */
bool pclntab_value(const struct pclntab *table, const struct go_function *function, uint32_t offset,
		   uint64_t pc, int32_t *ret);
/** Name of the @a fileno-th file of the function's compilation unit; NULL when there is none. */
const char *pclntab_file(const struct pclntab *table, const struct go_function *function,
			 int32_t fileno);

/** The last answers, by PC: stacks repeat the same few addresses. */
struct pclntab_cache *pclntab_cache_new(void);
void pclntab_cache_free(struct pclntab_cache *cache);
