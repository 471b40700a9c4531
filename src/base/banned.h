// SPDX-License-Identifier: Apache-2.0
// Included before every file: calls that have no safe use here become compile errors.
#pragma once
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#pragma GCC poison strcpy strcat sprintf vsprintf gets strtok atoi atol atoll
