# SPDX-License-Identifier: Apache-2.0
"""The writes of one map of a running program as `mapfault watch` sees them: where the source has them, in order, and
overlapping only when the program writes without its lock. Truth is the source of tests/fixtures/live_race."""

import dataclasses
import json
import os
import pathlib
import re
import signal
import subprocess
import time

import pytest
from fixture import FIXTURES, fixture_named, versions_read
from judge import mapfault_path, mapfault_run
from run import CrashFolder
from test_attach import Counter
from toolchain import program_build, toolchain_folder
from watched import tracer_of, wait_for

FULL = bool(os.environ.get("MAPFAULT_FULL"))
SPREAD = ("1.9.7", "1.16.15", "1.18.10", "1.22.12", "1.24.11", "1.27.2")
SOURCE = FIXTURES / "live_race" / "main.go"
TYPE = "map[string]int"
DEATH_SECONDS = 30
DEATHS = 8


def line_of(mark):
    return next(i for i, line in enumerate(SOURCE.read_text().splitlines(), 1) if line.endswith("@" + mark))


FLAG_CHANGES = {"set": re.compile(r"flags (\||\^)= hashWriting|\.writing \^= 1"),
                "clear": re.compile(r"flags &\^= hashWriting|\.writing \^= 1")}


def source_line(version, place):
    """What Go's own source says there; its path ends like the one in the program."""
    path = toolchain_folder(version) / "src" / place["file"].split("/src/", 1)[1]
    return path.read_text().splitlines()[place["line"] - 1]


class Racer:
    """The program, in a `with` block; correct until misbehave()."""

    def __init__(self, version, folder, variant="default"):
        fixture = dataclasses.replace(fixture_named("ww_int"), name="live_race", folder=SOURCE.parent)
        self.app, self.err = program_build(fixture, version, variant), folder / "racer"
        with open(self.err, "wb") as stderr:
            self.process = subprocess.Popen([str(self.app)], stderr=stderr, stdin=subprocess.DEVNULL,
                                            stdout=subprocess.DEVNULL)
        assert wait_for(lambda: "map 0x" in self.text())
        self.pid = self.process.pid
        self.address = re.search(r"map (0x[0-9a-f]+)", self.text()).group(1)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.process.kill()
        self.process.wait()

    def text(self):
        return self.err.read_text(errors="replace")

    def misbehave(self):
        self.process.send_signal(signal.SIGUSR1)


def watch(pid, *options):
    done = mapfault_run("watch", "--json", "-q", "-p", str(pid), *options)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def check_pairs(report):
    """Each goroutine sets, clears, sets; the first clear may end what began before, the last set be under way."""
    inside = {}
    for number, event in enumerate(report["events"]):
        was = inside.get(event["goroutine"])
        if event["event"] == "set":
            assert not was, (number, event)
            inside[event["goroutine"]] = True
        elif event["event"] == "clear":
            assert was or number == 0, (number, event)
            inside[event["goroutine"]] = False
    assert report["unpaired"] == 0 and report["incomplete"] is None, report


@pytest.mark.slow
@pytest.mark.parametrize("version", versions_read() if FULL else SPREAD)
def test_flag_is_set_and_cleared_where_the_tables_say(version):
    with CrashFolder() as folder, Racer(version, folder) as racer:
        report = watch(racer.pid, "--map", racer.address, "--events", "400", "--seconds", "10")
        assert report["ended_by"] == "events" and len(report["events"]) >= 400
        check_pairs(report)
        places = {(e["operation"], e["site"]["line"]) for e in report["events"]}
        assert places == {("assign", line_of("locked")), ("delete", line_of("delete"))}, places
        assert report["overlaps"] == []  # every write is under the lock
        assert all(not i["overlaps"] for i in report["intervals"])
        if report["map"]["implementation"] == "swiss":
            assert report["other_writes"] == 0  # no other flags share its byte
        for event in report["events"]:
            words = source_line(version, event["place"])
            assert FLAG_CHANGES[event["event"]].search(words), (event["place"], words)
        assert report["map"]["type"] == TYPE and "shared" in report["map"]["owner"], report["map"]
        assert tracer_of(racer.pid) == 0
        time.sleep(0.05)
        assert racer.process.poll() is None


