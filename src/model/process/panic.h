// SPDX-License-Identifier: Apache-2.0
// The value that a goroutine panics with.
#pragma once
#include "model/process/program.h"

/**
 * What the runtime prints of the goroutine's latest panic: "panic: send on closed channel"; one
 * line. Errors and Stringers are texts by the time it prints (preprintpanics); values of other
 * types are shown as printpanicval does, floats and complex numbers by their type alone.
 * @return "" when it does not panic, or the value can't be read
 */
const char *panic_message(struct program *program, const struct goroutine *goroutine);
