# SPDX-License-Identifier: Apache-2.0
"""Evidence that is damaged, missing or of the wrong kind: an answer in time, an exit code of the
contract, and words that say what to do next. Never a crash, never a hang, never an accusation.
"""

import json
import os
import shutil
import subprocess
import time

import pytest
from conftest import newest_version
from fixture import fixture_named
from judge import mapfault_json, mapfault_path, mapfault_run, side_in
from toolchain import program_build

SECONDS = 60
CUTS = 50
E_MACHINE_AT = 18
EM_AARCH64 = 183


def refuse(*arguments):
    """mapfault must refuse: exit 2 or 3, a message, and a next step in it."""
    done = mapfault_run(*arguments, seconds=SECONDS)
    assert done.returncode in (2, 3), (done.returncode, done.stdout, done.stderr)
    assert done.stdout == ""
    message = done.stderr.strip()
    assert message.startswith("mapfault"), message
    assert len(message.splitlines()) > 1 or ":" in message
    return message


def answer_or_refuse(*arguments):
    """Damaged evidence: a report with gaps or a refusal, either in time."""
    done = mapfault_run(*arguments, seconds=SECONDS)
    assert done.returncode in (0, 3, 4), (done.returncode, done.stderr)
    if done.returncode == 3:
        assert done.stderr.strip()
    return done


@pytest.fixture
def copy_of_core(crash, tmp_path):
    path = tmp_path / "core"
    shutil.copy(crash.core, path)
    yield path
    path.unlink(missing_ok=True)


