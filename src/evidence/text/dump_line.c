// SPDX-License-Identifier: Apache-2.0
#include "evidence/text/dump_line.h"

#include "base/scan.h"
#include "base/utf8_put.h"
#include "evidence/text/dump.h"

static struct text before(struct text whole, const char *end)
{
	return (struct text){whole.p, (size_t)(end - whole.p)};
}

static struct text after(struct text whole, const char *start)
{
	return (struct text){start, (size_t)(whole.p + whole.n - start)};
}

static const char *find(struct text text, const char *wanted)
{
	return text.p && text.n ? memmem(text.p, text.n, wanted, strlen(wanted)) : NULL;
}

static bool digit(char c) { return c >= '0' && c <= '9'; }

/* What may follow a state's words, in brackets of its own. */
static const struct {
	const char *words;
	uint32_t flag;
} marks[] = {
	{" (scan)", DUMP_GOROUTINE_SCAN},
	{" (leaked)", DUMP_GOROUTINE_LEAKED},
	{" (durable)", DUMP_GOROUTINE_DURABLE},
};

static void header_state(struct text words, struct line_header *header)
{
	for (bool found = true; found;) {
		found = false;
		for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++)
			if (scan_suffix(&words, marks[i].words)) {
				header->flags |= marks[i].flag;
				found = true;
			}
	}
	header->state = words;
}

static void header_remark(struct text words, struct line_header *header)
{
	uint64_t number;

	if (text_is(words, "locked to thread")) {
		header->flags |= DUMP_GOROUTINE_LOCKED;
	} else if (text_starts(words, "synctest ")) {
		header->flags |= DUMP_GOROUTINE_BUBBLE;
	} else if (scan_decimal(&words, &number) && text_is(words, " minutes")) {
		header->minutes = number > UINT32_MAX ? UINT32_MAX : (uint32_t)number;
		header->flags |= DUMP_GOROUTINE_WAIT;
	}
}

/* Go 1.26 has labels within the brackets, behind everything else; 1.27 has them behind those. */
static bool header_brackets(struct text rest, struct line_header *header)
{
	const char *labels = memchr(rest.p, '{', rest.n) ? find(rest, " labels:{") : NULL;
	const char *close = memchr(rest.p, ']', rest.n);
	struct text words, word;

	if (!scan_suffix(&rest, ":"))
		return false;
	if (labels && close > labels) {
		header->labels = after(rest, labels + strlen(" labels:{"));
		words = before(rest, labels);
		if (!scan_suffix(&header->labels, "}]"))
			return false;
	} else {
		if (!close)
			return false;
		words = before(rest, close);
		rest = after(rest, close + 1);
		if (scan_prefix(&rest, " {") && scan_suffix(&rest, "}"))
			header->labels = rest;
		else if (rest.n)
			return false;
	}
	if (!scan_until(&words, ", ", &word)) {
		header_state(words, header);
		return true;
	}
	header_state(word, header);
	while (scan_until(&words, ", ", &word))
		header_remark(word, header);
	header_remark(words, header);
	return true;
}

bool line_header_parse(struct text line, struct line_header *ret)
{
	struct line_header header = {0};

	if (!scan_prefix(&line, "goroutine ") || !scan_decimal(&line, &header.id) ||
	    !scan_prefix(&line, " "))
		return false;
	if (text_starts(line, "gp=") && !scan_until(&line, " [", &header.thread))
		return false;
	if (!header.thread.n && !scan_prefix(&line, "["))
		return false;
	if (line.n == 0 || !header_brackets(line, &header))
		return false;
	*ret = header;
	return true;
}

/* Names have no spaces but those of a type's literal: "go.(*struct { sync.Mutex; n int }).Lock". */
static bool name_sound(struct text name)
{
	const char *space = memchr(name.p, ' ', name.n);

	if (name.n == 0 || name.p[0] == '\t' || name.p[0] == ' ')
		return false;
	if (!space)
		return true;
	name = before(name, space);
	return scan_suffix(&name, "struct") || scan_suffix(&name, "interface");
}

bool line_function_parse(struct text line, struct line_function *ret)
{
	const char *open;

	if (line.n < 3 || line.p[line.n - 1] != ')')
		return false;
	open = memrchr(line.p, '(', line.n); // arguments have no brackets of this kind
	if (!open)
		return false;
	ret->name = before(line, open);
	ret->arguments = after(line, open + 1);
	ret->arguments.n--;
	return name_sound(ret->name);
}

bool line_name_sound(struct text name)
{
	return (memchr(name.p, '.', name.n) && !memchr(name.p, ' ', name.n)) ||
	       text_is(name, "panic");
}

