# SPDX-License-Identifier: Apache-2.0
"""The stacks that mapfault rebuilds from a core against those the runtime printed as it died.

With GOTRACEBACK=crash the runtime prints every goroutine and every frame. All of them must be in
mapfault's answer, with the same functions, files and lines; what the runtime could not print
("stack unavailable") is left out, and what it cut ("frames elided") is compared up to the cut.

MAPFAULT_FULL=1 runs every program with every version and build variant.
"""

import dataclasses
import os

import pytest
from crashtext import Frame, detector_of, is_runtime, text_parse
from conftest import newest_version
from fixture import fixture_named, minor, plain_name, versions_read
from harness import crash_of
from judge import crash_is_as_stated, mapfault_json, number
from toolchain import VARIANTS, variant_fits

# Of map fatals, panics, faults and signals; in C, in callbacks from C, in system calls, with many
# goroutines, growing stacks, generic and inlined functions.
PROGRAMS = ("service_hub", "innocent_busy", "json_iter", "cgo_callback", "hard_generics",
            "innocent_nil_deref", "innocent_cgo_segv", "innocent_quit", "innocent_stack_overflow",
            "closure_var", "hard_crowd")
FULL = PROGRAMS + ("hard_channel_writer", "innocent_abort", "innocent_deadlock", "innocent_unlock",
                   "innocent_closed_channel", "innocent_nil_map", "innocent_pool_panic",
                   "innocent_panic_words", "innocent_log_words", "innocent_out_of_memory",
                   "service_sessions", "service_reload", "service_metrics", "module_logrus")


def fits(name, version, variant):
    fixture = fixture_named(name)
    return fixture.runs_on(version) and variant_fits(fixture, version, variant) and \
        not (fixture.is_module and variant != "default")


def product():
    return [(name, version, variant) for name in FULL for version in versions_read()
            for variant in VARIANTS if fits(name, version, variant)]


def spread():
    """Every version once, every program at least once, every build variant at least twice."""
    runs, names, variants = [], list(PROGRAMS), list(VARIANTS)
    for version in versions_read():
        name, variant = next((n, v) for v in variants for n in names if fits(n, version, v))
        runs.append((name, version, variant))
        for chosen, queue in ((name, names), (variant, variants)):
            queue.remove(chosen)
            queue.append(chosen)
    return runs


FRAMES_READ = 4000  # mapfault reads 4096 frames of one goroutine


@dataclasses.dataclass
class Comparison:
    bad: list
    goroutines: int = 0
    frames: int = 0
    states: int = 0
    moved: int = 0


def our_frames(goroutine):
    return [Frame(plain_name(f["function"] or ""), f["file"] or "", number(f["line"]), f["inlined"],
                  number(f["pc"])) for f in goroutine["stack"]]


def place(frame):
    return frame.function, frame.file, frame.line


def same_frame(ours, theirs):
    """Function, file, line and PC; ours is the PC that was looked up, a return address less one."""
    if theirs.pc and theirs.pc not in (ours.pc, ours.pc + 1):
        return False
    return place(ours) == place(theirs)


def preempted_at(frames, version):
    """Up to 1.20 the runtime shows a preempted goroutine by the instruction before the one it stands at
    (tracepc--), with that one's line and inlined calls. The PC it prints beside them is the same."""
    if minor(version) >= (1, 21):
        return frames
    out = []
    for frame in frames:
        if out and out[-1].function == "runtime.asyncPreempt":
            if frame.inlined:
                continue
            frame = dataclasses.replace(frame, file="", line=0)
        out.append(frame)
    return out


def frames_differ(ours, theirs, version):
    """Whether two stacks differ; of a shortened one both ends are compared, unless it is so deep that
    mapfault itself reads only the inner end."""
    want, got = theirs.frames, ours
    if theirs.elided_after is not None and len(ours) >= FRAMES_READ:
        want, got = want[:theirs.elided_after], ours[:theirs.elided_after]
    elif theirs.elided_after is not None:
        tail = len(want) - theirs.elided_after
        got = ours[:theirs.elided_after] + (ours[-tail:] if tail else [])
    want, got = preempted_at(want, version), preempted_at(got, version)
    return len(want) != len(got) or not all(map(same_frame, got, want))


def went_deeper(ours, theirs):
    """A thread that prints its goroutine stands deeper in the runtime by then, and it enters what
    ends the process afterwards. Only the runtime's own frames may be missing from the text."""
    first = theirs.frames[0]
    for i, frame in enumerate(ours):
        if place(frame) == place(first):
            return ours[i:]
        if not is_runtime(frame):
            break
    return ours


def entered_system_call(ours, theirs):
    """In a system call the runtime prints from where it was entered; the thread itself stands deeper,
    and has gone on by some lines in the function that entered it."""
    first = theirs.frames[0]
    for i, frame in enumerate(ours):
        if place(frame)[:2] == place(first)[:2]:
            return [first, *ours[i + 1:]]
        if not is_runtime(frame) and not frame.function.startswith("syscall.RawSyscall"):
            break
    return ours


CHANGES_STACK = ("time.now", "runtime.walltime", "runtime.walltime1", "runtime.nanotime1")


def ends_early(ours, theirs):
    """Assembly that moves to another stack ends the runtime's own walk when a signal comes inside it;
    where it had not moved yet, there is more to see."""
    count = len(theirs.frames)
    return ours[:count] if theirs.frames[-1].function in CHANGES_STACK else ours


