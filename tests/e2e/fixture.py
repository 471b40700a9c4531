# SPDX-License-Identifier: Apache-2.0
"""What a fixture says about itself.

A fixture is a folder in tests/fixtures with a Go program (package main) whose main.go opens with a
header of `// key: value` lines. tests/fixtures/README.md explains the keys; this module reads them and
turns marks (`// @name` at the end of a source line) into line numbers.
"""

import dataclasses
import functools
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests" / "fixtures"
VERSIONS_FILE = ROOT / "tools" / "go_versions.txt"

CLASSES = ("easy", "hard", "innocent", "third-party")
SETS = ("development", "heldout", "after_freeze")
MAP_KINDS = {
    "concurrent_map_writes": "concurrent map writes",
    "concurrent_map_read_and_write": "concurrent map read and map write",
    "concurrent_map_iteration_and_write": "concurrent map iteration and map write",
    "concurrent_map_clone_and_write": "concurrent map clone and map write",
}
KINDS = set(MAP_KINDS) | {"nil_map_write", "not_a_map_fatal"}
KEYS = {"fixture", "set", "min_go", "max_go", "kind", "map", "racer", "dies", "kill", "cgo",
        "seconds", "env"}


class HeaderError(Exception):
    """The header of a fixture does not say what it should."""


def version_key(version):
    return tuple(int(part) for part in version.split("."))


def minor(version):
    return version_key(version)[:2]


@dataclasses.dataclass(frozen=True)
class Racer:
    """One side of the race: a function, which may end in `*`, and the lines where it touches the map."""
    role: str
    functions: tuple
    lines: frozenset  # of (file base name, line)
    module: str = ""
    file: str = ""
    code: str = ""

    def names(self, function):
        return any(name_matches(pattern, function) for pattern in self.functions)


@dataclasses.dataclass
class Fixture:
    name: str
    folder: pathlib.Path
    group: str
    set: str
    min_go: str
    max_go: str
    kinds: tuple
    map_type: str
    owners: tuple
    owner_type: str
    racers: tuple
    dies: str
    kill: str
    cgo: bool
    seconds: int
    env: dict

    @property
    def is_race(self):
        return any(kind in MAP_KINDS for kind in self.kinds)

    @property
    def is_module(self):
        return (self.folder / "go.mod").exists()

    def runs_on(self, version):
        if minor(version) < version_key(self.min_go)[:2]:
            return False
        return not self.max_go or minor(version) <= version_key(self.max_go)[:2]

    def writers(self):
        return [racer for racer in self.racers if racer.role == "writer"]


def plain_name(function):
    """Generic functions are `f[...]` in crash texts and `f[go.shape.int]` in tables."""
    out, depth = [], 0
    for char in function:
        if char == "[":
            if depth == 0:
                out.append("[...]")
            depth += 1
        elif char == "]" and depth > 0:
            depth -= 1
        elif depth == 0:
            out.append(char)
    return "".join(out)


def name_matches(pattern, function):
    # Go 1.9's own traceback says net/url.url.Values.Set of a method that was inlined from another package.
    function = re.sub(r"([^/.]+)\.\1\.(?=[A-Z(])", r"\1.", plain_name(function))
    if pattern.endswith("*") and not pattern.endswith("(*"):
        return function.startswith(pattern[:-1])
    return function == pattern


def read_header(path):
    fields = {}
    for line in path.read_text().splitlines():
        if not line.startswith("//"):
            break
        match = re.match(r"// ([a-z_]+): (.*)$", line)
        if match and match.group(1) in KEYS:
            fields.setdefault(match.group(1), []).append(match.group(2).strip())
    return fields


def read_marks(folder):
    marks = {}
    for path in sorted(folder.rglob("*.go")):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            found = re.search(r"// (@[a-z_0-9]+)$", line)
            if not found or line.startswith("//"):
                continue
            if found.group(1) in marks:
                raise HeaderError(f"{path}: mark {found.group(1)} stands on two lines")
            marks[found.group(1)] = (path.name, number)
    return marks


def parse_racer(text, marks, path):
    """`writer main.f main.g @mark @mark` or `writer module.f module=M file=F code=...` (code is last)."""
    code = ""
    if " code=" in text:
        text, code = text.split(" code=", 1)
    words = text.split()
    functions, lines, options = [], set(), {}
    for word in words[1:]:
        if word.startswith("@"):
            if word not in marks:
                raise HeaderError(f"{path}: no line carries the mark {word}")
            lines.add(marks[word])
        elif "=" in word:
            key, value = word.split("=", 1)
            options[key] = value
        else:
            functions.append(word)
    if words[0] not in ("reader", "writer") or not functions:
        raise HeaderError(f"{path}: racer: a role and a function are needed: {text}")
    return Racer(words[0], tuple(functions), frozenset(lines), options.get("module", ""),
                 options.get("file", ""), code)


def parse_map(text):
    match = re.match(r"type=(.*?)(?: owner=(\S+))?(?: owner_type=(\S+))?$", text)
    owners = tuple(match.group(2).split("|")) if match.group(2) else ()
    return match.group(1), owners, match.group(3) or ""


def fixture_read(folder):
    path = folder / "main.go"
    fields = read_header(path)

    def one(key, default=None):
        if key in fields:
            return fields[key][0]
        if default is None:
            raise HeaderError(f"{path}: the header has no '{key}:'")
        return default

    kinds = tuple(kind.strip() for kind in one("kind").split("|"))
    if not set(kinds) <= KINDS or one("fixture") not in CLASSES:
        raise HeaderError(f"{path}: unknown kind or class")
    if one("set") not in SETS:
        raise HeaderError(f"{path}: 'set:' is one of {', '.join(SETS)}")
    map_type, owners, owner_type = parse_map(one("map", "")) if "map" in fields else ("", (), "")
    marks = read_marks(folder)
    env = dict(word.split("=", 1) for text in fields.get("env", []) for word in text.split())
    return Fixture(
        name=folder.name, folder=folder, group=one("fixture"), set=one("set"),
        min_go=one("min_go"), max_go=one("max_go", ""), kinds=kinds, map_type=map_type,
        owners=owners, owner_type=owner_type,
        racers=tuple(parse_racer(text, marks, path) for text in fields.get("racer", [])),
        dies=one("dies", ""), kill=one("kill", ""), cgo=one("cgo", "no") == "yes",
        seconds=int(one("seconds", "10")), env=env)


@functools.lru_cache(maxsize=None)
def fixtures_read():
    """Every folder whose main.go states its truth; other samples live beside them."""
    return [fixture_read(path.parent) for path in sorted(FIXTURES.glob("*/main.go"))
            if "fixture" in read_header(path)]


def fixture_named(name):
    for fixture in fixtures_read():
        if fixture.name == name:
            return fixture
    raise SystemExit(f"no fixture is called {name}; tests/fixtures lists them")


def versions_read():
    """One version a line in tools/go_versions.txt; # begins a comment."""
    versions = []
    for line in VERSIONS_FILE.read_text().splitlines():
        word = line.split("#")[0].split()
        if word:
            versions.append(word[0].lstrip("go"))
    return sorted(versions, key=version_key)
