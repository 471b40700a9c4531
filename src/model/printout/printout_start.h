// SPDX-License-Identifier: Apache-2.0
// What a goroutine was started to do, where its own stack was not printed.
#pragma once
#include "model/printout/printout.h"

/**
 * The function that the go statement at @a created_by starts, by the code there. False when the text has no offset for it,
 * or the code makes the function as it runs (a closure with captured variables).
 */
bool printout_started(struct program *program, const struct go_site *created_by,
		      struct go_function *ret);
