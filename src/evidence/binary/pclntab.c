// SPDX-License-Identifier: Apache-2.0
// The function table itself: which function, which of its tables. Inlining is in pclntab_sites.c.
#include "evidence/binary/pclntab.h"

#include "evidence/binary/pclntab_table.h"
#include "evidence/binary/pcvalue.h"

#define NO_FILE  UINT32_MAX
#define NO_INDEX (-1)

// runtime/funcdata.h of each release named, internal/abi/symtab.go:76 from 1.21 on.
static const struct numbering {
	int first_minor;
	int8_t pcdata[GO_PCDATA_ARG_LIVE + 1];
	int8_t funcdata[GO_FUNCDATA_ARG_LIVE_INFO + 1];
} numberings[] = {
	{9, {0, 1, NO_INDEX, NO_INDEX}, {0, 1, NO_INDEX, 2, NO_INDEX, NO_INDEX}},
	{12, {0, 1, NO_INDEX, NO_INDEX}, {0, 1, 4, 2, NO_INDEX, NO_INDEX}},
	{13, {1, 2, NO_INDEX, NO_INDEX}, {0, 1, 3, 4, NO_INDEX, NO_INDEX}},
	{16, {1, 2, 0, NO_INDEX}, {0, 1, 2, 3, NO_INDEX, NO_INDEX}},
	{17, {1, 2, 0, NO_INDEX}, {0, 1, 2, 3, 5, NO_INDEX}},
	{18, {1, 2, 0, 3}, {0, 1, 2, 3, 5, 6}},
};

static const struct numbering *numbering_of(int minor)
{
	const struct numbering *found = &numberings[0];

	for (size_t i = 0; i < G_N_ELEMENTS(numberings); i++)
		if (numberings[i].first_minor <= minor)
			found = &numberings[i];
	return found;
}

// One entry of textsectmap: offset of the section in the linker's text, its end, where it was put
// (runtime/symtab.go:501@go1.18.10).
#define SECTION_BYTES 24
#define SECTIONS_MAX  4096

struct section {
	uint64_t offset, end, address;
};

static bool section_at(const struct pclntab *table, uint64_t index, struct section *ret)
{
	uint64_t at = index * SECTION_BYTES;

	return span_u64(table->sections, at, &ret->offset) &&
	       span_u64(table->sections, at + 8, &ret->end) &&
	       span_u64(table->sections, at + 16, &ret->address);
}

/** textAddr, runtime/symtab.go:696@go1.26.8. */
static uint64_t text_address(const struct pclntab *table, uint32_t offset)
{
	uint64_t count = table->sections.n / SECTION_BYTES;
	struct section section;

	for (uint64_t i = 0; i < count && section_at(table, i, &section); i++)
		if (offset >= section.offset &&
		    (offset < section.end || (i == count - 1 && offset == section.end)))
			return section.address + (offset - section.offset);
	return table->module.text + offset;
}

/** textOff, runtime/symtab.go:726@go1.26.8. */
static bool text_offset(const struct pclntab *table, uint64_t pc, uint32_t *ret)
{
	uint64_t count = table->sections.n / SECTION_BYTES, offset = pc - table->module.text;
	struct section section;

	for (uint64_t i = 0; i < count && section_at(table, i, &section); i++) {
		if (section.address > pc)
			return false;
		if (pc - section.address < section.end - section.offset) {
			offset = pc - section.address + section.offset;
			break;
		}
	}
	if (offset > UINT32_MAX)
		return false;
	*ret = (uint32_t)offset;
	return true;
}

/** Before 1.12 the count of funcdata filled four bytes; from then on the last of them, behind the
 * funcID. */
static int oldest_format_minor(const struct pclntab *table)
{
	for (uint64_t i = 0; i < MIN(table->header.count, 1000); i++) {
		uint64_t record;

		if (span_u64(table->bytes, table->header.functab + i * 16 + 8, &record) &&
		    span_has(table->bytes, record, 40) && table->bytes.p[record + 39])
			return 15;
	}
	return 11;
}

