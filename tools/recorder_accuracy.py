#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How often does the flight recorder prove the other side, and the right one?

    tools/recorder_accuracy.py                                 every racing fixture with every Go version, once
    tools/recorder_accuracy.py --versions 1.16.15,1.26.8 --variants stripped,pie --procs 1,2,8 --repeat 3
    tools/recorder_accuracy.py --write docs/RECORDER.md         write the table from the results so far

Results are added to a file of JSON lines (--results). Runs whose program does not die of its map are void and told
apart. With --silent the programs print nothing when they die.
"""

import argparse
import collections
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

from fixture import fixtures_read, version_key, versions_read  # noqa: E402
from recorded import recorded  # noqa: E402
from toolchain import VARIANTS, BuildError, variant_fits  # noqa: E402

OUTCOMES = ("right", "wrong", "missed", "void", "unbuilt")
BEGIN, END = "<!-- accuracy: begin -->", "<!-- accuracy: end -->"


def options_parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--versions", default="all")
    parser.add_argument("--fixtures", default="all")
    parser.add_argument("--variants", default="default", help=", ".join(VARIANTS))
    parser.add_argument("--procs", default="", help="values of GOMAXPROCS; empty: its default")
    parser.add_argument("--silent", action="store_true", help="GOTRACEBACK=none: no stacks in the text")
    parser.add_argument("--reads", action="store_true", help="record reads as well")
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--results", type=pathlib.Path, default=ROOT / "build" / "recorder_accuracy.jsonl")
    parser.add_argument("--write", type=pathlib.Path)
    return parser.parse_args()


def chosen(option, everything):
    return everything if option == "all" else option.split(",")


def runs_of(options):
    fixtures = [f for f in fixtures_read() if f.is_race and (options.fixtures == "all" or
                                                             f.name in options.fixtures.split(","))]
    for repeat in range(options.repeat):
        for version in chosen(options.versions, versions_read()):
            for fixture in fixtures:
                for variant in options.variants.split(","):
                    if not fixture.runs_on(version) or not variant_fits(fixture, version, variant):
                        continue
                    for procs in options.procs.split(","):
                        yield fixture, version, variant, procs


def environment(options, procs):
    env = {"GOMAXPROCS": procs} if procs else {}
    # A program whose text is suppressed is judged like any other, so the text must still be seen.
    return {**env, "GOTRACEBACK": "none"} if options.silent else env


def run_one(options, fixture, version, variant, procs):
    row = {"fixture": fixture.name, "group": fixture.group, "version": version, "variant": variant, "procs": procs,
           "silent": options.silent, "reads": options.reads}
    try:
        result = recorded(fixture, version, variant, environment(options, procs), ("--reads",) if options.reads else ())
    except BuildError as error:
        return {**row, "outcome": "unbuilt", "words": str(error)[-300:]}
    except subprocess.TimeoutExpired:
        return {**row, "outcome": "void", "words": "it did not end in time"}
    return {**row, "outcome": result.outcome, "words": result.words}


def table(rows):
    lines = ["| Go | " + " | ".join(OUTCOMES[:4]) + " |", "|---|" + "---|" * 4]
    by_version = collections.defaultdict(collections.Counter)
    for row in rows:
        by_version[row["version"]][row["outcome"]] += 1
    for version in sorted(by_version, key=version_key):
        lines.append(f"| {version} | " + " | ".join(str(by_version[version][o]) for o in OUTCOMES[:4]) + " |")
    total = sum(by_version.values(), collections.Counter())
    lines.append("| all | " + " | ".join(f"**{total[o]}**" for o in OUTCOMES[:4]) + " |")
    lines += ["", "| variant, GOMAXPROCS, text | " + " | ".join(OUTCOMES[:4]) + " |", "|---|" + "---|" * 4]
    by_kind = collections.defaultdict(collections.Counter)
    for row in rows:
        kind = f"{row['variant']}, {row['procs'] or 'default'}, {'suppressed' if row['silent'] else 'printed'}"
        kind += ", reads" if row.get("reads") else ""
        by_kind[kind][row["outcome"]] += 1
    for kind in sorted(by_kind):
        lines.append(f"| {kind} | " + " | ".join(str(by_kind[kind][o]) for o in OUTCOMES[:4]) + " |")
    return "\n".join(lines)


def write(path, rows):
    text = path.read_text()
    path.write_text(re.sub(f"{BEGIN}.*{END}", f"{BEGIN}\n{table(rows)}\n{END}", text, flags=re.S))


def main():
    options = options_parse()
    options.results.parent.mkdir(parents=True, exist_ok=True)
    if not options.write:
        for run in runs_of(options):
            row = run_one(options, *run)
            with options.results.open("a") as out:
                out.write(json.dumps(row) + "\n")
            if row["outcome"] not in ("right", "void"):
                print(row, flush=True)
    rows = [json.loads(line) for line in options.results.read_text().splitlines()]
    print(table(rows))
    if options.write:
        write(options.write, rows)


if __name__ == "__main__":
    main()
