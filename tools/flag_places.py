#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Where each Go release sets and clears a map's writing flag, as a watchpoint sees it in a program that runs.

    tools/flag_places.py                        a row for each release
    tools/flag_places.py --write docs/LIVE.md   and into the page

tests/e2e/test_watch.py compares the same places with Go's own source.
"""

import argparse
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "e2e"), str(ROOT / "tools")]

from fixture import versions_read  # noqa: E402
from page import page_add, part_replace, table  # noqa: E402
from run import CrashFolder  # noqa: E402
from test_watch import Racer, source_line, watch  # noqa: E402
from tool import tool_run  # noqa: E402

EVENTS = 400


def place_of(version, event):
    place = event["place"]
    name = place["function"].replace("internal/runtime/", "").replace("runtime.", "")
    return f"{name} {pathlib.Path(place['file']).name}:{place['line']} `{source_line(version, place).split('//')[0].strip()}`".replace("|", "\\|")


def row_of(version):
    with CrashFolder() as folder, Racer(version, folder) as racer:
        report = watch(racer.pid, "--map", racer.address, "--events", str(EVENTS), "--seconds", "10")
    places = {kind: sorted({place_of(version, e) for e in report["events"] if e["event"] == kind}) for kind in ("set", "clear")}
    counts = [sum(e["event"] == kind for e in report["events"]) for kind in ("set", "clear")]
    return [version, report["map"]["implementation"], "<br>".join(places["set"]), "<br>".join(places["clear"]),
            f"{counts[0]} / {counts[1]}", str(report["unpaired"])]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    page_add(parser, "flag places")
    options = parser.parse_args()
    rows = [["Go", "map", "set at", "cleared at", "sets / clears seen", "unpaired"], *(row_of(v) for v in versions_read())]
    print(table(rows))
    if options.write:
        part_replace(options.write, "flag places", table(rows))


if __name__ == "__main__":
    tool_run(main)
