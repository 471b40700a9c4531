// SPDX-License-Identifier: Apache-2.0
// Every map operation in the program's code, as it is found.
#include "report/lists.h"

#include "report/json_writer.h"
#include "report/screen.h"
#include "report/words.h"

/* Where the listing goes: one of the two. */
struct listing {
	struct program *program;
	struct json_writer *json;
	struct screen *screen;
	bool system;
};

/* Innermost source position of the CALL; its function alone when lines are not known. */
static struct go_site position(const struct program *program, const struct map_site *site)
{
	struct go_site all[PCLNTAB_MAX_INLINED];
	size_t count = program_sites(program, site->call_pc, all);

	return count ? all[0]
		     : (struct go_site){.function = site->caller.name, .pc = site->call_pc};
}

static char *source_words(const struct map_source *source)
{
	if (source->kind == MAP_SOURCE_GLOBAL)
		return g_strdup_printf("global %#llx", (unsigned long long)source->address);
	if (source->kind == MAP_SOURCE_FIELD)
		return g_strdup_printf("field at +%lld", (long long)source->offset);
	return g_strdup("");
}

static bool hidden(const struct listing *listing, const struct map_site *site)
{
	return !listing->system && site->caller.name && go_is_runtime_function(site->caller.name);
}

static void site_json(const struct map_site *site, void *context)
{
	const struct listing *listing = context;
	struct go_site at = position(listing->program, site);
	g_autofree char *source = source_words(&site->source);
	struct json_writer *json = listing->json;

	if (hidden(listing, site))
		return;
	json_put_line(json, NULL);
	json_put_address(json, "pc", site->call_pc);
	json_put_known(json, "function", at.function);
	json_put_known(json, "file", at.file);
	json_put_integer(json, "line", at.line);
	json_put_string(json, "operation", map_operation_name(site->function->operation));
	json_put_string(json, "calls", site->function->name);
	json_put_known(json, "type", site->type ? site->type->name : NULL);
	json_put_known(json, "source", source);
	json_end_object(json);
}

static void site_text(const struct map_site *site, void *context)
{
	const struct listing *listing = context;
	struct go_site at = position(listing->program, site);
	g_autofree char *source = source_words(&site->source);
	g_autofree char *place = words_place(&at);
	g_autofree char *function = words_function(at.function);
	struct screen *screen = listing->screen;

	if (hidden(listing, site))
		return;
	screen->indent = 12;
	screen_format(screen, TONE_DIM, "%#llx", (unsigned long long)site->call_pc);
	screen_to(screen, 12);
	screen_words(screen,
		     map_operation_writes(site->function->operation) ? TONE_RED : TONE_PLAIN,
		     map_operation_name(site->function->operation));
	screen_to(screen, 21);
	screen_field(screen, TONE_BOLD, place);
	screen_space(screen, 2);
	screen_field(screen, TONE_PLAIN, function);
	screen_space(screen, 2);
	screen_field(screen, TONE_PLAIN, site->type ? site->type->name : "type not known");
	screen_space(screen, 2);
	screen_field(screen, TONE_DIM, source);
	screen_newline(screen);
}

void report_sites_text(struct program *program, bool system, const struct report_style *style,
		       FILE *out)
{
	struct screen screen;
	struct listing listing = {.program = program, .screen = &screen, .system = system};

	screen_init(&screen, out, style->width, style->color);
	sites_each(program->sites, site_text, &listing);
}

void report_sites_json(struct program *program, bool system, FILE *out)
{
	struct json_writer json;
	struct listing listing = {.program = program, .json = &json, .system = system};

	json_writer_init(&json, out);
	json_put_object(&json, NULL);
	json_put_string(&json, "schema", SITES_SCHEMA);
	json_put_array(&json, "sites");
	sites_each(program->sites, site_json, &listing);
	json_end_array(&json);
	json_end_object(&json);
	json_writer_done(&json);
}
