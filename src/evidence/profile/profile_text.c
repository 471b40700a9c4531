// SPDX-License-Identifier: Apache-2.0
// The text forms (`debug=1`): a first line that says what it is, then records of one line with raw
// return addresses, each followed by lines of "#" that name what of its stack the runtime shows.
// Values are scaled as runtime/pprof/protomem.go and pprof's reader of this form do it, so that a
// series may mix forms.
#include "evidence/profile/profile_build.h"

#include "base/limits.h"

#include <math.h>

struct reader {
	struct profile_build *build;
	struct text rest;      /* lines not read yet */
	GHashTable *locations; /* address → index + 1 */
	GHashTable *functions; /* struct text of the name → index + 1 */
	uint32_t record_lines; /* build->line's length when the record began */
	double cycles_per_ns;  /* of a contention profile */
	int64_t stated, found; /* the first line's total, and the records' */
};

static const struct {
	const char *start;
	enum profile_kind kind;
	const char *types[4][2];
	const char *period[2];
} forms[] = {
	{"heap profile: ",
	 PROFILE_HEAP,
	 {{"alloc_objects", "count"},
	  {"alloc_space", "bytes"},
	  {"inuse_objects", "count"},
	  {"inuse_space", "bytes"}},
	 {"space", "bytes"}},
	{"goroutine profile: total ",
	 PROFILE_GOROUTINE,
	 {{"goroutine", "count"}},
	 {"goroutine", "count"}},
	{"goroutineleak profile: total ",
	 PROFILE_GOROUTINE_LEAK,
	 {{"goroutineleak", "count"}},
	 {"goroutineleak", "count"}},
	{"threadcreate profile: total ",
	 PROFILE_THREAD_CREATE,
	 {{"threadcreate", "count"}},
	 {"threadcreate", "count"}},
	{"--- contention:",
	 PROFILE_CONTENTION,
	 {{"contentions", "count"}, {"delay", "nanoseconds"}},
	 {"contentions", "count"}},
	{"--- mutex:",
	 PROFILE_CONTENTION,
	 {{"contentions", "count"}, {"delay", "nanoseconds"}},
	 {"contentions", "count"}},
};

static size_t form_of(struct text text)
{
	size_t i = 0;

	while (i < G_N_ELEMENTS(forms) && !text_starts(text, forms[i].start))
		i++;
	return i;
}

bool profile_is_text(struct text text, enum profile_kind *ret_kind)
{
	size_t form = form_of(text);

	if (form == G_N_ELEMENTS(forms))
		return false;
	*ret_kind = forms[form].kind;
	return true;
}

static struct place place_of(const struct reader *in, struct text at)
{
	return (struct place){in->build->profile.path, (uint64_t)(at.p - in->build->bytes.p)};
}

static struct error *malformed(const struct reader *in, struct text at, const char *what)
{
	return error_new(ERROR_MALFORMED, place_of(in, at), "%s", what);
}

/* The next line without its end; false at the end of the text. */
static bool next_line(struct reader *in, struct text *ret)
{
	const char *end;

	if (in->rest.n == 0)
		return false;
	end = memchr(in->rest.p, '\n', in->rest.n);
	*ret = (struct text){in->rest.p, end ? (size_t)(end - in->rest.p) : in->rest.n};
	in->rest.p += ret->n + (end != NULL);
	in->rest.n -= ret->n + (end != NULL);
	while (ret->n && (ret->p[ret->n - 1] == '\r' || ret->p[ret->n - 1] == ' '))
		ret->n--;
	return true;
}

static void skip(struct text *at, const char *these)
{
	while (at->n && strchr(these, *at->p) && *at->p) {
		at->p++;
		at->n--;
	}
}

/* A decimal number that fits; negative ones too. */
static bool take_number(struct text *at, int64_t *ret)
{
	bool negative = at->n > 1 && *at->p == '-';
	size_t i = negative, digits = 0;
	int64_t value = 0;

	for (; i < at->n && g_ascii_isdigit(at->p[i]); i++, digits++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, at->p[i] - '0', &value))
			return false;
	if (!digits)
		return false;
	at->p += i;
	at->n -= i;
	*ret = negative ? -value : value;
	return true;
}

static bool take_address(struct text *at, uint64_t *ret)
{
	size_t i = 2;
	uint64_t value = 0;

	if (!text_starts(*at, "0x"))
		return false;
	for (; i < at->n && g_ascii_isxdigit(at->p[i]); i++) {
		if (value >> 60)
			return false;
		value = value << 4 | (uint64_t)g_ascii_xdigit_value(at->p[i]);
	}
	if (i == 2)
		return false;
	at->p += i;
	at->n -= i;
	*ret = value;
	return true;
}

