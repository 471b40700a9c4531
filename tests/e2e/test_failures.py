# SPDX-License-Identifier: Apache-2.0
"""Memory that is not given and calls that fail, one at many places of a run: an answer or an error in words, never a crash.

A preloaded library lets the n-th call fail, for n over the whole run in growing steps. The program is a stripped one:
libdw has no answer when it gets no memory.
"""

import os
import pathlib
import subprocess

import pytest
from conftest import newest_version
from fixture import fixture_named
from harness import crash_of
from judge import mapfault_path, mapfault_run

SECONDS = 60
GROWTH = 1.3


def test_full_disk(crash):
    done = mapfault_run("--json", crash.core, crash.app, "-o", "/dev/full")
    assert done.returncode == 3 and "next:" in done.stderr


@pytest.fixture(scope="module")
def failing_calls(tmp_path_factory):
    library = tmp_path_factory.mktemp("preload") / "failing_calls.so"
    source = pathlib.Path(__file__).parent / "failing_calls.c"
    done = subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, source], capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"no compiler: {done.stderr[:300]}")
    return library


@pytest.fixture(scope="module")
def stripped():
    with crash_of(fixture_named("rw_field"), newest_version(), "stripped") as found:
        yield found


def steps(last):
    n = 1
    while n <= last:
        yield n
        n = max(n + 1, int(n * GROWTH))


def run_failing(library, arguments, settings):
    if "san" in pathlib.Path(mapfault_path()).parent.name:
        pytest.skip("a sanitizer has its own malloc")
    env = {**os.environ, "LD_PRELOAD": str(library), **settings}
    return subprocess.run([str(mapfault_path()), *map(str, arguments)], env=env, text=True,
                          capture_output=True, timeout=SECONDS)


@pytest.mark.parametrize("call,last", [("malloc", 40000), ("mmap", 20), ("read", 12), ("open", 12)])
def test_failing(stripped, failing_calls, tmp_path, call, last):
    met = 0
    out = tmp_path / "report.json"
    for n in steps(last):
        done = run_failing(failing_calls, ["--json", stripped.core, stripped.app, "-o", out],
                           {"FAIL_CALL": call, "FAIL_AT": str(n)})
        assert done.returncode in (0, 3, 4), (call, n, done.returncode, done.stderr[-500:])
        if done.returncode == 3:
            met += 1
            assert done.stderr.startswith("mapfault: ") and "next:" in done.stderr, (call, n, done.stderr)
        assert {p.name for p in tmp_path.iterdir()} <= {out.name}, (call, n)
        out.unlink(missing_ok=True)
    assert met, f"no {call} that fails was ever told"
