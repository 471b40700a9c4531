# SPDX-License-Identifier: Apache-2.0
"""What all end-to-end tests share: the choice of runs, and one good crash to mistreat."""

import functools
import pathlib
import signal
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from fixture import fixture_named, fixtures_read, minor, versions_read  # noqa: E402
from harness import crash_of  # noqa: E402
from judge import ToolError, mapfault_path  # noqa: E402
from run import CrashFolder, RunError, machine_check  # noqa: E402
from toolchain import VARIANTS, variant_fits  # noqa: E402


OTHER_BUILD_EVERY = 4  # of the fixtures, one in so many is also built in another way


@functools.lru_cache(maxsize=None)
def spread(groups):
    """Each fixture once, the versions used evenly, and some again in another build: (name, version, variant)."""
    versions, runs, turn = versions_read(), [], 0
    for number, fixture in enumerate(f for f in fixtures_read() if f.group in groups):
        fit = [v for v in versions if fixture.runs_on(v)]
        runs.append((fixture.name, fit[number * 5 % len(fit)], "default"))
        if number % OTHER_BUILD_EVERY == 0 and not fixture.is_module:
            version = fit[(number * 5 + len(fit) // 2) % len(fit)]
            names = [v for v in VARIANTS if v != "default" and variant_fits(fixture, version, v)]
            runs.append((fixture.name, version, names[turn % len(names)]))
            turn += 1
    return runs


@pytest.fixture(scope="session", autouse=True)
def interrupts():
    """What runs in a shell's background ignores Ctrl-C and hands that on; the programs under test are to get it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def newest_version():
    return max(versions_read(), key=minor)


@pytest.fixture(scope="session", autouse=True)
def machine():
    """Say at once when this machine cannot run the tests, rather than sixty times."""
    try:
        mapfault_path()
        with CrashFolder() as folder:
            machine_check(folder)
    except (ToolError, RunError) as error:
        pytest.exit(str(error), returncode=2)


@pytest.fixture(scope="session")
def crash():
    """A crash that mapfault understands; its files must not be changed."""
    with crash_of(fixture_named("rw_field"), newest_version()) as found:
        assert found.core, "the program left no core"
        yield found
