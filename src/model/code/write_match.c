// SPDX-License-Identifier: Apache-2.0
#include "model/code/write_match.h"

#include "model/data/heap.h"
#include "model/stack/spot.h"

#include <glib.h>
#include <string.h>

#define CALLS_FOLLOWED_MAX  256 /* to see what they are given */
#define ARGUMENTS_LOOKED_AT 9

/** A text has no memory: all that is read then is what the binary gave its variables to begin with. */
static bool variables_are_seen(const struct write_matcher *matcher)
{
	return !matcher->program->printout;
}

static enum site_match match_global(const struct write_matcher *matcher,
				    const struct map_source *source)
{
	const struct map_site *known = matcher->target.known;
	uint64_t map = variables_are_seen(matcher) ? matcher->target.map : 0, value;

	if (!map && known && known->source.kind == MAP_SOURCE_GLOBAL)
		return source->address == known->source.address ? SITE_SAME_MAP : SITE_OTHER_MAP;
	if (!map || !memory_u64(matcher->program->memory, source->address, &value))
		return SITE_SAME_TYPE;
	return value == map ? SITE_SAME_MAP : SITE_OTHER_MAP;
}

/** Where the object that @a word belongs to begins and what of it is left before @a word; false when unknown. */
static bool object_start(const struct write_matcher *matcher, uint64_t word, uint64_t *ret)
{
	struct program *program = matcher->program;
	struct debuginfo_variable variable;
	struct heap_object object;

	if (heap_object_at(program, word, &object)) {
		*ret = object.data;
		return true;
	}
	if (!program->debuginfo || !program_in_data(program, word) ||
	    !debuginfo_global_at(program->debuginfo, word - program->bias, &variable))
		return false;
	*ret = variable.address + program->bias;
	return true;
}

/**
 * A pointer that @a offset leads from to @a holder must lie in the holder's own object, else the
 * field is another one. It is the very field when the object begins there, or when the code that
 * used this map used the same offset; what lies further in could be anybody's.
 */
static enum site_match match_holder(const struct write_matcher *matcher, uint64_t holder,
				    int64_t offset)
{
	const struct map_site *known = matcher->target.known;
	uint64_t start;

	if (known && known->source.kind == MAP_SOURCE_FIELD && known->source.offset == offset)
		return object_start(matcher, holder, &start) && holder - start < (uint64_t)offset
			       ? SITE_OTHER_MAP
			       : SITE_SAME_FIELD;
	if (offset < 0 || !object_start(matcher, holder, &start))
		return SITE_SAME_TYPE;
	if (holder - start < (uint64_t)offset)
		return SITE_OTHER_MAP;
	return holder - start == (uint64_t)offset ? SITE_SAME_FIELD : SITE_SAME_TYPE;
}

/** Code that loads the holder's pointer from a fixed address says exactly which map it is. */
static enum site_match match_field_of_global(const struct write_matcher *matcher,
					     const struct map_source *source)
{
	struct map_source field = {.kind = MAP_SOURCE_GLOBAL};
	uint64_t holder;

	if (!memory_u64(matcher->program->memory, source->address, &holder) || !holder)
		return SITE_SAME_TYPE;
	field.address = holder + (uint64_t)source->offset;
	return match_global(matcher, &field);
}

/** "main.(*cluster)" of "main.(*cluster).lookup"; empty when it is no method of a pointer. */
static struct text receiver_of(const char *function)
{
	const char *open = strstr(function, ".(*"), *close = open ? strchr(open, ')') : NULL;

	return (struct text){function, close ? (size_t)(close - function) : 0};
}

/** The receiver in the name of the function that the user wrote the site in, inlined or not. */
static struct text receiver_at(const struct write_matcher *matcher, const struct map_site *site)
{
	const struct spot *spot = program_spot(matcher->program, site->call_pc, true);
	size_t i = 0;

	if (!spot || !spot->site_count)
		return receiver_of(site->caller.name);
	while (i + 1 < spot->site_count && spot->runtime[i])
		i++;
	return receiver_of(spot->sites[i].function);
}

/** "main.(*index" is the receiver of main.index; the arguments of a generic type are not compared. */
static bool is_receiver_type(struct text receiver, const char *type)
{
	const char *open = g_strstr_len(receiver.p, (gssize)receiver.n, ".(*");
	size_t package = open ? (size_t)(open - receiver.p) : 0;
	const char *name = receiver.p + package + strlen(".(*");
	size_t length = receiver.n - package - strlen(".(*");
	const char *bracket = memchr(name, '[', length);

	if (bracket)
		length = (size_t)(bracket - name);
	return !strncmp(type, receiver.p, package) && type[package] == '.' &&
	       !strncmp(type + package + 1, name, length) &&
	       (type[package + 1 + length] == '\0' || type[package + 1 + length] == '[');
}

