// SPDX-License-Identifier: Apache-2.0
// Go releases and processor architectures.
#pragma once
#include "base/text.h"

#include <stdbool.h>

enum go_arch { GO_ARCH_AMD64, GO_ARCH_ARM64 };

struct go_version {
	int minor;  /**< 22 of go1.22.12; 0 when unknown */
	int patch;  /**< 12 of go1.22.12; 0 when none */
	bool exact; /**< a plain release: no "devel", no release candidate, no experiment */
};

#define GO_MINOR_OLDEST 9
#define GO_MINOR_NEWEST 27

/**
 * Reads "go1.22.12", "go1.26.0 X:nodwarf5", "go1.23rc1", "devel go1.27-abc ...".
 * @return false when the text names no Go 1 release; @a ret is then untouched.
 */
bool go_version_parse(struct text text, struct go_version *ret);
/** "amd64", "arm64": Go's own names. */
const char *go_arch_name(enum go_arch arch);
