// SPDX-License-Identifier: Apache-2.0
#include "evidence/profile/profile.h"

#include "base/limits.h"
#include "evidence/file/elf_file.h"
#include "evidence/file/gzip.h"
#include "evidence/profile/profile_build.h"

#include <sys/mman.h>
#include <unistd.h>

#define HEAD_BYTES 512 /* inflated, enough for the first line or field */

static const char *const kind_names[] = {
	[PROFILE_HEAP] = "heap",
	[PROFILE_ALLOCS] = "allocs",
	[PROFILE_GOROUTINE] = "goroutine",
	[PROFILE_GOROUTINE_LEAK] = "goroutineleak",
	[PROFILE_THREAD_CREATE] = "threadcreate",
	[PROFILE_CONTENTION] = "contention",
	[PROFILE_CPU] = "cpu",
	[PROFILE_OTHER] = "other",
};

const char *profile_kind_name(enum profile_kind kind) { return kind_names[kind]; }

/* Value types that only one kind of profile has. */
static const struct {
	const char *type;
	enum profile_kind kind;
} kinds[] = {
	{"inuse_space", PROFILE_HEAP},
	{"alloc_space", PROFILE_HEAP},
	{"space", PROFILE_HEAP},
	{"goroutine", PROFILE_GOROUTINE},
	{"goroutineleak", PROFILE_GOROUTINE_LEAK},
	{"threadcreate", PROFILE_THREAD_CREATE},
	{"contentions", PROFILE_CONTENTION},
	{"delay", PROFILE_CONTENTION},
	{"cpu", PROFILE_CPU},
};

uint32_t profile_type(const struct profile *profile, const char *name)
{
	for (size_t i = 0; i < profile->type_count; i++)
		if (text_is(profile->types[i].type, name))
			return (uint32_t)i;
	return PROFILE_NONE;
}

static enum profile_kind kind_of(const struct profile *profile)
{
	uint32_t shown = profile->default_type;

	if (shown != PROFILE_NONE && text_is(profile->types[shown].type, "alloc_space"))
		return PROFILE_ALLOCS;
	for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
		if (profile_type(profile, kinds[i].type) != PROFILE_NONE)
			return kinds[i].kind;
	return PROFILE_OTHER;
}

static const char *const looks_like[] = {
	[PROFILE_HEAP] = "is a heap profile",
	[PROFILE_ALLOCS] = "is an allocs profile",
	[PROFILE_GOROUTINE] = "is a goroutine profile",
	[PROFILE_GOROUTINE_LEAK] = "is a profile of leaked goroutines",
	[PROFILE_THREAD_CREATE] = "is a profile of created threads",
	[PROFILE_CONTENTION] = "is a mutex or block profile",
	[PROFILE_CPU] = "is a CPU profile",
	[PROFILE_OTHER] = "is a profile",
};

bool profile_recognise(struct text head, const char **ret_looks_like)
{
	enum profile_kind kind = PROFILE_OTHER;
	char inflated[HEAD_BYTES];

	if (gzip_recognise(head))
		head = (struct text){inflated, gzip_head(head, inflated, sizeof(inflated))};
	if (!profile_is_wire(head) && !profile_is_text(head, &kind))
		return false;
	*ret_looks_like = looks_like[kind];
	return true;
}

static GArray *array_of(size_t size) { return g_array_new(FALSE, TRUE, (guint)size); }

static struct profile_build *build_new(const char *path)
{
	struct profile_build *build = g_new0(struct profile_build, 1);

	build->profile.default_type = PROFILE_NONE;
	build->arena = arena_new();
	build->profile.path = arena_string(build->arena, text_of(path));
	build->types = array_of(sizeof(struct profile_value_type));
	build->samples = array_of(sizeof(struct profile_sample));
	build->values = array_of(sizeof(int64_t));
	build->locations = array_of(sizeof(uint32_t));
	build->labels = array_of(sizeof(struct profile_label));
	build->location = array_of(sizeof(struct profile_location));
	build->line = array_of(sizeof(struct profile_line));
	build->function = array_of(sizeof(struct profile_function));
	build->mapping = array_of(sizeof(struct profile_mapping));
	build->comments = array_of(sizeof(struct text));
	return build;
}

