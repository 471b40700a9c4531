// SPDX-License-Identifier: Apache-2.0
// Where distributions put the debug information that they took out of a binary.
#pragma once
#include "evidence/binary/image.h"

/**
 * Finds the separate debug file of an image: by build ID under /usr/lib/debug/.build-id, else by
 * .gnu_debuglink beside the image, in .debug/ there, or under /usr/lib/debug, where its CRC must
 * agree.
 *
 * @param ret_path  the path; "" when there is none, which is no error
 */
struct error *image_find_debug_file(const struct image *image, char *ret_path, size_t size);
/** The same, under another root than /usr/lib/debug. */
struct error *debugfile_find(const struct image *image, const char *root, char *ret_path,
			     size_t size);
