// SPDX-License-Identifier: Apache-2.0
// An ELF core file, as the kernel, gcore or systemd-coredump writes it: plain or compressed (zstd,
// lz4, xz), whole or cut off. Says what the file says: threads with registers, mappings, memory.
#pragma once
#include "base/error.h"
#include "base/text.h"
#include "evidence/memory.h"
#include "golang/version.h"

struct core;

/** General registers of one thread, by their place in the architecture's own numbering. */
struct core_registers {
	uint64_t pc, sp;
	uint64_t bp;  /**< amd64 RBP, arm64 X29 */
	uint64_t lr;  /**< arm64 X30; 0 on amd64 */
	uint64_t tls; /**< amd64 FS base, arm64 TPIDR_EL0 (0 when not dumped) */
	/** amd64: DWARF numbering (rax rdx rcx rbx rsi rdi rbp rsp r8-r15); arm64: x0-x30. */
	uint64_t general[32];
};

struct core_thread {
	int32_t tid;
	int32_t signal; /**< that the thread was dying of, 0 for the others */
	struct core_registers registers;
};

/** One line of NT_FILE. */
struct core_file_mapping {
	uint64_t start, end, offset;
	const char *path;
};

/** True when the bytes begin as a core or as a compressed file that may hold one. */
bool core_recognise(struct text head);

/**
 * Opens a core. A compressed one is inflated into an unlinked temporary file ($TMPDIR or /var/tmp),
 * at most LIMIT_INFLATED_BYTES. A cut-off file opens as long as its headers and notes are there;
 * core_missing_bytes() then tells how much of it is gone.
 */
struct error *core_open(const char *path, struct core **ret);
void core_close(struct core *core);

const char *core_path(const struct core *core);
enum go_arch core_arch(const struct core *core);
/** The thread that the kernel lists first is the one that died. */
const struct core_thread *core_threads(const struct core *core, size_t *ret_count);
const struct core_file_mapping *core_file_mappings(const struct core *core, size_t *ret_count);
/** A value of the auxiliary vector (AT_ENTRY, AT_PHDR, AT_BASE ...). */
bool core_auxv(const struct core *core, uint64_t type, uint64_t *ret);
/** The program's short name and the arguments the kernel kept (NT_PRPSINFO); "" when not there. */
const char *core_command(const struct core *core);
/** Bytes of memory that the headers promise and the file lacks; 0 for a whole core. */
uint64_t core_missing_bytes(const struct core *core);
/** True when the compressed stream ended early: more than core_missing_bytes() may be gone. */
bool core_stream_cut(const struct core *core);
/** "" , "zstd", "lz4" or "xz". */
const char *core_compression(const struct core *core);

/**
 * Lets the kernel take back the memory of what was looked at so far; views stay good, and are read again from the file.
 */
void core_rest(const struct core *core);
/** Adds all dumped memory. */
void core_add_to(const struct core *core, struct memory *memory);

static inline void core_free_at(struct core **core) { core_close(*core); }