static uint32_t location_of(struct reader *in, uint64_t address)
{
	struct profile_location location = {
		.id = in->build->location->len + 1u, .address = address, .mapping = PROFILE_NONE};
	gpointer key = GSIZE_TO_POINTER(address);
	size_t found = GPOINTER_TO_SIZE(g_hash_table_lookup(in->locations, key));

	if (found)
		return (uint32_t)found - 1;
	g_array_append_val(in->build->location, location);
	g_hash_table_insert(in->locations, key, GSIZE_TO_POINTER((size_t)location.id));
	return (uint32_t)location.id - 1;
}

static guint text_hash(gconstpointer pointer)
{
	const struct text *text = pointer;
	guint hash = 5381;

	for (size_t i = 0; i < text->n; i++)
		hash = hash * 33 + (guint8)text->p[i];
	return hash;
}

static gboolean text_same(gconstpointer a, gconstpointer b)
{
	return text_equal(*(const struct text *)a, *(const struct text *)b);
}

static uint32_t function_of(struct reader *in, struct text name, struct text file)
{
	struct profile_function function = {in->build->function->len + 1u, name, name, file, 0};
	size_t found = GPOINTER_TO_SIZE(g_hash_table_lookup(in->functions, &name));
	struct text *key;

	if (found)
		return (uint32_t)found - 1;
	key = arena_copy(in->build->arena, &name, sizeof(name));
	g_array_append_val(in->build->function, function);
	g_hash_table_insert(in->functions, key, GSIZE_TO_POINTER((size_t)function.id));
	return (uint32_t)function.id - 1;
}

/* "@ 0x4a2b31 0x4a2c11": the rest of a record. */
static struct error *take_stack(struct reader *in, struct text *at, struct profile_sample *sample)
{
	uint64_t address;

	skip(at, " ");
	if (!text_take(at, "@"))
		return malformed(in, *at, "a record has no @ before its stack");
	for (skip(at, " "); at->n; skip(at, " ")) {
		uint32_t location;

		if (!take_address(at, &address))
			return malformed(in, *at, "an address of a stack is no number");
		if (sample->location_count == LIMIT_FRAMES)
			return error_new(ERROR_LIMIT, place_of(in, *at),
					 "a stack is deeper than %d frames", LIMIT_FRAMES);
		location = location_of(in, address - 1);
		g_array_append_val(in->build->locations, location);
		sample->location_count++;
	}
	return NULL;
}

/* "main.put+0x51\t\t/src/main.go:17" after the address. */
static void add_line(struct reader *in, struct profile_location *location, struct text at)
{
	const char *tab = at.n ? memchr(at.p, '\t', at.n) : NULL;
	struct text symbol = {at.p, tab ? (size_t)(tab - at.p) : at.n}, offset_text, file = {"", 0};
	struct profile_line line = {0};
	const char *plus = memrchr(symbol.p, '+', symbol.n), *colon;
	uint64_t offset;

	if (!plus)
		return;
	offset_text = (struct text){plus + 1, symbol.n - (size_t)(plus + 1 - symbol.p)};
	symbol.n = (size_t)(plus - symbol.p);
	if (!take_address(&offset_text, &offset))
		return;
	at.n -= tab ? (size_t)(tab - at.p) : at.n;
	at.p = tab ? tab : at.p;
	skip(&at, "\t ");
	colon = at.n ? memrchr(at.p, ':', at.n) : NULL;
	if (colon) {
		struct text number = {colon + 1, at.n - (size_t)(colon + 1 - at.p)};

		file = (struct text){at.p, (size_t)(colon - at.p)};
		take_number(&number, &line.line);
	}
	line.function = function_of(in, symbol, file);
	if (location->line_count == 0) {
		location->first_line = in->build->line->len;
		location->entry = offset <= location->address ? location->address - offset : 0;
	}
	g_array_append_val(in->build->line, line);
	location->line_count++;
}

/*
 * "#\t0x4a2b30\tmain.put+0x50\t\t/src/main.go:17": a frame of the record above. Frames of one
 * address that stand one below the other are inlined into each other, unless they are equal: then
 * the function called itself.
 */
static void take_comment(struct reader *in, struct text line)
{
	GArray *lines = in->build->line;
	struct profile_location *location;
	uint64_t address;
	guint before;

	text_take(&line, "#");
	skip(&line, "\t ");
	if (!take_address(&line, &address) ||
	    !g_hash_table_contains(in->locations, GSIZE_TO_POINTER(address)))
		return;
	location = &g_array_index(in->build->location, struct profile_location,
				  location_of(in, address));
	if (location->line_count && (location->first_line < in->record_lines ||
				     location->first_line + location->line_count != lines->len))
		return;
	skip(&line, "\t ");
	before = lines->len;
	add_line(in, location, line);
	if (lines->len > before && location->line_count > 1 &&
	    memcmp(&g_array_index(lines, struct profile_line, before),
		   &g_array_index(lines, struct profile_line, location->first_line),
		   sizeof(struct profile_line)) == 0) {
		g_array_set_size(lines, before);
		location->line_count--;
	}
}

