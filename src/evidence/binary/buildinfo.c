// SPDX-License-Identifier: Apache-2.0
// Two formats of .go.buildinfo, and what is left where it is missing: Go 1.12 and older have none,
// and a tool that hides names may have emptied it. Then a version is taken only when the evidence
// leaves one.
#include "evidence/binary/buildinfo.h"

#include "base/bytes.h"
#include "base/limits.h"
#include "evidence/binary/moduledata.h"

#include <glib.h>

// debug/buildinfo/buildinfo.go:190-260@go1.26.8
#define MAGIC             "\xff Go buildinf:"
#define MAGIC_BYTES       14
#define HEADER_BYTES      32
#define FLAG_BIG_ENDIAN   1
#define FLAG_INLINE       2
#define SENTINEL_BYTES    16 // around the module information
#define VERSION_BYTES_MAX 256
#define MODULES_BYTES_MAX (16u << 20)
#define SCAN_BYTES_MAX    (1ull << 30) // of segments, which may be stated to overlap

struct place_of {
	const struct image *image;
	const struct memory *memory;
	uint64_t bias;
	struct arena *arena;
};

/** A Go string header {pointer, length} at @a address. */
static bool go_string(const struct memory *memory, uint64_t address, uint64_t max, struct text *ret)
{
	uint64_t pointer, size;
	const void *view;

	if (!memory_u64(memory, address, &pointer) || !memory_u64(memory, address + 8, &size) ||
	    size > max)
		return false;
	view = size ? memory_view(memory, pointer, size) : "";
	if (!view)
		return false;
	*ret = (struct text){view, size};
	return true;
}

/** The strings stand behind the header, each with its length before it (1.18+). */
static struct error *inline_strings(struct bytes *b, struct text *ret_version,
				    struct text *ret_modules)
{
	struct bytes version, modules;
	uint64_t size;

	TRY(bytes_uvarint(b, "length of the Go version", &size));
	TRY(bytes_take(b, "Go version", size, &version));
	TRY(bytes_uvarint(b, "length of the module information", &size));
	TRY(bytes_take(b, "module information", size, &modules));
	*ret_version = (struct text){(const char *)version.at, bytes_left(&version)};
	*ret_modules = (struct text){(const char *)modules.at, bytes_left(&modules)};
	return NULL;
}

static bool inline_read(const struct memory *memory, uint64_t address, struct text *ret_version,
			struct text *ret_modules)
{
	uint64_t extent = memory_extent(memory, address);
	const void *view = extent ? memory_view(memory, address, extent) : "";
	struct bytes b = bytes_over(view, extent, memory_place(memory, address));
	struct error *error = inline_strings(&b, ret_version, ret_modules);

	error_free(error);
	return !error;
}

static bool strings_read(const struct memory *memory, uint64_t address, struct text *ret_version,
			 struct text *ret_modules)
{
	uint8_t header[HEADER_BYTES];
	uint64_t version, modules;

	if (!memory_read(memory, address, header, sizeof(header)) ||
	    memcmp(header, MAGIC, MAGIC_BYTES) != 0)
		return false;
	if (header[15] & FLAG_INLINE)
		return inline_read(memory, address + HEADER_BYTES, ret_version, ret_modules);
	if (header[14] != 8 || (header[15] & FLAG_BIG_ENDIAN) ||
	    !memory_u64(memory, address + 16, &version) ||
	    !memory_u64(memory, address + 24, &modules) ||
	    !go_string(memory, version, VERSION_BYTES_MAX, ret_version))
		return false;
	if (!go_string(memory, modules, MODULES_BYTES_MAX, ret_modules))
		*ret_modules = (struct text){"", 0};
	return true;
}

/** Without its sentinels; empty when they are not there. */
static struct text modules_bare(struct text modules)
{
	if (modules.n <= 2 * SENTINEL_BYTES || modules.n > MODULES_BYTES_MAX ||
	    modules.p[modules.n - SENTINEL_BYTES - 1] != '\n')
		return (struct text){"", 0};
	return (struct text){modules.p + SENTINEL_BYTES, modules.n - 2 * SENTINEL_BYTES};
}

/** What follows "path\t" at the beginning of a line. */
static struct text main_path(struct text modules)
{
	struct text line = modules;

	while (line.n) {
		const char *newline = memchr(line.p, '\n', line.n);
		size_t size = newline ? (size_t)(newline - line.p) : line.n;

		if (text_starts((struct text){line.p, size}, "path\t"))
			return (struct text){line.p + 5, size - 5};
		line.p += MIN(size + 1, line.n);
		line.n -= MIN(size + 1, line.n);
	}
	return (struct text){"", 0};
}

static bool buildinfo_at(const struct place_of *where, uint64_t address, struct buildinfo *ret)
{
	struct text version, modules;

	if (!strings_read(where->memory, address, &version, &modules) ||
	    version.n > VERSION_BYTES_MAX)
		return false;
	modules = modules_bare(modules);
	*ret = (struct buildinfo){
		.go_version = arena_string(where->arena, version),
		.main_path = arena_string(where->arena, main_path(modules)),
		.module_info = arena_string(where->arena, modules),
		.found_in = ".go.buildinfo",
	};
	go_version_parse(version, &ret->version);
	return true;
}

