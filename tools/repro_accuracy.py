#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does what `mapfault repro` writes do again what was reported? Asked of every fixture.

    tools/repro_accuracy.py                              each fixture with two Go releases; 60 s for each kind of fix
    tools/repro_accuracy.py --quick --fixtures rw_field  one release, fixes for 2 s each
    tools/repro_accuracy.py --write docs/REPRO.md        write the page

Each fixture crashes; its core, its text with the program and its text alone give three reports, and each report
a Go module. That is built with the crash's own release and runs until it dies, then under the race
detector; the fixes that come with it run under load. Results are added to a file of JSON lines; a
program that is in it already, as built by the same release, is not run again.
"""

import argparse
import collections
import concurrent.futures
import dataclasses
import json
import os
import pathlib
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import threading

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

import reproduced  # noqa: E402
from accuracy import percent  # noqa: E402
from accuracy_text import crash_text  # noqa: E402
from choice import is_chosen, options_add, versions_chosen, versions_spread, words_of  # noqa: E402
from fixture import CLASSES, fixtures_read, version_key  # noqa: E402
from harness import crash_of  # noqa: E402
from judge import crash_is_as_stated, mapfault_json, mapfault_run  # noqa: E402
from judge_text import text_is_as_stated  # noqa: E402
from page import page_add, table  # noqa: E402
from results import Results  # noqa: E402
from tool import tool_run  # noqa: E402
from toolchain import BuildError, build_key, program_build  # noqa: E402

EVIDENCE = ("core", "text and program", "text")
QUICK_FIX_SECONDS = 2
FIX_SECONDS = 60


def options_parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    options_add(parser)
    parser.add_argument("--spread", type=int, default=2, metavar="N",
                        help="only N of the versions for each fixture, other ones for the next; 0: all")
    parser.add_argument("--evidence", default=",".join(EVIDENCE),
                        type=words_of(lambda: EVIDENCE, ", ".join(EVIDENCE), False))
    parser.add_argument("--fixes", default="kinds", choices=["kinds", "all", "none"],
                        help="kinds: each fix once for each pair of operations and kind of key")
    parser.add_argument("--fix-seconds", type=int, default=FIX_SECONDS,
                        help=f"of load for each fix; {FIX_SECONDS} if not given")
    parser.add_argument("--fix-jobs", type=int, default=4, help="fixes under load at the same time")
    parser.add_argument("--quick", action="store_true", help=f"--spread 1 --fix-seconds {QUICK_FIX_SECONDS}")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--folder", type=pathlib.Path, default=ROOT / "build" / "repro",
                        help="of the reports and results")
    parser.add_argument("--only-report", action="store_true", help="crash and run nothing")
    page_add(parser)
    options = parser.parse_args()
    if options.quick:
        options.spread, options.fix_seconds = 1, QUICK_FIX_SECONDS
    return options


def chosen(options):
    """(fixture, version) of all crashes that were asked for."""
    for turn, fixture in enumerate(fixtures_read()):
        fit = [v for v in versions_chosen(options) if fixture.runs_on(v)]
        if not is_chosen(options, fixture) or not fit:
            continue
        if options.spread:
            fit = versions_spread(fit, min(options.spread, len(fit)), turn * 5)
        for version in fit:
            yield fixture, version


def reports_make(fixture, version, folder):
    """A fixture's crash, told of in three ways; nothing where it would not die as its header says."""
    app = program_build(fixture, version)
    reports = {}
    with crash_of(fixture, version) as crash:
        if not crash_is_as_stated(fixture, crash):
            reports["core"] = mapfault_json(crash.core, crash.app)
    crash = crash_text(fixture, app, version, "all")
    if not text_is_as_stated(fixture, crash):
        with tempfile.NamedTemporaryFile("w", suffix=".log") as text:
            text.write(crash.text)
            text.flush()
            reports["text and program"] = mapfault_json(text.name, app)
            reports["text"] = mapfault_json(text.name)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "reports.json").write_text(json.dumps(reports))


def reports_get(options, fixture, version):
    """Evidence → report; made once."""
    folder = options.folder / "reports" / f"{fixture.name}-{version}-{build_key(fixture, version, 'default')}"
    path = folder / "reports.json"
    if not path.exists() and not options.only_report:
        try:
            reports_make(fixture, version, folder)
        except (BuildError, subprocess.TimeoutExpired) as error:
            print(f"not built: {error}", file=sys.stderr)
    return json.loads(path.read_text()) if path.exists() else {}


