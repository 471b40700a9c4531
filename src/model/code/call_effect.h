// SPDX-License-Identifier: Apache-2.0
// What calls of the runtime's own functions do to their caller's registers and stack, and which never return.
#pragma once
#include "model/code/flow.h"

/** Of a call of the function @a name; what it does to the argument area is not looked at. */
struct flow_effect call_effect(struct flow_abi abi, const char *name);
