// SPDX-License-Identifier: Apache-2.0
// A crashed program in a few lines: functions with frame sizes and code, goroutines whose stacks are
// pushed frame by frame, maps. Everything stands in one space, so that code reaches data.
//
//	made_init(&made, 22, GO_ARCH_AMD64);
//	uint64_t put = made_function(&made, "main.put", 32);
//	made_open(&made);
//	size_t g = made_goroutine(&made, 7, GO_STATUS_RUNNABLE, put);
//	made_push(&made, g, put + 0x20);
//	made_read(&made);
#pragma once
#include "../evidence/table.h"
#include "build_type.h"

#define MADE_FUNCTIONS      32
#define MADE_FUNCTION_BYTES 0x100u /* of code: NOPs where a test puts nothing else */
#define MADE_GOROUTINES     16
#define MADE_STACK_BYTES    4096u

struct made_stack {
	uint64_t g, lo, hi, pc, sp;
	uint64_t arguments; /**< of the innermost frame: above its return address */
};

struct made {
	struct space space;
	struct table table;
	struct pclntab *tables[1];
	struct moduledata module;
	struct image *image; /**< has the runtime's variables as symbols */
	const char *names[MADE_FUNCTIONS];
	int32_t frames[MADE_FUNCTIONS];
	uint8_t flags[MADE_FUNCTIONS]; /**< of the _func, to be set before made_open() */
	const char *inlined;
	size_t inlined_into;
	size_t function_count;
	uint64_t text, goexit, data, data_next;
	uint64_t allgs, allm, backlog, backlog_index;
	struct made_stack stacks[MADE_GOROUTINES];
	size_t stack_count;
};

/** @a minor from 20 on: only the newest form of the function table is written. */
void made_init(struct made *made, int minor, enum go_arch arch);
void made_done(struct made *made);

/**
 * A function at main.go:20 (the first made), :30 (the second) ..., one line further from +0x80 on; its entry.
 * The frame is there from +4 on.
 */
uint64_t made_function(struct made *made, const char *name, int32_t frame_bytes);
/** From +0x40 to +0x60 the function at @a into is @a name at main.go:99, inlined. One a program. */
void made_inline(struct made *made, uint64_t into, const char *name);
/** A word of the data segment. */
uint64_t made_variable(struct made *made, uint64_t value);
/** "map[int]int" or the like, with eight bytes a key and an element, among the program's types. */
uint64_t made_map_type(struct made *made, const char *name);
/** A sound empty map. */
uint64_t made_map(struct made *made);

/** amd64: CALL @a target at @a pc; the address after it. */
uint64_t made_call(struct made *made, uint64_t pc, uint64_t target);
/** amd64: a call of a map function of @a type on the map in variable @a global (0: unknown); its return address. */
uint64_t made_map_call(struct made *made, uint64_t pc, uint64_t function, uint64_t type,
		       uint64_t global);
/** amd64: the same with the map loaded from @a offset in what RCX points to. */
uint64_t made_field_call(struct made *made, uint64_t pc, uint64_t function, uint64_t type,
			 uint8_t offset);
/** amd64: LEA of a fixed address. */
void made_address(struct made *made, uint64_t pc, uint64_t target);
/** amd64: JMP. */
void made_jump(struct made *made, uint64_t pc, uint64_t target);

/** Writes the tables: no functions or code after this. */
void made_open(struct made *made);

/** A goroutine in runtime.allgs; its number here. @a start is where it began. */
size_t made_goroutine(struct made *made, uint64_t id, uint32_t status, uint64_t start);
/** Enters a function: the outer frame stands at its PC with a call, the new one at @a pc. amd64. */
void made_push(struct made *made, size_t goroutine, uint64_t pc);
/** Pointer-sized argument @a index of the innermost frame, where the callee keeps it. */
void made_argument(struct made *made, size_t goroutine, unsigned index, uint64_t value);
/** A word of the innermost frame, @a index from its SP. */
void made_local(struct made *made, size_t goroutine, unsigned index, uint64_t value);
/** Dead stack @a depth bytes below the live one: a call that returned to @a return_pc, with @a map as its second argument. */
void made_ghost(struct made *made, size_t goroutine, unsigned depth, uint64_t return_pc,
		uint64_t map);
/** The runtime prints. */
void made_say(struct made *made, const char *text);

/** Reads goroutines and backlog into the program. */
void made_read(struct made *made);
struct goroutine *made_goroutine_of(struct made *made, uint64_t id);
