// SPDX-License-Identifier: Apache-2.0
// A reader stopped inside a map function: main.route calls main.lookup, which calls
// runtime.mapaccess1_faststr(type, map, key). What the code of the callers says of the second
// argument, in RBX.
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "build_program.h"

#include "model/stack/map_trace.h"
#include "model/stack/trace.h"
#include "model/stack/unwind.h"

#include <stdio.h>

#define ROUTE_FRAME  0x20
#define LOOKUP_FRAME 0x18
#define VALUE_FRAME  0x28

#define VALUE_INDIRECT 0x80 /* in the flags of a reflect.Value: it points to the variable */

static struct made made;

struct scene {
	uint64_t route, lookup, access, wrapper;
	uint64_t at_route, at_lookup; /* where the code of the test goes on */
	size_t goroutine;
};

/* Both functions open with SUB $frame, SP: four bytes. */
static struct scene scene_open(void)
{
	struct scene s = {0};

	made_init(&made, 26, GO_ARCH_AMD64);
	s.route = made_function(&made, "main.route", ROUTE_FRAME);
	s.lookup = made_function(&made, "main.lookup", LOOKUP_FRAME);
	s.access = made_function(&made, "runtime.mapaccess1_faststr", 16);
	s.wrapper = made_function(&made, "main.(*wrapper).lookup", 0);
	space_write(&made.space, s.route, (uint8_t[]){0x48, 0x83, 0xec, ROUTE_FRAME}, 4);
	space_write(&made.space, s.lookup, (uint8_t[]){0x48, 0x83, 0xec, LOOKUP_FRAME}, 4);
	s.at_route = s.route + 4;
	s.at_lookup = s.lookup + 4;
	return s;
}

static void put(uint64_t *at, const char *bytes, size_t size)
{
	space_write(&made.space, *at, bytes, size);
	*at += size;
}
#define PUT(at, bytes) put(at, bytes, sizeof(bytes) - 1)

/* The CALLs after the code so far; the frames of route and lookup, then the map function's. */
static void scene_stop(struct scene *s, uint64_t target)
{
	uint64_t route_returns = target ? made_call(&made, s->at_route, target) : s->at_route;
	uint64_t lookup_returns = made_call(&made, s->at_lookup, s->access);

	made_open(&made);
	s->goroutine = made_goroutine(&made, 7, GO_STATUS_RUNNABLE, s->route);
	made_push(&made, s->goroutine, route_returns);
	s->at_route = made.stacks[s->goroutine].sp;
	made_push(&made, s->goroutine, lookup_returns);
	s->at_lookup = made.stacks[s->goroutine].sp;
	made_push(&made, s->goroutine, s->access + 0x40);
}

static bool traced(const struct scene *s, int argument, struct trace *ret)
{
	struct goroutine *goroutine;

	made_read(&made);
	goroutine = made_goroutine_of(&made, 7);
	return trace_argument(&made.space.program, program_stack(&made.space.program, goroutine), 0,
			      argument, ret);
}

static void a_field_of_what_the_caller_keeps(void **state)
{
	struct scene s = scene_open();
	uint64_t store = space_take(&made.space, 16), map = made_map(&made);
	struct trace trace;

	PUT(&s.at_route, "\x48\x89\x44\x24\x10"); /* mov [rsp+0x10],rax */
	PUT(&s.at_lookup, "\x48\x8b\x58\x08");    /* mov rbx,[rax+8] */
	scene_stop(&s, s.lookup);
	space_u64(&made.space, s.at_route + 0x10, store);
	space_u64(&made.space, store + 8, map);
	assert_true(traced(&s, 1, &trace));
	assert_int_equal(trace.value, map);
	assert_int_equal(trace.source, TRACE_FIELD);
	assert_string_equal(trace.function, "main.lookup");
	made_done(&made);
}

static void a_kept_word_comes_before_the_field(void **state)
{
	struct scene s = scene_open();
	uint64_t store = space_take(&made.space, 16), map = made_map(&made);
	struct trace trace;

	PUT(&s.at_route, "\x48\x89\x44\x24\x10"); /* mov [rsp+0x10],rax */
	PUT(&s.at_lookup,
	    "\x48\x8b\x58\x08\x48\x89\x5c\x24\x08"); /* mov rbx,[rax+8]; mov [rsp+8],rbx */
	scene_stop(&s, s.lookup);
	space_u64(&made.space, s.at_route + 0x10, store);
	space_u64(&made.space, store + 8, 0xbad); /* assigned to since */
	space_u64(&made.space, s.at_lookup + 8, map);
	assert_true(traced(&s, 1, &trace));
	assert_int_equal(trace.value, map);
	assert_int_equal(trace.source, TRACE_FRAME);
	made_done(&made);
}