@dataclasses.dataclass
class Case:
    """One report and the module that came of it. `refused` holds mapfault's words where there is none."""
    fixture: object
    version: str
    evidence: str
    kind: str
    folder: pathlib.Path = None
    refused: str = ""
    side_from: str = ""
    clones: bool = False
    key: str = ""
    fixes: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Fix:
    name: str
    folder: pathlib.Path
    version: str
    key: str
    kind: tuple  # the operations of its load and what kind of key they use
    advised: bool


def side_basis(report):
    if any(side.get("role") == "other" for side in report.get("sides") or []):
        return "named"
    return "candidate" if report.get("candidates") else "nobody"


def fix_kind(code):
    key = re.search(r"func newKey\(n int\) (.*) \{$", code, re.M).group(1)
    if re.match(r"u?int|float|byte$|rune$", key):
        key = "number"
    elif key not in ("string", "interface{}"):
        key = "other"
    return (*re.findall(r"mine\.(\w+)\(", code[code.index("func load("):]), key)


def fixes_read(folder, version, advised):
    for main in sorted(folder.glob("fixes/*/main.go")):
        name = main.parent.name
        yield Fix(name, main.parent, version, reproduced.code_key(main, version), fix_kind(main.read_text()),
                  name in advised)


def case_make(options, fixture, version, evidence, report):
    case = Case(fixture, version, evidence, report["verdict"]["kind"])
    name = f"{fixture.name}-{version}-{evidence.replace(' ', '-')}"
    case.folder = options.folder / "modules" / name
    subprocess.run(["rm", "-rf", str(case.folder)], check=True)
    case.folder.parent.mkdir(parents=True, exist_ok=True)
    path = options.folder / "modules" / f"{name}.json"
    path.write_text(json.dumps(report))
    done = mapfault_run("repro", path, "-o", case.folder)
    if done.returncode != 0:
        case.refused = done.stderr
        return case
    case.side_from = side_basis(report)
    case.key = reproduced.code_key(case.folder / "main.go", version)
    case.clones = any("maps.Clone" in line for line in (case.folder / "main.go").read_text().splitlines())
    advised = set(re.findall(r"^(?:  FIXES)? +(\w+) .*\(advised\)$", done.stdout, re.M))
    case.fixes = list(fixes_read(case.folder, version, advised))
    return case


def program_try(case):
    """What Go says of a generated program."""
    row = {"key": case.key, "program": f"{case.fixture.name}-{case.version}-{case.evidence}",
           "version": case.version}
    sites = reproduced.sites_read(case.folder)
    with tempfile.TemporaryDirectory(prefix="mapfault-again-") as place:
        try:
            plain = reproduced.build(case.folder, case.version, program=f"{place}/plain")
            death = reproduced.crash(plain, sites)
            row.update(kind=death.kind, seconds=round(death.seconds, 2), at_site=death.at_site)
            if death.kind != case.kind or not death.at_site:
                row["words"] = death.text[:1500]
            race = reproduced.build(case.folder, case.version, "-race", program=f"{place}/race")
            both, races = reproduced.race_names_both(race, sites)
            row.update(names_both=both, races=len(races))
            if not both:
                row["race_lines"] = [sorted(map(sorted, sites)), sorted(set(map(tuple, races)))[:20]]
        except reproduced.NotBuilt as error:
            row["unbuilt"] = str(error)
    return row


def fix_try(fix, seconds):
    """A fix under load, with and without the race detector at the same time."""
    row = {"key": f"{fix.key}/{seconds}", "fix": fix.name, "version": fix.version, "seconds": seconds,
           "program": str(fix.folder)}
    with tempfile.TemporaryDirectory(prefix="mapfault-fix-") as place:
        try:
            programs = [reproduced.build(fix.folder, fix.version, *flags, program=f"{place}/{i}")
                        for i, flags in enumerate([(), ("-race",)])]
        except reproduced.NotBuilt as error:
            return {**row, "unbuilt": str(error)}
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            runs = list(pool.map(lambda program: reproduced.load(program, seconds), programs))
    words = "\n".join(words for _, _, words in runs if words)
    return {**row, "races": sum(run[0] for run in runs), "crashes": sum(run[1] for run in runs),
            **({"words": words} if words else {})}


def bad(case, row):
    return "unbuilt" in row or row["kind"] != case.kind or not row["at_site"] or \
        (not row["names_both"] and not case.clones)


