// SPDX-License-Identifier: Apache-2.0
// Machine code of real toolchains (map_code_samples.txt, written by tools/map_code_samples.py). How often each
// function gives up was counted in the toolchain's source.
#include "record/map_code.h"

#include "base/error.h"

#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define REFERENCES_MAX 64
#define SWISS_SINCE    24

struct sample {
	int minor;
	char name[128];
	uint64_t address;
	size_t give_ups;
	GByteArray *code;
	struct {
		uint64_t address;
		char name[128];
	} calls[REFERENCES_MAX];
	uint64_t messages[REFERENCES_MAX];
	size_t call_count, message_count;
};

static enum callee callee_of(void *context, uint64_t address)
{
	const struct sample *s = context;

	for (size_t i = 0; i < s->call_count; i++) {
		const char *name = s->calls[i].name;

		if (s->calls[i].address != address)
			continue;
		if (strstr(name, "throw") || strstr(name, "fatal"))
			return CALLEE_GIVES_UP;
		return strstr(name, "panic") ? CALLEE_ENDS : CALLEE_OTHER;
	}
	return CALLEE_OTHER;
}

static bool is_map_message(void *context, uint64_t address)
{
	const struct sample *s = context;

	for (size_t i = 0; i < s->message_count; i++)
		if (s->messages[i] == address)
			return true;
	return false;
}

static struct map_code_question question_of(struct sample *s)
{
	bool swiss = s->minor >= SWISS_SINCE;

	return (struct map_code_question){
		.bytes = s->code->data,
		.size = s->code->len,
		.address = s->address,
		.flag_offset = swiss ? 34 : 8,
		.flag_mask = swiss ? 1 : 4,
		.writes = true,
		.callee = callee_of,
		.is_map_message = is_map_message,
		.context = s,
	};
}

static size_t count(const struct map_code *code, enum map_moment moment)
{
	size_t found = 0;

	for (size_t i = 0; i < code->count; i++)
		found += code->hooks[i].moment == moment;
	return found;
}

static void check_sample(struct sample *s)
{
	scoped(decoder) struct decoder *decoder = decoder_new();
	struct map_code_question question = question_of(s);
	struct map_code code;
	const char *wrong = map_code_read(decoder, &question, &code);

	if (wrong)
		fail_msg("go1.%d %s: %s", s->minor, s->name, wrong);
	assert_int_equal(count(&code, MOMENT_SET), 1);
	assert_true(count(&code, MOMENT_CLEAR) >= 1);
	assert_int_equal(count(&code, MOMENT_GIVE_UP), s->give_ups);
	for (size_t i = 0; i < code.count; i++) {
		const struct map_hook *hook = &code.hooks[i];

		assert_true(hook->size >= 5 && hook->size <= MAP_HOOK_ROOM);
		assert_true(hook->address >= s->address);
		assert_true(hook->address + hook->size <= s->address + s->code->len);
		assert_int_not_equal(hook->map_register, REGISTER_NONE);
	}
}

/** A function that is cut short or changed is left alone or read as another, and nothing else happens. */
static void check_damaged(struct sample *s)
{
	scoped(decoder) struct decoder *decoder = decoder_new();
	struct map_code code;

	for (guint i = 0; i < s->code->len; i += 7) {
		struct map_code_question question = question_of(s);
		uint8_t kept = s->code->data[i];

		question.size = i;
		map_code_read(decoder, &question, &code);
		question.size = s->code->len;
		s->code->data[i] ^= 0x55;
		map_code_read(decoder, &question, &code);
		s->code->data[i] = kept;
	}
}

static void add_code(struct sample *s, const char *hex)
{
	for (; g_ascii_isxdigit(hex[0]) && g_ascii_isxdigit(hex[1]); hex += 2) {
		uint8_t byte =
			(uint8_t)(g_ascii_xdigit_value(hex[0]) << 4 | g_ascii_xdigit_value(hex[1]));

		g_byte_array_append(s->code, &byte, 1);
	}
}

