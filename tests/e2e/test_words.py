# SPDX-License-Identifier: Apache-2.0
"""Verdicts from words alone: the text of a crash, with the binary and without, against what the fixture states."""

import json
import os
import re
import signal
import subprocess
import time
import types

import pytest

from fixture import FIXTURES, fixture_named
from judge import MAPFAULT_SECONDS, mapfault_run, racer_is
from judge_text import text_is_as_stated, text_judge
from mangle import MANGLERS, mangle
from profiled import profiled, profiles_take
from racetext import race_text, races_of_maps
from run import CrashFolder, program_crash
from toolchain import program_build

CRASHES = [
    ("ww_string", "1.26.8", "single"),
    ("hard_decoy_type", "1.22.12", "crash"),
    ("hard_decoy_type", "1.26.8", "all"),
    ("iter_write", "1.24.11", "all"),
    ("rw_field", "1.16.15", "all"),
    ("delete_write", "1.9.7", "none"),
    ("innocent_nil_map", "1.22.12", "single"),
    ("innocent_nil_map", "1.26.8", "none"),
    ("innocent_panic_words", "1.26.8", "all"),
    ("innocent_log_words", "1.22.12", "all"),
]
ATTEMPTS = 3
RACED_VERSION = "1.24.11"


@pytest.fixture(scope="module", params=CRASHES, ids=["-".join(c) for c in CRASHES])
def crashed(request, tmp_path_factory):
    name, version, level = request.param
    fixture = fixture_named(name)
    app = program_build(fixture, version)
    for _ in range(ATTEMPTS):
        with CrashFolder() as folder:
            crash = program_crash(fixture, app, folder, level, version)
        if not text_is_as_stated(fixture, crash):
            break
    path = tmp_path_factory.mktemp("words") / "crash.log"
    path.write_text(crash.text)
    return fixture, crash, path


@pytest.mark.parametrize("with_binary", [False, True], ids=["text", "binary"])
def test_kind_and_detector(crashed, with_binary):
    fixture, crash, path = crashed
    judgement, _ = text_judge(fixture, crash, path, *([crash.app] if with_binary else []))
    assert judgement.outcome in ("right", "missed"), (judgement, crash.text[:2000])


@pytest.mark.parametrize("mangler", MANGLERS)
def test_wrapped_by_log_systems(crashed, tmp_path, mangler):
    """What stands in the text is found however a log system wrapped it; nobody is named wrongly."""
    fixture, crash, _ = crashed
    path = tmp_path / "crash.log"
    path.write_bytes(mangle(mangler, crash.text))
    judgement, _ = text_judge(fixture, crash, path, crash.app)
    assert judgement.outcome in ("right", "missed"), (judgement, path)


def test_standard_input(crashed):
    _, crash, path = crashed
    of_file = mapfault_run(path).stdout
    of_pipe = mapfault_run("-", input=crash.text, seconds=MAPFAULT_SECONDS).stdout
    assert of_pipe == of_file and of_file


def test_another_binary_is_refused(tmp_path):
    fixture = fixture_named("hard_decoy_type")
    app, other = program_build(fixture, "1.22.12"), program_build(fixture_named("rw_field"), "1.22.12")
    with CrashFolder() as folder:
        crash = program_crash(fixture, app, folder, "all")
    path = tmp_path / "crash.log"
    path.write_text(crash.text)
    done = mapfault_run(path, other)
    assert done.returncode == 3 and "did not print" in done.stderr and "--force" in done.stderr


@pytest.mark.parametrize("text", ["", "hello\nworld\n", "goroutine\n", "\x00\x01", "{\"a\": 1}\n"])
def test_nothing_of_go(tmp_path, text):
    path = tmp_path / "x.log"
    path.write_text(text)
    done = mapfault_run(path)
    assert done.returncode == 3 and "x.log" in done.stderr and len(done.stderr.splitlines()) == 2


