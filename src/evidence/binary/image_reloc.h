// SPDX-License-Identifier: Apache-2.0
// Relative relocations: what the dynamic loader adds to the pointers of a position-independent
// image. Others (GLOB_DAT, COPY, TLS) depend on other images and are left alone.
#pragma once
#include "evidence/file/elf_file.h"

/**
 * Applies DT_RELA and DT_RELR to the mapped bytes, as a loader does at @a bias. Entries outside the
 * image are passed over. @a applied is the bias of an earlier call, 0 when there was none: DT_RELR
 * adds to what stands there.
 */
void image_relocate(struct elf_file *elf, uint64_t bias, uint64_t applied);