bool line_arguments_sound(struct text arguments)
{
	static const char allowed[] = "0123456789abcdefx{}, .?_";

	for (size_t i = 0; i < arguments.n; i++)
		if (!memchr(allowed, arguments.p[i], sizeof(allowed) - 1))
			return false;
	return true;
}

bool line_created_parse(struct text line, struct text *ret_name, uint64_t *ret_parent)
{
	struct text number;

	*ret_parent = 0;
	if (!scan_prefix(&line, "created by ") || line.n == 0)
		return false;
	*ret_name = line;
	while (ret_name->n && digit(ret_name->p[ret_name->n - 1]))
		ret_name->n--;
	number = after(line, ret_name->p + ret_name->n);
	if (!scan_suffix(ret_name, " in goroutine "))
		*ret_name = line;
	else if (!scan_decimal(&number, ret_parent) || number.n)
		return false;
	return name_sound(*ret_name);
}

struct text line_place_tail(struct text *line)
{
	static const char names[3][4] = {"pc=0", "sp=0", "fp=0"};
	struct text rest = *line;

	for (size_t i = 0; i < 3; i++) {
		const char *space = rest.n ? memrchr(rest.p, ' ', rest.n) : NULL;

		if (!space || rest.p + rest.n - space < 5 ||
		    memcmp(space + 1, names[i], sizeof(names[i])) != 0)
			return (struct text){line->p + line->n, 0};
		rest = before(rest, space);
	}
	rest = (struct text){rest.p + rest.n, line->n - rest.n};
	line->n -= rest.n;
	return rest;
}

/* The last word of a line, when it begins with @a prefix, as a number; it is dropped then. */
static bool last_number(struct text *line, const char *prefix, uint64_t *ret)
{
	const char *space = line->n ? memrchr(line->p, ' ', line->n) : NULL;
	struct text word = space ? after(*line, space + 1) : *line;

	if (!scan_prefix(&word, prefix) || !scan_address(&word, ret) || word.n)
		return false;
	line->n = space ? (size_t)(space - line->p) : 0;
	return true;
}

bool line_place_parse(struct text line, struct line_place *ret)
{
	struct line_place place = {0};
	uint64_t number = 0;
	struct text digits;
	const char *colon;

	place.foreign = last_number(&line, "pc=", &place.pc);
	if (place.foreign && line.n == 0) {
		*ret = place;
		return true;
	}
	place.has_offset = !place.foreign && last_number(&line, "+", &number);
	if (number > UINT32_MAX)
		return false;
	place.offset = (uint32_t)number;
	colon = line.p && line.n ? memrchr(line.p, ':', line.n) : NULL;
	if (!colon || colon == line.p)
		return false;
	digits = after(line, colon + 1);
	if (!scan_decimal(&digits, &number) || digits.n || number > UINT32_MAX)
		return false;
	place.line = (uint32_t)number;
	place.file = before(line, colon);
	*ret = place;
	return true;
}

void line_tail_parse(struct text tail, uint64_t *ret_fp, uint64_t *ret_sp, uint64_t *ret_pc)
{
	*ret_fp = *ret_sp = *ret_pc = 0;
	if (!last_number(&tail, "pc=", ret_pc) || !last_number(&tail, "sp=", ret_sp))
		return;
	last_number(&tail, "fp=", ret_fp);
}

bool line_elided_parse(struct text line, uint32_t *ret_count)
{
	uint64_t number = 0;

	if (!scan_prefix(&line, "...") || !scan_suffix(&line, " frames elided..."))
		return false;
	if (!text_is(line, "additional") && (!scan_decimal(&line, &number) || line.n))
		return false;
	*ret_count = number > UINT32_MAX ? UINT32_MAX : (uint32_t)number;
	return true;
}

bool line_ancestor_parse(struct text line, uint64_t *ret_id)
{
	return scan_prefix(&line, "[originating from goroutine ") && scan_decimal(&line, ret_id) &&
	       text_is(line, "]:");
}

#define SIGNAL_NAME_MIN 6 /* SIGHUP */
#define SIGNAL_NAME_MAX 9 /* SIGVTALRM */

bool line_signal_parse(struct text line)
{
	size_t n = 0;

	if (!text_starts(line, "SIG"))
		return false;
	while (n < line.n &&
	       ((line.p[n] >= 'A' && line.p[n] <= 'Z') || (line.p[n] >= '0' && line.p[n] <= '9')))
		n++;
	return n >= SIGNAL_NAME_MIN && n <= SIGNAL_NAME_MAX && line.n > n + 2 && line.p[n] == ':' &&
	       line.p[n + 1] == ' ';
}

