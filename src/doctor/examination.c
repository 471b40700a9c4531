// SPDX-License-Identifier: Apache-2.0
#include "doctor/examination.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define FILE_MAX_BYTES (1u << 20) /* of a file of settings; /proc has no sizes to ask for */
#define CHECKS_FIRST   16

static const char *const outcome_names[] = {"kept", "unsure", "lost"};
static const char *const concern_names[] = {"core", "text", "binary", "live"};

const char *outcome_name(enum outcome outcome) { return outcome_names[outcome]; }
const char *concern_name(enum concern concern) { return concern_names[concern]; }

void check_add(struct examination *examination, const struct check *check)
{
	struct diagnosis *diagnosis = examination->diagnosis;
	struct check *added;

	if (diagnosis->count == diagnosis->room) {
		diagnosis->room = diagnosis->room ? 2 * diagnosis->room : CHECKS_FIRST;
		diagnosis->checks = g_renew(struct check, diagnosis->checks, diagnosis->room);
	}
	added = &diagnosis->checks[diagnosis->count++];
	*added = *check;
	added->subject = examination->subject;
	added->value = KEEP(examination, "%s", check->value ? check->value : "");
	added->means = KEEP(examination, "%s", check->means);
	added->set = check->set ? check->set : "";
	added->set_in = check->set_in ? check->set_in : "";
}

const char *host_path(const struct examination *examination, const char *path)
{
	return KEEP(examination, "%s%s", examination->root, path);
}

const char *host_file(const struct examination *examination, const char *path)
{
	int fd = open(host_path(examination, path), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	g_autoptr(GString) text = g_string_new(NULL);
	char chunk[4096];
	ssize_t n = 0;

	if (fd < 0)
		return NULL;
	while (text->len < FILE_MAX_BYTES &&
	       ((n = read(fd, chunk, sizeof(chunk))) > 0 || (n < 0 && errno == EINTR)))
		g_string_append_len(text, chunk, MAX(n, 0));
	close(fd);
	if (n < 0)
		return NULL;
	if (text->len && text->str[text->len - 1] == '\n')
		g_string_truncate(text, text->len - 1);
	return arena_copy(examination->diagnosis->arena, text->str, text->len + 1);
}

bool size_parse(const char *text, uint64_t *ret)
{
	static const char units[] = "KMGTPE";
	const char *unit;
	char *end;
	uint64_t size;
	unsigned shift = 0;

	if (g_str_equal(text, "infinity") || g_str_equal(text, "unlimited")) {
		*ret = UINT64_MAX;
		return true;
	}
	if (!g_ascii_isdigit(*text))
		return false;
	size = g_ascii_strtoull(text, &end, 10);
	unit = *end ? strchr(units, g_ascii_toupper(*end)) : NULL;
	if (unit) {
		shift = 10 * (unsigned)(unit - units + 1);
		end++;
		end += *end == 'i';
	}
	end += *end == 'B';
	if (*end || size > UINT64_MAX >> shift)
		return false;
	*ret = size << shift;
	return true;
}

const char *size_words(const struct examination *examination, uint64_t bytes)
{
	g_autofree char *words = g_format_size_full(bytes, G_FORMAT_SIZE_IEC_UNITS);

	return KEEP(examination, "%s", words);
}

enum outcome diagnosis_outcome(const struct diagnosis *diagnosis, enum concern concern)
{
	enum outcome worst = OUTCOME_KEPT;

	for (size_t i = 0; i < diagnosis->count; i++)
		if (diagnosis->checks[i].concern == concern)
			worst = MAX(worst, diagnosis->checks[i].outcome);
	return worst;
}

void diagnosis_done(struct diagnosis *diagnosis)
{
	g_free(diagnosis->checks);
	arena_free(diagnosis->arena);
	*diagnosis = (struct diagnosis){0};
}
