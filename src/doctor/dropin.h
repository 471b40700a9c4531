// SPDX-License-Identifier: Apache-2.0
// Settings in one file and the drop-in directories that override it.
#pragma once
#include "doctor/examination.h"
#include "doctor/ini.h"

/** Adds the *.conf files of @a directory (below the root), by name. */
void dropins_add(const struct examination *examination, const char *directory, struct ini *ini);
/** A file of systemd's (coredump.conf, journald.conf, system.conf) in its folders, with its drop-ins. */
void systemd_conf_add(const struct examination *examination, const char *name, struct ini *ini);
