// SPDX-License-Identifier: Apache-2.0
// From bytes to lines to the parsers of those who wrote them.
#include "base/limits.h"
#include "base/scan.h"
#include "evidence/text/dump_line.h"
#include "evidence/text/dump_parse.h"
#include "evidence/text/text_stream.h"
#include "evidence/text/unmangle.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <unistd.h>

#define PIECE_BYTES     (256u << 10)
#define WRITERS_MAX     64           /* whose lines are woven into each other */
#define UNCERTAIN_BYTES (1ull << 30) /* inflated without a trace of a dump: a bomb, or no dump */

struct reading {
	struct dump *dump;
	struct text_stream *stream;
	struct unmangle *unmangle;
	struct dump_parser *plain; /**< of lines whose writer is not known */
	GHashTable *writers;       /**< name → struct dump_parser */
	struct dump_parser *last;  /**< the writer of the line before, */
	struct text last_name;     /**< and its name */
	struct dump_place place;   /**< of the line */
	uint64_t read;             /**< bytes given by the stream */
	bool cutting;              /**< the line goes on beyond the limit */
};

static void writer_free(gpointer parser)
{
	dump_parser_end(parser);
	dump_parser_free(parser);
}

static struct dump_parser *writer_of(struct reading *reading, struct text source)
{
	char *name;

	if (source.n == 0)
		return reading->plain;
	if (reading->last && text_equal(reading->last_name, source))
		return reading->last;
	name = g_strndup(source.p, source.n);
	reading->last = g_hash_table_lookup(reading->writers, name);
	if (reading->last) {
		reading->last_name = dump_parser_source(reading->last);
		g_free(name);
		return reading->last;
	}
	if (g_hash_table_size(reading->writers) >= WRITERS_MAX)
		g_hash_table_remove_all(reading->writers);
	reading->last_name =
		(struct text){arena_copy(reading->dump->arena, source.p, source.n), source.n};
	reading->dump->text_bytes += source.n;
	reading->last = dump_parser_new(reading->dump, reading->last_name);
	g_hash_table_insert(reading->writers, name, reading->last);
	return reading->last;
}

static bool line_take(struct text line, struct text source, void *context)
{
	struct reading *reading = context;

	return dump_parser_line(writer_of(reading, source), line, reading->place);
}

static inline void line_read(struct reading *reading, struct text line)
{
	while (scan_suffix(&line, "\r"))
		;
	if (unmangle_is_plain(reading->unmangle) &&
	    dump_parser_line(reading->plain, line, reading->place))
		return;
	if (!unmangle_line(reading->unmangle, line))
		dump_gap_add(reading->dump, DUMP_GAP_FOREIGN_LINES, reading->place);
}

/** Files that were truncated while a log was written begin with a hole. */
static size_t zeros_at(struct text text)
{
	size_t n = 0;

	while (n < text.n && text.p[n] == 0)
		n++;
	return n;
}

/** The line at the start of @a text, without its end; false when it is not complete. */
static bool line_find(const struct reading *reading, struct text text, bool last, size_t *ret)
{
	const char *end = memchr(text.p, '\n', text.n);

	*ret = end ? (size_t)(end - text.p) : text.n;
	return end || last || text.n > LIMIT_LINE_BYTES || reading->cutting;
}

/** Reads the lines of @a text; returns how many bytes they took. */
static size_t lines_read(struct reading *reading, struct text text, bool last)
{
	struct text rest = text;
	size_t n;

	while (rest.n) {
		bool ends;

		if (rest.p[0] == 0 && (n = zeros_at(rest))) {
			reading->place.offset += n;
			scan_skip(&rest, n);
			continue;
		}
		if (!line_find(reading, rest, last, &n))
			break;
		ends = n < rest.n;
		if (!reading->cutting)
			line_read(reading, (struct text){rest.p, n});
		if (!ends && !last && !reading->cutting)
			dump_gap_add(reading->dump, DUMP_GAP_LONG_LINES, reading->place);
		reading->cutting = !ends;
		reading->place.offset += n + ends;
		reading->place.line += ends;
		scan_skip(&rest, n + ends);
	}
	return text.n - rest.n;
}

