// SPDX-License-Identifier: Apache-2.0
// A folder that appears whole or not at all: it is made beside its place and renamed into it.
#pragma once
#include "base/error.h"

struct folder {
	char *path;   /**< where it is now */
	char *target; /**< where it belongs; NULL for one that is only for the time being */
	bool committed;
};

/** @a target must not exist, or be an empty folder. */
struct error *folder_open(const char *target, struct folder *ret);
/** One for the time being, in the system's place for such; folder_done() removes it. */
struct error *folder_open_temporary(struct folder *ret);
/** Writes the file @a name, "fixes/mutex/main.go"; folders on the way are made. */
struct error *folder_write(const struct folder *folder, const char *name, const char *text);
struct error *folder_commit(struct folder *folder);
void folder_done(struct folder *folder);

static inline void folder_free_at(struct folder *folder) { folder_done(folder); }