/* One string as strconv.Quote writes it; its escapes undone. */
static bool take_quoted(struct reader *in, struct text *at, struct text *ret)
{
	size_t n = 1;
	g_autofree char *copy = NULL, *plain = NULL;

	if (!at->n || *at->p != '"')
		return false;
	while (n < at->n && at->p[n] != '"')
		n += at->p[n] == '\\' ? 2 : 1;
	if (n >= at->n)
		return false;
	*ret = (struct text){at->p + 1, n - 1};
	at->p += n + 1;
	at->n -= n + 1;
	if (!memchr(ret->p, '\\', ret->n))
		return true;
	copy = g_strndup(ret->p, ret->n);
	plain = g_strcompress(copy);
	*ret = text_of(arena_string(in->build->arena, text_of(plain)));
	return true;
}

/* # labels: {"key":"value", "key2":"value2"} (runtime/pprof/label.go, labelMap.String) */
static void take_labels(struct reader *in, struct text line)
{
	GArray *samples = in->build->samples;
	struct profile_sample *sample;

	if (!samples->len || !text_take(&line, "# labels: {"))
		return;
	sample = &g_array_index(samples, struct profile_sample, samples->len - 1);
	while (line.n) {
		struct profile_label label = {{"", 0}, {"", 0}, 0, {"", 0}};

		if (!take_quoted(in, &line, &label.key) || !text_take(&line, ":") ||
		    !take_quoted(in, &line, &label.value))
			return;
		g_array_append_val(in->build->labels, label);
		sample->label_count++;
		skip(&line, ", ");
	}
}

static struct error *value_of(struct reader *in, struct text *at, int64_t *ret)
{
	skip(at, " ");
	if (!take_number(at, ret))
		return malformed(in, *at, "a value of a record is no number");
	return NULL;
}

/* Undoes the sampling (scaleHeapSample, runtime/pprof/protomem.go). */
static void scale(int64_t rate, int64_t *count, int64_t *bytes)
{
	double factor;

	if (*count == 0 || *bytes == 0) {
		*count = *bytes = 0;
		return;
	}
	if (rate <= 1)
		return;
	factor = 1 / (1 - exp(-((double)*bytes / (double)*count) / (double)rate));
	*count = (int64_t)CLAMP((double)*count * factor, -9e18, 9e18);
	*bytes = (int64_t)CLAMP((double)*bytes * factor, -9e18, 9e18);
}

/* "1: 32 [3: 96] @ 0x...": in use, and ever allocated. */
static struct error *heap_values(struct reader *in, struct text *at, int64_t ret[4])
{
	TRY(value_of(in, at, &ret[2]));
	text_take(at, ":");
	TRY(value_of(in, at, &ret[3]));
	skip(at, " ");
	if (!text_take(at, "["))
		return malformed(in, *at, "a record has no [ before what it allocated");
	TRY(value_of(in, at, &ret[0]));
	text_take(at, ":");
	TRY(value_of(in, at, &ret[1]));
	if (!text_take(at, "]"))
		return malformed(in, *at, "a record has no ] after what it allocated");
	return NULL;
}

static struct error *heap_record(struct reader *in, struct text *at, struct profile_sample *sample)
{
	struct profile_label label = {text_of("bytes"), {"", 0}, 0, {"", 0}};
	int64_t values[4];

	TRY(heap_values(in, at, values));
	if (__builtin_add_overflow(in->found, values[2], &in->found))
		in->found = INT64_MAX;
	if (values[0] > 0)
		label.number = values[1] / values[0];
	scale(in->build->profile.period, &values[0], &values[1]);
	scale(in->build->profile.period, &values[2], &values[3]);
	g_array_append_vals(in->build->values, values, 4);
	if (label.number) {
		g_array_append_val(in->build->labels, label);
		sample->label_count = 1;
	}
	return NULL;
}

/* "1234567 8 @ 0x...": cycles waited, times. */
static struct error *contention_record(struct reader *in, struct text *at)
{
	int64_t cycles, values[2];
	double ns;

