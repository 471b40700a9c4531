// SPDX-License-Identifier: Apache-2.0
// Goroutine states, renumbered wait reasons, roles and kinds of functions.
// clang-format off: cmocka needs these first
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "golang/runtime.h"

static const char *reason(int minor, uint8_t number)
{
	return go_wait_reason((struct go_version){minor}, number);
}

static void statuses(void **state)
{
	assert_string_equal(go_status_name(GO_STATUS_RUNNABLE), "runnable");
	assert_string_equal(go_status_name(GO_STATUS_WAITING | GO_STATUS_SCAN), "waiting");
	assert_string_equal(go_status_name(GO_STATUS_DEADEXTRA), "waiting for cgo callback");
	assert_string_equal(go_status_name(5), "unknown");
	assert_string_equal(go_status_name(12), "unknown");
	assert_string_equal(go_status_name(UINT32_MAX), "unknown");
}

static void wait_reasons_move(void **state)
{
	assert_string_equal(reason(11, 13), "chan receive");
	assert_string_equal(reason(13, 13), "GC scavenge wait");
	assert_string_equal(reason(13, 14), "chan receive");
	assert_string_equal(reason(15, 26), "debug call");
	assert_string_equal(reason(19, 21), "timer goroutine (idle)");
	assert_string_equal(reason(20, 21), "sync.Mutex.Lock");
	assert_string_equal(reason(24, 24), "sync.WaitGroup.Wait");
	assert_string_equal(reason(25, 18), "GOMAXPROCS updater (idle)");
	assert_string_equal(reason(26, 3), "dumping heap");
	assert_string_equal(reason(26, 19), "chan receive");
	assert_string_equal(reason(26, 46), "cleanup wait");
}

static void wait_reasons_out_of_range(void **state)
{
	assert_string_equal(reason(26, 0), "");
	assert_string_equal(reason(9, 0), "");
	assert_null(reason(10, 1)); /* a string until 1.10 */
	assert_null(reason(11, 24));
	assert_null(reason(23, 38));
	assert_null(reason(26, 255));
	assert_null(reason(GO_MINOR_NEWEST + 1, 1));
	for (int minor = 11; minor <= GO_MINOR_NEWEST; minor++)
		assert_string_equal(reason(minor, 2), "IO wait");
}

static void roles(void **state)
{
	assert_int_equal(go_role_of("runtime.goexit"), GO_ROLE_TOP);
	assert_int_equal(go_role_of("runtime.mcall"), GO_ROLE_MCALL);
	assert_int_equal(go_role_of("runtime.systemstack"), GO_ROLE_SYSTEMSTACK);
	assert_int_equal(go_role_of("runtime.systemstack_switch"), GO_ROLE_NORMAL);
	assert_int_equal(go_role_of("runtime.morestack"), GO_ROLE_MORESTACK);
	assert_int_equal(go_role_of("runtime.asmcgocall"), GO_ROLE_ASMCGOCALL);
	assert_int_equal(go_role_of("runtime.cgocallback"), GO_ROLE_CGOCALLBACK);
	assert_int_equal(go_role_of("runtime.sigreturn__sigaction"), GO_ROLE_SIGNAL_FRAME);
	assert_int_equal(go_role_of("runtime.asyncPreempt"), GO_ROLE_INJECTED);
	assert_int_equal(go_role_of("runtime.asyncPreempt2"), GO_ROLE_NORMAL);
	assert_int_equal(go_role_of("main.goexit"), GO_ROLE_NORMAL);
}

/** As runtime/sigtab_linux_generic.go has them. */
static void signals_by_the_runtimes_own_names(void **state)
{
	assert_string_equal(go_signal_text(3), "SIGQUIT: quit");
	assert_string_equal(go_signal_text(6), "SIGABRT: abort");
	assert_string_equal(go_signal_text(8), "SIGFPE: floating-point exception");
	assert_string_equal(go_signal_text(11), "SIGSEGV: segmentation violation");
	assert_string_equal(go_signal_text(31), "SIGSYS: bad system call");
	assert_null(go_signal_text(0));
	assert_null(go_signal_text(23)); // SIGURG: nobody dies of it
	assert_null(go_signal_text(-1));
	assert_null(go_signal_text(4096));
}

static void not_users_functions(void **state)
{
	static const char *const names[] = {
		"runtime.mapassign_fast64",
		"runtime.(*hmap).newoverflow",
		"runtime.mapaccess1_faststr",
		"internal/runtime/maps.(*Map).Delete",
		"internal/runtime/maps.fatal",
		"runtime/internal/atomic.Load",
		"internal/abi.(*SwissMapType).IndirectKey",
		"reflect.Value.SetMapIndex",
		"reflect.mapassign",
		"internal/reflectlite.maplen",
		"maps.clone",
		"type..eq.main.key",
		"type:.hash.main.key",
		"go.(*struct { sync.Mutex }).Lock",
		"aeshashbody",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_true(go_is_runtime_function(names[i]));
}

static void users_functions(void **state)
{
	static const char *const names[] = {
		"main.main",
		"main.(*server).put",
		"main.runtime.func1",
		"maps.Clone[go.shape.map[string]int,go.shape.string,go.shape.int]",
		"go.uber.org/zap.(*Logger).Info",
		"runtime.example.com/x.F",
		"example.com/runtime.Put",
		"example.com/a.Do[runtime/internal/x.T]",
		"runtime/pprof.(*profileBuilder).build",
		"runtime/debug.Stack",
		"reflectx.Put",
		"encoding/json.(*decodeState).object",
		"",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_false(go_is_runtime_function(names[i]));
}

static void package_initializers(void **state)
{
	assert_true(go_is_package_initializer("main.init"));
	assert_true(go_is_package_initializer("example.com/a/b.init.0"));
	assert_true(go_is_package_initializer("main.map.init.12"));
	assert_false(go_is_package_initializer("main.init.0.func1"));
	assert_false(go_is_package_initializer("main.init.func1"));
	assert_false(go_is_package_initializer("main.initialize"));
	assert_false(go_is_package_initializer("main.(*T).init"));
	assert_false(go_is_package_initializer("example.com/init.Put"));
	assert_false(go_is_package_initializer(""));
}

static void system_goroutines(void **state)
{
	assert_true(go_is_system_goroutine("runtime.bgsweep"));
	assert_true(go_is_system_goroutine("runtime.forcegchelper"));
	assert_true(go_is_system_goroutine("runtime.gcBgMarkWorker"));
	assert_true(go_is_system_goroutine("runtime.timerproc"));
	assert_true(go_is_system_goroutine("runtime.runFinalizers"));
	assert_false(go_is_system_goroutine("runtime.main"));
	assert_false(go_is_system_goroutine("runtime.corostart"));
	assert_false(go_is_system_goroutine("main.main.func1"));
	assert_false(go_is_system_goroutine("runtime/pprof.profileWriter"));
	assert_false(go_is_system_goroutine("reflect.makeFuncStub"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(statuses),
		cmocka_unit_test(wait_reasons_move),
		cmocka_unit_test(wait_reasons_out_of_range),
		cmocka_unit_test(roles),
		cmocka_unit_test(signals_by_the_runtimes_own_names),
		cmocka_unit_test(not_users_functions),
		cmocka_unit_test(users_functions),
		cmocka_unit_test(package_initializers),
		cmocka_unit_test(system_goroutines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
