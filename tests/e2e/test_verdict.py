# SPDX-License-Identifier: Apache-2.0
"""Every racing fixture, with one Go version or two: does the verdict agree with its header?

tools/accuracy.py counts over all versions; here a run fails when the report is wrong about something
that is never a matter of luck: kind, detector, and any name given as proven or likely. What the evidence may
no longer hold, the other side and the map, may be missed now and then.
"""

import collections

import pytest
from conftest import spread
from fixture import SETS, fixture_named
from harness import crash_of
from judge import crash_judge

# How many fixtures of this spread may end without a name; a wrong name is never allowed. The programs
# after the freeze are as hard as their authors could think of: docs/ACCURACY.md has the figures.
MISSED_PERCENT = {"development": 15, "heldout": 20, "after_freeze": 50}
missed, judged = collections.defaultdict(list), collections.Counter()


@pytest.mark.slow
@pytest.mark.parametrize("name,version,variant", spread(("easy", "hard", "third-party")))
def test_verdict(name, version, variant):
    fixture = fixture_named(name)
    with crash_of(fixture, version, variant) as crash:
        judgement, report = crash_judge(fixture, crash)
    if judgement.outcome == "void":
        pytest.skip(judgement.words)
    judged[fixture.set] += 1
    lost = [check for check in ("address", "type") if judgement.checks[check] is False]
    if judgement.outcome == "missed" or lost:
        missed[fixture.set].append(f"{name} {version} {variant}: {judgement.words}")
    assert judgement.outcome in ("right", "missed"), (judgement.words, report)
    for check in ("kind", "detector"):
        assert judgement.checks[check] is not False, (check, judgement, report)


@pytest.mark.parametrize("name", SETS)
def test_few_are_missed(name):
    if not judged[name]:
        pytest.skip("no verdict was judged")
    assert len(missed[name]) * 100 <= MISSED_PERCENT[name] * judged[name], missed[name]