/** A method of a type that is neither the holder's nor that of the code that used this map: a map of its own may well stand at the same offset. */
static bool is_of_other_receiver(const struct write_matcher *matcher, const struct map_site *site)
{
	const struct write_target *target = &matcher->target;
	struct text receiver = receiver_at(matcher, site);
	struct text known = target->known ? receiver_at(matcher, target->known) : (struct text){0};
	bool told = known.n != 0;

	if (!receiver.n || (known.n && text_equal(receiver, known)))
		return false;
	for (size_t i = 0; i < target->holder_count; i++) {
		const char *type = target->holder_types ? target->holder_types[i] : "";

		if (*type && is_receiver_type(receiver, type))
			return false;
		told |= *type != '\0';
	}
	return told;
}

/** Two methods of one type that load their maps at different offsets load different fields. */
static bool is_other_field(const struct write_matcher *matcher, const struct map_site *site)
{
	const struct map_site *known = matcher->target.known;
	struct text receiver;

	if (!known || known->source.kind != MAP_SOURCE_FIELD ||
	    known->source.offset == site->source.offset)
		return false;
	receiver = receiver_at(matcher, site);
	return receiver.n && text_equal(receiver, receiver_at(matcher, known));
}

/** With no holder known: methods of one type that load their maps at one offset load the same field. */
static bool is_same_field(const struct write_matcher *matcher, const struct map_site *site)
{
	const struct map_site *known = matcher->target.known;
	struct text receiver;

	if (!known || known->source.kind != MAP_SOURCE_FIELD ||
	    known->source.offset != site->source.offset)
		return false;
	receiver = receiver_at(matcher, site);
	return receiver.n && text_equal(receiver, receiver_at(matcher, known));
}

static enum site_match match_field(const struct write_matcher *matcher, const struct map_site *site)
{
	enum site_match best = SITE_OTHER_MAP;

	if (site->source.address)
		return match_field_of_global(matcher, &site->source);
	if (!matcher->target.holder_count)
		return is_same_field(matcher, site) ? SITE_SAME_FIELD : SITE_SAME_TYPE;
	for (size_t i = 0; i < matcher->target.holder_count; i++) {
		enum site_match match =
			match_holder(matcher, matcher->target.holders[i], site->source.offset);

		best = MAX(best, match);
	}
	return best == SITE_SAME_FIELD && is_of_other_receiver(matcher, site) ? SITE_SAME_TYPE
									      : best;
}

enum site_match write_match(const struct write_matcher *matcher, const struct map_site *site)
{
	if (site->source.kind == MAP_SOURCE_GLOBAL)
		return match_global(matcher, &site->source);
	if (site->source.kind == MAP_SOURCE_FIELD)
		return is_other_field(matcher, site) ? SITE_OTHER_MAP : match_field(matcher, site);
	return SITE_SAME_TYPE;
}

/** Functions that may be called between making a map and filling it, without anybody else getting hold of it. */
static bool keeps_to_itself(const struct write_matcher *matcher, uint64_t target)
{
	static const char *const names[] = {
		"runtime.map",       "runtime.conv",         "runtime.newobject", "runtime.make",
		"runtime.concat",    "runtime.typedmemmove", "runtime.duff",      "runtime.panic",
		"runtime.slicebyte", "runtime.intstring"};
	struct go_function function;
	uint32_t table;

	if (!target || !program_function(matcher->program, target, &function, &table))
		return false;
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		if (g_str_has_prefix(function.name, names[i]))
			return true;
	return g_str_has_prefix(function.name, "internal/runtime/maps.");
}

/** The call hands on what the call at @a maker made. */
static bool hands_on(struct write_matcher *matcher, uint64_t return_pc, int64_t maker)
{
	struct flow_abi abi = sites_abi(matcher->program->sites);
	struct flow_call call;

	if (matcher->calls_followed++ >= CALLS_FOLLOWED_MAX ||
	    !sites_call_returning_to(matcher->program->sites, return_pc, &call))
		return true;
	for (int i = 0; i < ARGUMENTS_LOOKED_AT; i++) {
		struct flow_value value = flow_argument(&call.state, abi, i, false);

		if (value.kind == FLOW_MADE && value.number == maker)
			return true;
	}
	return false;
}

/** A call of the program's own that is given other things. */
static bool is_given_others(struct write_matcher *matcher, uint64_t target, uint64_t return_pc,
			    int64_t maker)
{
	struct go_function function;
	uint32_t table;

	return target && program_function(matcher->program, target, &function, &table) &&
	       !go_is_runtime_function(function.name) && !hands_on(matcher, return_pc, maker);
}

bool write_match_is_fresh(struct write_matcher *matcher, const struct map_site *site)
{
	uint64_t at = (uint64_t)site->map.number, target;

	if (site->map.kind == FLOW_STACK)
		return true;
	if (site->map.kind != FLOW_MADE || at >= site->call_pc)
		return false;
	while (sites_call_after(matcher->program->sites, &site->caller, at, &at, &target) &&
	       at <= site->call_pc)
		if (!keeps_to_itself(matcher, target) &&
		    !is_given_others(matcher, target, at, site->map.number))
			return false;
	return true;
}
