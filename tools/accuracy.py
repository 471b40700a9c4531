#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How often is mapfault right? Crashes every fixture with every Go version and counts.

    tools/accuracy.py                                   everything, once
    tools/accuracy.py --versions 1.16.15,1.26.8 --set development --group hard --repeat 3
    tools/accuracy.py --inspect look --fixtures hard_crowd   keep what went wrong, show the verdict
    tools/accuracy.py --write docs/ACCURACY.md          write the page from the results so far

Results are added to a file of JSON lines (--results); a run that is in it already, made by the same
mapfault on the same program, is not made again.
"""

import argparse
import collections
import concurrent.futures
import dataclasses
import hashlib
import pathlib
import platform
import subprocess
import sys
import threading

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "e2e"), str(ROOT / "tools")]

from choice import group_add, is_chosen, options_add, versions_chosen, versions_spread, words_of  # noqa: E402
from fixture import CLASSES, SETS, fixtures_read, version_key  # noqa: E402
from harness import crash_keep, crash_of  # noqa: E402
from judge import ToolError, crash_judge, mapfault_path, mapfault_run  # noqa: E402
from page import page_add, table  # noqa: E402
from results import Results  # noqa: E402
from tool import tool_run  # noqa: E402
from toolchain import VARIANTS, BuildError, build_key, variant_fits  # noqa: E402

SET_WORDS = {"development": "development", "heldout": "held out", "after_freeze": "after the freeze"}
OUTCOMES = ("right", "wrong", "missed", "died", "void", "unbuilt")


def options_parse(about=__doc__, results="accuracy.jsonl", parts=()):
    """`parts` of the page that are written; none: all of it."""
    parser = argparse.ArgumentParser(description=about.split("\n\n")[0])
    options_add(parser)
    group_add(parser)
    parser.add_argument("--set", default="", choices=["", *SETS])
    parser.add_argument("--variants", default="default", type=words_of(lambda: VARIANTS, f"{', '.join(VARIANTS)}, or all"),
                        help=",".join(VARIANTS) + ", or all")
    parser.add_argument("--spread", type=int, default=0, metavar="N",
                        help="only N of the versions for each fixture and build, other ones for the next")
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--results", type=pathlib.Path, default=ROOT / "build" / results)
    parser.add_argument("--inspect", type=pathlib.Path, metavar="FOLDER",
                        help="keep the cores that went wrong or were missed, and show the verdict")
    page_add(parser, *parts)
    parser.add_argument("--only-report", action="store_true", help="run nothing, report")
    parser.add_argument("--builds", type=int, default=1, metavar="N",
                        help="report what the last N builds of mapfault did, the latest run of each")
    return parser.parse_args()


def chosen(options):
    """All runs that were asked for: (fixture, version, variant, number)."""
    versions = versions_chosen(options)
    variants = list(VARIANTS) if options.variants == "all" else options.variants.split(",")
    turn = 0
    for fixture in fixtures_read():
        if not is_chosen(options, fixture) or options.group not in ("", fixture.group):
            continue
        if options.set not in ("", fixture.set):
            continue
        for variant in variants:
            fit = [v for v in versions
                   if fixture.runs_on(v) and variant_fits(fixture, v, variant)]
            if options.spread and fit:
                turn, fit = turn + 1, versions_spread(fit, options.spread, turn)
            for version in fit:
                for number in range(options.repeat):
                    yield fixture, version, variant, number


def tool_key():
    return hashlib.sha256(mapfault_path().read_bytes()).hexdigest()[:16]


def run_key(tool, fixture, version, variant, number):
    return f"{tool}/{fixture.name}/{version}/{variant}/{build_key(fixture, version, variant)}/{number}"


def verdict_show(crash, folder, judgement):
    crash_keep(crash, folder)
    try:
        verdict = mapfault_run(crash.core, crash.app).stdout
    except ToolError as error:
        verdict = str(error)
    words = f"{judgement.outcome}: {judgement.words}\n{judgement.checks}\n\n{verdict}"
    (folder / "verdict.txt").write_text(words)
    print(f"\n=== {folder}\n{words}", flush=True)


def is_amiss(judgement, variant):
    """Did anything go wrong that is counted? Paths of stripped programs are not."""
    checks = {name: right for name, right in judgement.checks.items()
              if name != "owner_path" or "stripped" not in variant}
    return judgement.outcome in ("wrong", "missed", "died") or False in checks.values()


def core_judge(options, fixture, version, variant, number):
    """Lets it leave a core, and judges what mapfault says of that."""
    with crash_of(fixture, version, variant) as crash:
        judgement, _ = crash_judge(fixture, crash)
        if options.inspect and is_amiss(judgement, variant):
            name = f"{fixture.name}-{version}-{variant}-{number}"
            verdict_show(crash, options.inspect / name, judgement)
    return judgement


def run_one(options, judge, tool, fixture, version, variant, number):
    row = {"key": run_key(tool, fixture, version, variant, number), "tool": tool,
           "fixture": fixture.name, "group": fixture.group, "set": fixture.set,
           "version": version, "variant": variant}
    try:
        row.update(dataclasses.asdict(judge(options, fixture, version, variant, number)))
    except (BuildError, subprocess.TimeoutExpired) as error:
        row.update(outcome="unbuilt", checks={}, words=str(error), confidence="", rule="")
    return row


def runs_do(options, judge):
    """Do what is missing."""
    tool = tool_key()
    results = Results(options.results)
    wanted = list(chosen(options))
    todo = [run for run in wanted if run_key(tool, *run) not in results.rows or options.inspect]
    printing = threading.Lock()

    def work(run):
        row = run_one(options, judge, tool, *run)
        results.add(row)
        with printing:
            work.done += 1
            bad = [name for name, value in row["checks"].items() if value is False]
            if row["outcome"] != "right" or bad:
                print(f"{row['outcome']:7} {row['fixture']:24} {row['version']:8} "
                      f"{row['variant']:12} {' '.join(bad)}  {row['words'][:150]!r}", flush=True)
            if sys.stderr.isatty():
                print(f"\r{work.done}/{len(todo)}", end="", file=sys.stderr)

    work.done = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        list(pool.map(work, todo))
    return [results.rows[key] for key in (run_key(tool, *run) for run in wanted) if key in results.rows]


def percent(part, whole):
    return f"{100 * part / whole:.1f} %" if whole else "–"


def line_of(name, rows):
    """One table line: void and unbuilt runs are shown and not counted."""
    count = collections.Counter(row["outcome"] for row in rows)
    judged = sum(count[outcome] for outcome in ("right", "wrong", "missed", "died"))
    checks = [row["checks"] for row in rows]
    with_names = [row["checks"] for row in rows if "stripped" not in row["variant"]]

    def rate(check):
        values = [c[check] for c in (with_names if check == "owner_path" else checks)
                  if c.get(check) is not None]
        return percent(sum(values), len(values))

    sure = [row for row in rows if row["confidence"] in ("proven", "likely")
            and row["outcome"] in ("right", "wrong")]
    return [name, str(judged), percent(count["right"], judged), str(count["wrong"]),
            str(count["missed"]), str(count["died"]), str(count["void"] + count["unbuilt"]),
            percent(len(sure), judged), rate("kind"), rate("detector"), rate("address"),
            rate("type"), rate("owner_path"), rate("owner_type")]


HEAD = ["", "runs", "right", "wrong", "missed", "tool died", "not judged", "named as sure", "kind",
        "detector", "map", "type", "owner path", "owner type"]


def groups_of(rows):
    for name in SETS:
        for group in CLASSES:
            part = [r for r in rows if r["group"] == group and r["set"] == name]
            if part:
                yield f"{group}, {SET_WORDS[name]}", part


def sets_of(rows):
    for name in SETS:
        part = [r for r in rows if r["set"] == name and r["group"] != "innocent"]
        if part:
            yield name, part


def pairs_of(rows):
    """Each build next to the default build of the very programs that were run in both."""
    lines = []
    for variant in VARIANTS:
        if variant == "default":
            continue
        other = [row for row in rows if row["variant"] == variant]
        names = {row["fixture"] for row in other}
        if other:
            lines.append(line_of(variant, other))
            lines.append(line_of(f"default, programs of {variant}",
                                 [row for row in rows if row["variant"] == "default"
                                  and row["fixture"] in names]))
    return lines


def tables_of(rows):
    """(title, lines) of each table."""
    by_version = collections.defaultdict(list)
    by_variant = collections.defaultdict(list)
    by_rule = collections.defaultdict(list)
    races = [row for row in rows if row["group"] != "innocent"]
    for row in races:
        if row["variant"] == "default":
            by_version[row["version"]].append(row)
        by_variant[row["variant"]].append(row)
        if row["outcome"] in ("right", "wrong", "missed"):
            by_rule[f"{row['confidence'] or 'nobody'}: {row['rule'] or 'no rule'}"].append(row)
    plain = [row for row in rows if row["variant"] == "default"]
    yield "By class, default build", [line_of(name, part) for name, part in groups_of(plain)]
    yield "By set, default build", [line_of(SET_WORDS[name], part) for name, part in sets_of(plain)]
    yield "Races by Go version, default build", [line_of(v, by_version[v])
                                  for v in sorted(by_version, key=version_key)]
    yield "Races by build", [line_of(v, by_variant[v]) for v in VARIANTS if v in by_variant]
    yield "Other builds next to the default build of the same programs", pairs_of(races)
    yield "Races by rule", [line_of(v, by_rule[v]) for v in sorted(by_rule)]


def table_text(lines):
    return table([HEAD, *lines])


PAGE = """# Accuracy

