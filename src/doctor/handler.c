// SPDX-License-Identifier: Apache-2.0
// Programs that take cores from the kernel, and their own limits: coredump.conf(5), apport's /etc/default/apport.
#include "doctor/dropin.h"

#define CONF           "coredump.conf"
#define CONF_SET_IN    "/etc/systemd/coredump.conf.d/60-go.conf"
#define CONF_SET       "[Coredump]\nStorage=external\nProcessSizeMax=64G\nExternalSizeMax=64G"
#define OLD_SIZE_MAX   (2ull << 30)  /* before systemd 251 */
#define NEWER_SIZE_MAX (32ull << 30) /* since, on 64-bit machines */

static void examine_storage(struct examination *examination, const struct ini *ini)
{
	const char *value = ini_value(ini, "Coredump", "Storage");
	struct check check = {.concern = CONCERN_CORE,
			      .setting = "Storage in " CONF,
			      .value = value,
			      .means = "cores are kept in /var/lib/systemd/coredump; `coredumpctl "
				       "dump PID -o core` takes one out"};

	if (value && !g_ascii_strcasecmp(value, "none")) {
		check.outcome = OUTCOME_LOST;
		check.means = "systemd-coredump notes the crash and drops the core";
	} else if (value && !g_ascii_strcasecmp(value, "journal")) {
		check.outcome = OUTCOME_UNSURE;
		check.means = "cores go into the journal, which takes 767 MiB at most by default "
			      "(JournalSizeMax)";
	}
	if (check.outcome != OUTCOME_KEPT) {
		check.set = CONF_SET;
		check.set_in = CONF_SET_IN;
	}
	check_add(examination, &check);
}

/** A size above which systemd-coredump cuts or drops a core. */
static void examine_size(struct examination *examination, const struct ini *ini, const char *key)
{
	const char *value = ini_value(ini, "Coredump", key);
	struct check check = {.concern = CONCERN_CORE,
			      .setting = KEEP(examination, "%s in " CONF, key),
			      .value = value};
	uint64_t most = NEWER_SIZE_MAX, need = examination->core_bytes;

	if (value && !size_parse(value, &most)) {
		check.outcome = OUTCOME_UNSURE;
		check.means = "this is no size";
	} else if (need > most) {
		check.outcome = OUTCOME_LOST;
		check.means = KEEP(examination, "a core of about %s is over the limit of %s",
				   size_words(examination, need), size_words(examination, most));
	} else if (!value && (need > OLD_SIZE_MAX || !need)) {
		check.outcome = need ? OUTCOME_UNSURE : OUTCOME_KEPT;
		check.means = "the default is 2 GiB before systemd 251 and 32 GiB since";
	} else {
		check.outcome = need || most >= OLD_SIZE_MAX ? OUTCOME_KEPT : OUTCOME_UNSURE;
		check.means =
			KEEP(examination, "cores up to %s are kept", size_words(examination, most));
	}
	if (check.outcome != OUTCOME_KEPT) {
		check.set = CONF_SET;
		check.set_in = CONF_SET_IN;
	}
	check_add(examination, &check);
}

static void examine_systemd(struct examination *examination)
{
	scoped(ini) struct ini ini = {0};

	ini_init(&ini);
	systemd_conf_add(examination, CONF, &ini);
	examine_storage(examination, &ini);
	examine_size(examination, &ini, "ProcessSizeMax");
	examine_size(examination, &ini, "ExternalSizeMax");
}

static void examine_apport(struct examination *examination)
{
	const char *conf = host_file(examination, "/etc/default/apport");
	bool off = conf && strstr(conf, "enabled=0");
	struct check check = {
		.concern = CONCERN_CORE,
		.outcome = off ? OUTCOME_LOST : OUTCOME_UNSURE,
		.setting = "apport",
		.value = off ? "enabled=0" : "",
		.means = off ? "apport takes the core and does nothing with it"
			     : "apport makes no report for a program that comes from no package; "
			       "where the core limit allows it, the core is in "
			       "/var/lib/apport/coredump",
		.set = "systemctl disable --now apport\n"
		       "sysctl -w kernel.core_pattern=/var/crash/core.%e.%p.%t",
		.set_in = "a root shell, to have plain cores",
	};

	check_add(examination, &check);
}

void examine_handler(struct examination *examination)
{
	if (examination->to == CORE_TO_SYSTEMD)
		examine_systemd(examination);
	if (examination->to == CORE_TO_APPORT)
		examine_apport(examination);
}
