# SPDX-License-Identifier: Apache-2.0
"""The tools say what they cannot do before they measure anything, and in words."""

import os
import subprocess
import sys

import pytest
from fixture import ROOT

TOOLS = ["accuracy", "accuracy_text", "check_headers", "check_rooms", "check_size", "flag_places", "live_accuracy", "map_code_samples",
         "recorder_accuracy", "recorder_std", "repro_accuracy", "sensitivity_compare"]
# Tool, arguments, words of the answer. {folder} has a file "page" without parts and a file "rows" that is no result.
REFUSED = [
    ("live_accuracy", "--only-report --write {folder}/none", "there is no such page"),
    ("recorder_std", "--write {folder}/page", "has no lines <!-- begin std -->"),
    ("recorder_accuracy", "--write {folder}", "there is no such page"),
    ("flag_places", "--write {folder}/none", "there is no such page"),
    ("accuracy", "--write {folder}/no/page", "no file can be written there"),
    ("accuracy_text", "--write {folder}", "there is no such page"),
    ("repro_accuracy", "--fixtures rw_field,nobody", "'nobody': unknown"),
    ("accuracy", "--versions two", "is no Go release"),
    ("accuracy", "--variants fast", "'fast': unknown"),
    ("accuracy", "--only-report --results {folder}/rows", "line 1 is no result"),
    ("accuracy", "--versions 1.26.8 --fixtures rw_field --results {folder}/new", "does not exist: build it"),
    ("recorder_std", "--packages left-pad", "'left-pad': unknown"),
    ("check_headers", "nobody", "'nobody': unknown"),
    ("check_headers", "rw_field nobody", "is no Go release"),
    ("sensitivity_compare", "docs/SENSITIVITY.md {folder}/none", "there is no such file"),
    ("sensitivity_compare", "{folder}/page {folder}/rows", "has no lines <!-- begin spread -->"),
    ("sensitivity_compare", "docs/SENSITIVITY.md {folder}/rows", "line 1 is no result"),
]


def tool_run(tool, *arguments, env=None):
    return subprocess.run([sys.executable, f"tools/{tool}.py", *arguments], cwd=ROOT, text=True, capture_output=True,
                          timeout=60, env={**os.environ, **(env or {})})


@pytest.mark.parametrize("tool", TOOLS)
def test_help(tool):
    done = tool_run(tool, "--help")
    assert done.returncode == 0 and done.stdout.startswith("usage: "), done


def test_every_tool_is_asked():
    mains = {path.stem for path in (ROOT / "tools").glob("*.py") if "__main__" in path.read_text()}
    assert mains - {"embed"} == set(TOOLS)  # that one is Meson's own


@pytest.mark.parametrize("tool,arguments,words", REFUSED)
def test_what_cannot_be_done_is_refused(tmp_path, tool, arguments, words):
    (tmp_path / "page").write_text("# A page\n")
    (tmp_path / "rows").write_text("nonsense\n")
    before = sorted(tmp_path.iterdir())
    done = tool_run(tool, *arguments.format(folder=tmp_path).split(), env={"MAPFAULT": "/nowhere/mapfault"})
    assert done.returncode in (1, 2) and words in done.stderr and "Traceback" not in done.stderr, done
    assert sorted(tmp_path.iterdir()) == before
