// SPDX-License-Identifier: Apache-2.0
#include "evidence/text/unmangle.h"

#include "base/scan.h"
#include "evidence/text/json_line.h"
#include "evidence/text/log_prefix.h"

#include <glib.h>

#define LAYERS_MAX      4 /* wrappings around each other: kubectl around a container's around JSON */
#define SHAPE_BYTES_MAX 256 /* of a prefix of unknown form */
#define PARTS_MAX       64  /* writers whose line is cut at the moment */
#define LOGFMT_NAME_MAX 16

enum wrapping {
	WRAPPING_JSON,
	WRAPPING_CRI,
	WRAPPING_SYSLOG,
	WRAPPING_NAME,
	WRAPPING_TIME,
	WRAPPING_EXPORT,
	WRAPPING_LOGFMT,
	WRAPPING_INDENT,
	WRAPPING_SHAPE, /**< a prefix of unknown form; the last resort */
	WRAPPINGS,
};

/** The wrappings of a text, outermost first. */
struct chain {
	enum wrapping layer[LAYERS_MAX];
	unsigned count;
};

/** What is left of a line, and the room that its layers decoded into. */
struct unwrapped {
	struct text text, source;
	bool partial;
};

struct unmangle {
	unmangle_begins *begins;
	unmangle_take *take;
	void *context;
	size_t limit;
	struct chain chain;
	GString *shape;
	GString *decoded[LAYERS_MAX]; /**< one layer's text each */
	GString *names[LAYERS_MAX];
	GString *scrubbed;
	GHashTable *parts; /**< source → GString of a line that is not complete */
};

struct unmangle *unmangle_new(unmangle_begins *begins, unmangle_take *take, void *context,
			      size_t limit)
{
	struct unmangle *u = g_new0(struct unmangle, 1);

	u->begins = begins;
	u->take = take;
	u->context = context;
	u->limit = limit;
	u->shape = g_string_new(NULL);
	u->scrubbed = g_string_new(NULL);
	for (size_t i = 0; i < LAYERS_MAX; i++) {
		u->decoded[i] = g_string_new(NULL);
		u->names[i] = g_string_new(NULL);
	}
	return u;
}

static void string_free(gpointer string) { g_string_free(string, TRUE); }

void unmangle_free(struct unmangle *u)
{
	g_string_free(u->shape, TRUE);
	g_string_free(u->scrubbed, TRUE);
	for (size_t i = 0; i < LAYERS_MAX; i++) {
		g_string_free(u->decoded[i], TRUE);
		g_string_free(u->names[i], TRUE);
	}
	if (u->parts)
		g_hash_table_destroy(u->parts);
	g_free(u);
}

bool unmangle_is_plain(const struct unmangle *u) { return u->chain.count == 0; }

/* Records of JSON and logfmt */

/* Members that hold what a program wrote, and those that say which program. */
static const char *const text_keys[] = {
	"log",        "message", "msg",         "MESSAGE", "textPayload", "content",   "line",
	"stacktrace", "stack",   "stack_trace", "error",   "err",         "exception", "body",
	"event",      "text",    "trace",       "panic",   "@message"};
static const char *const name_keys[] = {
	"_SYSTEMD_UNIT", "_PID", "SYSLOG_IDENTIFIER", "pod_name", "container_name", "pod",
	"container",     "pid",  "instance",          "hostname", "container_id"};

static bool key_among(struct text key, const char *const *keys, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (text_is(key, keys[i]))
			return true;
	return false;
}

struct record {
	GString *text, *name;
};

static void member_visit(struct text key, enum json_value kind, struct text raw, void *context)
{
	struct record *record = context;
	size_t before = record->text->len;

	if (key_among(key, text_keys, G_N_ELEMENTS(text_keys))) {
		if (before && record->text->str[before - 1] != '\n')
			g_string_append_c(record->text, '\n');
		before = record->text->len;
		g_string_set_size(record->text, before + raw.n);
		g_string_set_size(record->text,
				  before + json_line_decode(kind, raw, record->text->str + before));
	} else if (key_among(key, name_keys, G_N_ELEMENTS(name_keys))) {
		if (record->name->len)
			g_string_append_c(record->name, '/');
		g_string_append_len(record->name, raw.p, (gssize)raw.n);
	}
}

static struct text string_text(const GString *string)
{
	return (struct text){string->str, string->len};
}

static bool record_end(const struct record *record, struct log_line *ret)
{
	ret->text = string_text(record->text);
	ret->source = string_text(record->name);
	return true;
}

