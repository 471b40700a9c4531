// SPDX-License-Identifier: Apache-2.0
// Go toolchains of this machine: go on $PATH, the releases that the go command keeps in its module
// cache, and those of golang.org/dl in ~/sdk.
#pragma once
#include "base/arena.h"
#include "base/error.h"

struct toolchain {
	const char *root;    /**< its GOROOT */
	const char *version; /**< "1.24.11" */
	unsigned minor;      /**< 24 */
	unsigned patch;
};

struct toolchains {
	struct arena *arena;
	struct toolchain *items; /**< oldest first; one a version */
	size_t count;
};

/** Looks, without the network, and runs `go env` once. An empty list is no error. */
struct error *toolchains_find(struct arena *arena, struct toolchains *ret);
/** Exactly @a version; NULL when it is not there. */
const struct toolchain *toolchains_exact(const struct toolchains *toolchains, const char *version);
/**
 * The nearest to @a version: the same minor, else one with the same kind of map, else any.
 * @a version "" asks for the newest. NULL when there is none at all.
 */
const struct toolchain *toolchains_nearest(const struct toolchains *toolchains,
					   const char *version);
/** Has the go command fetch release @a version, "1.24.11", and adds it to the list. */
struct error *toolchains_fetch(struct toolchains *toolchains, const char *version,
			       const struct toolchain **ret);
/** Minor of a version, "1.24.11" → 24; 0 when it is none. */
unsigned toolchain_minor(const char *version);

/** How a program is to be built. */
struct toolchain_build {
	const char *folder; /**< of the main package or test */
	const char *output; /**< the program */
	bool race;
	bool test;           /**< `go test -c` */
	bool user_module;    /**< the user's environment for modules stays as it is */
	const char *overlay; /**< for -overlay; NULL: none */
	unsigned seconds;
};
/** The error of a failed build ends in the compiler's first words. */
struct error *toolchain_build(const struct toolchain *toolchain,
			      const struct toolchain_build *build);
/** @a error with what to do about @a words of a command that failed: room where the disk is full, else @a hint. */
struct error *toolchain_said(struct error *error, const char *words, const char *hint);
/** Environment for this toolchain's go command; g_strfreev(). */
char **toolchain_environment(const struct toolchain *toolchain, bool race, bool user_module);
