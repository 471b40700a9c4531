// SPDX-License-Identifier: Apache-2.0
// Lines of a goroutine profile in words (debug=1; runtime/pprof/pprof.go:491-601@1.26.8): counted stacks
// without ids. Pure functions of a line.
#pragma once
#include "evidence/text/dump.h"

/** "goroutine profile: total 12", "goroutineleak profile: total 3" */
bool record_total_parse(struct text line, uint64_t *ret);
/** "3 @ 0x43e 0x4f2": how many goroutines, and their PCs as text. */
bool record_parse(struct text line, uint64_t *ret_count, struct text *ret_pcs);
/** "# labels: {"k":"v"}": what stands in the braces. */
bool record_labels_parse(struct text line, struct text *ret);
/**
 * "#	0x43e	main.f+0x1d		/src/main.go:12"; blanks of any kind may stand between.
 * @param ret_place what tells frames apart; the frame's file lies within it
 */
bool record_frame_parse(struct text line, struct dump_frame *ret, struct text *ret_place);
