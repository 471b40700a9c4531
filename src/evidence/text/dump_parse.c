// SPDX-License-Identifier: Apache-2.0
#include "evidence/text/dump_parse.h"

#include "base/buffer.h"
#include "base/limits.h"
#include "base/scan.h"
#include "evidence/text/dump_line.h"
#include "evidence/text/dump_race.h"
#include "evidence/text/dump_record.h"

#include <glib.h>

#define MESSAGE_LINES_MAX 32 /* of a panic's value; what follows is somebody else's */
#define NONE              UINT32_MAX
/* What the next line may be. */
enum expect {
	EXPECT_ANYTHING, /**< between dumps */
	EXPECT_MESSAGE,  /**< more lines of a panic's value */
	EXPECT_FRAME,    /**< within a stack */
	EXPECT_PLACE,    /**< the file and line of the function before */
	EXPECT_RECORD,   /**< labels and frames of a record of debug=1 */
	EXPECT_MORE,     /**< after the empty line behind a stack: it may go on all the same */
};

/** A line that waits for the one after it. */
struct pending {
	struct buffer line; /**< a copy: lines do not live on */
	size_t name_at, name_size;
	struct dump_place place;
	uint64_t parent;
	bool created; /**< "created by"; else a function */
};

struct dump_parser {
	struct dump *dump;
	struct text source;
	enum expect expect;
	struct dump_goroutine goroutine; /**< that the stack belongs to */
	bool open;                       /**< it has begun */
	struct stack_parts stack;
	uint32_t *frames;
	struct buffer calls;
	struct pending pending;
	uint32_t section, message; /**< numbers; NONE when there is none */
	uint32_t section_goroutines;
	uint64_t first_id; /**< of the section's first goroutine */
	GString *words;    /**< of the message */
	unsigned word_lines;
	bool blank;     /**< the line before was empty */
	bool doubled;   /**< every other line is empty: something doubled the ends of lines */
	bool strangers; /**< lines of others stood behind the last stack */
	bool signalled; /**< the section began with a death of a signal */
	struct race_parser *race;
	bool racing; /**< within one of its reports */
};

struct dump_parser *dump_parser_new(struct dump *dump, struct text source)
{
	struct dump_parser *p = g_new0(struct dump_parser, 1);

	p->dump = dump;
	p->source = source;
	p->frames = g_new(uint32_t, LIMIT_FRAMES);
	p->words = g_string_new(NULL);
	p->section = p->message = NONE;
	p->race = race_parser_new(dump, source);
	return p;
}

void dump_parser_free(struct dump_parser *p)
{
	g_free(p->frames);
	buffer_done(&p->calls);
	buffer_done(&p->pending.line);
	g_string_free(p->words, TRUE);
	race_parser_free(p->race);
	g_free(p);
}

struct text dump_parser_source(const struct dump_parser *p) { return p->source; }

/* Sections and messages */

static struct dump_section *section_of(struct dump_parser *p, struct dump_place place)
{
	if (p->section == NONE) {
		p->section = dump_store_section(p->dump, p->source, place);
		p->section_goroutines = 0;
	}
	return blocks_at(&p->dump->sections, p->section);
}

static void section_end(struct dump_parser *p)
{
	const struct dump_section *section;

	if (p->section != NONE) {
		section = blocks_at(&p->dump->sections, p->section);
		if (section->goroutines < section->stated)
			dump_gap_add(p->dump, DUMP_GAP_FEWER, section->place);
	}
	p->section = NONE;
	p->strangers = false;
}

static void message_end(struct dump_parser *p)
{
	struct dump_message *message;

	if (p->message == NONE || p->words->len == 0)
		return;
	message = blocks_at(&p->dump->messages, p->message);
	message->text = (struct text){arena_copy(p->dump->arena, p->words->str, p->words->len),
				      p->words->len};
	p->dump->text_bytes += p->words->len;
	g_string_truncate(p->words, 0);
	p->word_lines = 0;
}

static struct dump_message *message_add(struct dump_parser *p, enum dump_message_kind kind,
					struct text text, struct dump_place place)
{
	struct dump_section *section = section_of(p, place);
	struct dump_message *message;

