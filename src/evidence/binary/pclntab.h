// SPDX-License-Identifier: Apache-2.0
// Go's own function table (.gopclntab), in every Go binary, stripped or not: PC → function, file,
// line, inlined frames, frame size, pcdata, funcdata. Reads all four generations (Go 1.2, 1.16,
// 1.18, 1.20 formats). One table per module. A table remembers its last answers: one thread at a
// time.
#pragma once
#include "base/error.h"
#include "base/text.h"
#include "evidence/process/memory.h"
#include "golang/version.h"

struct pclntab;

/** Addresses of the module that owns the table, from its moduledata. */
struct pclntab_module {
	uint64_t header; /**< address of the table's own header */
	uint64_t text, etext;
	uint64_t gofunc; /**< base of funcdata offsets, 1.18+; else 0 */
	uint64_t minpc, maxpc;
	uint64_t textsectmap, textsectmap_count; /**< several text sections (1.18+); 0 when one */
};

/** A function, by value; strings point into the evidence. */
struct go_function {
	uint64_t entry, end; /**< end: the next function's entry */
	uint32_t index;      /**< in the table's order; with the table, the function's identity */
	const char *name;    /**< as linked: "main.(*T).put", "main.F[...]" */
	int32_t args_bytes;  /**< of the argument area; negative when variable */
	uint32_t deferreturn;
	uint8_t func_id;    /**< meaning changes with the Go version: match by name */
	uint8_t flag;       /**< 1 TOPFRAME, 2 SPWRITE, 4 ASM (1.17+) */
	int32_t start_line; /**< 1.20+; else 0 */
	uint32_t pcsp, pcfile, pcln;
	uint32_t cu_offset;
	uint32_t npcdata, nfuncdata;
	uint64_t arrays; /**< address of the pcdata array */
};

/** One source position of a PC; a PC in inlined code has several. */
struct go_site {
	const char *function;
	const char *file; /**< "" when the table does not say */
	int32_t line;     /**< 0 when the table does not say */
	uint64_t pc;      /**< the PC asked for */
	uint64_t entry;   /**< of the function that holds the code */
	bool inlined;     /**< this frame was inlined into the next one */
};

#define PCLNTAB_MAX_INLINED 64 /**< frames that one PC expands to, at most; deeper ones are cut */

/**
 * Opens the table at @a module->header.
 * @param version  of Go; minor 0 when not known: then taken from the table's magic, which is enough
 *                 for the four formats but not for pcdata numbering
 */
struct error *pclntab_open(const struct memory *memory, const struct pclntab_module *module,
			   struct go_version version, struct pclntab **ret);
void pclntab_close(struct pclntab *table);

const struct pclntab_module *pclntab_module(const struct pclntab *table);
uint32_t pclntab_count(const struct pclntab *table);
/** The @a index-th function in address order; false when the entry is malformed. */
bool pclntab_function(const struct pclntab *table, uint32_t index, struct go_function *ret);
/** The function that covers @a pc. */
bool pclntab_find(const struct pclntab *table, uint64_t pc, struct go_function *ret);
/** The function of that exact name. First call builds an index. */
bool pclntab_find_named(const struct pclntab *table, const char *name, struct go_function *ret);

/**
 * Bytes between SP and the frame's CFA less the return address (amd64) at @a pc; false when
 * unknown.
 */
bool pclntab_sp_delta(const struct pclntab *table, const struct go_function *function, uint64_t pc,
		      int32_t *ret);
/** File and line of @a pc, innermost, without inline expansion. */
bool pclntab_line(const struct pclntab *table, const struct go_function *function, uint64_t pc,
		  const char **ret_file, int32_t *ret_line);
/**
 * Every source position of @a pc, innermost first; the last is the function itself. For a return
 * address pass pc - 1, as the runtime does.
 * @return how many of @a ret were written, 0 when @a pc is in no function
 */
size_t pclntab_sites(const struct pclntab *table, uint64_t pc,
		     struct go_site ret[PCLNTAB_MAX_INLINED]);

/** Tables whose numbers moved between versions (runtime/funcdata.h, internal/abi/symtab.go). */
enum go_pcdata {
	GO_PCDATA_STACK_MAP,
	GO_PCDATA_INL_TREE,
	GO_PCDATA_UNSAFE_POINT,
	GO_PCDATA_ARG_LIVE, /**< 1.18+ */
};
enum go_funcdata {
	GO_FUNCDATA_ARGS_POINTER_MAPS,
	GO_FUNCDATA_LOCALS_POINTER_MAPS,
	GO_FUNCDATA_STACK_OBJECTS,
	GO_FUNCDATA_INL_TREE,
	GO_FUNCDATA_ARG_INFO,
	GO_FUNCDATA_ARG_LIVE_INFO, /**< 1.18+ */
};

/** The value of a pcdata table at @a pc; -1 when the function has no such table. */
int32_t pclntab_pcdata(const struct pclntab *table, const struct go_function *function,
		       enum go_pcdata which, uint64_t pc);
/** The address of a funcdata; 0 when the function has none. */
uint64_t pclntab_funcdata(const struct pclntab *table, const struct go_function *function,
			  enum go_funcdata which);
