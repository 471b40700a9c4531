// SPDX-License-Identifier: Apache-2.0
#include "reproduce/machine.h"

#include <glib.h>
#include <stdlib.h>
#include <sys/utsname.h>

struct machine machine_now(void)
{
	struct machine now = {.processors = g_get_num_processors()};

	if (getloadavg(&now.load, 1) != 1)
		now.load = 0;
	return now;
}

const char *machine_architecture(void)
{
	static struct utsname name;

	return uname(&name) == 0 ? name.machine : "unknown";
}
