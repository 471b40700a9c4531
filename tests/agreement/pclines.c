// SPDX-License-Identifier: Apache-2.0
// Prints what our reader of the function table says, in the words of others, so that the two can be
// compared:
//   pclines BINARY            PCs (hex) on standard input -> "function\nfile:line", as `go tool
//   addr2line` pclines -i BINARY         the same with every inlined frame: "function file:line"
//   each, then "--" pclines -f BINARY         all functions: "entry end function" pclines -b COUNT
//   BINARY   how many look-ups of random PCs a second
#include "evidence/binary/buildinfo.h"
#include "evidence/binary/moduledata.h"

#include <inttypes.h>
#include <time.h>

struct opened {
	struct image *image;
	struct memory *memory;
	struct arena *arena;
	struct pclntab *table;
	struct moduledata module;
};

static struct error *open_binary(const char *path, struct opened *ret)
{
	const struct go_layout *layout;
	struct buildinfo info;
	bool exact;

	ret->memory = memory_new();
	ret->arena = arena_new();
	TRY(image_open(path, &ret->image));
	image_add_to(ret->image, 0, ret->memory);
	TRY(buildinfo_read(ret->image, 0, ret->memory, ret->arena, &info));
	layout = go_layout_find(info.version, image_arch(ret->image), &exact);
	TRY(moduledata_find(ret->image, 0, ret->memory, layout, &ret->module));
	return pclntab_open(ret->memory, &ret->module.pclntab, info.version, &ret->table);
}

static void close_binary(struct opened *opened)
{
	pclntab_close(opened->table);
	memory_free(opened->memory);
	image_close(opened->image);
	arena_free(opened->arena);
}

static void print_outer(const struct pclntab *table, uint64_t pc)
{
	struct go_site sites[PCLNTAB_MAX_INLINED];
	size_t count = pclntab_sites(table, pc, sites);

	if (!count)
		printf("?\n?:0\n");
	else if (sites[0].file[0])
		printf("%s\n%s:%d\n", sites[count - 1].function, sites[0].file, sites[0].line);
	else // padding behind a function: addr2line's words for "no line"
		printf("%s\n:-1\n", sites[count - 1].function);
}

static void print_inlined(const struct pclntab *table, uint64_t pc)
{
	struct go_site sites[PCLNTAB_MAX_INLINED];
	size_t count = pclntab_sites(table, pc, sites);

	for (size_t i = 0; i < count; i++)
		printf("%s %s:%d\n", sites[i].function, sites[i].file, sites[i].line);
	puts("--");
}

static void print_each(const struct pclntab *table, void (*print)(const struct pclntab *, uint64_t))
{
	uint64_t pc;

	while (scanf("%" SCNx64, &pc) == 1)
		print(table, pc);
}

static void print_functions(const struct pclntab *table)
{
	struct go_function function;

	for (uint32_t i = 0; i < pclntab_count(table); i++)
		if (pclntab_function(table, i, &function))
			printf("%" PRIx64 " %" PRIx64 " %s\n", function.entry, function.end,
			       function.name);
}

/** Processor time: other work on the machine does not count. */
static double seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void measure(const struct opened *opened, uint32_t count)
{
	const struct pclntab_module *module = &opened->module.pclntab;
	struct go_site sites[PCLNTAB_MAX_INLINED];
	struct go_function function;
	const char *file;
	uint64_t state = 88172645463325252ull, found = 0, frames = 0;
	int32_t line;
	double start = seconds_now(), lines, all;

	for (uint32_t i = 0; i < count; i++) {
		state = state * 6364136223846793005ull + 1442695040888963407ull;
		uint64_t pc = module->minpc + (state >> 20) % (module->maxpc - module->minpc);

		found += pclntab_find(opened->table, pc, &function) &&
			 pclntab_line(opened->table, &function, pc, &file, &line);
	}
	lines = seconds_now() - start;
	start = seconds_now();
	for (uint32_t i = 0; i < count; i++) {
		state = state * 6364136223846793005ull + 1442695040888963407ull;
		frames += pclntab_sites(
			opened->table,
			module->minpc + (state >> 20) % (module->maxpc - module->minpc), sites);
	}
	all = seconds_now() - start;
	printf("%u PCs: function, file, line %.2f M/s (%" PRIu64 " found); with inlined frames "
	       "%.2f M/s (%" PRIu64 " frames)\n",
	       count, count / lines / 1e6, found, count / all / 1e6, frames);
}

int main(int argc, char **argv)
{
	const char *option = argc > 2 ? argv[1] : "";
	struct opened opened = {0};
	struct error *error;

	if (argc < 2) {
		fprintf(stderr, "usage: pclines [-i | -f | -b COUNT] BINARY\n");
		return 2;
	}
	error = open_binary(argv[argc - 1], &opened);
	if (error)
		fprintf(stderr, "pclines: %s\n", error_text(error));
	else if (!strcmp(option, "-i"))
		print_each(opened.table, print_inlined);
	else if (!strcmp(option, "-f"))
		print_functions(opened.table);
	else if (!strcmp(option, "-b"))
		measure(&opened, (uint32_t)strtoul(argv[2], NULL, 10));
	else
		print_each(opened.table, print_outer);
	close_binary(&opened);
	error_free(error);
	return error ? 3 : 0;
}
