// SPDX-License-Identifier: Apache-2.0
#include "evidence/process/core_notes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** Framing at both alignments, then the contents as either architecture's core. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (int arch = GO_ARCH_AMD64; arch <= GO_ARCH_ARM64; arch++) {
		struct core_notes notes;

		core_notes_init(&notes);
		error_free(core_notes_read(&notes, (enum go_arch)arch,
					   bytes_over(data, size, (struct place){"fuzz", 0}),
					   arch == GO_ARCH_AMD64 ? 4 : 8));
		core_notes_done(&notes);
	}
	return 0;
}
