# SPDX-License-Identifier: Apache-2.0
"""Lets a fixture die under `mapfault run` or `mapfault attach`, and collects what both left."""

import json
import os
import pathlib
import re
import signal
import subprocess
import time

from judge import mapfault_path
from run import Crash, RUN_EXTRA_SECONDS, limits_set, truth_read

TIMES = re.compile(r"stood after (\d+) us, the verdict took ([0-9.]+) ms")
READY_SECONDS = 20


def environment(fixture):
    env = {k: v for k, v in os.environ.items() if not k.startswith("GO")}
    env.update(fixture.env)
    return env


def own_words(text):
    """What the program itself printed: without mapfault's notes."""
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith("mapfault:"))


def run_watched(fixture, app, folder, *options):
    """The crash, the report (None when there was none) and the two times, in microseconds and milliseconds."""
    report, err = folder / "report.json", folder / "stderr"
    with open(err, "wb") as stderr:
        done = subprocess.run(
            [str(mapfault_path()), "run", "--json", "-o", str(report), *options, "--", str(app)],
            cwd=folder, env=environment(fixture), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=stderr, preexec_fn=limits_set, timeout=fixture.seconds + RUN_EXTRA_SECONDS)
    text = err.read_text(errors="replace")
    address, goroutines, rest = truth_read(own_words(text))
    crash = Crash(pathlib.Path(app), None, rest, done.returncode, address, goroutines)
    found = json.loads(report.read_text()) if report.exists() else None
    times = TIMES.search(text)
    return crash, found, (float(times.group(1)), float(times.group(2))) if times else None


def wait_for(condition, seconds=READY_SECONDS):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.005)
    return False


def tracer_of(pid):
    try:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return int(re.search(r"^TracerPid:\s*(\d+)", status, re.M).group(1))


class Attached:
    """A `mapfault attach` of a running process, in a `with` block; ended with it."""

    def __init__(self, pid, folder, *options):
        self.pid, self.err = pid, folder / f"attach-{time.monotonic_ns()}"
        with open(self.err, "wb") as stderr:
            self.process = subprocess.Popen(
                [str(mapfault_path()), "attach", "-p", str(pid), *options], stderr=stderr,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, preexec_fn=os.setsid)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(20)

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(20)
