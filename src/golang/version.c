// SPDX-License-Identifier: Apache-2.0
// How Go spells its releases. A release is "go1.22.12"; a pre-release "go1.23rc1" or "go1.23beta2";
// a build from the repository "devel go1.27-abc123 Mon ..." (1.18+) or "devel +abc123 ..." (before:
// no release in it); an experiment follows as " X:name"; a vendor adds a suffix of its own.
#include "golang/version.h"

#define NUMBER_LIMIT 10000 /* no minor or patch ever comes near; keeps the sum from overflowing */

/** Reads digits at @a *at and moves past them; false when there is none or the number is absurd. */
static bool number_read(struct text text, size_t *at, int *ret)
{
	size_t i = *at;
	int number = 0;

	for (; i < text.n && text.p[i] >= '0' && text.p[i] <= '9'; i++) {
		number = number * 10 + (text.p[i] - '0');
		if (number > NUMBER_LIMIT)
			return false;
	}
	if (i == *at)
		return false;
	*at = i;
	*ret = number;
	return true;
}

static struct text text_from(struct text text, size_t start)
{
	return (struct text){text.p + start, text.n - start};
}

bool go_version_parse(struct text text, struct go_version *ret)
{
	struct go_version version = {.exact = true};
	size_t at = 0;

	if (text_starts(text, "devel ")) {
		version.exact = false;
		text = text_from(text, strlen("devel "));
	}
	if (!text_starts(text, "go1."))
		return false;
	at = strlen("go1.");
	if (!number_read(text, &at, &version.minor) || version.minor == 0)
		return false;
	if (at < text.n && text.p[at] == '.') {
		at++;
		if (!number_read(text, &at, &version.patch))
			return false;
	}
	if (at < text.n)
		version.exact = false;
	*ret = version;
	return true;
}

const char *go_arch_name(enum go_arch arch) { return arch == GO_ARCH_ARM64 ? "arm64" : "amd64"; }
