# SPDX-License-Identifier: Apache-2.0
"""Tracers are ended and killed at any moment, alone and together with the guard that would have put things back. The
process must work on, and die, when it dies, of its own fatal error. A thousand kills are `make soak`."""

import os
import pathlib
import random
import signal
import subprocess
import time

import pytest
from fixture import fixture_named
from judge import mapfault_path, mapfault_run
from run import CrashFolder
from test_attach import Counter, counter_build
from test_watch import Racer
from toolchain import program_build
from watched import Attached, environment, tracer_of, wait_for

KILLS = int(os.environ.get("MAPFAULT_KILLS", 30))
SEED = 20
TYPE = "map[int]uint64"
SPAN_SECONDS = 0.08
DEATH_SECONDS = 30
PAGE = 4096


def children_of(pid):
    try:
        return [int(p) for p in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def name_of(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def guards_of(pid):
    return [child for child in children_of(pid) if name_of(child) == "mapfault-guard"]


def kill_with_guards(process):
    """Nobody is left to put anything back."""
    process.send_signal(signal.SIGSTOP)  # it shall make no guard meanwhile
    for guard in guards_of(process.pid):
        os.kill(guard, signal.SIGKILL)
    process.kill()
    process.wait()


def left_by_killed(pid):
    """What is executable and of no file: the shield. Blank pages, of a tracer that was killed with its guard before it had
    written to them, are nobody's and do nothing."""
    left = []
    with open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines():
            if " r-xp 00000000 00:00 0" in line and "[v" not in line:
                memory.seek(int(line.split("-")[0], 16))
                left += [line] if any(memory.read(PAGE)) else []
    return left


@pytest.mark.slow
@pytest.mark.parametrize("version,variant", [("1.9.7", "default"), ("1.22.12", "cgo"), ("1.27.2", "pie-stripped")])
def test_left_breakpoint_does_no_harm(version, variant):
    with CrashFolder() as folder, Racer(version, folder, variant) as racer:
        with Attached(racer.pid, folder) as watcher:
            assert wait_for(lambda: guards_of(watcher.process.pid)), watcher.err.read_text()
            time.sleep(0.05)
            kill_with_guards(watcher.process)
        assert left_by_killed(racer.pid)
        racer.misbehave()
        assert racer.process.wait(DEATH_SECONDS) == 2
        assert "fatal error: concurrent map" in racer.text() and "SIGTRAP" not in racer.text(), racer.text()


@pytest.mark.slow
@pytest.mark.parametrize("version", ["1.16.15", "1.26.8"])
def test_left_watchpoint_does_no_harm(version):
    with CrashFolder() as folder, Counter(version, folder) as counter:
        pid = counter.process.pid
        watcher = watch_start(pid)
        assert wait_for(counter.changed_code)
        time.sleep(0.05)
        kill_with_guards(watcher)
        counter.must_go_on()
        assert "repaired" in mapfault_run("detach", "-p", str(pid)).stderr
        assert counter.changed_code() == [] and left_by_killed(pid) == []
        counter.must_go_on()
        assert "repaired" not in mapfault_run("detach", "-p", str(pid)).stderr


def watch_start(pid):
    return subprocess.Popen([str(mapfault_path()), "watch", "-q", "-p", str(pid), "--type", TYPE, "--events", "1000000"],
                            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, preexec_fn=os.setsid)


def attach_start(pid):
    return subprocess.Popen([str(mapfault_path()), "attach", "-q", "-p", str(pid)], stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=os.setsid)


def one_death(chance, pid):
    """Starts a tracer, and ends it in some way at some moment; sometimes while `mapfault detach` asks it to let go."""
    tracer = chance.choice((watch_start, attach_start))(pid)
    time.sleep(chance.random() * SPAN_SECONDS)
    detach = None
    if chance.random() < 0.25:
        detach = subprocess.Popen([str(mapfault_path()), "detach", "-q", "-p", str(pid)], stderr=subprocess.DEVNULL)
        time.sleep(chance.random() * SPAN_SECONDS / 4)
    way = chance.choice(("int", "term", "kill", "kill", "all"))
    if way == "all":
        kill_with_guards(tracer)
    else:
        tracer.send_signal(getattr(signal, f"SIG{way.upper()}"))
        tracer.wait(DEATH_SECONDS)
    if detach:
        detach.wait(DEATH_SECONDS)
    return way


@pytest.mark.slow
def test_tracers_end_at_random_moments():
    chance = random.Random(SEED)
    with CrashFolder() as folder, Counter("1.22.12", folder, {"GOGC": "5"}) as counter:
        pid = counter.process.pid
        for number in range(KILLS):
            way = one_death(chance, pid)
            if way == "all":
                counter.must_go_on()
                mapfault_run("detach", "-p", str(pid))
            assert wait_for(lambda: tracer_of(pid) == 0 and counter.changed_code() == [], 10), (number, way)
            assert wait_for(lambda: left_by_killed(pid) == [], 10), (number, way)
            counter.must_go_on()


@pytest.mark.slow
def test_run_killed_at_random_moments():
    chance = random.Random(SEED)
    app = counter_build("1.26.8")
    for _ in range(max(3, KILLS // 10)):
        with CrashFolder() as folder:
            with open(folder / "err", "wb") as err:
                run = subprocess.Popen([str(mapfault_path()), "run", "-q", "--", str(app)], stderr=err,
                                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            assert wait_for(lambda: [c for c in children_of(run.pid) if name_of(c) == "app"])
            pid = next(c for c in children_of(run.pid) if name_of(c) == "app")
            time.sleep(chance.random() * SPAN_SECONDS)
            run.kill()
            run.wait()
            before = (folder / "err").read_text()
            assert wait_for(lambda: (folder / "err").read_text() != before), (before[-1500:], name_of(pid), pathlib.Path(f"/proc/{pid}/status").read_text())
            os.kill(pid, signal.SIGUSR1)
            assert wait_for(lambda: name_of(pid) != "app")
            words = (folder / "err").read_text()
            assert "SIG" not in words and "lost" not in words, words


@pytest.mark.slow
@pytest.mark.parametrize("version", ["1.18.10", "1.27.2"])
def test_killed_while_it_takes_the_verdict(version):
    """At the fatal the process stands in the breakpoint: killed then, or before, or after, it dies of its own error."""
    fixture = fixture_named("ww_int")
    app, chance = program_build(fixture, version), random.Random(SEED)
    for _ in range(max(4, KILLS // 5)):
        with CrashFolder() as folder:
            with open(folder / "err", "wb") as err:
                run = subprocess.Popen([str(mapfault_path()), "run", "-q", "--", str(app)], stderr=err, cwd=folder,
                                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=environment(fixture))
            assert wait_for(lambda: guards_of(run.pid) or run.poll() is not None)
            pids = [c for c in children_of(run.pid) if name_of(c) == "app"]
            time.sleep(chance.random() * SPAN_SECONDS)
            kill_with_guards(run)
            assert wait_for(lambda: not any(name_of(pid) == "app" for pid in pids), DEATH_SECONDS)
            words = (folder / "err").read_text()
        assert "SIGTRAP" not in words and "fatal error: concurrent map" in words, words
