// SPDX-License-Identifier: Apache-2.0
// A go statement calls runtime.newproc(fn *funcval), up to Go 1.17 newproc(siz int32, fn *funcval) (runtime/proc.go). A
// function without captured variables is a constant, and its first word the entry.
#include "model/printout/printout_start.h"

#define SIZE_BEFORE_FUNCTION_TO 17 /* the last minor with the size before it */

bool printout_started(struct program *program, const struct go_site *created_by,
		      struct go_function *ret)
{
	int word = program->build.version.minor <= SIZE_BEFORE_FUNCTION_TO ? 1 : 0;
	struct flow_call call;
	struct flow_value value;
	uint64_t entry;
	uint32_t table;

	if (!program->sites || !created_by->function || !created_by->pc ||
	    !sites_call_returning_to(program->sites, created_by->pc, &call))
		return false;
	value = flow_argument(&call.state, sites_abi(program->sites), word, false);
	return value.kind == FLOW_CONSTANT &&
	       memory_u64(program->memory, (uint64_t)value.number, &entry) &&
	       program_function(program, entry, ret, &table) && ret->entry == entry;
}
