# SPDX-License-Identifier: Apache-2.0
"""Headers against the race detector: its reports are read as printed, and a spread of headers is true."""

import pytest
from fixture import fixture_named
from racetext import header_check, header_judge, races_of_maps

VERSION = "1.24.11"
# Quick to build: nothing but the runtime and a little of the library.
PROGRAMS = ("behind_interface", "two_locks", "timer_expires", "rw_field")
REPORT = """truth map 0xc000088960
==================
WARNING: DATA RACE
Read at 0x00c000088960 by goroutine 10:
  runtime.mapaccess1_faststr()
      /go/src/internal/runtime/maps/runtime_faststr_swiss.go:103 +0x0
  main.(*zone).resolve()
      /b/two_locks/main.go:{read} +0xd2
  main.answer()
      /b/two_locks/main.go:61 +0xa4

Previous write at 0x00c000088960 by goroutine 11:
  runtime.mapassign_faststr()
      /go/src/internal/runtime/maps/runtime_faststr_swiss.go:263 +0x0
  main.(*table).transfer()
      /b/two_locks/main.go:{write} +0x12d

Goroutine 10 (running) created at:
  main.main()
      /b/two_locks/main.go:91 +0x66a
==================
"""


def line_of(fixture, mark):
    text = (fixture.folder / "main.go").read_text().splitlines()
    return next(n for n, line in enumerate(text, 1) if line.endswith("// @" + mark))


def report_of(fixture, off=0):
    return REPORT.replace("{read}", str(line_of(fixture, "resolve"))) \
                 .replace("{write}", str(line_of(fixture, "transfer") + off))


def test_a_report_is_read():
    (read, write), = races_of_maps(report_of(fixture_named("two_locks")))
    assert (read.operation, write.operation) == ("read", "write")
    assert read.address == write.address == 0xc000088960
    assert read.frame.function == "main.(*zone).resolve"
    assert write.frame.function == "main.(*table).transfer"


def test_a_header_is_true_or_not():
    fixture = fixture_named("two_locks")
    assert header_check(fixture, VERSION, report_of(fixture)) == []
    assert header_check(fixture, VERSION, report_of(fixture, off=1)) != []
    assert header_check(fixture, VERSION, report_of(fixture).replace("truth map 0xc0", "truth map 0xc1")) is None
    swapped = report_of(fixture).replace("Read at", "Write at")  # the reader of the header never writes
    assert header_check(fixture, VERSION, swapped) != []


def test_a_read_that_is_no_map_operation_is_not_asked_for():
    """len(m) races, too, but its line never trips the runtime's check and stands in no header."""
    def no_operation(report):
        return report.replace("  runtime.mapaccess1_faststr()\n      /go/src/internal/runtime/maps/runtime_faststr_swiss.go:103 +0x0\n", "") \
                     .replace("resolve()", "size()")

    fixture = fixture_named("two_locks")
    assert header_check(fixture, VERSION, no_operation(report_of(fixture))) == []
    assert header_check(fixture, VERSION, no_operation(report_of(fixture, off=1))) != []
    assert races_of_maps(no_operation(report_of(fixture))) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", PROGRAMS)
def test_headers_are_true(name):
    fixture = fixture_named(name)
    assert header_judge(fixture, VERSION) == []
