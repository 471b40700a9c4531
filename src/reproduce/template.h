// SPDX-License-Identifier: Apache-2.0
// The Go code that generated programs are made of: templates/*.go.txt, embedded when mapfault is built.
#pragma once
#include "base/arena.h"

struct template_value {
	const char *name; /**< what stands between {{ and }} */
	const char *text;
};

/** Embedded file @a name, "main.go"; an unknown name is a bug of ours. */
const char *template_text(const char *name);
/**
 * The template with each {{name}} replaced; @a values ends in a NULL name. A value that stands alone on a
 * line and is empty takes its line away.
 */
const char *template_expand(struct arena *arena, const char *name,
			    const struct template_value *values);
/** Lines indented by how many braces stand open before them, beginning at @a depth. */
const char *template_indent(struct arena *arena, const char *code, unsigned depth);
/** Every line after "// ", control characters blanked: foreign text can't leave the comment. */
const char *template_comment(struct arena *arena, const char *text);
