# SPDX-License-Identifier: Apache-2.0
"""From the verdict of a crash to a program that crashes again: built, run, compared, and its fixes.

The truth of each fixture is its header; what the generated program does is seen by Go's own runtime and
race detector, which this file reads itself, not by mapfault's word for it.
"""

import json
import os
import re
import signal
import subprocess
import time

import jsonschema
import pytest
from fixture import MAP_KINDS, ROOT, fixture_named, minor
from harness import crash_of
from judge import mapfault_json, mapfault_path, mapfault_run
from toolchain import go_environment, sources_stage, toolchain_get

SCHEMA = ROOT / "schema" / "report.schema.json"
CRASH_SECONDS = 30

# Fixture and release: each way to share a map, each operation, old and new maps.
CASES = [
    ("rw_field", "1.9.7"),
    ("closure_var", "1.22.12"),
    ("nested_global", "1.16.15"),
    ("iter_write", "1.23.12"),
    ("clear_write", "1.18.10"),
    ("json_iter", "1.27.2"),
    ("service_rate_limit", "1.24.11"),
    ("hard_generics", "1.26.8"),
]
# Modules of several packages; 1.13 has no overlays, so that the module is copied.
SOURCE_CASES = [("source_shop", "1.13.15"), ("source_plugins", "1.22.12"), ("source_metrics", "1.26.8")]
RUN_CASES = [("rw_field", "1.26.8"), ("ww_int", "1.22.12")]


@pytest.fixture(scope="session")
def report_of(tmp_path_factory):
    made = {}

    def get(name, version):
        if (name, version) not in made:
            with crash_of(fixture_named(name), version) as crash:
                if crash.core is None:
                    pytest.skip("the fixture left no core")
                report = mapfault_json(crash.core, crash.app)
            path = tmp_path_factory.mktemp("report") / "report.json"
            path.write_text(json.dumps(report))
            made[name, version] = path, report
        return made[name, version]
    return get


def environment(version, race=False):
    env = go_environment(version, toolchain_get(version), cgo=race)
    if minor(version) >= (1, 11):
        env["GO111MODULE"] = "on"
    return env


def build(folder, version, *flags):
    race = "-race" in flags
    go = toolchain_get(version) / "bin" / "go"
    subprocess.run([str(go), "build", *flags, "-o", "app", "."], cwd=folder, check=True,
                   env=environment(version, race), timeout=300)
    return folder / "app"


@pytest.mark.slow
@pytest.mark.parametrize("name,version", CASES)
def test_generated_program_dies_the_same_way(report_of, tmp_path, name, version):
    path, report = report_of(name, version)
    folder = tmp_path / "again"
    done = mapfault_run("repro", path, "-o", folder)
    assert done.returncode == 0, done.stderr
    done = subprocess.run([str(build(folder, version))], capture_output=True, text=True,
                          timeout=CRASH_SECONDS + 10)
    words = MAP_KINDS[report["verdict"]["kind"]]
    assert f"fatal error: {words}" in done.stderr, done.stderr[:2000]
    marked = {number for number, line in enumerate((folder / "main.go").read_text().splitlines(), 1)
              if re.search(r"// the .*operation", line)}
    detected = re.search(r"^main\.\S+\(.*\n\s+\S+/main\.go:(\d+)", done.stderr, re.M)
    assert detected and int(detected.group(1)) in marked, (marked, done.stderr[:2000])


@pytest.mark.slow
@pytest.mark.parametrize("name,version", RUN_CASES)
def test_run_is_confirmed(report_of, tmp_path, name, version):
    path, _ = report_of(name, version)
    done = mapfault_run("repro", path, "-o", tmp_path / "again", "--run", "--seconds", "15", "--json",
                        seconds=400)
    report = json.loads(done.stdout)
    jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text())).validate(report)
    outcome = report["reproduction"]
    assert outcome["status"] == "confirmed", outcome
    assert outcome["race_detector"]["names_both_sites"], outcome
    assert outcome["go_version"] == f"go{version}"
    assert json.loads((tmp_path / "again" / "report.json").read_text()) == report
    names = {fix["name"]: fix for fix in outcome["fixes"]}
    assert "mutex" in names and any(fix["advised"] for fix in outcome["fixes"])
    for fix in outcome["fixes"]:
        assert (fix["races"], fix["crashes"]) == (0, 0), fix
        assert fix["nanoseconds_per_operation"] > 0 and fix["relative"] >= 1, fix