def test_goroutines_of_a_text(tmp_path):
    """States, ages, locks and origins as a dump prints them; stacks that differ are not one group."""
    path = tmp_path / "dump.txt"
    waiting = "".join(f"goroutine {n} [sync.Mutex.Lock, 3 minutes]:\nsync.(*Mutex).Lock(...)\n\t/go/src/sync/mutex.go:90\n"
                      f"main.take()\n\t/app/main.go:10 +0x1d\ncreated by main.main in goroutine 1\n\t/app/main.go:30 +0x25\n\n"
                      for n in range(20, 32))
    path.write_text("goroutine 1 [select (no cases)]:\nmain.main()\n\t/app/main.go:31 +0x2a\n\n"
                    "goroutine 5 [runnable]:\nmain.a()\n\t/app/main.go:40 +0x1\n\n"
                    "goroutine 6 [runnable]:\nmain.b()\n\t/app/main.go:50 +0x1\n\n" + waiting)
    report = json.loads(mapfault_run("goroutines", "--json", path).stdout)
    assert len(report["goroutines"]) == 15
    counts = {row["class"]: (row["count"], row["longest_seconds"]) for row in report["blocked"]["classes"]}
    assert counts["waiting for a lock"] == (12, 180)
    assert counts["running or ready to run"] == (2, None)
    assert counts["waiting for what never comes"] == (1, None)
    assert [(row["count"], row["site"]["line"]) for row in report["blocked"]["locks"]] == [(12, 10)]
    assert [(row["waiting"], row["created_by"]["line"]) for row in report["blocked"]["sources"]] == [(12, 30)]
    text = mapfault_run("goroutines", path).stdout
    assert text.count("main.a") == 1 and text.count("main.b") == 1 and "12 goroutines" in text


def waiting_lines():
    source = (FIXTURES / "waiting" / "main.go").read_text().splitlines()
    return {line.rsplit("// @", 1)[1]: number for number, line in enumerate(source, 1) if "// @" in line}


def waiting_program(version):
    return program_build(types.SimpleNamespace(name="waiting", folder=FIXTURES / "waiting", cgo=False, is_module=False), version)


@pytest.mark.parametrize("version", ["1.9.7", "1.18.10", "1.24.11", "1.27.2"])
def test_who_waits_for_the_lock_and_who_walks(tmp_path, version):
    """Who waits for a lock behind which the map is used, beside one who races without it; bodies of ranges, not what is around."""
    lines, app, path = waiting_lines(), waiting_program(version), tmp_path / "crash.log"
    with open(path, "wb") as log:
        subprocess.run([app], stderr=log, env={**os.environ, "GOTRACEBACK": "all"}, timeout=60)
    report = json.loads(mapfault_run("--json", path, app).stdout)
    assert report["verdict"]["kind"] == "concurrent_map_writes"
    lock, = report["blocked"]["locks"]
    assert (lock["count"], lock["site"]["line"]) == (3, lines["waits"]) and "RLock" in lock["lock"]
    assert "reads the field that holds this map" in lock["bearing"]
    assert f"(main.go:{lines['races']}) takes no lock" in lock["bearing"]
    walks = {(walk["site"]["line"], walk["map_type"]) for walk in report["blocked"]["walks"]}
    assert walks == {(lines["walks"], "map[string]int"), (lines["encodes"], None)}
    text = mapfault_run(path, app).stdout
    assert re.search(r"WAITS +3 goroutines waiting in sync", text) and re.search(r"WALKS +1 goroutine in the body", text)


def test_waiting_without_the_binary(tmp_path):
    """Names tell of an encoder, and that a method of the same type waits for a lock; nothing tells of ranges."""
    lines, path = waiting_lines(), tmp_path / "crash.log"
    with open(path, "wb") as log:
        subprocess.run([waiting_program("1.24.11")], stderr=log, env={**os.environ, "GOTRACEBACK": "all"}, timeout=60)
    blocked = json.loads(mapfault_run("--json", path).stdout)["blocked"]
    assert "same type as the one that noticed" in blocked["locks"][0]["bearing"]
    assert [walk["site"]["line"] for walk in blocked["walks"]] == [lines["encodes"]]


