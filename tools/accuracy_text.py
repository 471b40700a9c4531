#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How often is mapfault right with the text of a crash and no core?

    tools/accuracy_text.py --versions 1.22.12,1.26.8 --group hard --levels all
    tools/accuracy_text.py --write docs/ACCURACY_TEXT.md

Each fixture dies under each GOTRACEBACK; its text is then read alone, with the binary, and with a heap and a
goroutine profile of another run as well.
"""

import argparse
import collections
import pathlib
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

from fixture import fixtures_read, version_key, versions_read  # noqa: E402
from judge_text import LEVELS, text_is_as_stated, text_judge  # noqa: E402
from profiled import profiled, profiles_take  # noqa: E402
from run import CrashFolder, program_crash  # noqa: E402
from toolchain import BuildError, program_build  # noqa: E402

MODES = ("text", "binary", "profiles")
ATTEMPTS = 3


def options_parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--versions", default="all")
    parser.add_argument("--fixtures", default="all")
    parser.add_argument("--group", default="")
    parser.add_argument("--levels", default=",".join(LEVELS))
    parser.add_argument("--profiles", action="store_true", help="also with profiles; builds every fixture again")
    parser.add_argument("--write", type=pathlib.Path, metavar="FILE")
    return parser.parse_args()


def chosen(options):
    versions = versions_read() if options.versions == "all" else options.versions.split(",")
    names = None if options.fixtures == "all" else options.fixtures.split(",")
    for fixture in fixtures_read():
        if names and fixture.name not in names or options.group not in ("", fixture.group):
            continue
        for version in versions:
            if fixture.runs_on(version):
                yield fixture, version


def crash_text(fixture, app, version, level):
    for _ in range(ATTEMPTS):
        with CrashFolder() as folder:
            crash = program_crash(fixture, app, folder, level, version)
        if not text_is_as_stated(fixture, crash):
            break
    return crash


def judge_all(options, fixture, version, folder):
    """(level, mode, judgement) of one fixture and Go version."""
    kept = []
    if options.profiles and not fixture.is_module:
        fixture = profiled(fixture, folder)
        app, kept = profiles_take(fixture, version, folder)
    else:
        app = program_build(fixture, version)
    for level in options.levels.split(","):
        crash = crash_text(fixture, app, version, level)
        path = pathlib.Path(folder) / f"{level}.log"
        path.write_text(crash.text)
        evidence = {"text": [path], "binary": [path, app], "profiles": [path, app, *kept]}
        for mode in MODES if len(kept) == 2 else MODES[:2]:
            yield level, mode, text_judge(fixture, crash, *evidence[mode])[0]


def rows_make(options):
    rows = []
    for fixture, version in chosen(options):
        with tempfile.TemporaryDirectory(prefix="mapfault-text-") as folder:
            try:
                for level, mode, judgement in judge_all(options, fixture, version, folder):
                    rows.append((fixture, version, level, mode, judgement))
                    if judgement.outcome in ("wrong", "died"):
                        print(f"{judgement.outcome} {fixture.name} {version} {level} {mode} "
                              f"{judgement.checks} {judgement.words[:150]}", flush=True)
            except BuildError as error:
                print(error, file=sys.stderr)
    return rows


def percent(values):
    values = [value for value in values if value is not None]
    return f"{100 * sum(values) / len(values):.1f} %" if values else "–"


def table(rows):
    """One line for each class, GOTRACEBACK and mode."""
    groups = collections.defaultdict(list)
    for fixture, _, level, mode, judgement in rows:
        if judgement.outcome != "void":
            groups[(fixture.group, level, mode)].append(judgement)
    yield "| class | GOTRACEBACK | evidence | texts | wrong | kind | detector | named as sure | first | first three |"
    yield "|---|---|---|--:|--:|--:|--:|--:|--:|--:|"
    for (group, level, mode), part in sorted(groups.items(), key=lambda item: (
            item[0][0], LEVELS.index(item[0][1]), MODES.index(item[0][2]))):
        checks = [judgement.checks for judgement in part]
        sure = [judgement.confidence in ("proven", "likely") for judgement in part]
        yield "| " + " | ".join([
            group, level, mode, str(len(part)), str(sum(j.outcome in ("wrong", "died") for j in part)),
            *(percent([c.get(name) for c in checks]) for name in ("kind", "detector")), percent(sure),
            *(percent([c.get(name) for c in checks]) for name in ("first", "first three"))]) + " |"


PAGE = """# Accuracy from words

How often mapfault is right with the text of a crash and no core. Written by `tools/accuracy_text.py --write`;
docs/ACCURACY.md explains the programs and what counts as right, and has the figures for cores.

{texts} judged texts of {fixtures} programs, Go {versions}.

*text* is the crash text alone, *binary* adds the program, *profiles* also a heap and a goroutine profile of another run.
*Kind* and *detector* count texts that show them. *First* and *first three* say how often a true writing line stands
there among the other side and the candidates; where a goroutine is named with it, it must be a writer's, but a line that no goroutine of the text was seen
near is named without one. *Wrong* is a wrong name at proven or likely, a wrong kind, or a wrong detector.

{table}
"""


def main():
    options = options_parse()
    rows = rows_make(options)
    lines = "\n".join(table(rows))
    print(lines)
    if options.write:
        options.write.write_text(PAGE.format(
            texts=sum(row[4].outcome != "void" for row in rows), fixtures=len({row[0].name for row in rows}),
            versions=", ".join(sorted({row[1] for row in rows}, key=version_key)), table=lines))
    return 1 if any(row[4].outcome in ("wrong", "died") for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
