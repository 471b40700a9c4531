#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Is docs/SENSITIVITY.md borne out by other runs?

    mapfault sensitivity --runs 10 --minutes 60 -o again
    tools/sensitivity_compare.py docs/SENSITIVITY.md again/state.jsonl third/state.jsonl            print the comparison
    tools/sensitivity_compare.py docs/SENSITIVITY.md again/state.jsonl third/state.jsonl --write    put it into the page

The page's tables are the first run; those of its last section, on the spread, are written by this program.
"""

import argparse
import collections
import dataclasses
import math
import pathlib
import re
import statistics
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

from choice import a_file  # noqa: E402
from page import page_of, part_replace, table  # noqa: E402
from results import rows_read  # noqa: E402
from tool import tool_run  # noqa: E402

STEPS = [2, 4, 8, 16, 32, 64]
NEVER = len(STEPS)  # the step after the last: not even with 64
SHARE, HALF, NEARLY_ALL = "Noticed with two goroutines", "Goroutines until at least half", "Goroutines until at least 99"
SILENT = "Not noticed, and wrong in silence"
ORDINALS = ("second", "third", "fourth", "fifth")
SWISS = (1, 24)
NINE_OF_TEN = 1.645  # standard deviations that so many differences stay within


def page_table(page, title):
    """(release, race) → the cell's words, of the section whose heading begins so."""
    section = page[page.index(f"## {title}"):].split("\n## ")[0]
    rows = [[word.strip() for word in line.strip().strip("|").split("|")]
            for line in section.splitlines() if line.startswith("|")]
    races, cells = rows[0][1:], {}
    for row in rows[2:]:
        cells.update({(row[0], race): word for race, word in zip(races, row[1:]) if word})
    return cells


@dataclasses.dataclass
class Spread:
    """How far the figures of one kind lie from the page's."""
    what: str
    stated: int
    unit: str
    luck: str  # what that alone would be
    differences: list

    def cells(self):
        within = sum(difference <= self.stated for difference in self.differences)
        return (f"{within} of {len(self.differences)}",
                f"{statistics.median(self.differences):.0f}, {max(self.differences):.0f}")


def label(name):
    return name.replace("_write", " + write").replace("_", " ")


def run_read(path):
    """(release, race, goroutines, GOMAXPROCS) → cell."""
    cells = {}
    for cell in rows_read(path):
        cells[cell["go"], label(cell["race"]), cell["goroutines"], cell["procs"]] = cell
    return cells


def share(cells):
    runs = sum(cell["runs"] for cell in cells)
    return 100 * sum(cell["detected"] for cell in cells) / runs if runs else 0


def step_of(word):
    return STEPS.index(int(word)) if word.isdigit() else NEVER


def step_measured(run, release, race, wanted):
    """The first step with enough; None where the cells up to it were not all measured."""
    for step, goroutines in enumerate(STEPS):
        cell = run.get((release, race, goroutines, 2))
        if cell is None:
            return None
        if cell["detected"] >= wanted * cell["runs"]:
            return step
    return NEVER


def luck(cells, runs):
    """What luck alone lets a mean of so many cells differ by between two runs, in points, nine times of ten."""
    return math.ceil(100 * NINE_OF_TEN * math.sqrt(2 * 0.25 / (runs * cells)))


def groups(pairs, key):
    sums = collections.defaultdict(list)
    for pair, both in pairs.items():
        sums[key(pair)].append(both)
    return {name: (len(rows), *(statistics.mean(row[i] for row in rows) for i in (0, 1)))
            for name, rows in sums.items()}


def shares_compare(page, run):
    """Of the share noticed by two goroutines: one cell, one release, one race, all."""
    pairs = {}
    for (release, race), word in page_table(page, SHARE).items():
        cell = run.get((release, race, 2, 2))
        if cell:
            pairs[release, race] = float(word), share([cell])
    runs = max(cell["runs"] for cell in run.values())
    for what, stated, key in (("noticed, one release and race", 60, lambda p: p), ("noticed, one release", 35, lambda p: p[0]),
                              ("noticed, one race", 25, lambda p: p[1]), ("noticed, all", 20, lambda p: "")):
        sums = groups(pairs, key).values()
        yield Spread(what, stated, "points", str(luck(max(n for n, _, _ in sums), runs)), [abs(a - b) for _, a, b in sums])


def steps_compare(page, run):
    for what, stated, title, wanted in (("goroutines until half", 2, HALF, 0.5),
                                        ("goroutines until 99 %", 4, NEARLY_ALL, 0.99)):
        apart = []
        for (release, race), word in page_table(page, title).items():
            step = step_measured(run, release, race, wanted)
            if step is not None:
                apart.append(abs(step - step_of(word)))
        yield Spread(what, stated, "steps" if stated > 1 else "step", "", apart)


