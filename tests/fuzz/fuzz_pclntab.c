// SPDX-License-Identifier: Apache-2.0
// A function table, and the module's words about it, from anyone. The input begins with a Go minor,
// a flag byte and, when flagged, a moduledata; the table stands at the end of the header.
#include "base/bytes.h"
#include "evidence/binary/moduledata.h"

#define START   0x400000ull
#define TEXT    0x401000ull
#define LOOKUPS 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void table_try(const struct pclntab *table, uint64_t pc)
{
	struct go_site sites[PCLNTAB_MAX_INLINED];
	struct go_function function;
	const char *file;
	int32_t number;

	pclntab_sites(table, pc, sites);
	if (!pclntab_find(table, pc, &function))
		return;
	pclntab_sp_delta(table, &function, pc, &number);
	pclntab_line(table, &function, pc, &file, &number);
	for (enum go_pcdata i = GO_PCDATA_STACK_MAP; i <= GO_PCDATA_ARG_LIVE; i++)
		pclntab_pcdata(table, &function, i, pc);
	for (enum go_funcdata i = GO_FUNCDATA_ARGS_POINTER_MAPS; i <= GO_FUNCDATA_ARG_LIVE_INFO;
	     i++)
		pclntab_funcdata(table, &function, i);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct memory *memory = memory_new();
	struct moduledata module = {.pclntab = {.header = START, .text = TEXT, .gofunc = START}};
	struct go_function function;
	struct pclntab *table;
	bool exact;

	if (size > 1) {
		struct go_version version = {9 + data[0] % 19, 0, true};
		const struct go_layout *layout = go_layout_find(version, GO_ARCH_AMD64, &exact);
		struct error *error;

		memory_add(memory, START, data + 2, size - 2, place_whole("input"));
		if (data[1] & 1)
			error_free(moduledata_read(memory, layout, START + data[1] * 8, &module));
		error = pclntab_open(memory, &module.pclntab, version, &table);
		if (!error) {
			for (uint32_t i = 0; i < LOOKUPS && pclntab_function(table, i, &function);
			     i++)
				for (uint64_t at = 0; at < LOOKUPS; at += 7)
					table_try(table, function.entry + at);
			pclntab_find_named(table, "main.main", &function);
			pclntab_close(table);
		}
		error_free(error);
	}
	memory_free(memory);
	return 0;
}
