// SPDX-License-Identifier: Apache-2.0
// Each test has a process of its own to hold: threads that count in shared memory, so that what was
// done to them can be seen from outside.
#include "../base/cmocka_first.h"

#include "record/tracee.h"

#include <errno.h>
#include <glib.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define THREADS      8
#define CALLERS      4 /* of landmark() */
#define PATIENCE_MS  20000
#define CALLS_WANTED 200
#define KILLS        60

/** What the victim does, seen from both sides. */
struct shared {
	_Atomic unsigned long counts[THREADS];
	_Atomic unsigned long landmarks;
	_Atomic unsigned long sleeps, sleep_failures;
	_Atomic unsigned long wrong;
	volatile uint64_t watched;
	_Atomic unsigned long writes;
};

static struct shared *shared;

__attribute__((noinline)) static void landmark(void)
{
	shared->landmarks++;
	__asm__ volatile("");
}

static void sleep_a_little(void)
{
	struct timespec nap = {0, 200000};

	shared->sleeps++;
	while (nanosleep(&nap, &nap) != 0)
		if (errno != EINTR)
			shared->sleep_failures++;
}

/** Keeps known values in registers, general and vector, and tells when they change. */
static void *count(void *which)
{
	size_t i = (size_t)which;
	double sum = 0;

	for (unsigned long n = 0;; n++) {
		shared->counts[i] = n;
		sum += 0.5;
		if (sum != (double)(n + 1) * 0.5)
			shared->wrong++;
		if (i < CALLERS)
			landmark();
		if (i % 2)
			sleep_a_little();
		if (i == 4) {
			shared->watched = n;
			shared->writes++;
			sleep_a_little();
		}
	}
	return NULL;
}

static pid_t victim_start(void)
{
	pid_t pid;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	assert_ptr_not_equal(shared, MAP_FAILED);
	pid = fork();
	if (pid == 0) {
		pthread_t thread;

		for (size_t i = 1; i < THREADS; i++)
			pthread_create(&thread, NULL, count, (void *)i);
		count((void *)0);
	}
	while (!shared->counts[THREADS - 1])
		usleep(1000);
	return pid;
}

