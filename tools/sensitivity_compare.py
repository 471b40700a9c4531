#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Is docs/SENSITIVITY.md borne out by another run?

    mapfault sensitivity --runs 10 --minutes 60 -o again
    tools/sensitivity_compare.py docs/SENSITIVITY.md again/state.jsonl            print the comparison
    tools/sensitivity_compare.py docs/SENSITIVITY.md again/state.jsonl --write    put it into the page

The page's tables are the first run. Its last section, on the spread, is written by this program.
"""

import argparse
import collections
import json
import math
import pathlib
import re
import statistics

STEPS = [2, 4, 8, 16, 32, 64]
NEVER = len(STEPS)  # the step after the last: not even with 64
SHARE, HALF, NEARLY_ALL = "Noticed with two goroutines", "Goroutines until at least half", "Goroutines until at least 99"
SILENT = "Not noticed, and wrong in silence"
SPREAD = "## Spread\n"
SWISS = (1, 24)
NINE_OF_TEN = 1.645  # standard deviations that so many differences stay within


def table_read(page, title):
    """(release, race) → the cell's words, of the section whose heading begins so."""
    section = page[page.index(f"## {title}"):].split("\n## ")[0]
    rows = [[word.strip() for word in line.strip().strip("|").split("|")]
            for line in section.splitlines() if line.startswith("|")]
    races, cells = rows[0][1:], {}
    for row in rows[2:]:
        cells.update({(row[0], race): word for race, word in zip(races, row[1:]) if word})
    return cells


def label(name):
    return name.replace("_write", " + write").replace("_", " ")


def run_read(path):
    """(release, race, goroutines, GOMAXPROCS) → cell."""
    cells = {}
    for line in path.read_text().splitlines():
        cell = json.loads(line)
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


def line_of(what, stated, unit, differences, alone):
    within = sum(difference <= stated for difference in differences)
    return f"| {what} | {stated} {unit} | {within} of {len(differences)} | {alone} | " \
           f"{statistics.median(differences):.0f} | {max(differences):.0f} |"


def shares_compare(page, run, runs):
    """Lines about the share noticed by two goroutines: one cell, one release, one race, all."""
    pairs = {}
    for (release, race), word in table_read(page, SHARE).items():
        cell = run.get((release, race, 2, 2))
        if cell:
            pairs[release, race] = float(word), share([cell])
    for what, stated, key in (("noticed, one release and race", 50, lambda p: p), ("noticed, one release", 25, lambda p: p[0]),
                              ("noticed, one race", 15, lambda p: p[1]), ("noticed, all", 5, lambda p: "")):
        sums = groups(pairs, key).values()
        yield line_of(what, stated, "points", [abs(a - b) for _, a, b in sums], luck(max(n for n, _, _ in sums), runs))


def steps_compare(page, run):
    for what, stated, title, wanted in (("goroutines until half", 1, HALF, 0.5),
                                        ("goroutines until 99 %", 3, NEARLY_ALL, 0.99)):
        apart = []
        for (release, race), word in table_read(page, title).items():
            step = step_measured(run, release, race, wanted)
            if step is not None:
                apart.append(abs(step - step_of(word)))
        yield line_of(what, stated, "steps" if stated > 1 else "step", apart, "")


def minor(release):
    return tuple(int(part) for part in release.split(".")[:2])


def claims(page, run):
    """What the page's first section says, of the first run and of the other one."""
    first = {pair: float(word) for pair, word in table_read(page, SHARE).items()}
    again = {(release, race): share([cell]) for (release, race, n, procs), cell in run.items() if (n, procs) == (2, 2)}
    for name, pick in (
            ("two goroutines, noticed on the mean", lambda s: f"{statistics.mean(s.values()):.0f} %"),
            ("pairs of release and race noticed in every run",
             lambda s: f"{sum(v == 100 for v in s.values())} of {len(s)}"),
            ("pairs noticed in none", lambda s: f"{sum(v == 0 for v in s.values())} of {len(s)}"),
            ("up to Go 1.23", lambda s: f"{statistics.mean(v for p, v in s.items() if minor(p[0]) < SWISS):.0f} %"),
            ("from Go 1.24 on", lambda s: f"{statistics.mean(v for p, v in s.items() if minor(p[0]) >= SWISS):.0f} %")):
        yield f"| {name} | {pick(first)} | {pick(again)} |"
    words = table_read(page, NEARLY_ALL)
    steps = [step_measured(run, *pair, 0.99) for pair in words]
    known = [step for step in steps if step is not None]
    yield f"| pairs that never come to 99 % | {sum(w == 'none' for w in words.values())} of {len(words)} | " \
          f"{sum(step == NEVER for step in known)} of {len(known)} |"
    silent = [list(map(int, word.split("/"))) for word in table_read(page, SILENT).values()]
    quiet = sum(cell["runs"] - cell["detected"] for cell in run.values())
    wrong = sum(cell["silently_wrong"] + cell["died_otherwise"] for cell in run.values())
    hung = sum(cell["hung"] for cell in run.values())
    yield f"| not noticed and wrong, of all not noticed | {sum(w for w, _ in silent)} of {sum(q for _, q in silent)} | " \
          f"{wrong} of {quiet}{f', and {hung} did not end in time' if hung else ''} |"
    for procs in (1, 4):
        few = [share([c for (_, _, n, p), c in run.items() if (n, p) == (goroutines, procs)]) for goroutines in (2, 16)]
        if any(p == procs for _, _, _, p in run):
            yield f"| GOMAXPROCS {procs}, two and sixteen goroutines | {gomaxprocs_claim(page, procs)} | " \
                  f"{few[0]:.0f} % and {few[1]:.0f} % |"


def gomaxprocs_claim(page, procs):
    """The first section has these in a sentence."""
    text = " ".join(page.split())
    found = re.search(r"With two goroutines (\d+ %) of the runs were noticed, with sixteen (\d+ %)", text) if procs == 1 \
        else re.search(r"with 4 on the two processors: (\d+ %) and (\d+ %)", text)
    return f"{found.group(1)} and {found.group(2)}"


SECTION = SPREAD + """A second run, with `mapfault sensitivity --runs {runs} -o again` on the same machine, as busy: {measured} runs in {cells} cells, among them
all cells with GOMAXPROCS 2 of all releases. `tools/sensitivity_compare.py docs/SENSITIVITY.md again/state.jsonl --write` wrote what follows.

The runs of a cell come one after another and share whatever else the machine does meanwhile, so that two measurements of a
cell or of a release differ by more than luck: take a figure as good to the spread that is stated here, nine times of ten.

| | stated spread | second run within it | luck alone | median difference | largest |
|---|---|---|---:|---:|---:|
{spread}

Steps are 2, 4, 8, 16, 32, 64 goroutines, and none. A single cell says little, and a single release not much more: the means over races and
over everything are what can be compared.

| claim above | first run | second run |
|---|---|---|
{claims}
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("page", type=pathlib.Path)
    parser.add_argument("state", type=pathlib.Path)
    parser.add_argument("--write", action="store_true", help="replace the page's last section")
    options = parser.parse_args()
    page, run = options.page.read_text(), run_read(options.state)
    runs = max(cell["runs"] for cell in run.values())
    section = SECTION.format(runs=runs, measured=sum(cell["runs"] for cell in run.values()), cells=len(run),
                             spread="\n".join([*shares_compare(page, run, runs), *steps_compare(page, run)]),
                             claims="\n".join(claims(page, run)))
    print(section)
    if options.write:
        options.page.write_text(page[:page.index(SPREAD)] + section)


if __name__ == "__main__":
    main()
