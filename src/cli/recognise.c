// SPDX-License-Identifier: Apache-2.0
#include "cli/recognise.h"

#include <elf.h>
#include <stdint.h>

#define TYPE_OFFSET 16 /* Elf64_Ehdr.e_type */

/* First bytes that tell what a file is. Order matters: the first row that matches wins. */
static const struct {
	const char *magic;
	size_t n;
	enum file_kind kind;
	const char *looks_like;
} magics[] = {
	{"\x28\xb5\x2f\xfd", 4, FILE_COMPRESSED, "is compressed with zstd"},
	{"\x04\x22\x4d\x18", 4, FILE_COMPRESSED, "is compressed with lz4"},
	{"\xfd"
	 "7zXZ\0",
	 6, FILE_COMPRESSED, "is compressed with xz"},
	{"\x1f\x8b", 2, FILE_OTHER, "is compressed with gzip: unpack it first, if it holds a core"},
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

/* Phrases of Go's own crash output and profiles (runtime/panic.go, runtime/pprof/pprof.go). */
static const struct {
	const char *phrase, *looks_like;
} phrases[] = {
	{"WARNING: DATA RACE", "is text: a race detector report, which names both sides itself and "
			       "is not read by this version"},
	{"fatal error: ",
	 "is text: crash output, which is not read by this version; give the core"},
	{"goroutine profile: total",
	 "is text: a goroutine profile, which is not read by this version"},
	{"heap profile: ", "is text: a heap profile, which is not read by this version"},
	{"goroutine ",
	 "is text: a goroutine dump, which is not read by this version; give the core"},
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

static bool is_text(struct text head)
{
	for (size_t i = 0; i < head.n; i++) {
		uint8_t c = (uint8_t)head.p[i];

		if (c < 0x20 && c != '\n' && c != '\t' && c != '\r' && c != '\f' && c != 0x1b)
			return false;
	}
	return true;
}

static enum file_kind recognise_text(struct text head, const char **ret)
{
	size_t blank = 0;

	while (blank < head.n && strchr(" \t\r\n", head.p[blank]))
		blank++;
	if (blank < head.n && head.p[blank] == '{') {
		*ret = "is JSON";
		return FILE_REPORT;
	}
	for (size_t i = 0; i < sizeof(phrases) / sizeof(*phrases); i++) {
		*ret = phrases[i].looks_like;
		if (memmem(head.p, head.n, phrases[i].phrase, strlen(phrases[i].phrase)))
			return FILE_OTHER;
	}
	*ret = "is text";
	return FILE_OTHER;
}

enum file_kind file_recognise(struct text head, const char **ret)
{
	*ret = "is empty";
	if (head.n == 0)
		return FILE_OTHER;
	if (head.n > TYPE_OFFSET + 1 && memcmp(head.p, ELFMAG, SELFMAG) == 0)
		return recognise_elf(head, ret);
	for (size_t i = 0; i < sizeof(magics) / sizeof(*magics); i++) {
		*ret = magics[i].looks_like;
		if (head.n >= magics[i].n && memcmp(head.p, magics[i].magic, magics[i].n) == 0)
			return magics[i].kind;
	}
	if (is_text(head))
		return recognise_text(head, ret);
	*ret = "is of no kind that mapfault knows";
	return FILE_UNKNOWN;
}
