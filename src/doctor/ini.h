// SPDX-License-Identifier: Apache-2.0
// systemd's files of settings (systemd.syntax(7)): sections, KEY=VALUE, lines continued by a backslash, later values
// over earlier ones, an empty value as a reset.
#pragma once
#include <glib.h>

struct ini_entry {
	const char *section, *key, *value;
};

struct ini {
	GArray *entries; /**< struct ini_entry, in order */
	GStringChunk *strings;
};

void ini_init(struct ini *ini);
void ini_done(struct ini *ini);
/** Adds what @a text says after what is there; whatever is no setting is passed over. */
void ini_add(struct ini *ini, const char *text);
/** The last value of the key, NULL when it is not set or was reset. */
const char *ini_value(const struct ini *ini, const char *section, const char *key);

static inline void ini_free_at(struct ini *ini) { ini_done(ini); }
