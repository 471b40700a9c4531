# SPDX-License-Identifier: Apache-2.0
"""Functions, lines, inlined frames and types as read from a binary, against Go's own word.

`go tool addr2line` for 100,000 random PCs of two large programs; for a program of each Go version,
runtime.CallersFrames and reflect inside that program.

MAPFAULT_FULL=1 takes every Go version. MAPFAULT_BUILD names the build folder (default: build).
"""

import os
import pathlib
import random
import subprocess
import types

import pytest

from fixture import ROOT, minor, versions_read
from toolchain import go_environment, program_build, toolchain_get

FULL = int(os.environ.get("MAPFAULT_FULL", "0"))
SPREAD = {(1, 9), (1, 12), (1, 16), (1, 18), (1, 22), (1, 27)}
LARGE = {(1, 12), (1, 17), (1, 19), (1, 25)}
PCS = 100000
TOOLS = pathlib.Path(os.environ.get("MAPFAULT_BUILD", ROOT / "build")) / "tests" / "agreement"
TABLES = types.SimpleNamespace(name="tables", folder=ROOT / "tests" / "agreement" / "tables",
                               cgo=False, is_module=False)


def versions_chosen(spread):
    return [v for v in versions_read() if FULL or minor(v) in spread]


def run(command, text="", env=None):
    return subprocess.run([str(c) for c in command], input=text, check=True, text=True, env=env,
                          errors="surrogateescape", stdout=subprocess.PIPE).stdout


def random_pcs(program, count):
    lines = run([TOOLS / "pclines", "-f", program]).splitlines()
    low, high = int(lines[0].split()[0], 16), int(lines[-1].split()[0], 16)
    chosen = random.Random(1)
    return [chosen.randrange(low, high) for _ in range(count)]


def as_text(pcs):
    return "".join(f"{pc:#x}\n" for pc in pcs)


def no_line(text):
    """addr2line's several ways to say that a position has no file: "?:0", ":-1", ":-7"."""
    return text.startswith(("?:", ":"))


def positions_differ(ours, theirs):
    """A C function has no line table; addr2line then reads what stands at offset 0, the runtime does not."""
    return ours[0] != theirs[0] or (ours[1] != theirs[1] and not no_line(ours[1]))


@pytest.mark.parametrize("program", ["bin/go", "pkg/tool/linux_amd64/compile"])
@pytest.mark.parametrize("version", versions_chosen(LARGE))
def test_addr2line(version, program):
    folder = toolchain_get(version)
    path = folder / program
    if not path.exists():
        pytest.skip(f"the toolchain has no {program}")
    pcs = as_text(random_pcs(path, PCS))
    ours = run([TOOLS / "pclines", path], pcs).splitlines()
    theirs = run([folder / "bin" / "go", "tool", "addr2line", path], pcs,
                 go_environment(version, folder, False)).splitlines()
    assert len(ours) == len(theirs) == 2 * PCS
    assert sum(map(no_line, ours[1::2])) < 0.15 * PCS
    pairs = zip(zip(ours[::2], ours[1::2]), zip(theirs[::2], theirs[1::2]))
    assert [pair for pair in pairs if positions_differ(*pair)][:5] == []


def expansions(program, pcs):
    """For each PC, the frames that it stands for: "function file:line"."""
    blocks = run([TOOLS / "pclines", "-i", program], as_text(pcs)).split("--\n")[:-1]
    return [block.splitlines() for block in blocks]


def pcs_in_code(program, pcs):
    """Without the padding between functions: older runtimes give up the whole program over it."""
    kept = [pc for pc, ours in zip(pcs, expansions(program, pcs))
            if ours and not ours[0].endswith(" :0")
            and "skipPleaseUseCallersFrames" not in ours[0]]  # a PC there means a count to the runtime
    assert len(kept) > 0.9 * len(pcs)
    return kept


@pytest.mark.parametrize("version", versions_chosen(SPREAD))
def test_runtime(version):
    program = program_build(TABLES, version)
    pcs = pcs_in_code(program, random_pcs(program, 20000))
    told = run([program], as_text(pcs)).splitlines()
    check_positions(program, pcs, [line[3:] for line in told if line.startswith("at ")])
    stack = [line.split(" ", 2)[1:] for line in told if line.startswith("stack ")]
    assert check_stack(program, stack) >= (2 if minor(version) >= (1, 12) else 0)
    check_types(program, {line for line in told if line.startswith(("type ", "map ", "field "))})


def elided(line):
    """Type arguments as the runtime prints them, to 1.26 and from 1.27 on."""
    name, place = line.split(" ", 1) if "[" not in line else line.rsplit(" ", 1)
    depth, groups = 0, ""
    for c in name:
        depth -= c == "]"
        groups += c if depth == 0 else ""
        depth += c == "["
    groups = groups.replace("[]", "[...]")
    whole = name[:name.find("[")] + "[...]" + name[name.rfind("]") + 1:] if "[" in name else name
    # The runtime takes the very first name of the table for none.
    return {line, f"{groups} {place}", f"{whole} {place}", f" {place}"}


def check_positions(program, pcs, told):
    """The innermost frame of a PC anywhere in the program."""
    assert len(told) == len(pcs)
    starts = {int(line.split()[0], 16) for line in run([TOOLS / "pclines", "-f", program]).splitlines()}
    wrong = []
    for pc, line, ours in zip(pcs, told, expansions(program, pcs)):
        # The runtime takes a return address that begins a function for that function's own.
        if pc + 1 not in starts and line.split(" ", 1)[1] not in elided(ours[0]):
            wrong.append((line, ours))
    assert wrong[:5] == []


def check_stack(program, frames):
    """A real stack: each physical frame opens up into the logical ones, in order. Counts inlined ones."""
    at = inlined = 0
    while at < len(frames):
        ours = expansions(program, [int(frames[at][0], 16)])[0]
        assert ours == [frame[1] for frame in frames[at:at + len(ours)]]
        at += len(ours)
        inlined += len(ours) - 1
    return inlined


def check_types(program, told):
    """reflect's own words, but for names of a type without a package, which it leaves to others."""
    read = set(run([TOOLS / "typelist", program]).splitlines())
    short = {tuple(line.split(" | ")[::2]) for line in read if line.startswith("type ")}
    wrong = []
    for line in told - read:
        if not line.startswith("type ") or " |  | " not in line or tuple(
                line.split(" | ")[::2]) not in short:
            wrong.append(line)
    assert len(told) > 300
    assert sorted(wrong)[:5] == []
