# SPDX-License-Identifier: Apache-2.0
"""A program that works correctly for ever is watched, let go of, and its watchers are killed: it must go on working,
with every byte of its code as the file has it."""

import dataclasses
import os
import pathlib
import re
import signal
import struct
import subprocess
import time

import pytest
from fixture import FIXTURES, fixture_named
from judge import mapfault_json, mapfault_path, mapfault_run
from run import CrashFolder
from toolchain import program_build
from watched import Attached, tracer_of, wait_for

FULL = bool(os.environ.get("MAPFAULT_FULL"))
CYCLES = int(os.environ.get("MAPFAULT_CYCLES", 20))
VERSIONS = ("1.9.7", "1.16.15", "1.22.12", "1.27.2")


def counter_build(version, variant="default"):
    fixture = dataclasses.replace(fixture_named("ww_int"), name="live_counter", folder=FIXTURES / "live_counter")
    return program_build(fixture, version, variant)


class Counter:
    """The program, in a `with` block. At its end it is asked to end, and must do so as if nothing had been."""

    def __init__(self, version, folder, env=None, variant="default"):
        self.app, self.err = counter_build(version, variant), folder / "counter"
        with open(self.err, "wb") as stderr:
            self.process = subprocess.Popen([str(self.app)], stderr=stderr, stdin=subprocess.DEVNULL,
                                            stdout=subprocess.DEVNULL, env={**os.environ, **(env or {})})
        assert wait_for(lambda: self.count() > 0), self.text()

    def __enter__(self):
        return self

    def __exit__(self, kind, *unused):
        if kind is None:
            self.process.send_signal(signal.SIGUSR1)
            assert self.process.wait(20) == 7, self.text()[-2000:]
        else:
            self.process.kill()
            self.process.wait()

    def text(self):
        return self.err.read_text(errors="replace")

    def count(self):
        counts = re.findall(r"^count (\d+)\n", self.text(), re.M)
        return int(counts[-1]) if counts else 0

    def must_go_on(self):
        before = self.count()
        assert wait_for(lambda: self.count() > before), self.text()[-2000:]
        assert "lost" not in self.text()

    def changed_code(self):
        """Addresses where the process's code differs from the file's."""
        data = self.app.read_bytes()
        offset, = struct.unpack_from("<Q", data, 32)
        size, count = struct.unpack_from("<HH", data, 54)
        changed = []
        with open(f"/proc/{self.process.pid}/mem", "rb", 0) as memory:
            for i in range(count):
                kind, flags, at, address, _, length = struct.unpack_from("<IIQQQQ", data, offset + i * size)
                if kind != 1 or not flags & 1:
                    continue
                memory.seek(address)
                there = memory.read(length)
                changed += [address + i for i in range(length) if there[i] != data[at + i]] \
                    if there != data[at:at + length] else []
        return changed


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
def test_attach_and_let_go(version):
    with CrashFolder() as folder, Counter(version, folder) as counter:
        pid = counter.process.pid
        for cycle in range(max(3, CYCLES // len(VERSIONS))):
            with Attached(pid, folder) as watcher:
                # else the rest of this test shows nothing
                assert wait_for(counter.changed_code), watcher.err.read_text()
                if cycle % 3 == 0:
                    mapfault_run("detach", "-p", str(pid))
                    assert watcher.process.wait(20) == 0
                else:
                    assert watcher.end(signal.SIGINT if cycle % 3 == 1 else signal.SIGTERM) == 0
            assert tracer_of(pid) == 0
            assert counter.changed_code() == []
            counter.must_go_on()


@pytest.mark.slow
def test_detach_repairs_what_nobody_guarded():
    with CrashFolder() as folder, Counter("1.26.8", folder) as counter:
        pid = counter.process.pid
        with Attached(pid, folder) as watcher:
            assert wait_for(counter.changed_code)
            children = pathlib.Path(f"/proc/{watcher.process.pid}/task/{watcher.process.pid}/children").read_text()
            for guard in children.split():
                os.kill(int(guard), signal.SIGKILL)
            watcher.process.kill()
            watcher.process.wait()
        assert counter.changed_code()
        done = mapfault_run("detach", "-p", str(pid))
        assert "repaired" in done.stderr
        assert counter.changed_code() == []
        counter.must_go_on()


@pytest.mark.slow
@pytest.mark.parametrize("version,variant", [("1.16.15", "default"), ("1.27.2", "pie"), ("1.27.2", "pie-stripped")])
def test_ordinary_commands_on_a_live_process(version, variant):
    with CrashFolder() as folder, Counter(version, folder, variant=variant) as counter:
        pid = str(counter.process.pid)
        goroutines = mapfault_json("goroutines", "--all", "-p", pid)["goroutines"]
        running = [frame["function"] for g in goroutines for frame in g["stack"]]
        assert running.count("main.work") == 8 and "main.check" in running
        for g in goroutines:
            assert g["stack_broken"] is None or g["state"] == "running", g
        # each of the eight makes its own entry, on a busy machine some time later
        assert wait_for(lambda: any("map[int]uint64" in m["type"] and m["count"] == 8
                                    for m in mapfault_json("maps", "-p", pid)["maps"]))
        report = mapfault_json("diagnose", "-p", pid)
        assert "alive" in report["verdict"]["sentence"] and not report["sides"]
        assert "stood still for" in mapfault_run("goroutines", "-p", pid).stderr
        counter.must_go_on()


def test_refusals_say_why():
    gone = mapfault_run("attach", "-p", "4194303")
    assert gone.returncode == 3 and "no such process" in gone.stderr
    assert mapfault_run("attach").returncode == 2
    assert mapfault_run("detach").returncode == 2
    for option in "--reads", "--allocs":
        alone = mapfault_run("run", option, "--", "/bin/false")
        assert alone.returncode == 2 and "add --record" in alone.stderr
    sleeper = subprocess.Popen(["sleep", "60"])
    try:
        other = mapfault_run("attach", "-p", str(sleeper.pid))
        assert other.returncode == 3 and "next:" in other.stderr  # no Go program
        assert tracer_of(sleeper.pid) == 0
    finally:
        sleeper.kill()
        sleeper.wait()


@pytest.mark.slow
def test_a_fatal_under_attach_and_held():
    fixture = fixture_named("hard_rare_writer")
    app = program_build(fixture, "1.22.12")
    with CrashFolder() as folder:
        with open(folder / "err", "wb") as stderr:
            process = subprocess.Popen([str(app)], stderr=stderr, stdin=subprocess.DEVNULL, cwd=folder)
        with Attached(process.pid, folder, "--hold", "--json", "-o", str(folder / "report")) as watcher:
            code = watcher.process.wait(60)
            words = watcher.err.read_text()
        if "is held" not in words:
            process.wait(60)
            pytest.skip("it did not crash in its time: " + words)
        state = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        assert code == 0 and state == "T" and f"gdb -p {process.pid}" in words
        assert (folder / "report").exists()
        process.send_signal(signal.SIGCONT)
        assert process.wait(60) == 2
        assert "fatal error: concurrent map" in (folder / "err").read_text()
