// SPDX-License-Identifier: Apache-2.0
#include "model/stack/exact_frame.h"

#include "model/code/flow.h"

#include <glib.h>

#define WORD 8

/** amd64: the processor's numbers of registers, as in code.h, to DWARF's, as in process.h. */
static const uint8_t amd64_general[] = {0, 2, 1, 3, 7, 6, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15};

/** Registers of the thread that stands at the frame; NULL when a signal handler has saved them elsewhere. */
static const struct process_registers *registers_at(const struct program *program,
						    const struct frame *frame)
{
	for (size_t i = 0; frame->exact_pc && i < program->thread_count; i++) {
		const struct process_registers *registers = program->threads[i].registers;

		if (registers && registers->pc == frame->pc && registers->sp == frame->sp)
			return registers;
	}
	return NULL;
}

static size_t register_count(const struct program *program)
{
	return program->arch == GO_ARCH_AMD64 ? G_N_ELEMENTS(amd64_general) : 31;
}

static uint64_t register_value(const struct program *program,
			       const struct process_registers *registers, size_t number)
{
	return registers->general[program->arch == GO_ARCH_AMD64 ? amd64_general[number] : number];
}

static bool is_the_argument(const struct flow_value *value, uint8_t number)
{
	return value->kind == FLOW_ARGUMENT && value->argument == number;
}

static bool from_registers(const struct program *program, const struct frame *frame,
			   const struct flow_state *state, uint8_t number, uint64_t *ret)
{
	const struct process_registers *registers = registers_at(program, frame);

	for (size_t i = 0; registers && i < register_count(program); i++) {
		if (!is_the_argument(&state->registers[i], number))
			continue;
		*ret = register_value(program, registers, i);
		return true;
	}
	return false;
}

static bool from_stack(const struct program *program, const struct frame *frame,
		       const struct flow_state *state, uint8_t number, uint64_t *ret)
{
	for (unsigned i = 0; i < state->slot_count; i++) {
		const struct flow_slot *slot = &state->slots[i];

		if (slot->plane == FLOW_WORD && is_the_argument(&slot->value, number) &&
		    memory_u64(program->memory, frame->cfa - WORD + (uint64_t)slot->offset, ret))
			return true;
	}
	return false;
}

bool exact_frame_argument(struct program *program, const struct frame *frame, unsigned index,
			  uint64_t *ret)
{
	uint8_t number = flow_argument_register(program->arch, (int)index);
	const struct flow_value *sp;
	struct flow_call at;

	if (number == CODE_NONE || !program->sites ||
	    !sites_stopped_at(program->sites, frame->pc, &at))
		return false;
	sp = &at.state.registers[code_stack_pointer(program->arch)];
	// the code and the stack must agree on where the frame is
	if (sp->kind != FLOW_STACK || frame->cfa - WORD + (uint64_t)sp->number != frame->sp)
		return false;
	return from_registers(program, frame, &at.state, number, ret) ||
	       from_stack(program, frame, &at.state, number, ret);
}

bool exact_frame_has(const struct program *program, const struct frame *frame, uint64_t value)
{
	const struct process_registers *registers = registers_at(program, frame);

	for (size_t i = 0; registers && i < register_count(program); i++)
		if (register_value(program, registers, i) == value)
			return true;
	return false;
}