	message_end(p);
	if (p->dump->messages.count >= LIMIT_DUMP_MESSAGES ||
	    p->dump->text_bytes > LIMIT_DUMP_TEXT_BYTES) {
		dump_gap_add(p->dump, DUMP_GAP_LIMIT, place);
		return NULL;
	}
	p->message = (uint32_t)p->dump->messages.count;
	if (section->first_message == NONE)
		section->first_message = p->message;
	message = blocks_add(&p->dump->messages);
	*message = (struct dump_message){.place = place,
					 .number = -1,
					 .goroutines_before = p->section_goroutines,
					 .kind = (uint16_t)kind,
					 .section = (uint16_t)p->section};
	g_string_append_len(p->words, text.p, (gssize)text.n);
	p->word_lines = 1;
	return message;
}

/** The message that a line below it belongs to; NULL when there is none in this section. */
static struct dump_message *message_last(struct dump_parser *p)
{
	struct dump_message *message;

	if (p->message == NONE || p->section == NONE)
		return NULL;
	message = blocks_at(&p->dump->messages, p->message);
	return message->section == p->section ? message : NULL;
}

/* Stacks */

static void stack_begin(struct dump_parser *p, struct dump_place place, struct text thread)
{
	section_of(p, place);
	p->open = true;
	p->goroutine = (struct dump_goroutine){
		.offset = place.offset,
		.line = place.line > UINT32_MAX ? UINT32_MAX : (uint32_t)place.line,
		.count = 1,
		.section = (uint16_t)p->section};
	p->stack = (struct stack_parts){.frames = p->frames, .created_by = DUMP_NO_FRAME};
	p->calls.n = 0;
	dump_calls_pack(&p->calls, &thread, 1);
	p->expect = EXPECT_FRAME;
}

static struct dump_place goroutine_place(const struct dump_parser *p)
{
	return (struct dump_place){p->goroutine.offset, p->goroutine.line};
}

static void pending_drop(struct dump_parser *p, bool end_of_text);

static void stack_gaps(struct dump_parser *p)
{
	struct dump_place place = goroutine_place(p);

	if (p->stack.flags & DUMP_STACK_ELIDED)
		dump_gap_add(p->dump, DUMP_GAP_ELIDED, place);
	if (p->stack.flags & DUMP_STACK_UNAVAILABLE)
		dump_gap_add(p->dump, DUMP_GAP_UNAVAILABLE, place);
	if (p->stack.flags & DUMP_STACK_CUT)
		dump_gap_add(p->dump, DUMP_GAP_CUT, place);
	if (p->goroutine.flags & DUMP_GOROUTINE_NO_HEADER)
		dump_gap_add(p->dump, DUMP_GAP_NO_HEADER, place);
}

static void stack_end(struct dump_parser *p)
{
	struct dump_section *section;

	if (!p->open)
		return;
	if (p->expect == EXPECT_PLACE)
		pending_drop(p, false);
	p->open = false;
	p->expect = EXPECT_ANYTHING;
	stack_gaps(p);
	p->goroutine.group = dump_store_group(p->dump, &p->stack);
	if (p->goroutine.group == DUMP_STORE_FULL ||
	    p->dump->goroutines.count >= LIMIT_GOROUTINES) {
		dump_gap_add(p->dump, DUMP_GAP_LIMIT, goroutine_place(p));
		return;
	}
	dump_store_goroutine(p->dump, &p->goroutine, (struct text){p->calls.p, p->calls.n});
	section = blocks_at(&p->dump->sections, p->section);
	section->goroutines += p->goroutine.count;
	section->created_by_ids += p->goroutine.parent_id != 0;
	p->section_goroutines++;
	p->strangers = false;
}

static bool frame_put(struct dump_parser *p, uint32_t frame, struct text arguments,
		      struct text tail)
{
	const struct text parts[] = {arguments, tail};

	if (frame == DUMP_STORE_FULL || p->stack.frame_count == LIMIT_FRAMES) {
		p->stack.flags |= DUMP_STACK_CUT;
		return true;
	}
	p->frames[p->stack.frame_count++] = frame;
	dump_calls_pack(&p->calls, parts, 2);
	return true;
}

/* Lines that need the next one */

static struct text pending_name(const struct pending *pending)
{
	return (struct text){pending->line.p + pending->name_at, pending->name_size};
}

static void pending_set(struct dump_parser *p, struct text line, struct text name,
			struct dump_place place)
{
	p->pending.line.n = 0;
	memcpy(buffer_extend(&p->pending.line, line.n), line.p, line.n);
	p->pending.name_at = (size_t)(name.p - line.p);
	p->pending.name_size = name.n;
	p->pending.place = place;
	p->pending.created = false;
	p->expect = EXPECT_PLACE;
}

