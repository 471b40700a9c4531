# SPDX-License-Identifier: Apache-2.0
"""The flight recorder, put into real programs: every crash is proven, by the record alone."""

import json
import os
import pathlib
import signal
import subprocess
import time

import pytest
from conftest import newest_version
from fixture import FIXTURES, fixture_named
from judge import mapfault_path, mapfault_run, side_in
from recorded import recorded
from toolchain import go_environment, program_build, toolchain_get

# fixture, Go version, variant, environment: both calling conventions, every kind of map code and of binary
RUNS = [
    ("ww_int", "1.9.7", "default", {}),
    ("rw_field", "1.16.15", "stripped", {"GOMAXPROCS": "2"}),
    ("hard_crowd", "1.18.10", "pie-stripped", {}),
    ("hard_decoy_type", "1.22.12", "default", {"GOMAXPROCS": "8"}),
    ("cgo_callback", "1.23.12", "default", {}),
    ("iter_write", "1.24.11", "default", {}),
    ("reflect_set", "1.26.8", "stripped", {}),
    ("clear_builtin", "1.27.2", "pie", {"GOTRACEBACK": "none"}),
]


@pytest.mark.parametrize("name,version,variant,env", RUNS)
def test_the_other_side_is_proven(name, version, variant, env):
    result = recorded(fixture_named(name), version, variant, env)
    if result.outcome == "void":
        pytest.skip(result.words)
    assert result.outcome == "right", result.words
    assert side_in(result.report, "other")["rule"] == "flight_record"


def worker_build(tmp_path, name, version=None):
    """A program that is no fixture, as nobody in it races."""
    source, program = FIXTURES / name / "main.go", tmp_path / name
    go = toolchain_get(version or newest_version())
    subprocess.run([str(go / "bin" / "go"), "build", "-o", str(program), str(source)], check=True,
                   env=go_environment(version or newest_version(), go, False))
    return program


def sleeper(tmp_path, **settings):
    """A program that writes maps, checks what it wrote, and ends when it is told to."""
    program = worker_build(tmp_path, "map_loop")
    return subprocess.Popen([str(program)], stdout=subprocess.PIPE, text=True, env={**os.environ, **settings})


@pytest.mark.parametrize("version", ["1.9.7", "1.16.15", "1.26.8"])
def test_who_made_and_grew_the_map(version):
    result = recorded(fixture_named("rw_field"), version, arguments=("--allocs",))
    if result.outcome == "void":
        pytest.skip(result.words)
    assert result.outcome == "right", result.words
    found, source = result.report["map"], (fixture_named("rw_field").folder / "main.go").read_text().splitlines()
    assert found["made_by"] == 1 and "make(map" in source[found["made_at"][0]["line"] - 1]
    assert found["grown_by"] > 0 and "s.entries[key] =" in source[found["grown_at"][0]["line"] - 1]


@pytest.mark.parametrize("name,version,words", [("rw_field", "1.16.15", "return s.entries[key]"),
                                                ("iter_write", "1.26.8", "range")])
def test_who_read_the_map_last(name, version, words):
    result = recorded(fixture_named(name), version, arguments=("--reads",))
    if result.outcome == "void":
        pytest.skip(result.words)
    assert result.outcome == "right", result.words
    source = (fixture_named(name).folder / "main.go").read_text().splitlines()
    readers, writers = result.report["map"]["last_readers"], result.report["map"]["last_writers"]
    detector = side_in(result.report, "detector")["goroutine"]["id"]
    assert detector in {reader["goroutine"] for reader in readers}
    assert {reader["operation"] for reader in readers} <= {"read", "iterate"}
    assert all(words in source[reader["site"]["line"] - 1] for reader in readers)
    assert writers[0]["goroutine"] == side_in(result.report, "other")["goroutine"]["id"]


def flags_before_the_record(pid):
    """Of the mapping below the record's: the page that the kernel wipes in forked children, who then record nothing."""
    mappings = pathlib.Path(f"/proc/{pid}/smaps").read_text().split("VmFlags:")
    at = next(i for i, text in enumerate(mappings) if f"mapfault-{pid}.flight" in text)
    return mappings[at].splitlines()[0].split()


def test_put_in_and_taken_out_under_load(tmp_path):
    """Again and again, while the collector never rests and profiling signals come: nothing is lost, nothing stays."""
    process = sleeper(tmp_path, GOGC="1", GODEBUG="gcstoptheworld=1", PROFILE="1000")
    record = tmp_path / f"mapfault-{process.pid}.flight"
    try:
        assert process.stdout.readline() == "ready\n"
        for cycle in range(int(os.environ.get("MAPFAULT_CYCLES", 5))):
            recorder = subprocess.Popen([str(mapfault_path()), "record", "-p", str(process.pid), "--allocs", "--reads",
                                         "--folder", str(tmp_path)],
                                        stderr=subprocess.PIPE, text=True)
            said = recorder.stderr.readline()
            assert "recording process" in said, f"cycle {cycle}: {said}{recorder.stderr.read()}"
            if cycle == 0:
                assert "wf" in flags_before_the_record(process.pid)
                time.sleep(0.2)
            recorder.send_signal(signal.SIGINT)
            assert recorder.wait(timeout=60) == 0
            done = mapfault_run("record", "--remove", "-p", process.pid)
            assert done.returncode == 0, f"cycle {cycle}: {done.stderr}"
            assert ".flight" not in pathlib.Path(f"/proc/{process.pid}/maps").read_text()
            record.unlink()
        process.send_signal(signal.SIGTERM)
        assert process.stdout.readline() == "sound\n"
        assert process.wait(timeout=20) == 0
    finally:
        process.kill()