#define FINISH(array, items, count)                                                                \
	(build->profile.items = (void *)build->array->data,                                        \
	 build->profile.count = build->array->len)

static void build_finish(struct profile_build *build)
{
	FINISH(types, types, type_count);
	FINISH(samples, samples, sample_count);
	build->profile.values = (const void *)build->values->data;
	build->profile.locations = build->locations->data;
	build->profile.location_bytes = g_array_get_element_size(build->locations);
	build->profile.labels = (const void *)build->labels->data;
	FINISH(location, location, location_count);
	FINISH(line, line, line_count);
	FINISH(function, function, function_count);
	FINISH(mapping, mapping, mapping_count);
	FINISH(comments, comments, comment_count);
	if (build->profile.kind == PROFILE_HEAP)
		build->profile.kind = kind_of(&build->profile);
}

static struct error *inflate_if_packed(struct profile_build *build)
{
	size_t size;

	if (!gzip_recognise(build->bytes))
		return NULL;
	TRY(gzip_inflate(build->bytes, build->profile.path, LIMIT_PROFILE_BYTES, &build->inflated,
			 &size));
	build->bytes = (struct text){build->inflated, size};
	if (!gzip_recognise(build->bytes))
		return NULL;
	return error_with_hint(error_new(ERROR_MALFORMED, place_whole(build->profile.path),
					 "is compressed twice with gzip"),
			       "unpack it once: gunzip -c FILE | mapfault ...");
}

static struct error *read_bytes(struct profile_build *build)
{
	enum profile_kind kind;
	struct error *error;

	TRY(inflate_if_packed(build));
	if (build->bytes.n > LIMIT_PROFILE_BYTES)
		return error_new(ERROR_LIMIT, place_whole(build->profile.path),
				 "is larger than any profile: %zu bytes", build->bytes.n);
	if (build->bytes.n == 0)
		return error_new(ERROR_TRUNCATED, place_whole(build->profile.path), "is empty");
	if (profile_is_text(build->bytes, &kind)) {
		build->profile.is_text = true;
		build->profile.kind = kind;
		return profile_read_text(build);
	}
	error = profile_read_wire(build);
	if (!error || profile_is_wire(build->bytes))
		return error;
	error_free(error);
	return error_new(ERROR_UNRECOGNISED, place_whole(build->profile.path), "is not a profile%s",
			 build->inflated ? ", nor is what gzip has packed in it" : "");
}

static struct error *finish(struct profile_build *build, struct profile **ret)
{
	struct error *error = read_bytes(build);

	if (error) {
		profile_close(&build->profile);
		return error;
	}
	build_finish(build);
	*ret = &build->profile;
	return NULL;
}

struct error *profile_open_bytes(struct text bytes, const char *path, struct profile **ret)
{
	struct profile_build *build = build_new(path);

	build->bytes = bytes;
	return finish(build, ret);
}

struct error *profile_open(const char *path, struct profile **ret)
{
	struct elf_file mapped = {0};
	struct profile_build *build;
	struct error *error;
	int file;

	TRY(elf_file_open_path(path, &file));
	error = elf_file_map(file, path, &mapped);
	close(file);
	if (error)
		return error;
	build = build_new(path);
	build->bytes = (struct text){(const char *)mapped.bytes, mapped.size};
	build->mapped = mapped.bytes;
	build->mapped_size = mapped.size;
	g_free(mapped.path);
	return finish(build, ret);
}

void profile_close(struct profile *profile)
{
	struct profile_build *build = (struct profile_build *)(void *)profile;

	if (!build)
		return;
	for (size_t i = 0; i < 10; i++)
		g_array_unref((&build->types)[i]);
	if (build->mapped)
		munmap(build->mapped, build->mapped_size);
	free(build->inflated);
	arena_free(build->arena);
	g_free(build);
}