How often mapfault names the right second goroutine, measured on programs that state their own truth.
This page is written by `tools/accuracy.py --write docs/ACCURACY.md`; don't edit it by hand.

{runs} runs of {fixtures} programs with {versions} Go releases on {machine}{builds}.

## What is counted

Each program in tests/fixtures says in its header which map is raced on, by which functions, on which
lines; it dies of the race by itself, with `GOTRACEBACK=crash`, and leaves a core. mapfault gets core and
program, nothing else. It is **right** when the function *and* the line of the first named other side
(or, when it names nobody, of its first candidate) are a racing write of the header, on a goroutine that is not
the detector's and, where the program told goroutine numbers, is one of the writers'.
It is **wrong** when it names somebody else as proven or likely, or accuses anybody in a program that died of
something else. **Missed** is an honest "not found", or a wrong first candidate. Runs that did not die as
stated are **not judged**: a race need not happen.
*Named as sure* are the runs with a second side at proven or likely. *Kind*, *detector*, *map*, *type*,
*owner path* (the way to the map from a variable, where the program has one) and *owner type* (the struct that holds it)
say how often those parts of the report were right; the detector is compared with the runtime's own crash text.
Paths need DWARF; a stripped program's owners are judged by their type.

"Easy" programs have two busy racers. "Hard" ones add what misleads: co-readers, busy writers of another
map of the same type, rare writers, writers that park or compute, crowds. "Third-party" races inside real modules.
"Innocent" programs die otherwise and must accuse nobody. The *held-out* programs were written without looking
at how candidates are ranked, and no rule was changed for them. Those *after the freeze* were written without
looking, too, when the rules were final: {late} of the {fixtures} programs; a program that makes a rule change counts
as development from then on. The race detector, asked about the programs with `tools/check_headers.py`, contradicts none
of their headers.