static struct error *hopeless(const struct reading *reading, const char *name)
{
	if (!text_stream_inflates(reading->stream) || reading->read < UNCERTAIN_BYTES ||
	    reading->dump->sections.count)
		return NULL;
	return error_with_hint(error_new(ERROR_LIMIT, place_whole(name),
					 "inflates to more than %llu bytes without a trace of a "
					 "goroutine dump",
					 UNCERTAIN_BYTES),
			       "unpack it and give the part that holds the dump");
}

/** A core holds the words that its program was printing, among much else: no text, and read as what it is elsewhere. */
static struct error *refuse_elf(const char *piece, size_t n, const char *name)
{
	if (n < SELFMAG || memcmp(piece, ELFMAG, SELFMAG) != 0)
		return NULL;
	return error_with_hint(error_new(ERROR_UNRECOGNISED, place_whole(name),
					 "is compressed and holds an ELF file, no text"),
			       "unpack it first, or compress the core with zstd, lz4 or xz");
}

static struct error *pieces_read(struct reading *reading, const char *name)
{
	g_autofree char *piece = NULL;
	size_t room = 0, held = 0, taken, n;

	for (;;) {
		if (room - held < PIECE_BYTES) { // more than a piece only where lines are long
			room = room ? 2 * room : 2 * PIECE_BYTES;
			piece = g_realloc(piece, room);
		}
		TRY(text_stream_read(reading->stream, piece + held, PIECE_BYTES, &n));
		if (n == 0)
			break;
		if (reading->read == 0)
			TRY(refuse_elf(piece, n, name));
		held += n;
		reading->read += n;
		taken = lines_read(reading, (struct text){piece, held}, false);
		held -= taken;
		if (taken)
			memmove(piece, piece + taken, held);
		TRY(hopeless(reading, name));
	}
	lines_read(reading, (struct text){piece, held}, true);
	return NULL;
}

static struct error *dump_read(struct text_stream *stream, const char *name, struct dump **ret)
{
	struct reading reading = {.dump = dump_new(), .stream = stream, .place.line = 1};
	struct error *error;

	reading.plain = dump_parser_new(reading.dump, (struct text){"", 0});
	reading.writers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, writer_free);
	reading.unmangle = unmangle_new(line_begins_dump, line_take, &reading, LIMIT_LINE_BYTES);
	error = pieces_read(&reading, name);
	unmangle_end(reading.unmangle);
	unmangle_free(reading.unmangle);
	g_hash_table_destroy(reading.writers);
	writer_free(reading.plain);
	if (text_stream_damage(stream))
		dump_gap_add(reading.dump, DUMP_GAP_DAMAGED, reading.place);
	text_stream_close(stream);
	dump_mark_again(reading.dump);
	if (error)
		dump_close(reading.dump);
	else
		*ret = reading.dump;
	return error;
}

struct error *dump_read_fd(struct text head, int fd, const char *name, struct dump **ret)
{
	return dump_read(text_stream_of_fd(head, fd, name), name, ret);
}

struct error *dump_read_path(const char *path, struct dump **ret)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct error *error;

	if (fd < 0)
		return error_system(errno, place_whole(path), "cannot be opened");
	error = dump_read_fd((struct text){"", 0}, fd, path, ret);
	close(fd);
	return error;
}

struct error *dump_read_text(struct text text, const char *name, struct dump **ret)
{
	return dump_read(text_stream_of_text(text, name), name, ret);
}

bool dump_recognise(struct text head)
{
	struct dump *dump = NULL;
	struct error *error = dump_read_text(head, "", &dump);
	bool found = !error && dump_section_count(dump) > 0;

	error_free(error);
	dump_close(dump);
	return found;
}
