// SPDX-License-Identifier: Apache-2.0
// Every source position of a PC: the innermost inlined call first, the function that holds the code
// last. Three shapes of inline tree (runtime/symtab.go:908@go1.9.7, runtime/symtab.go@go1.12.17,
// runtime/symtabinl.go@go1.21.13) and a small memory of what was asked before.
#include "evidence/binary/pclntab_table.h"

// A direct-mapped table: 10,000 goroutines of a server stand in a few hundred places.
#define CACHE_SLOTS 1024
#define CACHE_SITES 4

struct cache_slot {
	uint64_t pc;
	size_t count; // 0: empty
	struct go_site sites[CACHE_SITES];
};

struct pclntab_cache {
	struct cache_slot slots[CACHE_SLOTS];
};

struct pclntab_cache *pclntab_cache_new(void) { return g_new0(struct pclntab_cache, 1); }

void pclntab_cache_free(struct pclntab_cache *cache) { g_free(cache); }

static struct cache_slot *cache_slot(const struct pclntab *table, uint64_t pc)
{
	return &table->cache->slots[(pc * 0x9e3779b97f4a7c15ull) >> 54];
}
_Static_assert(CACHE_SLOTS == 1 << (64 - 54), "the hash's shift gives an index");

/** A node of the inline tree, whatever its shape. */
struct inlined {
	const char *name;
	int32_t parent;     // index of the enclosing node, negative in the function itself; to 1.19
	int32_t file, line; // of the call; to 1.19
	int32_t parent_pc;  // offset of code that stands at the call; 1.20+
};

#define TREE_TO_11_BYTES 16
#define TREE_TO_19_BYTES 20
#define TREE_BYTES       16

static uint64_t node_bytes(const struct pclntab *table)
{
	if (table->minor >= 20)
		return TREE_BYTES;
	return table->minor >= 12 ? TREE_TO_19_BYTES : TREE_TO_11_BYTES;
}

static bool node_read(const struct pclntab *table, uint64_t tree, int32_t index,
		      struct inlined *ret)
{
	uint64_t size = node_bytes(table);
	struct span node = {memory_view(table->memory, tree + (uint32_t)index * size, size), size};
	struct inlined inlined = {.parent = -1};
	uint32_t name = 0, parent = 0, file = 0, line = 0, parent_pc = 0;

	if (!node.p)
		return false;
	if (table->minor >= 20) {
		span_u32(node, 4, &name);
		span_u32(node, 8, &parent_pc);
	} else {
		span_u32(node, 0, &parent);
		span_u32(node, 4, &file);
		span_u32(node, 8, &line);
		span_u32(node, 12, &name);
		inlined.parent = table->minor >= 12 ? (int16_t)parent : (int32_t)parent;
	}
	inlined.name = span_string(table->names, name);
	inlined.file = (int32_t)file;
	inlined.line = (int32_t)line;
	inlined.parent_pc = (int32_t)parent_pc;
	*ret = inlined;
	return inlined.name != NULL;
}

/** The walk from the innermost call outwards. */
struct walk {
	const struct pclntab *table;
	const struct go_function *function;
	uint64_t tree;
	int32_t index; // node, negative in the function itself
	const char *file;
	int32_t line;
};

static void walk_line(struct walk *walk, uint64_t pc)
{
	walk->file = "";
	walk->line = 0;
	pclntab_line(walk->table, walk->function, pc, &walk->file, &walk->line);
}

static void walk_outwards(struct walk *walk, const struct inlined *node)
{
	const struct pclntab *table = walk->table;
	const struct go_function *function = walk->function;
	uint64_t pc = function->entry + (uint64_t)(int64_t)node->parent_pc;

	if (table->minor >= 20) {
		bool inside = pc >= function->entry && pc < function->end;

		walk_line(walk, pc);
		walk->index = inside ? pclntab_pcdata(table, function, GO_PCDATA_INL_TREE, pc) : -1;
		return;
	}
	walk->file = pclntab_file(table, function, node->file);
	if (!walk->file)
		walk->file = "";
	walk->line = MAX(node->line, 0);
	walk->index = node->parent;
}

static size_t sites_expand(const struct pclntab *table, const struct go_function *function,
			   uint64_t pc, struct go_site ret[PCLNTAB_MAX_INLINED])
{
	struct walk walk = {
		table, function, pclntab_funcdata(table, function, GO_FUNCDATA_INL_TREE),
		-1,    "",       0};
	struct inlined node;
	size_t count = 0;

	walk_line(&walk, pc);
	if (walk.tree)
		walk.index = pclntab_pcdata(table, function, GO_PCDATA_INL_TREE, pc);
	while (walk.index >= 0 && count < PCLNTAB_MAX_INLINED - 1 &&
	       node_read(table, walk.tree, walk.index, &node)) {
		ret[count++] = (struct go_site){node.name, walk.file,       walk.line,
						pc,        function->entry, true};
		walk_outwards(&walk, &node);
	}
	if (walk.index >= 0) { // cut, or a node out of reach: the outermost line is not known
		walk.file = "";
		walk.line = 0;
	}
	ret[count++] =
		(struct go_site){function->name, walk.file, walk.line, pc, function->entry, false};
	return count;
}

size_t pclntab_sites(const struct pclntab *table, uint64_t pc,
		     struct go_site ret[PCLNTAB_MAX_INLINED])
{
	struct cache_slot *slot = cache_slot(table, pc);
	struct go_function function;
	size_t count;

	if (slot->count && slot->pc == pc) {
		memcpy(ret, slot->sites, slot->count * sizeof(ret[0]));
		return slot->count;
	}
	if (!pclntab_find(table, pc, &function))
		return 0;
	count = sites_expand(table, &function, pc, ret);
	if (count <= CACHE_SITES) {
		slot->pc = pc;
		slot->count = count;
		memcpy(slot->sites, ret, count * sizeof(ret[0]));
	}
	return count;
}