static int minor_choose(const struct pclntab *table, struct go_version version)
{
	const struct pclntab_format *format = table->header.format;

	if (version.minor >= format->first_minor &&
	    (version.minor <= format->last_minor || format->last_minor == GO_MINOR_NEWEST))
		return version.minor;
	return format->last_minor == 15 ? oldest_format_minor(table) : format->last_minor;
}

static void spans_set(struct pclntab *table)
{
	const struct pclntab_header *header = &table->header;
	struct span all = table->bytes;

	table->functions = table->names = table->pctab = all;
	if (header->functions) {
		table->names = span_from(all, header->names);
		table->cutab =
			(struct span){all.p + header->cutab, header->filetab - header->cutab};
		table->filetab = span_from(all, header->filetab);
		table->pctab =
			(struct span){all.p + header->pctab, header->functions - header->pctab};
		table->functions = span_from(all, header->functions);
		table->names.n = header->cutab - header->names;
		table->filetab.n = header->pctab - header->filetab;
		return;
	}
	uint32_t at;
	uint32_t count;

	// Before 1.16 the offset of the file table stands behind the functab's sentinel; its first
	// word counts.
	if (span_u32(all, header->functab + header->count * 16 + 8, &at) &&
	    span_u32(all, at, &count) && span_has(all, at, (uint64_t)count * 4))
		table->filetab = (struct span){all.p + at, (uint64_t)count * 4};
}

static void sections_set(struct pclntab *table)
{
	uint64_t count = table->module.textsectmap_count;
	const void *view;

	if (table->header.format->functab_entry_bytes != 8 || count < 2 || count > SECTIONS_MAX)
		return;
	view = memory_view(table->memory, table->module.textsectmap, count * SECTION_BYTES);
	if (view)
		table->sections = (struct span){view, count * SECTION_BYTES};
}

struct error *pclntab_open(const struct memory *memory, const struct pclntab_module *module,
			   struct go_version version, struct pclntab **ret)
{
	struct pclntab_header header;
	struct pclntab *table;

	if (!pclntab_header_read(memory, module->header, &header))
		return error_new(ERROR_MALFORMED, memory_place(memory, module->header),
				 "no sound Go function table at address 0x%llx",
				 (unsigned long long)module->header);
	table = g_new0(struct pclntab, 1);
	table->module = *module;
	table->header = header;
	table->memory = memory;
	table->bytes.n = memory_extent(memory, module->header);
	table->bytes.p = memory_view(memory, module->header, table->bytes.n);
	if (!table->module.text)
		table->module.text = header.text_start;
	spans_set(table);
	sections_set(table);
	table->minor = minor_choose(table, version);
	table->record = pclntab_record_of(table->minor);
	table->cache = pclntab_cache_new();
	table->by_name = g_new0(GHashTable *, 1);
	*ret = table;
	return NULL;
}

void pclntab_close(struct pclntab *table)
{
	if (!table)
		return;
	if (*table->by_name)
		g_hash_table_destroy(*table->by_name);
	g_free(table->by_name);
	pclntab_cache_free(table->cache);
	g_free(table);
}

const struct pclntab_module *pclntab_module(const struct pclntab *table) { return &table->module; }

uint32_t pclntab_count(const struct pclntab *table) { return (uint32_t)table->header.count; }

/** The key of the functab's @a index-th entry: an address to 1.17, then an offset from text. */
static uint64_t functab_key(const struct pclntab *table, uint64_t index)
{
	uint32_t offset = 0;
	uint64_t key = 0;

	if (table->header.format->functab_entry_bytes == 16) {
		span_u64(table->functions,
			 table->header.functab - table->header.functions + index * 16, &key);
		return key;
	}
	span_u32(table->functions, index * 8, &offset);
	return offset;
}

