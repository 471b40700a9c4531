// SPDX-License-Identifier: Apache-2.0
// What the Go linker wrote about the build: Go version, main module, dependencies, settings.
#pragma once
#include "base/arena.h"
#include "evidence/binary/image.h"
#include "golang/version.h"

struct buildinfo {
	const char *go_version;    /**< "go1.22.12"; "" when nothing says */
	struct go_version version; /**< minor 0 when not known */
	const char *main_path;     /**< "path" line; "" when none */
	const char *module_info;   /**< the whole modinfo text, lines with tabs; "" when none */
	const char *found_in;      /**< ".go.buildinfo", "runtime.buildVersion", "pclntab magic" */
};

/**
 * Reads the build information from the image (at @a bias in @a memory). Falls back on
 * runtime.buildVersion, then on the version range that the pclntab's magic and the type layout
 * allow.
 */
struct error *buildinfo_read(const struct image *image, uint64_t bias, const struct memory *memory,
			     struct arena *arena, struct buildinfo *ret);