static bool json_take(struct text line, struct record *record, struct log_line *ret)
{
	if (!line.n || line.p[0] != '{' || !json_line_strings(line, member_visit, record))
		return false;
	record_end(record, ret);
	// docker's json-file driver cuts at 16 KiB, and only the last part ends in a newline
	ret->partial = text_starts(line, "{\"log\":\"") && ret->text.n &&
		       ret->text.p[ret->text.n - 1] != '\n';
	return true;
}

/* A value in quotes; the first one was passed. */
static struct text quoted_take(struct text *rest)
{
	struct text raw = {rest->p, 0};

	while (raw.n < rest->n && rest->p[raw.n] != '"')
		raw.n += rest->p[raw.n] == '\\' && raw.n + 1 < rest->n ? 2 : 1;
	scan_skip(rest, raw.n);
	return raw;
}

/* key="quoted", one after the other: time=… level=error msg="goroutine 1 [running]:\n…" */
static bool logfmt_take(struct text line, struct record *record, struct log_line *ret)
{
	struct text key, start = line;

	if (!memmem(line.p, line.n, "=\"", 2))
		return false;
	while (scan_until(&line, "=\"", &key)) {
		const char *blank = memrchr(key.p, ' ', key.n);

		if (blank) {
			key.n -= (size_t)(blank + 1 - key.p);
			key.p = blank + 1;
		}
		if (key.n == 0 || key.n > LOGFMT_NAME_MAX)
			return false;
		member_visit(key, JSON_STRING, quoted_take(&line), record);
	}
	return start.n && record->text->len && record_end(record, ret);
}

/* Layers */

static bool shape_take(const struct unmangle *u, struct text line, struct log_line *ret)
{
	ret->text = log_shape_take(line, string_text(u->shape));
	return ret->text.p && u->shape->len;
}

static bool layer_take(const struct unmangle *u, enum wrapping wrapping, unsigned depth,
		       struct text line, struct log_line *ret)
{
	static bool (*const plain[WRAPPINGS])(struct text, struct log_line *) = {
		[WRAPPING_CRI] = log_cri_take,       [WRAPPING_SYSLOG] = log_syslog_take,
		[WRAPPING_NAME] = log_name_take,     [WRAPPING_TIME] = log_time_take,
		[WRAPPING_EXPORT] = log_export_take, [WRAPPING_INDENT] = log_indent_take,
	};
	struct record record = {u->decoded[depth], u->names[depth]};

	*ret = (struct log_line){0};
	if (plain[wrapping])
		return plain[wrapping](line, ret);
	if (wrapping == WRAPPING_SHAPE)
		return shape_take(u, line, ret);
	g_string_truncate(record.text, 0);
	g_string_truncate(record.name, 0);
	if (wrapping == WRAPPING_JSON)
		return json_take(line, &record, ret);
	return logfmt_take(line, &record, ret);
}

static bool chain_take(const struct unmangle *u, const struct chain *chain, struct text line,
		       struct unwrapped *ret)
{
	struct log_line layer;

	*ret = (struct unwrapped){.text = line, .source = {"", 0}};
	for (unsigned i = 0; i < chain->count; i++) {
		if (!layer_take(u, chain->layer[i], i, ret->text, &layer))
			return false;
		ret->text = layer.text;
		ret->partial |= layer.partial;
		if (layer.source.n)
			ret->source = layer.source;
	}
	return true;
}

/** Does any line of the text begin a dump? */
static bool text_begins(const struct unmangle *u, struct text text)
{
	struct text line;

	while (scan_until(&text, "\n", &line))
		if (u->begins(line))
			return true;
	return u->begins(text);
}

/* Where a dump's first words stand in a line whose beginning nobody knows. */
static bool shape_learn(struct unmangle *u, struct text line)
{
	static const char *const words[] = {
		"goroutine ", "fatal error: ", "panic: ", "SIGQUIT: ", "WARNING: DATA RACE"};
	size_t best = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
		const char *at = memmem(line.p, line.n, words[i], strlen(words[i]));
		size_t n = at ? (size_t)(at - line.p) : 0;

		if (n && n <= SHAPE_BYTES_MAX && (!best || n < best) && !g_ascii_isalnum(at[-1]) &&
		    at[-1] != '"' && u->begins((struct text){at, line.n - n}))
			best = n;
	}
	g_string_truncate(u->shape, 0);
	g_string_append_len(u->shape, line.p, (gssize)best);
	return best > 0;
}

/** Can the line be wrapped like that? What the wrapping leaves of it goes to @a ret. */
static bool layer_fits(const struct unmangle *u, enum wrapping wrapping, unsigned depth,
		       struct text line, struct text *ret)
{
	struct log_line layer;

	if (!layer_take(u, wrapping, depth, line, &layer))
		return false;
	*ret = layer.text;
	// calls alone stand indented in the race detector's reports, too
	return wrapping != WRAPPING_INDENT || !layer.text.n ||
	       layer.text.p[layer.text.n - 1] != ')';
}

