// SPDX-License-Identifier: Apache-2.0
// Writes of such a map in the code that no goroutine of the text was seen near: with one goroutine in the text they are
// all there is, and profiles from before the crash say which of them are really at work.
#include "findings/told.h"

#include <stdlib.h>

struct code_write {
	const struct write_site *write;
	struct map_site_profile profile;
};

static int more_of(uint64_t a, uint64_t b) { return a > b ? -1 : a < b; }

static int by_evidence(const void *a, const void *b)
{
	const struct code_write *x = a, *y = b;
	int order = more_of(x->write->match, y->write->match);

	if (!order)
		order = more_of(x->profile.goroutines > 0, y->profile.goroutines > 0);
	if (!order)
		order = more_of(x->profile.alloc_bytes, y->profile.alloc_bytes);
	return order ? order : -more_of(x->write->site->call_pc, y->write->site->call_pc);
}

/** A candidate, or the other side, is at that line already. */
static bool is_listed(const struct findings *findings, const struct go_site *site)
{
	for (size_t i = 0; i < findings->candidate_count; i++)
		if (findings->candidates[i].site.line == site->line &&
		    g_str_equal(findings->candidates[i].site.file, site->file))
			return true;
	return findings->other && findings->other->site.line == site->line &&
	       g_str_equal(findings->other->site.file, site->file);
}

static GArray *collect(const struct inquiry *inquiry)
{
	GArray *found = g_array_new(FALSE, FALSE, sizeof(struct code_write));
	size_t count;
	const struct write_site *writes = write_reach_sites(inquiry->reach, &count);

	for (size_t i = 0; i < count; i++) {
		struct code_write write = {&writes[i],
					   map_profile_of(inquiry->profile, writes[i].site)};

		if (writes[i].match == SITE_OTHER_MAP ||
		    go_is_runtime_function(writes[i].site->caller.name))
			continue;
		g_array_append_val(found, write);
	}
	if (found->len)
		qsort(found->data, found->len, sizeof(struct code_write), by_evidence);
	return found;
}

static void add(struct reasoning *reasoning, const struct code_write *write)
{
	static const char *const matches[] = {
		[SITE_SAME_TYPE] = "a map of this type",
		[SITE_SAME_FIELD] = "the field that holds this map",
		[SITE_SAME_MAP] = "the variable that holds this map",
	};
	struct findings *findings = reasoning->findings;
	struct go_site sites[PCLNTAB_MAX_INLINED];
	size_t count = program_sites(reasoning->program, write->write->site->call_pc, sites), i = 0;
	struct side *side = &findings->candidates[findings->candidate_count];

	while (i + 1 < count && go_is_runtime_function(sites[i].function))
		i++;
	if (!count || is_listed(findings, &sites[i]))
		return;
	*side = (struct side){
		.role = SIDE_CANDIDATE,
		.operation = write->write->site->function->operation,
		.site = sites[i],
		.confidence = CONFIDENCE_POSSIBLE,
		.rule = "write_site",
	};
	witness_add(reasoning, &side->witnesses, EVIDENCE_BINARY, write->write->site->call_pc,
		    "this line writes %s; no goroutine of the text was seen near it",
		    matches[write->write->match]);
	tell_profile(reasoning, &write->profile, side);
	findings->candidate_count++;
}

void told_code(struct inquiry *inquiry, size_t room)
{
	struct reasoning *reasoning = inquiry->reasoning;
	GArray *writes = collect(inquiry);

	for (guint i = 0; i < writes->len && reasoning->findings->candidate_count < room; i++)
		add(reasoning, &g_array_index(writes, struct code_write, i));
	g_array_free(writes, TRUE);
}
