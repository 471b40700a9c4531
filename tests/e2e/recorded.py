# SPDX-License-Identifier: Apache-2.0
"""Lets a fixture die under `mapfault record` and compares the verdict, taken from the record alone, with the fixture's
header: no core, no crash text, no DWARF is given to it."""

import dataclasses
import json
import os
import pathlib
import subprocess
import tempfile

from crashtext import detector_of
from fixture import MAP_KINDS
from judge import goroutine_id, mapfault_path, number, racer_is, side_in, site_text
from run import truth_read
from toolchain import program_build

RUN_SECONDS = 90


@dataclasses.dataclass
class Recorded:
    """Outcome: right, wrong, missed (nobody named as proven) or void (it did not die of its map)."""
    outcome: str
    words: str
    report: dict


def run(program, fixture, folder, env, arguments=()):
    report = folder / "report.json"
    done = subprocess.run([str(mapfault_path()), "record", "--json", "-o", str(report), *arguments, "--", str(program)],
                          cwd=folder, text=True, capture_output=True, errors="replace", timeout=RUN_SECONDS,
                          env={**os.environ, **fixture.env, **env})
    return done, json.loads(report.read_text()) if report.exists() else None


def kind_printed(text):
    return next((kind for kind, message in MAP_KINDS.items() if f"fatal error: {message}" in text), None)


def died_of_map(done):
    return kind_printed(done.stderr) is not None


def judge_sides(fixture, version, report, goroutines, address, text):
    """What is wrong with the report; "" when nothing is."""
    detector, other = side_in(report, "detector"), side_in(report, "other")
    writers = {g for g, role in goroutines.items() if role == "writer"}
    innocents = {g for g, role in goroutines.items() if role == "innocent"}
    if {goroutine_id(detector), goroutine_id(other)} & innocents:
        return f"goroutines {goroutine_id(detector)} and {goroutine_id(other)}, of which one is innocent"
    # An iterator over a map that grew reads it: then the runtime's words are another kind's than the header's.
    if report["verdict"]["kind"] not in fixture.kinds and kind_printed(text) != report["verdict"]["kind"]:
        return f"kind {report['verdict']['kind']}"
    if not any(racer_is(racer, detector, version) for racer in fixture.racers):
        return f"detector {site_text(detector)}"
    # Several may notice at once. The record has the first, the text may show another: then it is one of its role.
    noticed, _ = detector_of(text)
    roles = {racer.role for racer in fixture.racers if racer_is(racer, detector, version)}
    equals = {g for g, role in goroutines.items() if role in roles}
    if noticed and goroutine_id(detector) != noticed.id and equals and goroutine_id(detector) not in equals:
        return f"detector is goroutine {goroutine_id(detector)}, the crash text says {noticed.id}"
    if address and number(report["map"]["address"]) != address:
        return f"map {report['map']['address']}, it was {address:#x}"
    if not any(racer_is(racer, other, version) for racer in fixture.writers()):
        return f"other {site_text(other)}"
    if goroutine_id(other) == goroutine_id(detector):
        return "both sides are one goroutine"
    if writers and goroutine_id(other) not in writers:
        return f"other is goroutine {goroutine_id(other)}, the writers were {sorted(writers)}"
    return ""


def recorded(fixture, version, variant="default", env=None, arguments=()):
    program = program_build(fixture, version, variant)
    with tempfile.TemporaryDirectory() as name:
        done, report = run(program, fixture, pathlib.Path(name), env or {}, arguments)
    address, goroutines, text = truth_read(done.stderr)
    if not died_of_map(done):
        return Recorded("void", f"exit {done.returncode}: {text[-300:]}", report)
    if report is None:
        return Recorded("missed", f"no report: {done.stderr[-500:]}", report)
    other = side_in(report, "other")
    if other is None or other["confidence"] != "proven":
        return Recorded("missed", f"{report['verdict']} {report['gaps']}", report)
    wrong = judge_sides(fixture, version, report, goroutines, address, text)
    return Recorded("wrong" if wrong else "right", wrong, report)
