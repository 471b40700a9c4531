# SPDX-License-Identifier: Apache-2.0
"""Builds and runs what `mapfault repro` wrote, and reads what Go itself says of it.

The generated main.go marks its two operations with comments; the runtime's crash text and the race detector
name lines. Nothing here asks mapfault.
"""

import dataclasses
import hashlib
import os
import pathlib
import re
import subprocess
import tempfile
import time

from crashtext import detector_of
from fixture import MAP_KINDS, minor
from racetext import reports_parse
from toolchain import go_environment, toolchain_get

BUILD_SECONDS = 600
CRASH_SECONDS = 30
RUN_EXTRA_SECONDS = 20
LOAD_EXTRA_SECONDS = 120  # a busy machine stops a program's clock, not its work
MARK = re.compile(r"// the (detector's|other side's) operation$|// the operation of (both) sides$")
LOOP = re.compile(r"\s*for k := range ")  # how a map is cleared without the builtin: two lines


class NotBuilt(Exception):
    """The compiler refused the program; its words."""


def environment(version, race=False):
    env = go_environment(version, toolchain_get(version), cgo=race)
    if minor(version) >= (1, 11):
        env["GO111MODULE"] = "on"
    return env


def build(folder, version, *flags, program="app"):
    """The program of the package in `folder`, built there with exactly this release."""
    go = toolchain_get(version) / "bin" / "go"
    done = subprocess.run([str(go), "build", *flags, "-o", str(program), "."], cwd=folder, text=True,
                          env=environment(version, "-race" in flags), timeout=BUILD_SECONDS,
                          capture_output=True)
    if done.returncode != 0:
        raise NotBuilt((done.stdout + done.stderr)[-2000:])
    return pathlib.Path(folder) / program


def code_key(path, version):
    """A program without the comment that opens it: reports that differ in words come to the same program."""
    code = path.read_text()
    return hashlib.sha256(f"{version}\n{code[code.index('package main'):]}".encode()).hexdigest()[:20]


def sites_read(folder):
    """The lines of each of the two operations."""
    sites = {}
    for number, line in enumerate((folder / "main.go").read_text().splitlines(), 1):
        found = MARK.search(line)
        if not found or line.startswith("//"):
            continue
        lines = {number, number + 1} if LOOP.match(line) else {number}
        if found.group(2):
            return [lines, lines]
        sites[found.group(1)] = lines
    return [sites["detector's"], sites["other side's"]]


@dataclasses.dataclass
class Death:
    """A run without the race detector. `kind` is empty when the runtime noticed nothing."""
    kind: str
    seconds: float
    at_site: bool  # the runtime's own stack stands at one of the two operations
    text: str


def kind_of(text):
    for kind, words in MAP_KINDS.items():
        if f"fatal error: {words}\n" in text:
            return kind
    return ""


def line_within(frames):
    """The innermost line of the generated code: library code may stand between it and the runtime."""
    return next((frame.line for frame in frames if frame.file.endswith("/main.go")), 0)


def crash(program, sites, seconds=CRASH_SECONDS):
    began = time.monotonic()
    env = {k: v for k, v in os.environ.items() if not k.startswith("GO")}
    with tempfile.TemporaryDirectory(prefix="mapfault-again-") as folder:
        done = subprocess.run(["sh", "-c", 'ulimit -c 0; exec "$0" "$@"', str(program), f"-seconds={seconds}"],
                              cwd=folder, text=True, capture_output=True, errors="replace", env=env,
                              timeout=seconds + RUN_EXTRA_SECONDS)
    goroutine, _ = detector_of(done.stderr)
    return Death(kind_of(done.stderr), time.monotonic() - began,
                 line_within(goroutine.frames if goroutine else []) in sites[0] | sites[1], done.stderr[-3000:])


def races_read(text):
    """The innermost lines of main.go of each whole race report's two accesses."""
    return [[line_within(access.frames) for access in accesses] for accesses in reports_parse(text)]


def is_between(pair, sites):
    return (pair[0] in sites[0] and pair[1] in sites[1]) or (pair[0] in sites[1] and pair[1] in sites[0])


def race_run(program, seconds, enough):
    """stderr of one run under the race detector, which is ended once `enough` likes it."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("GO")}
    env.update(GORACE="halt_on_error=0", GOTRACEBACK="none")
    # Old race detectors find no room for their shadow memory where addresses are random.
    command = ["setarch", "-R", "sh", "-c", 'ulimit -c 0; exec "$0" "$@"', str(program), f"-seconds={seconds}"]
    with tempfile.TemporaryFile("w+", errors="replace") as err:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=err,
                                   env=env)
        end, text = time.monotonic() + seconds + RUN_EXTRA_SECONDS, ""
        while time.monotonic() < end and not enough(text):
            ended = process.poll() is not None
            time.sleep(0.2)
            err.seek(0)
            text = err.read()
            if ended:
                break
        process.kill()
        process.wait()
    return text


def race_names_both(program, sites, seconds=CRASH_SECONDS):
    """Whether the race detector reports a race between the two operations; the map fatal may come first."""
    end, races = time.monotonic() + seconds, []
    while time.monotonic() < end:
        text = race_run(program, max(1, int(end - time.monotonic())),
                        lambda so_far: any(is_between(pair, sites) for pair in races_read(so_far)))
        races += races_read(text)
        if any(is_between(pair, sites) for pair in races) or not kind_of(text):
            break
    return any(is_between(pair, sites) for pair in races), races


def load(program, seconds):
    """A fix under load: (races, crashed, words). Started with and without the race detector at once."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("GO")}
    try:
        done = subprocess.run(["setarch", "-R", str(program), f"-seconds={seconds}"], text=True, env=env,
                              capture_output=True, errors="replace", timeout=3 * seconds + LOAD_EXTRA_SECONDS)
    except subprocess.TimeoutExpired:
        return 0, True, "it did not end"
    races = done.stderr.count("WARNING: DATA RACE")
    quiet = "nanoseconds " in done.stdout and (done.returncode == 0 or races > 0)
    return races, not quiet, "" if quiet and not races else done.stderr[:2000]
