# SPDX-License-Identifier: Apache-2.0
"""Lets a fixture crash and collects what it left: the core, the runtime's own text, the truth it told."""

import dataclasses
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import tempfile
import threading

CORE_PATTERN = pathlib.Path("/proc/sys/kernel/core_pattern")
MIN_FREE_BYTES = 3 << 30
EMULATOR_CORES = "qemu_*.core"
RUN_EXTRA_SECONDS = 40  # writing a core and a text of thousands of goroutines takes its time


class RunError(Exception):
    """The machine cannot run crash tests; the text says what to change."""


@dataclasses.dataclass
class Crash:
    """What one run left behind. `core` is None when the program did not die with one."""
    app: pathlib.Path
    core: pathlib.Path
    text: str
    exit: int
    map_address: int
    goroutines: dict  # id -> role
    version: str = ""  # of Go

    def roles(self, role):
        return {number for number, what in self.goroutines.items() if what == role}


def machine_check(folder):
    pattern = CORE_PATTERN.read_text().strip()
    if pattern.startswith("|") or "/" in pattern:
        raise RunError(f"cores go to '{pattern}'. The tests need them in the working folder:\n"
                       "    sudo sysctl kernel.core_pattern=core")
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    if hard == 0:
        raise RunError("cores are forbidden here (ulimit -H -c is 0): raise the hard limit")
    if shutil.disk_usage(folder).free < MIN_FREE_BYTES:
        raise RunError(f"less than 3 GiB are free in {folder}: a core takes up to 150 MB")


def limits_set():
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    try:
        pathlib.Path("/proc/self/coredump_filter").write_text("0x33")
    except OSError:
        pass


def truth_read(text):
    """Split the truth lines from the crash text."""
    address, goroutines, rest = 0, {}, []
    for line in text.splitlines(keepends=True):
        match = re.match(r"truth map 0x([0-9a-f]+)$", line.strip())
        if match:
            address = int(match.group(1), 16)
            continue
        match = re.match(r"truth goroutine (\d+) (\w+)$", line.strip())
        if match:
            goroutines[int(match.group(1))] = match.group(2)
            continue
        if not line.startswith("truth "):
            rest.append(line)
    return address, goroutines, "".join(rest)


def killer_start(process, pipe_path, name):
    """Send the signal once the program says that it is ready."""
    def wait():
        while process.poll() is None:
            if "truth ready" in pipe_path.read_text(errors="replace"):
                process.send_signal(getattr(signal, name))
                return
            threading.Event().wait(0.02)
    threading.Thread(target=wait, daemon=True).start()


def program_crash(fixture, app, folder, gotraceback="crash", version="", emulator=None):
    """Run `app` in `folder` until it dies. The core, if any, is the kernel's, or the one that the emulator
    writes of the program that it runs."""
    machine_check(folder)
    env = {k: v for k, v in os.environ.items() if not k.startswith("GO")}
    env.update(GOTRACEBACK=gotraceback, **fixture.env)
    folder = pathlib.Path(folder)
    for old in [*folder.glob("core*"), *folder.glob(EMULATOR_CORES)]:
        old.unlink()
    err = folder / "stderr"
    with open(err, "wb") as stderr:
        command = [emulator, str(app)] if emulator else [str(app)]
        process = subprocess.Popen(command, cwd=folder, env=env, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=stderr, preexec_fn=limits_set)
        if fixture.kill:
            killer_start(process, err, fixture.kill)
        try:
            code = process.wait(fixture.seconds + RUN_EXTRA_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
    address, goroutines, text = truth_read(err.read_text(errors="replace"))
    err.unlink()
    core = next(iter(sorted(folder.glob(EMULATOR_CORES if emulator else "core*"))), None)
    return Crash(pathlib.Path(app), core, text, code, address, goroutines, version)


class CrashFolder:
    """A folder for one run, deleted with its core at the end of a `with` block."""

    def __enter__(self):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="mapfault-run-"))
        return self.path

    def __exit__(self, *unused):
        shutil.rmtree(self.path, ignore_errors=True)
