// SPDX-License-Identifier: Apache-2.0
// What the descriptions of containers have in common: each examiner asks its own format for these and hands them on.
#pragma once
#include "doctor/examination.h"
#include "doctor/tree.h"

/** An environment as a list of "NAME=VALUE", of {name, value}, or as a mapping; NULL when @a name is not set. */
const char *environment_value(const struct examination *examination, struct branch environment,
			      const char *name);
/** The read-only root and the volumes: where a core that is written by path could go. @a set shows a volume. */
void examine_core_place(struct examination *examination, bool read_only, const char *volume,
			const char *set, const char *set_in);
/** Whether a tool beside it may attach. */
void examine_attach(struct examination *examination, bool may, const char *set, const char *set_in);

/** True, and everything said, when the document is of its kind. */
bool examine_pod(struct examination *examination, struct branch document);
bool examine_compose(struct examination *examination, struct branch document);
bool examine_docker(struct examination *examination, struct branch document);
bool examine_oci(struct examination *examination, struct branch document);
