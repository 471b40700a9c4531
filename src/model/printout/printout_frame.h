// SPDX-License-Identifier: Apache-2.0
// Printed frames → frames of the model.
#pragma once
#include "model/printout/printout.h"

struct printout_frames;

struct printout_frames *printout_frames_new(struct program *program, const struct dump *dump);
void printout_frames_free(struct printout_frames *frames);
/** A goroutine of the dump, whole. Stacks are made once, and shared by all goroutines that have them. */
struct goroutine printout_frames_goroutine(struct printout_frames *frames, uint32_t index);
struct printout_agreement printout_frames_agreement(const struct printout_frames *frames);
