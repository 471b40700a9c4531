# SPDX-License-Identifier: Apache-2.0
"""Does the race detector agree with a fixture's header?

A program built with `go build -race` reports both sides of every race it sees, with the address. This
is a truth that neither the fixture's author nor mapfault had a hand in.
"""

import dataclasses
import os
import re
import subprocess
import tempfile
import time

from crashtext import Frame, frame_function, is_runtime
from fixture import plain_name
from judge import racer_is
from run import truth_read
from toolchain import program_build

SIDE = re.compile(r"^(?:Previous )?([Rr]ead|[Ww]rite) at 0x([0-9a-f]+) by ")
PLACE = re.compile(r"^      (.+):(\d+) \+0x[0-9a-f]+$")
BORDER = "=================="
SETTLE_SECONDS = 1.5  # more reports may follow the first one


@dataclasses.dataclass
class Access:
    """One side of a report: what it did to which address, and its innermost frame outside the runtime.
    What is no map operation, such as len, never trips the runtime's check."""
    operation: str
    address: int
    frame: Frame = None
    by_runtime: bool = False


def report_parse(lines):
    """The two accesses; who made the goroutines comes after them and is not read."""
    accesses, name = [], None
    for line in lines:
        side, place = SIDE.match(line), PLACE.match(line)
        if side:
            accesses.append(Access(side.group(1).lower(), int(side.group(2), 16)))
        elif line.startswith("Goroutine "):
            break
        elif place and name and accesses and accesses[-1].frame is None:
            frame = Frame(plain_name(name), place.group(1), int(place.group(2)), False)
            if is_runtime(frame):
                accesses[-1].by_runtime = True
            else:
                accesses[-1].frame = frame
        else:
            found = frame_function(line.strip())
            name = found[0] if found else None
    return accesses


def reports_parse(text):
    """Every whole report: the lines between two borders that begin with a warning."""
    for part in text.split(BORDER + "\n"):
        if part.startswith("WARNING: DATA RACE"):
            accesses = report_parse(part.splitlines())
            if len(accesses) == 2 and all(a.frame and a.by_runtime for a in accesses):
                yield accesses


def race_text(fixture, version):
    """What the program says on stderr, built with the race detector; it leaves no core."""
    app = program_build(fixture, version, "race")
    env = {k: v for k, v in os.environ.items() if not k.startswith("GO")}
    env.update(GORACE="halt_on_error=0", GOTRACEBACK="none", **fixture.env)
    with tempfile.TemporaryDirectory(prefix="mapfault-race-") as folder, \
            tempfile.TemporaryFile("w+", errors="replace") as err:
        process = subprocess.Popen(["sh", "-c", 'ulimit -c 0; exec "$0"', str(app)], cwd=folder, env=env,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=err)
        end = time.monotonic() + fixture.seconds + 20
        while process.poll() is None and time.monotonic() < end:
            time.sleep(SETTLE_SECONDS)
            err.seek(0)
            if header_check(fixture, version, err.read()) is not None:
                time.sleep(SETTLE_SECONDS)
                break
        process.kill()
        process.wait()
        err.seek(0)
        return err.read()


def header_check(fixture, version, text):
    """None: no race on the map was reported. Otherwise the sites that the header does not name."""
    address, _, text = truth_read(text)
    seen, foreign = False, set()
    for accesses in reports_parse(text):
        if accesses[0].address != address:
            continue
        seen = True
        for access in accesses:
            role = "writer" if access.operation == "write" else "reader"
            frame = access.frame
            side = {"site": {"function": frame.function, "file": frame.file, "line": frame.line}}
            if not any(racer_is(racer, side, version) for racer in fixture.racers
                       if role == "reader" or racer.role == "writer"):
                foreign.add(f"{role} {frame.function} {os.path.basename(frame.file)}:{frame.line}")
    return sorted(foreign) if seen else None
