// SPDX-License-Identifier: Apache-2.0
// Protobuf by hand: profile.proto has eight small messages, and the samples of a large profile are
// read at memory speed. The string table stands last, samples before the locations that they name:
// so the other fields of the top level are listed first, and gone through for what the next need.
#include "evidence/profile/profile_build.h"

#include "base/bytes.h"
#include "base/limits.h"

enum wire_type { WIRE_VARINT, WIRE_FIXED64, WIRE_BYTES, WIRE_FIXED32 = 5 };

struct field {
	uint32_t number;
	enum wire_type type;
	uint64_t value;     /* of a number */
	struct bytes bytes; /* of WIRE_BYTES */
};

/* Identifiers are numbered from 1 on in practice, but may be any. */
struct id_index {
	uint32_t *dense; /* by id; PROFILE_NONE where there is none */
	size_t size;
	GHashTable *sparse; /* of a table whose ids are far apart */
};

struct wire {
	struct profile_build *build;
	struct bytes bytes;
	GArray *strings;      /* struct text */
	GArray *fields;       /* struct field: all others of the top level but samples */
	struct bytes samples; /* where those stand, from the first to the last */
	struct id_index mappings, functions, locations;
	uint64_t default_type; /* index of a string */
};

static struct error *take_field(struct bytes *b, struct field *ret)
{
	uint64_t tag;

	TRY(bytes_uvarint(b, "field tag", &tag));
	ret->number = (uint32_t)(tag >> 3);
	ret->type = (enum wire_type)(tag & 7);
	if (tag >> 3 == 0 || tag > UINT32_MAX)
		return error_new(ERROR_MALFORMED, bytes_place(b), "no field has the tag %llu",
				 (unsigned long long)tag);
	switch (ret->type) {
	case WIRE_VARINT:
		return bytes_uvarint(b, "number", &ret->value);
	case WIRE_BYTES:
		TRY(bytes_uvarint(b, "length", &ret->value));
		return bytes_take(b, "field", ret->value, &ret->bytes);
	case WIRE_FIXED64:
		return bytes_u64(b, "fixed64", &ret->value);
	case WIRE_FIXED32:
		return bytes_skip(b, "fixed32", 4);
	default:
		return error_new(ERROR_MALFORMED, bytes_place(b), "wire type %u is not protobuf",
				 ret->type);
	}
}

/* Each field of a message goes to @take, which may know it or not. */
static struct error *each_field(struct bytes message,
				struct error *(*take)(struct wire *, const struct field *, void *),
				struct wire *wire, void *into)
{
	while (bytes_left(&message)) {
		struct field field = {0};

		TRY(take_field(&message, &field));
		TRY(take(wire, &field, into));
	}
	return NULL;
}

static struct error *string_at(const struct wire *wire, uint64_t index, struct text *ret)
{
	if (index >= wire->strings->len) {
		if (index == 0) /* a profile without strings */
			return NULL;
		return error_new(ERROR_MALFORMED, bytes_place(&wire->bytes),
				 "string %llu is asked for, there are %u",
				 (unsigned long long)index, wire->strings->len);
	}
	*ret = g_array_index(wire->strings, struct text, index);
	return NULL;
}

/* A message where a number stands, or the other way round, is an unknown field to protobuf. */
static bool is(const struct field *field, uint32_t number, enum wire_type type)
{
	return field->number == number && field->type == type;
}

static struct error *value_type_field(struct wire *wire, const struct field *field, void *into)
{
	struct profile_value_type *type = into;

	if (is(field, 1, WIRE_VARINT))
		return string_at(wire, field->value, &type->type);
	if (is(field, 2, WIRE_VARINT))
		return string_at(wire, field->value, &type->unit);
	return NULL;
}

static struct error *mapping_field(struct wire *wire, const struct field *field, void *into)
{
	struct profile_mapping *mapping = into;