def spread_rows(page, runs):
    """How far the runs lie from the page's tables."""
    yield ["", "stated spread", "luck alone",
           *(word for name in ORDINALS[:len(runs)] for word in (f"{name} run within it", "median, largest"))]
    for same in zip(*([*shares_compare(page, run), *steps_compare(page, run)] for run in runs)):
        cells = [word for spread in same for word in spread.cells()]
        yield [same[0].what, f"{same[0].stated} {same[0].unit}", same[0].luck, *cells]


def minor(release):
    return tuple(int(part) for part in release.split(".")[:2])


def claims(page, run):
    """What the page's first section says: (claim, by the page, by the run)."""
    first = {pair: float(word) for pair, word in page_table(page, SHARE).items()}
    again = {(release, race): share([cell]) for (release, race, n, procs), cell in run.items() if (n, procs) == (2, 2)}
    for name, pick in (
            ("two goroutines, noticed on the mean", lambda s: f"{statistics.mean(s.values()):.0f} %"),
            ("pairs of release and race noticed in every run",
             lambda s: f"{sum(v == 100 for v in s.values())} of {len(s)}"),
            ("pairs noticed in none", lambda s: f"{sum(v == 0 for v in s.values())} of {len(s)}"),
            ("up to Go 1.23", lambda s: f"{statistics.mean(v for p, v in s.items() if minor(p[0]) < SWISS):.0f} %"),
            ("from Go 1.24 on", lambda s: f"{statistics.mean(v for p, v in s.items() if minor(p[0]) >= SWISS):.0f} %")):
        yield name, pick(first), pick(again)
    words = page_table(page, NEARLY_ALL)
    steps = [step_measured(run, *pair, 0.99) for pair in words]
    known = [step for step in steps if step is not None]
    yield ("pairs that never come to 99 %", f"{sum(w == 'none' for w in words.values())} of {len(words)}",
           f"{sum(step == NEVER for step in known)} of {len(known)}")
    silent = [list(map(int, word.split("/"))) for word in page_table(page, SILENT).values()]
    yield ("not noticed and wrong, of all not noticed", f"{sum(w for w, _ in silent)} of {sum(q for _, q in silent)}",
           silent_claim(run))
    for procs in (1, 4):
        few = [[c for (_, _, n, p), c in run.items() if (n, p) == (goroutines, procs)] for goroutines in (2, 16)]
        yield (f"GOMAXPROCS {procs}, two and sixteen goroutines", gomaxprocs_claim(page, procs),
               " and ".join(f"{share(cells):.0f} %" if cells else "not measured" for cells in few))


def silent_claim(run):
    quiet = sum(cell["runs"] - cell["detected"] for cell in run.values())
    wrong = sum(cell["silently_wrong"] + cell["died_otherwise"] for cell in run.values())
    hung = sum(cell["hung"] for cell in run.values())
    return f"{wrong} of {quiet}{f', and {hung} did not end in time' if hung else ''}"


def claim_rows(page, runs):
    yield ["claim above", "first run", *(f"{name} run" for name in ORDINALS[:len(runs)])]
    for same in zip(*(claims(page, run) for run in runs)):
        yield [same[0][0], same[0][1], *(words for _, _, words in same)]


def gomaxprocs_claim(page, procs):
    """The first section has these in a sentence."""
    text = " ".join(page.split())
    found = re.search(r"With two goroutines (\d+ %) of the runs were noticed, with sixteen (\d+ %)", text) if procs == 1 \
        else re.search(r"with 4 on the two processors: (\d+ %) and (\d+ %)", text)
    return f"{found.group(1)} and {found.group(2)}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("page", type=page_of("spread"))
    parser.add_argument("states", type=a_file, nargs="+", metavar="state.jsonl", help="of the second run, of the third ...")
    parser.add_argument("--write", action="store_true", help="put the tables into the page")
    options = parser.parse_args()
    if len(options.states) > len(ORDINALS):
        parser.error(f"at most {len(ORDINALS)} runs can be compared")
    page, runs = options.page.read_text(), [run_read(path) for path in options.states]
    sizes = "\n".join(f"{name} run: {sum(cell['runs'] for cell in run.values())} runs in {len(run)} cells"
                      for name, run in zip(ORDINALS, runs))
    text = f"{table(spread_rows(page, runs))}\n\n{table(claim_rows(page, runs))}"
    print(f"{sizes}\n\n{text}")
    if options.write:
        part_replace(options.page, "spread", text)


if __name__ == "__main__":
    tool_run(main)
