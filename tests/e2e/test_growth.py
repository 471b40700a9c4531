# SPDX-License-Identifier: Apache-2.0
"""`mapfault growth` on a program that states what becomes of each of its maps, and on bad evidence.

tests/fixtures/growth leaks, churns, bursts and stays steady at once, each in a function of its own, and prints
which does what, and from which step on. MAPFAULT_FULL=1 takes every Go version in every form.
"""

import dataclasses
import datetime
import gzip
import json
import os
import pathlib
import shutil
import subprocess
import types

import jsonschema
import pytest

from fixture import FIXTURES, ROOT, minor, versions_read
from judge import mapfault_path
from toolchain import program_build

FULL = int(os.environ.get("MAPFAULT_FULL", "0"))
PROTOBUF, TEXT = 0, 1
CHOSEN = [("1.9.7", PROTOBUF, "default"), ("1.16.15", TEXT, "default"), ("1.18.10", PROTOBUF, "pie-stripped"),
          ("1.23.12", PROTOBUF, "stripped"), ("1.24.11", TEXT, "pie"), ("1.27.2", PROTOBUF, "default")]
EVERY = [(version, form, variant) for version in versions_read()
         for form, variant in ((PROTOBUF, "default"), (TEXT, "default"), (PROTOBUF, "pie-stripped"), (TEXT, "pie"))]
STEPS = 24


def folder_fixture(name):
    return types.SimpleNamespace(name=name, folder=FIXTURES / name, cgo=False, is_module=False)


@dataclasses.dataclass
class Truth:
    verdict: str
    function: str
    map_type: str  # "" when no code says it
    changes: list


@dataclasses.dataclass
class Run:
    app: pathlib.Path
    profiles: pathlib.Path
    gctrace: pathlib.Path
    truths: list


def truth_read(line):
    _, verdict, function, map_type, changes = line.split()
    steps = [] if changes == "-" else [int(step) for step in changes.split(",")]
    return Truth(verdict, function, "" if map_type == "-" else map_type, steps)


def grow(version, form, variant, folder):
    app = program_build(folder_fixture("growth"), version, variant)
    profiles, log = folder / "profiles", folder / "gctrace.log"
    profiles.mkdir()
    with open(log, "w") as errors:
        told = subprocess.run([str(app), str(profiles), str(form)], check=True, text=True, stderr=errors,
                              stdout=subprocess.PIPE, env={**os.environ, "GODEBUG": "gctrace=1"})
    return Run(app, profiles, log, [truth_read(line) for line in told.stdout.splitlines()])


def growth(*arguments, status=0, **options):
    done = subprocess.run([str(mapfault_path()), "growth", *map(str, arguments)], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, **options)
    assert done.returncode == status, done.stderr + done.stdout
    return done


