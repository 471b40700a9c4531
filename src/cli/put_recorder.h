// SPDX-License-Identifier: Apache-2.0
// Puts the flight recorder into a stopped process, as the command line says.
#pragma once
#include "cli/options.h"
#include "record/recorder.h"

/**
 * Says on standard error when some writes will go unseen.
 * @param attached  the process was at work already
 */
struct error *put_recorder(struct tracee *tracee, const struct options *options, bool attached,
			   struct recorder **ret);
