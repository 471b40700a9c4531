# SPDX-License-Identifier: Apache-2.0
"""Goroutine text: our reader against an independent one, and mangled text against clean text."""

import gzip
import json
import os
import subprocess
import threading

import pytest

import crashtext
from crashtext import SHORT_NAMES
from fixture import ROOT, fixture_named, plain_name, versions_read
from judge import mapfault_path
from mangle import MANGLERS, mangle
from run import CrashFolder, program_crash
from toolchain import program_build

LEVELS = ("none", "single", "all", "system", "crash")
SPREAD = [(fixture, version, level) for fixture, version, level in (
    ("rw_field", "1.9.7", "crash"), ("ww_int", "1.16.15", "all"), ("hard_crowd", "1.18.10", "system"),
    ("iter_write", "1.22.12", "all"), ("innocent_panic_words", "1.23.12", "system"),
    ("rw_field", "1.26.8", "single"), ("hard_crowd", "1.27.2", "crash"), ("ww_int", "1.24.11", "none"))]
MEMORY_MAX_KB = 150 << 10


def cases():
    """In CI a spread; all versions and levels when asked."""
    if not os.environ.get("MAPFAULT_FULL"):
        return SPREAD
    return [(fixture, version, level) for fixture in ("rw_field", "hard_crowd", "innocent_panic_words")
            for version in versions_read() for level in LEVELS
            if fixture_named(fixture).runs_on(version)]


def listed(data):
    """What `mapfault goroutines` says of some bytes on its standard input."""
    done = subprocess.run([mapfault_path(), "goroutines", "--system", "--json", "-"], input=data,
                          capture_output=True, timeout=120)
    if done.returncode != 0:
        return None, done.stderr.decode()
    return json.loads(done.stdout), ""


def frames_of(goroutine):
    return [(f["function"], f["file"], f["line"], f["inlined"]) for f in goroutine["stack"]]


def known(report):
    """What no mangler may change, without what another process printed."""
    return [(g["id"], g["state"], g["wait_reason"], g["wait_seconds"], g["locked"], str(g["created_by"]),
             g["stack"], g["stack_broken"]) for g in report["goroutines"] if g["id"] < 90000]


def messages(report):
    return [(m["kind"], m["text"]) for m in report["messages"]]


@pytest.fixture(scope="module", params=cases(), ids=lambda c: "-".join(c))
def text(request):
    name, version, level = request.param
    fixture = fixture_named(name)
    with CrashFolder() as folder:
        yield program_crash(fixture, program_build(fixture, version), folder, level).text


def test_agrees_with_an_independent_reader(text):
    report, error = listed(text.encode())
    assert report, error
    theirs = {}
    for goroutine in crashtext.text_parse(text):  # one whose thread prints it again comes again
        if goroutine.id and (goroutine.frames or goroutine.id not in theirs):
            theirs[goroutine.id] = goroutine
    ours = {g["id"]: g for g in report["goroutines"] if g["id"]}
    assert ours.keys() == theirs.keys()
    for mine, other in ((ours[i], theirs[i]) for i in ours):
        state = mine["wait_reason"] or mine["state"]
        assert state == other.state
        assert [(plain_name(f), p, n) for f, p, n, _ in frames_of(mine)] == \
            [(f.function, f.file, f.line) for f in other.frames]
        assert mine["locked"] == other.locked
    fatal = crashtext.fatal_message(text)
    assert any(m["text"].split("\n")[0].startswith(fatal.split(" [recovered")[0])
               for m in report["messages"])


@pytest.fixture(scope="module")
def panicparse(tmp_path_factory):
    program = tmp_path_factory.mktemp("panicparse") / "panicparse"
    subprocess.run(["go", "build", "-o", program, "."], check=True, cwd=ROOT / "tests/agreement/panicparse")
    return program


def test_agrees_with_panicparse(text, panicparse):
    done = subprocess.run([panicparse], input=text.encode(), capture_output=True, check=True)
    theirs = {}
    for line in done.stdout.splitlines():
        goroutine = json.loads(line)
        if goroutine["stack"] or goroutine["id"] not in theirs:
            theirs[goroutine["id"]] = goroutine
    report, _ = listed(text.encode())
    ours = {g["id"]: g for g in report["goroutines"] if g["id"]}
    assert ours.keys() == theirs.keys() - {0}
    for number, mine in ours.items():
        other = theirs[number]
        assert (mine["wait_reason"] or mine["state"]) == other["state"]
        assert mine["locked"] == other["locked"]
        assert (mine["wait_seconds"] or 0) == 60 * other["minutes"]
        assert [(f, p, n) for f, p, n, _ in frames_of(mine)] == \
            [(SHORT_NAMES.get(f["function"], f["function"]), f["file"], f["line"])
             for f in other["stack"] or []]


@pytest.mark.parametrize("mangler", MANGLERS)
def test_mangled_text_tells_the_same(text, mangler):
    clean, _ = listed(text.encode())
    report, error = listed(mangle(mangler, text))
    assert report, error
    assert known(report) == known(clean)
    assert messages(report)[:len(messages(clean))] == messages(clean)


def test_a_cut_text_says_so(text):
    clean, _ = listed(text.encode())
    if len(clean["goroutines"]) < 2:
        pytest.skip("one goroutine at most")
    at = text.rindex("\n\t")
    tail, _ = listed(text[:at].encode())
    assert any("end of stacks" in gap["what"] for gap in tail["gaps"])
    start = text.index("\n", text.index("goroutine ")) + 1
    head, _ = listed(text[start:].encode())
    assert any("headers" in gap["what"] for gap in head["gaps"])
    assert known(head)[1:] == known(clean)[1:]
    assert frames_of(head["goroutines"][0]) == frames_of(clean["goroutines"][0])


# What holds no dump, made as it is read: (name, pieces, exit status)

def single_line():
    piece = b"x" * (1 << 20)
    for _ in range((5 << 10) if os.environ.get("MAPFAULT_FULL") else 256):
        yield piece


def utf16_junk():
    yield b"\xff\xfe" + os.urandom(1 << 21)


def packed_thrice():
    yield gzip.compress(gzip.compress(gzip.compress(os.urandom(1 << 20))))


def zeros_packed_twice():
    inner = gzip.compress(b"\0" * (1 << 26), 9)
    yield gzip.compress(b"".join([inner] * 64), 9)


def junk():
    yield os.urandom(1 << 22)


def headers_alone():
    yield b"goroutine 1 [running]:\n" * 200000


HOSTILE = {"single_line": (single_line, 3), "bomb": (zeros_packed_twice, 3), "junk": (junk, 3),
           "utf16": (utf16_junk, 3), "nested": (packed_thrice, 3), "empty": (lambda: iter([]), 3), "headers": (headers_alone, 0)}


@pytest.mark.parametrize("command", ["goroutines", "diagnose"])
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_input_ends_well(name, command):
    make, status = HOSTILE[name]
    if (name, command) == ("headers", "diagnose"):
        status = 4  # goroutines are there, and nothing that they died of
    process = subprocess.Popen([mapfault_path(), command, "-"], stdin=subprocess.PIPE,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def feed():
        try:
            for piece in make():
                process.stdin.write(piece)
            process.stdin.close()
        except BrokenPipeError:
            pass

    feeder = threading.Thread(target=feed, daemon=True)
    feeder.start()
    words = process.stderr.read().decode()
    _, code, usage = os.wait4(process.pid, 0)
    assert os.waitstatus_to_exitcode(code) == status, words
    assert usage.ru_maxrss < MEMORY_MAX_KB
    assert status in (0, 4) or words.startswith("mapfault: "), words
