// SPDX-License-Identifier: Apache-2.0
#include "reproduce/interrupt.h"

#include <glib.h>
#include <signal.h>

static volatile sig_atomic_t pending;

static void note(int number) { pending = number; }

void interrupt_watch(void)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction action = {.sa_handler = note}; /* no SA_RESTART: poll() must wake up */

	for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
		struct sigaction old;

		if (sigaction(numbers[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			sigaction(numbers[i], &action, NULL);
	}
}

struct error *interrupt_check(void)
{
	if (!pending)
		return NULL;
	return error_new(ERROR_INTERRUPTED, place_whole(""), "interrupted");
}
