#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How often is mapfault right with the text of a crash and no core?

    tools/accuracy_text.py --versions 1.22.12,1.26.8 --group hard --levels all
    tools/accuracy_text.py --texts texts/ --manglers --profiles --write docs/ACCURACY_TEXT.md

Each fixture dies under each GOTRACEBACK; its text is then read alone, with the binary, and with a heap and a
goroutine profile of another run as well. With --texts the crashes are kept, and those that are there are judged again.
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

from accuracy import SET_WORDS  # noqa: E402
from choice import group_add, is_chosen, options_add, versions_chosen, words_of  # noqa: E402
from fixture import fixtures_read, version_key  # noqa: E402
from judge_text import LEVELS, text_is_as_stated, text_judge  # noqa: E402
from mangle import MANGLERS, mangle  # noqa: E402
from page import page_add, table  # noqa: E402
from profiled import profiled, profiles_take  # noqa: E402
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


def options_parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    options_add(parser)
    group_add(parser)
    parser.add_argument("--levels", default=",".join(LEVELS), type=words_of(lambda: LEVELS, ", ".join(LEVELS), False))
    parser.add_argument("--texts", type=pathlib.Path, metavar="FOLDER", help="where crashes are kept for another time")
    parser.add_argument("--kept", action="store_true", help="only what is in that folder")
    parser.add_argument("--profiles", action="store_true", help="also with profiles; builds every fixture again")
    parser.add_argument("--manglers", action="store_true", help="also as log systems would have wrapped the text")
    page_add(parser)
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


def judge_plain(options, fixture, version, folder):
    for level in options.levels.split(","):
        crash = crash_of(options, fixture, version, level)
        if crash is None:
            continue
        path = folder / f"{level}.log"
        path.write_text(crash.text)
        yield Row(fixture, version, level, "text", text_judge(fixture, crash, path)[0])
        yield Row(fixture, version, level, "binary", text_judge(fixture, crash, path, crash.app)[0])
        for name in MANGLERS if options.manglers else ():
            path.write_bytes(mangle(name, crash.text))
            yield Row(fixture, version, level, name, text_judge(fixture, crash, path, crash.app)[0])


def judge_profiled(options, fixture, version, folder):
    """The program with code that writes profiles is another build: its crash and its profiles go together."""
    if not options.profiles or fixture.is_module or not fixture.is_race or "all" not in options.levels.split(","):
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
    yield Row(fixture, version, "all", "profiles", text_judge(fixture, crash, text, app, *profiles)[0])


def rows_make(options):
    rows = []
    for fixture, version in chosen(options):
        with tempfile.TemporaryDirectory(prefix="mapfault-text-") as folder:
            try:
                for judge in (judge_plain, judge_profiled):
                    for row in judge(options, fixture, version, pathlib.Path(folder)):
                        rows.append(row)
                        if row.judgement.outcome in ("wrong", "died"):
                            print(f"{row.judgement.outcome} {fixture.name} {version} {row.level} {row.mode} "
                                  f"{row.judgement.checks} {row.judgement.words[:150]}", flush=True)
            except BuildError as error:
                print(error, file=sys.stderr)
    return rows


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


PAGE = """# Accuracy from words

How often mapfault is right with the text of a crash and no core. Written by `tools/accuracy_text.py --write`;
docs/ACCURACY.md explains the programs and what counts as right, and has the figures for cores.

{texts} judged texts of {fixtures} programs, Go {versions}.

*text* is the crash text alone, *binary* adds the program, *profiles* also a heap and a goroutine profile of another run.
*Kind* and *detector* count texts that show them. *Line* says how often a true writing line stands first, or among the first
three, of the other side and the candidates; where a goroutine is named with it, it must be a writer's, but a line that no
goroutine of the text was seen near is named without one. *Goroutine* counts who is named, wherever he stood: without the
binary a text tells where a goroutine was, not where it had written. It is counted where the program itself said which of its goroutines
write, and one that had ended can't be in the text. *Wrong* is a wrong name at proven or likely, a wrong kind, or a wrong detector.

{table}
"""


def main():
    options = options_parse()
    rows = rows_make(options)
    lines = "\n".join(tables(rows))
    print(lines)
    if options.write:
        options.write.write_text(PAGE.format(
            texts=sum(row.judgement.outcome != "void" for row in rows), fixtures=len({row.fixture.name for row in rows}),
            versions=", ".join(sorted({row.version for row in rows}, key=version_key)), table=lines))
    return 1 if any(row.judgement.outcome in ("wrong", "died") for row in rows) else 0


if __name__ == "__main__":
    tool_run(main)