bool line_signal_pc_parse(struct text line, uint64_t *ret_pc, int64_t *ret_code,
			  uint64_t *ret_address)
{
	uint64_t number;

	if (!scan_prefix(&line, "PC=") || !scan_address(&line, ret_pc) ||
	    !scan_prefix(&line, " m=") || !scan_decimal(&line, &number))
		return false;
	if (scan_prefix(&line, " sigcode=") && scan_decimal(&line, &number))
		*ret_code = (int64_t)number;
	if (scan_prefix(&line, " addr="))
		scan_address(&line, ret_address);
	return true;
}

void line_signal_note_parse(struct text line, uint64_t *ret_pc, int64_t *ret_code,
			    uint64_t *ret_address)
{
	struct text word;
	uint64_t code;

	if (scan_until(&line, " code=", &word) && scan_address(&line, &code))
		*ret_code = (int64_t)code;
	if (scan_prefix(&line, " addr="))
		scan_address(&line, ret_address);
	if (scan_prefix(&line, " pc="))
		scan_address(&line, ret_pc);
}

#define REGISTER_NAME_MAX 8 /* "rflags", "fault" */

bool line_register(struct text line)
{
	uint64_t value;
	size_t n = 0;

	while (n < line.n &&
	       ((line.p[n] >= 'a' && line.p[n] <= 'z') || (line.p[n] >= '0' && line.p[n] <= '9')))
		n++;
	if (n < 2 || n > REGISTER_NAME_MAX || n == line.n || line.p[n] != ' ')
		return false;
	scan_skip(&line, n);
	while (scan_prefix(&line, " "))
		;
	return scan_address(&line, &value) && line.n == 0;
}

/* One escape behind its backslash; an escape is never shorter than what it stands for. */
static size_t escape_take(struct text *text, char *to)
{
	static const struct {
		char letter;
		uint8_t digits;
		char plain;
	} escapes[] = {{'n', 0, '\n'}, {'r', 0, '\r'}, {'t', 0, '\t'},
		       {'x', 2, 0},    {'u', 4, 0},    {'U', 8, 0}};
	char letter = text->p[0];
	struct text digits;
	uint64_t value;

	scan_skip(text, 1);
	for (size_t i = 0; i < sizeof(escapes) / sizeof(*escapes); i++) {
		if (escapes[i].letter != letter)
			continue;
		if (escapes[i].digits == 0)
			return utf8_put(to, (uint8_t)escapes[i].plain);
		digits = (struct text){text->p, escapes[i].digits};
		if (text->n < digits.n || !scan_hex(&digits, &value) || digits.n)
			break;
		scan_skip(text, escapes[i].digits);
		return utf8_put(to, value);
	}
	return utf8_put(to, (uint8_t)letter);
}

/* A key or value, in quotes or plain, with LINE_LABEL_END behind it. */
static size_t label_word(struct text *text, const char *plain_end, char *to)
{
	size_t n = 0;

	if (!scan_prefix(text, "\"")) {
		while (text->n && !text_starts(*text, plain_end)) {
			to[n++] = text->p[0];
			scan_skip(text, 1);
		}
		return n;
	}
	while (text->n && text->p[0] != '"') {
		if (scan_prefix(text, "\\") && text->n) {
			n += escape_take(text, to + n);
		} else if (text->n) {
			to[n++] = text->p[0];
			scan_skip(text, 1);
		}
	}
	scan_prefix(text, "\"");
	return n;
}

static size_t label_end(char *word, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (word[i] == *LINE_LABEL_END)
			word[i] = ' ';
	word[n] = *LINE_LABEL_END;
	return n + 1;
}

size_t line_labels_decode(struct text labels, char *ret)
{
	size_t n = 0;

	while (labels.n) {
		n += label_end(ret + n, label_word(&labels, ":", ret + n));
		if (!scan_prefix(&labels, ":"))
			return n + label_end(ret + n, 0);
		scan_prefix(&labels, " ");
		n += label_end(ret + n, label_word(&labels, ", ", ret + n));
		if (!scan_prefix(&labels, ","))
			break;
		scan_prefix(&labels, " ");
	}
	return n;
}

bool line_begins_dump(struct text line)
{
	static const char *const words[] = {"fatal error: ",
					    "panic: ",
					    "[originating from goroutine ",
					    "runtime stack:",
					    "goroutine profile: total ",
					    "WARNING: DATA RACE"};
	struct line_function function;
	struct line_header header;

	if (line.n == 0)
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (text_starts(line, words[i]))
			return true;
	if (line_header_parse(line, &header) || line_signal_parse(line))
		return true;
	return line_function_parse(line, &function) && line_name_sound(function.name) &&
	       line_arguments_sound(function.arguments);
}
