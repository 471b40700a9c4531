// SPDX-License-Identifier: Apache-2.0
// Does this image belong to this core or process, and where was it loaded?
#pragma once
#include "evidence/binary/image.h"
#include "evidence/process/process.h"

/**
 * Compares the image with what the core kept of it, or the process has of it (build IDs in the first text page, that page's
 * own bytes, AT_PHDR/AT_ENTRY and NT_FILE) and finds the load bias.
 *
 * @param force  go on although they differ; a core that kept nothing to compare never counts as a
 * mismatch
 * @param ret_bias  address in the process minus address as linked
 * @param ret_checked  what was compared, for the report: "Go build ID", "GNU build ID", "first text
 * page", "program headers", "entry point" (of a core that kept no page of the image), ""
 * @return ERROR_MISMATCH naming both IDs; ERROR_MISMATCH, forced or not, when the architectures
 * differ or nothing says where a position-independent image was loaded
 */
struct error *match_image(const struct process *process, const struct image *image, bool force,
			  uint64_t *ret_bias, const char **ret_checked);

/**
 * The path of the program that the core came from, through its mapped files and AT_PHDR/AT_ENTRY; NULL when
 * the core does not say. Whether the file is still there is the caller's to try.
 */
const char *match_program_path(const struct process *process);