{tables}
## From words alone

A crash text without a core, with the program or without, and how log systems wrap it: `docs/ACCURACY_TEXT.md` has the figures of
all releases under every GOTRACEBACK.

## Not measured

Other machines, more than a few processors, arm64 cores, programs of a real service's size; a fixture's author
thinks of the races that he knows.
"""


def page_write(path, rows):
    builds = len({row["tool"] for row in rows})
    late = {row["fixture"] for row in rows if row["set"] == "after_freeze"}
    tables = "".join(f"## {title}\n\n{table_text(lines)}\n\n" for title, lines in tables_of(rows)
                     if lines)
    path.write_text(PAGE.format(
        runs=len(rows), fixtures=len({row["fixture"] for row in rows}),
        versions=len({row["version"] for row in rows}),
        machine=f"{platform.machine()}, Linux {platform.release()}", tables=tables, late=len(late),
        builds=f", by {builds} builds of mapfault" if builds > 1 else ""))


def rows_latest(rows, builds):
    """The last result of each run, by the last so many builds of mapfault; sets as headers have them now."""
    tools = list(dict.fromkeys(row["tool"] for row in reversed(rows)))[:builds]
    sets = {fixture.name: fixture.set for fixture in fixtures_read()}
    latest = {}
    for row in rows:
        if row["tool"] in tools and row["fixture"] in sets:
            run = (row["fixture"], row["version"], row["variant"], row["key"].rsplit("/", 1)[1])
            latest[run] = {**row, "set": sets[row["fixture"]]}
    return list(latest.values())


def tables_show(rows):
    for title, lines in tables_of(rows):
        if lines:
            print(f"\n{title}\n{table_text(lines)}")


def rows_wanted(options, judge):
    if options.only_report:
        return rows_latest(list(Results(options.results).rows.values()), options.builds)
    return runs_do(options, judge)


def measure(options, judge=core_judge, show=tables_show, write=page_write):
    """Runs what was asked for, shows it and writes the page; the exit status."""
    rows = rows_wanted(options, judge)
    show(rows)
    if options.write:
        write(options.write, rows)
    return 1 if any(row["outcome"] in ("wrong", "died") for row in rows) else 0


if __name__ == "__main__":
    tool_run(lambda: measure(options_parse()))