def case_do(results, case):
    row = results.do(case.key, lambda: program_try(case))
    if bad(case, row):
        print(f"MISS {case.folder.name}: {json.dumps(row)[:600]}", flush=True)


def fixes_do(options, results, cases):
    """Of many programs that differ in names and sizes one is run, unless all were asked for; one that is
    advised, if there is any."""
    chosen_fixes = {}
    for fix in sorted((fix for case in cases for fix in case.fixes), key=lambda fix: not fix.advised):
        same = fix.key if options.fixes == "all" else (fix.name, fix.kind)
        chosen_fixes.setdefault(same, fix)

    def work(fix):
        row = results.do(f"{fix.key}/{options.fix_seconds}", lambda: fix_try(fix, options.fix_seconds))
        if "unbuilt" in row or row["races"] or row["crashes"]:
            print(f"FIX {fix.folder}: {json.dumps(row)[:600]}", flush=True)

    with concurrent.futures.ThreadPoolExecutor(options.fix_jobs) as pool:
        list(pool.map(work, chosen_fixes.values()))


def cases_do(options, results):
    """Every case that was asked for; what is missing is made and run. Equal programs run once."""
    cases, seen, lock = [], {}, threading.Lock()

    def work(run):
        for evidence, report in reports_get(options, *run).items():
            if evidence not in options.evidence.split(","):
                continue
            case = case_make(options, *run, evidence, report)
            with lock:
                cases.append(case)
                mine = seen.setdefault(case.key, threading.Lock())
            if not case.refused and not options.only_report:
                with mine:
                    case_do(results, case)

    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        list(pool.map(work, list(chosen(options))))
    cases.sort(key=lambda case: case.folder.name)
    if options.fixes != "none" and not options.only_report:
        fixes_do(options, results, cases)
    return cases


def line_of(cases, results):
    """One table line of reports whose module was run."""
    ran = [(case, results.rows[case.key]) for case in cases if case.key in results.rows]
    built = [(case, row) for case, row in ran if "unbuilt" not in row]
    same = [row for case, row in built if row["kind"] == case.kind]
    seen = [row for case, row in built if not case.clones]
    basis = collections.Counter(case.side_from for case, _ in ran)
    times = [row["seconds"] for row in same]
    return [str(len(ran)), "/".join(str(basis[name]) for name in ("named", "candidate", "nobody")),
            percent(len(built), len(ran)), percent(len(same), len(ran)),
            percent(sum(row["at_site"] for row in same), len(same)),
            f"{statistics.median(times):.1f} s" if times else "–", f"{max(times):.1f} s" if times else "–",
            percent(sum(row["names_both"] for row in seen), len(seen))]


def table_programs(cases, results):
    yield ["class", "evidence", "reports", "second side", "builds", "same kind", "at a site", "median", "longest",
           "race detector names both"]
    for group in (*[g for g in CLASSES if g != "innocent"], "all"):
        for evidence in EVIDENCE:
            part = [c for c in cases if not c.refused and c.evidence == evidence and
                    group in (c.fixture.group, "all")]
            if part:
                yield [group, evidence, *line_of(part, results)]


def fix_rows(cases, results):
    """The longest run of each fix's program that was run: (fix, row); advised when any report advises it."""
    fixes = {}
    for fix in (fix for case in cases for fix in case.fixes):
        known = fixes.setdefault((fix.name, fix.key), fix)
        known.advised |= fix.advised
    for fix in fixes.values():
        rows = [row for timed, row in results.rows.items() if timed.startswith(fix.key + "/")]
        if rows:
            yield fix, max(rows, key=lambda row: row["seconds"])


def table_fixes(cases, results):
    yield ["fix", "seconds each", "programs", "of them advised", "operations and keys", "do not build", "races",
           "crashes"]
    rows = list(fix_rows(cases, results))
    for name, seconds in sorted({(fix.name, row["seconds"]) for fix, row in rows}):
        part = [(fix, row) for fix, row in rows if (fix.name, row["seconds"]) == (name, seconds)]
        ran = [row for _, row in part if "unbuilt" not in row]
        yield [name, str(seconds), str(len(part)), str(sum(fix.advised for fix, _ in part)),
               str(len({fix.kind for fix, _ in part})), str(len(part) - len(ran)),
               str(sum(row["races"] for row in ran)), str(sum(row["crashes"] for row in ran))]


