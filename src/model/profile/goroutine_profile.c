// SPDX-License-Identifier: Apache-2.0
#include "model/profile/goroutine_profile.h"

#include "model/profile/profile_code.h"

#include <glib.h>

static const char *const *labels_of(struct arena *arena, const struct profile *profile,
				    const struct profile_sample *sample)
{
	const char **labels;

	if (!sample->label_count)
		return NULL;
	labels = arena_array(arena, 2 * (size_t)sample->label_count + 1, sizeof(*labels));
	for (uint32_t i = 0; i < sample->label_count; i++) {
		const struct profile_label *label = &profile->labels[sample->first_label + i];

		labels[2 * i] = arena_string(arena, label->key);
		labels[2 * i + 1] = label->value.n || !label->number
					    ? arena_string(arena, label->value)
					    : arena_format(arena, "%lld", (long long)label->number);
	}
	return labels;
}

static int by_count(const void *a, const void *b)
{
	const struct goroutine_crowd *x = a, *y = b;

	return x->count == y->count ? 0 : x->count < y->count ? 1 : -1;
}

static void add_crowd(struct goroutine_profile *g, struct profile_code *code,
		      const struct profile *profile, size_t i)
{
	struct goroutine_crowd *crowd = &g->crowds[g->crowd_count];
	int64_t count = profile_value(profile, i, 0);
	const struct go_site *stack =
		profile_stack(code, &profile->samples[i], &crowd->stack_count);

	if (count <= 0)
		return;
	crowd->count = (uint64_t)count;
	crowd->stack = arena_copy(g->arena, stack, crowd->stack_count * sizeof(*stack));
	crowd->labels = labels_of(g->arena, profile, &profile->samples[i]);
	if (__builtin_add_overflow(g->total, crowd->count, &g->total))
		g->total = UINT64_MAX;
	g->crowd_count++;
}

static void read_crowds(struct goroutine_profile *g, struct profile_code *code,
			const struct profile *profile)
{
	g->crowds = arena_array(g->arena, profile->sample_count, sizeof(*g->crowds));
	for (size_t i = 0; i < profile->sample_count; i++)
		add_crowd(g, code, profile, i);
	qsort(g->crowds, g->crowd_count, sizeof(*g->crowds), by_count);
	g->time_ns = profile->time_ns;
	g->leaked = profile->kind == PROFILE_GOROUTINE_LEAK;
	g->checked = arena_string(g->arena, text_of(profile_code_checked(code)));
	if (profile->cut)
		gap_add(&g->gaps, g->arena, "part of the goroutines",
			"the profile is cut off: its first line counts more of them",
			"who else stood where");
}

/* Strings of frames are the code's or the program's: both must stay as long as the crowds. */
struct goroutine_profile_owner {
	struct goroutine_profile profile;
	struct profile *file;
	struct profile_code *code;
};

static struct error *read_profile(struct goroutine_profile_owner *owner, const char *path,
				  struct program *program, bool force)
{
	TRY(profile_open(path, &owner->file));
	if (owner->file->kind != PROFILE_GOROUTINE && owner->file->kind != PROFILE_GOROUTINE_LEAK)
		return error_with_hint(
			error_new(ERROR_USAGE, place_whole(path),
				  "is a %s profile, which does not tell where goroutines stand",
				  profile_kind_name(owner->file->kind)),
			"take one with /debug/pprof/goroutine; for heap profiles see `mapfault "
			"growth`");
	TRY(profile_code_open(owner->file, program, force, &owner->code));
	read_crowds(&owner->profile, owner->code, owner->file);
	return NULL;
}

struct error *goroutine_profile_read(const char *path, struct program *program, bool force,
				     struct goroutine_profile **ret)
{
	struct goroutine_profile_owner *owner = g_new0(struct goroutine_profile_owner, 1);
	struct error *error;

	owner->profile.arena = arena_new();
	error = read_profile(owner, path, program, force);
	if (error) {
		goroutine_profile_free(&owner->profile);
		return error;
	}
	*ret = &owner->profile;
	return NULL;
}

void goroutine_profile_free(struct goroutine_profile *profile)
{
	struct goroutine_profile_owner *owner = (void *)profile;

	if (!profile)
		return;
	profile_code_close(owner->code);
	profile_close(owner->file);
	g_free(profile->gaps.items);
	arena_free(profile->arena);
	g_free(owner);
}
