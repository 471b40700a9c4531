// SPDX-License-Identifier: Apache-2.0
// What ThreadSanitizer's Go mode prints (llvm-project, compiler-rt/lib/tsan/rtl/tsan_report.cpp, PrintReport): two
// accesses with their stacks, then where each goroutine was made. Indentation is not relied on, as logs lose it.
#include "evidence/text/dump_race.h"

#include "base/limits.h"
#include "base/scan.h"
#include "evidence/text/dump_line.h"
#include "golang/runtime.h"

#include <glib.h>

#define ACCESSES   2
#define FRAMES_MAX 256 /* of one stack; the detector keeps 64 (kStackTraceMax is 256) */

struct access {
	uint64_t id; /**< 0 of the main goroutine, which is 1 */
	struct dump_place place;
	uint32_t state; /**< word: "write", "previous read" ... */
	uint32_t frames[FRAMES_MAX];
	uint32_t frame_count, flags, created_by;
};

struct race_parser {
	struct dump *dump;
	struct text source;
	bool open;
	struct dump_place place;
	struct text words; /**< "Write at 0x…": of the first access; in the dump's arena */
	uint64_t address;
	struct access access[ACCESSES];
	size_t count;
	struct access *stack;   /**< that frames belong to; NULL for none */
	struct access *creator; /**< whose "created at" stack is being read */
	GString *function;      /**< whose place the next line is; empty for none */
};

struct race_parser *race_parser_new(struct dump *dump, struct text source)
{
	struct race_parser *p = g_new0(struct race_parser, 1);

	p->dump = dump;
	p->source = source;
	p->function = g_string_new(NULL);
	return p;
}

void race_parser_free(struct race_parser *p)
{
	g_string_free(p->function, TRUE);
	g_free(p);
}

static void access_store(struct race_parser *p, const struct access *access, uint32_t section)
{
	struct dump_goroutine goroutine = {
		.id = access->id,
		.offset = access->place.offset,
		.line = access->place.line > UINT32_MAX ? UINT32_MAX : (uint32_t)access->place.line,
		.state = access->state,
		.count = 1,
		.section = (uint16_t)section};
	const struct stack_parts parts = {
		access->frames, access->frame_count, access->created_by, 0, 0, access->flags};

	goroutine.group = dump_store_group(p->dump, &parts);
	if (goroutine.group == DUMP_STORE_FULL || p->dump->goroutines.count >= LIMIT_GOROUTINES) {
		dump_gap_add(p->dump, DUMP_GAP_LIMIT, access->place);
		return;
	}
	dump_store_goroutine(p->dump, &goroutine, (struct text){"", 0});
	((struct dump_section *)blocks_at(&p->dump->sections, section))->goroutines++;
}

static void message_store(struct race_parser *p, uint32_t section)
{
	struct dump_section *stored = blocks_at(&p->dump->sections, section);
	struct dump_message *message;

	if (p->dump->messages.count >= LIMIT_DUMP_MESSAGES) {
		dump_gap_add(p->dump, DUMP_GAP_LIMIT, p->place);
		return;
	}
	if (stored->first_message == DUMP_NO_FRAME)
		stored->first_message = (uint32_t)p->dump->messages.count;
	message = blocks_add(&p->dump->messages);
	*message = (struct dump_message){.text = p->words,
					 .place = p->place,
					 .address = p->address,
					 .number = -1,
					 .kind = DUMP_RACE,
					 .section = (uint16_t)section};
}

/** The report is over: it is kept when it has an access. */
void race_parser_end(struct race_parser *p)
{
	uint32_t section;

	if (p->open && p->count && p->dump->sections.count == LIMIT_DUMP_SECTIONS) {
		dump_gap_add(p->dump, DUMP_GAP_SECTIONS, p->place);
	} else if (p->open && p->count) {
		section = dump_store_section(p->dump, p->source, p->place);
		((struct dump_section *)blocks_at(&p->dump->sections, section))->form =
			DUMP_FORM_RACE;
		message_store(p, section);
		for (size_t i = 0; i < p->count; i++)
			access_store(p, &p->access[i], section);
	}
	p->open = false;
}

static void begin(struct race_parser *p, struct dump_place place)
{
	race_parser_end(p);
	p->open = true;
	p->place = place;
	p->count = 0;
	p->stack = p->creator = NULL;
	g_string_truncate(p->function, 0);
}

