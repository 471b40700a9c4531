# SPDX-License-Identifier: Apache-2.0
"""Reads the text the Go runtime prints when it dies: the yardstick for our own stacks.

Independent of mapfault's own reader on purpose: a mistake there must not be repeated here.
"""

import dataclasses
import re

from fixture import plain_name

HEAD = re.compile(r"^goroutine (\d+)(?: gp=\S+ m=\S+(?: mp=\S+)?)? \[(.*)\](?: \{.*\})?:$")
MINUTES = re.compile(r"(\d+) minutes$")
PLACE = re.compile(r"^\t(.+):(\d+)(?: \+0x[0-9a-f]+)?(?: fp=0x([0-9a-f]+) sp=0x([0-9a-f]+)"
                   r"(?: pc=0x([0-9a-f]+))?)?$")
CREATED = re.compile(r"^created by (.+?)(?: in goroutine (\d+))?$")
FATAL = re.compile(r"^\t*(?:fatal error|panic|SIG\w+): (.*)$", re.M)
# Printed instead of the function's own name.
SHORT_NAMES = {"panic": "runtime.gopanic"}


@dataclasses.dataclass
class Frame:
    function: str
    file: str
    line: int
    inlined: bool  # printed as f(...): inlined, or without arguments
    pc: int = 0  # 0 where the text has none: an inlined frame


@dataclasses.dataclass
class Goroutine:
    id: int
    state: str  # the word or words that come first in its brackets
    frames: list
    created_by: Frame = None
    created_in: int = 0
    elided_after: int = None  # how many frames stand before "frames elided"
    unavailable: bool = False
    minutes: int = None
    locked: bool = False


def is_runtime(frame):
    """Frames a site is never in: the runtime, and reflection, which only passes on."""
    for prefix in ("runtime.", "runtime/internal/", "internal/runtime/", "reflect.", "internal/reflectlite."):
        if frame.function.startswith(prefix):
            return True
    return frame.function == "panic" or "/src/runtime/" in frame.file or \
        "/src/internal/runtime/" in frame.file or "/src/reflect/" in frame.file


def frame_function(line):
    """`main.(*T).f(0x1, {...})` → (`main.(*T).f`, inlined); the arguments are the last bracket."""
    if not line.endswith(")"):
        return None
    depth = 0
    for i in range(len(line) - 1, -1, -1):
        if line[i] == ")":
            depth += 1
        elif line[i] == "(":
            depth -= 1
            if depth == 0:
                name = line[:i]
                return SHORT_NAMES.get(name, name), line[i:] == "(...)"
    return None


def head_parse(head):
    """`chan receive (nil chan), 2 minutes, locked to thread`"""
    words = head.group(2).split(", ")
    goroutine = Goroutine(int(head.group(1)), words[0].removesuffix(" (scan)"), [])
    for word in words[1:]:
        if MINUTES.match(word):
            goroutine.minutes = int(MINUTES.match(word).group(1))
        goroutine.locked |= word == "locked to thread"
    return goroutine


def place_add(goroutine, pending, place):
    """The line with file and line number that belongs to the line before."""
    kind, name, extra = pending
    frame = Frame(plain_name(name), place.group(1), int(place.group(2)),
                  extra if kind == "frame" else False, int(place.group(5) or "0", 16))
    if kind == "frame":
        goroutine.frames.append(frame)
    else:
        goroutine.created_by, goroutine.created_in = frame, int(extra or 0)


def text_parse(text):
    """All goroutines in the order printed; one that a later thread prints again comes again."""
    goroutines, current, pending = [], None, None
    for line in text.splitlines():
        head, place, made = HEAD.match(line), PLACE.match(line), CREATED.match(line)
        if head:
            current, pending = head_parse(head), None
            goroutines.append(current)
        elif made and not current and goroutines and not goroutines[-1].frames:
            # "runtime: unknown pc" and an empty line stood in place of the frames
            current, pending = goroutines[-1], ("created", made.group(1), made.group(2))
        elif current is None:
            continue
        elif line.startswith("\tgoroutine running on other thread"):
            current.unavailable = True
        elif line.startswith("...") and "elided" in line:
            current.elided_after = len(current.frames)
        elif place and pending:
            place_add(current, pending, place)
            pending = None
        elif made:
            pending = ("created", made.group(1), made.group(2))
        elif line == "" or line.startswith(("rax ", "eax ", "r0 ", "-----")):
            current = None if line == "" else current
            pending = None
        else:
            found = frame_function(line)
            pending = ("frame", *found) if found else None
    return goroutines


def fatal_message(text):
    match = FATAL.search(text)
    return match.group(1) if match else ""


def detector_of(text):
    """The goroutine that died and its innermost frame outside the runtime: printed first."""
    goroutines = text_parse(text)
    for goroutine in goroutines:
        if goroutine.id == 0:
            continue
        for frame in goroutine.frames:
            if not is_runtime(frame):
                return goroutine, frame
        return goroutine, None
    return None, None