def tree(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.slow
@pytest.mark.parametrize("name,version", SOURCE_CASES)
def test_the_users_own_functions_collide(report_of, tmp_path, name, version):
    path, first = report_of(name, version)
    module = sources_stage(fixture_named(name))
    before = tree(module)
    done = mapfault_run("repro", path, "-o", tmp_path / "again", "--source", module, "--run",
                        "--seconds", "15", "--json", seconds=400)
    assert done.returncode in (0, 4), done.stderr
    outcome = json.loads(done.stdout)["reproduction"]
    assert outcome["status"] == "confirmed", outcome
    assert outcome["kind"] == first["verdict"]["kind"]
    assert tree(module) == before
    marks = {(racer.functions[0], line) for racer in fixture_named(name).racers
             for _, line in racer.lines}
    raced = {(side["function"], side["line"]) for side in outcome["race_detector"]["sides"]}
    assert raced == marks
    assert (tmp_path / "again" / "source" / "mapfault_report_test.go").exists()


def test_a_module_without_the_functions_is_an_error(tmp_path):
    path = conflict(tmp_path, sides=[{"role": "detector", "operation": "assign",
                                      "site": {"function": "example.com/other.F", "line": 3}}])
    module = tmp_path / "module"
    module.mkdir()
    (module / "go.mod").write_text("module example.com/mine\n")
    (module / "mine.go").write_text("package mine\n")
    done = mapfault_run("repro", path, "-o", tmp_path / "again", "--source", module, seconds=400)
    assert done.returncode == 3 and "example.com/mine" in done.stderr, done.stderr
    assert left_in(tmp_path) == ["module", "report.json"]


def conflict(tmp_path, **changes):
    report = {"schema": "mapfault.report/1", "verdict": {"kind": "concurrent_map_writes"},
              "map": {"type": "map[string]int"}, **changes}
    path = tmp_path / "report.json"
    path.write_text(json.dumps(report))
    return path


def left_in(folder):
    return sorted(p.name for p in folder.iterdir())


def test_report_without_a_verdict_is_refused(tmp_path):
    path = conflict(tmp_path, verdict={"kind": "not_a_map_fatal"})
    done = mapfault_run("repro", path, "-o", tmp_path / "again")
    assert done.returncode == 3 and "nothing to reproduce" in done.stderr and "next:" in done.stderr
    assert left_in(tmp_path) == ["report.json"]


def test_folder_is_needed_and_never_overwritten(tmp_path):
    path = conflict(tmp_path)
    assert mapfault_run("repro", path).returncode == 2
    full = tmp_path / "full"
    full.mkdir()
    (full / "mine").write_text("x")
    done = mapfault_run("repro", path, "-o", full)
    assert done.returncode == 2 and left_in(full) == ["mine"]
    done = mapfault_run("repro", path, "-o", tmp_path / "no" / "such" / "place")
    assert done.returncode == 3 and "next:" in done.stderr


def test_without_go_there_is_a_word_and_no_folder(tmp_path):
    path = conflict(tmp_path)
    home = tmp_path / "home"
    home.mkdir()
    env = {"PATH": "/nowhere", "HOME": str(home)}
    done = subprocess.run([str(mapfault_path()), "repro", str(path), "-o", str(tmp_path / "again"),
                           "--run"], env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 3 and "no Go toolchain" in done.stderr, done.stderr
    assert left_in(tmp_path) == ["home", "report.json"]


def test_ctrl_c_leaves_nothing(tmp_path):
    """A report that names nobody and a map that no run can trip: it is busy when Ctrl-C comes."""
    path = conflict(tmp_path)
    process = subprocess.Popen([str(mapfault_path()), "repro", str(path), "-o",
                                str(tmp_path / "again"), "--run", "--seconds", "60"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               env={**os.environ, "TMPDIR": str(tmp_path)})
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    _, words = process.communicate(timeout=30)
    if process.returncode in (0, 4):
        pytest.skip("it was done before Ctrl-C came")
    assert process.returncode == 130 and "interrupted" in words, words
    assert left_in(tmp_path) == ["report.json"]


def test_sensitivity_counts(tmp_path):
    state = tmp_path / "state"
    arguments = ["sensitivity", "--go", "1.26.8", "--runs", "2", "--json", "-o", state,
                 "--svg", tmp_path / "chart.svg"]
    done = mapfault_run(*arguments, seconds=300)
    result = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert result["schema"] == "mapfault.sensitivity/1" and result["cells_left"] == 0
    for cell in result["cells"]:
        ends = [cell[key] for key in ("detected", "died_otherwise", "hung", "silently_wrong")]
        assert cell["runs"] == 2 and sum(ends) <= 2, cell
    counts = {(c["race"], c["goroutines"], c["procs"]): c for c in result["cells"]}
    assert len(counts) == len(result["cells"])
    # 64 goroutines that insert for a millisecond are noticed, if anything ever is.
    procs = max(2, os.cpu_count())
    assert counts["growth", 64, procs]["detected"] > 0
    assert (tmp_path / "chart.svg").read_text().startswith("<svg")
    # The second time everything is there already: the lines are the same, none is added.
    lines = (state / "state.jsonl").read_text()
    assert json.loads(mapfault_run(*arguments, seconds=60).stdout)["cells"] == result["cells"]
    assert (state / "state.jsonl").read_text() == lines


def test_sensitivity_refuses_nonsense():
    for go in ("1.27..1.9", "two", "1.8..1.9"):
        done = mapfault_run("sensitivity", "--go", go)
        assert done.returncode == 2 and "--go" in done.stderr, done.stderr
    assert mapfault_run("sensitivity", "--go", "1.9.1", "--runs", "1").returncode == 3
    assert mapfault_run("sensitivity", "--runs", "0").returncode == 2
