// SPDX-License-Identifier: Apache-2.0
#include "reproduce/folder.h"

#include <errno.h>
#include <ftw.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define OPEN_FOLDERS 16
#define FOLDER_MODE  0777

/* mkdtemp() makes a private folder; the result is as open as the umask lets any be. */
static mode_t folder_mode(void)
{
	mode_t mask = umask(0);

	umask(mask);
	return FOLDER_MODE & ~mask;
}

static struct error *check_target(const char *target)
{
	g_autoptr(GDir) entries = NULL;

	if (!*target)
		return error_with_hint(
			error_new(ERROR_USAGE, place_whole(""), "the folder has no name"),
			"give -o a folder that is not there yet");
	if (!g_file_test(target, G_FILE_TEST_EXISTS))
		return NULL;
	entries = g_dir_open(target, 0, NULL);
	if (!entries || g_dir_read_name(entries))
		return error_with_hint(error_new(ERROR_USAGE, place_whole(target),
						 entries ? "is a folder with files in it"
							 : "is there and no folder"),
				       "give -o a folder that is not there yet");
	return NULL;
}

static char *without_slashes(const char *path)
{
	char *copy = g_strdup(path);

	for (size_t n = strlen(copy); n > 1 && copy[n - 1] == '/'; n--)
		copy[n - 1] = '\0';
	return copy;
}

struct error *folder_open(const char *target, struct folder *ret)
{
	g_autofree char *plain = without_slashes(target);
	g_autofree char *parent = g_path_get_dirname(plain), *name = g_path_get_basename(plain);
	g_autofree char *path = g_strdup_printf("%s/.%s.XXXXXX", parent, name);

	TRY(check_target(plain));
	if (!g_mkdtemp(path))
		return error_with_hint(error_system(errno, place_whole(target), "cannot be made"),
				       "check that %s is a folder that you may write to", parent);
	*ret = (struct folder){.path = realpath(path, NULL), .target = g_steal_pointer(&plain)};
	return NULL;
}

struct error *folder_open_temporary(struct folder *ret)
{
	g_autofree char *path = g_strdup_printf("%s/mapfault.XXXXXX", g_get_tmp_dir());

	if (!g_mkdtemp(path))
		return error_system(errno, place_whole(path), "cannot be made");
	*ret = (struct folder){.path = realpath(path, NULL)};
	return NULL;
}

static struct error *not_written(int number, const struct folder *folder, const char *path)
{
	return error_with_hint(
		error_system(number, place_whole(path), "cannot be written"),
		folder->target
			? "make room on that disk, or have the folder made on another one"
			: "make room on that disk, or set TMPDIR to a folder on another one");
}

struct error *folder_write(const struct folder *folder, const char *name, const char *text)
{
	g_autofree char *path = g_build_filename(folder->path, name, NULL);
	g_autofree char *parent = g_path_get_dirname(path);
	FILE *out;
	int failed;

	if (g_mkdir_with_parents(parent, FOLDER_MODE) != 0)
		return error_system(errno, place_whole(parent), "cannot be made");
	out = fopen(path, "we");
	if (!out)
		return not_written(errno, folder, path);
	failed = fputs(text, out) == EOF;
	failed |= fclose(out) != 0;
	return failed ? not_written(errno, folder, path) : NULL;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *place)
{
	(void)info;
	(void)kind;
	(void)place;
	remove(path);
	return 0;
}

static void remove_all(const char *path)
{
	nftw(path, remove_one, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS);
}

struct error *folder_commit(struct folder *folder)
{
	if (chmod(folder->path, folder_mode()) != 0 || rename(folder->path, folder->target) != 0)
		return error_with_hint(
			error_system(errno, place_whole(folder->target), "cannot be put in place"),
			"give -o a folder that is not there yet");
	folder->committed = true;
	return NULL;
}

void folder_done(struct folder *folder)
{
	if (folder->path && !folder->committed)
		remove_all(folder->path);
	free(folder->path);
	g_free(folder->target);
	*folder = (struct folder){NULL};
}
