// SPDX-License-Identifier: Apache-2.0
// Lines as Go 1.9 to 1.27 print them, bare and as logs wrap them.
#include "../base/cmocka_first.h"

#include "evidence/text/gctrace.h"

static struct gctrace_cycle cycle_of(const char *line)
{
	struct gctrace_cycle cycle = {0};

	assert_true(gctrace_line(text_of(line), &cycle));
	return cycle;
}

static void every_release(void **state)
{
	struct gctrace_cycle old = cycle_of("gc 3 @0.052s 2%: 0.026+0.39+0.10 ms clock, "
					    "0.21+0.88/0.52/0+0.80 ms cpu, 4->5->1 MB, "
					    "5 MB goal, 8 P");
	struct gctrace_cycle forced = cycle_of(
		"gc 17 @12.5s 11%: 0.026+0.39+0.10 ms clock, 0.21+0.88/0.52/0+0.80 ms cpu, "
		"40->41->39 MB, 50 MB goal, 0 MB stacks, 2 MB globals, 2 P (forced)");
	struct gctrace_cycle leaks = cycle_of(
		"gc 4 @1.5s 0% (checking for goroutine leaks): 0.02+0.3+0.1 ms clock, "
		"0.04+0.8/0.5/0+0.2 ms cpu, 3->3->2 MB, 4 MB goal, 0 MB stacks, 0 MB globals, 2 P");

	assert_int_equal(old.number, 3);
	assert_true(old.at_s > 0.0519 && old.at_s < 0.0521);
	assert_true(old.cpu_percent == 2);
	assert_true(old.before_mb == 4 && old.after_mb == 5 && old.live_mb == 1);
	assert_true(old.goal_mb == 5 && old.procs == 8 && !old.forced);
	assert_true(forced.forced && forced.procs == 2 && forced.globals_mb == 2);
	assert_true(leaks.number == 4 && leaks.live_mb == 2);
}

#define CYCLE                                                                                      \
	"gc 3 @0.052s 2%: 0.026+0.39+0.10 ms clock, 0.21+0.88/0.52/0+0.80 ms cpu, 4->5->1 MB, 5 "  \
	"MB "                                                                                      \
	"goal, 8 P"

static void logs_wrap_lines(void **state)
{
	/* 2023-11-14T22:13:20Z is 1700000000 seconds after 1970 */
	const int64_t second = 1000000000, start = 1700000000 * second;

	assert_int_equal(cycle_of("2023-11-14T22:13:20.5Z stderr F " CYCLE).stamp_ns,
			 start + second / 2);
	assert_int_equal(cycle_of("2023/11/14 22:13:20 " CYCLE).stamp_ns, start);
	assert_int_equal(cycle_of("2023-11-15T00:13:20+02:00 app[7]: " CYCLE).stamp_ns, start);
	assert_int_equal(cycle_of("2023-11-14T15:13:20,25-0700 " CYCLE).stamp_ns,
			 start + second / 4);
	assert_int_equal(cycle_of("{\"log\":\"" CYCLE "\\n\",\"time\":\"x\"}").number, 3);
	assert_int_equal(cycle_of("host app[12]: " CYCLE "\r").stamp_ns, 0);
	assert_int_equal(cycle_of("gc 1 @ is no cycle, gc 2 neither: " CYCLE).number, 3);
}

static void what_is_cut_off_is_no_cycle(void **state)
{
	struct text whole = text_of(CYCLE);
	struct gctrace_cycle cycle;

	for (size_t n = 0; n < strlen(CYCLE) - strlen(", 8 P"); n++)
		assert_false(gctrace_line((struct text){whole.p, n}, &cycle));
	assert_false(gctrace_line(text_of("gc 99999999999999999999 @1s 2%: ms cpu, 1->1->1 MB"),
				  &cycle));
}

static void the_scheduler(void **state)
{
	struct schedtrace_line old, new;
	struct gctrace_cycle cycle;

	assert_true(schedtrace_take(
		text_of("SCHED 1009ms: gomaxprocs=2 idleprocs=0 threads=5 spinningthreads=0 "
			"idlethreads=2 runqueue=1 [0 7]"),
		&old));
	assert_int_equal(old.at_ms, 1009);
	assert_int_equal(old.gomaxprocs, 2);
	assert_int_equal(old.threads, 5);
	assert_int_equal(old.idle_threads, 2);
	assert_int_equal(old.run_queue, 8);
	assert_true(schedtrace_take(
		text_of("app: SCHED 0ms: gomaxprocs=4 idleprocs=3 threads=6 spinningthreads=1 "
			"needspinning=0 idlethreads=1 runqueue=2 [ 1 0 3 0 ] schedticks=[ 9 9 9 9 "
			"]"),
		&new));
	assert_int_equal(new.run_queue, 6);
	assert_int_equal(new.idle_procs, 3);
	assert_false(schedtrace_take(text_of(CYCLE), &old));
	assert_false(gctrace_line(text_of("SCHED 0ms: gomaxprocs=4"), &cycle));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_release),
		cmocka_unit_test(logs_wrap_lines),
		cmocka_unit_test(what_is_cut_off_is_no_cycle),
		cmocka_unit_test(the_scheduler),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
