// SPDX-License-Identifier: Apache-2.0
#include "reproduce/shape.h"

#include "base/limits.h"

#include <glib.h>

#define FIELDS_MAX       64
#define ARRAY_LENGTH_MAX 1024

struct parser {
	struct arena *arena;
	const char *at;
	unsigned depth;
};

static const struct shape *parse(struct parser *parser);

static void skip_spaces(struct parser *parser)
{
	while (*parser->at == ' ')
		parser->at++;
}

static bool eat(struct parser *parser, const char *word)
{
	skip_spaces(parser);
	if (!g_str_has_prefix(parser->at, word))
		return false;
	parser->at += strlen(word);
	return true;
}

static struct shape *shape_new(struct parser *parser, enum shape_kind kind)
{
	struct shape *shape = arena_take(parser->arena, sizeof(*shape));

	shape->kind = kind;
	shape->name = "";
	return shape;
}

static const struct shape *parse_list(struct parser *parser)
{
	struct shape *shape;
	guint64 length = 0;
	char *end;

	if (eat(parser, "]")) {
		shape = shape_new(parser, SHAPE_SLICE);
	} else {
		shape = shape_new(parser, SHAPE_ARRAY);
		length = g_ascii_strtoull(parser->at, &end, 10);
		if (end == parser->at)
			return NULL;
		parser->at = end;
		shape->length = (unsigned)MIN(length, ARRAY_LENGTH_MAX);
		if (!eat(parser, "]"))
			return NULL;
	}
	shape->element = parse(parser);
	return shape->element ? shape : NULL;
}

static const struct shape *parse_map(struct parser *parser)
{
	struct shape *shape = shape_new(parser, SHAPE_MAP);

	shape->key = parse(parser);
	if (!shape->key || !eat(parser, "]"))
		return NULL;
	shape->element = parse(parser);
	return shape->element ? shape : NULL;
}

static const struct shape *parse_element(struct parser *parser, enum shape_kind kind,
					 const char *name)
{
	struct shape *shape = shape_new(parser, kind);

	shape->name = name;
	shape->element = parse(parser);
	return shape->element ? shape : NULL;
}

/* Up to the @a close that matches an opening one before; strings are jumped over. */
static bool skip_balanced(struct parser *parser, char open, char close)
{
	unsigned depth = 1;

	for (; *parser->at; parser->at++) {
		if (*parser->at == open)
			depth++;
		else if (*parser->at == close && --depth == 0) {
			parser->at++;
			return true;
		}
	}
	return false;
}

static size_t word_length(const char *at)
{
	size_t n = 0;

	while (at[n] && !strchr(" ,;()[]{}*\"<", at[n]))
		n++;
	return n;
}

static bool add_field(struct shape *shape, struct shape_field *fields, const char *name,
		      const struct shape *type)
{
	if (!type || shape->field_count == FIELDS_MAX)
		return false;
	fields[shape->field_count++] = (struct shape_field){name, type};
	return true;
}

static bool parse_parameters(struct parser *parser, struct shape *shape, struct shape_field *fields)
{
	if (eat(parser, ")"))
		return true;
	do {
		shape->variadic = eat(parser, "...");
		if (!add_field(shape, fields, "", parse(parser)))
			return false;
	} while (eat(parser, ","));
	return eat(parser, ")");
}

static const struct shape *parse_func(struct parser *parser)
{
	struct shape *shape = shape_new(parser, SHAPE_FUNC);
	struct shape_field *fields = arena_array(parser->arena, FIELDS_MAX, sizeof(*fields));
	size_t parameters;
	bool variadic;

	shape->fields = fields;
	if (!parse_parameters(parser, shape, fields))
		return NULL;
	parameters = shape->field_count;
	variadic = shape->variadic;
	if (eat(parser, "(")) {
		if (!parse_parameters(parser, shape, fields))
			return NULL;
	} else if (*parser->at == ' ' || word_length(parser->at) || strchr("*[<", *parser->at)) {
		skip_spaces(parser);
		if (*parser->at && !strchr(",;)]}\"", *parser->at) &&
		    !add_field(shape, fields, "", parse(parser)))
			return NULL;
	}
	shape->result_count = shape->field_count - parameters;
	shape->variadic = variadic;
	return shape;
}

/* A field is `name type`, an embedded one `type`; a name may carry its package. */
static bool parse_field(struct parser *parser, struct shape *shape, struct shape_field *fields)
{
	size_t n;
	const char *name = "", *dot;

	skip_spaces(parser);
	n = word_length(parser->at);
	if (n && parser->at[n] == ' ' && parser->at[n + 1] != '}' && parser->at[n + 1] != '"') {
		char *word = arena_string(parser->arena, (struct text){parser->at, n});

		dot = strrchr(word, '.');
		name = dot ? dot + 1 : word;
		parser->at += n;
	}
	if (!add_field(shape, fields, name, parse(parser)))
		return false;
	if (!eat(parser, "\""))
		return true;
	for (; *parser->at && *parser->at != '"'; parser->at++)
		if (*parser->at == '\\' && parser->at[1])
			parser->at++;
	return eat(parser, "\"");
}

