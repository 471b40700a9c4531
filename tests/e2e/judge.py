# SPDX-License-Identifier: Apache-2.0
"""Compares mapfault's report with what the fixture says and with the runtime's own crash text."""

import dataclasses
import functools
import json
import os
import pathlib
import subprocess

from crashtext import detector_of
from fixture import MAP_KINDS, ROOT, plain_name
from toolchain import module_folder, toolchain_folder

MAPFAULT_SECONDS = 120
SURE = ("proven", "likely")


class ToolError(Exception):
    """mapfault crashed, hung or printed something that is no report."""


@dataclasses.dataclass
class Judgement:
    """One run. Outcome: right, wrong, missed, died (mapfault itself) or void (no crash as stated)."""
    outcome: str
    checks: dict
    words: str = ""
    confidence: str = ""
    rule: str = ""


def mapfault_path():
    path = pathlib.Path(os.environ.get("MAPFAULT", ROOT / "build" / "mapfault"))
    if not path.exists():
        raise ToolError(f"{path} does not exist: build it, or set MAPFAULT to the program")
    return path


def mapfault_run(*arguments, seconds=MAPFAULT_SECONDS, input=None):
    """The finished process; a signal or a hang is a ToolError."""
    try:
        done = subprocess.run([str(mapfault_path()), *map(str, arguments)], text=True,
                              capture_output=True, timeout=seconds, input=input, errors="replace")
    except subprocess.TimeoutExpired:
        raise ToolError(f"mapfault {' '.join(map(str, arguments))}: no answer in {seconds} s")
    if done.returncode < 0 or done.returncode > 4:
        raise ToolError(f"mapfault {' '.join(map(str, arguments))}: exit {done.returncode}: "
                        f"{done.stderr[-1500:]}")
    return done


def mapfault_json(*arguments):
    done = mapfault_run(*arguments, "--json")
    try:
        return json.loads(done.stdout)
    except ValueError as bad:
        raise ToolError(f"mapfault {' '.join(map(str, arguments))}: exit {done.returncode}, no "
                        f"JSON ({bad}): {done.stdout[:300]} {done.stderr[-1000:]}")


def number(value):
    return int(value, 0) if isinstance(value, str) else int(value or 0)


def same_file(a, b):
    """Paths differ by their beginning when a build trims them; the end must be the same."""
    a, b = a.split("/"), b.split("/")
    n = min(len(a), len(b), 2)
    return a[-1] == b[-1] and (a[-n:] == b[-n:] or "." in (a[0], b[0]) or "main" in (a[-n], b[-n])
                               or "command-line-arguments" in (a[-n], b[-n]))


def site_of(side):
    site = (side or {}).get("site") or {}
    return plain_name(site.get("function") or ""), site.get("file") or "", number(site.get("line"))


def site_text(side):
    function, file, line = site_of(side)
    return f"{function} {os.path.basename(file)}:{line}" if function else "nobody"


@functools.lru_cache(maxsize=None)
def module_lines(module, file, code, version):
    """The lines of a module's file, or of the library of a Go version (`std`), that hold a piece of
    code: its truth is found, not counted."""
    path = (toolchain_folder(version) / "src" if module == "std" else module_folder(module)) / file
    lines = {n for n, line in enumerate(path.read_text().splitlines(), 1) if code in line}
    if not lines:
        raise ToolError(f"{path} holds no line with '{code}'")
    return frozenset((os.path.basename(file), n) for n in lines)


def racer_is(racer, side, version):
    function, file, line = site_of(side)
    if not racer.names(function):
        return False
    lines = racer.lines
    if racer.code:
        lines = module_lines(racer.module, racer.file, racer.code, version)
    return not lines or (os.path.basename(file), line) in lines


def side_in(report, role):
    for side in report.get("sides") or []:
        if side.get("role") == role:
            return side
    return None


def detector_check(report, crash):
    goroutine, frame = detector_of(crash.text)
    side = side_in(report, "detector")
    if frame is None:
        return None, goroutine
    function, file, line = site_of(side)
    if side is None or function != frame.function or line != frame.line:
        return False, goroutine
    return same_file(file, frame.file), goroutine


def both_detected(fixture, report, crash):
    """Two writers may trip over each other and both raise the fatal; which of them is called the
    detector is then a matter of taste. The crash text has two headlines and shows one's stack first."""
    if crash.text.count("fatal error: concurrent map") < 2:
        return False
    goroutine, frame = detector_of(crash.text)
    detector, other = side_in(report, "detector"), side_in(report, "other")
    return frame is not None and other is not None and goroutine_id(other) == goroutine.id and \
        site_of(other)[::2] == (frame.function, frame.line) and \
        any(racer_is(racer, detector, crash.version) for racer in fixture.racers)


def goroutine_id(side):
    return number(((side or {}).get("goroutine") or {}).get("id"))


