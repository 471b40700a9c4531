// SPDX-License-Identifier: Apache-2.0
// A goroutine, or many alike, as the lists show them: from a core or from a text.
#pragma once
#include "model/process/program.h"
#include "report/json_parts.h"
#include "report/screen.h"

#define GROUP_IDS_SHOWN 8

/** What stands above the stack that many goroutines share. */
struct goroutine_heading {
	const struct goroutine *one; /**< of them, for its state */
	uint64_t count;
	int64_t longest_ns, shortest_ns; /**< they wait; 0 or less when not known */
	const uint64_t *ids;
	size_t id_count; /**< of @a ids; the first ones */
};

void goroutine_put_heading(struct screen *screen, const struct goroutine_heading *heading);
/** One line of a stack: the runtime's own are dim. */
void goroutine_put_frame(struct screen *screen, const struct go_site *site);
void goroutine_put_stack(struct screen *screen, const struct stack *stack);
/** Who started it; nothing when not known. */
void goroutine_put_creator(struct screen *screen, const struct goroutine *goroutine);
/** A goroutine by itself, an empty line behind it. */
void goroutine_put_text(struct screen *screen, const struct goroutine *goroutine,
			const struct stack *stack);
void goroutine_put_json(struct json_writer *json, const struct goroutine *goroutine,
			const struct stack *stack);