PAGE = """# How well a reproduction does it again

`mapfault repro` turns a report into a Go module. Here that was done with {cases} reports of {fixtures} programs of tests/fixtures,
which race in as many ways, Go {versions}; {spread}. Written by

    tools/repro_accuracy.py --spread {spread_number} --write docs/REPRO.md

Each program crashes; its core, its text (GOTRACEBACK=all) together with the program, and its text alone give a report each.
The module is built with the crash's own Go release and runs until the runtime ends it, for at most {seconds} s; then it is built with
`-race` and runs until the race detector reports a race between the two marked operations, as long at most. {distinct} different
programs came of the reports. mapfault has no word in this: kind, lines and races are what Go's runtime and race detector print.

{programs}

*Second side*: how many reports name it / have a candidate, whose first plays it / have nobody, so that a writer of that map stands in.
*Same kind*: the share that died of the report's very fatal. *At a site*: of those, the share whose crash text stands at a marked operation.
{others}
*Race detector names both*: it looks into `maps.Clone` in no release, so that reproductions of a clone are not counted there ({clones} reports).

{innocents}

## The fixes

Each fix that comes with a module, under the report's load, with and without the race detector at the same time. The modules hold
{fix_count} different programs of {fix_kinds} kinds, which differ by more than names, types of values and sizes; {fix_kinds_ran} kinds were run.

{fixes}

*Advised*: the advice of a report proposes that very program. *Operations and keys*: how many pairs of the two sides' operations and kinds
of key (strings, numbers, interfaces, others) the programs have.
Measured on {machine}, two processors shared with other work.
"""


def end_of(row):
    """How a program ended that did not die of the fatal: the runtime's first word on it."""
    found = re.search(r"^(?:fatal error|panic|runtime): .*$", row["words"], re.M)
    return f"died of `{found.group()}`" if found else "did not die"


def others_text(cases, results):
    rows = [(case, results.rows[case.key]) for case in cases if case.key in results.rows]
    ends = collections.Counter(end_of(row) for case, row in rows if row.get("kind", case.kind) != case.kind)
    if not ends:
        return "There are no others that built."
    return "Of the others " + ", ".join(f"{number} {end}" for end, number in ends.most_common()) + \
        ". (A race damages the map's memory, too, and that can end a program before the runtime looks.)"


def page_write(path, options, cases, results):
    raced = [case for case in cases if not case.refused]
    ran = [case for case in raced if case.key in results.rows]
    innocent = [case for case in cases if not case.fixture.is_race]
    refused = sum(bool(case.refused) and "nothing to reproduce" in case.refused or "nil map" in case.refused
                  for case in innocent)
    path.write_text(PAGE.format(
        cases=len(raced), fixtures=len({case.fixture.name for case in raced}),
        versions=", ".join(sorted({case.version for case in cases}, key=version_key)),
        spread=f"each with {options.spread} of the releases that fit" if options.spread else "each with all of them",
        spread_number=options.spread, others=others_text(cases, results),
        seconds=reproduced.CRASH_SECONDS, distinct=len({case.key for case in ran}),
        programs=table(table_programs(cases, results)), clones=sum(case.clones for case in ran),
        innocents=f"Of {len(innocent)} reports of programs that did not die of a race on a map, {refused} were refused "
                  "with a word why, and no folder was made.",
        fix_count=len({fix.key for case in cases for fix in case.fixes}),
        fix_kinds=len({(fix.name, fix.kind) for case in cases for fix in case.fixes}),
        fix_kinds_ran=len({(fix.name, fix.kind) for fix, _ in fix_rows(cases, results)}),
        fixes=table(table_fixes(cases, results)), machine=platform.machine()))


def main():
    options = options_parse()
    os.environ["COLUMNS"] = "300"  # so that mapfault wraps no line that is read here
    results = Results(options.folder / "results.jsonl")
    cases = cases_do(options, results)
    for rows in (table_programs, table_fixes):
        print(table(rows(cases, results)), end="\n\n")
    misses = sum(bad(case, results.rows[case.key]) for case in cases if case.key in results.rows)
    odd = [case.folder.name for case in cases if bool(case.refused) == case.fixture.is_race]
    print(f"{misses} misses; refused or not against its header: {' '.join(odd) or 'none'}")
    if options.write:
        page_write(options.write, options, cases, results)
    return 1 if misses or odd else 0


if __name__ == "__main__":
    tool_run(main)
