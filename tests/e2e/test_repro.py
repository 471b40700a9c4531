# SPDX-License-Identifier: Apache-2.0
"""From the verdict of a crash to a program that crashes again: built, run, compared, and its fixes.

The truth of each fixture is its header; what the generated program does is seen by Go's own runtime and
race detector, which this file reads itself, not by mapfault's word for it.
"""

import json
import os
import resource
import signal
import subprocess
import time

import jsonschema
import pytest
import reproduced
from fixture import ROOT, fixture_named
from harness import crash_of
from judge import mapfault_json, mapfault_path, mapfault_run
from judge_text import text_is_as_stated
from run import CrashFolder, program_crash
from toolchain import program_build, sources_stage, toolchain_get

SCHEMA = ROOT / "schema" / "report.schema.json"

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
# Fixture, release, and whether the program is there, too.
TEXT_CASES = [("rw_field", "1.26.8", True), ("iter_write", "1.16.15", False), ("headers_retry", "1.26.8", True)]
# What no program outside its package, or no program at all, can name; the program must build all the same.
UNNAMED_TYPES = [
    "map[string]main._Ctype_struct_session", "map[main._Ctype_int]unsafe.Pointer",
    "map[example.com/cache.key[go.shape.string,int]]*example.com/cache.entry[go.shape.int]",
    "map[*net/http.persistConn]struct { net.buf []uint8; main._ int }", "main.Registry[int,string]",
    "map[struct { sync.noCopy; name string }]interface { close(); main.id() int }", "map[main.run.T·1]main.v",
    "map[string]noalg.struct { F uintptr; R *main.d }", "map[[2]main.é]chan<- func(...main.t) error",
]
# What any program can name, but gofmt gives lines of their own.
LONG_TYPES = [
    "map[string]struct { a int; long map[string]struct { b int; second []string }; c func() error }",
    "map[struct { x struct { y struct { deep string } } }]struct { only map[string]map[string]map[string]int }",
]
# Modules of several packages; 1.13 has no overlays, so that the module is copied.
SOURCE_CASES = [("source_shop", "1.13.15"), ("source_plugins", "1.22.12"), ("source_metrics", "1.26.8")]
VET_VERSION = "1.22.12"
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


def dies_the_same_way(tmp_path, report, folder, version):
    path = tmp_path / "report.json"
    path.write_text(json.dumps(report))
    done = mapfault_run("repro", path, "-o", folder)
    assert done.returncode == 0, done.stderr
    sites = reproduced.sites_read(folder)
    death = reproduced.crash(reproduced.build(folder, version), sites)
    assert death.kind == report["verdict"]["kind"] and death.at_site, death
    return sites


@pytest.mark.slow
@pytest.mark.parametrize("name,version", CASES)
def test_generated_program_dies_the_same_way(report_of, tmp_path, name, version):
    _, report = report_of(name, version)
    dies_the_same_way(tmp_path, report, tmp_path / "again", version)


@pytest.mark.slow
@pytest.mark.parametrize("name,version,with_program", TEXT_CASES)
def test_a_text_is_enough(tmp_path, name, version, with_program):
    """The text shows one side: a candidate plays the other one, or a writer that stands in."""
    fixture = fixture_named(name)
    app = program_build(fixture, version)
    with CrashFolder() as folder:
        crash = program_crash(fixture, app, folder, "all", version)
    assert not text_is_as_stated(fixture, crash), crash.text[:500]
    (tmp_path / "crash.txt").write_text(crash.text)
    report = mapfault_json(tmp_path / "crash.txt", *([app] if with_program else []))
    folder = tmp_path / "again"
    sites = dies_the_same_way(tmp_path, report, folder, version)
    both, races = reproduced.race_names_both(reproduced.build(folder, version, "-race"), sites)
    assert both, races


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
        times = fix["nanoseconds_per_operation"]
        assert 0 < times["least"] <= times["median"] <= times["most"] and times["runs"] == 5, fix
        assert fix["relative"] >= 1, fix
    assert min(fix["relative"] for fix in outcome["fixes"]) == 1
    assert outcome["measured_on"]["processors"] == len(os.sched_getaffinity(0))


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


def module_write(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def sides_in(file, *functions):
    return [{"role": role, "operation": "assign", "site": {"function": function, "file": file, "line": line}}
            for role, (function, line) in zip(("detector", "other"), functions)]


def test_of_several_programs_the_crashed_one_is_meant(tmp_path):
    program = "package main\n\nvar m = map[int]int{}\n\nfunc put(k int) {\n\tm[k] = 1\n}\n\nfunc main() { put(0) }\n"
    module = module_write(tmp_path / "module", {
        "go.mod": "module example.com/two\n", "cmd/a/main.go": program, "cmd/b/main.go": program, "main.go": program})
    path = conflict(tmp_path, sides=sides_in("/build/two/cmd/b/main.go", ("main.put", 6), ("main.put", 6)))
    done = mapfault_run("repro", path, "-o", tmp_path / "again", "--source", module, seconds=400)
    assert done.returncode == 0 and "example.com/two/cmd/b.put  main.go:6" in done.stdout, done
    assert "by hand" not in done.stdout, done.stdout


def test_methods_of_generic_types_need_their_author(tmp_path):
    module = module_write(tmp_path / "module", {"go.mod": "module example.com/gen\n\ngo 1.18\n", "gen.go": """package gen

type Store[K comparable, V any] struct{ m map[K]V }

func (s *Store[K, V]) Put(k K, v V) {
	s.m[k] = v
}

func Fill[K comparable](s *Store[K, int], k K) {
	s.m[k] = 1
}
"""})
    path = conflict(tmp_path, sides=sides_in("/build/gen/gen.go", ("example.com/gen.(*Store[...]).Put", 6),
                                             ("example.com/gen.Fill[...]", 10)))
    done = mapfault_run("repro", path, "-o", tmp_path / "again", "--source", module, seconds=400)
    assert done.returncode == 0, done.stderr
    for words in ("Put needs type arguments", "Fill needs type arguments", "gen.go:6", "gen.go:10"):
        assert words in done.stdout, done.stdout


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


def test_a_full_disk_leaves_nothing(tmp_path):
    """No file may grow beyond a kilobyte: what is written fails in the middle, as on a full disk."""
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))

    path = conflict(tmp_path)
    done = subprocess.run([str(mapfault_path()), "repro", str(path), "-o", str(tmp_path / "again")],
                          preexec_fn=limit, capture_output=True, text=True, timeout=60)
    assert done.returncode == 3 and "cannot be written" in done.stderr and "next: make room" in done.stderr
    assert left_in(tmp_path) == ["report.json"]