def test_truncated_core(crash, copy_of_core):
    """From the end to the beginning, at every fiftieth and at the places where headers end."""
    size = copy_of_core.stat().st_size
    places = sorted({size * i // CUTS for i in range(CUTS)} | {1, 16, 63, 64, 65, 120, 4096},
                    reverse=True)
    for place in places:
        os.truncate(copy_of_core, place)
        answer_or_refuse(copy_of_core, crash.app, "--json")


def test_core_with_a_hole(crash, copy_of_core):
    """A file system that was full: the length is right, the middle is zeros."""
    size = copy_of_core.stat().st_size
    with open(copy_of_core, "r+b") as core:
        core.seek(size // 3)
        core.write(bytes(size // 3))
    answer_or_refuse(copy_of_core, crash.app, "--json")


def test_core_without_notes(crash, copy_of_core):
    """PT_NOTE becomes PT_NULL: no threads, no registers, no mapped files."""
    with open(copy_of_core, "r+b") as core:
        data = bytearray(core.read(4096))
        at, entry, count = (int.from_bytes(data[o:o + n], "little") for o, n in
                            ((32, 8), (54, 2), (56, 2)))
        for i in range(count):
            place = at + i * entry
            if place + 4 <= len(data) and data[place:place + 4] == (4).to_bytes(4, "little"):
                data[place:place + 4] = bytes(4)
        core.seek(0)
        core.write(data)
    answer_or_refuse(copy_of_core, crash.app, "--json")


def test_core_of_another_machine(crash, copy_of_core):
    with open(copy_of_core, "r+b") as core:
        core.seek(E_MACHINE_AT)
        core.write(EM_AARCH64.to_bytes(2, "little"))
    message = refuse(copy_of_core, crash.app)
    assert "arm64" in message or "aarch64" in message or "machine" in message


def test_wrong_binary(crash):
    """A binary that this core did not come from must be refused, not believed."""
    other = program_build(fixture_named("ww_int"), newest_version())
    message = refuse(crash.core, other)
    assert "match" in message or "build" in message or "not" in message


def test_binary_of_another_version(crash):
    other = program_build(fixture_named("rw_field"), "1.16.15")
    refuse(crash.core, other)


def test_core_alone(crash):
    """The binary's path is in the core, but a verdict needs to be told or find it."""
    answer_or_refuse(crash.core)


def test_order_does_not_matter(crash):
    first = mapfault_json(crash.core, crash.app)
    second = mapfault_json(crash.app, crash.core)
    assert first["verdict"] == second["verdict"]
    assert side_in(first, "detector") == side_in(second, "detector")


@pytest.mark.parametrize("content", [b"", b"\n", b"hello, world\n", b"\x7fELF", b"\x7fELF" + bytes(60),
                                     bytes(70000), b"\xff" * 5000])
def test_not_evidence(crash, tmp_path, content):
    path = tmp_path / "core"
    path.write_bytes(content)
    refuse(path, crash.app)


def test_file_is_missing(crash, tmp_path):
    assert "core" in refuse(tmp_path / "core", crash.app)


def test_directory(crash, tmp_path):
    refuse(tmp_path, crash.app)


def test_pipes(crash, tmp_path):
    """What a shell's <(command) gives is copied first; a FIFO that nobody writes to is not waited for."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    assert "empty" in refuse(fifo, crash.app)
    with subprocess.Popen(["cat", str(crash.core)], stdout=subprocess.PIPE) as cat:
        done = subprocess.run([str(mapfault_path()), f"/proc/self/fd/{cat.stdout.fileno()}", str(crash.app),
                               "--json"], pass_fds=[cat.stdout.fileno()], capture_output=True, timeout=SECONDS)
    assert json.loads(done.stdout)["verdict"] == mapfault_json(crash.core, crash.app)["verdict"]


def test_file_shrinks(crash, tmp_path):
    """While it is being read, as log rotation and full disks make them: an error, whenever it happens."""
    core = tmp_path / "core"
    for delay in (0.0, 0.005, 0.01, 0.02):
        shutil.copyfile(crash.core, core)
        with subprocess.Popen([str(mapfault_path()), str(core), str(crash.app)], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            time.sleep(delay)
            os.truncate(core, 1 << 20)
            _, words = process.communicate(timeout=SECONDS)
        assert process.returncode in (0, 3, 4), (process.returncode, words)
        assert process.returncode != 3 or "next:" in words


def test_unreadable(crash, tmp_path):
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    path = tmp_path / "core"
    path.write_bytes(b"x")
    path.chmod(0)
    refuse(path, crash.app)


def test_nothing_given():
    done = mapfault_run(seconds=SECONDS)
    assert done.returncode == 2 and done.stderr.strip()


def test_unknown_option(crash):
    done = mapfault_run("--no-such-option", crash.core, crash.app, seconds=SECONDS)
    assert done.returncode == 2 and "--no-such-option" in done.stderr


@pytest.mark.parametrize("tool,name,flags", [("zstd", "core.zst", ["-q", "-1", "-c"]),
                                             ("lz4", "core.lz4", ["-q", "-c"]),
                                             ("xz", "core.xz", ["-0", "-c"]),
                                             ("gzip", "core.gz", ["-1", "-c"])])
def test_compressed_core(crash, tmp_path, tool, name, flags):
    """coredumpctl keeps compressed cores: the same verdict, or a message that names the tool to use."""
    if not shutil.which(tool):
        pytest.skip(f"{tool} is not installed")
    path = tmp_path / name
    with open(path, "wb") as out:
        subprocess.run([tool, *flags, str(crash.core)], stdout=out, check=True)
    done = mapfault_run(path, crash.app, "--json", seconds=SECONDS)
    if done.returncode == 3:
        assert tool in done.stderr or "compress" in done.stderr
        return
    assert done.returncode == 0, done.stderr
    assert mapfault_json(path, crash.app)["verdict"] == mapfault_json(crash.core, crash.app)["verdict"]


def test_compressed_and_cut(crash, tmp_path):
    path = tmp_path / "core.zst"
    with open(path, "wb") as out:
        subprocess.run(["zstd", "-q", "-1", "-c", str(crash.core)], stdout=out, check=True)
    os.truncate(path, path.stat().st_size // 2)
    answer_or_refuse(path, crash.app, "--json")


def test_binary_is_cut(crash, tmp_path):
    path = tmp_path / "app"
    for part in range(1, 10):
        shutil.copy(crash.app, path)
        os.truncate(path, path.stat().st_size * part // 10)
        answer_or_refuse(crash.core, path, "--json", "--force")


@pytest.mark.parametrize("content", [b"", b"\x7fELF", b"{}", b"[1]", b'{"schema":"mapfault.report/1"}', b'{"schema":',
                                     b'{"schema":"mapfault.report/1","verdict":[]}', b"[" * 100000])
def test_explain_of_no_report(tmp_path, content):
    path = tmp_path / "report.json"
    path.write_bytes(content)
    assert "next:" in refuse("explain", path)


def test_explain_of_a_hostile_report(tmp_path):
    """Whatever a report says, none of it reaches the terminal as a command."""
    evil = "\u001b]0;owned\u0007\u001b[2J"
    site = {"function": evil, "file": evil, "line": "7", "pc": evil}
    side = {"role": "detector", "site": site, "goroutine": {"id": evil}, "witnesses": [{"fact": evil}, 3]}
    path = tmp_path / "report.json"
    path.write_text(json.dumps({"schema": "mapfault.report/1", "verdict": {"kind": evil, "sentence": evil}, "map": 7,
                                "sides": [side, [], "x"], "candidates": {"a": 1}, "gaps": [{"what": evil}]}))
    done = mapfault_run("explain", path, "--color", "never")
    assert done.returncode == 0 and done.stdout.strip()
    assert "\x1b" not in done.stdout + done.stderr and "\x07" not in done.stdout + done.stderr