static uint64_t functab_address(const struct pclntab *table, uint64_t index)
{
	uint64_t key = functab_key(table, index);

	return table->header.format->functab_entry_bytes == 16 ? key
							       : text_address(table, (uint32_t)key);
}

static bool functab_record(const struct pclntab *table, uint64_t index, uint64_t *ret)
{
	uint32_t offset;

	if (table->header.format->functab_entry_bytes == 16)
		return span_u64(table->functions,
				table->header.functab - table->header.functions + index * 16 + 8,
				ret);
	if (!span_u32(table->functions, index * 8 + 4, &offset))
		return false;
	*ret = offset;
	return true;
}

static uint32_t record_u32(struct span record, int8_t at)
{
	uint32_t value = 0;

	if (at != PCLNTAB_NO_FIELD)
		span_u32(record, (uint64_t)at, &value);
	return value;
}

static uint8_t record_u8(struct span record, int8_t at)
{
	return at == PCLNTAB_NO_FIELD ? 0 : record.p[at];
}

/** Offset 0 is a real name from 1.16 on, and the table's own header before. */
static const char *name_at(const struct pclntab *table, uint32_t offset)
{
	return offset || table->header.functions ? span_string(table->names, offset) : "";
}

bool pclntab_function(const struct pclntab *table, uint32_t index, struct go_function *ret)
{
	const struct pclntab_record *at = table->record;
	struct go_function function = {.index = index};
	struct span record;
	uint64_t offset;

	if (index >= table->header.count || !functab_record(table, index, &offset))
		return false;
	record = span_from(table->functions, offset);
	if (record.n < at->arrays)
		return false;
	function.entry = functab_address(table, index);
	function.end = functab_address(table, (uint64_t)index + 1);
	function.name = name_at(table, record_u32(record, at->name));
	function.args_bytes = (int32_t)record_u32(record, at->args);
	function.deferreturn = record_u32(record, at->deferreturn);
	function.func_id = record_u8(record, at->func_id);
	function.flag = record_u8(record, at->flag);
	function.start_line = (int32_t)record_u32(record, at->start_line);
	function.pcsp = record_u32(record, at->pcsp);
	function.pcfile = record_u32(record, at->pcfile);
	function.pcln = record_u32(record, at->pcln);
	function.cu_offset = record_u32(record, at->cu_offset);
	function.npcdata = record_u32(record, at->npcdata);
	function.nfuncdata = at->nfuncdata_bytes == 4 ? record_u32(record, at->nfuncdata)
						      : record_u8(record, at->nfuncdata);
	function.arrays = table->module.header + table->header.functions + offset + at->arrays;
	if (!function.name || function.end < function.entry)
		return false;
	*ret = function;
	return true;
}

/** Index of the last entry whose key is not above @a key; false when the first one is. */
static bool functab_search(const struct pclntab *table, uint64_t key, uint32_t *ret)
{
	uint64_t low = 0, high = table->header.count;

	if (key < functab_key(table, 0) || key >= functab_key(table, high))
		return false;
	while (high - low > 1) {
		uint64_t middle = low + (high - low) / 2;

		if (functab_key(table, middle) <= key)
			low = middle;
		else
			high = middle;
	}
	*ret = (uint32_t)low;
	return true;
}

bool pclntab_find(const struct pclntab *table, uint64_t pc, struct go_function *ret)
{
	const struct pclntab_module *module = &table->module;
	uint64_t key = pc;
	uint32_t index, offset;

	if (module->maxpc && (pc < module->minpc || pc >= module->maxpc))
		return false;
	if (table->header.format->functab_entry_bytes == 8) {
		if (pc < module->text || !text_offset(table, pc, &offset))
			return false;
		key = offset;
	}
	return functab_search(table, key, &index) && pclntab_function(table, index, ret);
}

