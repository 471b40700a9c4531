// SPDX-License-Identifier: Apache-2.0
// The message is the function's argument: a string in RAX, RBX since Go 1.17, on the stack above the
// return address before (cmd/compile/abi-internal.md). Both places are looked at, and the text decides.
#include "record/fatal_stop.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <unistd.h>

#define INT3              0xcc
#define MESSAGE_BYTES_MAX 64
#define WORD              8

static bool is_left_over(uint8_t there, uint8_t in_file)
{
	return there == INT3 && in_file != INT3;
}

static struct error *take_left_over(const struct fatal_stop *stop, struct tracee *tracee)
{
	for (size_t i = 0; i < stop->count; i++) {
		uint8_t there;

		if (tracee_read(tracee, stop->entries[i], &there, sizeof(there)) &&
		    is_left_over(there, stop->first_bytes[i]))
			TRY(tracee_write(tracee, stop->entries[i], &stop->first_bytes[i], 1));
	}
	return NULL;
}

static struct error *plant(const struct fatal_stop *stop, struct tracee *tracee)
{
	for (size_t i = 0; i < stop->count; i++)
		TRY(tracee_add_breakpoint(tracee, stop->entries[i]));
	return NULL;
}

/** The guard knows of all that will be there before it is. */
static struct error *set_guard(struct fatal_stop *stop, struct tracee *tracee)
{
	struct guarded guarded = {stop->entries, stop->first_bytes, stop->count, {0}};

	stop->unshielded = trap_shield_room(tracee, stop->entries, stop->count, &stop->shield);
	guarded.shield = stop->shield;
	return guard_start(tracee_pid(tracee), &guarded, &stop->guard);
}

struct error *fatal_stop_arm(struct fatal_stop *stop, struct tracee *tracee, bool *ret_early)
{
	struct error *error = NULL;

	*ret_early = false;
	TRY(take_left_over(stop, tracee));
	TRY(set_guard(stop, tracee));
	if (!stop->unshielded)
		error = trap_shield_raise(&stop->shield, tracee, stop->entries, stop->count);
	if (error && error_code(error) == ERROR_NOT_FOUND) {
		*ret_early = true;
		error_free(error);
		fatal_stop_forget(stop);
		return NULL;
	}
	if (error)
		stop->unshielded = error;
	return plant(stop, tracee);
}

void fatal_stop_forget(struct fatal_stop *stop)
{
	guard_end(&stop->guard);
	stop->shield = (struct trap_shield){0};
	error_free(stop->unshielded);
	stop->unshielded = NULL;
}

void fatal_stop_disarm(struct fatal_stop *stop, struct tracee *tracee)
{
	scoped(error) struct error *ended = tracee_stop(tracee);

	if (!ended && tracee_is_held(tracee)) {
		tracee_remove_breakpoints(tracee);
		tracee_unwatch(tracee);
		trap_shield_drop(&stop->shield, tracee);
	}
	fatal_stop_forget(stop);
}

static enum map_fatal kind_of(struct tracee *tracee, uint64_t address, uint64_t size)
{
	char message[MESSAGE_BYTES_MAX];

	if (!size || size > sizeof(message) || !tracee_read(tracee, address, message, size))
		return MAP_FATAL_NONE;
	return go_map_fatal_find((struct text){message, size});
}

enum map_fatal fatal_stop_kind(struct tracee *tracee, pid_t tid)
{
	struct user_regs_struct registers;
	scoped(error) struct error *error = tracee_registers(tracee, tid, &registers);
	enum map_fatal kind;
	uint64_t stack[3];

	if (error)
		return MAP_FATAL_NONE;
	kind = kind_of(tracee, registers.rax, registers.rbx);
	if (kind == MAP_FATAL_NONE && tracee_read(tracee, registers.rsp, stack, sizeof(stack)))
		kind = kind_of(tracee, stack[1], stack[2]);
	return kind;
}

struct error *fatal_stop_repair(const struct fatal_stop *stop, pid_t pid, size_t *ret_repaired)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/mem", (int)pid);
	int memory = open(path, O_RDWR | O_CLOEXEC);
	struct error *error = NULL;

	*ret_repaired = 0;
	if (memory < 0)
		return error_system(errno, place_whole(path), "cannot be written");
	for (size_t i = 0; i < stop->count && !error; i++) {
		uint8_t there = 0;

		if (pread(memory, &there, 1, (off_t)stop->entries[i]) != 1 ||
		    !is_left_over(there, stop->first_bytes[i]))
			continue;
		if (pwrite(memory, &stop->first_bytes[i], 1, (off_t)stop->entries[i]) != 1)
			error = error_system(errno, place_whole(path), "cannot be written");
		else
			(*ret_repaired)++;
	}
	close(memory);
	return error;
}

struct error *fatal_stop_repair_shields(pid_t pid, size_t *ret_repaired)
{
	scoped(tracee) struct tracee *tracee = NULL;
	struct trap_shield shields[TRAP_SHIELDS_MAX];
	size_t count;

	TRY(trap_shields_left(pid, shields, &count));
	if (!count)
		return NULL;
	TRY(tracee_attach(pid, &tracee));
	tracee_unwatch(tracee);
	for (size_t i = 0; i < count; i++)
		trap_shield_drop(&shields[i], tracee);
	(*ret_repaired)++;
	return NULL;
}
