// SPDX-License-Identifier: Apache-2.0
// What the process died of. The runtime's words alone prove nothing, as a program may print them
// too: a map fatal is one only when a goroutine stands in the runtime's fatal path inside a map
// operation.
#include "findings/fatal_signal.h"
#include "findings/race_report.h"
#include "findings/rules.h"
#include "model/process/panic.h"
#include "model/printout/printout.h"
#include "model/stack/unwind.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#define FIRST_DETECTOR_DIES 24 /* the minor from which on it does */
#define MESSAGE_BYTES_MAX   64

static struct goroutine *dying_goroutine(const struct program *program)
{
	if (!program->thread_count || program->threads[0].goroutine == NO_INDEX)
		return NULL;
	return &program->goroutines[program->threads[0].goroutine];
}

/** Counted among those that die: its thread has begun to report (runtime/panic.go, startpanic_m@1.23.12). */
static bool has_begun_to_report(const struct program *program, const struct goroutine *goroutine)
{
	if (goroutine->thread == NO_INDEX)
		return false;
	return (uint32_t)program_word(program, program->threads[goroutine->thread].address,
				      GO_M_DYING) != 0;
}

/**
 * The fatal operation whose report comes first. Up to Go 1.23 several goroutines may raise the fatal at once: the first to
 * report waits for those that have begun to, so that the thread that dies reported last (dopanic_m@1.23.12). From 1.24 on
 * fatal holds the print lock, and the first to come dies.
 */
static const struct map_call *find_detected(const struct reasoning *reasoning)
{
	const struct program *program = reasoning->program;
	const struct goroutine *dying = dying_goroutine(program);
	bool first_dies = program->layout->version.minor >= FIRST_DETECTOR_DIES;
	const struct map_call *found = NULL, *died = NULL;

	for (guint i = 0; i < reasoning->calls->len; i++) {
		const struct map_call *call = &g_array_index(reasoning->calls, struct map_call, i);
		const struct goroutine *goroutine = &program->goroutines[call->goroutine];

		if (!call->in_fatal)
			continue;
		if (goroutine == dying)
			died = call;
		else if (!first_dies && has_begun_to_report(program, goroutine))
			return call;
		else if (!found)
			found = call;
	}
	return died ? died : found;
}

static enum map_fatal fatal_of(enum map_operation operation)
{
	switch (operation) {
	case MAP_READ:
		return MAP_FATAL_READ_AND_WRITE;
	case MAP_ITERATE:
		return MAP_FATAL_ITERATION_AND_WRITE;
	case MAP_CLONE:
		return MAP_FATAL_CLONE_AND_WRITE;
	default:
		return MAP_FATAL_WRITES;
	}
}

/** Last line of the runtime's own output that begins with @a prefix; "" when there is none. */
static const char *last_line(struct reasoning *reasoning, const char *prefix)
{
	const char *backlog = reasoning->program->backlog, *found = NULL;

	for (const char *p = strstr(backlog, prefix); p; p = strstr(p + 1, prefix))
		found = p;
	if (!found)
		return "";
	return arena_string(reasoning->findings->arena, (struct text){found, strcspn(found, "\n")});
}

/** Caught at the entry of the function that raises the fatal, whose argument is the message. */
static enum map_fatal about_to_say(struct reasoning *reasoning)
{
	const struct map_call *call = reasoning->detected;
	struct program *program = reasoning->program;
	const struct stack *stack = call ? &program->goroutines[call->goroutine].stack : NULL;
	uint64_t text, size;
	const char *message;

	if (!stack || !stack->count || !stack->frames[0].exact_pc || !call->in_fatal ||
	    frame_argument(program, &stack->frames[0], 0, &text) != ARGUMENT_LIVE ||
	    frame_argument(program, &stack->frames[0], 1, &size) != ARGUMENT_LIVE ||
	    size > MESSAGE_BYTES_MAX)
		return MAP_FATAL_NONE;
	message = memory_view(program->memory, text, size);
	return message ? go_map_fatal_find((struct text){message, size}) : MAP_FATAL_NONE;
}

