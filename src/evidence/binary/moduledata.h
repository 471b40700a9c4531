// SPDX-License-Identifier: Apache-2.0
// The runtime's record of a module: where its text, data, types and tables stand. Found without
// symbols by its first word, the address of the pclntab.
#pragma once
#include "evidence/binary/image.h"
#include "evidence/binary/pclntab.h"
#include "golang/layout.h"

struct moduledata {
	uint64_t address;
	struct pclntab_module pclntab;
	uint64_t data, edata, bss, ebss, noptrdata, enoptrdata, noptrbss, enoptrbss, end;
	uint64_t types, etypes;
	uint64_t typedesclen; /**< 1.27+: bytes of contiguous descriptors from @a types; else 0 */
	uint64_t typelinks, typelink_count; /**< array of i32 offsets from types; 0 from 1.27 on */
	uint64_t itablinks, itablink_count; /**< array of pointers to itabs; 0 from 1.27 on */
	uint64_t itabs, itabs_end; /**< 1.27+: the itabs themselves, one after another; else 0 */
	uint64_t next;
};

/**
 * Finds the first module's data in @a memory, in which the image stands at @a bias.
 * @param layout  row to read it by
 * @return ERROR_NOT_GO when the image has no pclntab
 */
struct error *moduledata_find(const struct image *image, uint64_t bias, const struct memory *memory,
			      const struct go_layout *layout, struct moduledata *ret);
/** Reads the moduledata at @a address (for `next` of plugins and shared objects). */
struct error *moduledata_read(const struct memory *memory, const struct go_layout *layout,
			      uint64_t address, struct moduledata *ret);