def watch_till_death(racer):
    command = [str(mapfault_path()), "watch", "--json", "-q", "-p", str(racer.pid), "--map", racer.address,
               "--events", "1000000", "--seconds", str(DEATH_SECONDS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watcher:
        assert wait_for(lambda: tracer_of(racer.pid))
        time.sleep(0.3)
        racer.misbehave()
        out, _ = watcher.communicate(timeout=DEATH_SECONDS * 2)
    assert racer.process.wait(20) == 2 and "fatal error: concurrent map" in racer.text()
    return json.loads(out)


@pytest.mark.slow
@pytest.mark.parametrize("version,variant", [("1.16.15", "stripped"), ("1.22.12", "default"), ("1.26.8", "pie-stripped")])
def test_overlap_is_proven_both_sides(version, variant):
    seen = 0
    for _ in range(DEATHS):
        with CrashFolder() as folder, Racer(version, folder, variant) as racer:
            report = watch_till_death(racer)
        check_pairs(report)
        assert report["ended_by"] == "fatal"
        for overlap in report["overlaps"]:
            lines = [side["site"]["line"] for side in overlap["sides"]]
            assert overlap["confidence"] == "proven" and line_of("unlocked") in lines, overlap
            assert set(lines) & {line_of("locked"), line_of("delete"), line_of("walk")}, overlap
            assert len({side["goroutine"] for side in overlap["sides"]}) == 2
        seen += bool(report["overlaps"])  # nothing is claimed when the first write of all meets another's check
        if seen and not FULL:
            break
    assert seen, "no death showed both sides"


@pytest.mark.slow
def test_watchers_that_are_ended_and_killed():
    with CrashFolder() as folder, Counter("1.22.12", folder) as counter:
        pid = counter.process.pid
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL, signal.SIGKILL):
            watcher = subprocess.Popen(
                [str(mapfault_path()), "watch", "-q", "-p", str(pid), "--type", "map[int]uint64", "--events", "1000000"],
                stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, preexec_fn=os.setsid)
            assert wait_for(lambda: tracer_of(pid) and counter.changed_code())
            time.sleep(0.1)
            if number == signal.SIGKILL:
                watcher.kill()
            else:
                os.killpg(watcher.pid, number)
                assert "overlapped" in watcher.communicate(timeout=20)[0] and watcher.returncode == 0
            assert wait_for(lambda: tracer_of(pid) == 0 and counter.changed_code() == [])
            counter.must_go_on()
            watcher.communicate(timeout=20)


def test_choice_and_bad_input():
    with CrashFolder() as folder, Counter("1.22.12", folder) as counter:
        pid = str(counter.process.pid)
        several = mapfault_run("watch", "-p", pid)
        assert several.returncode == 2 and "main.total" in several.stderr and "which of these" in several.stderr
        assert mapfault_run("watch", "-p", pid, "--type", "map[bool]bool").returncode == 3
        assert mapfault_run("watch", "-p", pid, "--map", "0x10").returncode == 3
        assert mapfault_run("watch", "-p", pid, "--map", "here").returncode == 2
        assert mapfault_run("watch", "-p", pid, "--events", "0").returncode == 2
        assert mapfault_run("watch").returncode == 2
        narrow = subprocess.run([str(mapfault_path()), "watch", "-q", "-p", pid, "--type", "map[int]uint64"], text=True,
                                capture_output=True, env={**os.environ, "COLUMNS": "60"}, timeout=60)
        assert max(len(line) for line in narrow.stdout.splitlines()) <= 60, narrow.stdout
        assert pathlib.Path(f"/proc/{pid}").exists()
