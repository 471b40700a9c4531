// SPDX-License-Identifier: Apache-2.0
// What stands at a PC that stacks hold: 100,000 goroutines stand at a few hundred, and each is
// looked up once.
#pragma once
#include "model/process/program.h"

struct spot {
	uint64_t pc;
	bool exact; /**< pc is where it stopped; else a return address, and it stands in the call */
	struct go_function function;
	uint32_t table;   /**< its pclntab in program.tables */
	int32_t sp_delta; /**< as pclntab_sp_delta(); negative when not known */
	enum go_role role;
	const struct go_site *sites; /**< innermost first, the function itself last */
	const bool *runtime;         /**< of each site */
	size_t site_count;
};

/** The spot of @a pc, which lives as long as the program; NULL when it is in no Go function. */
const struct spot *program_spot(struct program *program, uint64_t pc, bool exact);