def state_differs(ours, theirs, woken):
    """State, minutes and the lock to a thread as the heading has them. While other threads ran on, one
    that waited may have been woken, and one that the collector held back was let go: neither has run
    since, as its frames show."""
    if ours["state"] == "runnable" and (woken or theirs.state == "preempted"):
        return None
    words = ours["wait_reason"] if ours["state"] == "waiting" and ours["wait_reason"] else ours["state"]
    if words != theirs.state.removesuffix(" (durable)").removesuffix(" (leaked)"):
        return f"state {words}"
    if theirs.locked != ours["locked"]:
        return f"locked {ours['locked']}"
    waited = ours["wait_seconds"]
    if theirs.minutes is not None and (waited is None or abs(waited // 60 - theirs.minutes) > 1):
        return f"waited {waited} seconds"
    return None


def created_differs(ours, theirs):
    made, want = ours["created_by"], theirs.created_by
    if made is None or want is None:
        return made is not want
    return (plain_name(made["function"] or ""), made["file"], number(made["line"])) != place(want)


def ran_on(goroutine):
    """It ran on another thread, or that thread gave it a larger stack, while the text was printed."""
    return goroutine.unavailable or goroutine.state == "copystack"


def moved(ours, theirs):
    """Only its origin can be compared: it ran while the text was printed, or, as the core itself says,
    it runs now and did not then."""
    return ran_on(theirs) or ours["state"] == "running" and theirs.state != "running"


def start_differs(ours, theirs):
    """The outermost frame, which stays whatever the goroutine does."""
    cut = theirs.elided_after == len(theirs.frames) or len(ours["stack"]) >= FRAMES_READ
    if cut or not theirs.frames:
        return False
    return not ours["stack"] or our_frames(ours)[-1].function != theirs.frames[-1].function


def goroutine_compare(ours, theirs, version, woken, result):
    about = f"goroutine {theirs.id} [{theirs.state}]"
    if created_differs(ours, theirs):
        result.bad.append(f"{about} made by {theirs.created_by}, ours {ours['created_by']}")
    if moved(ours, theirs):
        result.moved += 1
        if start_differs(ours, theirs):
            result.bad.append(f"{about} began as {theirs.frames[-1]}, ours {our_frames(ours)[-1:]}")
        return
    wrong = state_differs(ours, theirs, woken)
    result.states += 1
    if wrong:
        result.bad.append(f"{about} {theirs}: {wrong}")
    if not theirs.frames:
        return
    got = our_frames(ours)
    if frames_differ(got, theirs, version) and theirs.state == "running":
        got = went_deeper(got, theirs)
    if frames_differ(got, theirs, version) and ours["state"] == "syscall":
        got = entered_system_call(got, theirs)
    if frames_differ(got, theirs, version):
        got = ends_early(got, theirs)
    result.goroutines += 1
    result.frames += len(theirs.frames)
    if frames_differ(got, theirs, version):
        result.bad.append(f"{about}\n  runtime  {theirs.frames}\n  mapfault {got}")


def last_words(text):
    """The latest that was printed of each goroutine; what a thread says of its own comes last."""
    latest = {}
    for goroutine in text_parse(text):
        if goroutine.id and (goroutine.frames or goroutine.id not in latest):
            latest[goroutine.id] = goroutine
    return latest


def stacks_compare(text, goroutines, version):
    ours, theirs, result = {number(g["id"]): g for g in goroutines}, last_words(text), Comparison([])
    woken = any(map(ran_on, theirs.values()))
    for id, goroutine in theirs.items():
        if id in ours:
            goroutine_compare(ours[id], goroutine, version, woken, result)
        else:
            result.bad.append(f"goroutine {id} [{goroutine.state}] is missing")
    for id in ours.keys() - theirs.keys():
        result.bad.append(f"goroutine {id} [{ours[id]['state']}] is not in the text")
    return result


@pytest.mark.slow
@pytest.mark.parametrize("name,version,variant",
                         product() if os.environ.get("MAPFAULT_FULL") else spread())
def test_stacks(name, version, variant):
    fixture = fixture_named(name)
    with crash_of(fixture, version, variant) as crash:
        reason = crash_is_as_stated(fixture, crash)
        if reason:
            pytest.skip(reason)
        answer = mapfault_json("goroutines", "--system", "--all", crash.core, crash.app)
    result = stacks_compare(crash.text, answer["goroutines"], version)
    assert result.goroutines >= 3
    assert not result.bad, f"{len(result.bad)} differ:\n" + "\n".join(result.bad[:10])


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
    assert place(found[0].frames[1]) == ("main.(*cache[...]).put", "/src/main.go", 40)
    assert found[0].frames[1].inlined and not found[0].frames[2].inlined
    assert found[0].frames[2].function == "main.work"
    assert (found[0].created_by.line, found[0].created_in) == (9, 1)
    assert found[1].frames[0].function == "runtime.gopanic" and found[1].elided_after == 1
    assert (found[1].state, found[1].minutes, found[1].locked) == ("sleep", 2, True)
    assert found[2].unavailable and not found[2].frames
    goroutine, frame = detector_of(text)
    assert (goroutine.id, frame.line) == (7, 40)
    assert newest_version() in versions_read()