static const struct shape *parse_struct(struct parser *parser)
{
	struct shape *shape = shape_new(parser, SHAPE_STRUCT);
	struct shape_field *fields = arena_array(parser->arena, FIELDS_MAX, sizeof(*fields));

	shape->fields = fields;
	if (eat(parser, "}"))
		return shape;
	do {
		if (!parse_field(parser, shape, fields))
			return NULL;
	} while (eat(parser, ";"));
	return eat(parser, "}") ? shape : NULL;
}

static const struct shape *parse_word(struct parser *parser)
{
	static const char *const basic[] = {
		"bool",  "string", "int",    "int8",    "int16",     "int32",      "int64",
		"uint",  "uint8",  "uint16", "uint32",  "uint64",    "uintptr",    "float32",
		"error", "byte",   "rune",   "float64", "complex64", "complex128",
	};
	size_t n = word_length(parser->at);
	struct shape *shape;

	if (n == 0)
		return NULL;
	shape = shape_new(parser, SHAPE_NAMED);
	shape->name = arena_string(parser->arena, (struct text){parser->at, n});
	parser->at += n;
	if (*parser->at == '[') { // type arguments
		parser->at++;
		if (!skip_balanced(parser, '[', ']'))
			return NULL;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(basic); i++)
		if (g_str_equal(basic[i], shape->name))
			shape->kind = SHAPE_BASIC;
	if (g_str_equal(shape->name, "any"))
		shape->kind = SHAPE_INTERFACE;
	return shape;
}

static const struct shape *parse_one(struct parser *parser)
{
	const struct shape *inner;

	if (eat(parser, "*"))
		return parse_element(parser, SHAPE_POINTER, "");
	if (eat(parser, "map["))
		return parse_map(parser);
	if (eat(parser, "["))
		return parse_list(parser);
	if (eat(parser, "<-chan "))
		return parse_element(parser, SHAPE_CHAN, "<-chan ");
	if (eat(parser, "chan<- "))
		return parse_element(parser, SHAPE_CHAN, "chan<- ");
	if (eat(parser, "chan "))
		return parse_element(parser, SHAPE_CHAN, "chan ");
	if (eat(parser, "func("))
		return parse_func(parser);
	if (eat(parser, "struct {") || eat(parser, "struct{"))
		return parse_struct(parser);
	if (eat(parser, "interface {") || eat(parser, "interface{"))
		return skip_balanced(parser, '{', '}') ? shape_new(parser, SHAPE_INTERFACE) : NULL;
	if (eat(parser, "(")) {
		inner = parse(parser);
		return inner && eat(parser, ")") ? inner : NULL;
	}
	return parse_word(parser);
}

static const struct shape *parse(struct parser *parser)
{
	const struct shape *shape;

	if (parser->depth == LIMIT_TYPE_DEPTH)
		return NULL;
	parser->depth++;
	shape = parse_one(parser);
	parser->depth--;
	return shape;
}

const struct shape *shape_parse(struct arena *arena, const char *text)
{
	struct parser parser = {arena, text, 0};
	const struct shape *shape;

	if (strlen(text) > LIMIT_NAME_BYTES)
		return NULL;
	shape = parse(&parser);
	skip_spaces(&parser);
	return *parser.at ? NULL : shape;
}

bool shape_is_comparable(const struct shape *shape)
{
	if (shape->kind == SHAPE_SLICE || shape->kind == SHAPE_MAP || shape->kind == SHAPE_FUNC)
		return false;
	if (shape->kind == SHAPE_ARRAY)
		return shape_is_comparable(shape->element);
	for (size_t i = 0; shape->kind == SHAPE_STRUCT && i < shape->field_count; i++)
		if (!shape_is_comparable(shape->fields[i].type))
			return false;
	return true;
}

const char *shape_known_type(const char *name)
{
	static const char *const known[][2] = {
		{"http.Header", "map[string][]string"},
		{"textproto.MIMEHeader", "map[string][]string"},
		{"url.Values", "map[string][]string"},
		{"metadata.MD", "map[string][]string"},
		{"logrus.Fields", "map[string]interface {}"},
		{"log.Fields", "map[string]interface {}"},
		{"gin.H", "map[string]interface {}"},
		{"bson.M", "map[string]interface {}"},
		{"template.FuncMap", "map[string]interface {}"},
		{"prometheus.Labels", "map[string]string"},
		{"labels.Set", "map[string]string"},
		{"sets.String", "map[string]struct {}"},
		{"time.Duration", "int64"},
		{"time.Month", "int"},
		{"time.Weekday", "int"},
		{"os.FileMode", "uint32"},
		{"time.Time", "struct { wall uint64; ext int64; loc *int }"},
		{"netip.Addr", "struct { hi uint64; lo uint64; z *int }"},
		{"uuid.UUID", "[16]uint8"},
		{"common.Hash", "[32]uint8"},
		{"common.Address", "[20]uint8"},
		{"net.IP", "[]uint8"},
		{"json.RawMessage", "[]uint8"},
		{"json.Number", "string"},
		{"types.UID", "string"},
		{"unsafe.Pointer", "uintptr"},
		{"reflect.Type", "interface {}"},
		{"context.Context", "interface {}"},
		{"net.Conn", "interface {}"},
		{"net.Addr", "interface {}"},
		{"io.Reader", "interface {}"},
		{"io.Writer", "interface {}"},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(known); i++)
		if (g_str_equal(known[i][0], name))
			return known[i][1];
	return NULL;
}