@pytest.mark.parametrize("how", [[], ["--json"]])
def test_what_cannot_be_printed_is_an_error(tmp_path, how):
    path = conflict(tmp_path)
    with open("/dev/full", "w") as full:
        done = subprocess.run([str(mapfault_path()), "repro", str(path), "-o", str(tmp_path / "again"), *how],
                              stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == 3 and "writing failed" in done.stderr, done


def test_types_without_a_name_stand_in(tmp_path):
    """go vet checks all of the programs and of their fixes without linking them; gofmt has nothing to change."""
    module = tmp_path / "module"
    module.mkdir()
    for number, name in enumerate(UNNAMED_TYPES + LONG_TYPES):
        path = conflict(tmp_path, map={"type": name}, sides=[
            {"role": "detector", "operation": "assign", "site": {"function": "main.put", "line": 3},
             "stack": [{"function": "runtime.mapassign"}]},
            {"role": "other", "operation": "delete", "site": {"function": "main.drop", "line": 9}}])
        folder = module / f"type{number}"
        assert mapfault_run("repro", path, "-o", folder).returncode == 0
        assert ("// Note: the " in (folder / "main.go").read_text()) == (name in UNNAMED_TYPES), name
        (folder / "go.mod").unlink()
    (module / "go.mod").write_text("module types\n\ngo 1.22\n")
    done = subprocess.run([str(toolchain_get(VET_VERSION) / "bin" / "go"), "vet", "./..."], cwd=module, text=True,
                          capture_output=True, env=reproduced.environment(VET_VERSION), timeout=300)
    assert done.returncode == 0, done.stderr
    done = subprocess.run([str(toolchain_get(VET_VERSION) / "bin" / "gofmt"), "-d", str(module)], text=True,
                          capture_output=True, timeout=60)
    assert done.stdout == "", done.stdout


def of_version(tmp_path, version):
    return conflict(tmp_path, evidence=[{"go_version": f"go{version}"}])


def test_a_release_that_cannot_be_fetched_is_an_error(tmp_path):
    path = of_version(tmp_path, "1.22.99")
    done = subprocess.run([str(mapfault_path()), "repro", str(path), "-o", str(tmp_path / "again"), "--run",
                           "--download"], env={**os.environ, "GOPROXY": "off"}, text=True, capture_output=True,
                          timeout=60)
    assert done.returncode == 3 and "Go 1.22.99 could not be fetched" in done.stderr, done.stderr
    assert "next: leave --download out" in done.stderr, done.stderr
    assert left_in(tmp_path) == ["report.json"]


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
    """It builds or runs when Ctrl-C comes; what the go command keeps while it builds goes as well."""
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
    state.mkdir()
    (state / "state.jsonl").write_text('{"go":"1.2')  # as a full disk or a power cut leaves it
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
    assert [json.loads(line) for line in lines.splitlines()[1:]] == result["cells"]
    assert json.loads(mapfault_run(*arguments, seconds=60).stdout)["cells"] == result["cells"]
    assert (state / "state.jsonl").read_text() == lines


def test_what_cannot_be_kept_is_an_error(tmp_path):
    """The state may not grow, as on a full disk; the program that is built may."""
    size = 8 << 20
    state = tmp_path / "state.jsonl"
    state.write_text((("x" * 4000 + "\n") * (size // 4000 + 1))[:size])

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    done = subprocess.run([str(mapfault_path()), "sensitivity", "--go", "1.26.8", "--runs", "1", "-o", str(tmp_path)],
                          preexec_fn=limit, capture_output=True, text=True, timeout=300)
    assert done.returncode == 3 and "cannot be written" in done.stderr and "next: make room" in done.stderr, done
    assert state.stat().st_size == size


def test_releases_that_cannot_be_had_are_an_error():
    done = subprocess.run([str(mapfault_path()), "sensitivity", "--go", "1.26.99", "--runs", "1", "--download"],
                          env={**os.environ, "GOPROXY": "off"}, capture_output=True, text=True, timeout=60)
    assert done.returncode == 3 and "Go 1.26.99 could not be fetched" in done.stderr, done.stderr


def test_sensitivity_refuses_nonsense():
    for go in ("1.27..1.9", "two", "1.8..1.9"):
        done = mapfault_run("sensitivity", "--go", go)
        assert done.returncode == 2 and "--go" in done.stderr, done.stderr
    assert mapfault_run("sensitivity", "--go", "1.9.1", "--runs", "1").returncode == 3
    assert mapfault_run("sensitivity", "--runs", "0").returncode == 2
