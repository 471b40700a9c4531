// SPDX-License-Identifier: Apache-2.0
#include "evidence/text/log_prefix.h"

#include "base/scan.h"

#define ESCAPE '\033'

static bool digit(char c) { return c >= '0' && c <= '9'; }
static bool letter(char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; }

/* Between @a least and @a most digits. */
static bool digits_take(struct text *text, size_t least, size_t most)
{
	size_t n = 0;

	while (n < text->n && digit(text->p[n]))
		n++;
	if (n < least || n > most)
		return false;
	scan_skip(text, n);
	return true;
}

static bool one_of(struct text *text, const char *set)
{
	if (text->n == 0 || text->p[0] == 0 || !strchr(set, text->p[0]))
		return false;
	scan_skip(text, 1);
	return true;
}

/* "15:04:05", "15:04:05.123", "15:04:05,123" */
static bool clock_take(struct text *text)
{
	struct text t = *text;

	if (!digits_take(&t, 2, 2) || !one_of(&t, ":") || !digits_take(&t, 2, 2) ||
	    !one_of(&t, ":") || !digits_take(&t, 2, 2))
		return false;
	if (t.n > 1 && strchr(".,", t.p[0]) && digit(t.p[1])) {
		scan_skip(&t, 1);
		digits_take(&t, 1, 9);
	}
	*text = t;
	return true;
}

/* "Z", "+01:00", "-0700", " UTC", " CEST" */
static void zone_take(struct text *text)
{
	struct text t = *text;
	size_t n = 0;

	if (one_of(text, "Z"))
		return;
	if (one_of(&t, "+-") && digits_take(&t, 2, 4)) {
		if (one_of(&t, ":"))
			digits_take(&t, 2, 2);
		*text = t;
		return;
	}
	t = *text;
	if (!one_of(&t, " "))
		return;
	while (n < t.n && t.p[n] >= 'A' && t.p[n] <= 'Z')
		n++;
	if (n < 3 || n > 4 || n == t.n || t.p[n] != ' ')
		return;
	scan_skip(&t, n);
	*text = t;
}

/* "2026-01-02T15:04:05Z", "2026/01/02 15:04:05" */
static bool iso_take(struct text *text)
{
	struct text t = *text;

	if (!digits_take(&t, 4, 4) || !one_of(&t, "-/.") || !digits_take(&t, 2, 2) ||
	    !one_of(&t, "-/.") || !digits_take(&t, 2, 2) || !one_of(&t, "T t") || !clock_take(&t))
		return false;
	zone_take(&t);
	*text = t;
	return true;
}

static bool letters_take(struct text *text, size_t count)
{
	if (text->n <= count)
		return false;
	for (size_t i = 0; i < count; i++)
		if (!letter(text->p[i]))
			return false;
	scan_skip(text, count);
	return true;
}

/* "Jan  2 15:04:05" */
static bool month_take(struct text *text)
{
	struct text t = *text;

	if (!letters_take(&t, 3) || !one_of(&t, " "))
		return false;
	one_of(&t, " ");
	if (!digits_take(&t, 1, 2) || !one_of(&t, " ") || !clock_take(&t))
		return false;
	*text = t;
	return true;
}

/* "[   12.345678]", "1700000000.123": seconds since boot or 1970 */
static bool seconds_take(struct text *text)
{
	struct text t = *text;

	while (one_of(&t, " "))
		;
	if (!digits_take(&t, 1, 10) || !one_of(&t, ".") || !digits_take(&t, 3, 9))
		return false;
	*text = t;
	return true;
}

static bool time_take(struct text *text)
{
	struct text t = *text;
	bool bracket = one_of(&t, "["), found;

	if (t.n > 4 && t.p[3] == ' ' && letters_take(&t, 3)) {
		scan_skip(&t, 1); // a weekday
		if (!iso_take(&t) && !month_take(&t))
			t = (struct text){text->p + bracket, text->n - bracket};
	}
	found = t.p != text->p + bracket || iso_take(&t) || month_take(&t) || clock_take(&t) ||
		seconds_take(&t);
	if (!found || (bracket && !one_of(&t, "]")))
		return false;
	*text = t;
	return true;
}

bool log_time_take(struct text line, struct log_line *ret)
{
	if (!time_take(&line))
		return false;
	one_of(&line, ":|");
	if (line.n && !one_of(&line, " "))
		return line.p[0] == '\t' && (ret->text = line, true);
	if (line.n > 1 && line.p[0] == '|' && line.p[1] == ' ')
		scan_skip(&line, 2);
	ret->text = line;
	return true;
}

bool log_cri_take(struct text line, struct log_line *ret)
{
	if (!iso_take(&line) || !one_of(&line, " ") ||
	    !(scan_prefix(&line, "stdout ") || scan_prefix(&line, "stderr ")))
		return false;
	if (line.n < 1 || (line.p[0] != 'F' && line.p[0] != 'P'))
		return false;
	ret->partial = line.p[0] == 'P';
	scan_skip(&line, 1);
	one_of(&line, " ");
	ret->text = line;
	return true;
}