static void begin(struct sample *s, char **words)
{
	guint n = g_strv_length(words);

	s->minor = (int)g_ascii_strtoll(words[1], NULL, 10);
	g_strlcpy(s->name, words[2], sizeof(s->name));
	s->address = g_ascii_strtoull(words[n - 2], NULL, 16);
	s->give_ups = (size_t)g_ascii_strtoull(words[n - 1], NULL, 10);
	s->call_count = s->message_count = 0;
	g_byte_array_set_size(s->code, 0);
}

static void read_line(struct sample *s, const char *line)
{
	g_auto(GStrv) words = g_strsplit(line, " ", -1);

	if (g_str_has_prefix(line, "function ")) {
		begin(s, words);
	} else if (g_str_has_prefix(line, "call ")) {
		assert_true(s->call_count < REFERENCES_MAX);
		s->calls[s->call_count].address = g_ascii_strtoull(words[1], NULL, 16);
		g_strlcpy(s->calls[s->call_count++].name, words[2], sizeof(s->calls[0].name));
	} else if (g_str_has_prefix(line, "message ")) {
		s->messages[s->message_count++] = g_ascii_strtoull(words[1], NULL, 16);
	} else if (g_str_has_prefix(line, "code ")) {
		add_code(s, words[1]);
	}
}

static size_t for_each_sample(void (*check)(struct sample *))
{
	struct sample s = {.code = g_byte_array_new()};
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;
	size_t checked = 0;

	assert_true(g_file_get_contents(SAMPLES, &text, NULL, NULL));
	lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line; line++) {
		bool next = line[1] && g_str_has_prefix(line[1], "function ");

		read_line(&s, *line);
		if (s.code->len && (next || !line[1])) {
			check(&s);
			checked++;
		}
	}
	g_byte_array_unref(s.code);
	return checked;
}

static void every_release_is_understood(void **state)
{
	assert_true(for_each_sample(check_sample) >= 38);
}

static void damaged_code_is_survived(void **state) { for_each_sample(check_damaged); }

static void left_alone(const uint8_t *bytes, size_t size, const char *why)
{
	scoped(decoder) struct decoder *decoder = decoder_new();
	struct sample none = {0};
	struct map_code_question question = {.bytes = bytes,
					     .size = size,
					     .address = 0x1000,
					     .flag_offset = 8,
					     .flag_mask = 4,
					     .writes = true,
					     .callee = callee_of,
					     .is_map_message = is_map_message,
					     .context = &none};
	struct map_code code;
	const char *wrong = map_code_read(decoder, &question, &code);

	assert_non_null(wrong);
	if (!strstr(wrong, why))
		fail_msg("\"%s\" does not say \"%s\"", wrong, why);
	assert_int_equal(code.count, 0);
}

#define FRAME 0x55, 0x48, 0x89, 0xe5 /* push rbp; mov rbp, rsp */
#define SET   0x0f, 0xb6, 0x4b, 0x08, 0x83, 0xf1, 0x04, 0x88, 0x4b, 0x08 /* of [rbx + 8] */
#define CLEAR 0x0f, 0xb6, 0x4b, 0x08, 0x83, 0xe1, 0xfb, 0x88, 0x4b, 0x08
#define END   0x5d, 0xc3 /* pop rbp; ret */

static void what_is_not_sure_is_left_alone(void **state)
{
	static const uint8_t no_clear[] = {FRAME, SET, END};
	static const uint8_t twice[] = {FRAME, SET, SET, CLEAR, END};
	static const uint8_t indirect[] = {FRAME, SET, CLEAR, 0xff, 0xe0};
	static const uint8_t flags_used[] = {FRAME, SET, CLEAR, 0x74, 0x00, END};
	static const uint8_t jumped_into[] = {FRAME, SET, CLEAR, 0x48, 0x85, 0xc0, 0x74, 0xf8, END};
	static const uint8_t no_frame[] = {SET, CLEAR, 0xc3};

	left_alone(no_clear, sizeof(no_clear), "left with the writing flag set");
	left_alone(twice, sizeof(twice), "twice");
	left_alone(indirect, sizeof(indirect), "where a register says");
	left_alone(flags_used, sizeof(flags_used), "flags are used");
	left_alone(jumped_into, sizeof(jumped_into), "left with the writing flag set");
	left_alone(no_frame, sizeof(no_frame), "no frame pointer");
}

