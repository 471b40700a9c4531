# SPDX-License-Identifier: Apache-2.0
"""Judges what mapfault makes of a text: the crash text itself states kind and detector, the fixture who wrote."""

import dataclasses

from crashtext import detector_of
from fixture import MAP_KINDS
from judge import (SURE, Judgement, ToolError, goroutine_check, goroutine_id, mapfault_json, other_is_right,
                   racer_is, side_in, site_of, site_text, same_file)

LEVELS = ("none", "single", "all", "system", "crash")


def text_is_as_stated(fixture, crash):
    """Empty when the program died of what its header says, as far as the text shows."""
    text = crash.text
    if not fixture.is_race:
        return "" if not fixture.dies or fixture.dies in text else "another death"
    if not any("fatal error: " + MAP_KINDS[kind] in text for kind in fixture.kinds if kind in MAP_KINDS):
        return "another death: " + text[:200].replace("\n", " | ")
    _, frame = detector_of(text)
    if frame and not any(racer_is(racer, frame_side(frame), crash.version) for racer in fixture.racers):
        return f"the detector is no racer of the header: {frame.function}"
    return ""


def frame_side(frame):
    return {"site": {"function": frame.function, "file": frame.file, "line": frame.line}}


def kind_of(text, fixture):
    """The first map fatal that the text has is the kind; the fixture's own word otherwise."""
    if not fixture.is_race:
        return fixture.kinds
    first = min((text.find("fatal error: " + words), kind) for kind, words in MAP_KINDS.items()
                if "fatal error: " + words in text)
    return (first[1],) if text.count("fatal error: concurrent map") == 1 else fixture.kinds


def detector_right(report, text):
    """None when the text has no stack of the detector's."""
    goroutine, frame = detector_of(text)
    side = side_in(report, "detector")
    if frame is None:
        return None, goroutine
    function, file, line = site_of(side)
    right = side is not None and function == frame.function and line == frame.line and \
        same_file(file, frame.file)
    return right, goroutine


def named_in(report):
    return [side for side in [side_in(report, "other"), *(report.get("candidates") or [])] if side]


def rank_of_goroutine(crash, report, detector_id):
    """The same by goroutine alone, wherever he stood; None when the program did not say who writes."""
    if not crash.roles("writer") - {detector_id}:
        return None
    for place, side in enumerate(named_in(report), 1):
        if goroutine_check(crash, detector_id, side):
            return place
    return 0


def rank_of_truth(fixture, crash, report, detector_id):
    """Place of the first true writing line among those that are named, counted from 1; 0 when it is not among them."""
    for place, side in enumerate(named_in(report), 1):
        if other_is_right(fixture, crash, detector_id, side) and \
                (not goroutine_id(side) or goroutine_check(crash, detector_id, side) is not False):
            return place
    return 0


def two_detectors(text):
    return text.count("fatal error: concurrent map") > 1


def race_judge(fixture, crash, report):
    detector_ok, goroutine = detector_right(report, crash.text)
    detector_id = goroutine.id if goroutine else None
    if detector_ok is False and two_detectors(crash.text):
        side = side_in(report, "detector")
        detector_ok = any(racer_is(racer, side, crash.version) for racer in fixture.racers)
        detector_id = goroutine_id(side)
    other = side_in(report, "other")
    rank = rank_of_truth(fixture, crash, report, detector_id)
    checks = {"kind": report["verdict"]["kind"] in kind_of(crash.text, fixture), "detector": detector_ok,
              "first": rank == 1, "first three": 0 < rank <= 3}
    by_goroutine = rank_of_goroutine(crash, report, detector_id)
    if by_goroutine is not None:
        checks.update({"goroutine first": by_goroutine == 1, "goroutine first three": 0 < by_goroutine <= 3})
    found = report.get("map") or {}
    address = found.get("address") and found.get("confidence") == "proven"
    checks["address"] = int(found["address"], 0) == crash.map_address if address and crash.map_address else None
    wrong = (other is not None and rank != 1) or not checks["kind"] or detector_ok is False or \
        checks["address"] is False
    outcome = "wrong" if wrong else "right" if rank == 1 else "missed"
    top = other or next(iter(report.get("candidates") or []), None)
    return Judgement(outcome, checks, f"other: {site_text(top)} goroutine {goroutine_id(top)}",
                     (top or {}).get("confidence") or "", (top or {}).get("rule") or "")


def innocent_judge(fixture, crash, report):
    other = side_in(report, "other")
    checks = {"kind": report["verdict"]["kind"] in fixture.kinds, "nobody accused": other is None}
    outcome = "right" if all(checks.values()) else "wrong"
    return Judgement(outcome, checks, f"{report['verdict']['kind']}, other: {site_text(other)}")


def text_judge(fixture, crash, *evidence):
    """Run mapfault on @a evidence, whose text is crash.text however mangled, and judge it."""
    reason = text_is_as_stated(fixture, crash)
    if reason:
        return Judgement("void", {}, reason), None
    try:
        report = mapfault_json(*evidence)
    except ToolError as error:
        return Judgement("died", {}, str(error)), None
    judge = race_judge if fixture.is_race else innocent_judge
    return judge(fixture, crash, report), report


def crash_with(crash, text):
    return dataclasses.replace(crash, text=text)


__all__ = ["LEVELS", "SURE", "crash_with", "text_is_as_stated", "text_judge"]
