// SPDX-License-Identifier: Apache-2.0
// Printed frames → frames of the model.
#pragma once
#include "model/printout/printout.h"

struct printout_frames;

struct printout_frames *printout_frames_new(struct program *program, const struct dump *dump);
void printout_frames_free(struct printout_frames *frames);
/** The stack of a group, made at the first call; shared by all goroutines that have it. */
struct stack printout_stack(struct printout_frames *frames, uint32_t group);
/** The place of a "created by"; function NULL when there is none. */
struct go_site printout_created_by(struct printout_frames *frames, uint32_t frame);
struct printout_agreement printout_frames_agreement(const struct printout_frames *frames);
