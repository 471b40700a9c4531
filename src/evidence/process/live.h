// SPDX-License-Identifier: Apache-2.0
// A live process whose threads all stand still, as evidence: what /proc says of it, and its memory,
// fetched where it is asked for. Who made it stand is not its business; the registers are given.
#pragma once
#include "evidence/process/process.h"

struct live;

/**
 * @param pid  stays stopped as long as the result is used: what was not looked at before is read then
 * @param threads  copied; the one that reached the fatal error first
 */
struct error *live_open(int32_t pid, const struct process_thread *threads, size_t count,
			struct live **ret);
/** Its first thread has stood at the fatal error while others ran on. */
void live_set_later(struct live *live, struct process_later later);
void live_close(struct live *live);

const struct process *live_process(const struct live *live);
/** A path by which its program can be opened although it was moved or deleted: "/proc/1234/exe". */
const char *live_program(const struct live *live);
/** Where that program was started from, for people. */
const char *live_program_path(const struct live *live);

static inline void live_free_at(struct live **live) { live_close(*live); }
