// SPDX-License-Identifier: Apache-2.0
#include "cli/put_recorder.h"

#include <sys/stat.h>

static struct error *open_image(pid_t pid, struct image **ret)
{
	g_autofree char *link = g_strdup_printf("/proc/%d/exe", (int)pid);
	g_autofree char *path = g_file_read_link(link, NULL);
	struct stat by_link, by_path;

	if (path && stat(link, &by_link) == 0 && stat(path, &by_path) == 0 &&
	    by_link.st_ino == by_path.st_ino && by_link.st_dev == by_path.st_dev)
		return image_open(path, ret);
	return image_open(link, ret);
}

struct error *put_recorder(struct tracee *tracee, const struct options *options, bool attached,
			   struct recorder **ret)
{
	const struct recorder_options wanted = {.folder = options->folder,
						.attached = attached,
						.births = options->allocs,
						.reads = options->reads,
						.eras = options->report_shared};
	scoped(image) struct image *image = NULL;

	TRY(open_image(tracee_pid(tracee), &image));
	TRY(recorder_install(tracee, image, &wanted, ret));
	if (*recorder_incomplete(*ret) && !options->quiet)
		fprintf(stderr, "mapfault: some writes of maps are not recorded: %s\n",
			recorder_incomplete(*ret));
	return NULL;
}
