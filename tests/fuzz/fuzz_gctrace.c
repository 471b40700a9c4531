// SPDX-License-Identifier: Apache-2.0
#include "evidence/text/gctrace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text bytes = {(const char *)data, size};
	struct gctrace_cycle cycle;
	struct schedtrace_line sched;

	gctrace_line(bytes, &cycle);
	schedtrace_take(bytes, &sched);
	return 0;
}
