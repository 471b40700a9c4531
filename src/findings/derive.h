// SPDX-License-Identifier: Apache-2.0
// From a program to the findings.
#pragma once
#include "findings/findings.h"

/**
 * Derives everything from the program. Never fails: what can't be derived is a gap of the program.
 */
struct findings *findings_derive(struct program *program);
