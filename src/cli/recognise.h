// SPDX-License-Identifier: Apache-2.0
// What a file is, by its first bytes: its name says nothing.
#pragma once
#include "base/error.h"
#include "base/text.h"

enum file_kind {
	FILE_CORE,
	FILE_COMPRESSED, /**< zstd, lz4 or xz: a core, as systemd-coredump keeps them */
	FILE_IMAGE,      /**< an ELF program or shared object */
	FILE_REPORT,     /**< JSON */
	FILE_TEXT,       /**< may hold what a Go program printed of itself */
	FILE_PROFILE,    /**< of runtime/pprof */
	FILE_FLIGHT,     /**< of the flight recorder */
	FILE_GZIP,       /**< a profile or a text */
	FILE_EMPTY,
	FILE_OTHER, /**< something that is recognised but not read */
	FILE_UNKNOWN,
};

#define RECOGNISE_BYTES (64u << 10)

/** @a ret_looks_like is a phrase for people: "is a core file", "is text: a crash log", ... */
enum file_kind file_recognise(struct text head, const char **ret_looks_like);
/** The same of the file at @a path. */
struct error *file_recognise_path(const char *path, enum file_kind *ret,
				  const char **ret_looks_like);
/** Does it hold goroutines in words, or text in which they may stand? */
bool file_is_words(struct text head);
struct error *file_is_words_path(const char *path, bool *ret);