static void classify_map_fatal(struct reasoning *reasoning)
{
	struct findings *findings = reasoning->findings;
	struct program *program = reasoning->program;
	const char *message = program->printout
				      ? program->printout->message
				      : last_line(reasoning, "fatal error: concurrent map");
	enum map_fatal said = go_map_fatal_find(text_of(message));

	if (said == MAP_FATAL_NONE)
		said = about_to_say(reasoning);
	findings->death = DEATH_MAP_FATAL;
	findings->fatal = said != MAP_FATAL_NONE ? said : fatal_of(reasoning->detected->operation);
	findings->kind = go_map_fatal_kind(findings->fatal);
	findings->message = *message ? message
				     : arena_format(findings->arena, "fatal error: %s",
						    go_map_fatal_message(findings->fatal));
	if (reasoning->detected)
		program->goroutines[reasoning->detected->goroutine].detector = true;
}

/**
 * A panic that a map assignment itself raises can only be the nil map's; what it calls has others, such as
 * a key's hash function. @a panic is gopanic's frame.
 */
static bool is_nil_map_write(const struct stack *stack, size_t panic)
{
	const struct go_map_function *function =
		panic + 1 < stack->count
			? go_map_function_find(stack->frames[panic + 1].site->function)
			: NULL;

	return function && function->operation == MAP_ASSIGN;
}

static const struct {
	const char *function;
	enum death death;
} marks[] = {
	{"runtime.gopanic", DEATH_PANIC},
	{"runtime.fatalpanic", DEATH_PANIC},
	{"runtime.throw", DEATH_FATAL},
	{"runtime.fatal", DEATH_FATAL},
};

/**
 * The innermost function that ends the process; false when none is on the stack. Where code of the
 * user's stands further in, the panic was still being deferred and may yet have been recovered.
 */
static bool find_mark(const struct stack *stack, size_t *ret, enum death *ret_death)
{
	for (size_t i = 0; i < stack->count; i++) {
		const char *name = stack->frames[i].site->function;

		for (size_t j = 0; j < G_N_ELEMENTS(marks); j++) {
			if (strcmp(name, marks[j].function))
				continue;
			*ret = i;
			*ret_death = marks[j].death;
			return true;
		}
		if (!go_is_runtime_function(name))
			return false;
	}
	return false;
}

static size_t outermost_panic(const struct stack *stack, size_t at)
{
	while (at + 1 < stack->count &&
	       !strcmp(stack->frames[at].site->function, "runtime.fatalpanic"))
		at++;
	return at;
}

static bool classify_by_stack(struct reasoning *reasoning, struct goroutine *dying)
{
	struct findings *findings = reasoning->findings;
	const struct stack *stack = program_stack(reasoning->program, dying);
	size_t at;

	if (!find_mark(stack, &at, &findings->death))
		return false;
	dying->detector = true;
	if (findings->death == DEATH_FATAL) {
		findings->message = last_line(reasoning, "fatal error: ");
		return true;
	}
	findings->message = panic_message(reasoning->program, dying);
	at = outermost_panic(stack, at);
	if (is_nil_map_write(stack, at)) {
		findings->death = DEATH_NIL_MAP_WRITE;
		findings->kind = "nil_map_write";
		nil_map_describe(reasoning, dying, at);
	}
	return true;
}

/** Deaths on the system stack: no goroutine's own stack shows them, the runtime's words do. */
static bool classify_by_words(struct reasoning *reasoning, struct goroutine *dying)
{
	struct findings *findings = reasoning->findings;
	const char *fatal = last_line(reasoning, "fatal error: ");

	if (!*fatal || go_map_fatal_find(text_of(fatal)) != MAP_FATAL_NONE)
		return false;
	findings->death = DEATH_FATAL;
	findings->message = fatal;
	if (dying)
		dying->detector = true;
	return true;
}

static void classify_by_signal(struct reasoning *reasoning, const struct fatal_signal *signal)
{
	struct findings *findings = reasoning->findings;
	struct program *program = reasoning->program;
	uint32_t goroutine = signal->thread->goroutine;

	findings->death = DEATH_SIGNAL;
	findings->message = fatal_signal_text(reasoning, signal);
	if (signal->frame.code > 0 && goroutine != NO_INDEX)
		program->goroutines[goroutine].detector = true;
}

/** The kernel ended it and the runtime had no say. */
static void classify_by_kernel(struct reasoning *reasoning)
{
	struct findings *findings = reasoning->findings;
	const struct program *program = reasoning->program;
	int signal = program->thread_count ? program->threads[0].signal : 0;
	const char *name = signal > 0 ? sigabbrev_np(signal) : NULL;

	findings->death = name ? DEATH_SIGNAL : DEATH_UNKNOWN;
	if (name)
		findings->message =
			arena_format(findings->arena, "killed by signal SIG%s (%d)", name, signal);
}