static const char *birth(const uint8_t *bytes, size_t size, enum map_moment moment, uint8_t map,
			 struct map_code *ret)
{
	scoped(decoder) struct decoder *decoder = decoder_new();
	struct map_code_question question = {
		.bytes = bytes, .size = size, .address = 0x1000, .map_register = map};

	return map_code_read_birth(decoder, &question, moment, ret);
}

/** Where each way out has the map in RAX, or on the stack, with the frame still there or gone. */
static void makers_are_hooked_where_they_return(void **state)
{
	// push rbp; mov rbp, rsp; sub rsp, 24; mov rax, rcx; add rsp, 24; pop rbp; ret
	static const uint8_t in_register[] = {FRAME, 0x48, 0x83, 0xec, 0x18, 0x48, 0x89,
					      0xc8,  0x48, 0x83, 0xc4, 0x18, END};
	// sub rsp, 24; mov [rsp + 32], rcx; mov rbp, [rsp + 16]; add rsp, 24; ret
	static const uint8_t on_stack[] = {0x48, 0x83, 0xec, 0x18, 0x48, 0x89, 0x4c,
					   0x24, 0x20, 0x48, 0x8b, 0x6c, 0x24, 0x10,
					   0x48, 0x83, 0xc4, 0x18, 0xc3};
	struct map_code code;

	assert_null(birth(in_register, sizeof(in_register), MOMENT_MADE, RAX, &code));
	assert_int_equal(code.count, 1);
	assert_int_equal(code.hooks[0].address, 0x1000 + 11);
	assert_int_equal(code.hooks[0].size, 6);
	assert_true(code.hooks[0].in_frame);
	assert_null(birth(on_stack, sizeof(on_stack), MOMENT_MADE, REGISTER_NONE, &code));
	assert_int_equal(code.count, 1);
	assert_int_equal(code.hooks[0].address, 0x1000 + 14);
	assert_false(code.hooks[0].in_frame);
}

static void makers_that_are_not_sure_are_left_alone(void **state)
{
	static const uint8_t late[] = {FRAME, 0x90, 0x48, 0x89, 0xc8, END}; // mov rax, rcx
	static const uint8_t no_room[] = {0xc3};
	static const uint8_t target[] = {0xeb, 0x04, 0x48, 0x83, 0xc4, 0x18, END}; // to its pop
	struct map_code code;

	assert_non_null(birth(late, sizeof(late), MOMENT_MADE, RAX, &code));
	assert_non_null(birth(no_room, sizeof(no_room), MOMENT_MADE, RAX, &code));
	assert_non_null(birth(target, sizeof(target), MOMENT_MADE, RAX, &code));
	assert_int_equal(code.count, 0);
}

static void growers_are_hooked_where_they_begin(void **state)
{
	// cmp rsp, [r14 + 16]; jbe; push rbp; mov rbp, rsp; sub rsp, 24; ...
	static const uint8_t grower[] = {0x49, 0x3b, 0x66, 0x10, 0x76, 0x0c, FRAME, 0x48,
					 0x83, 0xec, 0x18, 0x48, 0x83, 0xc4, 0x18,  END};
	// the map's register is gone by then: mov rbx, rcx
	static const uint8_t changed[] = {0x48, 0x89, 0xcb,  0x49, 0x3b, 0x66, 0x10,
					  0x76, 0x0a, FRAME, 0x48, 0x83, 0xec, 0x18,
					  0x48, 0x83, 0xc4,  0x18, END};
	struct map_code code;

	assert_null(birth(grower, sizeof(grower), MOMENT_GROWN, RBX, &code));
	assert_int_equal(code.hooks[0].address, 0x1000 + 6);
	assert_int_equal(code.hooks[0].size, 8);
	assert_false(code.hooks[0].in_frame);
	assert_non_null(birth(changed, sizeof(changed), MOMENT_GROWN, RBX, &code));
	assert_non_null(birth(grower + 6, sizeof(grower) - 6, MOMENT_GROWN, RBX, &code));
}

