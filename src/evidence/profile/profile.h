// SPDX-License-Identifier: Apache-2.0
// Profiles that runtime/pprof writes: heap, allocs, goroutine, goroutineleak, threadcreate, mutex,
// block, CPU; as protobuf (compressed with gzip or not) or as text (`debug=1`). Says what the file
// says: knows nothing of the program behind it, nor what a stack means.
//
// Protobuf: profile.proto of github.com/google/pprof; written by runtime/pprof/proto.go:72-128@1.26.8.
// Text: runtime/pprof/pprof.go:491-530,587-640@1.26.8.
#pragma once
#include "base/error.h"
#include "base/text.h"

enum profile_kind {
	PROFILE_HEAP,   /**< where memory in use came from */
	PROFILE_ALLOCS, /**< the same samples, meant for all that was ever allocated */
	PROFILE_GOROUTINE,
	PROFILE_GOROUTINE_LEAK, /**< goroutines that nothing can wake; 1.26+ */
	PROFILE_THREAD_CREATE,
	PROFILE_CONTENTION, /**< mutex or block: the two look alike */
	PROFILE_CPU,
	PROFILE_OTHER,
};

/** "heap", "goroutine", ...: Go's own names. */
const char *profile_kind_name(enum profile_kind kind);

#define PROFILE_NONE UINT32_MAX /**< no such mapping, function or value type */

struct profile_value_type {
	struct text type, unit; /**< "inuse_space", "bytes" */
};

struct profile_mapping {
	uint64_t id, start, limit, offset;
	struct text file, build_id;
};

struct profile_function {
	uint64_t id;
	struct text name, system_name, file;
	int64_t start_line; /**< 0 before Go 1.20 */
};

/** A source position; a location in inlined code has several, innermost first. */
struct profile_line {
	uint32_t function; /**< index, or PROFILE_NONE */
	int64_t line;
};

struct profile_location {
	uint64_t id;
	/** Within the call on which the frame stood: its return address less one, but in CPU
	 * profiles */
	uint64_t address;
	/** Of the function that the frame is in, as text tells it beside a symbol; else 0 */
	uint64_t entry;
	uint32_t mapping; /**< index, or PROFILE_NONE */
	uint32_t first_line, line_count;
};

struct profile_label {
	struct text key;
	struct text value; /**< empty for a number */
	int64_t number;
	struct text unit;
};

struct profile_sample {
	uint64_t first_location;
	uint32_t location_count, value_count; /**< value_count: type_count of the profile */
	uint32_t first_label, label_count;
};

/** The whole profile. Strings point into its bytes and live as long as it does. */
struct profile {
	const char *path;
	enum profile_kind kind;
	/**
	 * As text: stacks are as the runtime recorded them, its own frames included, but only some
	 * locations have lines. Since Go 1.21 each inlined frame is a location of its own, as well
	 * as part of the one before it.
	 */
	bool is_text;
	bool cut;            /**< text: the first line promises more than the records hold */
	int64_t time_ns;     /**< since 1970; 0 when not told, as in text */
	int64_t duration_ns; /**< 0 when not told */
	struct profile_value_type period_type;
	int64_t period;        /**< of a heap profile: bytes per sample on average */
	uint32_t default_type; /**< index of the value type meant for display, or PROFILE_NONE */
	struct text doc_url;

	const struct profile_value_type *types;
	size_t type_count;
	const struct profile_sample *samples;
	size_t sample_count;
	const int64_t *values;   /**< type_count of each sample */
	const void *locations;   /**< of all samples: see profile_location_at() */
	unsigned location_bytes; /**< of each of these: 1, 2 or 4 */
	const struct profile_label *labels;
	const struct profile_location *location;
	size_t location_count;
	const struct profile_line *line;
	size_t line_count;
	const struct profile_function *function;
	size_t function_count;
	const struct profile_mapping *mapping;
	size_t mapping_count;
	const struct text *comments;
	size_t comment_count;
};

/**
 * True when @a head, the first bytes of a file, begin a profile in one of its forms; for gzip, the
 * inflated bytes count. @a ret_looks_like is a phrase for people, written when true.
 */
bool profile_recognise(struct text head, const char **ret_looks_like);

/**
 * Reads the profile at @a path. All that it refers to is checked: every index and every string of
 * the result is sound.
 *
 * @return ERROR_TRUNCATED or ERROR_MALFORMED, naming field and offset (in the inflated bytes);
 * ERROR_LIMIT for one that inflates beyond LIMIT_PROFILE_BYTES
 */
struct error *profile_open(const char *path, struct profile **ret);
/** The same of bytes in memory, which are borrowed; @a path names them in errors. */
struct error *profile_open_bytes(struct text bytes, const char *path, struct profile **ret);
void profile_close(struct profile *profile);

/** Index of the value type of that name, "inuse_space"; PROFILE_NONE when there is none. */
uint32_t profile_type(const struct profile *profile, const char *name);
/** One value of a sample. */
static inline int64_t profile_value(const struct profile *profile, size_t sample, uint32_t type)
{
	return profile->values[sample * profile->type_count + type];
}

/** Index into location of a sample's frame, innermost first. */
static inline uint32_t profile_location_at(const struct profile *profile,
					   const struct profile_sample *sample, uint32_t frame)
{
	uint64_t at = sample->first_location + frame;

	if (profile->location_bytes == 1)
		return ((const uint8_t *)profile->locations)[at];
	if (profile->location_bytes == 2)
		return ((const uint16_t *)profile->locations)[at];
	return ((const uint32_t *)profile->locations)[at];
}

static inline void profile_free_at(struct profile **profile) { profile_close(*profile); }
