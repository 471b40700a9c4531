// SPDX-License-Identifier: Apache-2.0
#include "model/profile/profile_code.h"

#include "base/limits.h"

#include <glib.h>

#define TESTED_MAX   2000 /* locations whose names are compared */
#define TESTED_LEAST 5    /* fewer say nothing */

/* What a frame's function is. */
struct frame_kind {
	const struct go_map_function *map; /* of the runtime's map code, if it makes memory */
	bool runtime, library;
};

/* The source positions of one location, innermost first. */
struct place_sites {
	const struct go_site *sites;
	const struct frame_kind *kinds; /* one a site */
	const struct map_site *called;  /* what is called there; see site_called() */
	uint32_t count;
	bool known, asked;
};

struct profile_code {
	const struct profile *profile;
	struct program *program;
	struct arena *arena;
	uint64_t bias;
	const char *checked;
	struct place_sites *places; /* one a location */
	GArray *stack;              /* struct go_site: what profile_stack() returned last */
};

static const struct profile_line *line_of(const struct profile *profile,
					  const struct profile_location *location, uint32_t i)
{
	return &profile->line[location->first_line + i];
}

static const char *name_of(struct profile_code *code, uint32_t function)
{
	if (function == PROFILE_NONE)
		return "";
	return arena_string(code->arena, code->profile->function[function].name);
}

/* As the profile itself tells it. */
static void sites_from_lines(struct profile_code *code, const struct profile_location *location,
			     struct place_sites *ret)
{
	struct go_site *sites =
		arena_array(code->arena, location->line_count, sizeof(struct go_site));

	for (uint32_t i = 0; i < location->line_count; i++) {
		const struct profile_line *line = line_of(code->profile, location, i);
		struct text file = {"", 0};

		if (line->function != PROFILE_NONE)
			file = code->profile->function[line->function].file;
		sites[i] = (struct go_site){
			.function = name_of(code, line->function),
			.file = arena_string(code->arena, file),
			.line = (int32_t)CLAMP(line->line, 0, INT32_MAX),
			.pc = location->address,
			.entry = location->entry,
			.inlined = i + 1 < location->line_count,
		};
	}
	*ret = (struct place_sites){.sites = sites, .count = location->line_count, .known = true};
}

/* As the program's own tables tell it. */
static void sites_from_program(struct profile_code *code, const struct profile_location *location,
			       struct place_sites *ret)
{
	struct go_site found[PCLNTAB_MAX_INLINED];
	size_t count = program_sites(code->program, location->address - code->bias, found);

	for (size_t i = 0; i < count; i++)
		found[i].pc = location->address;
	if (count)
		*ret = (struct place_sites){
			.sites = arena_copy(code->arena, found, count * sizeof(*found)),
			.count = (uint32_t)count,
			.known = true};
}

/* Memory is made by these; the rest of the map functions only look or shrink. */
static bool allocates(enum map_operation operation)
{
	return operation != MAP_READ && operation != MAP_ITERATE;
}

static const struct frame_kind *kinds_of(struct arena *arena, const struct place_sites *place)
{
	struct frame_kind *kinds = arena_array(arena, place->count, sizeof(*kinds));

	for (uint32_t i = 0; i < place->count; i++) {
		const char *name = place->sites[i].function;

		kinds[i].runtime = !name || !*name || go_is_runtime_function(name);
		kinds[i].library = kinds[i].runtime || go_is_library_function(name);
		if (!kinds[i].runtime || !name)
			continue;
		kinds[i].map = go_map_function_find(name);
		if (kinds[i].map && !allocates(kinds[i].map->operation))
			kinds[i].map = NULL;
	}
	return kinds;
}

static struct place_sites *place_of(struct profile_code *code, uint32_t location)
{
	struct place_sites *place = &code->places[location];

	if (place->known)
		return place;
	if (code->program)
		sites_from_program(code, &code->profile->location[location], place);
	if (!place->known) /* another module's, or C code */
		sites_from_lines(code, &code->profile->location[location], place);
	place->kinds = kinds_of(code->arena, place);
	return place;
}

/* Type arguments are elided in profiles, and shapes in tables. */
static bool same_function(struct text a, const char *b)
{
	size_t n = strcspn(b, "[");
	const char *bracket = a.n ? memchr(a.p, '[', a.n) : NULL;
	size_t m = bracket ? (size_t)(bracket - a.p) : a.n;

	return n == m && memcmp(a.p, b, n) == 0;
}

static bool names_agree(const struct profile_code *code, const struct profile_location *location,
			uint64_t bias)
{
	struct go_site sites[PCLNTAB_MAX_INLINED];
	size_t count = program_sites(code->program, location->address - bias, sites);

	for (size_t i = 0; i < count; i++)
		for (uint32_t j = 0; j < location->line_count; j++) {
			uint32_t function = line_of(code->profile, location, j)->function;

			if (function != PROFILE_NONE && sites[i].function &&
			    same_function(code->profile->function[function].name,
					  sites[i].function))
				return true;
		}
	return false;
}

