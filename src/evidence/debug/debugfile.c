// SPDX-License-Identifier: Apache-2.0
// Source: "Debugging with GDB", 18.3 "Debugging Information in Separate Files".
#include "evidence/debug/debugfile.h"
#include "evidence/file/elf_file.h"

#include <glib.h>
#include <lzma.h>
#include <stdio.h>
#include <unistd.h>

#define DEBUG_ROOT "/usr/lib/debug"

/** Two hexadecimal digits of folder, the rest is the file. */
static char *build_id_path(struct text id, const char *root)
{
	GString *path;

	if (id.n < 2 || id.n > 64)
		return NULL;
	path = g_string_new(root);
	g_string_append_printf(path, "/.build-id/%02x/", (uint8_t)id.p[0]);
	for (size_t i = 1; i < id.n; i++)
		g_string_append_printf(path, "%02x", (uint8_t)id.p[i]);
	g_string_append(path, ".debug");
	return g_string_free(path, FALSE);
}

/** The check sum that .gnu_debuglink states, over the whole file: the CRC-32 of xz and zlib. */
static bool crc_agrees(const char *path, uint32_t crc)
{
	struct elf_file file = {0};
	struct error *error;
	bool agrees;
	int descriptor;

	error = elf_file_open_path(path, &descriptor);
	if (!error) {
		error = elf_file_map(descriptor, path, &file);
		close(descriptor);
	}
	agrees = !error && lzma_crc32(file.bytes, file.size, 0) == crc;
	error_free(error);
	elf_file_done(&file);
	return agrees;
}

static char *debuglink_path(const struct image *image, const char *root)
{
	uint32_t crc = 0;
	const char *name = image_debuglink(image, &crc);
	g_autofree char *real = realpath(image_path(image), NULL);
	g_autofree char *folder = real ? g_path_get_dirname(real) : NULL;

	if (!name || !folder)
		return NULL;
	char *places[] = {g_build_filename(folder, name, NULL),
			  g_build_filename(folder, ".debug", name, NULL),
			  g_build_filename(root, folder, name, NULL)};
	char *found = NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
		if (!found && strcmp(places[i], real) != 0 && crc_agrees(places[i], crc))
			found = g_steal_pointer(&places[i]);
		g_free(places[i]);
	}
	return found;
}

struct error *debugfile_find(const struct image *image, const char *root, char *ret_path,
			     size_t size)
{
	g_autofree char *path = build_id_path(image_build_id(image), root);

	if (path && access(path, R_OK) != 0)
		g_clear_pointer(&path, g_free);
	if (!path)
		path = debuglink_path(image, root);
	if (path && strlen(path) >= size)
		return error_new(ERROR_LIMIT, place_whole(image_path(image)),
				 "the path of its debug file is longer than %zu bytes", size);
	snprintf(ret_path, size, "%s", path ? path : "");
	return NULL;
}

struct error *image_find_debug_file(const struct image *image, char *ret_path, size_t size)
{
	return debugfile_find(image, DEBUG_ROOT, ret_path, size);
}
