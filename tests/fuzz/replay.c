// SPDX-License-Identifier: Apache-2.0
// Stands in for libFuzzer: feeds a target every file of its corpus, whole and cut at many places,
// so that every ordinary test run repeats what fuzzing once found.
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CUTS 50

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** A copy of its own for each size: a read past the end is then one past the allocation. */
static void feed(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		abort();
	if (size)
		memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static void feed_cut(const uint8_t *data, size_t size)
{
	feed(data, size);
	for (size_t i = 0; i < CUTS; i++)
		feed(data, size * i / CUTS);
}

static int replay(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data = NULL;
	size_t size = 0;
	long end;

	if (!file || fseek(file, 0, SEEK_END) || (end = ftell(file)) < 0) {
		perror(path);
		return 1;
	}
	rewind(file);
	data = malloc((size_t)end + 1);
	if (data)
		size = fread(data, 1, (size_t)end, file);
	fclose(file);
	feed_cut(data, size);
	free(data);
	return 0;
}

static int replay_folder(const char *folder)
{
	DIR *entries = opendir(folder);
	struct dirent *entry;
	int count = 0, failed = 0;

	if (!entries) {
		perror(folder);
		return 1;
	}
	while ((entry = readdir(entries))) {
		char path[4096];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		failed |= replay(path);
		count++;
	}
	closedir(entries);
	printf("%s: %d files\n", folder, count);
	return failed || count == 0;
}

int main(int argc, char **argv)
{
	int failed = argc < 2;

	for (int i = 1; i < argc; i++)
		failed |= replay_folder(argv[i]);
	return failed;
}