/**
 * The layer below which a dump begins. Of several the one that leaves most: behind a time, "fatal error: fatal error: …"
 * of two goroutines that died at once is no host and its program.
 */
static bool last_layer_find(const struct unmangle *u, struct text line, struct chain *chain)
{
	size_t most = 0;
	struct text rest;

	for (enum wrapping wrapping = 0; wrapping < WRAPPING_SHAPE; wrapping++) {
		if (!layer_fits(u, wrapping, chain->count, line, &rest) || rest.n <= most ||
		    !text_begins(u, rest))
			continue;
		most = rest.n;
		chain->layer[chain->count] = wrapping;
	}
	chain->count += most > 0;
	return most > 0;
}

/** Tries every layer on what the layers before left. @a chain holds those. */
static bool chain_find(struct unmangle *u, struct text line, struct chain *chain)
{
	struct text rest;

	if (chain->count == LAYERS_MAX)
		return false;
	if (last_layer_find(u, line, chain))
		return true;
	for (enum wrapping wrapping = 0; wrapping < WRAPPING_SHAPE; wrapping++) {
		if (!layer_fits(u, wrapping, chain->count, line, &rest))
			continue;
		chain->layer[chain->count++] = wrapping;
		if (chain_find(u, rest, chain))
			return true;
		chain->count--;
	}
	if (chain->count || !shape_learn(u, line))
		return false;
	chain->layer[chain->count++] = WRAPPING_SHAPE;
	return true;
}

/* Handing over */

static struct text scrub(const struct unmangle *u, struct text line)
{
	size_t n;

	g_string_set_size(u->scrubbed, line.n);
	n = log_scrub(line, u->scrubbed->str);
	return n == line.n ? line : (struct text){u->scrubbed->str, n};
}

static bool hand_over(const struct unmangle *u, struct text text, struct text source)
{
	bool taken = false;
	struct text line;

	if (text.n && text.p[text.n - 1] == '\n')
		text.n--;
	while (scan_until(&text, "\n", &line)) {
		scan_suffix(&line, "\r");
		taken |= u->take(line, source, u->context);
	}
	return u->take(text, source, u->context) || taken;
}

/** Joins the parts of a line; false when more are to come. */
static bool parts_join(struct unmangle *u, const struct unwrapped *piece, struct text *ret)
{
	g_autofree char *key = g_strndup(piece->source.p, piece->source.n);
	GString *held = u->parts ? g_hash_table_lookup(u->parts, key) : NULL;

	if (piece->partial && !held) {
		if (!u->parts)
			u->parts =
				g_hash_table_new_full(g_str_hash, g_str_equal, g_free, string_free);
		if (g_hash_table_size(u->parts) >= PARTS_MAX)
			g_hash_table_remove_all(u->parts);
		held = g_string_new(NULL);
		g_hash_table_insert(u->parts, g_steal_pointer(&key), held);
	}
	if (held->len < u->limit)
		g_string_append_len(held, piece->text.p, (gssize)piece->text.n);
	*ret = string_text(held);
	return !piece->partial;
}

static bool unwrapped_take(struct unmangle *u, const struct unwrapped *piece)
{
	bool waits = u->parts && g_hash_table_size(u->parts);
	g_autofree char *key = NULL;
	struct text text;
	bool taken;

	if (piece->partial || waits)
		key = g_strndup(piece->source.p, piece->source.n);
	if (!piece->partial && (!waits || !g_hash_table_contains(u->parts, key)))
		return hand_over(u, piece->text, piece->source);
	if (!parts_join(u, piece, &text))
		return true;
	taken = hand_over(u, text, piece->source);
	g_hash_table_remove(u->parts, key);
	return taken;
}

bool unmangle_line(struct unmangle *u, struct text line)
{
	struct unwrapped piece;
	struct chain found = {0};
	struct text clean = scrub(u, line);

	if (u->chain.count == 0) {
		if (clean.p != line.p && hand_over(u, clean, (struct text){"", 0}))
			return true;
	} else if (chain_take(u, &u->chain, clean, &piece) && unwrapped_take(u, &piece)) {
		return true;
	}
	if (!chain_find(u, clean, &found) && (u->chain.count == 0 || !u->begins(clean)))
		return false;
	u->chain = found;
	return chain_take(u, &u->chain, clean, &piece) && unwrapped_take(u, &piece);
}

static void part_hand_over(gpointer key, gpointer value, gpointer context)
{
	hand_over(context, string_text(value), text_of(key));
}

void unmangle_end(struct unmangle *u)
{
	if (u->parts)
		g_hash_table_foreach(u->parts, part_hand_over, u);
}