static bool created_put(struct dump_parser *p, struct text place)
{
	uint32_t frame;

	if (!dump_store_frame(p->dump, pending_name(&p->pending), place, false, &frame))
		return false;
	p->stack.created_by = frame;
	p->goroutine.parent_id = p->pending.parent;
	p->expect = EXPECT_FRAME;
	return true;
}

/** The file and line of the function that waits; @a line has no tab any more. */
static bool place_line(struct dump_parser *p, struct text line)
{
	struct text whole = {p->pending.line.p, p->pending.line.n};
	struct text name = pending_name(&p->pending), arguments = {"", 0};
	struct text tail = line_place_tail(&line);
	struct line_place parts;
	bool inlined;
	uint32_t frame;

	if (p->pending.created)
		return created_put(p, line);
	if (name.n < whole.n)
		arguments = (struct text){whole.p + name.n + 1, whole.n - name.n - 2};
	inlined = text_is(arguments, "...") && !memmem(line.p, line.n, " +0x", 4);
	if (name.n < whole.n && (tail.n || !memmem(line.p, line.n, "pc=", 3))) {
		if (!dump_store_frame(p->dump, name, line, inlined, &frame))
			return false;
	} else { // C code: its symbolizer's name may have brackets that are no arguments
		if (!line_place_parse(line, &parts) || !parts.foreign ||
		    !dump_store_frame(p->dump, whole, line, false, &frame))
			return false;
		arguments.n = 0;
	}
	p->expect = EXPECT_FRAME;
	return frame_put(p, frame, arguments, tail);
}

/** The line that should have followed did not. */
static void pending_drop(struct dump_parser *p, bool end_of_text)
{
	struct dump_frame frame = {0};
	struct line_function function;
	struct text name, whole;

	if (p->expect != EXPECT_PLACE)
		return;
	whole = (struct text){p->pending.line.p, p->pending.line.n};
	frame.function = name = pending_name(&p->pending);
	p->expect = EXPECT_FRAME;
	if (end_of_text)
		p->stack.flags |= DUMP_STACK_CUT;
	if (p->pending.created) {
		p->stack.created_by = dump_store_frame_parts(p->dump, &frame, (struct text){"", 0});
		p->goroutine.parent_id = p->pending.parent;
	} else if (line_name_sound(name) && line_function_parse(whole, &function) &&
		   line_arguments_sound(function.arguments)) {
		frame_put(p, dump_store_frame_parts(p->dump, &frame, (struct text){"", 0}),
			  function.arguments, (struct text){"", 0});
	} else {
		p->goroutine.flags |= DUMP_GOROUTINE_ODD;
		dump_gap_add(p->dump, DUMP_GAP_ORPHAN_LINES, p->pending.place);
	}
}

/* Lines of a stack */

static bool created_line(struct dump_parser *p, struct text line, struct dump_place place)
{
	struct text name;
	uint64_t parent;

	if (!line_created_parse(line, &name, &parent))
		return false;
	pending_set(p, line, name, place);
	p->pending.created = true;
	p->pending.parent = parent;
	return true;
}

static bool foreign_line(struct dump_parser *p, struct text line, struct dump_place place)
{
	struct dump_frame frame = {.function = text_of("non-Go function"),
				   .flags = DUMP_FRAME_FOREIGN};
	struct text rest = line;

	if (scan_prefix(&rest, "non-Go function")) {
		if (rest.n == 0) {
			pending_set(p, line, line, place);
			return true;
		}
		if (scan_prefix(&rest, " at pc=") && scan_address(&rest, &frame.pc) && rest.n == 0)
			return frame_put(p, dump_store_frame_parts(p->dump, &frame, line),
					 (struct text){"", 0}, (struct text){"", 0});
		return false;
	}
	if (memchr(line.p, ' ', line.n) || memchr(line.p, '"', line.n) || line.p[0] == '\t' ||
	    line.p[0] == '[')
		return false;
	pending_set(p, line, line, place); // a C function's name, if a PC follows
	return true;
}

static bool frame_line(struct dump_parser *p, struct text line, struct dump_place place)
{
	struct line_function function;
	uint32_t count;

	if (line_function_parse(line, &function)) {
		pending_set(p, line, function.name, place);
		return true;
	}
	if (created_line(p, line, place))
		return true;
	if (line_elided_parse(line, &count)) {
		p->stack.flags |= DUMP_STACK_ELIDED;
		p->stack.elided_before = p->stack.frame_count;
		p->stack.elided_count = count;
		return true;
	}
	if (text_is(line, "\tgoroutine running on other thread; stack unavailable") ||
	    text_is(line, "goroutine running on other thread; stack unavailable")) {
		p->stack.flags |= DUMP_STACK_UNAVAILABLE;
		return true;
	}
	return foreign_line(p, line, place);
}

