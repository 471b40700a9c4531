# SPDX-License-Identifier: Apache-2.0
"""Profiles as read by mapfault, value for value against `go tool pprof -raw`.

tests/agreement/profiles writes every kind of profile in every form; MAPFAULT_FULL=1 takes every Go
version. MAPFAULT_BUILD names the build folder (default: build).
"""

import collections
import functools
import json
import os
import pathlib
import re
import subprocess
import types

import pytest

from fixture import ROOT, minor, versions_read
from judge import mapfault_path
from toolchain import go_environment, program_build, toolchain_get

FULL = int(os.environ.get("MAPFAULT_FULL", "0"))
CHOSEN = {(1, 9), (1, 18), (1, 27)}
READER_OF_ALL = "1.26.8"  # its pprof reads what every release wrote
TOOLS = pathlib.Path(os.environ.get("MAPFAULT_BUILD", ROOT / "build")) / "tests" / "agreement"
PROGRAM = types.SimpleNamespace(name="profiles", folder=ROOT / "tests" / "agreement" / "profiles",
                                cgo=False, is_module=False)


def run(command, env=None, check=True):
    return subprocess.run([str(c) for c in command], check=check, text=True, env=env,
                          errors="surrogateescape", stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL).stdout


@functools.lru_cache(maxsize=None)
def pprof():
    """The program behind `go tool pprof`, which newer releases build when they are first asked."""
    folder = toolchain_get(READER_OF_ALL)
    env = go_environment(READER_OF_ALL, folder, False)
    run([folder / "bin" / "go", "tool", "pprof", "-h"], env, check=False)
    return run([folder / "bin" / "go", "tool", "-n", "pprof"], env).strip()


def raw_of(path):
    env = {**os.environ, "PPROF_BINARY_PATH": "/nonexistent"}
    return run([pprof(), "-symbolize=none", "-raw", path], env, check=False)


def labels_read(line):
    """tenant:[t0] bytes:[64]; a label that is 0 or empty is none."""
    return frozenset((key, value) for key, value in re.findall(r"(\S+?):\[([^\]]*)\]", line)
                     if value not in ("0", ""))


def theirs_read(text):
    """Facts of -raw: header lines, samples by stack and labels, locations by address, mappings."""
    head, body, places, mappings = re.split(r"(?m)^(?:Samples:|Locations|Mappings)\n", text)
    addresses, lines = {}, collections.defaultdict(list)
    for line in places.splitlines():
        match = re.match(r"\s*(\d+): (0x[0-9a-f]+) (?:M=\d+ )?(.*)", line)
        if match:
            number = match.group(1)
            addresses[number] = match.group(2)[2:]
            line = match.group(3)
        if line.strip():
            lines[addresses[number]].append(
                re.match(r"(.*):(\d+):\d+ s=\d+", line.strip()).expand(r"\1:\2"))
    types_line, *body = body.rstrip().splitlines()
    samples = []
    for line in body:
        match = re.match(r"\s*(-?\d+(?:\s+-?\d+)*):([\d ]*)$", line)
        if match:
            stack = tuple(addresses[number] for number in match.group(2).split())
            samples.append([stack, tuple(map(int, match.group(1).split())), frozenset()])
        else:
            samples[-1][2] |= labels_read(line)
    files = [m for m in mappings.splitlines() if m]
    return {"types": types_line.split(), "period": re.search(r"Period: (\d+)", head).group(1),
            "samples": summed(samples), "lines": dict(lines), "mappings": files}


def summed(samples):
    sums = {}
    for stack, values, labels in samples:
        before = sums.get((stack, labels), (0,) * len(values))
        sums[stack, labels] = tuple(map(sum, zip(before, values)))
    return {key: values for key, values in sums.items() if any(values)}


def ours_read(text):
    facts = {"lines": {}, "mappings": []}
    samples = []
    for line in text.splitlines():
        word, _, rest = line.partition(" ")
        if word == "sample":
            values, _, stack = rest.partition(" @")
            stack, *labels = stack.split("|")
            labels = (label.partition("=")[::2] for label in labels)
            samples.append((tuple(stack.split()), tuple(map(int, values.split())),
                            frozenset((k, v.strip()) for k, v in labels if v not in ("0", ""))))
        elif word == "location":
            address, *lines = rest.split("|")
            if lines:
                facts["lines"][address.split()[0]] = [named.strip() for named in lines]
        elif word == "mapping":
            facts["mappings"].append(rest)
        else:
            facts[word] = rest.split() if word == "types" else rest
    facts["samples"] = summed(samples)
    return facts


