# SPDX-License-Identifier: Apache-2.0
"""Programs that did not die of a map race: nobody may be accused."""

import pytest
from conftest import spread
from fixture import fixture_named
from harness import crash_of
from judge import crash_judge


def headlines(text):
    """What the runtime says that it dies of; a program may have printed more lines of that kind."""
    return [line.split(" [recovered")[0] for line in text.splitlines()
            if line.startswith(("fatal error: ", "panic: ", "SIG"))]


@pytest.mark.slow
@pytest.mark.parametrize("name,version,variant", spread(("innocent",)))
def test_innocent(name, version, variant):
    fixture = fixture_named(name)
    with crash_of(fixture, version, variant) as crash:
        judgement, report = crash_judge(fixture, crash)
    if judgement.outcome == "void":
        pytest.skip(judgement.words)
    assert judgement.outcome == "right", (judgement, report)
    message = report["verdict"]["message"] or ""
    assert any(message.startswith(line) for line in headlines(crash.text)), (message, crash.text[:300])
    assert not any(side["role"] == "other" for side in report.get("sides") or [])