/* Lines that begin something */

static uint32_t labels_store(struct dump_parser *p, struct text labels)
{
	g_autofree char *decoded = NULL;
	uint32_t word;

	if (labels.n == 0)
		return 0;
	decoded = g_malloc(LINE_LABELS_SIZE(labels));
	word = dump_store_word(p->dump,
			       (struct text){decoded, line_labels_decode(labels, decoded)});
	return word == DUMP_STORE_FULL ? 0 : word;
}

static bool header_line(struct dump_parser *p, struct text line, struct dump_place place)
{
	struct line_header header;
	uint32_t state;

	if (!line_header_parse(line, &header))
		return false;
	stack_end(p);
	message_end(p);
	if (p->strangers && p->section_goroutines && header.id == p->first_id)
		section_end(p); // printed once more
	stack_begin(p, place, header.thread);
	if (p->section_goroutines == 0)
		p->first_id = header.id;
	state = dump_store_word(p->dump, header.state);
	p->goroutine.id = header.id;
	p->goroutine.minutes = header.minutes;
	p->goroutine.state = state == DUMP_STORE_FULL ? 0 : state;
	p->goroutine.labels = labels_store(p, header.labels);
	p->goroutine.flags =
		(uint16_t)(header.flags | (header.id ? 0 : DUMP_GOROUTINE_SYSTEM_STACK));
	return true;
}

/** "runtime stack:" and "[originating from goroutine 7]:" */
static bool other_stack_line(struct dump_parser *p, struct text line, struct dump_place place)
{
	uint16_t flag = DUMP_GOROUTINE_SYSTEM_STACK;
	uint64_t id = 0;

	if (line_ancestor_parse(line, &id))
		flag = DUMP_GOROUTINE_ANCESTOR;
	else if (!text_is(line, "runtime stack:"))
		return false;
	stack_end(p);
	message_end(p);
	stack_begin(p, place, (struct text){"", 0});
	p->goroutine.id = id;
	p->goroutine.flags = flag;
	return true;
}

/** A death's first words: when goroutines were printed before, is it another death? */
static void death_begins(struct dump_parser *p, enum dump_message_kind kind)
{
	stack_end(p);
	if (p->section_goroutines && (p->strangers || (kind != DUMP_SIGNAL && p->signalled)))
		section_end(p);
	if (p->section == NONE)
		p->signalled = kind == DUMP_SIGNAL;
}

static bool panic_line(struct dump_parser *p, struct text line, struct dump_place place)
{
	struct dump_message *message;
	bool nested = false;
	uint16_t flags = 0;

	while (scan_prefix(&line, "\t"))
		nested = true;
	if (scan_prefix(&line, "fatal error: ")) {
		if (!nested)
			death_begins(p, DUMP_FATAL);
		stack_end(p);
		message = message_add(p, DUMP_FATAL, line, place);
		if (message && nested)
			message->flags |= DUMP_MESSAGE_NESTED;
		p->expect = EXPECT_ANYTHING;
		return true;
	}
	if (!scan_prefix(&line, "panic: "))
		return false;
	if (nested)
		flags |= DUMP_MESSAGE_NESTED;
	else
		death_begins(p, DUMP_PANIC);
	stack_end(p);
	if (scan_suffix(&line, " [recovered, repanicked]"))
		flags |= DUMP_MESSAGE_REPANICKED;
	else if (scan_suffix(&line, " [recovered]"))
		flags |= DUMP_MESSAGE_RECOVERED;
	message = message_add(p, DUMP_PANIC, line, place);
	if (message)
		message->flags |= flags;
	p->expect = EXPECT_MESSAGE;
	return true;
}

static bool signal_line(struct dump_parser *p, struct text line, struct dump_place place)
{
	struct dump_message *message;
	struct text words = line;

	if (line_signal_parse(line)) {
		death_begins(p, DUMP_SIGNAL);
		message_add(p, DUMP_SIGNAL, line, place);
		return true;
	}
	message = message_last(p);
	if (line.p[0] == 'P' && message && message->kind == DUMP_SIGNAL)
		return line_signal_pc_parse(line, &message->pc, &message->number,
					    &message->address);
	if (!scan_prefix(&words, "[signal ") || !scan_suffix(&words, "]"))
		return false;
	stack_end(p);
	message = message_add(p, DUMP_SIGNAL_NOTE, words, place);
	if (message)
		line_signal_note_parse(words, &message->pc, &message->number, &message->address);
	p->expect = EXPECT_ANYTHING;
	return true;
}

