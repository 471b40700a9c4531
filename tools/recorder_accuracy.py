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
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

from choice import is_chosen, options_add, versions_chosen  # noqa: E402
from fixture import fixtures_read, version_key  # noqa: E402
from page import part_replace, table  # noqa: E402
from recorded import recorded  # noqa: E402
from results import row_add, rows_read  # noqa: E402
from toolchain import VARIANTS, BuildError, variant_fits  # noqa: E402

OUTCOMES = ("right", "wrong", "missed", "void", "unbuilt")


def options_parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    options_add(parser)
    parser.add_argument("--variants", default="default", help=", ".join(VARIANTS))
    parser.add_argument("--procs", default="", help="values of GOMAXPROCS; empty: its default")
    parser.add_argument("--silent", action="store_true", help="GOTRACEBACK=none: no stacks in the text")
    parser.add_argument("--reads", action="store_true", help="record reads as well")
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--results", type=pathlib.Path, default=ROOT / "build" / "recorder_accuracy.jsonl")
    parser.add_argument("--write", type=pathlib.Path)
    return parser.parse_args()


def runs_of(options):
    fixtures = [fixture for fixture in fixtures_read() if fixture.is_race and is_chosen(options, fixture)]
    for repeat in range(options.repeat):
        for version in versions_chosen(options):
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


def line_of(name, rows):
    counts = collections.Counter(row["outcome"] for row in rows)
    return [name, *(str(counts[outcome]) for outcome in OUTCOMES[:4])]


def kind_of(row):
    kind = f"{row['variant']}, {row['procs'] or 'default'}, {'suppressed' if row['silent'] else 'printed'}"
    return kind + (", reads" if row.get("reads") else "")


def tables(rows):
    by_version, by_kind = collections.defaultdict(list), collections.defaultdict(list)
    for row in rows:
        by_version[row["version"]].append(row)
        by_kind[kind_of(row)].append(row)
    versions = [line_of(version, by_version[version]) for version in sorted(by_version, key=version_key)]
    kinds = [line_of(kind, by_kind[kind]) for kind in sorted(by_kind)]
    return table([["Go", *OUTCOMES[:4]], *versions, line_of("all", rows)]) + "\n\n" + \
        table([["variant, GOMAXPROCS, text", *OUTCOMES[:4]], *kinds])


def main():
    options = options_parse()
    if not options.write:
        for run in runs_of(options):
            row = run_one(options, *run)
            row_add(options.results, row)
            if row["outcome"] not in ("right", "void"):
                print(row, flush=True)
    text = tables(rows_read(options.results))
    print(text)
    if options.write:
        part_replace(options.write, "accuracy", text)


if __name__ == "__main__":
    main()
