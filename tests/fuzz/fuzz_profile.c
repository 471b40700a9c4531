// SPDX-License-Identifier: Apache-2.0
// Profiles of anyone's making, protobuf and text: whatever is accepted must be sound throughout.
#include "evidence/profile/profile.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile uint64_t sink;

static void look_at(struct text text)
{
	for (size_t i = 0; i < text.n; i++)
		sink += (uint8_t)text.p[i];
}

static void look_at_sample(const struct profile *p, const struct profile_sample *sample)
{
	for (uint32_t i = 0; i < sample->location_count; i++) {
		uint32_t at = profile_location_at(p, sample, i);

		if (at >= p->location_count)
			abort();
	}
	for (uint32_t i = 0; i < sample->label_count; i++) {
		look_at(p->labels[sample->first_label + i].key);
		look_at(p->labels[sample->first_label + i].value);
	}
}

static void look_at_tables(const struct profile *p)
{
	for (size_t i = 0; i < p->location_count; i++)
		if (p->location[i].first_line + p->location[i].line_count > p->line_count ||
		    (p->location[i].mapping != PROFILE_NONE &&
		     p->location[i].mapping >= p->mapping_count))
			abort();
	for (size_t i = 0; i < p->line_count; i++)
		if (p->line[i].function != PROFILE_NONE && p->line[i].function >= p->function_count)
			abort();
	for (size_t i = 0; i < p->function_count; i++) {
		look_at(p->function[i].name);
		look_at(p->function[i].file);
	}
	for (size_t i = 0; i < p->mapping_count; i++)
		look_at(p->mapping[i].build_id);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text bytes = {(const char *)data, size};
	struct profile *profile = NULL;
	const char *looks_like = "";
	struct error *error = profile_open_bytes(bytes, "fuzz", &profile);

	profile_recognise(bytes, &looks_like);
	if (!error) {
		for (size_t i = 0; i < profile->sample_count; i++)
			look_at_sample(profile, &profile->samples[i]);
		for (size_t i = 0; i < profile->sample_count * profile->type_count; i++)
			sink += (uint64_t)profile->values[i];
		look_at_tables(profile);
	}
	error_free(error);
	profile_close(profile);
	return 0;
}
