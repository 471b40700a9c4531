// SPDX-License-Identifier: Apache-2.0
// Reads the maps that tests/fixtures/mapdump named on its way out from its core, with the product's
// own readers: mapdump BINARY CORE [references] < LINES. Each "map NAME HEADER TYPE ..." on
// standard input gives the same four words, count and digest, as the program printed them, and then
// what else was seen (used=N problems=N object=SIZE,STATE [references=N] ["growing"]
// FIRST_PROBLEM).
#include "evidence/process/core.h"
#include "evidence/binary/match.h"
#include "model/data/heap.h"
#include "model/data/map.h"
#include "model/process/program_open.h"

#include <inttypes.h>
#include <stdio.h>

#define FNV_START 14695981039346656037ull
#define FNV_PRIME 1099511628211ull

struct digest {
	const struct program *program;
	const struct go_type *type;
	uint64_t sum, unreadable;
};

static bool hash_memory(const struct memory *memory, uint64_t address, uint64_t size,
			uint64_t *hash)
{
	for (uint64_t i = 0; i < size; i++) {
		uint8_t byte;

		if (!memory_u8(memory, address + i, &byte))
			return false;
		*hash = (*hash ^ byte) * FNV_PRIME;
	}
	return true;
}

static bool digest_entry(uint64_t key, uint64_t elem, void *context)
{
	struct digest *digest = context;
	const struct memory *memory = digest->program->memory;
	uint64_t hash = FNV_START;

	if (hash_memory(memory, key, digest->type->key->size, &hash) &&
	    hash_memory(memory, elem, digest->type->elem->size, &hash))
		digest->sum += hash;
	else
		digest->unreadable++;
	return true;
}

static void count_word(uint64_t word, uint64_t value, void *context) { ++*(uint64_t *)context; }

static void object_print(struct program *program, uint64_t address)
{
	struct heap_object object;

	if (heap_object_at(program, address, &object))
		printf(" object=%" PRIu64 ",%s%s", object.size,
		       object.allocated ? "allocated" : "free",
		       object.address == address ? "" : ",inside");
	else
		printf(" object=none");
}

static void map_print(struct program *program, const char *name, uint64_t address, uint64_t type,
		      bool references)
{
	struct digest digest = {.program = program, .type = types_at(program->types, type)};
	struct map_integrity found;
	struct go_map map;
	uint64_t words = 0;

	printf("map %s 0x%" PRIx64 " 0x%" PRIx64, name, address, type);
	if (!digest.type || !digest.type->key || !digest.type->elem ||
	    !map_read(program, address, &map)) {
		printf(" unreadable %s\n", digest.type ? "map" : "type");
		return;
	}
	found = map_entries(program, &map, digest.type, digest_entry, &digest);
	printf(" %" PRIu64 " %016" PRIx64 " used=%" PRIu64 " problems=%" PRIu64,
	       found.entries_found, digest.sum, map.count, found.problems + digest.unreadable);
	object_print(program, address);
	if (references) {
		heap_references(program, address, address + 1, count_word, &words);
		printf(" references=%" PRIu64, words);
	}
	printf("%s%s%s\n", map.growing ? " growing" : "", *found.first_problem ? " " : "",
	       found.first_problem);
}

static void lines_read(struct program *program, bool references)
{
	char line[512], name[256];
	uint64_t address, type;

	while (fgets(line, sizeof(line), stdin))
		if (sscanf(line, "map %255s %" SCNx64 " %" SCNx64, name, &address, &type) == 3)
			map_print(program, name, address, type, references);
}

struct opened {
	struct image *image;
	struct core *core;
	struct program *program;
};

static struct error *evidence_open(char **paths, struct opened *opened)
{
	struct program_evidence evidence = {0};
	const char *checked;

	TRY(image_open(paths[0], &opened->image));
	TRY(core_open(paths[1], &opened->core));
	evidence.image = opened->image;
	evidence.process = core_process(opened->core);
	TRY(match_image(core_process(opened->core), opened->image, false, &evidence.bias,
			&checked));
	return program_open(&evidence, &opened->program);
}

static void evidence_close(struct opened *opened)
{
	if (opened->program)
		program_close(opened->program);
	if (opened->core)
		core_close(opened->core);
	if (opened->image)
		image_close(opened->image);
}

int main(int count, char **arguments)
{
	scoped(error) struct error *error = NULL;
	struct opened opened = {0};

	if (count < 3) {
		fprintf(stderr, "usage: mapdump BINARY CORE [references]\n");
		return 2;
	}
	error = evidence_open(arguments + 1, &opened);
	if (error)
		fprintf(stderr, "mapdump: %s\n", error_text(error));
	else
		lines_read(opened.program, count > 3);
	evidence_close(&opened);
	return error ? 3 : 0;
}