/* Locations in the main program: in the mapping @main, or in any when there are no mappings. */
static bool in_main(const struct profile_location *location, uint32_t main)
{
	return location->line_count && (main == PROFILE_NONE || location->mapping == main);
}

static struct error *check_names(struct profile_code *code, uint32_t main, bool force)
{
	const struct profile *p = code->profile;
	size_t tested = 0, agreed = 0;

	for (size_t i = 0; i < p->location_count && tested < TESTED_MAX; i++)
		if (in_main(&p->location[i], main)) {
			tested++;
			agreed += names_agree(code, &p->location[i], code->bias);
		}
	if (tested < TESTED_LEAST)
		return NULL;
	if (agreed < tested - tested / 4 && !force)
		return error_new(ERROR_MISMATCH, place_whole(p->path),
				 "is of another program than %s: of %zu addresses that it names, "
				 "%zu have that name there",
				 image_path(code->program->image), tested, agreed);
	if (!*code->checked)
		code->checked = arena_format(code->arena, "names at %zu addresses", tested);
	return NULL;
}

static char *hex_of(struct text bytes)
{
	GString *hex = g_string_new(NULL);

	for (size_t i = 0; i < bytes.n; i++)
		g_string_append_printf(hex, "%02x", (uint8_t)bytes.p[i]);
	return g_string_free(hex, FALSE);
}

/* The mapping that most locations stand in: the program's own code. */
static uint32_t main_mapping(const struct profile *p)
{
	g_autofree uint32_t *counts = g_new0(uint32_t, p->mapping_count + 1);
	uint32_t best = PROFILE_NONE;

	for (size_t i = 0; i < p->location_count; i++)
		if (p->location[i].mapping != PROFILE_NONE)
			counts[p->location[i].mapping]++;
	for (uint32_t i = 0; i < p->mapping_count; i++)
		if (counts[i] && (best == PROFILE_NONE || counts[i] > counts[best]))
			best = i;
	return best;
}

static struct error *check_build_id(struct profile_code *code, uint32_t main, bool force)
{
	const struct profile *p = code->profile;
	g_autofree char *id = hex_of(image_build_id(code->program->image));
	struct text theirs;

	if (main == PROFILE_NONE || !*id || p->mapping[main].build_id.n == 0)
		return NULL;
	theirs = p->mapping[main].build_id;
	if (text_is(theirs, id)) {
		code->checked = "build ID";
		return NULL;
	}
	if (force)
		return NULL;
	return error_new(ERROR_MISMATCH, place_whole(p->path),
			 "is of the program with build ID %.*s, %s has %s", TEXT_ARGUMENTS(theirs),
			 image_path(code->program->image), id);
}

/* Where the mapping's first byte stands as linked. */
static bool bias_of_mapping(const struct profile_code *code, uint32_t main, uint64_t *ret)
{
	const struct profile_mapping *mapping = &code->profile->mapping[main];
	size_t count;
	const struct image_range *segments = image_segments(code->program->image, &count);

	for (size_t i = 0; i < count; i++) {
		uint64_t page = segments[i].offset & ~0xfffull;

		if (!segments[i].executable || mapping->offset < page ||
		    mapping->offset >= segments[i].offset + segments[i].size)
			continue;
		*ret = mapping->start - code->program->bias -
		       (segments[i].address + (mapping->offset - segments[i].offset));
		return true;
	}
	return false;
}

/* Text has no mappings, but the offset of each address in its function: most agree on a bias. */
static uint64_t bias_of_symbols(const struct profile_code *code)
{
	const struct profile *p = code->profile;
	g_autoptr(GHashTable) votes = g_hash_table_new(NULL, NULL);
	size_t most = 0;
	uint64_t best = 0;

	for (size_t i = 0; i < MIN(p->location_count, TESTED_MAX); i++) {
		const struct profile_location *location = &p->location[i];
		struct go_function function;
		g_autofree char *name = NULL;
		gpointer bias;
		size_t count;

		if (!location->entry || !location->line_count)
			continue;
		name = g_strndup(p->function[line_of(p, location, 0)->function].name.p,
				 p->function[line_of(p, location, 0)->function].name.n);
		if (!program_function_named(code->program, name, &function))
			continue;
		bias = GSIZE_TO_POINTER(location->entry - function.entry);
		count = GPOINTER_TO_SIZE(g_hash_table_lookup(votes, bias)) + 1;
		g_hash_table_insert(votes, bias, GSIZE_TO_POINTER(count));
		if (count > most) {
			most = count;
			best = GPOINTER_TO_SIZE(bias);
		}
	}
	return best;
}

static struct error *match(struct profile_code *code, bool force)
{
	uint32_t main = main_mapping(code->profile);