def test_what_a_program_waited_for_that_was_told_to_quit(tmp_path):
    app, path = waiting_program("1.24.11"), tmp_path / "quit.log"
    with open(path, "wb") as log:
        process = subprocess.Popen([app, "quit"], stderr=log)
        while b"ready" not in path.read_bytes():
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGQUIT)
        process.wait(timeout=60)
    done = mapfault_run(path, app)
    assert "not a map fatal" in done.stdout and re.search(r"WAITS +3 goroutines waiting in sync", done.stdout)


@pytest.mark.slow
@pytest.mark.parametrize("mangler", ["", "kubectl", "stripped", "json_record"])
def test_a_race_report_proves_both_sides(tmp_path, raced, mangler):
    fixture, text = raced
    path = tmp_path / "race.log"
    path.write_bytes(mangle(mangler, text) if mangler else text.encode())
    report = json.loads(mapfault_run("--json", path).stdout)
    assert report["verdict"]["confidence"] == "proven" and report["verdict"]["kind"] in fixture.kinds
    detector, other = report["sides"]
    assert any(racer_is(racer, detector, RACED_VERSION) for racer in fixture.racers)
    assert any(racer_is(racer, other, RACED_VERSION) for racer in fixture.writers())
    addresses = re.findall(r"^truth map 0x([0-9a-f]+)$", text, re.M)
    assert int(report["map"]["address"], 0) in [int(address, 16) for address in addresses]


@pytest.fixture(scope="module")
def raced():
    fixture = fixture_named("two_locks")
    app = program_build(fixture, RACED_VERSION, "race")
    for _ in range(ATTEMPTS):
        text = race_text(fixture, RACED_VERSION, app).split("fatal error: ")[0]
        if races_of_maps(text):
            return fixture, text
    pytest.skip("the program died each time before the detector reported anything")


@pytest.mark.parametrize("name", ["cgo_callback", "hard_defer_write"])
def test_ways_to_a_write_that_no_stack_shows(tmp_path, name):
    """C code that calls back, and a deferred call: the goroutine's own frames have no write in them."""
    fixture = fixture_named(name)
    app = program_build(fixture, "1.22.12")
    path = tmp_path / "crash.log"
    for _ in range(2 * ATTEMPTS):  # who comes first hangs on where the others stood
        with CrashFolder() as folder:
            crash = program_crash(fixture, app, folder, "all", "1.22.12")
        path.write_text(crash.text)
        judgement, _ = text_judge(fixture, crash, path, app)
        assert judgement.outcome == "void" or judgement.checks["first three"], judgement
        if judgement.outcome != "void" and judgement.checks["first"]:
            return
    pytest.fail(f"never first: {judgement}")


def test_profiles_bear_witness(tmp_path):
    """The writer's line grows the map: the heap profile of another run says so."""
    fixture = profiled(fixture_named("hard_rare_writer"), tmp_path)
    app, profiles = profiles_take(fixture, "1.22.12", tmp_path)
    if not profiles:
        pytest.skip("the program crashed each time before it could write its profiles")
    path = tmp_path / "crash.log"
    for _ in range(ATTEMPTS):
        with CrashFolder() as folder:
            crash = program_crash(fixture, app, folder, "all", "1.22.12")
        if not text_is_as_stated(fixture, crash):
            break
    path.write_text(crash.text)
    judgement, report = text_judge(fixture, crash, *profiles, path, app)
    assert judgement.outcome in ("right", "missed"), judgement
    facts = [witness for side in report["sides"] + report["candidates"] for witness in side["witnesses"]]
    assert {evidence["kind"] for evidence in report["evidence"]} == {"text", "binary", "heap", "goroutine"}
    assert any(witness["evidence"] in ("heap", "goroutine") for witness in facts), report
