// SPDX-License-Identifier: Apache-2.0
#include "findings/unseen_write.h"

#include "findings/suspect_side.h"

#include <stdlib.h>
#include <string.h>

/** How close the code of a write is to that of the operation which tripped the check. */
enum nearness { NEAR_LIBRARY, NEAR_PROGRAM, NEAR_PACKAGE };

struct unseen_write {
	const struct write_site *write;
	struct go_site site; /**< where the user wrote it */
	enum nearness nearness;
	struct map_site_profile profile;
};

static int more_of(uint64_t a, uint64_t b) { return a > b ? -1 : a < b; }

static int by_evidence(const void *a, const void *b)
{
	const struct unseen_write *x = a, *y = b;
	int order = more_of(x->write->match, y->write->match);

	if (!order)
		order = more_of(x->profile.goroutines > 0, y->profile.goroutines > 0);
	if (!order)
		order = more_of(x->profile.alloc_bytes, y->profile.alloc_bytes);
	if (!order)
		order = more_of(x->nearness, y->nearness);
	return order ? order : -more_of(x->write->site->call_pc, y->write->site->call_pc);
}

static enum nearness nearness_of(const struct reasoning *reasoning, const struct go_site *site)
{
	const struct side *detector = reasoning->findings->detector;

	if (detector &&
	    text_equal(go_package_of(site->function), go_package_of(detector->site.function)))
		return NEAR_PACKAGE;
	return go_is_library_function(site->function) ? NEAR_LIBRARY : NEAR_PROGRAM;
}

/**
 * The library writes maps of unnamed types of its own, and what a package does to a map while it is set up is done
 * before anything runs at the same time.
 */
static bool is_out_of_question(const struct reasoning *reasoning, const struct unseen_write *write)
{
	const struct map_site *site = write->write->site;

	if (write->write->match == SITE_OTHER_MAP || write->write->fresh ||
	    go_is_runtime_function(site->caller.name) ||
	    go_is_package_initializer(site->caller.name))
		return true;
	if (write->write->match >= SITE_SAME_FIELD)
		return false;
	if (!reasoning->program->printout)
		return write->nearness <
		       NEAR_PACKAGE; // then the goroutines are all there, and say more
	return write->nearness == NEAR_LIBRARY && reasoning->type &&
	       g_str_has_prefix(reasoning->type->full_name, "map[");
}

static GArray *collect(const struct inquiry *inquiry)
{
	GArray *found = g_array_new(FALSE, FALSE, sizeof(struct unseen_write));
	struct reasoning *reasoning = inquiry->reasoning;
	size_t count;
	const struct write_site *writes = write_reach_sites(inquiry->reach, &count);

	for (size_t i = 0; i < count; i++) {
		struct unseen_write write = {
			.write = &writes[i],
			.site = *suspect_user_site(reasoning->program, writes[i].site->call_pc),
		};

		write.nearness = nearness_of(reasoning, &write.site);
		write.profile = map_profile_of(inquiry->profile, writes[i].site);
		if (!is_out_of_question(reasoning, &write))
			g_array_append_val(found, write);
	}
	if (found->len)
		qsort(found->data, found->len, sizeof(struct unseen_write), by_evidence);
	return found;
}

/** A candidate, or the other side, is at that line already. */
static bool is_listed(const struct findings *findings, const struct go_site *site)
{
	for (size_t i = 0; i < findings->candidate_count; i++)
		if (findings->candidates[i].site.line == site->line &&
		    !g_strcmp0(findings->candidates[i].site.file, site->file))
			return true;
	return findings->other && findings->other->site.line == site->line &&
	       g_str_equal(findings->other->site.file, site->file);
}

static bool is_only_one(const GArray *writes)
{
	const struct unseen_write *all = (const struct unseen_write *)(const void *)writes->data;

	return all[0].write->match >= SITE_SAME_FIELD &&
	       (writes->len == 1 || all[1].write->match < SITE_SAME_FIELD);
}

static struct side side_of(struct reasoning *reasoning, const struct unseen_write *write,
			   bool alone)
{
	const struct write_site *site = write->write;
	struct side side = {
		.role = SIDE_CANDIDATE,
		.operation = site->site->function->operation,
		.site = write->site,
		.confidence = CONFIDENCE_POSSIBLE,
		.rule = site->match == SITE_SAME_TYPE ? "write_site_of_type" : "write_site",
	};

	reasoning->told_of = NULL;
	witness_add(reasoning, &side.witnesses, EVIDENCE_BINARY, site->site->call_pc,
		    "this line writes %s; no goroutine was seen near it",
		    suspect_match_words(site->match));
	if (alone && site->match >= SITE_SAME_FIELD)
		witness_add(reasoning, &side.witnesses, EVIDENCE_BINARY, 0,
			    "no other line that names it was found to write it, but what sets "
			    "its package up");
	tell_profile(reasoning, &write->profile, &side);
	return side;
}

static void insert(struct findings *findings, size_t at, struct side side)
{
	struct side *candidates = findings->candidates;

	memmove(&candidates[at + 1], &candidates[at],
		(findings->candidate_count - at) * sizeof(*candidates));
	candidates[at] = side;
	findings->candidate_count++;
}

/**
 * It comes to a write of this map's own field or variable, or left a trace. Of a text, which shows nothing of the map
 * itself, that takes a write which is still to come, and of no other object.
 */
static bool is_strong(const struct suspect *suspect, bool printout)
{
	const struct write_path *path = &suspect->path;
	bool exact = path->site && path->site->match >= SITE_SAME_FIELD;

	if (!printout)
		return suspect->tier > TIER_REACH_PARKED || exact;
	return suspect->tier >= TIER_WRITE_SAME_TYPE ||
	       (exact && path->again && suspect->relation != PATH_OTHER);
}

/** How many of the candidates, from the first, come to a write of this map's own field or variable, or left a trace. */
static size_t strong_candidates(const struct findings *findings, const GArray *suspects,
				bool printout)
{
	size_t named = findings->other ? 1 : 0, strong = 0;

	while (strong < findings->candidate_count && strong + named < suspects->len) {
		const struct suspect *suspect =
			&g_array_index(suspects, struct suspect, strong + named);

		if (!is_strong(suspect, printout))
			break;
		strong++;
	}
	return strong;
}

void unseen_writes_list(struct inquiry *inquiry, const GArray *suspects, size_t room)
{
	struct reasoning *reasoning = inquiry->reasoning;
	struct findings *findings = reasoning->findings;
	size_t at = strong_candidates(findings, suspects, reasoning->program->printout != NULL);
	bool exact = false;
	GArray *writes = collect(inquiry);

	for (guint i = 0; i < writes->len && findings->candidate_count < room; i++) {
		const struct unseen_write *write = &g_array_index(writes, struct unseen_write, i);

		exact |= write->write->match >= SITE_SAME_FIELD;
		// Where the code says which writes are of this map, it says so of all that matter.
		if (exact && write->write->match < SITE_SAME_FIELD && !reasoning->program->printout)
			break;
		if (!is_listed(findings, &write->site))
			insert(findings,
			       write->write->match >= SITE_SAME_FIELD ? at++
								      : findings->candidate_count,
			       side_of(reasoning, write, is_only_one(writes)));
	}
	g_array_free(writes, TRUE);
}