/* A word without spaces and the one space behind it. */
static bool word_take(struct text *text, struct text *ret)
{
	return scan_until(text, " ", ret) && ret->n && !memchr(ret->p, '\t', ret->n);
}

/* "host app 123 ID47 [data] text" or "… - text", behind "<34>1 TIME " */
static bool rfc5424_take(struct text line, struct log_line *ret)
{
	struct text host, name, process, id, data;

	if (!word_take(&line, &host) || !word_take(&line, &name) || !word_take(&line, &process) ||
	    !word_take(&line, &id))
		return false;
	ret->source = (struct text){name.p, (size_t)(process.p + process.n - name.p)};
	if (scan_prefix(&line, "-")) {
		one_of(&line, " ");
	} else if (text_starts(line, "[")) {
		if (!scan_until(&line, "] ", &data))
			return false;
	} else {
		return false;
	}
	scan_prefix(&line, "\xef\xbb\xbf");
	ret->text = line;
	return true;
}

/* The name before ": ": "app[123]", "app", "sub/app[1]". */
static bool tag_sound(struct text tag)
{
	return tag.n && !memchr(tag.p, ' ', tag.n) && !memchr(tag.p, '(', tag.n) &&
	       !memchr(tag.p, '\t', tag.n);
}

bool log_syslog_take(struct text line, struct log_line *ret)
{
	struct text host, tag;
	bool priority = one_of(&line, "<") && digits_take(&line, 1, 3) && one_of(&line, ">");
	bool newer = priority && scan_prefix(&line, "1 ");

	if (!time_take(&line) || !one_of(&line, " "))
		return false;
	if (newer)
		return rfc5424_take(line, ret);
	if (!word_take(&line, &host) || memchr(host.p, '(', host.n))
		return false;
	if (!scan_until(&line, ":", &tag) || !tag_sound(tag))
		return false;
	one_of(&line, " ");
	ret->source = tag;
	ret->text = line;
	return true;
}

bool log_name_take(struct text line, struct log_line *ret)
{
	struct text name;

	if (scan_prefix(&line, "[pod/")) {
		if (!scan_until(&line, "]", &name) || memchr(name.p, ' ', name.n))
			return false;
		one_of(&line, " ");
		ret->source = name;
		ret->text = line;
		return true;
	}
	if (!scan_until(&line, "|", &name))
		return false;
	while (name.n && name.p[name.n - 1] == ' ')
		name.n--;
	if (!tag_sound(name))
		return false;
	one_of(&line, " ");
	ret->source = name;
	ret->text = line;
	return true;
}

bool log_export_take(struct text line, struct log_line *ret)
{
	ret->text = line;
	return scan_prefix(&ret->text, "MESSAGE=");
}

bool log_indent_take(struct text line, struct log_line *ret)
{
	ret->text = line;
	while (one_of(&ret->text, " >|\t"))
		;
	return ret->text.n != line.n;
}

struct text log_shape_take(struct text line, struct text shape)
{
	while (shape.n) {
		if (line.n == 0)
			return (struct text){NULL, 0};
		if (!digit(shape.p[0])) {
			if (shape.p[0] != line.p[0])
				return (struct text){NULL, 0};
			scan_skip(&shape, 1);
			scan_skip(&line, 1);
		} else if (!digits_take(&shape, 1, SIZE_MAX) || !digits_take(&line, 1, SIZE_MAX)) {
			return (struct text){NULL, 0};
		}
	}
	return line;
}

/* Length of a terminal's escape sequence at the start of @a text. */
static size_t escape_length(struct text text)
{
	size_t n = 2;

	if (text.n < 2 || text.p[1] != '[')
		return text.n < 2 ? 1 : 2;
	while (n < text.n && (uint8_t)text.p[n] >= 0x20 && (uint8_t)text.p[n] < 0x40)
		n++;
	return n < text.n ? n + 1 : n;
}

/* rsyslog's name for a control character: "#" and three octal digits. */
static bool octal_take(struct text *text, char *ret)
{
	int value = 0;

	if (text->n < 4 || text->p[0] != '#' || text->p[1] != '0')
		return false;
	for (size_t i = 2; i < 4; i++) {
		if (text->p[i] < '0' || text->p[i] > '7')
			return false;
		value = value * 8 + (text->p[i] - '0');
	}
	if (value == 0 || value >= 0x20)
		return false;
	scan_skip(text, 4);
	*ret = (char)value;
	return true;
}

size_t log_scrub(struct text line, char *ret)
{
	struct text rest = line;
	size_t n = 0;
	char c;

	if (!line.n || (!memchr(line.p, ESCAPE, line.n) && !memchr(line.p, 0, line.n) &&
			!memmem(line.p, line.n, "#0", 2)))
		return line.n;
	while (rest.n) {
		if (octal_take(&rest, &c)) {
			if (c == ESCAPE) {
				struct text sequence = {rest.p - 1, rest.n + 1};

				scan_skip(&rest, escape_length(sequence) - 1);
			} else {
				ret[n++] = c;
			}
		} else if (rest.p[0] == ESCAPE) {
			scan_skip(&rest, escape_length(rest));
		} else {
			if (rest.p[0])
				ret[n++] = rest.p[0];
			scan_skip(&rest, 1);
		}
	}
	return n;
}