static bool exit_line(struct dump_parser *p, struct text line, struct dump_place place)
{
	struct dump_message *message;
	uint64_t status;

	if (!scan_prefix(&line, "exit status ") || !scan_decimal(&line, &status) || line.n ||
	    p->section == NONE)
		return false;
	stack_end(p);
	message = message_add(p, DUMP_EXIT, line, place);
	if (message)
		message->number = (int64_t)status;
	message_end(p);
	section_end(p);
	return true;
}

/** What stands between messages and stacks. */
static bool remark_line(struct dump_parser *p, struct text line, struct dump_place place)
{
	struct dump_message *message = message_last(p);
	struct text rest = line;

	if (scan_prefix(&rest, "runtime: ")) {
		message_add(p, DUMP_RUNTIME, rest, place);
		return true;
	}
	if (!message)
		return false;
	if (text_is(line, "signal arrived during cgo execution")) {
		message->flags |= DUMP_MESSAGE_CGO;
		return true;
	}
	if (line_register(line)) {
		stack_end(p);
		message->flags |= DUMP_MESSAGE_REGISTERS;
		return true;
	}
	if (text_is(line, "-----")) {
		stack_end(p);
		((struct dump_section *)blocks_at(&p->dump->sections, p->section))->level =
			DUMP_LEVEL_CRASH;
		return true;
	}
	return false;
}

/* Profiles in words */

static bool profile_line(struct dump_parser *p, struct text line, struct dump_place place)
{
	struct dump_section *section;
	uint64_t total;

	if (!record_total_parse(line, &total))
		return false;
	stack_end(p);
	section_end(p);
	section = section_of(p, place);
	section->form = DUMP_FORM_PROFILE;
	section->stated = total;
	return true;
}

static bool record_line(struct dump_parser *p, struct text line, struct dump_place place)
{
	struct text pcs;
	uint64_t count;

	if (p->section == NONE || section_of(p, place)->form != DUMP_FORM_PROFILE ||
	    !record_parse(line, &count, &pcs))
		return false;
	stack_end(p);
	stack_begin(p, place, pcs);
	p->goroutine.count = count > UINT32_MAX ? UINT32_MAX : (uint32_t)count;
	p->expect = EXPECT_RECORD;
	return true;
}

static bool record_more(struct dump_parser *p, struct text line)
{
	struct dump_frame frame;
	struct text place;

	if (record_labels_parse(line, &place)) {
		p->goroutine.labels = labels_store(p, place);
		return true;
	}
	return record_frame_parse(line, &frame, &place) &&
	       frame_put(p, dump_store_frame_parts(p->dump, &frame, place), (struct text){"", 0},
			 (struct text){"", 0});
}

/** Frames that nobody introduced: the head of their stack was cut off, or stood in another line. */
static bool headless_line(struct dump_parser *p, struct text line, struct dump_place place)
{
	struct line_function function;

	if (!line_function_parse(line, &function) || !line_arguments_sound(function.arguments) ||
	    !line_name_sound(function.name))
		return false;
	pending_set(p, line, function.name, place);
	return true;
}

static bool race_line(struct dump_parser *p, struct text line, struct dump_place place)
{
	if (!race_parser_line(p->race, line, place))
		return false;
	stack_end(p);
	message_end(p);
	p->racing = true;
	p->expect = EXPECT_ANYTHING;
	return true;
}

static bool beginning_line(struct dump_parser *p, struct text line, struct dump_place place)
{
	switch (line.p[0]) {
	case 'g':
		return header_line(p, line, place) || profile_line(p, line, place);
	case '0' ... '9':
		return record_line(p, line, place);
	case 'f':
	case 'p':
	case '\t':
		return panic_line(p, line, place);
	case 'S':
	case 'P':
		return signal_line(p, line, place);
	case '[':
		return signal_line(p, line, place) || other_stack_line(p, line, place);
	case 'e':
		return exit_line(p, line, place);
	case 'r':
		return other_stack_line(p, line, place) || remark_line(p, line, place);
	case 'W':
		return race_line(p, line, place);
	default:
		return remark_line(p, line, place);
	}
}

/* The machine */

static bool message_more(struct dump_parser *p, struct text line)
{
	if (p->word_lines++ >= MESSAGE_LINES_MAX)
		return false;
	g_string_append_c(p->words, '\n');
	g_string_append_len(p->words, line.p, (gssize)line.n);
	return true;
}