def growth_json(*arguments, status=0):
    report = json.loads(growth("--json", *arguments, status=status).stdout)
    schema = json.loads((ROOT / "schema" / "growth.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(report)
    return report


def largest(report, function):
    """The site of that function that allocated most."""
    sites = [s for s in report["sites"] if s["site"] and s["site"]["function"] == function]
    assert sites, f"no site in {function}"
    return max(sites, key=lambda site: site["values"][-1]["alloc_bytes"])


def faults(report, truth, even=True):
    """What was told wrongly; when it began to allocate otherwise only where the steps were even."""
    site = largest(report, truth.function)
    if site["verdict"] != truth.verdict:
        yield f"{truth.function}: {site['verdict']}, not {truth.verdict}: {site['because']}"
    if truth.map_type and site["map_type"] != truth.map_type:
        yield f"{truth.function}: {site['map_type']}, not {truth.map_type}"
    changes = [change["profile"] for change in site["changes"]]
    if even and (len(changes) != len(truth.changes) or any(
            abs(ours - step) > 1 for ours, step in zip(changes, truth.changes))):
        yield f"{truth.function}: changes at {changes}, not {truth.changes}"


def was_even(report):
    """On a machine that is busy with other work the steps take uneven time, and rates really change."""
    times = [datetime.datetime.fromisoformat(p["time"][:26]) for p in report["profiles"]]
    lengths = sorted((b - a).total_seconds() for a, b in zip(times, times[1:]))
    return lengths[-1] < 1.6 * lengths[0]


def grow_evenly(version, form, variant, folder):
    for attempt in range(6):
        place = folder / str(attempt)
        place.mkdir()
        run = grow(version, form, variant, place)
        report = growth_json(run.profiles, run.app, run.gctrace)
        if was_even(report):
            break
    return run, report


@pytest.mark.parametrize("version,form,variant", EVERY if FULL else CHOSEN)
def test_verdicts(version, form, variant, tmp_path):
    run, report = grow_evenly(version, form, variant, tmp_path)
    assert len(run.truths) == 9
    assert len(report["profiles"]) == STEPS
    assert [fault for truth in run.truths for fault in faults(report, truth, was_even(report))] == []
    assert largest(report, "main.decode")["via"]["function"].startswith("encoding/json")
    assert len(report["collector"]["cycles"]) >= STEPS
    assert report["collector"]["live_kb_per_minute"] > 0


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return grow("1.26.8", PROTOBUF, "default", tmp_path_factory.mktemp("growth"))


def test_order_of_arguments_does_not_matter(run):
    paths = sorted(run.profiles.iterdir(), reverse=True)
    named = growth_json(run.app, *paths)
    assert named["sites"] == growth_json(run.profiles, run.app)["sites"]
    assert [pathlib.Path(p["path"]).name for p in named["profiles"]] == sorted(p.name for p in paths)


def test_without_the_program_nothing_is_called_a_map(run):
    report = growth_json(run.profiles, status=4)
    assert any("binary" in gap["why"] for gap in report["gaps"])
    kinds = {site["operation"] for site in report["sites"] if site["map_function"] is None}
    assert kinds == {None}
    assert largest(report, "main.leakMany")["verdict"] == "leak"


def test_a_single_profile(run):
    path = run.profiles / "heap.020.pb.gz"
    report = growth_json(path, run.app, status=4)
    assert {site["verdict"] for site in report["sites"]} == {"unknown"}
    assert largest(report, "main.leakOne")["map_type"] == "map[string]*main.entry"
    assert "single profile" in growth(path, run.app, status=4).stdout


def test_another_program(run):
    other = program_build(folder_fixture("growth"), "1.25.5")
    refused = growth(run.profiles, other, status=3)
    assert "build ID" in refused.stderr and "--force" in refused.stderr
    forced = growth_json("--force", run.profiles, other)
    assert len(forced["profiles"]) == STEPS


def test_another_program_without_build_ids(tmp_path):
    """Before 1.24 the linker writes no GNU build ID: then the names tell."""
    run = grow("1.16.15", PROTOBUF, "default", tmp_path)
    other = program_build(folder_fixture("growth"), "1.15.15")
    refused = growth(run.profiles, other, status=3)
    assert "another program" in refused.stderr and "--force" in refused.stderr


def test_profiles_of_two_runs(run, tmp_path):
    for path in sorted(run.profiles.iterdir())[-3:]:
        shutil.copy(path, tmp_path / path.name)
    again = grow("1.26.8", PROTOBUF, "default", tmp_path)
    report = growth_json(*tmp_path.glob("*.pb.gz"), again.profiles, again.app)
    assert len(report["profiles"]) == STEPS
    assert any("another run" in gap["why"] for gap in report["gaps"])


def test_pipes(run):
    """A shell's <(command) and standard input."""
    path = run.profiles / "heap.020.pb.gz"
    script = f"{mapfault_path()} growth --json <(cat {path}) {run.app}"
    piped = subprocess.run(["bash", "-c", script], capture_output=True, text=True)
    given = growth("--json", "-", run.app, status=4, stdin=open(path, "rb"))
    for done in piped, given:
        report = json.loads(done.stdout)
        assert largest(report, "main.leakOne")["map_type"] == "map[string]*main.entry"


def test_goroutine_profile_is_refused(run, tmp_path):
    path = tmp_path / "goroutine.txt"
    path.write_text("goroutine profile: total 1\n1 @ 0x1\n")
    assert "goroutine profile" in growth(path, status=2).stderr


@pytest.mark.parametrize("content,words", [
    (b"", "empty"), (b"hello\n", "text"), (b"\x1f\x8b\x08" + bytes(40), "gzip"),
    (gzip.compress(b"hello\n" * 100), "gzip"), (b"\x7fELF" + bytes(10), "")])
def test_garbage(run, tmp_path, content, words):
    path = tmp_path / "heap.pb.gz"
    path.write_bytes(content)
    refused = growth(path, run.app, status=3)
    assert words in refused.stderr and "next:" in refused.stderr


def test_cut_profile(run, tmp_path):
    whole = (run.profiles / "heap.010.pb.gz").read_bytes()
    for part in range(1, 10):
        path = tmp_path / f"{part}.pb.gz"
        path.write_bytes(whole[:len(whole) * part // 10])
        assert "cut off" in growth(path, run.app, status=3).stderr


def test_damaged_profile_in_a_directory_is_left_out(run, tmp_path):
    folder = tmp_path / "profiles"
    shutil.copytree(run.profiles, folder)
    path = folder / "heap.003.pb.gz"
    path.write_bytes(path.read_bytes()[:300])
    report = growth_json(folder, run.app)
    assert len(report["profiles"]) == STEPS - 1
    assert any("heap.003" in gap["why"] for gap in report["gaps"])


def test_screen(run):
    """Charts fit the width, and are ASCII where the locale is not UTF-8."""
    for width in 40, 72, 100, 200:
        for locale in "C", "C.UTF-8":
            text = growth(run.profiles, run.app, run.gctrace,
                          env={**os.environ, "COLUMNS": str(width), "LC_ALL": locale}).stdout
            assert max(len(line) for line in text.splitlines()) <= width, (width, locale)
            assert text.isascii() == (locale == "C")
            assert "leak" in text and "main.leakOne" in text.replace("\n", "")


def test_empty_directory(tmp_path):
    assert "no profile" in growth(tmp_path, status=3).stderr
