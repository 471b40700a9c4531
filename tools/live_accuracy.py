#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How often is mapfault right at the stop? Lets fixtures die under `mapfault run` and counts, as tools/accuracy.py does.

    tools/live_accuracy.py --spread 2                       every fixture with two versions
    tools/live_accuracy.py --group hard --versions 1.22.12 --repeat 3
    tools/live_accuracy.py --only-report                    the tables of the results so far
    tools/live_accuracy.py --only-report --write docs/LIVE.md     and into the page

Times from the hit to the verdict are kept in the results, and told at the end.
"""

import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

import accuracy  # noqa: E402
from page import part_replace, table  # noqa: E402
from judge import Judgement, race_judge, racer_is, side_in  # noqa: E402
from run import CrashFolder  # noqa: E402
from tool import tool_run  # noqa: E402
from toolchain import program_build  # noqa: E402
from watched import run_watched  # noqa: E402

PERCENTILES = (10, 50, 90, 99)
TABLES = ("By class", "Races by Go", "Races by rule")


def both_at_the_fatal(fixture, version, report):
    """Two goroutines of the header stood at the fatal at once: each is the other's other side."""
    detector, other = side_in(report, "detector"), side_in(report, "other")
    return (other is not None and other["rule"] == "second_detector"
            and detector["goroutine"]["id"] != other["goroutine"]["id"]
            and any(racer_is(racer, detector, version) for racer in fixture.racers)
            and any(racer_is(racer, other, version) for racer in fixture.writers()))


def live_judge(options, fixture, version, variant, number):
    if not fixture.is_race:
        return Judgement("void", {}, "no race")
    app = program_build(fixture, version, variant)
    with CrashFolder() as folder:
        crash, report, times = run_watched(fixture, app, folder)
    crash.version = version
    if not report:
        return Judgement("void", {}, "it did not die of a map in its time")
    judgement = race_judge(fixture, crash, report)
    if judgement.outcome != "right" and both_at_the_fatal(fixture, version, report):
        judgement.outcome = "right"  # once they run on, it is chance which of the two prints its stack
    if times:
        judgement.words += f"; times {times[0]:.0f} us {times[1]:.1f} ms"
    if options.inspect and judgement.outcome in ("wrong", "missed"):
        options.inspect.mkdir(parents=True, exist_ok=True)
        kept = options.inspect / f"{fixture.name}-{version}-{variant}-{number}.json"
        kept.write_text(json.dumps(report, indent=1) + "\n" + crash.text)
    return judgement


def times_of(rows):
    found = [row["words"].rsplit("; times ", 1)[1].split() for row in rows if "; times " in row["words"]]
    for name, column in (("from the hit to all threads stopped, µs", 0), ("from there to the verdict, ms", 2)):
        values = sorted(float(words[column]) for words in found)
        if values:
            yield [name] + [f"{values[min(len(values) - 1, len(values) * p // 100)]:g}" for p in PERCENTILES]


def times_table(rows):
    return table([[""] + [f"{p} %" for p in PERCENTILES], *times_of(rows)])


def races_of(rows):
    return [row for row in rows if row["group"] != "innocent"]


def page_write(path, rows):
    rows = races_of(rows)
    about = (f"{len(rows)} deaths under `mapfault run`, {len({row['fixture'] for row in rows})} programs, "
             f"{len({row['version'] for row in rows})} Go releases, default builds; the machine's 2 processors were busy with "
             "other work. The columns are those of docs/ACCURACY.md.")
    tables = [f"### {title}\n\n{accuracy.table_text(lines)}" for title, lines in accuracy.tables_of(rows)
              if lines and title.startswith(TABLES)]
    part_replace(path, "accuracy", "\n\n".join([about, *tables, "### Times", times_table(rows)]))


def tables_show(rows):
    accuracy.tables_show(races_of(rows))
    print(f"\n{times_table(rows)}")


if __name__ == "__main__":
    tool_run(lambda: accuracy.measure(accuracy.options_parse(__doc__, "live_accuracy.jsonl", ["accuracy"]), live_judge,
                                      tables_show, page_write))
