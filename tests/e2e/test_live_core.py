# SPDX-License-Identifier: Apache-2.0
"""A core of a program that did not die: taken by gdb's gcore while it runs."""

import shutil
import subprocess
import time

import pytest
from fixture import fixture_named
from judge import mapfault_json
from run import CrashFolder
from toolchain import program_build

READY_SECONDS = 20

# Where each goroutine of innocent_busy is, whatever the Go version: function and state.
TOO_DEEP = "the stack is deeper than any that is read"
EXPECTED = {
    ("main._Cfunc_in_c", "syscall"), ("main._Cfunc_busy_in_c", "syscall"), ("main.read", "syscall"),
    ("main.nap", "syscall"), ("main.stay", "waiting"), ("main.recovering", "waiting"),
    ("main.(*shelf).put", "waiting"), ("main.main", "waiting"),
}


def core_take(app, folder):
    """Start the program, copy it while it runs, end it."""
    err = folder / "stderr"
    with open(err, "wb") as stderr:
        process = subprocess.Popen([str(app)], cwd=folder, stderr=stderr, stdin=subprocess.DEVNULL)
    try:
        until = time.monotonic() + READY_SECONDS
        while "truth ready" not in err.read_text() and time.monotonic() < until:
            time.sleep(0.02)
        done = subprocess.run(["gcore", "-o", str(folder / "live"), str(process.pid)], text=True,
                              capture_output=True, timeout=60)
    finally:
        process.kill()
        process.wait()
    core = folder / f"live.{process.pid}"
    if not core.exists():
        pytest.skip(f"gcore left no core: {done.stderr[-300:]}")
    return core


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("gcore"), reason="gcore comes with gdb")
@pytest.mark.parametrize("version,variant", [("1.12.17", "default"), ("1.18.10", "cgo-stripped"),
                                             ("1.27.2", "stripped")])
def test_live_core(version, variant):
    app = program_build(fixture_named("innocent_busy"), version, variant)
    with CrashFolder() as folder:
        core = core_take(app, folder)
        goroutines = mapfault_json("goroutines", "--all", core, app)["goroutines"]
        report = mapfault_json(core, app)
    assert report["verdict"]["kind"] == "not_a_map_fatal"
    assert report["verdict"]["confidence"] == "unknown"
    assert "nothing in the core says" in report["verdict"]["sentence"]
    assert not report["sides"] and not report["candidates"]
    seen = {(frame["function"], goroutine["state"]) for goroutine in goroutines
            for frame in goroutine["stack"]}
    assert EXPECTED <= seen, EXPECTED - seen
    for goroutine in goroutines:
        assert goroutine["stack"], goroutine
        # one goroutine climbs 5,000 calls: it may be caught deeper than stacks are read
        if goroutine["stack_broken"] == TOO_DEEP and goroutine["stack"][-1]["function"] == "main.climb":
            continue
        assert not goroutine["stack_broken"], goroutine
        assert goroutine["stack"][-1]["function"] == "runtime.goexit", goroutine
