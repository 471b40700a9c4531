# SPDX-License-Identifier: Apache-2.0
"""Map operations as `mapfault sites` reads them from machine code, against `go tool objdump`.

Every CALL of, and jump to, one of the runtime's map functions outside the runtime: same address and
same function, in both directions.

MAPFAULT_FULL=1 takes every Go version. MAPFAULT names the program (default: build/mapfault).
"""

import json
import os
import pathlib
import re
import subprocess
import types

import pytest

from fixture import ROOT, minor, versions_read
from toolchain import go_environment, program_build, toolchain_get

FULL = int(os.environ.get("MAPFAULT_FULL", "0"))
CHOSEN = {(1, 12), (1, 18), (1, 24), (1, 27)}
MAPFAULT = pathlib.Path(os.environ.get("MAPFAULT", ROOT / "build" / "mapfault"))
TABLES = types.SimpleNamespace(name="tables", folder=ROOT / "tests" / "agreement" / "tables",
                               cgo=False, is_module=False)
CALLED = re.compile(r"runtime\.(map(access|assign|delete|iterinit|iternext|IterStart|IterNext|clear)"
                    r"\w*|makemap\w*)$")
TRANSFER = re.compile(r"\s0x([0-9a-f]+)\s+[0-9a-f]+\s+(?:CALL|JMP) (\S+)\(SB\)")
OWN = ("runtime.", "internal/runtime/", "reflect.map", "maps.")


def run(command, env=None):
    return subprocess.run([str(c) for c in command], check=True, text=True, env=env,
                          errors="surrogateescape", stdout=subprocess.PIPE).stdout


def disassembled(program, version):
    """Address and callee of each transfer to a map function outside the runtime."""
    folder = toolchain_get(version)
    text = run([folder / "bin" / "go", "tool", "objdump", program],
               go_environment(version, folder, False))
    found, function = {}, ""
    for line in text.splitlines():
        if line.startswith("TEXT "):
            function = line.split(" ", 1)[1].rsplit("(SB)", 1)[0]
        match = TRANSFER.search(line)
        if match and CALLED.match(match.group(2)) and not function.startswith(OWN):
            found[int(match.group(1), 16)] = match.group(2)
    return found


def listed(program):
    sites = json.loads(run([MAPFAULT, "sites", "--system", "--json", program]))["sites"]
    return {int(site["pc"], 16): site for site in sites if CALLED.match(site["calls"])}


@pytest.mark.parametrize("arch", ["amd64", "arm64"])
@pytest.mark.parametrize("version", [v for v in versions_read() if FULL or minor(v) in CHOSEN])
def test_objdump(version, arch):
    program = program_build(TABLES, version, **({} if arch == "amd64" else {"GOARCH": arch}))
    theirs, ours = disassembled(program, version), listed(program)
    assert len(theirs) > 50
    missing = [(hex(pc), name) for pc, name in theirs.items()
               if pc not in ours or ours[pc]["calls"] != name]
    assert missing == []
    extra = [site for pc, site in ours.items()
             if pc not in theirs and not site["function"].startswith(OWN)]
    assert extra == []


@pytest.mark.parametrize("version", [v for v in versions_read() if FULL or minor(v) in CHOSEN])
def test_types(version):
    """The type of the map is known for nine calls in ten at least; generic code may not tell."""
    sites = [site for site in listed(program_build(TABLES, version)).values()
             if not site["calls"].startswith("runtime.makemap")]
    typed = [site for site in sites if site["type"]]
    assert len(typed) > 0.9 * len(sites)