/** "goroutine 10", "main goroutine" */
static bool id_parse(struct text *line, uint64_t *ret)
{
	*ret = 1;
	return scan_prefix(line, "main goroutine") ||
	       (scan_prefix(line, "goroutine ") && scan_decimal(line, ret));
}

/** "Previous write at 0x00c00009ac60 by goroutine 7:" */
static bool access_line(struct race_parser *p, struct text line, struct dump_place place)
{
	struct text whole = line, what, address;
	struct access *access;
	uint64_t at, id;

	if (!scan_until(&line, " at ", &what) || !scan_until(&line, " by ", &address) ||
	    !scan_address(&address, &at) || address.n || !id_parse(&line, &id) ||
	    !text_is(line, ":") || !(scan_suffix(&what, "ead") || scan_suffix(&what, "rite")))
		return false;
	p->stack = NULL;
	if (p->count == ACCESSES)
		return true;
	if (p->count == 0) {
		p->address = at;
		p->words = (struct text){arena_copy(p->dump->arena, whole.p, whole.n - 1),
					 whole.n - 1};
		p->dump->text_bytes += whole.n;
	}
	what.n = (size_t)(memmem(whole.p, whole.n, " at ", 4) - (const void *)whole.p);
	access = p->stack = &p->access[p->count++];
	access->id = id;
	access->place = place;
	access->state = dump_store_word(p->dump, what);
	if (access->state == DUMP_STORE_FULL)
		access->state = 0;
	access->frame_count = access->flags = 0;
	access->created_by = DUMP_NO_FRAME;
	return true;
}

/** "Goroutine 10 (running) created at:" */
static bool created_line(struct race_parser *p, struct text line)
{
	uint64_t id;

	if (!scan_prefix(&line, "Goroutine ") || !scan_decimal(&line, &id) ||
	    !scan_suffix(&line, " created at:"))
		return false;
	p->stack = p->creator = NULL;
	for (size_t i = 0; i < p->count; i++)
		if (p->access[i].id == id && p->access[i].created_by == DUMP_NO_FRAME)
			p->creator = &p->access[i];
	return true;
}

static bool place_line(struct race_parser *p, struct text line)
{
	struct text function = {p->function->str, p->function->len};
	struct line_place parts;
	uint32_t frame;

	if (!line_place_parse(line, &parts) || !parts.has_offset ||
	    !dump_store_frame(p->dump, function, line, false, &frame))
		return false;
	g_string_truncate(p->function, 0);
	if (frame == DUMP_STORE_FULL)
		return true;
	if (p->stack && p->stack->frame_count < FRAMES_MAX)
		p->stack->frames[p->stack->frame_count++] = frame;
	for (size_t i = 0; p->creator && i < p->count; i++)
		if (p->access[i].id == p->creator->id)
			p->access[i].created_by = frame;
	p->creator = NULL; // only the innermost frame says where
	return true;
}

/** Where type arguments begin, which may hold anything. */
static size_t bracket_at(struct text name)
{
	const char *bracket = memchr(name.p, '[', name.n);

	return bracket ? (size_t)(bracket - name.p) : name.n;
}

/** The detector prints type arguments, which tracebacks elide. */
static void function_set(struct race_parser *p, struct text name)
{
	g_autofree char *whole = g_strndup(name.p, name.n);
	g_autofree char *folded = go_function_name_folded(whole);

	g_string_assign(p->function, folded);
}

static bool frame_line(struct race_parser *p, struct text line)
{
	if (p->function->len && place_line(p, line))
		return true;
	if (text_is(line, "[failed to restore the stack]")) {
		if (p->stack)
			p->stack->flags |= DUMP_STACK_UNAVAILABLE;
		return true;
	}
	if (!scan_suffix(&line, "()") || !line_name_sound((struct text){line.p, bracket_at(line)}))
		return false;
	function_set(p, line);
	return true;
}

bool race_parser_line(struct race_parser *p, struct text line, struct dump_place place)
{
	if (text_is(line, RACE_WORDS)) {
		begin(p, place);
		return true;
	}
	if (!p->open)
		return false;
	while (line.n && (line.p[0] == ' ' || line.p[0] == '\t'))
		scan_skip(&line, 1);
	if (line.n == 0)
		return true;
	if (text_starts(line, "======")) {
		race_parser_end(p);
		return true;
	}
	return access_line(p, line, place) || created_line(p, line) || frame_line(p, line);
}
