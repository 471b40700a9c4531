#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""CPU time and memory of programs that read one core, run in turns: rows of a Markdown table."""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile


def run_once(command, commands_in):
    """User and system seconds and peak MiB of one run."""
    with tempfile.TemporaryFile("w+") as given, open(os.devnull, "w") as nowhere:
        given.write(commands_in)
        given.seek(0)
        process = subprocess.Popen(command, stdin=given, stdout=nowhere, stderr=nowhere)
        _, status, usage = os.wait4(process.pid, 0)
    code = os.waitstatus_to_exitcode(status)
    if code not in (0, 1, 4):
        sys.exit(f"{' '.join(command)}: status {code}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def jobs_of(mapfault, core, app):
    """What is measured: name, command, what it is told on its standard input."""
    yield "mapfault CORE APP --json", [mapfault, core, app, "--json"], ""
    yield ("mapfault goroutines --all --json",
           [mapfault, "goroutines", "--all", "--json", core, app], "")
    dlv = shutil.which("dlv")
    if dlv:
        yield ("Delve, goroutines -t",
               [dlv, "core", app, core, "--allow-non-terminal-interactive",
                "--check-go-version=false"], "goroutines -t\nexit\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--mapfault", required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--label", required=True, help="first cells of each row")
    parser.add_argument("core")
    parser.add_argument("app")
    options = parser.parse_args()
    jobs = list(jobs_of(options.mapfault, options.core, options.app))
    runs = {name: [] for name, _, _ in jobs}
    for number in range(options.rounds + 1):
        for name, command, told in jobs:
            if name.startswith("Delve") and number not in (1, 2):
                continue  # a minute each on the largest core
            measured = run_once(command, told)
            if number:  # the first round brings the core into the page cache
                runs[name].append(measured)
    size = os.path.getsize(options.core) / 2 ** 30
    for name, measured in runs.items():
        seconds = [cpu for cpu, _ in measured]
        print(f"| {options.label} | {size:.1f} GiB | `{name}` | {min(seconds):.2f} s | "
              f"{statistics.median(seconds):.2f} s | {max(mib for _, mib in measured):.0f} MiB |",
              flush=True)


if __name__ == "__main__":
    main()
