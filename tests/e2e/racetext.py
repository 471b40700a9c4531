# SPDX-License-Identifier: Apache-2.0
"""Does the race detector agree with a fixture's header?

A program built with `go build -race` reports both sides of every race it sees, with the address. This
is a truth that neither the fixture's author nor mapfault had a hand in.
"""

import dataclasses
import itertools
import os
import re
import subprocess
import tempfile
import time

from crashtext import Frame, frame_function, is_runtime
from fixture import plain_name
from judge import racer_is
from toolchain import program_build

SIDE = re.compile(r"^(?:Previous )?([Rr]ead|[Ww]rite) at 0x([0-9a-f]+) by ")
PLACE = re.compile(r"^      (.+):(\d+) \+0x[0-9a-f]+$")
BORDER = "=================="
ATTEMPTS = 5
SETTLE_SECONDS = 1.5  # more reports may follow the first one


@dataclasses.dataclass
class Access:
    """One side of a report: what it did to which address, and its frames, innermost first."""
    operation: str
    address: int
    frames: list = dataclasses.field(default_factory=list)

    @property
    def frame(self):
        """The innermost outside the runtime."""
        return next((frame for frame in self.frames if not is_runtime(frame)), None)

    @property
    def runtime_frames(self):
        return list(itertools.takewhile(is_runtime, self.frames))

    @property
    def is_operation(self):
        """What is no map operation, such as len, is the function's own read, and never trips the runtime's check."""
        return bool(self.frame and self.runtime_frames)

    @property
    def lost(self):
        """Where one map function calls another one, the detector leaves out the frame that called them."""
        return any(frame.function.startswith("runtime.map") for frame in self.runtime_frames[1:])


def report_parse(lines):
    """The two accesses; who made the goroutines comes after them and is not read."""
    accesses, name = [], None
    for line in lines:
        side, place = SIDE.match(line), PLACE.match(line)
        if side:
            accesses.append(Access(side.group(1).lower(), int(side.group(2), 16)))
        elif line.startswith("Goroutine "):
            break
        elif place and name and accesses:
            accesses[-1].frames.append(Frame(plain_name(name), place.group(1), int(place.group(2)), False))
        else:
            found = frame_function(line.strip())
            name = found[0] if found else None
    return accesses


def reports_parse(text):
    """Every whole report: the lines between two borders that begin with a warning."""
    for part in text.split(BORDER + "\n"):
        if part.startswith("WARNING: DATA RACE"):
            accesses = report_parse(part.splitlines())
            if len(accesses) == 2:
                yield accesses


def races_of_maps(text):
    """The reports in which both sides are map operations."""
    return [accesses for accesses in reports_parse(text) if all(access.is_operation for access in accesses)]


def race_text(fixture, version, app):
    """What one run of the program says on stderr; it leaves no core."""
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
    """None: no race on its maps was reported. Otherwise the map operations that the header does not name."""
    addresses = {int(found, 16) for found in re.findall(r"^truth map 0x([0-9a-f]+)$", text, re.M)}
    seen, foreign = False, set()
    for accesses in reports_parse(text):
        if accesses[0].address not in addresses or not any(access.is_operation for access in accesses):
            continue
        seen = True
        for access in filter(lambda access: access.is_operation and not access.lost, accesses):
            role = "writer" if access.operation == "write" else "reader"
            frame = access.frame
            side = {"site": {"function": frame.function, "file": frame.file, "line": frame.line}}
            if not any(racer_is(racer, side, version) for racer in fixture.racers
                       if role == "reader" or racer.role == "writer"):
                foreign.add(f"{role} {frame.function} {os.path.basename(frame.file)}:{frame.line}")
    return sorted(foreign) if seen else None


def header_judge(fixture, version):
    """header_check() of a program that is run now; the map fatal may come before the first report."""
    app = program_build(fixture, version, "race")
    for _ in range(ATTEMPTS):
        foreign = header_check(fixture, version, race_text(fixture, version, app))
        if foreign is not None:
            return foreign
    return None
