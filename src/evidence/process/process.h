// SPDX-License-Identifier: Apache-2.0
// What a core file and a live process that stands still have in common: threads with registers, mapped
// files, the auxiliary vector, and memory. The model is rebuilt from this, whichever it is.
#pragma once
#include "base/text.h"
#include "evidence/process/memory.h"
#include "golang/version.h"

/** General registers of one thread, by their place in the architecture's own numbering. */
struct process_registers {
	uint64_t pc, sp;
	uint64_t bp;  /**< amd64 RBP, arm64 X29 */
	uint64_t lr;  /**< arm64 X30; 0 on amd64 */
	uint64_t tls; /**< amd64 FS base, arm64 TPIDR_EL0 (0 when not dumped) */
	/** amd64: DWARF numbering (rax rdx rcx rbx rsi rdi rbp rsp r8-r15); arm64: x0-x30. */
	uint64_t general[32];
};

struct process_thread {
	int32_t tid;
	int32_t signal; /**< that the thread was dying of, 0 for the others */
	struct process_registers registers;
};

/** A mapped file: a line of NT_FILE or of /proc/PID/maps. */
struct process_mapping {
	uint64_t start, end, offset;
	const char *path;
};

struct process {
	const char *name; /**< the core's path, or "process 1234" */
	bool live;
	/** Live: how things were seen to go on while the first thread was held at the fatal error; zeros when they were not */
	struct process_later {
		uint64_t ns;  /**< since then */
		int32_t tid;  /**< of the thread that has just begun to write, */
		uint64_t map; /**< this map: a watchpoint on its writing flag */
	} later;
	enum go_arch arch;
	/** The one that died, or reached the fatal error, first */
	const struct process_thread *threads;
	size_t thread_count;
	const struct process_mapping *mappings;
	size_t mapping_count;
	struct text auxv;       /**< pairs of words */
	const char *command;    /**< name, or the arguments; "" when not known */
	uint64_t missing_bytes; /**< of memory that the headers promise and a cut-off core lacks */
	/**
	 * Adds all memory that the process held; what the program's file holds unchanged may be left out.
	 * @return bytes for which no room could be reserved; 0 as a rule
	 */
	uint64_t (*add_to)(const struct process *process, struct memory *memory);
	/**
	 * Lets the kernel take back the memory of what was looked at so far; views stay good, and are read again
	 * from the file. NULL where there is nothing to take back.
	 */
	void (*rest)(const struct process *process);
};

/** A value of the auxiliary vector (AT_ENTRY, AT_PHDR, AT_BASE ...). */
bool process_auxv(const struct process *process, uint64_t type, uint64_t *ret);
/** How many words the kernel's general register set has (struct user_regs_struct, user_pt_regs). */
size_t process_register_words(enum go_arch arch);
/** From that register set, little-endian as in memory. */
struct process_registers process_registers_from(enum go_arch arch, const uint64_t *words);
