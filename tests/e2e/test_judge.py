# SPDX-License-Identifier: Apache-2.0
"""The judge is judged: reports written by hand, one thing changed at a time."""

import copy
import pathlib

import pytest
from fixture import HeaderError, fixture_named, fixtures_read, parse_racer, versions_read
from judge import crash_is_as_stated, innocent_judge, race_judge
from run import Crash, truth_read

TEXT = """truth map 0xc000010000
truth goroutine 6 reader
truth goroutine 7 writer
fatal error: concurrent map read and map write

goroutine 6 [running]:
main.(*store).get(...)
\t/b/rw_field/main.go:{read}
main.serve()
\t/b/rw_field/main.go:1 +0x1
"""


def line_of(fixture, mark):
    text = (fixture.folder / "main.go").read_text().splitlines()
    return next(n for n, line in enumerate(text, 1) if line.endswith("// @" + mark))


@pytest.fixture
def case():
    fixture = fixture_named("rw_field")
    read, write = line_of(fixture, "get"), line_of(fixture, "refresh")
    address, goroutines, text = truth_read(TEXT.replace("{read}", str(read)))
    crash = Crash(pathlib.Path("app"), pathlib.Path("core"), text, -6, address, goroutines)
    report = {
        "verdict": {"kind": "concurrent_map_read_and_write", "confidence": "likely"},
        "map": {"address": "0xc000010000", "type": "map[string]*main.entry",
                "owners": [{"path": "main.registry.entries", "holder_type": "main.store",
                            "via": ""}]},
        "sides": [
            {"role": "detector", "goroutine": {"id": 6},
             "site": {"function": "main.(*store).get", "file": "/b/rw_field/main.go", "line": read}},
            {"role": "other", "goroutine": {"id": 7}, "confidence": "likely", "rule": "in_write_op",
             "site": {"function": "main.(*store).refresh", "file": "/b/rw_field/main.go",
                      "line": write}}],
        "candidates": []}
    return fixture, crash, report


def test_truth_is_cut_out(case):
    _, crash, _ = case
    assert crash.map_address == 0xc000010000 and crash.goroutines == {6: "reader", 7: "writer"}
    assert "truth" not in crash.text


def test_right(case):
    fixture, crash, report = case
    assert crash_is_as_stated(fixture, crash) == ""
    judgement = race_judge(fixture, crash, report)
    assert judgement.outcome == "right" and all(judgement.checks.values()), judgement


@pytest.mark.parametrize("change", [
    lambda side: side["site"].update(line=side["site"]["line"] + 1),
    lambda side: side["site"].update(function="main.serve"),
    lambda side: side["goroutine"].update(id=6),
    lambda side: side["goroutine"].update(id=9)])
def test_wrong(case, change):
    fixture, crash, report = case
    change(report["sides"][1])
    assert race_judge(fixture, crash, report).outcome == "wrong"


def test_missed_and_first_candidate(case):
    fixture, crash, report = case
    other = report["sides"].pop()
    assert race_judge(fixture, crash, report).outcome == "missed"
    wrong = copy.deepcopy(other)
    wrong["site"]["function"] = "main.watch"
    report["candidates"] = [wrong, other]
    assert race_judge(fixture, crash, report).outcome == "missed"
    report["candidates"] = [other, wrong]
    assert race_judge(fixture, crash, report).outcome == "right"


@pytest.mark.parametrize("key,value,check", [("address", "0xc000010008", "address"),
                                             ("type", "map[string]int", "type"),
                                             ("owners", [], "owner_path"),
                                             ("owners", [], "owner_type")])
def test_map_is_checked(case, key, value, check):
    fixture, crash, report = case
    report["map"][key] = value
    assert race_judge(fixture, crash, report).checks[check] is False


def test_detector_is_checked_against_the_runtime(case):
    fixture, crash, report = case
    report["sides"][0]["site"]["line"] += 1
    assert race_judge(fixture, crash, report).checks["detector"] is False


def test_an_innocent_accusation_is_wrong(case):
    _, crash, report = case
    fixture = fixture_named("innocent_abort")
    report["verdict"]["kind"] = "not_a_map_fatal"
    assert innocent_judge(fixture, crash, report).outcome == "wrong"
    report["sides"].pop()
    assert innocent_judge(fixture, crash, report).outcome == "right"


def test_headers():
    """Every header is readable, and the sets are as large as they should be."""
    fixtures = fixtures_read()
    assert len(fixtures) >= 60
    late = [f for f in fixtures if f.set == "after_freeze"]
    assert len(late) * 4 >= len(fixtures)
    assert sum(f.group == "hard" for f in late) >= 6
    for fixture in fixtures:
        assert any(fixture.runs_on(version) for version in versions_read()), fixture.name
        if fixture.is_race:
            assert fixture.map_type and fixture.writers(), fixture.name
            for racer in fixture.racers:
                assert racer.lines or racer.code or racer.functions[0].endswith("*"), fixture.name


def test_a_racer_needs_a_mark_that_exists():
    with pytest.raises(HeaderError):
        parse_racer("writer main.f @nowhere", {}, "main.go")
