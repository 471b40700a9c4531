// SPDX-License-Identifier: Apache-2.0
// Which row of golang/layout.h fits this program.
#pragma once
#include "model/process/program.h"

/**
 * Sets program->layout from the build information, or, where that names no release, from the row by
 * which the program's own structures make sense; checks it against DWARF where that can tell. Notes
 * a gap for anything but an exact row.
 * @param ret_first  the first module, read by that row
 */
struct error *layout_choose(struct program *program, struct moduledata *ret_first);
