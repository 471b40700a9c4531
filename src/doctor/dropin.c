// SPDX-License-Identifier: Apache-2.0
// Read in systemd's order: of several main files the one in /etc wins, drop-ins come after it, sorted by name.
#include "doctor/dropin.h"

static int by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void add_file(const struct examination *examination, const char *path, struct ini *ini)
{
	const char *text = host_file(examination, path);

	if (text)
		ini_add(ini, text);
}

void dropins_add(const struct examination *examination, const char *directory, struct ini *ini)
{
	g_autoptr(GDir) dir = g_dir_open(host_path(examination, directory), 0, NULL);
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	const char *name;

	while (dir && (name = g_dir_read_name(dir)))
		if (g_str_has_suffix(name, ".conf"))
			g_ptr_array_add(names, g_strdup(name));
	g_ptr_array_sort(names, by_name);
	for (guint i = 0; i < names->len; i++)
		add_file(examination,
			 KEEP(examination, "%s/%s", directory, (char *)names->pdata[i]), ini);
}

void systemd_conf_add(const struct examination *examination, const char *name, struct ini *ini)
{
	static const char *const folders[] = {"/usr/lib/systemd", "/run/systemd", "/etc/systemd"};

	add_file(examination, KEEP(examination, "/etc/systemd/%s", name), ini);
	if (ini->entries->len == 0)
		add_file(examination, KEEP(examination, "/usr/lib/systemd/%s", name), ini);
	for (size_t i = 0; i < G_N_ELEMENTS(folders); i++)
		dropins_add(examination, KEEP(examination, "%s/%s.d", folders[i], name), ini);
}
