// SPDX-License-Identifier: Apache-2.0
// What this build is and what it knows: for bug reports and for programs that drive it.
#include "cli/command.h"

#include "golang/layout.h"
#include "report/json_writer.h"
#include "report/doctor.h"
#include "report/lists.h"
#include "report/report.h"

#include <capstone/capstone.h>
#include <elfutils/version.h>
#include <jansson.h>
#include <lz4.h>
#include <lzma.h>
#include <zstd.h>

static const enum go_arch architectures[] = {GO_ARCH_AMD64, GO_ARCH_ARM64};
static const char *const schemas[] = {REPORT_SCHEMA, GOROUTINES_SCHEMA, MAPS_SCHEMA,
				      MAP_SCHEMA,    SITES_SCHEMA,      DOCTOR_SCHEMA};

static bool has_layout(int minor)
{
	bool exact = false;

	go_layout_find((struct go_version){.minor = minor, .exact = true}, GO_ARCH_AMD64, &exact);
	return exact;
}

static void libraries(struct json_writer *json)
{
	int major = 0, minor = 0;

	cs_version(&major, &minor);
	json_put_object(json, "libraries");
	json_put_unsigned(json, "capstone_major", (uint64_t)major);
	json_put_unsigned(json, "elfutils", _ELFUTILS_VERSION);
	json_put_string(json, "jansson", JANSSON_VERSION);
	json_put_string(json, "lz4", LZ4_versionString());
	json_put_string(json, "lzma", lzma_version_string());
	json_put_string(json, "zstd", ZSTD_versionString());
	json_end_object(json);
}

static void version_json(FILE *out)
{
	struct json_writer json;

	json_writer_init(&json, out);
	json_put_object(&json, NULL);
	json_put_string(&json, "name", "mapfault");
	json_put_string(&json, "version", MAPFAULT_VERSION);
	json_put_array(&json, "schemas");
	for (size_t i = 0; i < G_N_ELEMENTS(schemas); i++)
		json_put_string(&json, NULL, schemas[i]);
	json_end_array(&json);
	json_put_array(&json, "go_versions");
	for (int minor = GO_MINOR_OLDEST; minor <= GO_MINOR_NEWEST; minor++) {
		g_autofree char *name = g_strdup_printf("go1.%d", minor);

		if (has_layout(minor))
			json_put_string(&json, NULL, name);
	}
	json_end_array(&json);
	json_put_array(&json, "architectures");
	for (size_t i = 0; i < G_N_ELEMENTS(architectures); i++)
		json_put_string(&json, NULL, go_arch_name(architectures[i]));
	json_end_array(&json);
	libraries(&json);
	json_end_object(&json);
	json_writer_done(&json);
}

static struct error *version(const struct invocation *invocation, int *ret_status)
{
	*ret_status = 0;
	if (invocation->options.format == FORMAT_JSON)
		version_json(stdout);
	else
		printf("mapfault %s (Go 1.%d to 1.%d, x86-64 and arm64)\n", MAPFAULT_VERSION,
		       GO_MINOR_OLDEST, GO_MINOR_NEWEST);
	return NULL;
}

const struct command command_version = {
	.name = "version",
	.arguments = "",
	.summary = "show the version, and with --json all that this build knows",
	.examples = "  mapfault version\n  mapfault version --json\n",
	.about = "The JSON lists schemas, Go versions with known runtime layouts, and libraries.\n",
	.takes = OPTIONS_OUTPUT,
	.run = version,
};
