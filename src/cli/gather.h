// SPDX-License-Identifier: Apache-2.0
// From the files on the command line to evidence that belongs together: recognises each, opens it,
// finds what is not given (the binary of a core, a separate debug file), and checks that they
// match.
#pragma once
#include "cli/options.h"
#include "evidence/process/core.h"
#include "evidence/debug/debuginfo.h"
#include "evidence/text/dump.h"
#include "evidence/recorded/flight.h"
#include "evidence/binary/image.h"
#include "evidence/process/live.h"
#include "evidence/profile/profile.h"
#include "model/process/program.h"
#include "report/report.h"

#define GATHERED_PROFILES_MAX 64
#define GATHERED_MAX          (5 + GATHERED_PROFILES_MAX) /* core, text, binary, debug file, record */

/** Everything opened; zeroed before gather(). Gaps of the files themselves are in @a listed. */
struct gathered {
	struct arena *arena;
	struct core *core;
	struct live *live;
	struct image *image, *debug_image;
	struct debuginfo *debuginfo;
	struct dump *dump;
	struct flight *flight;             /**< given, or found in the core */
	const char *dump_path, *dump_name; /**< to read it from; as it was given */
	struct profile *profiles[GATHERED_PROFILES_MAX];
	size_t profile_count;
	uint64_t bias;
	bool force, image_given;
	struct report_evidence listed[GATHERED_MAX];
	size_t listed_count;
};

/** What the command cannot do without. */
enum gather_need {
	NEED_IMAGE,
	NEED_CORE,
	NEED_GOROUTINES, /**< a core, a live process or a text */
	NEED_DEATH,      /**< the same, or the flight recorder's word */
};

/** Opens what @a paths name, in any order; "-" is standard input. */
struct error *gather(char *const *paths, size_t count, enum gather_need need,
		     const struct options *options, struct gathered *ret);
/**
 * As gather(), of a process that stands still; @a paths may name its binary and profiles. Takes @a live over.
 */
struct error *gather_live(struct live *live, char *const *paths, size_t count,
			  const struct options *options, struct gathered *ret);
/** The core or the live process; NULL when there is neither. */
const struct process *gathered_process(const struct gathered *gathered);
/**
 * Reads the text among @a paths straight into a dump, standard input as it comes.
 * @param ret NULL when there is none: cores, programs and what is not known are gather()'s
 */
struct error *gather_text(char *const *paths, size_t count, struct dump **ret);
/** Rebuilds the program from it; @a gathered must outlive the program. */
struct error *gathered_program(struct gathered *gathered, struct program **ret);
void gathered_done(struct gathered *gathered);

static inline void gathered_free_at(struct gathered *gathered) { gathered_done(gathered); }