	if (field->type != WIRE_VARINT)
		return NULL;
	switch (field->number) {
	case 1:
		mapping->id = field->value;
		return NULL;
	case 2:
		mapping->start = field->value;
		return NULL;
	case 3:
		mapping->limit = field->value;
		return NULL;
	case 4:
		mapping->offset = field->value;
		return NULL;
	case 5:
		return string_at(wire, field->value, &mapping->file);
	case 6:
		return string_at(wire, field->value, &mapping->build_id);
	default:
		return NULL;
	}
}

static struct error *function_field(struct wire *wire, const struct field *field, void *into)
{
	struct profile_function *function = into;

	if (field->type != WIRE_VARINT)
		return NULL;
	switch (field->number) {
	case 1:
		function->id = field->value;
		return NULL;
	case 2:
		return string_at(wire, field->value, &function->name);
	case 3:
		return string_at(wire, field->value, &function->system_name);
	case 4:
		return string_at(wire, field->value, &function->file);
	case 5:
		function->start_line = (int64_t)field->value;
		return NULL;
	default:
		return NULL;
	}
}

static uint32_t index_find(const struct id_index *index, uint64_t id)
{
	if (id < index->size)
		return index->dense[id];
	if (!index->sparse)
		return PROFILE_NONE;
	return (uint32_t)GPOINTER_TO_SIZE(g_hash_table_lookup(index->sparse, &id)) - 1;
}

static struct error *index_add(struct wire *wire, struct id_index *index, const char *what,
			       const uint64_t *id, uint32_t at)
{
	if (*id == 0 || index_find(index, *id) != PROFILE_NONE)
		return error_new(ERROR_MALFORMED, bytes_place(&wire->bytes),
				 *id ? "there are two %ss of the number %llu"
				     : "a %s has no number of its own (%llu)",
				 what, (unsigned long long)*id);
	if (*id < index->size)
		index->dense[*id] = at;
	else
		g_hash_table_insert(index->sparse, (void *)(uintptr_t)id,
				    GSIZE_TO_POINTER((size_t)at + 1));
	return NULL;
}

/* Ids stand first in the elements of @items, which does not grow any more. */
static struct error *index_make(struct wire *wire, struct id_index *index, const char *what,
				const GArray *items)
{
	size_t size = g_array_get_element_size((GArray *)(uintptr_t)items);

	index->size = (size_t)items->len + 1;
	index->dense = g_new(uint32_t, index->size);
	memset(index->dense, 0xff, index->size * sizeof(*index->dense));
	index->sparse = g_hash_table_new(g_int64_hash, g_int64_equal);
	for (uint32_t i = 0; i < items->len; i++)
		TRY(index_add(wire, index, what,
			      (const uint64_t *)(const void *)(items->data + i * size), i));
	return NULL;
}

static void index_done(struct id_index *index)
{
	g_free(index->dense);
	if (index->sparse)
		g_hash_table_destroy(index->sparse);
}

static struct error *line_field(struct wire *wire, const struct field *field, void *into)
{
	struct profile_line *line = into;

	if (is(field, 1, WIRE_VARINT))
		line->function = index_find(&wire->functions, field->value);
	if (is(field, 2, WIRE_VARINT))
		line->line = (int64_t)field->value;
	return NULL;
}

static struct error *location_field(struct wire *wire, const struct field *field, void *into)
{
	struct profile_location *location = into;
	struct profile_line line = {PROFILE_NONE, 0};

	if (is(field, 1, WIRE_VARINT))
		location->id = field->value;
	if (is(field, 2, WIRE_VARINT))
		location->mapping = index_find(&wire->mappings, field->value);
	if (is(field, 3, WIRE_VARINT))
		location->address = field->value;
	if (!is(field, 4, WIRE_BYTES))
		return NULL;
	TRY(each_field(field->bytes, line_field, wire, &line));
	g_array_append_val(wire->build->line, line);
	location->line_count++;
	return NULL;
}

/* Strings first, to which everything else refers. */
static struct error *list_fields(struct wire *wire)
{
	struct bytes rest = wire->bytes;