static bool blank_line(struct dump_parser *p)
{
	bool again = p->blank;

	p->blank = true;
	if (p->expect == EXPECT_PLACE)
		p->doubled = true; // the runtime leaves no line empty here
	if (p->doubled && !again)
		return true;
	pending_drop(p, false);
	if (p->expect == EXPECT_FRAME)
		p->expect = EXPECT_MORE;
	else if (p->expect == EXPECT_RECORD)
		stack_end(p);
	else if (p->expect == EXPECT_MESSAGE)
		p->expect = EXPECT_ANYTHING;
	return true;
}

/** Starts a stack without header when the file and line of a lone function follow. */
static bool headless_place(struct dump_parser *p, struct text line)
{
	struct text key = line;
	struct line_place parts;

	line_place_tail(&key);
	if (!line_place_parse(key, &parts))
		return false;
	stack_begin(p, p->pending.place, (struct text){"", 0});
	p->goroutine.flags = DUMP_GOROUTINE_NO_HEADER;
	p->expect = EXPECT_PLACE;
	return place_line(p, line);
}

/** Is it the file and line that the function before needs? Lines of others may stand between. */
static bool place_expected(struct dump_parser *p, struct text line)
{
	struct text place = line;

	while (place.n && (place.p[0] == '\t' || place.p[0] == ' '))
		scan_skip(&place, 1);
	if (place.n && (p->open ? place_line(p, place) : headless_place(p, place)))
		return true;
	if (!line_begins_dump(line) && !text_starts(line, "created by ") &&
	    !text_starts(line, "..."))
		return false;
	if (p->open)
		pending_drop(p, false);
	else
		p->expect = EXPECT_ANYTHING;
	return false;
}

/** A stack that needs nothing more; behind another, an empty line stands by mistake. */
static bool stack_complete(const struct dump_parser *p)
{
	struct text outermost;

	if (p->stack.created_by != DUMP_NO_FRAME || p->stack.flags & DUMP_STACK_UNAVAILABLE)
		return true;
	if (p->stack.frame_count == 0)
		return false;
	outermost = dump_frame(p->dump, p->frames[p->stack.frame_count - 1])->function;
	return text_is(outermost, "runtime.goexit") || text_is(outermost, "main.main");
}

static bool stack_line(struct dump_parser *p, struct text line, struct dump_place place)
{
	if (frame_line(p, line, place))
		return true;
	p->goroutine.flags |= DUMP_GOROUTINE_ODD;
	return false;
}

/** What a line within a stack is nearly always: a call, and nothing that begins like a message. */
static bool plain_frame(const struct dump_parser *p, struct text line)
{
	return p->expect == EXPECT_FRAME && line.p[line.n - 1] == ')' &&
	       !memchr("\t[fpSP", line.p[0], 6);
}

/** Lines of others may stand between a report's; another dump ends it. */
static bool race_more(struct dump_parser *p, struct text line, struct dump_place place)
{
	if (race_parser_line(p->race, line, place))
		return true;
	p->racing = !line_begins_dump(line);
	if (!p->racing)
		race_parser_end(p->race);
	return false;
}

bool dump_parser_line(struct dump_parser *p, struct text line, struct dump_place place)
{
	if (p->racing && race_more(p, line, place))
		return true;
	if (line.n == 0)
		return blank_line(p);
	p->blank = false;
	if (p->expect == EXPECT_PLACE && place_expected(p, line))
		return true;
	if (!plain_frame(p, line) && beginning_line(p, line, place))
		return true;
	switch (p->expect) {
	case EXPECT_MESSAGE:
		return message_more(p, line);
	case EXPECT_RECORD:
		return record_more(p, line);
	case EXPECT_PLACE:
		if (p->open)
			p->goroutine.flags |= DUMP_GOROUTINE_ODD;
		return false;
	case EXPECT_MORE:
		if ((line.p[0] == 'c' || !stack_complete(p)) && frame_line(p, line, place))
			return true;
		stack_end(p);
		break;
	case EXPECT_FRAME:
		return stack_line(p, line, place);
	default:
		break;
	}
	if (headless_line(p, line, place))
		return true;
	p->strangers = true;
	return false;
}

void dump_parser_end(struct dump_parser *p)
{
	if (p->open)
		pending_drop(p, true);
	stack_end(p);
	message_end(p);
	section_end(p);
	race_parser_end(p->race);
}