/* The messages and the function that gives up, as far from 0x1000 as the code below says. */
static const char *reader(const uint8_t *bytes, size_t size, bool swiss, struct map_code *ret)
{
	scoped(decoder) struct decoder *decoder = decoder_new();
	static struct sample s = {.calls = {{0x8000, "runtime.fatal"}},
				  .call_count = 1,
				  .messages = {0x9000},
				  .message_count = 1};
	struct map_code_question question = {.bytes = bytes,
					     .size = size,
					     .address = 0x1000,
					     .flag_offset = swiss ? 34 : 8,
					     .flag_mask = swiss ? 1 : 4,
					     .reads = true,
					     .callee = callee_of,
					     .is_map_message = is_map_message,
					     .context = &s};

	return map_code_read(decoder, &question, ret);
}

static void readers_are_hooked_at_their_check(void **state)
{
	// movzx ecx, [rbx + 8]; test cl, 4; jne; pop rbp; ret; lea rax, message; call fatal; ud2
	static const uint8_t loads[] = {FRAME, 0x0f, 0xb6, 0x4b, 0x08, 0xf6, 0xc1, 0x04, 0x75,
					0x02,  END,  0x48, 0x8d, 0x05, 0xea, 0x7f, 0x00, 0x00,
					0xe8,  0xe5, 0x6f, 0x00, 0x00, 0x0f, 0x0b};
	struct map_code code;

	assert_null(reader(loads, sizeof(loads), false, &code));
	assert_null(code.unread);
	assert_int_equal(count(&code, MOMENT_GIVE_UP), 1);
	assert_int_equal(code.count, 2);
	assert_int_equal(code.hooks[0].moment, MOMENT_READ);
	assert_int_equal(code.hooks[0].address, 0x1000 + 4);
	assert_int_equal(code.hooks[0].size, 7);
	assert_int_equal(code.hooks[0].map_register, RBX);
	assert_true(code.hooks[0].in_frame);
}

/** A comparison with memory is shorter than a jump. */
static void or_behind_it(void **state)
{
	// cmp byte [rax + 34], 0; je; lea rax, message; call fatal; mov rcx, [rax + 8]; test rcx, rcx; pop rbp; ret
	static const uint8_t compares[] = {FRAME, 0x80, 0x78, 0x22, 0x00, 0x74, 0x0c, 0x48, 0x8d,
					   0x05,  0xef, 0x7f, 0x00, 0x00, 0xe8, 0xea, 0x6f, 0x00,
					   0x00,  0x48, 0x8b, 0x48, 0x08, 0x48, 0x85, 0xc9, END};
	// the same with another way there: test rcx, rcx; je
	static const uint8_t shared[] = {FRAME, 0x48, 0x85, 0xc9, 0x74, 0x12, 0x80, 0x78,
					 0x22,  0x00, 0x74, 0x0c, 0x48, 0x8d, 0x05, 0xea,
					 0x7f,  0x00, 0x00, 0xe8, 0xe5, 0x6f, 0x00, 0x00,
					 0x48,  0x8b, 0x48, 0x08, 0x48, 0x85, 0xc9, END};
	struct map_code code;

	assert_null(reader(compares, sizeof(compares), true, &code));
	assert_null(code.unread);
	assert_int_equal(code.hooks[0].moment, MOMENT_READ);
	assert_int_equal(code.hooks[0].address, 0x1000 + 22);
	assert_int_equal(code.hooks[0].size, 7);
	assert_int_equal(code.hooks[0].map_register, RAX);
	assert_null(reader(shared, sizeof(shared), true, &code));
	assert_non_null(strstr(code.unread, "not the only way"));
	assert_int_equal(count(&code, MOMENT_READ), 0);
	assert_int_equal(count(&code, MOMENT_GIVE_UP), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_release_is_understood),
		cmocka_unit_test(damaged_code_is_survived),
		cmocka_unit_test(what_is_not_sure_is_left_alone),
		cmocka_unit_test(makers_are_hooked_where_they_return),
		cmocka_unit_test(makers_that_are_not_sure_are_left_alone),
		cmocka_unit_test(growers_are_hooked_where_they_begin),
		cmocka_unit_test(readers_are_hooked_at_their_check),
		cmocka_unit_test(or_behind_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
