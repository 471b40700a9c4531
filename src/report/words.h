// SPDX-License-Identifier: Apache-2.0
// How facts are worded for a person: names without what everybody knows, counts, times. Results are
// not yet safe for a terminal; the screen sees to that. Free them with g_free().
#pragma once
#include "model/process/program.h"

/**
 * "example.com/shop/cart.(*Store).Put" as "cart.(*Store).Put"; the standard library keeps its path.
 */
char *words_function(const char *function);
/** "cart/store.go:41": the last two parts of its path; "" when the file is not known. */
char *words_place(const struct go_site *site);
/** 1204 as "1,204". */
char *words_count(uint64_t count);
/** "512 B", "1.2 MB": binary multiples under their usual names. */
char *words_bytes(double bytes);
/** "3 s", "12 min", "5 h"; "" for less than a second or when not known. */
char *words_wait(int64_t ns);
/** "waiting (chan receive) for 12 min". */
char *words_state(const struct goroutine *goroutine);
