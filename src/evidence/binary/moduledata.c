// SPDX-License-Identifier: Apache-2.0
// Finds the pclntab, then the one record whose first word is its address. Symbols and sections are
// only short cuts: what they point at passes the same checks as what a scan turns up.
#include "evidence/binary/moduledata.h"

#include "evidence/binary/pclntab_format.h"

#include <glib.h>

static uint64_t field(const struct memory *memory, const struct go_layout *layout, uint64_t base,
		      enum go_field name)
{
	uint64_t word = 0;

	if (layout->offset[name] != GO_ABSENT)
		memory_u64(memory, base + (uint64_t)layout->offset[name], &word);
	return word;
}

/** The second word of a slice: its length. */
static uint64_t field_length(const struct memory *memory, const struct go_layout *layout,
			     uint64_t base, enum go_field name)
{
	uint64_t word = 0;

	if (layout->offset[name] != GO_ABSENT)
		memory_u64(memory, base + (uint64_t)layout->offset[name] + 8, &word);
	return word;
}

static struct moduledata moduledata_fields(const struct memory *memory,
					   const struct go_layout *layout, uint64_t at)
{
	struct moduledata module = {.address = at};

#define WORD(name)   field(memory, layout, at, GO_MODULEDATA_##name)
#define LENGTH(name) field_length(memory, layout, at, GO_MODULEDATA_##name)
	memory_u64(memory, at, &module.pclntab.header);
	module.pclntab.text = WORD(TEXT);
	module.pclntab.etext = WORD(ETEXT);
	module.pclntab.gofunc = WORD(GOFUNC);
	module.pclntab.minpc = WORD(MINPC);
	module.pclntab.maxpc = WORD(MAXPC);
	module.pclntab.textsectmap = WORD(TEXTSECTMAP);
	module.pclntab.textsectmap_count = LENGTH(TEXTSECTMAP);
	module.data = WORD(DATA);
	module.edata = WORD(EDATA);
	module.bss = WORD(BSS);
	module.ebss = WORD(EBSS);
	module.noptrdata = WORD(NOPTRDATA);
	module.enoptrdata = WORD(ENOPTRDATA);
	module.noptrbss = WORD(NOPTRBSS);
	module.enoptrbss = WORD(ENOPTRBSS);
	module.end = WORD(END);
	module.types = WORD(TYPES);
	module.etypes = WORD(ETYPES);
	module.typedesclen = WORD(TYPEDESCLEN);
	module.typelinks = WORD(TYPELINKS);
	module.typelink_count = LENGTH(TYPELINKS);
	module.itablinks = WORD(ITABLINKS);
	module.itablink_count = LENGTH(ITABLINKS);
	if (layout->offset[GO_MODULEDATA_ITABSIZE] != GO_ABSENT) {
		module.itabs = module.types + WORD(ITABOFFSET);
		module.itabs_end = module.itabs + WORD(ITABSIZE);
	}
	module.next = WORD(NEXT);
#undef WORD
#undef LENGTH
	return module;
}

/** The first and the last PC of the functab are the module's own (moduledataverify1 insists on it).
 */
static bool functab_agrees(const struct memory *memory, const struct moduledata *module,
			   const struct pclntab_header *header)
{
	const struct pclntab_module *table = &module->pclntab;
	uint64_t size = header->format->functab_entry_bytes;
	uint64_t first = table->header + header->functab, last = first + header->count * size;
	uint64_t low = 0, high = 0;
	uint32_t low_offset = 0, high_offset = 0;

	if (size == 16)
		return memory_u64(memory, first, &low) && memory_u64(memory, last, &high) &&
		       low == table->minpc && high == table->maxpc;
	if (!memory_u32(memory, first, &low_offset) || !memory_u32(memory, last, &high_offset))
		return false;
	return table->textsectmap_count > 1 || (table->text + low_offset == table->minpc &&
						table->text + high_offset == table->maxpc);
}

static bool bounds_ordered(const struct moduledata *module)
{
	const struct pclntab_module *table = &module->pclntab;

	return table->text <= table->minpc && table->minpc < table->maxpc &&
	       table->maxpc <= table->etext && module->data <= module->edata &&
	       module->noptrdata <= module->enoptrdata && module->bss <= module->ebss &&
	       module->noptrbss <= module->enoptrbss && module->types <= module->etypes &&
	       module->typedesclen <= module->etypes - module->types;
}

struct error *moduledata_read(const struct memory *memory, const struct go_layout *layout,
			      uint64_t address, struct moduledata *ret)
{
	struct moduledata module = moduledata_fields(memory, layout, address);
	struct place where = memory_place(memory, address);
	struct pclntab_header header;
	uint64_t functab = field(memory, layout, address, GO_MODULEDATA_FTAB);
	uint64_t functions = field_length(memory, layout, address, GO_MODULEDATA_FTAB);

	if (!pclntab_header_read(memory, module.pclntab.header, &header))
		return error_new(ERROR_MALFORMED, where,
				 "the module data at 0x%llx leads to no Go function table",
				 (unsigned long long)address);
	if (functab != module.pclntab.header + header.functab || functions != header.count + 1 ||
	    !bounds_ordered(&module) || !functab_agrees(memory, &module, &header))
		return error_new(ERROR_MALFORMED, where,
				 "the module data at 0x%llx contradicts its function table",
				 (unsigned long long)address);
	*ret = module;
	return NULL;
}

