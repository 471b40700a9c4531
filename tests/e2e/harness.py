# SPDX-License-Identifier: Apache-2.0
"""Builds, crashes and judges fixtures: `with crash_of(fixture, version, variant) as crash`.

fixture.py reads what a fixture states, toolchain.py builds it, run.py lets it die, crashtext.py
reads the runtime's words, judge.py compares. Run as a program it lists what the fixtures do:
    python3 tests/e2e/harness.py FIXTURE[,FIXTURE] VERSION[,VERSION] [VARIANT] [KEEP_FOLDER]
"""

import contextlib
import pathlib
import shutil
import sys

from fixture import fixture_named, fixtures_read
from judge import crash_is_as_stated
from run import CrashFolder, program_crash
from toolchain import BuildError, program_build

ATTEMPTS = 3


@contextlib.contextmanager
def crash_of(fixture, version, variant="default", gotraceback="crash"):
    """One crash as stated, within ATTEMPTS runs; its files are deleted afterwards."""
    app = program_build(fixture, version, variant)
    for attempt in range(ATTEMPTS):
        with CrashFolder() as folder:
            crash = program_crash(fixture, app, folder, gotraceback, version)
            if not crash_is_as_stated(fixture, crash) or attempt == ATTEMPTS - 1:
                yield crash
                return


def crash_keep(crash, folder):
    """Copy a crash where a person can look at it."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(crash.app, folder / "app")
    if crash.core:
        shutil.move(str(crash.core), folder / "core")
        crash.core = folder / "core"
    (folder / "crash.txt").write_text(crash.text)


def crash_describe(fixture, version, variant, keep):
    """One line: does the program die as its header says?"""
    try:
        app = program_build(fixture, version, variant)
    except BuildError as error:
        return f"BUILD {error}"
    with CrashFolder() as folder:
        crash = program_crash(fixture, app, folder, version=version)
        words = crash_is_as_stated(fixture, crash) or "as stated"
        if keep and words == "as stated":
            crash_keep(crash, pathlib.Path(keep) / f"{fixture.name}-{version}")
        return words


def main(names, versions, variant="default", keep=None):
    chosen = fixtures_read() if names == "all" else [fixture_named(n) for n in names.split(",")]
    bad = 0
    for fixture in chosen:
        for version in versions.split(","):
            if not fixture.runs_on(version):
                continue
            words = crash_describe(fixture, version, variant, keep)
            bad += words != "as stated"
            print(f"{fixture.name:24} {version:8} {variant:12} {words}", flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