static void a_word_written_since_is_not_it(void **state)
{
	struct scene s = scene_open();
	struct trace trace;

	/* mov rbx,[rsp+8]; mov [rsp+8],rcx */
	PUT(&s.at_lookup, "\x48\x8b\x5c\x24\x08\x48\x89\x4c\x24\x08");
	scene_stop(&s, s.lookup);
	assert_false(traced(&s, 1, &trace));
	made_done(&made);
}

static void a_result_that_was_kept(void **state)
{
	struct scene s = scene_open();
	struct trace trace;

	/* call wrapper; mov [rsp+0x10],rax; mov rbx,rax */
	s.at_lookup = made_call(&made, s.at_lookup, s.wrapper);
	PUT(&s.at_lookup, "\x48\x89\x44\x24\x10\x48\x89\xc3");
	scene_stop(&s, s.lookup);
	space_u64(&made.space, s.at_lookup + 0x10, 0xc000001234);
	assert_true(traced(&s, 1, &trace));
	assert_int_equal(trace.value, 0xc000001234);
	made_done(&made);
}

static void a_stack_address(void **state)
{
	struct scene s = scene_open();
	struct trace trace;

	PUT(&s.at_lookup, "\x48\x8d\x44\x24\x08"); /* lea rax,[rsp+8] */
	scene_stop(&s, s.lookup);
	assert_true(traced(&s, 0, &trace));
	assert_int_equal(trace.value, s.at_lookup + 8);
	made_done(&made);
}

static void a_variable_is_loaded_again(void **state)
{
	struct scene s = scene_open();
	uint64_t map = made_map(&made), global = made_variable(&made, map);
	int32_t distance = (int32_t)(global - (s.at_lookup + 7));
	struct trace trace;

	PUT(&s.at_lookup, "\x48\x8b\x1d"); /* mov rbx,[rip+...] */
	put(&s.at_lookup, (const char *)&distance, 4);
	scene_stop(&s, s.lookup);
	assert_true(traced(&s, 1, &trace));
	assert_int_equal(trace.value, map);
	assert_int_equal(trace.source, TRACE_VARIABLE);
	made_done(&made);
}

/* route calls a wrapper that moves RAX on and jumps to lookup: no frame of its own. */
static void a_jump_on_the_way_ends_it(void **state)
{
	struct scene s = scene_open();
	struct trace trace;

	PUT(&s.at_route, "\x48\x89\x44\x24\x10");
	PUT(&s.at_lookup, "\x48\x89\xc3"); /* mov rbx,rax */
	made_jump(&made, s.wrapper, s.lookup);
	scene_stop(&s, s.wrapper);
	space_u64(&made.space, s.at_route + 0x10, 0xc000001234);
	assert_false(traced(&s, 1, &trace));
	made_done(&made);
}

/* mov rdx,[rsp+8]; mov rax,[rsp+0x10]; mov rcx,[rdx]; call rcx. True when it is known to reach lookup. */
static bool through_closure(bool reaches)
{
	struct scene s = scene_open();
	uint64_t closure = space_take(&made.space, 16);
	struct trace trace;
	bool found;

	PUT(&s.at_route, "\x48\x8b\x54\x24\x08\x48\x8b\x44\x24\x10\x48\x8b\x0a\xff\xd1");
	PUT(&s.at_lookup, "\x48\x89\xc3"); /* mov rbx,rax */
	scene_stop(&s, 0);
	space_u64(&made.space, closure, reaches ? s.lookup : s.wrapper);
	space_u64(&made.space, s.at_route + 8, closure);
	space_u64(&made.space, s.at_route + 0x10, 0xc000001234);
	found = traced(&s, 1, &trace);
	assert_true(!found || trace.value == 0xc000001234);
	made_done(&made);
	return found;
}

static void an_indirect_call_is_checked(void **state)
{
	assert_true(through_closure(true));
	assert_false(through_closure(false));
}

/* lookup calls itself with the same RAX, deeper than is followed. */
static void a_long_way_is_given_up(void **state)
{
	struct scene s = scene_open();
	uint64_t returns;
	struct trace trace;

	returns = made_call(&made, s.at_lookup, s.lookup);
	s.at_lookup = returns;
	scene_stop(&s, s.lookup);
	for (unsigned i = 0; i < 40; i++)
		made_push(&made, s.goroutine, returns);
	made_push(&made, s.goroutine, s.lookup + 0x40);
	assert_false(traced(&s, 0, &trace));
	made_done(&made);
}

static void the_frame_has_to_fit_the_code(void **state)
{
	struct scene s = scene_open();
	struct trace trace;

	PUT(&s.at_lookup,
	    "\x48\x83\xec\x08\x48\x8b\x5c\x24\x10"); /* sub rsp,8; mov rbx,[rsp+0x10] */
	scene_stop(&s, s.lookup);
	assert_false(traced(&s, 1, &trace));
	made_done(&made);
}

