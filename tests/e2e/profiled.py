# SPDX-License-Identifier: Apache-2.0
"""A fixture that also writes a heap and a goroutine profile of itself, as a server's /debug/pprof would."""

import dataclasses
import os
import pathlib
import shutil
import subprocess
import time

from run import CrashFolder
from toolchain import program_build

SOURCE = """package main

import (
	"os"
	"runtime"
	"runtime/pprof"
	"time"
)

var _ = func() int { runtime.MemProfileRate = 512; return 0 }()

func profileWrite(name string) {
	file, err := os.Create(name + ".new")
	if err != nil {
		return
	}
	pprof.Lookup(name).WriteTo(file, 0)
	file.Close()
	os.Rename(name+".new", name+".pb.gz")
}

func init() {
	go func() {
		time.Sleep(10 * time.Millisecond)
		profileWrite("goroutine")
		runtime.GC()
		runtime.GC()
		profileWrite("heap")
	}()
}
"""
ATTEMPTS = 8
SECONDS = 5


def profiled(fixture, folder):
    """The fixture with the code above beside its own."""
    copy = pathlib.Path(folder) / fixture.name
    shutil.copytree(fixture.folder, copy, dirs_exist_ok=True)
    (copy / "profiles.go").write_text(SOURCE)
    return dataclasses.replace(fixture, folder=copy)


def profiles_take(fixture, version, folder):
    """(program, profiles) of one run, on one processor lest it crashes too soon; it may all the same."""
    app, folder = program_build(fixture, version), pathlib.Path(folder)
    names = ("heap.pb.gz", "goroutine.pb.gz")
    for _ in range(ATTEMPTS):
        with CrashFolder() as run:
            process = subprocess.Popen([str(app)], cwd=run, env={**os.environ, **fixture.env, "GOMAXPROCS": "1"},
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            deadline = time.monotonic() + SECONDS
            while process.poll() is None and time.monotonic() < deadline and not (run / names[0]).exists():
                time.sleep(0.02)
            process.kill()
            process.wait()
            if all((run / name).exists() for name in names):
                return app, [shutil.copy(run / name, folder / name) for name in names]
    return app, []
