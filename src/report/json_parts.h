// SPDX-License-Identifier: Apache-2.0
// The pieces that several documents share: goroutines, frames, sites. Everything the schema names
// is written; what is not known is null, a list without members is empty.
#pragma once
#include "model/process/program.h"
#include "report/json_writer.h"

/** A site on one line; null when its function is not known. */
void json_put_site(struct json_writer *json, const char *key, const struct go_site *site);
/** A frame of a list that is open, on one line. */
void json_put_frame(struct json_writer *json, const struct go_site *site, uint64_t pc);
/** A list of frames, a line each; NULL gives an empty list. */
void json_put_stack(struct json_writer *json, const char *key, const struct stack *stack);
/** Labels as an object; of equal keys the first. */
void json_put_labels(struct json_writer *json, const char *key, const char *const *labels);
/**
 * Members that a goroutine has everywhere: id, state, wait_reason, wait_seconds, created_by,
 * labels.
 */
void json_put_goroutine_members(struct json_writer *json, const struct goroutine *goroutine);
/** Gaps as members of a list that is open. */
void json_put_gap_members(struct json_writer *json, const struct gap *gaps, size_t count);
/** A list of gaps. */
void json_put_gaps(struct json_writer *json, const char *key, const struct gap *gaps, size_t count);
