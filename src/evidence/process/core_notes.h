// SPDX-License-Identifier: Apache-2.0
// What a core's notes say: threads, mappings, the auxiliary vector and the command. Layouts are
// those of the kernel's struct elf_prstatus, elf_prpsinfo and NT_FILE
// (include/uapi/linux/elfcore.h, fs/binfmt_elf.c), per architecture.
#pragma once
#include "evidence/process/process.h"
#include "evidence/process/note.h"

#include <glib.h>

struct core_notes {
	GArray *threads;       /**< struct process_thread, in the file's order */
	GArray *mappings;      /**< struct process_mapping */
	struct text auxv;      /**< pairs of words */
	char command[16 + 81]; /**< name, or the arguments when the kernel kept them */
};

void core_notes_init(struct core_notes *notes);
void core_notes_done(struct core_notes *notes);
/** Adds one PT_NOTE's contents. A note of unknown owner or type is passed over. */
struct error *core_notes_read(struct core_notes *notes, enum go_arch arch, struct bytes segment,
			      uint64_t alignment);