static GHashTable *index_build(const struct pclntab *table)
{
	GHashTable *by_name = g_hash_table_new(g_str_hash, g_str_equal);
	struct go_function function;

	for (uint32_t i = 0; i < table->header.count; i++)
		if (pclntab_function(table, i, &function) && function.name[0] &&
		    !g_hash_table_contains(by_name, function.name))
			g_hash_table_insert(by_name, (gpointer)function.name,
					    GUINT_TO_POINTER(i + 1));
	return by_name;
}

bool pclntab_find_named(const struct pclntab *table, const char *name, struct go_function *ret)
{
	guint found;

	if (!*table->by_name)
		*table->by_name = index_build(table);
	found = GPOINTER_TO_UINT(g_hash_table_lookup(*table->by_name, name));
	return found && pclntab_function(table, found - 1, ret);
}

bool pclntab_value(const struct pclntab *table, const struct go_function *function, uint32_t offset,
		   uint64_t pc, int32_t *ret)
{
	if (!offset || pc < function->entry)
		return false;
	return pcvalue_at(span_from(table->pctab, offset), table->header.quantum,
			  pc - function->entry, ret);
}

bool pclntab_sp_delta(const struct pclntab *table, const struct go_function *function, uint64_t pc,
		      int32_t *ret)
{
	int32_t delta;

	if (!pclntab_value(table, function, function->pcsp, pc, &delta) || delta < 0)
		return false;
	*ret = delta;
	return true;
}

const char *pclntab_file(const struct pclntab *table, const struct go_function *function,
			 int32_t fileno)
{
	uint32_t offset;

	if (fileno < 0)
		return NULL;
	if (!table->header.functions)
		return span_u32(table->filetab, (uint64_t)fileno * 4, &offset)
			       ? span_string(table->bytes, offset)
			       : NULL;
	if (!span_u32(table->cutab, ((uint64_t)function->cu_offset + (uint32_t)fileno) * 4,
		      &offset) ||
	    offset == NO_FILE)
		return NULL;
	return span_string(table->filetab, offset);
}

bool pclntab_line(const struct pclntab *table, const struct go_function *function, uint64_t pc,
		  const char **ret_file, int32_t *ret_line)
{
	int32_t fileno, line;
	const char *file;

	if (!pclntab_value(table, function, function->pcfile, pc, &fileno) ||
	    !pclntab_value(table, function, function->pcln, pc, &line) || line < 0)
		return false;
	file = pclntab_file(table, function, fileno);
	if (!file)
		return false;
	*ret_file = file;
	*ret_line = line;
	return true;
}

int32_t pclntab_pcdata(const struct pclntab *table, const struct go_function *function,
		       enum go_pcdata which, uint64_t pc)
{
	int8_t index = numbering_of(table->minor)->pcdata[which];
	uint32_t offset;
	int32_t value;

	if (index == NO_INDEX || (uint32_t)index >= function->npcdata ||
	    !span_u32(table->bytes, function->arrays - table->module.header + (uint64_t)index * 4,
		      &offset) ||
	    !pclntab_value(table, function, offset, pc, &value))
		return -1;
	return value;
}

uint64_t pclntab_funcdata(const struct pclntab *table, const struct go_function *function,
			  enum go_funcdata which)
{
	int8_t index = numbering_of(table->minor)->funcdata[which];
	uint64_t at = function->arrays + (uint64_t)function->npcdata * 4, address;
	uint32_t offset;

	if (index == NO_INDEX || (uint32_t)index >= function->nfuncdata)
		return 0;
	if (table->record->funcdata_is_pointer) { // aligned: runtime/symtab.go:1012@go1.17.13
		at = (at + 7) & ~7ull;
		return span_u64(table->bytes, at - table->module.header + (uint64_t)index * 8,
				&address)
			       ? address
			       : 0;
	}
	if (!span_u32(table->bytes, at - table->module.header + (uint64_t)index * 4, &offset) ||
	    offset == UINT32_MAX || !table->module.gofunc)
		return 0;
	return table->module.gofunc + offset;
}
