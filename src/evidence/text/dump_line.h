// SPDX-License-Identifier: Apache-2.0
// One line of a goroutine dump, as the runtime prints it (runtime/traceback.go). Pure functions of
// the line; which lines may follow which is dump_parse.c's.
#pragma once
#include "base/text.h"

#include <stdint.h>

/** "goroutine 18 gp=0x… m=3 mp=0x… [chan receive, 2 minutes, locked to thread]:" */
struct line_header {
	uint64_t id;
	struct text state;
	struct text thread; /**< "gp=0x… m=3 mp=0x…"; empty when not printed */
	struct text labels; /**< what stands in the braces; empty when none */
	uint32_t minutes;
	uint32_t flags; /**< enum dump_goroutine_flags */
};
bool line_header_parse(struct text line, struct line_header *ret);

/** "main.(*T).f(0x1, {0x2, 0x3})" */
struct line_function {
	struct text name, arguments;
};
bool line_function_parse(struct text line, struct line_function *ret);
/** A name as functions of Go have, in a line that nothing else shows to be a frame. */
bool line_name_sound(struct text name);
/** Arguments as the runtime prints them: tells a frame from words that happen to end in ")". */
bool line_arguments_sound(struct text arguments);

/** "created by main.main in goroutine 1" */
bool line_created_parse(struct text line, struct text *ret_name, uint64_t *ret_parent);

/** "/src/main.go:28 +0x2c fp=0x… sp=0x… pc=0x…", without the tab that begins it */
struct line_place {
	struct text file;
	uint64_t pc; /**< only of C code: "file.c:9 pc=0x…", "pc=0x…" */
	uint32_t line, offset;
	bool has_offset, foreign;
};
/** Splits off " fp=0x… sp=0x… pc=0x…", which differs between equal frames; empty when not there. */
struct text line_place_tail(struct text *line);
/** @a line is without its tail. */
bool line_place_parse(struct text line, struct line_place *ret);
/** Reads a tail; values are 0 where it has none. */
void line_tail_parse(struct text tail, uint64_t *ret_fp, uint64_t *ret_sp, uint64_t *ret_pc);

/** "...23 frames elided..." (1.21+), "...additional frames elided..."; the number is 0 then */
bool line_elided_parse(struct text line, uint32_t *ret_count);
/** "[originating from goroutine 7]:" */
bool line_ancestor_parse(struct text line, uint64_t *ret_id);
/** "SIGQUIT: quit": a name of capitals and what the runtime calls it. */
bool line_signal_parse(struct text line);
/** "PC=0x45f0a1 m=0 sigcode=0 addr=0x0" */
bool line_signal_pc_parse(struct text line, uint64_t *ret_pc, int64_t *ret_code,
			  uint64_t *ret_address);
/** "SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x49c3a5", out of its brackets */
void line_signal_note_parse(struct text line, uint64_t *ret_pc, int64_t *ret_code,
			    uint64_t *ret_address);
/** "rax    0x0", "x29 0x40…": one register of a dump. */
bool line_register(struct text line);

/**
 * Could a dump begin with this line? Header, death, signal, profile, or a frame: what tells that a
 * line stands as the runtime printed it.
 */
bool line_begins_dump(struct text line);

#define LINE_LABEL_END "\x1f" /* behind each key and each value */
/**
 * Labels as keys and values, escapes undone: `"k": "v"` (1.26, debug=1), `k: v` (1.27).
 * @param ret room for LINE_LABELS_SIZE(labels)
 * @return bytes written
 */
size_t line_labels_decode(struct text labels, char *ret);
#define LINE_LABELS_SIZE(labels) (2 * (labels).n + 4)