	while (bytes_left(&rest)) {
		const struct bytes before = rest;
		struct field field = {0};

		TRY(take_field(&rest, &field));
		if (is(&field, 2, WIRE_BYTES)) {
			if (!wire->samples.at)
				wire->samples = before;
			wire->samples.end = rest.at;
		} else if (is(&field, 6, WIRE_BYTES)) {
			struct text string = {(const char *)field.bytes.at,
					      bytes_left(&field.bytes)};

			g_array_append_val(wire->strings, string);
		} else {
			g_array_append_val(wire->fields, field);
		}
	}
	return NULL;
}

static struct error *each_listed(struct wire *wire,
				 struct error *(*take)(struct wire *, const struct field *))
{
	for (guint i = 0; i < wire->fields->len; i++)
		TRY(take(wire, &g_array_index(wire->fields, struct field, i)));
	return NULL;
}

static struct error *take_comment(struct wire *wire, uint64_t index)
{
	struct text comment = {"", 0};

	TRY(string_at(wire, index, &comment));
	g_array_append_val(wire->build->comments, comment);
	return NULL;
}

static struct error *take_comments(struct wire *wire, const struct field *field)
{
	struct bytes packed = field->bytes;

	if (field->type == WIRE_VARINT)
		return take_comment(wire, field->value);
	while (field->type == WIRE_BYTES && bytes_left(&packed)) {
		uint64_t index;

		TRY(bytes_uvarint(&packed, "comment", &index));
		TRY(take_comment(wire, index));
	}
	return NULL;
}

static struct error *take_number(struct wire *wire, const struct field *field)
{
	struct profile *profile = &wire->build->profile;

	if (field->type != WIRE_VARINT)
		return NULL;
	if (field->number == 9)
		profile->time_ns = (int64_t)field->value;
	else if (field->number == 10)
		profile->duration_ns = (int64_t)field->value;
	else if (field->number == 12)
		profile->period = (int64_t)field->value;
	else if (field->number == 14)
		wire->default_type = field->value;
	else if (field->number == 15)
		return string_at(wire, field->value, &profile->doc_url);
	return NULL;
}

/* Second: what refers to strings alone. */
static struct error *take_tables(struct wire *wire, const struct field *field)
{
	struct profile_build *build = wire->build;
	struct profile_value_type type = {{"", 0}, {"", 0}};
	struct profile_mapping mapping = {.file = {"", 0}, .build_id = {"", 0}};
	struct profile_function function = {
		.name = {"", 0}, .system_name = {"", 0}, .file = {"", 0}};

	if (field->number == 13)
		return take_comments(wire, field);
	if (field->type != WIRE_BYTES)
		return take_number(wire, field);
	switch (field->number) {
	case 1:
		TRY(each_field(field->bytes, value_type_field, wire, &type));
		g_array_append_val(build->types, type);
		return NULL;
	case 3:
		TRY(each_field(field->bytes, mapping_field, wire, &mapping));
		g_array_append_val(build->mapping, mapping);
		return NULL;
	case 5:
		TRY(each_field(field->bytes, function_field, wire, &function));
		g_array_append_val(build->function, function);
		return NULL;
	case 11:
		return each_field(field->bytes, value_type_field, wire,
				  &build->profile.period_type);
	default:
		return NULL;
	}
}

/* Third: what refers to those. */
static struct error *take_location(struct wire *wire, const struct field *field)
{
	struct profile_location location = {.mapping = PROFILE_NONE,
					    .first_line = wire->build->line->len};

	if (!is(field, 4, WIRE_BYTES))
		return NULL;
	TRY(each_field(field->bytes, location_field, wire, &location));
	g_array_append_val(wire->build->location, location);
	return NULL;
}

static struct error *label_field(struct wire *wire, const struct field *field, void *into)
{
	struct profile_label *label = into;

	if (field->type != WIRE_VARINT)
		return NULL;
	switch (field->number) {
	case 1:
		return string_at(wire, field->value, &label->key);
	case 2:
		return string_at(wire, field->value, &label->value);
	case 3:
		label->number = (int64_t)field->value;
		return NULL;
	case 4:
		return string_at(wire, field->value, &label->unit);
	default:
		return NULL;
	}
}

