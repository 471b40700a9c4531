#!/usr/bin/env python3
"""Holds the code to src/rooms.txt: a room includes only the rooms its line names (and itself), and so does a shelf of a room."""
import argparse
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent / "src"
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)


def read_rules():
    rules = {}
    for line in (ROOT / "rooms.txt").read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            room, _, allowed = line.partition(":")
            rules[room.strip()] = set(allowed.split()) | {room.strip().split("/")[-1]}
    return rules


def check_file(path, rules):
    room, *shelf = path.relative_to(ROOT).parts[:-1]
    for target in INCLUDE.findall(path.read_text()):
        other, *other_shelf = target.split("/")[:-1] or [None]
        if not other:
            yield f'{path}: "{target}" does not name its room'
        elif room not in rules or other not in rules[room]:
            yield f'{path}: {room} may not include {other} ("{target}")'
        elif room == other and shelf and f"{room}/{shelf[0]}" in rules:
            if not set(other_shelf) <= rules[f"{room}/{shelf[0]}"]:
                yield f'{path}: {room}/{shelf[0]} may not include {"/".join([other, *other_shelf])} ("{target}")'


def main():
    argparse.ArgumentParser(description=__doc__).parse_args()
    rules = read_rules()
    files = [p for p in sorted(ROOT.rglob("*")) if p.suffix in {".c", ".h"}]
    faults = [fault for path in files for fault in check_file(path, rules)]
    print("\n".join(faults) if faults else f"{len(files)} files keep to src/rooms.txt")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
