// SPDX-License-Identifier: Apache-2.0
// A line is "start-end rwxp offset device inode path" (fs/proc/task_mmu.c, show_map_vma); a newline in the
// path stands there as \012.
#include "evidence/process/proc_maps.h"

#include "base/limits.h"

#include <elf.h>
#include <endian.h>
#include <string.h>

#define PAGE_BYTES 4096u
#define REACH      0x7fff0000ull /* of 32 bits, less some */
#define LOWEST     0x10000ull    /* vm.mmap_min_addr */

static bool take_number(char **at, guint base, char end, uint64_t *ret)
{
	char *rest;

	if (!g_ascii_isxdigit(**at))
		return false;
	*ret = g_ascii_strtoull(*at, &rest, base);
	if (rest == *at || *rest != end)
		return false;
	*at = rest + 1;
	return true;
}

/** The permission letters, "rwxp". */
static bool take_rights(char **at, struct proc_mapping *ret)
{
	const char *rights = *at;

	if (strnlen(rights, 5) < 5 || rights[4] != ' ')
		return false;
	ret->readable = rights[0] == 'r';
	ret->writable = rights[1] == 'w';
	ret->executable = rights[2] == 'x';
	ret->shared = rights[3] == 's';
	*at += 5;
	return true;
}

static bool parse_line(char *line, struct proc_mapping *ret)
{
	char *at = line, *device;
	uint64_t inode;

	if (!take_number(&at, 16, '-', &ret->start) || !take_number(&at, 16, ' ', &ret->end) ||
	    !take_rights(&at, ret) || !take_number(&at, 16, ' ', &ret->offset))
		return false;
	device = strchr(at, ' ');
	if (!device || ret->end <= ret->start)
		return false;
	inode = g_ascii_strtoull(device + 1, &at, 10);
	while (*at == ' ')
		at++;
	ret->path = at;
	ret->is_file = inode != 0 && *at == '/';
	return true;
}

struct error *proc_maps_parse(char *text, const char *source, GArray *ret)
{
	char *next;

	for (char *line = text; *line; line = next) {
		struct proc_mapping mapping = {0};
		char *end = strchrnul(line, '\n');

		next = *end ? end + 1 : end;
		*end = '\0';
		if (ret->len >= LIMIT_MAPPINGS)
			return error_new(ERROR_LIMIT, place_whole(source), "more than %u mappings",
					 LIMIT_MAPPINGS);
		if (!parse_line(line, &mapping))
			return error_new(ERROR_MALFORMED,
					 (struct place){source, (uint64_t)(line - text)},
					 "not a line of a list of mappings");
		g_array_append_val(ret, mapping);
	}
	return NULL;
}

struct error *proc_file_read(int32_t pid, const char *file, char **ret, size_t *ret_size)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/%s", (int)pid, file);
	g_autofree char *name = g_strdup_printf("process %d", (int)pid);
	g_autoptr(GError) error = NULL;

	if (g_file_get_contents(path, ret, ret_size, &error))
		return NULL;
	if (g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_ACCES) ||
	    g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_PERM))
		return error_with_hint(error_new(ERROR_REFUSED, place_whole(name),
						 "may not be looked at: %s", error->message),
				       "run mapfault as that user, or with sudo");
	return error_with_hint(
		error_new(ERROR_NOT_FOUND, place_whole(name), "there is no such process"),
		"see `ps ax` for those that there are");
}

struct error *proc_maps_read(int32_t pid, struct proc_maps *ret)
{
	g_autofree char *name = g_strdup_printf("process %d", (int)pid);

	TRY(proc_file_read(pid, "maps", &ret->text, NULL));
	ret->list = g_array_new(FALSE, FALSE, sizeof(struct proc_mapping));
	return proc_maps_parse(ret->text, name, ret->list);
}

void proc_maps_done(struct proc_maps *maps)
{
	if (maps->list)
		g_array_free(maps->list, TRUE);
	g_free(maps->text);
	*maps = (struct proc_maps){0};
}

uint64_t proc_maps_room_near(const GArray *list, uint64_t start, uint64_t end, uint64_t size)
{
	uint64_t lowest = MAX(end > REACH ? end - REACH : 0, LOWEST);
	uint64_t highest = start + REACH - size, free = LOWEST, found = 0;

	for (guint i = 0; i <= list->len; i++) {
		uint64_t until = i < list->len ? proc_maps_at(list, i)->start : UINT64_MAX;
		uint64_t from = MAX(free + PAGE_BYTES, lowest);
		uint64_t last;

		if (until >= size + PAGE_BYTES) {
			last = MIN(until - size - PAGE_BYTES, highest) &
			       ~(uint64_t)(PAGE_BYTES - 1);
			if (last >= from)
				found = last;
		}
		if (i < list->len)
			free = proc_maps_at(list, i)->end;
	}
	return found;
}

void proc_maps_mark(GArray *mappings, proc_read read, void *context)
{
	const char *path = "";
	bool moved = false;

	for (guint i = 0; i < mappings->len; i++) {
		struct proc_mapping *mapping = &g_array_index(mappings, struct proc_mapping, i);
		Elf64_Ehdr header;

		if (mapping->is_file && mapping->offset == 0 && mapping->readable) {
			path = mapping->path;
			moved = read(context, mapping->start, &header, sizeof(header)) &&
				memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 &&
				le16toh(header.e_type) == ET_DYN;
		}
		mapping->is_moved = moved && mapping->is_file && strcmp(path, mapping->path) == 0;
	}
}

/** Pointers in its constant data were changed when it was loaded, before that became read-only. */
static bool is_relocated(const struct proc_mapping *mapping)
{
	return mapping->is_moved && !mapping->executable && mapping->offset != 0;
}

uint64_t proc_mapping_kept(const struct proc_mapping *mapping)
{
	uint64_t size = mapping->end - mapping->start;

	if (!mapping->readable || (mapping->is_file && mapping->shared))
		return 0;
	if (!mapping->is_file) // vdso, vvar, vsyscall are the kernel's
		return g_str_has_prefix(mapping->path, "[v") ? 0 : size;
	if (mapping->writable || is_relocated(mapping))
		return size;
	return mapping->offset == 0 ? MIN(size, PAGE_BYTES) : 0;
}