#define NUMBERS_AT_ONCE 64

/* In the width that all of this profile have. */
static void append_locations(GArray *stacks, const uint32_t *indexes, size_t count)
{
	guint size = g_array_get_element_size(stacks), start = stacks->len;
	uint8_t *to;

	g_array_set_size(stacks, start + (guint)count);
	to = (uint8_t *)stacks->data + (size_t)start * size;
	if (size == sizeof(uint8_t))
		for (size_t i = 0; i < count; i++)
			to[i] = (uint8_t)indexes[i];
	else if (size == sizeof(uint16_t))
		for (size_t i = 0; i < count; i++)
			((uint16_t *)(void *)to)[i] = (uint16_t)indexes[i];
	else
		memcpy(to, indexes, count * sizeof(*indexes));
}

/* Most of a large profile: without a branch an id. False when one is not there, or among the sparse. */
static bool find_dense(const struct id_index *index, const uint64_t *ids, size_t count,
		       uint32_t *ret)
{
	const size_t size = index->size;
	bool all = true;

	for (size_t i = 0; i < count; i++) {
		ret[i] = index->dense[ids[i] < size ? ids[i] : 0]; // none has the id 0
		all &= ret[i] != PROFILE_NONE;
	}
	return all;
}

static struct error *find_each(struct wire *wire, const uint64_t *ids, size_t count, uint32_t *ret)
{
	for (size_t i = 0; i < count; i++) {
		ret[i] = index_find(&wire->locations, ids[i]);
		if (ret[i] == PROFILE_NONE)
			return error_new(ERROR_MALFORMED, bytes_place(&wire->bytes),
					 "a sample names location %llu, which is not there",
					 (unsigned long long)ids[i]);
	}
	return NULL;
}

/* At most NUMBERS_AT_ONCE of them. */
static struct error *put_locations(struct wire *wire, const uint64_t *ids, size_t count,
				   struct profile_sample *sample)
{
	uint32_t indexes[NUMBERS_AT_ONCE];

	if (count > LIMIT_FRAMES - sample->location_count)
		return error_new(ERROR_LIMIT, bytes_place(&wire->bytes),
				 "a stack is deeper than %d frames", LIMIT_FRAMES);
	if (!find_dense(&wire->locations, ids, count, indexes))
		TRY(find_each(wire, ids, count, indexes));
	append_locations(wire->build->locations, indexes, count);
	sample->location_count += (uint32_t)count;
	return NULL;
}

static struct error *put_values(struct wire *wire, const uint64_t *values, size_t count,
				struct profile_sample *sample)
{
	guint types = wire->build->types->len;

	if (count > types - sample->value_count)
		return error_new(ERROR_MALFORMED, bytes_place(&wire->bytes),
				 "a sample has more values than the profile has value types (%u)",
				 types);
	g_array_append_vals(wire->build->values, values, (guint)count);
	sample->value_count += (uint32_t)count;
	return NULL;
}

static struct error *each_number(struct wire *wire, const struct field *field, const char *what,
				 struct error *(*put)(struct wire *, const uint64_t *, size_t,
						      struct profile_sample *),
				 struct profile_sample *sample)
{
	struct bytes packed = field->bytes;

	if (field->type == WIRE_VARINT)
		return put(wire, &field->value, 1, sample);
	while (field->type == WIRE_BYTES && bytes_left(&packed)) {
		uint64_t numbers[NUMBERS_AT_ONCE];
		size_t count;

		TRY(bytes_uvarints(&packed, what, numbers, NUMBERS_AT_ONCE, &count));
		TRY(put(wire, numbers, count, sample));
	}
	return NULL;
}

static struct error *sample_label(struct wire *wire, const struct field *field,
				  struct profile_sample *sample)
{
	struct profile_label label = {{"", 0}, {"", 0}, 0, {"", 0}};