def without_labels(samples):
    return summed((stack, values, frozenset()) for (stack, _), values in samples.items())


def compare(path):
    raw = raw_of(path)
    if path.name == "threadcreate.txt" and not raw:
        return 0  # stacks without a frame are no profile to pprof
    ours, theirs = ours_read(run([TOOLS / "profdump", path])), theirs_read(raw)
    assert ours["types"] == theirs["types"]
    assert ours["period"] == theirs["period"]
    if path.name == "goroutine.txt":  # pprof takes its labels for comments
        ours["samples"] = without_labels(ours["samples"])
    for (stack, labels), values in theirs["samples"].items():
        assert ours["samples"].get((stack, labels)) == values, (path, stack, labels)
    assert len(ours["samples"]) == len(theirs["samples"])
    if path.suffix == ".gz":  # pprof reads no symbols from the text forms
        assert ours["lines"] == theirs["lines"]
        for mapping in theirs["mappings"] if ours["mappings"] else []:  # pprof makes up a first one
            assert any(mapping.startswith(m.strip()) for m in ours["mappings"]), mapping
    return len(ours["samples"])


@pytest.mark.parametrize("version", [v for v in versions_read() if FULL or minor(v) in CHOSEN])
def test_raw(version, tmp_path):
    program = program_build(PROGRAM, version)
    subprocess.run([str(program), str(tmp_path)], check=True)
    written = sorted(tmp_path.iterdir())
    assert len(written) == (12 if minor(version) >= (1, 11) else 10)
    assert sum(compare(path) for path in written) > 100


def test_text_says_what_protobuf_says(tmp_path):
    """Frames that the text form names, and labels, are those of the protobuf form."""
    subprocess.run([str(program_build(PROGRAM, READER_OF_ALL)), str(tmp_path)], check=True)
    text = ours_read(run([TOOLS / "profdump", tmp_path / "goroutine.txt"]))
    packed = ours_read(run([TOOLS / "profdump", tmp_path / "goroutine.pb.gz"]))
    named = [address for address in text["lines"] if address in packed["lines"]]
    assert len(named) >= 4
    for address in named:
        assert packed["lines"][address][0] == text["lines"][address][0]
    labelled = collections.Counter({labels: values[0] for (_, labels), values in text["samples"].items()})
    for tenant in "t0", "t1", "t2":
        assert labelled[frozenset({("tenant", tenant), ("odd", 'say "hi"\\')})] == 100


@pytest.mark.parametrize("form", ["pb.gz", "txt"])
@pytest.mark.parametrize("with_program", [False, True])
def test_goroutines(form, with_program, tmp_path):
    """The program starts 300 goroutines with labels at one place and 100 without at another."""
    app = program_build(PROGRAM, READER_OF_ALL)
    subprocess.run([str(app), str(tmp_path)], check=True)
    evidence = [tmp_path / f"goroutine.{form}", *([app] if with_program else [])]
    listed = json.loads(run([mapfault_path(), "goroutines", "--json", *evidence]))["goroutines"]
    by_tenant = {g["labels"]["tenant"]: g["count"] for g in listed if g["labels"]}
    assert by_tenant == {"t0": 100, "t1": 100, "t2": 100}
    waiting = [g for g in listed if any(f["function"] == "main.main.func2" for f in g["stack"])]
    assert [g["count"] for g in waiting] == [100] and waiting[0]["id"] is None
    if with_program or form == "pb.gz":  # the runtime's own frames
        assert waiting[0]["stack"][0]["function"] == "runtime.gopark"
    text = run([mapfault_path(), "goroutines", *evidence])
    assert "100 goroutines  odd=say" in text and "tenant=t2" in text


def test_goroutines_of_another_kind(tmp_path):
    subprocess.run([str(program_build(PROGRAM, READER_OF_ALL)), str(tmp_path)], check=True)
    done = subprocess.run([str(mapfault_path()), "goroutines", str(tmp_path / "heap.pb.gz")], text=True,
                          capture_output=True)
    assert done.returncode == 2 and "mapfault growth" in done.stderr
