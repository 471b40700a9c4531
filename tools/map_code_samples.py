#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tests/unit/record/map_code_samples.txt: machine code of map functions from real toolchains.

    tools/map_code_samples.py            every release of tools/go_versions.txt

Each sample is one function of tests/fixtures/map_calls, with what its code refers to. How often it
gives up is counted in the toolchain's own source, by hand written there as `fatal("concurrent map ...")`,
and not taken from the code.
"""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

from fixture import minor, versions_read  # noqa: E402
from tool import tool_run  # noqa: E402
from toolchain import go_environment, toolchain_get  # noqa: E402

OUT = ROOT / "tests" / "unit" / "record" / "map_code_samples.txt"
MESSAGE = b"concurrent map "


def functions_of(version):
    """Name in the binary, file and name in the source."""
    if minor(version) >= (1, 24):
        # a suffix of these two minors only: classic maps could still be chosen
        swiss = "_swiss" if minor(version) <= (1, 25) else ""
        maps = "internal/runtime/maps"
        return [("runtime.mapassign_fast64", f"{maps}/runtime_fast64{swiss}.go",
                 "runtime_mapassign_fast64"),
                (f"{maps}.(*Map).Delete", f"{maps}/map.go", "(m *Map) Delete")]
    if minor(version) >= (1, 11):
        return [("runtime.mapassign_fast64", "runtime/map_fast64.go", "mapassign_fast64"),
                ("runtime.mapdelete", "runtime/map.go", "mapdelete")]
    return [("runtime.mapassign_fast64", "runtime/hashmap_fast.go", "mapassign_fast64"),
            ("runtime.mapdelete", "runtime/hashmap.go", "mapdelete")]


def count_give_ups(folder, file, function):
    text = (folder / "src" / file).read_text()
    body = text[text.index(f"func {function}("):]
    body = body[:body.index("\n}\n")]
    return len(re.findall(r'(?:fatal|throw)\("concurrent map', body))


def segments(data):
    """(address, offset, size) of the program headers of type LOAD."""
    def number(at, size):
        return int.from_bytes(data[at:at + size], "little")
    for i in range(number(56, 2)):
        header = number(32, 8) + i * number(54, 2)
        if number(header, 4) == 1:
            yield number(header + 16, 8), number(header + 8, 8), number(header + 32, 8)


def read(data, address, size):
    for start, offset, length in segments(data):
        if start <= address < start + length:
            return data[offset + address - start:offset + address - start + size]
    return b""


def sample(version, program, name, give_ups):
    listing = subprocess.run(["objdump", "-d", "-w", program], text=True, capture_output=True,
                             check=True).stdout
    body = re.search(rf"^([0-9a-f]+) <{re.escape(name)}>:\n(.*?)(?:\n\n|\Z)", listing, re.M | re.S)
    start = int(body.group(1), 16)
    code = re.findall(r"^ *([0-9a-f]+):\t([0-9a-f ]+)\t(.*)$", body.group(2), re.M)
    end = int(code[-1][0], 16) + len(code[-1][1].split())
    data = pathlib.Path(program).read_bytes()
    refers = set()
    for _, _, text in code:
        if call := re.match(r"call +([0-9a-f]+) <(.*)>", text):
            refers.add(f"call {call.group(1)} {call.group(2)}")
        if (lea := re.search(r"lea .*# ([0-9a-f]+) ", text)) and \
                read(data, int(lea.group(1), 16), len(MESSAGE)) == MESSAGE:
            refers.add(f"message {lea.group(1)}")
    raw = read(data, start, end - start)
    while raw.endswith(b"\xcc"):
        raw = raw[:-1]
    lines = [f"function {minor(version)[1]} {name} {start:x} {give_ups}", *sorted(refers)]
    return lines + [f"code {raw[i:i + 48].hex()}" for i in range(0, len(raw), 48)]


def samples(version):
    folder = toolchain_get(version)
    with tempfile.TemporaryDirectory() as build:
        program = f"{build}/app"
        subprocess.run([str(folder / "bin" / "go"), "build", "-o", program, "."], check=True,
                       cwd=ROOT / "tests" / "fixtures" / "map_calls",
                       env=go_environment(version, folder, False))
        for name, file, function in functions_of(version):
            yield from sample(version, program, name, count_give_ups(folder, file, function))


def main():
    argparse.ArgumentParser(description=__doc__.split("\n\n")[0]).parse_args()
    lines = ["# Written by tools/map_code_samples.py; do not edit."]
    for version in versions_read():
        lines += samples(version)
    OUT.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    tool_run(main)
