# SPDX-License-Identifier: Apache-2.0
"""Programs built with an experiment of the toolchain that changes what maps are made of."""

import pytest
from fixture import fixture_named
from harness import ATTEMPTS
from judge import crash_is_as_stated, crash_judge
from run import CrashFolder, program_crash
from toolchain import program_build


@pytest.mark.slow
@pytest.mark.parametrize("name,version", [("rw_field", "1.24.11"), ("iter_write", "1.25.5")])
def test_noswissmap(name, version):
    """Go 1.24 and 1.25 can still be built with the maps of 1.23."""
    fixture = fixture_named(name)
    app = program_build(fixture, version, GOEXPERIMENT="noswissmap")
    with CrashFolder() as folder:
        for _ in range(ATTEMPTS):
            crash = program_crash(fixture, app, folder, version=version)
            if not crash_is_as_stated(fixture, crash):
                break
        judgement, report = crash_judge(fixture, crash)
    if judgement.outcome == "void":
        pytest.skip(judgement.words)
    assert judgement.outcome in ("right", "missed"), (judgement, report)
    for check in ("kind", "detector", "address", "type"):
        assert judgement.checks[check] is not False, (check, judgement, report)
    assert report["map"]["implementation"] == "hmap"
