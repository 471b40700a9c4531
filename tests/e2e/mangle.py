# SPDX-License-Identifier: Apache-2.0
"""What log systems make of a crash's text: each mangler takes text and gives bytes.

Each says in `loses` what can't be had back: "blank lines", "tabs". None of that may change a goroutine.
"""

import gzip
import json
import random

OTHERS = ["GET /healthz 200 1.2ms", "level=info msg=\"cache refreshed\" keys=18", "worker(3) done",
          "2026-11-25 03:04:05 INFO starting (attempt 2)", "", "{\"level\":\"info\",\"msg\":\"tick\"}"]
OTHER_DUMP = """goroutine 90001 [select]:
other.loop(0xc000123450)
\t/src/other/loop.go:12 +0x1d
created by other.start in goroutine 90000
\t/src/other/start.go:7 +0x2c
"""
PART_BYTES = 120


def lines_of(text):
    return text.removesuffix("\n").split("\n")


def woven(lines, chance, dice, others):
    """Lines of others between, never a number of them in a row that stops a reader from waiting."""
    for line in lines:
        yield "ours", line
        if dice.random() < chance:
            yield "theirs", dice.choice(others)


def docker(text, dice):
    """docker's json-file driver, long lines in parts."""
    out = []
    for who, line in woven(lines_of(text), 0.05, dice, OTHERS):
        line += "\n"
        for at in range(0, len(line), 4 * PART_BYTES):
            out.append(json.dumps({"log": line[at:at + 4 * PART_BYTES], "stream": "stderr",
                                   "time": "2026-11-25T03:04:05.678901234Z"}, separators=(",", ":")))
    return ("\n".join(out) + "\n").encode()


def cri(text, dice):
    """A container runtime's file as kubelet keeps it, long lines in parts marked P."""
    out = []
    for who, line in woven(lines_of(text), 0.05, dice, OTHERS):
        parts = [line[at:at + PART_BYTES] for at in range(0, len(line), PART_BYTES)] or [""]
        for part in parts[:-1]:
            out.append(f"2026-11-25T03:04:05.678901234Z stderr P {part}")
        out.append(f"2026-11-25T03:04:05.678901234Z stderr F {parts[-1]}")
    return ("\n".join(out) + "\n").encode()


def kubectl(text, dice):
    """kubectl logs --prefix --timestamps of two pods at once."""
    names = {"ours": "[pod/shop-7f9c-x2x/app]", "theirs": "[pod/shop-7f9c-q8w/app]"}
    return "".join(f"{names[who]} 2026-11-25T03:04:05.678901234Z {line}\n"
                   for who, line in woven(lines_of(text), 0.3, dice, OTHERS + lines_of(OTHER_DUMP))
                   if who == "ours" or "(" not in line or "goroutine" in line).encode()


def journald(text, dice):
    """journalctl -o short, another process's dump woven into this one."""
    theirs, out = iter(lines_of(OTHER_DUMP)), []
    for line in lines_of(text):
        out.append(f"Nov 25 03:04:05 node-3 shop[4242]: {line}")
        other = next(theirs, None) if dice.random() < 0.5 else None
        if other is not None:
            out.append(f"Nov 25 03:04:05 node-3 other[77]: {other}")
    return ("\n".join(out) + "\n").encode()


def syslog(text, dice):
    """rsyslog's file: control characters by number, spaces at line ends lost."""
    return "".join(f"2026-11-25T03:04:05.678901+01:00 node-3 shop[4242]: {line}".rstrip() + "\n"
                   for line in lines_of(text)).replace("\t", "#011").encode()


def json_record(text, dice):
    """A logger that was handed all of standard error as one message."""
    before = json.dumps({"level": "info", "msg": "starting", "ts": 1.5})
    return (before + "\n" + json.dumps({"level": "error", "ts": 2.5, "msg": text}) + "\n").encode()


def terminal(text, dice):
    """Copied from a coloured terminal of a Windows machine, each line with a time, packed."""
    coloured = "".join(f"2026/11/25 03:04:05 \x1b[31m{line}\x1b[0m\r\n" for line in lines_of(text))
    return gzip.compress(("﻿" + coloured).encode("utf-16-le"))


def stripped(text, dice):
    """A collector that trims lines and drops empty ones, behind a prefix of its own making."""
    return "".join(f"<<{number}>> {line.strip()}\n"
                   for number, line in enumerate(lines_of(text), 1000) if line.strip()).encode()


MANGLERS = {"docker": docker, "cri": cri, "kubectl": kubectl, "journald": journald, "syslog": syslog,
            "json_record": json_record, "terminal": terminal, "stripped": stripped}
LOSES = {"stripped": "tabs and blank lines", "syslog": "spaces at line ends"}


def mangle(name, text):
    return MANGLERS[name](text, random.Random(name))
