// SPDX-License-Identifier: Apache-2.0
// Findings made by hand: a configuration store whose refresher writes while handlers read.
#pragma once
#include "report/report.h"

/** Both sides proven, the map found with two owners, one advice. Everything lives in
 * findings->arena. */
struct findings *build_proven(void);
/** The writer only likely, by a ghost frame, with an innocent. */
struct findings *build_likely(void);
/** Nobody named: two candidates and what is missing. */
struct findings *build_candidates(void);
/** A nil dereference: no map fatal at all. */
struct findings *build_panic(void);
/** Nothing was found but the message. */
struct findings *build_gaps(void);
/** As proven, with names that try to take over the terminal. */
struct findings *build_hostile(void);
/** Core and binary, as a report lists them. */
struct report_input build_input(const struct findings *findings);
void build_free(struct findings *findings);
