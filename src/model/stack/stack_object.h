// SPDX-License-Identifier: Apache-2.0
// The compiler's list of a frame's variables whose address is taken, kept for the collector.
#pragma once
#include "evidence/binary/pclntab.h"
#include "golang/layout.h"
#include "model/code/flow.h"

/**
 * The stack objects of @a function (FUNCDATA_StackObjects, Go 1.12+): every variable of its frame
 * that has pointers and whose address is taken. Only these can change behind the code's back.
 * @param ret  its `objects` are to be free()d; there are none when the function has no such list
 * @return false when the version keeps no list, or it can't be read
 */
bool stack_objects_read(const struct memory *memory, const struct pclntab *table,
			const struct go_function *function, const struct go_layout *layout,
			struct flow_objects *ret);
/** True when some of the 8 bytes at @a offset belong to one of @a objects. */
bool stack_object_covers(const struct flow_objects *objects, int64_t offset);