static void the_map_of_a_call(void **state)
{
	struct scene s = scene_open();
	uint64_t map = made_map(&made);
	struct program *program = &made.space.program;
	struct map_call call;

	PUT(&s.at_route, "\x48\x89\x44\x24\x10"); /* mov [rsp+0x10],rax */
	PUT(&s.at_lookup, "\x48\x89\xc3");        /* mov rbx,rax */
	scene_stop(&s, s.lookup);
	made_argument(&made, s.goroutine, 1, 0); /* the callee did not keep it */
	space_u64(&made.space, s.at_route + 0x10, map);
	made_read(&made);
	assert_true(map_call_of(program, made_goroutine_of(&made, 7), &call));
	assert_int_equal(call.map, map);
	assert_string_equal(call.map_found_by,
			    "followed through the code to main.route, whose frame keeps it");
	made_done(&made);
}

/* main.route calls reflect.Value.MapIndex on a map, which calls the map function. */
static bool by_reflection(uint64_t flag, uint64_t pointer, uint64_t type, struct map_call *ret)
{
	struct scene s = {0};
	bool found;

	s.route = made_function(&made, "main.route", ROUTE_FRAME);
	s.lookup = made_function(&made, "reflect.Value.MapIndex", VALUE_FRAME);
	s.access = made_function(&made, "runtime.mapaccess1_faststr", 16);
	space_write(&made.space, s.route, (uint8_t[]){0x48, 0x83, 0xec, ROUTE_FRAME}, 4);
	space_write(&made.space, s.lookup, (uint8_t[]){0x48, 0x83, 0xec, VALUE_FRAME}, 4);
	s.at_route = s.route + 4;
	s.at_lookup = s.lookup + 4;
	/* mov [rsp+0x10],rax; mov [rsp+0x18],rbx; mov [rsp+0x20],rcx; mov rbx,[rcx] */
	PUT(&s.at_lookup,
	    "\x48\x89\x44\x24\x10\x48\x89\x5c\x24\x18\x48\x89\x4c\x24\x20\x48\x8b\x19");
	scene_stop(&s, s.lookup);
	made_argument(&made, s.goroutine, 1, 0);
	space_u64(&made.space, s.at_lookup + 0x10, type);
	space_u64(&made.space, s.at_lookup + 0x18, pointer);
	space_u64(&made.space, s.at_lookup + 0x20, flag);
	made_read(&made);
	found = map_call_of(&made.space.program, made_goroutine_of(&made, 7), ret);
	return found && ret->map;
}

static void the_map_in_a_value(void **state)
{
	struct map_call call;
	uint64_t map, type;

	made_init(&made, 26, GO_ARCH_AMD64);
	map = made_map(&made);
	type = made_map_type(&made, "map[int]int");
	assert_true(by_reflection(GO_KIND_MAP, map, type, &call));
	assert_int_equal(call.map, map);
	assert_int_equal(call.type->address, type);
	assert_false(call.map_inferred);
	made_done(&made);
}

static void the_variable_in_a_value(void **state)
{
	struct map_call call;
	uint64_t map, type;

	made_init(&made, 26, GO_ARCH_AMD64);
	map = made_map(&made);
	type = made_map_type(&made, "map[int]int");
	assert_true(by_reflection(GO_KIND_MAP | VALUE_INDIRECT, made_variable(&made, map), type,
				  &call));
	assert_int_equal(call.map, map);
	assert_true(call.map_inferred); /* the variable may hold another one by now */
	made_done(&made);
}

static void a_value_that_is_no_map(void **state)
{
	struct map_call call;
	uint64_t map, type;

	made_init(&made, 26, GO_ARCH_AMD64);
	map = made_map(&made);
	type = made_map_type(&made, "map[int]int");
	assert_false(by_reflection(GO_KIND_POINTER, map, type, &call));
	made_done(&made);
	made_init(&made, 26, GO_ARCH_AMD64);
	map = made_map(&made);
	assert_false(by_reflection(GO_KIND_MAP, map, map, &call));
	made_done(&made);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_field_of_what_the_caller_keeps),
		cmocka_unit_test(a_kept_word_comes_before_the_field),
		cmocka_unit_test(a_word_written_since_is_not_it),
		cmocka_unit_test(a_result_that_was_kept),
		cmocka_unit_test(a_stack_address),
		cmocka_unit_test(a_variable_is_loaded_again),
		cmocka_unit_test(a_jump_on_the_way_ends_it),
		cmocka_unit_test(an_indirect_call_is_checked),
		cmocka_unit_test(a_long_way_is_given_up),
		cmocka_unit_test(the_frame_has_to_fit_the_code),
		cmocka_unit_test(the_map_of_a_call),
		cmocka_unit_test(the_map_in_a_value),
		cmocka_unit_test(the_variable_in_a_value),
		cmocka_unit_test(a_value_that_is_no_map),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