def test_the_programs_status_and_output_are_its_own(tmp_path):
    program = program_build(fixture_named("innocent_nil_deref"), "1.22.12")
    plain = subprocess.run([str(program)], capture_output=True, text=True, cwd=tmp_path)
    done = subprocess.run([str(mapfault_path()), "record", "--", str(program)], capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (plain.returncode, plain.stdout)
    assert "panic: runtime error: invalid memory address" in done.stderr
    assert not list(pathlib.Path("/dev/shm").glob(f"mapfault-{os.getpid()}*"))


@pytest.mark.parametrize("arguments,words", [
    ((), "wants a program or --pid"),
    (("--", "/bin/true"), "Go"),
    (("-p", "999999999"), "process 999999999"),
    (("--remove", "-p", str(os.getpid())), "not being recorded"),
])
def test_what_cannot_be_recorded_is_said(arguments, words):
    done = mapfault_run("record", *arguments)
    assert done.returncode in (2, 3)
    assert words in done.stderr and "next:" in done.stderr


def test_a_watched_program_with_the_recorder(tmp_path):
    program, report = program_build(fixture_named("rw_field"), "1.22.12"), tmp_path / "report.json"
    done = subprocess.run([str(mapfault_path()), "run", "--record", "--json", "-o", str(report), "--", str(program)],
                          capture_output=True, text=True, cwd=tmp_path)
    if "fatal error: concurrent map" not in done.stderr:
        pytest.skip(done.stderr[-300:])
    found = json.loads(report.read_text())
    assert {"process", "flight"} <= {evidence["kind"] for evidence in found["evidence"]}
    assert side_in(found, "other")["rule"] == "flight_record" and found["verdict"]["confidence"] == "proven"
    assert found["map"]["owners"][0]["path"] == "main.registry.entries"  # which only the process itself tells


def test_a_watcher_that_lets_go_takes_its_recorder_along(tmp_path):
    process = sleeper(tmp_path)
    try:
        assert process.stdout.readline() == "ready\n"
        for _ in range(3):  # a process that has hooks in it would be refused
            watcher = subprocess.Popen([str(mapfault_path()), "attach", "--record", "-p", str(process.pid)],
                                       stderr=subprocess.PIPE, text=True)
            record = pathlib.Path(f"/dev/shm/mapfault-{process.pid}.flight")
            end = time.time() + 20
            while not record.exists() and time.time() < end:
                time.sleep(0.05)
            time.sleep(0.3)
            watcher.send_signal(signal.SIGINT)
            said = watcher.communicate(timeout=20)[1]
            assert watcher.returncode == 0 and "without the recorder" not in said and "stays in" not in said, said
            assert not record.exists()
        process.send_signal(signal.SIGTERM)
        assert process.stdout.readline() == "sound\n"
    finally:
        process.kill()


def test_detach_takes_a_recorder_out_that_nobody_watches(tmp_path):
    process = sleeper(tmp_path)
    try:
        assert process.stdout.readline() == "ready\n"
        recorder = subprocess.Popen([str(mapfault_path()), "record", "-p", str(process.pid), "--folder", str(tmp_path)],
                                    stderr=subprocess.PIPE, text=True)
        assert "recording process" in recorder.stderr.readline()
        recorder.send_signal(signal.SIGINT)
        assert recorder.wait(timeout=20) == 0
        assert ".flight" in pathlib.Path(f"/proc/{process.pid}/maps").read_text()
        assert "is being recorded already" in mapfault_run("record", "-p", process.pid).stderr
        done = mapfault_run("detach", "-p", process.pid)
        assert done.returncode == 0 and "the flight recorder was taken out" in done.stderr, done.stderr
        assert ".flight" not in pathlib.Path(f"/proc/{process.pid}/maps").read_text()
        process.send_signal(signal.SIGTERM)
        assert process.stdout.readline() == "sound\n"
    finally:
        process.kill()


def shared_maps(tmp_path, name, version, output):
    program, report = worker_build(tmp_path, name, version), tmp_path / "shared.json"
    done = mapfault_run("record", "--report-shared", "--json", "-o", report, "--", program)
    assert (done.returncode, done.stdout) == (0, output)
    return json.loads(report.read_text())


def test_what_several_goroutines_write_is_suspect_at_most(tmp_path):
    found = shared_maps(tmp_path, "map_turns", "1.26.8", "done 2\n")
    assert [(suspect["type"], suspect["turns"]) for suspect in found["suspects"]] == [("map[int]int", 99)]
    assert {writer["site"]["function"] for writer in found["suspects"][0]["writers"]} == {"main.touch"}
    assert found["locked"] >= 1 and found["handed_over"] >= 1


@pytest.mark.parametrize("version", ["1.9.7", "1.16.15", "1.22.12", "1.27.2"])
def test_maps_that_follow_each_other_at_one_address_are_not_one(tmp_path, version):
    found = shared_maps(tmp_path, "map_reused", version, "written 11200\n")
    assert found == {"schema": "mapfault.shared/1", "suspects": [], "locked": 0, "handed_over": 0}