def other_is_right(fixture, crash, detector_id, side):
    """A writer's function and line, on a goroutine that is not the detector's."""
    if not any(racer_is(racer, side, crash.version) for racer in fixture.writers()):
        return False
    return not detector_id or goroutine_id(side) != detector_id


def goroutine_check(crash, detector_id, side):
    writers = crash.roles("writer")
    if not writers:
        return None
    return goroutine_id(side) in writers - {detector_id}


def owners_in(report):
    """(path, name of the holder's type) of each owner."""
    for owner in (report.get("map") or {}).get("owners") or []:
        holder = plain_name(owner.get("holder_type") or "")
        yield owner.get("path") or "", holder.lstrip("*")


def owner_path_check(fixture, report):
    if not fixture.owners:
        return None
    return any(path == want or path.startswith((want + "[", want + "."))
               for path, _ in owners_in(report) for want in fixture.owners)


def owner_type_check(fixture, report):
    """The struct that holds the map: what a program without DWARF can still tell. A package may bear another name
    than the last part of its path: where it does, the fixture states the path."""
    if not fixture.owner_type:
        return None
    return any(fixture.owner_type in (holder, holder.split("/")[-1]) for _, holder in owners_in(report))


def map_checks(fixture, crash, report):
    found = report.get("map") or {}
    return {
        "address": number(found.get("address")) == crash.map_address if crash.map_address else None,
        "type": (found.get("type") or "").replace("interface {}", "any") in
                fixture.map_type.replace("interface {}", "any").split(" | ")
                if fixture.map_type else None,
        "owner_path": owner_path_check(fixture, report),
        "owner_type": owner_type_check(fixture, report),
    }


def race_judge(fixture, crash, report):
    verdict = report.get("verdict") or {}
    detector_ok, goroutine = detector_check(report, crash)
    detector_id = goroutine.id if goroutine else 0
    other = side_in(report, "other")
    if not detector_ok and both_detected(fixture, report, crash):
        detector_ok, detector_id = True, goroutine_id(side_in(report, "detector"))
    candidates = report.get("candidates") or []
    top = other or (candidates[0] if candidates else None)
    right = top is not None and other_is_right(fixture, crash, detector_id, top)
    goroutine_right = goroutine_check(crash, detector_id, top) if right else None
    checks = {"kind": verdict.get("kind") in fixture.kinds, "detector": detector_ok,
              "other": right, "goroutine": goroutine_right}
    checks.update(map_checks(fixture, crash, report))
    named = other is not None
    outcome = "right" if right and goroutine_right is not False else \
        "wrong" if named else "missed"
    words = f"other: {site_text(top)} goroutine {goroutine_id(top)}"
    side = top or {}
    return Judgement(outcome, checks, words, side.get("confidence") or "", side.get("rule") or "")


def innocent_judge(fixture, crash, report):
    verdict = report.get("verdict") or {}
    other = side_in(report, "other")
    checks = {"kind": verdict.get("kind") in fixture.kinds, "nobody accused": other is None}
    if fixture.kinds == ("nil_map_write",):
        checks["detector"], _ = detector_check(report, crash)
    accused = not (checks["kind"] and checks["nobody accused"])
    outcome = "wrong" if accused else "missed" if checks.get("detector") is False else "right"
    return Judgement(outcome, checks, f"{verdict.get('kind')}, other: {site_text(other)}",
                     verdict.get("confidence") or "")


def crash_is_as_stated(fixture, crash):
    """A run is only judged when the program died of what its header says."""
    if crash.core is None:
        return f"no core (exit {crash.exit})"
    if fixture.is_race:
        messages = ["fatal error: " + MAP_KINDS[kind] for kind in fixture.kinds if kind in MAP_KINDS]
        if not any(message in crash.text for message in messages):
            return "another death: " + crash.text[:200].replace("\n", " | ")
        _, frame = detector_of(crash.text)
        side = {"site": {"function": frame.function, "file": frame.file, "line": frame.line}} \
            if frame else {}
        if not any(racer_is(racer, side, crash.version) for racer in fixture.racers):
            return f"the detector is no racer of the header: {site_text(side)}"
        if not crash.map_address:
            return "the program did not say which map it is"
    elif fixture.dies and fixture.dies not in crash.text:
        return "another death: " + crash.text[:200].replace("\n", " | ")
    return ""


def crash_judge(fixture, crash):
    """Run mapfault on one crash and judge it."""
    reason = crash_is_as_stated(fixture, crash)
    if reason:
        return Judgement("void", {}, reason), None
    try:
        report = mapfault_json(crash.core, crash.app)
    except ToolError as error:
        return Judgement("died", {}, str(error)), None
    judge = race_judge if fixture.is_race else innocent_judge
    return judge(fixture, crash, report), report