static bool module_try(const struct memory *memory, const struct go_layout *layout,
		       uint64_t address, uint64_t header, struct moduledata *ret)
{
	struct moduledata module;
	struct error *error = moduledata_read(memory, layout, address, &module);

	if (error) {
		error_free(error);
		return false;
	}
	if (header && module.pclntab.header != header)
		return false;
	*ret = module;
	return true;
}

/**
 * A search through the loaded image for each 8-aligned word that equals @a word, until @a visit
 * returns true. Segments are looked at through memory: a PIE's pointers exist only there.
 */
struct scan {
	const struct image *image;
	const struct memory *memory;
	const struct go_layout *layout;
	uint64_t bias;
	uint64_t word;
	bool (*visit)(const struct scan *scan, uint64_t address, struct moduledata *ret);
};

static bool scan_piece(const struct scan *scan, uint64_t address, uint64_t size,
		       struct moduledata *ret)
{
	uint64_t skip = -address & 7;
	struct span piece = {memory_view(scan->memory, address, size), size};
	uint64_t word;

	for (uint64_t at = skip; span_u64(piece, at, &word); at += 8)
		if (word == scan->word && scan->visit(scan, address + at, ret))
			return true;
	return false;
}

/** From the lowest to the highest loaded address; segments may be stated to overlap, or to be endless. */
static void image_span(const struct scan *scan, uint64_t *ret_start, uint64_t *ret_end)
{
	size_t count;
	const struct image_range *segments = image_segments(scan->image, &count);

	*ret_start = UINT64_MAX;
	*ret_end = 0;
	for (size_t i = 0; i < count; i++) {
		uint64_t start = segments[i].address + scan->bias, end;

		if (__builtin_add_overflow(start, segments[i].memory_size, &end))
			end = UINT64_MAX;
		*ret_start = MIN(*ret_start, start);
		*ret_end = MAX(*ret_end, end);
	}
}

/** Over what memory has of the image: each byte once. */
static bool scan_image(const struct scan *scan, struct moduledata *ret)
{
	size_t count;
	const struct memory_range *ranges = memory_ranges(scan->memory, &count);
	uint64_t start, end;

	image_span(scan, &start, &end);
	for (size_t i = 0; i < count; i++) {
		uint64_t from = MAX(ranges[i].address, start);
		uint64_t to = MIN(ranges[i].address + ranges[i].size, end);

		if (from < to && scan_piece(scan, from, to - from, ret))
			return true;
	}
	return false;
}

static bool visit_module(const struct scan *scan, uint64_t address, struct moduledata *ret)
{
	return module_try(scan->memory, scan->layout, address, scan->word, ret);
}

static bool section_start(const struct image *image, const char *name, uint64_t bias, uint64_t *ret)
{
	struct image_range range;

	if (!image_section(image, name, &range))
		return false;
	*ret = range.address + bias;
	return true;
}

static bool symbol_address(const struct image *image, const char *name, uint64_t bias,
			   uint64_t *ret)
{
	uint64_t address;

	if (!image_symbol(image, name, &address))
		return false;
	*ret = address + bias;
	return true;
}

/** The module of a table that stands at @a header: by symbol, by section, else by its first word.
 */
static bool module_of(const struct scan *where, uint64_t header, struct moduledata *ret)
{
	struct scan scan = *where;
	uint64_t address;

	if (symbol_address(scan.image, "runtime.firstmoduledata", scan.bias, &address) &&
	    module_try(scan.memory, scan.layout, address, header, ret))
		return true;
	if (section_start(scan.image, ".go.module", scan.bias, &address) &&
	    module_try(scan.memory, scan.layout, address, header, ret))
		return true;
	scan.word = header;
	scan.visit = visit_module;
	return scan_image(&scan, ret);
}

static bool visit_header(const struct scan *scan, uint64_t address, struct moduledata *ret)
{
	struct pclntab_header header;

	return pclntab_header_read(scan->memory, address, &header) && module_of(scan, address, ret);
}

/** The first eight bytes of a table: magic, two zeros, quantum, pointer size. */
static uint64_t header_word(uint32_t magic, enum go_arch arch)
{
	uint64_t quantum = arch == GO_ARCH_ARM64 ? 4 : 1;

	return magic | quantum << 48 | 8ull << 56;
}

/** Without sections or symbols, the table is where its first word is and a module refers to it. */
static bool module_scan(const struct scan *where, struct moduledata *ret)
{
	static const uint32_t magics[] = {0xfffffff1, 0xfffffff0, 0xfffffffa, 0xfffffffb};
	struct scan scan = *where;

	scan.visit = visit_header;
	for (size_t i = 0; i < G_N_ELEMENTS(magics); i++) {
		scan.word = header_word(magics[i], image_arch(scan.image));
		if (scan_image(&scan, ret))
			return true;
	}
	return false;
}

struct error *moduledata_find(const struct image *image, uint64_t bias, const struct memory *memory,
			      const struct go_layout *layout, struct moduledata *ret)
{
	static const char *const sections[] = {".gopclntab", ".data.rel.ro.gopclntab"};
	struct scan scan = {image, memory, layout, bias};
	uint64_t header;

	for (size_t i = 0; i < G_N_ELEMENTS(sections); i++)
		if (section_start(image, sections[i], bias, &header) &&
		    visit_header(&scan, header, ret))
			return NULL;
	if (symbol_address(image, "runtime.pclntab", bias, &header) &&
	    visit_header(&scan, header, ret))
		return NULL;
	if (module_scan(&scan, ret))
		return NULL;
	return error_new(ERROR_NOT_GO, place_whole(image_path(image)),
			 "no Go function table (pclntab) that a module's data refers to");
}