	if (field->type != WIRE_BYTES)
		return NULL;
	TRY(each_field(field->bytes, label_field, wire, &label));
	g_array_append_val(wire->build->labels, label);
	sample->label_count++;
	return NULL;
}

static struct error *sample_field(struct wire *wire, const struct field *field, void *into)
{
	switch (field->number) {
	case 1:
		return each_number(wire, field, "location of a sample", put_locations, into);
	case 2:
		return each_number(wire, field, "value of a sample", put_values, into);
	case 3:
		return sample_label(wire, field, into);
	default:
		return NULL;
	}
}

/* Last. */
static struct error *take_sample(struct wire *wire, const struct field *field, void *into)
{
	struct profile_build *build = wire->build;
	struct profile_sample sample = {.first_location = build->locations->len,
					.first_label = build->labels->len};

	if (!is(field, 2, WIRE_BYTES))
		return NULL;
	TRY(each_field(field->bytes, sample_field, wire, &sample));
	if (sample.value_count != build->types->len)
		return error_new(ERROR_MALFORMED, bytes_place(&field->bytes),
				 "a sample has %u values, the profile %u value types",
				 sample.value_count, build->types->len);
	g_array_append_val(build->samples, sample);
	return NULL;
}

static struct error *find_default(struct wire *wire)
{
	struct text name = {"", 0};
	struct profile_build *build = wire->build;

	TRY(string_at(wire, wire->default_type, &name));
	for (guint i = 0; name.n && i < build->types->len; i++)
		if (text_equal(g_array_index(build->types, struct profile_value_type, i).type,
			       name))
			build->profile.default_type = i;
	return NULL;
}

/* As narrow as all of them can be: they are most of the memory that a profile takes. */
static void narrow_locations(struct profile_build *build)
{
	guint count = build->location->len;
	guint size = count <= UINT8_MAX + 1    ? sizeof(uint8_t)
		     : count <= UINT16_MAX + 1 ? sizeof(uint16_t)
					       : sizeof(uint32_t);

	g_array_unref(build->locations);
	build->locations = g_array_new(FALSE, FALSE, size);
}

static struct error *walk(struct wire *wire)
{
	struct profile_build *build = wire->build;

	TRY(list_fields(wire));
	TRY(each_listed(wire, take_tables));
	TRY(find_default(wire));
	if (build->types->len == 0)
		return error_new(ERROR_MALFORMED, place_whole(build->profile.path),
				 "is not a profile: it says no type of value");
	TRY(index_make(wire, &wire->mappings, "mapping", build->mapping));
	TRY(index_make(wire, &wire->functions, "function", build->function));
	TRY(each_listed(wire, take_location));
	TRY(index_make(wire, &wire->locations, "location", build->location));
	narrow_locations(build);
	return each_field(wire->samples, take_sample, wire, NULL);
}

struct error *profile_read_wire(struct profile_build *build)
{
	struct wire wire = {
		.build = build,
		.bytes = bytes_over(build->bytes.p, build->bytes.n,
				    place_whole(build->profile.path)),
		.strings = g_array_new(FALSE, FALSE, sizeof(struct text)),
		.fields = g_array_new(FALSE, FALSE, sizeof(struct field)),
	};
	struct error *error = walk(&wire);

	index_done(&wire.mappings);
	index_done(&wire.functions);
	index_done(&wire.locations);
	g_array_unref(wire.strings);
	g_array_unref(wire.fields);
	return error;
}

/* Fields that are messages, each of which begins with its first or second field, a number. */
bool profile_is_wire(struct text text)
{
	static const uint8_t messages[] = {1, 3, 4, 5, 11};
	const uint8_t *p = (const uint8_t *)text.p;

	if (text.n < 4 || p[1] < 2 || p[1] > 0x7f || (p[2] != 1 << 3 && p[2] != 2 << 3))
		return false;
	for (size_t i = 0; i < G_N_ELEMENTS(messages); i++)
		if (p[0] == (messages[i] << 3 | WIRE_BYTES))
			return true;
	return false;
}
