#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How often does the flight recorder prove the other side, and the right one?

    tools/recorder_accuracy.py                                 every racing fixture with every Go version, once
    tools/recorder_accuracy.py --versions 1.16.15,1.26.8 --variants stripped,pie --procs 1,2,8 --repeat 3
    tools/recorder_accuracy.py --group easy --spread 2 --repeat 20
    tools/recorder_accuracy.py --procs 1 --env GOGC=1 --env GODEBUG=asyncpreemptoff=1
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

from choice import group_add, is_chosen, options_add, versions_chosen, versions_spread, words_of  # noqa: E402
from fixture import fixtures_read, version_key  # noqa: E402
from page import page_add, part_replace, table  # noqa: E402
from recorded import recorded  # noqa: E402
from results import row_add, rows_read  # noqa: E402
from tool import tool_run  # noqa: E402
from toolchain import VARIANTS, BuildError, variant_fits  # noqa: E402

OUTCOMES = ("right", "wrong", "missed", "void", "unbuilt")


def options_parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    options_add(parser)
    group_add(parser)
    parser.add_argument("--spread", type=int, default=0, metavar="N", help="only N of the versions for each fixture, other ones for the next")
    parser.add_argument("--variants", default="default", type=words_of(lambda: VARIANTS, ", ".join(VARIANTS), False),
                        help=", ".join(VARIANTS))
    parser.add_argument("--procs", default="", help="values of GOMAXPROCS; empty: its default")
    parser.add_argument("--env", action="append", default=[], metavar="NAME=VALUE", help="for the program")
    parser.add_argument("--silent", action="store_true", help="GOTRACEBACK=none: no stacks in the text")
    parser.add_argument("--reads", action="store_true", help="record reads as well")
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--results", type=pathlib.Path, default=ROOT / "build" / "recorder_accuracy.jsonl")
    page_add(parser, "accuracy")
    return parser.parse_args()


def programs_of(options):
    """(fixture, version, variant) of all that were asked for."""
    fixtures = [fixture for fixture in fixtures_read()
                if fixture.is_race and is_chosen(options, fixture) and options.group in ("", fixture.group)]
    for turn, fixture in enumerate(fixtures):
        for variant in options.variants.split(","):
            fit = [v for v in versions_chosen(options) if fixture.runs_on(v) and variant_fits(fixture, v, variant)]
            if options.spread and fit:
                fit = versions_spread(fit, min(options.spread, len(fit)), turn)
            for version in fit:
                yield fixture, version, variant


def runs_of(options):
    programs = list(programs_of(options))
    for _ in range(options.repeat):
        for program in programs:
            for procs in options.procs.split(","):
                yield *program, procs


def environment(options, procs):
    env = dict(setting.split("=", 1) for setting in options.env)
    if procs:
        env["GOMAXPROCS"] = procs
    # A program whose text is suppressed is judged like any other, so the text must still be seen.
    return {**env, "GOTRACEBACK": "none"} if options.silent else env


def run_one(options, fixture, version, variant, procs):
    row = {"fixture": fixture.name, "group": fixture.group, "version": version, "variant": variant, "procs": procs,
           "silent": options.silent, "reads": options.reads, "env": options.env}
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
    return ", ".join([kind, *(["reads"] if row.get("reads") else []), *row.get("env", [])])


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
    tool_run(main)
