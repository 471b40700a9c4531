// SPDX-License-Identifier: Apache-2.0
// An ELF core file, as the kernel, gcore or systemd-coredump writes it: plain or compressed (zstd,
// lz4, xz), whole or cut off. Says what the file says: threads with registers, mappings, memory.
#pragma once
#include "base/error.h"
#include "base/text.h"
#include "evidence/process/process.h"

struct core;

/** True when the bytes begin as a core or as a compressed file that may hold one. */
bool core_recognise(struct text head);

/**
 * Opens a core. A compressed one is inflated into an unlinked temporary file ($TMPDIR or /var/tmp),
 * at most LIMIT_INFLATED_BYTES. A cut-off file opens as long as its headers and notes are there;
 * process.missing_bytes then tells how much of it is gone.
 */
struct error *core_open(const char *path, struct core **ret);
void core_close(struct core *core);

/** What it says; valid as long as the core. The thread that the kernel lists first is the one that died. */
const struct process *core_process(const struct core *core);
/** True when the compressed stream ended early: more than process.missing_bytes may be gone. */
bool core_stream_cut(const struct core *core);
/** "" , "zstd", "lz4" or "xz". */
const char *core_compression(const struct core *core);

static inline void core_free_at(struct core **core) { core_close(*core); }
