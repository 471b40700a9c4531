// SPDX-License-Identifier: Apache-2.0
#include "evidence/process/proc_maps.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *text = g_strndup((const char *)data, size);
	g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(struct proc_mapping));

	error_free(proc_maps_parse(text, "process 1", list));
	for (guint i = 0; i < list->len; i++) {
		const struct proc_mapping *one = &g_array_index(list, struct proc_mapping, i);

		if (one->end <= one->start || (one->is_file && *one->path != '/'))
			abort();
	}
	return 0;
}