static void classify(struct reasoning *reasoning)
{
	struct goroutine *dying = dying_goroutine(reasoning->program);
	struct fatal_signal signal;
	bool signalled;

	reasoning->detected = find_detected(reasoning);
	if (reasoning->detected) {
		classify_map_fatal(reasoning);
		return;
	}
	if (dying && classify_by_stack(reasoning, dying))
		return;
	signalled = fatal_signal_find(reasoning->program, &signal);
	// a signal that somebody sent is the cause, whatever the program printed before
	if (!(signalled && signal.frame.code <= 0) && classify_by_words(reasoning, dying))
		return;
	if (signalled)
		classify_by_signal(reasoning, &signal);
	else
		classify_by_kernel(reasoning);
}

/** The call that the panicking frame returns from, where the text left out the runtime's own frames. */
static bool calls_assign(const struct program *program, const struct stack *stack, size_t user)
{
	const struct map_site *site =
		user < stack->count && program->sites
			? sites_returning_to(program->sites, stack->frames[user].pc)
			: NULL;

	return site && site->function->operation == MAP_ASSIGN;
}

static bool shows_panic_of_user(const struct stack *stack)
{
	return stack->count > 1 && !strcmp(stack->frames[0].site->function, "runtime.gopanic") &&
	       !stack->frames[1].runtime;
}

/** A write to a nil map by the runtime's words, which a panic of the program's own may repeat. */
static void classify_nil_map(struct reasoning *reasoning, struct goroutine *dying)
{
	static const struct stack none = {0};
	struct findings *findings = reasoning->findings;
	const struct stack *stack = dying ? &dying->stack : &none;
	size_t panic = 0;
	bool seen;

	while (dying && panic < stack->count &&
	       strcmp(stack->frames[panic].site->function, "runtime.gopanic"))
		panic++;
	if (panic == stack->count)
		panic = 0;
	seen = is_nil_map_write(stack, panic) ||
	       calls_assign(reasoning->program, stack, stack_user_frame(stack, panic));
	if (!seen && stack->count && (reasoning->program->sites || shows_panic_of_user(stack)))
		return;
	findings->death = DEATH_NIL_MAP_WRITE;
	findings->kind = "nil_map_write";
	if (dying)
		nil_map_describe(reasoning, dying, panic);
	if (!seen && findings->detector)
		findings->detector->confidence = CONFIDENCE_LIKELY;
}

/** What the runtime printed is all there is. */
static void classify_text(struct reasoning *reasoning)
{
	static const enum death deaths[] = {
		[PRINTOUT_NO_DEATH] = DEATH_UNKNOWN, [PRINTOUT_FATAL] = DEATH_FATAL,
		[PRINTOUT_PANIC] = DEATH_PANIC,      [PRINTOUT_SIGNAL] = DEATH_SIGNAL,
		[PRINTOUT_RACE] = DEATH_RACE,
	};
	struct findings *findings = reasoning->findings;
	const struct printout *printout = reasoning->program->printout;
	struct goroutine *dying = dying_goroutine(reasoning->program);

	if (printout->death == PRINTOUT_RACE) {
		race_report_describe(reasoning);
		return;
	}
	if (printout->fatals) {
		reasoning->detected = find_detected(reasoning);
		classify_map_fatal(reasoning);
		return;
	}
	findings->death = deaths[printout->death];
	findings->message = printout->message;
	if (dying)
		dying->detector = printout->death != PRINTOUT_SIGNAL;
	if (printout->death == PRINTOUT_PANIC &&
	    strstr(printout->message, "panic: assignment to entry in nil map"))
		classify_nil_map(reasoning, dying);
}

void death_classify(struct reasoning *reasoning)
{
	struct findings *findings = reasoning->findings;

	findings->kind = "not_a_map_fatal";
	if (reasoning->program->printout)
		classify_text(reasoning);
	else
		classify(reasoning);
	if ((findings->death == DEATH_FATAL || findings->death == DEATH_PANIC) &&
	    !*findings->message)
		program_gap(reasoning->program, "the runtime's last words",
			    findings->death == DEATH_PANIC ? "the panic's value can't be read"
							   : "runtime.printBacklog was not found",
			    "the message of the crash");
}
