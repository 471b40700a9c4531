#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Go's own tests under the flight recorder: does each of them end as it does without?

    tools/recorder_std.py                                  all Go versions: an hour or two
    tools/recorder_std.py --versions 1.16.15,1.26.8 --packages sync,encoding/json
    tools/recorder_std.py --write docs/RECORDER.md         write the table from the results so far

Each package's test program is built from the toolchain's own sources and run untouched and recorded (with --allocs and --reads). A test
that ends in another way is tried three times more, alone, both ways: some of Go's tests depend on time. Only what differs
then counts. Exit status 1 when anything does. Results are added to a file of JSON lines (--results); a later one of the same
version and package replaces it.
"""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

from choice import the_versions, versions_chosen, words_of  # noqa: E402
from fixture import minor, version_key, versions_read  # noqa: E402
from judge import mapfault_path  # noqa: E402
from page import page_add, part_replace, table  # noqa: E402
from results import Results  # noqa: E402
from tool import tool_run  # noqa: E402
from toolchain import go_environment, toolchain_get  # noqa: E402

# package: (first Go version that has it, tests)
PACKAGES = {"maps": ((1, 21), ""), "internal/runtime/maps": ((1, 24), ""), "sync": ((1, 9), ""), "runtime": ((1, 9), "Map"),
            "encoding/json": ((1, 9), ""), "net/http": ((1, 9), "")}
SECONDS = 600
AGAIN = 3
HEAD = ["Go", "package", "tests", "that end in another way"]


def environment(version, go):
    """As `go test` in GOROOT has it: outside of the module std, the newer ones take themselves for an old release."""
    return {**go_environment(version, go, False), "GO111MODULE": "on" if minor(version) >= (1, 21) else "off"}


def build(version, package, folder):
    go = toolchain_get(version)
    program = folder / "test"
    done = subprocess.run([str(go / "bin" / "go"), "test", "-c", "-o", str(program), package], text=True, capture_output=True,
                          cwd=go / "src" / package, env=environment(version, go))
    return (program if done.returncode == 0 and program.exists() else None), done.stderr


def run(program, package, version, tests, recorded):
    """How each test ended: {"TestName": "PASS" | "FAIL" | "SKIP"}, and the whole program under ""."""
    go = toolchain_get(version)
    recorder = [str(mapfault_path()), "record", "-q", "--allocs", "--reads", "--"] if recorded else []
    try:
        done = subprocess.run([*recorder, str(program), "-test.v", "-test.short", f"-test.run={tests}"], text=True,
                              capture_output=True, errors="replace", timeout=SECONDS, cwd=go / "src" / package,
                              env=environment(version, go))
    except subprocess.TimeoutExpired:
        return {"": "time is up"}
    ends = dict((name, end) for end, name in re.findall(r"^\s*--- (PASS|FAIL|SKIP): (\S+)", done.stdout, flags=re.M))
    return {**ends, "": f"exit {done.returncode}"}


def differing(plain, recorded):
    return sorted(name for name in plain.keys() | recorded.keys() if plain.get(name) != recorded.get(name))


def still_differs(program, package, version, name):
    """A test that fails now and then untouched as well, or passes now and then recorded as well, does not differ."""
    top = name.split("/")[0]
    tests = f"^{top}$" if name else PACKAGES[package][1]
    ends = [{run(program, package, version, tests, kind).get(name) for _ in range(AGAIN)} for kind in (False, True)]
    return not ends[0] & ends[1]


def compare(version, package):
    """{"version", "package", "tests": how many, "odd": those that end in another way}; None when it cannot be had."""
    since, tests = PACKAGES[package]
    if minor(version) < since:
        return None
    with tempfile.TemporaryDirectory() as folder:
        program, words = build(version, package, pathlib.Path(folder))
        if not program:
            print(f"{version} {package}: not built: {words.strip().splitlines()[-1:]}", flush=True)
            return None
        plain = run(program, package, version, tests, False)
        recorded = run(program, package, version, tests, True)
        odd = differing(plain, recorded)
        names = [name for name in odd if name and still_differs(program, package, version, name)]
        if odd == [""] and still_differs(program, package, version, ""):
            names = ["the exit status"]
    return {"version": version, "package": package, "tests": len(plain) - 1, "odd": names}


def row_key(row):
    return version_key(row["version"]), row["package"]


def line_of(row):
    return [row["version"], row["package"], str(row["tests"]), ", ".join(row["odd"]) or "none"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--versions", default=",".join(versions_read()), type=the_versions)
    parser.add_argument("--packages", default=",".join(PACKAGES),
                        type=words_of(lambda: PACKAGES, ", ".join(PACKAGES), False))
    parser.add_argument("--results", type=pathlib.Path, default=ROOT / "build" / "recorder_std.jsonl")
    page_add(parser, "std")
    options = parser.parse_args()
    results = Results(options.results, row_key)
    if options.write:
        part_replace(options.write, "std", table([HEAD, *(line_of(results.rows[key]) for key in sorted(results.rows))]))
        return
    odd = False
    for version in versions_chosen(options):
        for package in options.packages.split(","):
            row = compare(version, package)
            if row:
                odd |= bool(row["odd"])
                print("  ".join(line_of(row)), flush=True)
                results.add(row)
    return odd


if __name__ == "__main__":
    tool_run(main)
