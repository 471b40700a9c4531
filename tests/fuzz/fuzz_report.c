// SPDX-License-Identifier: Apache-2.0
#include "report/explain.h"
#include "report/utf8.h"

#include <glib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_safe(const char *text)
{
	for (const char *c = text; *c; c++)
		if ((unsigned char)*c < ' ' && *c != '\n')
			abort();
	if (!g_utf8_validate(text, -1, NULL))
		abort();
}

/** A report read back at two widths; and the raw bytes through the sanitiser. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *raw = g_strndup((const char *)data, size);
	g_autofree char *safe = utf8_safe(raw);

	check_safe(safe);
	for (unsigned width = 40; width <= 100; width += 60) {
		const struct report_style style = {.width = width};
		char *text = NULL;
		size_t n = 0;
		FILE *out = open_memstream(&text, &n);

		error_free(report_explain_bytes("fuzz", data, size, &style, out));
		fclose(out);
		check_safe(text);
		free(text);
	}
	return 0;
}
