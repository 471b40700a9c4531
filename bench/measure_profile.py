#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""CPU time and memory of programs that read one profile, run in turns: rows of a Markdown table."""

import argparse
import statistics

from measure import run_once


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    for name in "mapfault", "pprof", "profile", "app":
        parser.add_argument(name)
    options = parser.parse_args()
    jobs = {
        "mapfault growth PROFILE --json": [options.mapfault, "growth", options.profile, "--json"],
        "mapfault growth PROFILE APP --json": [options.mapfault, "growth", options.profile, options.app, "--json"],
        "go tool pprof -raw": [options.pprof, "-symbolize=none", "-raw", options.profile],
    }
    runs = {name: [] for name in jobs}
    for number in range(options.rounds + 1):
        for name, command in jobs.items():
            measured = run_once(command, "")
            if number:  # the first round brings the files into the page cache
                runs[name].append(measured)
    print("| what | CPU, least | CPU, median | memory |\n|---|---|---|---|")
    for name, measured in runs.items():
        seconds = [cpu for cpu, _ in measured]
        print(f"| `{name}` | {min(seconds):.3f} s | {statistics.median(seconds):.3f} s | "
              f"{max(mib for _, mib in measured):.0f} MiB |", flush=True)


if __name__ == "__main__":
    main()
