# SPDX-License-Identifier: Apache-2.0
"""The stacks that mapfault rebuilds from a core against those the runtime printed as it died.

With GOTRACEBACK=crash the runtime prints every goroutine and every frame. All of them must be in
mapfault's answer, with the same functions, files and lines; what the runtime could not print
("stack unavailable") is left out, and what it cut ("frames elided") is compared up to the cut.
"""

import pytest
from crashtext import detector_of, text_parse
from conftest import newest_version
from fixture import fixture_named, plain_name, versions_read
from harness import crash_of
from judge import crash_is_as_stated, mapfault_json, number

PROGRAMS = ("hard_channel_writer", "service_hub", "json_iter", "hard_generics", "hard_crowd")


def spread():
    """Every version at least once, each program several times, stripped ones and PIE among them."""
    versions, runs = versions_read(), []
    variants = ("default", "stripped", "pie", "default", "cgo", "trimpath")
    for i, version in enumerate(versions):
        name = PROGRAMS[i % len(PROGRAMS)]
        if not fixture_named(name).runs_on(version):
            name = PROGRAMS[0]
        variant = variants[i % len(variants)]
        if variant == "trimpath" and versions.index(version) < 4:
            variant = "default"
        runs.append((name, version, variant))
    return runs


def runtime_frames(goroutine):
    return [(frame.function, frame.file, frame.line) for frame in goroutine.frames]


def our_frames(goroutine):
    return [(plain_name(frame["function"] or ""), frame["file"] or "", number(frame["line"]))
            for frame in goroutine["stack"]]


def detector_trim(ours, theirs):
    """After printing, the dying goroutine went deeper into the runtime: begin where the text begins."""
    for i, frame in enumerate(ours):
        if frame[0] == theirs[0][0]:
            return ours[i:]
    return ours


def syscall_trim(ours, theirs):
    """In a system call the runtime prints from where it was entered; the thread itself stands deeper,
    and has gone on by some lines in the function that entered it."""
    for i, frame in enumerate(ours):
        if frame[:2] == theirs[0][:2]:
            return [theirs[0], *ours[i + 1:]]
    return ours


def differences(text, goroutines):
    ours_by_id = {number(g["id"]): g for g in goroutines}
    detector, _ = detector_of(text)
    bad, compared = [], 0
    for theirs in text_parse(text):
        if theirs.id == 0 or theirs.unavailable or not theirs.frames:
            continue
        ours = ours_by_id.get(theirs.id)
        if ours is None:
            bad.append(f"goroutine {theirs.id} [{theirs.state}] is missing")
            continue
        want, got = runtime_frames(theirs), our_frames(ours)
        if theirs.id == detector.id:
            got = detector_trim(got, want)
        elif theirs.state.startswith("syscall"):
            got = syscall_trim(got, want)
        if theirs.elided:
            want = want[:20]
            got = got[:len(want)]
        compared += 1
        if want != got:
            bad.append(f"goroutine {theirs.id} [{theirs.state}]\n  runtime  {want}\n  mapfault {got}")
        made = ours.get("created_by") or {}
        if theirs.created_by and (plain_name(made.get("function") or ""), number(made.get("line"))) != \
                (theirs.created_by.function, theirs.created_by.line):
            bad.append(f"goroutine {theirs.id} made by {theirs.created_by}, ours {made}")
    return bad, compared


@pytest.mark.slow
@pytest.mark.parametrize("name,version,variant", spread())
def test_stacks(name, version, variant):
    fixture = fixture_named(name)
    with crash_of(fixture, version, variant) as crash:
        reason = crash_is_as_stated(fixture, crash)
        if reason:
            pytest.skip(reason)
        answer = mapfault_json("goroutines", "--system", "--all", crash.core, crash.app)
    bad, compared = differences(crash.text, answer["goroutines"])
    assert compared >= 3
    assert not bad, f"{len(bad)} of {compared} goroutines differ:\n" + "\n".join(bad[:10])


def test_yardstick_reads_a_crash_text():
    """The reader of crash texts itself, on the shapes that it must know."""
    text = """fatal error: concurrent map writes

goroutine 7 gp=0xc0 m=3 mp=0xc0 [running]:
internal/runtime/maps.fatal({0x1?, 0x2?})
\t/go/src/runtime/panic.go:1181 +0x18 fp=0xc1 sp=0xc2 pc=0x43
main.(*cache[...]).put(...)
\t/src/main.go:40
main.work({0x1, {0x2, 0x3}}, 0x5?)
\t/src/main.go:50 +0x55 fp=0xc3 sp=0xc4 pc=0x44
runtime.goexit({})
\t/go/src/runtime/asm_amd64.s:1700 +0x1 fp=0xc5 sp=0xc6 pc=0x45
created by main.main in goroutine 1
\t/src/main.go:9 +0x90

goroutine 1 [sleep, 2 minutes, locked to thread]:
panic({0x1, 0x2})
\t/go/src/runtime/panic.go:1 +0x1
...3 frames elided...

goroutine 8 [running]:
\tgoroutine running on other thread; stack unavailable
created by main.main in goroutine 1
\t/src/main.go:10 +0x99
"""
    found = text_parse(text)
    assert [g.id for g in found] == [7, 1, 8]
    assert runtime_frames(found[0])[1] == ("main.(*cache[...]).put", "/src/main.go", 40)
    assert found[0].frames[1].inlined and not found[0].frames[2].inlined
    assert found[0].frames[2].function == "main.work"
    assert (found[0].created_by.line, found[0].created_in) == (9, 1)
    assert found[1].frames[0].function == "runtime.gopanic" and found[1].elided
    assert found[2].unavailable and not found[2].frames
    goroutine, frame = detector_of(text)
    assert (goroutine.id, frame.line) == (7, 40)
    assert newest_version() in versions_read()
