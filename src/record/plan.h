// SPDX-License-Identifier: Apache-2.0
// Which places of a Go program the recorder will hook: found in the binary alone, before any process is
// touched. Knows functions and their code; nothing of processes.
#pragma once
#include "evidence/binary/image.h"
#include "evidence/binary/pclntab.h"
#include "golang/layout.h"
#include "golang/map_function.h"
#include "record/map_code.h"

struct plan_hook {
	struct map_hook at;           /**< addresses are those of the process */
	uint16_t function;            /**< index in functions */
	uint8_t bytes[MAP_HOOK_ROOM]; /**< that stand there */
	/** From SP to the function's return address */
	int32_t return_offset;
	int32_t map_offset; /**< from SP to the map, when no register holds it */
};

struct plan_function {
	const struct go_map_function *function;
	uint64_t entry;
	uint64_t end;
	const char *left_alone; /**< why nothing of it is hooked; NULL when it is */
};

struct plan {
	struct go_version version;
	const struct go_layout *layout;
	uint64_t text, etext; /**< in the process */
	uint64_t bias;
	int32_t tls_offset; /**< of g from FS, up to Go 1.16 */
	bool g_in_register; /**< R14, since Go 1.17 */
	bool swiss;         /**< its maps are those of internal/runtime/maps */
	struct plan_function *functions;
	size_t function_count;
	struct plan_hook *hooks;
	size_t hook_count;
	/** Every write of a map is hooked, and every place that gives up: nothing goes unseen */
	bool complete;
	const char *incomplete_because;
	bool eras; /**< every place that makes a map is hooked: maps that follow each other at one address are told apart */
};

#define PLAN_HOOKS_MAX 512

struct plan_options {
	uint64_t bias; /**< at which the image is loaded */
	bool births;   /**< also where maps are grown */
	bool reads;    /**< also where maps are read */
	bool eras;     /**< it must be all places that make maps */
};

/**
 * Reads the program's map functions.
 * @return ERROR_UNSUPPORTED when no write at all can be recorded, or reads or eras are wanted and some cannot; says why
 */
struct error *plan_make(struct image *image, const struct plan_options *options, struct plan **ret);
void plan_free(struct plan *plan);

static inline void plan_free_at(struct plan **plan) { plan_free(*plan); }