	TRY(check_build_id(code, main, force));
	if (image_is_pie(code->program->image) &&
	    (main == PROFILE_NONE || !bias_of_mapping(code, main, &code->bias)))
		code->bias = bias_of_symbols(code);
	return check_names(code, main, force);
}

struct error *profile_code_open(const struct profile *profile, struct program *program, bool force,
				struct profile_code **ret)
{
	struct profile_code *code = g_new0(struct profile_code, 1);
	struct error *error = NULL;

	code->profile = profile;
	code->program = program;
	code->arena = arena_new();
	code->checked = "";
	code->places = g_new0(struct place_sites, profile->location_count + 1);
	code->stack = g_array_new(FALSE, FALSE, sizeof(struct go_site));
	if (program)
		error = match(code, force);
	if (error) {
		profile_code_close(code);
		return error;
	}
	*ret = code;
	return NULL;
}

void profile_code_close(struct profile_code *code)
{
	if (!code)
		return;
	g_array_unref(code->stack);
	g_free(code->places);
	arena_free(code->arena);
	g_free(code);
}

const char *profile_code_checked(const struct profile_code *code) { return code->checked; }

static bool same_site(const struct go_site *a, const struct go_site *b)
{
	return a->entry == b->entry && a->line == b->line && a->function && b->function &&
	       strcmp(a->function, b->function) == 0;
}

const struct go_site *profile_stack(struct profile_code *code, const struct profile_sample *sample,
				    size_t *ret_count)
{
	/* What the location before stands for beyond itself: text lists that once more. */
	struct place_sites rest = {0};

	g_array_set_size(code->stack, 0);
	for (uint32_t i = 0; i < sample->location_count; i++) {
		const struct place_sites *place =
			place_of(code, profile_location_at(code->profile, sample, i));

		if (rest.count && place->count && place->count <= rest.count &&
		    same_site(place->sites, rest.sites)) {
			rest.sites++;
			rest.count--;
			continue;
		}
		g_array_append_vals(code->stack, place->sites, place->count);
		rest = (struct place_sites){0};
		if (code->profile->is_text && place->count > 1)
			rest = (struct place_sites){.sites = place->sites + 1,
						    .count = place->count - 1};
	}
	*ret_count = code->stack->len;
	return (const struct go_site *)(const void *)code->stack->data;
}

/* What the code calls where the innermost frame outside the runtime stands. */
static const struct map_site *site_called(struct profile_code *code, struct place_sites *place,
					  const struct go_site *frame)
{
	const struct map_site *site;

	if (place->asked || !code->program)
		return place->called;
	place->asked = true;
	site = sites_returning_to(code->program->sites, frame->pc - code->bias + 1);
	if (site && allocates(site->function->operation))
		place->called = site;
	return place->called;
}

/* One of the runtime's frames at the innermost end. */
static void use_of_frame(struct map_use *use, const struct go_map_function *function)
{
	if (!use->function)
		use->function = function->name;
	if (function->user_facing || use->operation == MAP_READ)
		use->operation = function->operation;
}

static void use_of_call(struct map_use *use, const struct map_site *site)
{
	if (!site)
		return;
	if (!use->function)
		*use = (struct map_use){site->function->name, site->function->operation, NULL};
	use->type = site->type;
}

/* Goes on with one location; true when the user's frame is found. */
static bool origin_at(struct profile_code *code, struct place_sites *place, bool *shows_runtime,
		      struct profile_origin *origin)
{
	for (uint32_t i = 0; i < place->count; i++) {
		const struct go_site *site = &place->sites[i];

		if (!origin->innermost)
			origin->innermost = site;
		if (place->kinds[i].runtime) {
			if (!origin->library && place->kinds[i].map)
				use_of_frame(&origin->use, place->kinds[i].map);
			*shows_runtime |= !origin->library;
			continue;
		}
		/* where the runtime's frames are there and none is a map's, it was for no map */
		if (!origin->library && (!*shows_runtime || origin->use.function))
			use_of_call(&origin->use, site_called(code, place, site));
		if (!origin->library)
			origin->library = site;
		if (!place->kinds[i].library) {
			origin->user = site;
			return true;
		}
	}
	return false;
}

uint64_t profile_return_pc(const struct profile_code *code, const struct profile_sample *sample,
			   uint32_t index)
{
	const struct profile *from = code->profile;

	return from->location[profile_location_at(from, sample, index)].address - code->bias + 1;
}

struct profile_origin profile_origin(struct profile_code *code, const struct profile_sample *sample)
{
	struct profile_origin origin = {0};
	bool shows_runtime = false;

	for (uint32_t i = 0; i < sample->location_count; i++)
		if (origin_at(code, place_of(code, profile_location_at(code->profile, sample, i)),
			      &shows_runtime, &origin))
			break;
	return origin;
}

bool profile_hides_maps(const struct profile_code *code) { return !code->program; }
