#!/usr/bin/env python3
"""Holds C files to the sizes of the house: functions of at most 60 lines, files of at most 800."""
import argparse
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FUNCTION_LINES = 60
FILE_LINES = 800
# Strings, character constants and comments: braces in them open nothing.
OPAQUE = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|//[^\n]*|/\*.*?\*/', re.S)


def blank(match):
    return "\n" * match.group().count("\n")


def functions(text):
    """Yields first line and length of each body at the outermost level that follows a parenthesis."""
    lines = OPAQUE.sub(blank, text).split("\n")
    depth, start, before = 0, None, ""
    for number, line in enumerate(lines, 1):
        for char in line:
            if char == "{":
                if depth == 0 and before == ")":
                    start = number
                depth += 1
            elif char == "}":
                depth -= 1
                if depth == 0 and start:
                    yield start, number - start + 1
                    start = None
            if not char.isspace():
                before = char


def faults(path):
    text = path.read_text()
    name = path.relative_to(ROOT)
    count = text.count("\n")
    if count > FILE_LINES:
        yield f"{name}: {count} lines, more than {FILE_LINES}"
    for start, length in functions(text):
        if length > FUNCTION_LINES:
            yield f"{name}:{start}: a function of {length} lines, more than {FUNCTION_LINES}"


def main():
    argparse.ArgumentParser(description=__doc__).parse_args()
    listed = subprocess.run(["git", "ls-files", "src/*.[ch]", "tests/*.[ch]", "bench/*.[ch]"], cwd=ROOT,
                            check=True, capture_output=True, text=True).stdout.split()
    files = [ROOT / name for name in listed if (ROOT / name).exists()]
    found = [fault for path in files for fault in faults(path)]
    print("\n".join(found) if found else f"{len(files)} files and their functions are small enough")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