	TRY(value_of(in, at, &cycles));
	TRY(value_of(in, at, &values[0]));
	ns = (double)cycles * (double)in->build->profile.period;
	if (in->cycles_per_ns > 0)
		ns /= in->cycles_per_ns;
	values[1] = (int64_t)CLAMP(ns, -9e18, 9e18);
	if (__builtin_mul_overflow(values[0], in->build->profile.period, &values[0]))
		values[0] = INT64_MAX;
	g_array_append_vals(in->build->values, values, 2);
	return NULL;
}

static struct error *count_record(struct reader *in, struct text *at)
{
	int64_t count;

	TRY(value_of(in, at, &count));
	if (__builtin_add_overflow(in->found, count, &in->found))
		in->found = INT64_MAX;
	g_array_append_val(in->build->values, count);
	return NULL;
}

static struct error *take_record(struct reader *in, struct text line)
{
	struct profile_build *build = in->build;
	struct profile_sample sample = {.first_location = build->locations->len,
					.value_count = build->types->len,
					.first_label = build->labels->len};

	in->record_lines = build->line->len;
	if (build->profile.kind == PROFILE_HEAP)
		TRY(heap_record(in, &line, &sample));
	else if (build->profile.kind == PROFILE_CONTENTION)
		TRY(contention_record(in, &line));
	else
		TRY(count_record(in, &line));
	TRY(take_stack(in, &line, &sample));
	g_array_append_val(build->samples, sample);
	return NULL;
}

/* "cycles/second=2000000000" and "sampling period=5" stand before a contention profile's records.
 */
static bool take_setting(struct reader *in, struct text line)
{
	int64_t number;

	if (text_take(&line, "cycles/second=") && take_number(&line, &number))
		in->cycles_per_ns = (double)number / 1e9;
	else if (text_take(&line, "sampling period=") && take_number(&line, &number))
		in->build->profile.period = number;
	else
		return false;
	return true;
}

/* "heap profile: 1: 32 [3: 96] @ heap/1048576": the rate stands there twice over. */
static struct error *heap_header(struct reader *in, struct text line)
{
	const char *slash = memrchr(line.p, '/', line.n);
	struct text rate;
	int64_t values[4], number;

	text_take(&line, forms[0].start);
	TRY(heap_values(in, &line, values));
	in->stated = values[2];
	if (!slash)
		return malformed(in, line, "a heap profile does not say its rate");
	rate = (struct text){slash + 1, (size_t)(line.p + line.n - slash - 1)};
	if (!take_number(&rate, &number))
		return malformed(in, rate, "the rate of a heap profile is no number");
	in->build->profile.period = number / 2;
	return NULL;
}

static struct error *take_header(struct reader *in)
{
	struct text line = {"", 0};
	size_t form;

	next_line(in, &line);
	form = form_of(line);
	if (form == G_N_ELEMENTS(forms)) /* only blanks after the words */
		return malformed(in, line, "the first line of the profile is cut off");
	for (size_t i = 0; i < 4 && forms[form].types[i][0]; i++) {
		struct profile_value_type type = {text_of(forms[form].types[i][0]),
						  text_of(forms[form].types[i][1])};

		g_array_append_val(in->build->types, type);
	}
	in->build->profile.period_type = (struct profile_value_type){
		text_of(forms[form].period[0]), text_of(forms[form].period[1])};
	in->build->profile.period = 1;
	if (forms[form].kind == PROFILE_HEAP)
		return heap_header(in, line);
	text_take(&line, forms[form].start);
	take_number(&line, &in->stated);
	return NULL;
}

static struct error *read_all(struct reader *in)
{
	struct text line;

	TRY(take_header(in));
	while (next_line(in, &line)) {
		if (text_starts(line, "# labels: "))
			take_labels(in, line);
		else if (text_starts(line, "#"))
			take_comment(in, line);
		else if (line.n && !take_setting(in, line))
			TRY(take_record(in, line));
	}
	in->build->profile.cut = in->stated > in->found;
	return NULL;
}

/* A record that the end of the file cuts may have lost digits: better no record than a wrong one.
 */
static void drop_cut_line(struct reader *in)
{
	const char *end = in->rest.n ? memrchr(in->rest.p, '\n', in->rest.n) : NULL;

	if (end && end != in->rest.p + in->rest.n - 1)
		in->rest.n = (size_t)(end + 1 - in->rest.p);
}

struct error *profile_read_text(struct profile_build *build)
{
	struct reader in = {
		.build = build,
		.rest = build->bytes,
		.locations = g_hash_table_new(NULL, NULL),
		.functions = g_hash_table_new(text_hash, text_same),
	};
	struct error *error;

	drop_cut_line(&in);
	error = read_all(&in);
	g_hash_table_destroy(in.locations);
	g_hash_table_destroy(in.functions);
	return error;
}
