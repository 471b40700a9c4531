# SPDX-License-Identifier: Apache-2.0
"""Maps as the program itself iterates them, against maps as read from its core.

tests/fixtures/mapdump fills about 320 maps a run (17 kinds of key and element; empty, small, in the middle
of growth, mostly deleted, growing to the same size) and prints the count and a digest of each before it
dies; tests/agreement/mapdump.c reads the same maps with the product's readers.

MAPFAULT_FULL=1 takes every Go version, MAPFAULT_FULL=2 adds maps of one and of ten million entries.
MAPFAULT_BUILD names the build folder that holds tests/agreement/mapdump (default: build).
"""

import os
import pathlib
import subprocess
import types

import pytest

from fixture import FIXTURES, ROOT, minor, versions_read
from run import CrashFolder, limits_set, machine_check
from toolchain import program_build

FULL = int(os.environ.get("MAPFAULT_FULL", "0"))
SPREAD = {(1, 9), (1, 13), (1, 22), (1, 27)}
RUN_SECONDS = 180

READER = pathlib.Path(os.environ.get("MAPFAULT_BUILD", ROOT / "build")) / "tests" / "agreement" / "mapdump"
FIXTURE = types.SimpleNamespace(name="mapdump", folder=FIXTURES / "mapdump", cgo=False,
                                is_module=False)


def versions_chosen():
    return [v for v in versions_read() if FULL or minor(v) in SPREAD]


def maps_run(app, folder, arguments):
    """What the program says of its maps; leaves folder/core."""
    machine_check(folder)
    done = subprocess.run([str(app), *arguments], cwd=folder, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, preexec_fn=limits_set, timeout=RUN_SECONDS)
    lines = done.stdout.decode().splitlines()
    assert lines and (folder / "core").exists()
    return lines


def maps_read(app, folder, lines):
    done = subprocess.run([str(READER), str(app), str(folder / "core")], text=True, check=True,
                          input="\n".join(lines) + "\n", stdout=subprocess.PIPE,
                          timeout=RUN_SECONDS)
    return done.stdout.splitlines()


def disagreements(told, read):
    """Pairs that differ in count or digest, or where the reader saw a problem in a sound map."""
    wrong = []
    for theirs, ours in zip(told, read):
        if (ours.split()[:6] != theirs.split() or " problems=0 " not in ours
                or " object=48,allocated" not in ours):
            wrong.append((theirs, ours))
    return wrong


@pytest.mark.parametrize("version", versions_chosen())
def test_contents(version):
    arguments = ["million", "ten-million"] if FULL >= 2 else []
    app = program_build(FIXTURE, version)
    with CrashFolder() as folder:
        told = maps_run(app, folder, arguments)
        read = maps_read(app, folder, told)
    assert len(read) == len(told) > 300
    assert not disagreements(told, read)[:5]
    if minor(version) < (1, 24):
        assert sum(" growing" in line for line in read) >= 50
