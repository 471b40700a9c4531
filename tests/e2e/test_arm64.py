# SPDX-License-Identifier: Apache-2.0
"""Programs for arm64: built here, run by qemu-user, and read from the core that qemu writes of them.

Such a core holds every thread's registers and all writable memory, but neither the program's text nor the
list of its files. The verdict and the stacks are held against the same truth as on this machine's
own processor. MAPFAULT_FULL=1 runs every program with every version.
"""

import os
import shutil

import pytest
from conftest import versions_read
from fixture import fixture_named
from judge import crash_is_as_stated, crash_judge, mapfault_json
from run import CrashFolder, program_crash
from test_stacks import stacks_compare
from toolchain import program_build

EMULATOR = shutil.which("qemu-aarch64") or shutil.which("qemu-aarch64-static")
PROGRAMS = ("rw_field", "hard_generics", "iter_write", "delete_write", "innocent_nil_deref",
            "hard_crowd", "service_hub", "json_iter", "innocent_nil_map", "ww_string")
# Of each way of keeping arguments and maps one: on the stack, in registers, Swiss.
SPREAD = (("rw_field", "1.12.17"), ("iter_write", "1.16.15"), ("innocent_nil_deref", "1.20.14"),
          ("hard_generics", "1.22.12"), ("delete_write", "1.26.8"), ("service_hub", "1.26.8"))
ATTEMPTS = 3


def product():
    return [(name, version) for name in PROGRAMS for version in versions_read()
            if fixture_named(name).runs_on(version)]


def crash_there(fixture, version, folder):
    app = program_build(fixture, version, GOARCH="arm64")
    for _ in range(ATTEMPTS):
        crash = program_crash(fixture, app, folder, version=version, emulator=EMULATOR)
        reason = crash_is_as_stated(fixture, crash)
        if not reason:
            return crash
    pytest.skip(f"under qemu: {reason}")


@pytest.mark.slow
@pytest.mark.skipif(not EMULATOR, reason="qemu-aarch64 comes with qemu-user")
@pytest.mark.parametrize("name,version", product() if os.environ.get("MAPFAULT_FULL") else SPREAD)
def test_arm64(name, version):
    fixture = fixture_named(name)
    with CrashFolder() as folder:
        crash = crash_there(fixture, version, folder)
        judgement, report = crash_judge(fixture, crash)
        answer = mapfault_json("goroutines", "--system", "--all", crash.core, crash.app)
    assert judgement.outcome in ("right", "missed"), (judgement, report)
    for check in ("kind", "detector"):
        assert judgement.checks.get(check) is not False, (check, judgement, report)
    result = stacks_compare(crash.text, answer["goroutines"], version)
    assert result.goroutines >= 3
    assert not result.bad, f"{len(result.bad)} differ:\n" + "\n".join(result.bad[:10])
