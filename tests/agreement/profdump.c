// SPDX-License-Identifier: Apache-2.0
// What the reader finds in a profile, one fact a line, to be compared with `go tool pprof -raw`.
#include "evidence/profile/profile.h"

#include <inttypes.h>

static void print_text(const char *before, struct text text)
{
	printf("%s%.*s", before, TEXT_ARGUMENTS(text));
}

static void print_sample(const struct profile *p, size_t i)
{
	const struct profile_sample *sample = &p->samples[i];

	printf("sample");
	for (uint32_t type = 0; type < p->type_count; type++)
		printf(" %" PRId64, profile_value(p, i, type));
	printf(" @");
	for (uint32_t j = 0; j < sample->location_count; j++)
		printf(" %" PRIx64, p->location[profile_location_at(p, sample, j)].address);
	for (uint32_t j = 0; j < sample->label_count; j++) {
		const struct profile_label *label = &p->labels[sample->first_label + j];

		print_text("|", label->key);
		if (label->value.n)
			print_text("=", label->value);
		else
			printf("=%" PRId64, label->number);
	}
	putchar('\n');
}

static void print_location(const struct profile *p, const struct profile_location *location)
{
	printf("location %" PRIx64, location->address);
	if (location->mapping != PROFILE_NONE)
		printf(" M=%" PRIu64, p->mapping[location->mapping].id);
	for (uint32_t i = 0; i < location->line_count; i++) {
		const struct profile_line *line = &p->line[location->first_line + i];

		if (line->function == PROFILE_NONE)
			continue;
		print_text("|", p->function[line->function].name);
		print_text(" ", p->function[line->function].file);
		printf(":%" PRId64, line->line);
	}
	putchar('\n');
}

static void print_profile(const struct profile *p)
{
	printf("kind %s\nperiod %" PRId64 "\ntime %" PRId64 "\ntypes", profile_kind_name(p->kind),
	       p->period, p->time_ns);
	for (uint32_t i = 0; i < p->type_count; i++) {
		print_text(" ", p->types[i].type);
		print_text("/", p->types[i].unit);
		printf("%s", i == p->default_type ? "[dflt]" : "");
	}
	putchar('\n');
	for (size_t i = 0; i < p->sample_count; i++)
		print_sample(p, i);
	for (size_t i = 0; i < p->location_count; i++)
		print_location(p, &p->location[i]);
	for (size_t i = 0; i < p->mapping_count; i++) {
		const struct profile_mapping *m = &p->mapping[i];

		printf("mapping %" PRIu64 ": 0x%" PRIx64 "/0x%" PRIx64 "/0x%" PRIx64, m->id,
		       m->start, m->limit, m->offset);
		print_text(" ", m->file);
		print_text(" ", m->build_id);
		putchar('\n');
	}
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		scoped(profile) struct profile *profile = NULL;
		scoped(error) struct error *error = profile_open(argv[i], &profile);

		if (error) {
			fprintf(stderr, "%s\n", error_text(error));
			return 1;
		}
		print_profile(profile);
	}
	return 0;
}
