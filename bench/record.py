#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the flight recorder costs for a map write or read, next to the same program untouched and built with -race.

    bench/record.py                      1.9.7, 1.16.15, 1.22.12 and 1.26.8, five rounds each: two minutes
    bench/record.py 1.26.8 --rounds 15 --reads    recorded with --reads

Each round runs all three one after the other. Of each figure the lowest of all rounds is shown, each of them the lowest of
many short batches: what else the machine does can only add to it.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

from fixture import minor  # noqa: E402
from judge import mapfault_path  # noqa: E402
from toolchain import go_environment, toolchain_get  # noqa: E402


def build(version, folder, race):
    go = toolchain_get(version)
    env = go_environment(version, go, race)
    out = folder / ("race" if race else "plain")
    done = subprocess.run([str(go / "bin" / "go"), "build", *(["-race"] if race else []), "-o", str(out), "main.go"],
                          cwd=ROOT / "bench" / "record", env=env, text=True, capture_output=True)
    if done.returncode and not race:
        raise SystemExit(done.stderr)
    return None if done.returncode else out


def measure(command):
    out = subprocess.run(command, text=True, capture_output=True, check=True).stdout
    return {line.rsplit(": ", 1)[0]: float(line.rsplit(": ", 1)[1]) for line in out.splitlines()}


def bench(version, rounds, arguments):
    with tempfile.TemporaryDirectory() as name:
        plain, race = build(version, pathlib.Path(name), False), build(version, pathlib.Path(name), True)
        commands = {"untouched": [str(plain)], "recorded": [str(mapfault_path()), "record", "-q", *arguments, "--", str(plain)]}
        if race:
            commands["race"] = [str(race)]
        results = [{kind: measure(command) for kind, command in commands.items()} for _ in range(rounds)]
    print(f"\n| Go {version}: ns a write or read | untouched | recorded | more | -race, more |\n|---|---|---|---|---|")
    for what in results[0]["untouched"]:
        lowest = {kind: min(r[kind][what] for r in results) for kind in commands}
        slow = f"{lowest['race'] - lowest['untouched']:+.0f}" if race else "not built"
        print(f"| {what} | {lowest['untouched']:.1f} | {lowest['recorded']:.1f} | "
              f"{lowest['recorded'] - lowest['untouched']:+.1f} | {slow} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("versions", nargs="*", default=["1.9.7", "1.16.15", "1.22.12", "1.26.8"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--reads", action="store_true")
    options = parser.parse_args()
    for version in sorted(options.versions, key=minor):
        bench(version, options.rounds, ["--reads"] if options.reads else [])


if __name__ == "__main__":
    main()
