#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads generated goroutine dumps with mapfault and, in turns, with panicparse (its program `pp`, and its `stack` package alone);
prints a table.

    bench/dump.py [ROUNDS]     needs 1.6 GB in TMPDIR, the go command, and the module proxy for panicparse
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
BUILD = HERE.parent / "build"
PEER = "github.com/maruel/panicparse/v2/cmd/pp@v2.5.0"
SIZES = ((1_000_000, 100_000, False), (20_000, 2_000, True))  # goroutines, distinct stacks, panicparse too


def measure(command, source):
    """CPU seconds, wall seconds and MiB of one run."""
    started = time.monotonic()
    with open(source, "rb") as stdin:
        process = subprocess.Popen(command, stdin=stdin, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0, command
    return usage.ru_utime + usage.ru_stime, time.monotonic() - started, usage.ru_maxrss / 1024


def rows(dump, label, commands, rounds):
    runs = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            runs[name].append(measure(command, dump))
    size = dump.stat().st_size / 1e9
    for name, found in runs.items():
        cpu = sorted(run[0] for run in found)
        print(f"| {label} | {size:.2f} GB | {name} | {cpu[0]:.2f} s | {cpu[len(cpu) // 2]:.2f} s | "
              f"{size / cpu[0]:.4g} GB/s | {max(run[2] for run in found):.0f} MiB |", flush=True)


def main(rounds=3):
    subprocess.run(["ninja", "-C", BUILD, "--quiet", "mapfault", "bench/dump_generate"], check=True)
    print("| goroutines / stacks | text | what | CPU, least | CPU, median | speed | memory |\n"
          "|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        peer = folder / "stack"
        subprocess.run(["go", "install", PEER], check=True, env={**os.environ, "GOBIN": str(folder)})
        subprocess.run(["go", "build", "-o", peer, "."], check=True, cwd=HERE.parent / "tests/agreement/panicparse")
        for goroutines, stacks, with_peer in SIZES:
            dump = folder / "dump.txt"
            with open(dump, "wb") as out:
                subprocess.run([BUILD / "bench/dump_generate", str(goroutines), str(stacks)], stdout=out, check=True)
            mapfault = str(BUILD / "mapfault")
            commands = {"`mapfault goroutine 77 -` (reading)": [mapfault, "goroutine", "77", "-"],
                        "`mapfault goroutines -` (reading, all stacks written)": [mapfault, "goroutines", "-"]}
            if with_peer:
                commands["panicparse's `stack` package (reading)"] = [str(peer), "-count"]
                commands["panicparse's `pp` (all stacks written)"] = [str(folder / "pp")]
            rows(dump, f"{goroutines:,} / {stacks:,}", commands, rounds)
            dump.unlink()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
