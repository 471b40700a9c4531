// SPDX-License-Identifier: Apache-2.0
// The flight recorder: put into a stopped process, left there while it runs free, taken out again.
// What it records is read by evidence/recorded/flight.h.
#pragma once
#include "evidence/binary/image.h"
#include "record/tracee.h"

struct recorder;

struct recorder_options {
	/** Folder of the recorder's file, as the process sees it; NULL: /dev/shm, which is memory */
	const char *folder;
	bool attached; /**< the process was at work already */
	bool births;   /**< record also who makes and grows maps */
	bool reads;    /**< record also who reads maps */
	bool eras; /**< refuse where maps that follow each other at one address cannot be told apart */
};

/**
 * Hooks every map write and every check of a stopped process. Its file is there from then on, also after the end of
 * the process and of this one. Nothing is changed when it fails.
 * @param image  the program's binary
 * @return ERROR_UNSUPPORTED or ERROR_REFUSED with the reason
 */
struct error *recorder_install(struct tracee *tracee, struct image *image,
			       const struct recorder_options *options, struct recorder **ret);
/**
 * Puts back every byte of the stopped process's code, and unmaps the recorder's memory once no thread is in its pieces;
 * where one always is, they stay. The file stays as well.
 * @return ERROR_NOT_FOUND when the process is not being recorded
 */
struct error *recorder_remove(struct tracee *tracee);
/** Is there a recorder in that process? False also where that can't be seen. */
bool recorder_is_in(pid_t pid);
/** Path of the file by which this process can open it. */
const char *recorder_path(const struct recorder *recorder);
/** Functions whose writes are not recorded because their code was not understood: a sentence; "" when none. */
const char *recorder_incomplete(const struct recorder *recorder);
/** Deletes the file: nobody will ask for it. */
void recorder_discard(struct recorder *recorder);
void recorder_free(struct recorder *recorder);

static inline void recorder_free_at(struct recorder **recorder) { recorder_free(*recorder); }
