#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How often is mapfault right with the text of a crash and no core?

    tools/accuracy_text.py --versions 1.22.12,1.26.8 --group hard --levels all
    tools/accuracy_text.py --texts texts/ --manglers --profiles --write docs/ACCURACY_TEXT.md

Each fixture dies under each GOTRACEBACK; its text is then read alone, with the binary, and with a heap and a
goroutine profile of another run as well. With --texts the crashes are kept, and those that are there are judged again.
Results are added to a file of JSON lines (--results); what is in it, made by the same build of mapfault, is not done
again. The tables are of all that this build has done, so that parts of a corpus can be judged one after the other.
"""

import argparse
import collections
import dataclasses
import json
import os
import pathlib
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

from accuracy import SET_WORDS, tool_key  # noqa: E402
from choice import group_add, is_chosen, options_add, versions_chosen, words_of  # noqa: E402
from fixture import fixture_named, fixtures_read, version_key  # noqa: E402
from judge import Judgement  # noqa: E402
from judge_text import LEVELS, text_is_as_stated, text_judge  # noqa: E402
from mangle import MANGLERS, mangle  # noqa: E402
from page import page_add, part_replace, table  # noqa: E402
from profiled import profiled, profiles_take  # noqa: E402
from results import Results  # noqa: E402
from run import Crash, CrashFolder, program_crash  # noqa: E402
from tool import tool_run  # noqa: E402
from toolchain import BuildError, program_build  # noqa: E402

MODES = ("text", "binary", "profiles")
ATTEMPTS = 3


@dataclasses.dataclass
class Row:
    fixture: object
    version: str
    level: str
    mode: str  # one of MODES, or a mangler's name
    judgement: object


def key_of(row):
    return tuple(row[name] for name in ("tool", "fixture", "version", "level", "mode"))


class Judge:
    """Judges what the build under test has not judged yet."""

    def __init__(self, options):
        self.tool, self.results = tool_key(), Results(options.results, key_of)

    def is_done(self, fixture, version, level, mode):
        return (self.tool, fixture.name, version, level, mode) in self.results.rows

    def do(self, fixture, version, level, mode, crash, *evidence):
        if self.is_done(fixture, version, level, mode):
            return
        judgement, _ = text_judge(fixture, crash, *evidence)
        self.results.add({"tool": self.tool, "fixture": fixture.name, "version": version, "level": level, "mode": mode,
                          **dataclasses.asdict(judgement)})
        if judgement.outcome in ("wrong", "died"):
            print(f"{judgement.outcome} {fixture.name} {version} {level} {mode} {judgement.checks} {judgement.words[:150]}",
                  flush=True)

    def rows(self):
        for row in self.results.rows.values():
            if row["tool"] == self.tool:
                judgement = Judgement(row["outcome"], row["checks"], row["words"], row["confidence"], row["rule"])
                yield Row(fixture_named(row["fixture"]), row["version"], row["level"], row["mode"], judgement)


def options_parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    options_add(parser)
    group_add(parser)
    parser.add_argument("--levels", default=",".join(LEVELS), type=words_of(lambda: LEVELS, ", ".join(LEVELS), False))
    parser.add_argument("--texts", type=pathlib.Path, metavar="FOLDER", help="where crashes are kept for another time")
    parser.add_argument("--kept", action="store_true", help="only what is in that folder")
    parser.add_argument("--profiles", action="store_true", help="also with profiles; builds every fixture again")
    parser.add_argument("--manglers", action="store_true", help="also as log systems would have wrapped the text")
    parser.add_argument("--results", type=pathlib.Path, default=ROOT / "build" / "accuracy_text.jsonl")
    page_add(parser, "accuracy")
    return parser.parse_args()


def chosen(options):
    for fixture in fixtures_read():
        if not is_chosen(options, fixture) or options.group not in ("", fixture.group):
            continue
        for version in versions_chosen(options):
            if fixture.runs_on(version):
                yield fixture, version


def crash_kept(path):
    kept = json.loads(path.read_text())
    roles = {int(number): role for number, role in kept["goroutines"].items()}
    return Crash(pathlib.Path(kept["app"]), None, kept["text"], 2, kept["map_address"], roles, kept["version"])


def crash_keep(path, fixture, level, crash):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"fixture": fixture.name, "version": crash.version, "level": level,
                                "app": str(crash.app), "text": crash.text, "map_address": crash.map_address,
                                "goroutines": crash.goroutines}))


def crash_text(fixture, app, version, level):
    for _ in range(ATTEMPTS):
        with CrashFolder() as folder:
            crash = program_crash(fixture, app, folder, level, version)
        if not text_is_as_stated(fixture, crash):
            break
    return crash


def crash_of(options, fixture, version, level):
    path = options.texts and options.texts / f"{fixture.name}-{version}-{level}.json"
    if path and path.exists():
        return crash_kept(path)
    if options.kept:
        return None
    crash = crash_text(fixture, program_build(fixture, version), version, level)
    if path:
        crash_keep(path, fixture, level, crash)
    return crash


def profiles_of(options, fixture, version, folder):
    """(program, profiles) of a build that writes them; kept beside the texts."""
    kept = options.texts and options.texts / f"{fixture.name}-{version}-profiles"
    app = kept and kept / "app"
    if kept and app.exists():
        return app, sorted(kept.glob("*.pb.gz"))
    if options.kept:
        return None, []
    app, profiles = profiles_take(profiled(fixture, folder), version, folder)
    if not kept or len(profiles) != 2:
        return app, profiles
    kept.mkdir(parents=True, exist_ok=True)
    (kept / "app").symlink_to(app)
    return app, [pathlib.Path(path).rename(kept / pathlib.Path(path).name) for path in profiles]


def judge_plain(options, judge, fixture, version, folder):
    for level in options.levels.split(","):
        modes = ["text", "binary", *(MANGLERS if options.manglers else ())]
        if all(judge.is_done(fixture, version, level, mode) for mode in modes):
            continue
        crash = crash_of(options, fixture, version, level)
        if crash is None:
            continue
        path = folder / f"{level}.log"
        for mode in modes:
            path.write_bytes(mangle(mode, crash.text) if mode in MANGLERS else crash.text.encode())
            judge.do(fixture, version, level, mode, crash, path, *([] if mode == "text" else [crash.app]))


def judge_profiled(options, judge, fixture, version, folder):
    """The program with code that writes profiles is another build: its crash and its profiles go together."""
    if not options.profiles or fixture.is_module or not fixture.is_race or "all" not in options.levels.split(",") or \
            judge.is_done(fixture, version, "all", "profiles"):
        return
    app, profiles = profiles_of(options, fixture, version, folder)
    path = options.texts and options.texts / f"{fixture.name}-{version}-profiles" / "crash.json"
    if len(profiles) != 2:
        return
    if path and path.exists():
        crash = crash_kept(path)
    elif options.kept:
        return
    else:
        with CrashFolder() as run:
            crash = program_crash(fixture, os.path.realpath(app), run, "all", version)
        if path:
            crash_keep(path, fixture, "all", crash)
    text = folder / "profiled.log"
    text.write_text(crash.text)
    judge.do(fixture, version, "all", "profiles", crash, text, app, *profiles)


def judge_chosen(options, judge):
    for fixture, version in chosen(options):
        with tempfile.TemporaryDirectory(prefix="mapfault-text-") as folder:
            try:
                judge_plain(options, judge, fixture, version, pathlib.Path(folder))
                judge_profiled(options, judge, fixture, version, pathlib.Path(folder))
            except BuildError as error:
                print(error, file=sys.stderr)


def percent(values):
    values = [value for value in values if value is not None]
    return f"{100 * sum(values) / len(values):.1f} %" if values else "–"


COLUMNS = ("kind", "detector", "first", "first three", "goroutine first", "goroutine first three")


def figures(part):
    """The cells that all tables have."""
    checks = [row.judgement.checks for row in part]
    sure = [row.judgement.confidence in ("proven", "likely") for row in part]
    return [str(len(part)), str(sum(row.judgement.outcome in ("wrong", "died") for row in part)), percent(sure),
            *(percent([check.get(name) for check in checks]) for name in COLUMNS)]


HEAD = ["texts", "wrong", "named as sure", "kind", "detector", "line first", "line in three", "goroutine first", "goroutine in three"]


def table_by(rows, names, key, order):
    """One line for each value of key, in that order."""
    groups = collections.defaultdict(list)
    for row in rows:
        if row.judgement.outcome != "void":
            groups[key(row)].append(row)
    return table([[*names, *HEAD], *([*values, *figures(groups[values])] for values in sorted(groups, key=order))], len(names))


def tables(rows):
    plain = [row for row in rows if row.mode in MODES]
    hard = [row for row in plain if row.fixture.group == "hard" and row.level == "all"]
    mangled = [row for row in rows if row.mode in MANGLERS]
    yield "## By class, GOTRACEBACK and evidence\n"
    yield table_by(plain, ["class", "GOTRACEBACK", "evidence"], lambda r: (r.fixture.group, r.level, r.mode),
                   lambda k: (k[0], LEVELS.index(k[1]), MODES.index(k[2])))
    yield "\n## Hard programs, all goroutines printed, by set\n"
    yield table_by(hard, ["set", "evidence"], lambda r: (SET_WORDS[r.fixture.set], r.mode),
                   lambda k: (list(SET_WORDS.values()).index(k[0]), MODES.index(k[1])))
    yield "\n## Hard programs, all goroutines printed, by Go version\n"
    yield table_by(hard, ["Go", "evidence"], lambda r: (r.version, r.mode),
                   lambda k: (version_key(k[0]), MODES.index(k[1])))
    if mangled:
        yield "\n## As log systems wrap it, with the binary\n"
        yield table_by(mangled, ["log"], lambda r: (r.mode,), lambda k: k)


def main():
    options = options_parse()
    judge = Judge(options)
    judge_chosen(options, judge)
    rows = list(judge.rows())
    lines = "\n".join(tables(rows))
    print(lines)
    if options.write:
        judged = sum(row.judgement.outcome != "void" for row in rows)
        crashes = len({(row.fixture.name, row.version, row.level) for row in rows})
        versions = ", ".join(sorted({row.version for row in rows}, key=version_key))
        part_replace(options.write, "accuracy", f"{judged} judgements of {crashes} crashes of "
                     f"{len({row.fixture.name for row in rows})} programs, Go {versions}.\n\n{lines}")
    return 1 if any(row.judgement.outcome in ("wrong", "died") for row in rows) else 0


if __name__ == "__main__":
    tool_run(main)