/**
 * Calls @a visit for each address of that alignment in the image's data, until it says to stop.
 * Executable segments are left out.
 */
static bool each_aligned(const struct place_of *where, uint64_t alignment, bool writable_only,
			 bool (*visit)(const struct place_of *, uint64_t, void *), void *context)
{
	size_t count;
	const struct image_range *segments = image_segments(where->image, &count);
	uint64_t left = SCAN_BYTES_MAX;

	for (size_t i = 0; i < count && left; i++) {
		uint64_t start = segments[i].address + where->bias;
		uint64_t size = MIN(segments[i].size, left), offset = -start & (alignment - 1);

		if (segments[i].executable || (writable_only && !segments[i].writable))
			continue;
		left -= size;
		// by offsets: a crafted segment may stand at the very end of the address space
		for (; offset + alignment <= size; offset += alignment)
			if (visit(where, start + offset, context))
				return true;
	}
	return false;
}

static bool visit_header(const struct place_of *where, uint64_t address, void *context)
{
	const uint8_t *view = memory_view(where->memory, address, MAGIC_BYTES);
	struct buildinfo found;

	if (!view || view[0] != 0xff || !buildinfo_at(where, address, &found) ||
	    !found.version.minor)
		return false;
	*(struct buildinfo *)context = found;
	return true;
}

static bool from_section(const struct place_of *where, struct buildinfo *ret)
{
	struct image_range section;

	if (image_section(where->image, ".go.buildinfo", &section))
		return buildinfo_at(where, section.address + where->bias, ret);
	return each_aligned(where, 16, false, visit_header, ret);
}

static bool from_string(const struct place_of *where, struct text version, const char *found_in,
			struct buildinfo *ret)
{
	struct go_version parsed;

	if (!go_version_parse(version, &parsed))
		return false;
	ret->go_version = arena_string(where->arena, version);
	ret->version = parsed;
	ret->found_in = found_in;
	return true;
}

static bool from_symbol(const struct place_of *where, struct buildinfo *ret)
{
	uint64_t address;
	struct text version;

	return image_symbol(where->image, "runtime.buildVersion", &address) &&
	       go_string(where->memory, address + where->bias, VERSION_BYTES_MAX, &version) &&
	       from_string(where, version, "runtime.buildVersion", ret);
}

// Releases whose moduledata have one shape, as far as moduledata_find() can tell them apart.
static const struct generation {
	int first_minor, last_minor;
} generations[] = {
	{27, GO_MINOR_NEWEST}, {26, 26}, {20, 25}, {18, 19}, {16, 17}, {9, 15},
};

static bool generation_of(const struct place_of *where, struct generation *ret)
{
	for (size_t i = 0; i < G_N_ELEMENTS(generations); i++) {
		struct go_version version = {.minor = generations[i].last_minor};
		struct moduledata module;
		bool exact;
		const struct go_layout *layout =
			go_layout_find(version, image_arch(where->image), &exact);
		struct error *error =
			moduledata_find(where->image, where->bias, where->memory, layout, &module);

		error_free(error);
		if (!error) {
			*ret = generations[i];
			return true;
		}
	}
	return false;
}

/** Version strings that a string header in writable data points at: runtime.buildVersion is one. */
struct candidates {
	struct generation range;
	struct text first;
	bool several;
};

static bool release_in(const struct candidates *candidates, struct text version)
{
	struct go_version parsed;

	return text_starts(version, "go1.") && go_version_parse(version, &parsed) &&
	       parsed.minor >= candidates->range.first_minor &&
	       parsed.minor <= candidates->range.last_minor;
}

static bool visit_string(const struct place_of *where, uint64_t address, void *context)
{
	struct candidates *candidates = context;
	struct text version;

	if (!go_string(where->memory, address, 32, &version) || !release_in(candidates, version))
		return false;
	if (candidates->first.p && !text_equal(candidates->first, version))
		candidates->several = true;
	candidates->first = version;
	return candidates->several;
}

static bool from_data(const struct place_of *where, struct buildinfo *ret)
{
	struct candidates candidates = {0};

	if (!generation_of(where, &candidates.range))
		return false;
	each_aligned(where, 8, true, visit_string, &candidates);
	if (candidates.first.p && !candidates.several)
		return from_string(where, candidates.first, "a string of the data segment", ret);
	if (candidates.range.first_minor != candidates.range.last_minor)
		return false;
	ret->version = (struct go_version){.minor = candidates.range.first_minor};
	ret->found_in = "pclntab magic";
	return true;
}

struct error *buildinfo_read(const struct image *image, uint64_t bias, const struct memory *memory,
			     struct arena *arena, struct buildinfo *ret)
{
	struct place_of where = {image, memory, bias, arena};
	struct buildinfo info = {
		.go_version = "", .main_path = "", .module_info = "", .found_in = ""};

	if (from_section(&where, &info) && info.version.minor) {
		*ret = info;
		return NULL;
	}
	if (!from_symbol(&where, &info))
		from_data(&where, &info);
	*ret = info;
	return NULL;
}
