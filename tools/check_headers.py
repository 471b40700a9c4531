#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Are the fixtures' headers true? Asks the race detector.

    tools/check_headers.py                          every racing fixture
    tools/check_headers.py two_locks,rw_field 1.22.12     these, with that release

A header is true when a race on its map is reported, and every map operation in such reports is a racer's that it
names, at a line that it marks. What reads the map without one, such as len, can't trip the runtime's check.
"""

import argparse
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

from choice import a_version, is_chosen, the_fixtures  # noqa: E402
from fixture import fixtures_read, versions_read  # noqa: E402
from racetext import header_judge  # noqa: E402
from tool import tool_run  # noqa: E402
from toolchain import BuildError  # noqa: E402


def header_words(fixture, version):
    try:
        foreign = header_judge(fixture, version)
    except BuildError as error:
        return f"not built: {error}"
    if foreign is None:
        return "no race on its map was reported"
    return "true" if not foreign else "not in the header: " + ", ".join(foreign)


def options_parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("fixtures", nargs="?", default="all", type=the_fixtures, help="comma separated, or all")
    parser.add_argument("version", nargs="?", type=a_version, help="of Go; otherwise the newest that fits each")
    return parser.parse_args()


def main():
    options, bad = options_parse(), 0
    for fixture in (fixture for fixture in fixtures_read() if is_chosen(options, fixture)):
        version = options.version or [v for v in versions_read() if fixture.runs_on(v)][-1]
        if not fixture.is_race or not fixture.runs_on(version):
            continue
        words = header_words(fixture, version)
        bad += words != "true"
        print(f"{fixture.name:24} {version:8} {words}", flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    tool_run(main)
