// SPDX-License-Identifier: Apache-2.0
#include "cli/recognise.h"

#include "evidence/text/dump.h"
#include "evidence/file/elf_file.h"
#include "evidence/profile/profile.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>

#define TYPE_OFFSET 16 /* Elf64_Ehdr.e_type */

/* First bytes that tell what a file is. Order matters: the first row that matches wins. */
static const struct {
	const char *magic;
	size_t n;
	enum file_kind kind;
	const char *looks_like;
} magics[] = {
	{"\x28\xb5\x2f\xfd", 4, FILE_COMPRESSED, "is compressed with zstd"},
	{"MFFLIGHT", 8, FILE_FLIGHT, "is a file of the flight recorder"},
	{"\x04\x22\x4d\x18", 4, FILE_COMPRESSED, "is compressed with lz4"},
	{"\xfd"
	 "7zXZ\0",
	 6, FILE_COMPRESSED, "is compressed with xz"},
	{"\x1f\x8b", 2, FILE_GZIP, "is compressed with gzip: unpack it first, if it holds a core"},
	{"BZh", 3, FILE_OTHER, "is compressed with bzip2: unpack it first, if it holds a core"},
	{"PK\x03\x04", 4, FILE_OTHER, "is a zip archive: unpack it first"},
	{"MZ", 2, FILE_OTHER, "is a Windows program; only Linux evidence is read"},
	{"MDMP", 4, FILE_OTHER, "is a Windows minidump; only Linux evidence is read"},
	{"\xcf\xfa\xed\xfe", 4, FILE_OTHER, "is a macOS file; only Linux evidence is read"},
	{"\xca\xfe\xba\xbe", 4, FILE_OTHER, "is a macOS file; only Linux evidence is read"},
	{"!<arch>\n", 8, FILE_OTHER, "is a static library, not a linked program"},
	{"#!", 2, FILE_OTHER, "is a script; give the program that it starts"},
	{"SQLite format 3", 15, FILE_OTHER, "is a database"},
};

static enum file_kind recognise_elf(struct text head, const char **ret)
{
	uint16_t type =
		(uint16_t)((uint8_t)head.p[TYPE_OFFSET] | (uint8_t)head.p[TYPE_OFFSET + 1] << 8);

	if (type == ET_CORE) {
		*ret = "is a core file";
		return FILE_CORE;
	}
	if (type == ET_EXEC || type == ET_DYN) {
		*ret = "is an ELF program";
		return FILE_IMAGE;
	}
	*ret = "is an ELF object file, not a linked program";
	return FILE_OTHER;
}

static bool is_utf16(struct text head)
{
	return head.n > 2 && (!memcmp(head.p, "\xff\xfe", 2) || !memcmp(head.p, "\xfe\xff", 2));
}

/** Compressed files may hold a core or a log, and logs may hold any bytes. */
static bool is_dump(struct text head, const char **ret)
{
	if (!dump_recognise(head))
		return false;
	*ret = "is text in which goroutines are printed";
	return true;
}

static bool is_text(struct text head)
{
	for (size_t i = 0; i < head.n; i++) {
		uint8_t c = (uint8_t)head.p[i];

		if (c < 0x20 && c != '\n' && c != '\t' && c != '\r' && c != '\f' && c != 0x1b)
			return false;
	}
	return true;
}

/** The reports of mapfault begin with their schema; logs may be JSON too, a line each. */
static bool is_report(struct text head)
{
	return memmem(head.p, head.n, "\"mapfault.", 10) != NULL;
}

static enum file_kind recognise_text(struct text head, const char **ret)
{
	size_t blank = 0;

	while (blank < head.n && strchr(" \t\r\n", head.p[blank]))
		blank++;
	if (blank < head.n && head.p[blank] == '{' && is_report(head)) {
		*ret = "is JSON";
		return FILE_REPORT;
	}
	*ret = "is text";
	return FILE_TEXT;
}

enum file_kind file_recognise(struct text head, const char **ret)
{
	*ret = "is empty";
	if (head.n == 0)
		return FILE_EMPTY;
	if (head.n > TYPE_OFFSET + 1 && memcmp(head.p, ELFMAG, SELFMAG) == 0)
		return recognise_elf(head, ret);
	if (profile_recognise(head, ret))
		return FILE_PROFILE;
	for (size_t i = 0; i < sizeof(magics) / sizeof(*magics); i++) {
		*ret = magics[i].looks_like;
		if (head.n < magics[i].n || memcmp(head.p, magics[i].magic, magics[i].n) != 0)
			continue;
		return magics[i].kind == FILE_COMPRESSED && is_dump(head, ret) ? FILE_TEXT
									       : magics[i].kind;
	}
	if (is_text(head) || is_utf16(head))
		return recognise_text(head, ret);
	if (is_dump(head, ret))
		return FILE_TEXT;
	*ret = "is of no kind that mapfault knows";
	return FILE_UNKNOWN;
}

static struct error *read_head(const char *path, char head[RECOGNISE_BYTES], size_t *ret)
{
	ssize_t n;
	int fd, number;

	TRY(elf_file_open_path(path, &fd));
	n = pread(fd, head, RECOGNISE_BYTES, 0);
	number = errno;
	close(fd);
	if (n < 0)
		return error_system(number, place_whole(path), "cannot be read");
	*ret = (size_t)n;
	return NULL;
}

struct error *file_recognise_path(const char *path, enum file_kind *ret,
				  const char **ret_looks_like)
{
	char head[RECOGNISE_BYTES];
	size_t n = 0;

	TRY(read_head(path, head, &n));
	*ret = file_recognise((struct text){head, n}, ret_looks_like);
	return NULL;
}

bool file_is_words(struct text head)
{
	const char *looks_like;

	switch (file_recognise(head, &looks_like)) {
	case FILE_TEXT:
		return true;
	case FILE_PROFILE:
	case FILE_GZIP:
		return dump_recognise(head);
	default:
		return false;
	}
}

struct error *file_is_words_path(const char *path, bool *ret)
{
	char head[RECOGNISE_BYTES];
	size_t n = 0;

	TRY(read_head(path, head, &n));
	*ret = file_is_words((struct text){head, n});
	return NULL;
}