static void victim_end(pid_t pid)
{
	assert_int_equal(kill(pid, 0), 0); // alive to the end
	assert_int_equal(shared->wrong, 0);
	assert_int_equal(shared->sleep_failures, 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	munmap(shared, sizeof(*shared));
}

static unsigned long total(void)
{
	unsigned long sum = 0;

	for (size_t i = 0; i < THREADS; i++)
		sum += shared->counts[i];
	return sum;
}

static void assert_all_move(void)
{
	for (size_t i = 0; i < THREADS; i++) {
		unsigned long before = shared->counts[i];

		for (int ms = 0; shared->counts[i] == before && ms < PATIENCE_MS; ms++)
			usleep(1000);
		assert_true(shared->counts[i] != before);
	}
}

#define OK(expression)                                                                             \
	do {                                                                                       \
		struct error *error_ = (expression);                                               \
		if (error_)                                                                        \
			fail_msg("%s", error_text(error_));                                        \
	} while (0)

static void stops_all_and_lets_go(void **state)
{
	pid_t pid = victim_start();
	scoped(tracee) struct tracee *tracee = NULL;
	unsigned long before;
	size_t count;

	OK(tracee_attach(pid, &tracee));
	tracee_threads(tracee, &count);
	assert_int_equal(count, THREADS);
	assert_int_equal(*tracee_threads(tracee, &count), pid);
	before = total();
	usleep(20000);
	assert_int_equal(total(), before);
	OK(tracee_resume(tracee));
	assert_all_move();
	OK(tracee_stop(tracee));
	before = total();
	usleep(20000);
	assert_int_equal(total(), before);
	OK(tracee_detach(tracee));
	assert_all_move();
	victim_end(pid);
}

static void breakpoints_lose_no_call(void **state)
{
	pid_t pid = victim_start();
	scoped(tracee) struct tracee *tracee = NULL;
	unsigned long hits = 0, before;
	uint8_t byte;

	OK(tracee_attach(pid, &tracee));
	before = shared->landmarks;
	OK(tracee_add_breakpoint(tracee, (uint64_t)(uintptr_t)landmark));
	OK(tracee_resume(tracee));
	while (hits < CALLS_WANTED) {
		struct tracee_event event;

		OK(tracee_wait(tracee, PATIENCE_MS, &event));
		assert_int_equal(event.kind, TRACEE_BREAKPOINT);
		assert_int_equal(event.address, (uint64_t)(uintptr_t)landmark);
		// a hit is a call that has not counted yet; each caller may be inside one more
		assert_true(shared->landmarks <= before + hits + CALLERS);
		hits++;
		assert_true(shared->landmarks + CALLERS >= before + hits);
		OK(tracee_resume(tracee));
	}
	OK(tracee_detach(tracee));
	assert_true(tracee_read(tracee, (uint64_t)(uintptr_t)landmark, &byte, 1));
	assert_int_equal(byte, *(const uint8_t *)(uintptr_t)landmark);
	assert_all_move();
	victim_end(pid);
}

static void borrows_a_thread_for_system_calls(void **state)
{
	pid_t pid = victim_start();
	scoped(tracee) struct tracee *tracee = NULL;
	static const uint64_t none[6] = {0};
	const uint64_t map[6] = {
		0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, (uint64_t)-1, 0};
	char back[6] = "";
	int64_t result;

	OK(tracee_attach(pid, &tracee));
	for (int i = 0; i < 50; i++) {
		OK(tracee_syscall(tracee, SYS_getpid, none, &result));
		assert_int_equal(result, pid);
		OK(tracee_syscall(tracee, SYS_close, (uint64_t[6]){(uint64_t)-1}, &result));
		assert_int_equal(result, -EBADF);
		OK(tracee_resume(tracee));
		OK(tracee_stop(tracee));
	}
	OK(tracee_syscall(tracee, SYS_mmap, map, &result));
	assert_true(result > 0);
	OK(tracee_write(tracee, (uint64_t)result, "hello", 6));
	assert_true(tracee_read(tracee, (uint64_t)result, back, 6));
	assert_string_equal(back, "hello");
	OK(tracee_detach(tracee));
	assert_all_move();
	victim_end(pid);
}

/** A tracer that never rests, in a process of its own, to be killed. */
static _Noreturn void trace_without_rest(pid_t pid)
{
	static const uint64_t none[6] = {0};
	int64_t result;

	for (;;) {
		struct tracee *tracee = NULL;

		if (tracee_attach(pid, &tracee))
			_exit(1);
		for (int i = 0; i < 5; i++)
			if (tracee_syscall(tracee, SYS_getpid, none, &result) || result != pid)
				_exit(2);
		tracee_close(tracee);
	}
}

static void outlives_a_killed_tracer(void **state)
{
	pid_t pid = victim_start();

	for (int i = 0; i < KILLS; i++) {
		pid_t tracer = fork();
		int status;

		if (tracer == 0)
			trace_without_rest(pid);
		usleep((unsigned)(1000 + i * 331 % 5000));
		kill(tracer, SIGKILL);
		waitpid(tracer, &status, 0);
		assert_true(WIFSIGNALED(status)); // it had not given up by itself
		assert_int_equal(shared->wrong, 0);
	}
	assert_all_move();
	victim_end(pid);
}

static void watches_writes(void **state)
{
	pid_t pid = victim_start();
	scoped(tracee) struct tracee *tracee = NULL;
	uint64_t last = 0;

	OK(tracee_attach(pid, &tracee));
	OK(tracee_watch(tracee, (uint64_t)(uintptr_t)&shared->watched, 8));
	OK(tracee_resume(tracee));
	for (int i = 0; i < 30; i++) {
		struct tracee_event event;
		uint64_t value;

		OK(tracee_wait(tracee, PATIENCE_MS, &event));
		assert_int_equal(event.kind, TRACEE_WATCHPOINT);
		value = shared->watched;
		assert_true(i == 0 || value == last + 1); // none is missed
		last = value;
		OK(tracee_continue(tracee, event.tid));
	}
	OK(tracee_detach(tracee));
	assert_all_move();
	victim_end(pid);
}

static int run_to_end(const char *script)
{
	scoped(tracee) struct tracee *tracee = NULL;
	char *argv[] = {(char[]){"sh"}, (char[]){"-c"}, (char *)(uintptr_t)script, NULL};
	struct tracee_event event = {0};

	OK(tracee_launch(argv, &tracee));
	assert_true(tracee_is_child(tracee));
	do {
		OK(tracee_resume(tracee));
		OK(tracee_wait(tracee, PATIENCE_MS, &event));
	} while (event.kind == TRACEE_EXEC);
	assert_int_equal(event.kind, TRACEE_ENDED);
	return event.status;
}

static void launches_and_passes_on(void **state)
{
	assert_int_equal(WEXITSTATUS(run_to_end("exit 7")), 7);
	assert_int_equal(WEXITSTATUS(run_to_end("(exit 3); exit $?")), 3);
	assert_int_equal(WTERMSIG(run_to_end("kill -TERM $$")), SIGTERM);
	assert_int_equal(WEXITSTATUS(run_to_end("trap 'exit 5' USR1; kill -USR1 $$; sleep 9")), 5);
	assert_int_equal(WEXITSTATUS(run_to_end("exec sh -c 'exit 6'")), 6);
	assert_int_equal(WEXITSTATUS(run_to_end("echo x | cat >/dev/null; true & wait; exit 4")),
			 4);
}

static void says_why_not(void **state)
{
	char *argv[] = {(char[]){"/nowhere/program"}, NULL};
	pid_t pid = victim_start();
	scoped(tracee) struct tracee *one = NULL, *two = NULL;
	scoped(error) struct error *none = tracee_launch(argv, &one);
	scoped(error) struct error *gone = NULL, *traced = NULL;

	assert_int_equal(error_code(none), ERROR_NOT_FOUND);
	gone = tracee_attach(0x3fffff, &one);
	assert_int_equal(error_code(gone), ERROR_NOT_FOUND);
	OK(tracee_attach(pid, &one));
	traced = tracee_attach(pid, &two);
	assert_int_equal(error_code(traced), ERROR_REFUSED);
	assert_non_null(strstr(error_text(traced), "is traced already, by process"));
	tracee_close(one);
	one = NULL;
	victim_end(pid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stops_all_and_lets_go),
		cmocka_unit_test(breakpoints_lose_no_call),
		cmocka_unit_test(borrows_a_thread_for_system_calls),
		cmocka_unit_test(outlives_a_killed_tracer),
		cmocka_unit_test(watches_writes),
		cmocka_unit_test(launches_and_passes_on),
		cmocka_unit_test(says_why_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
