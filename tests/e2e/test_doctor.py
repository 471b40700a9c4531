# SPDX-License-Identifier: Apache-2.0
"""`mapfault doctor` on prepared trees and descriptions: what is lost is what the settings lose."""

import json
import pathlib
import subprocess
import sys

import jsonschema
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
MAPFAULT = ROOT / "build" / "mapfault"


def doctor(*arguments):
    run = subprocess.run([MAPFAULT, "doctor", "--json", *map(str, arguments)], capture_output=True, text=True)
    assert run.returncode in (0, 4), run.stderr
    report = json.loads(run.stdout)
    schema = json.loads((ROOT / "schema" / "doctor.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(report)
    return report, run.returncode


def found(report, setting, subject=None):
    checks = [c for c in report["checks"] if c["setting"] == setting and subject in (None, c["subject"])]
    assert checks, (setting, report)
    return max(checks, key=lambda c: ("kept", "unsure", "lost").index(c["outcome"]))


def tree(tmp_path, files):
    for name, text in files.items():
        path = tmp_path / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


PATTERN = "/proc/sys/kernel/core_pattern"
SYSTEMD = "|/lib/systemd/systemd-coredump %P %u %g %s %t %c %h"


@pytest.mark.parametrize("pattern, files, outcome", [
    ("/var/crash/core.%p", {"/var/crash/.keep": ""}, "kept"),
    ("/var/crash/core.%p", {}, "lost"),
    ("|/bin/false", {}, "lost"),
    ("core", {}, "unsure"),
    (SYSTEMD, {}, "lost"),
    (SYSTEMD, {"/lib/systemd/systemd-coredump": "x"}, "kept"),
    ("|/opt/taker %p", {"/opt/taker": "x"}, "unsure"),
])
def test_core_pattern(tmp_path, pattern, files, outcome):
    root = tree(tmp_path, {PATTERN: pattern + "\n", **files})
    for name in files:
        (root / name.lstrip("/")).chmod(0o755)
    report, _ = doctor("--root", root)
    assert found(report, "kernel.core_pattern")["outcome"] == outcome


@pytest.mark.parametrize("text, key, outcome", [
    ("[Coredump]\nStorage=none\n", "Storage in coredump.conf", "lost"),
    ("[Coredump]\nExternalSizeMax=10M\n", "ExternalSizeMax in coredump.conf", "unsure"),
    ("[Coredump]\nExternalSizeMax=64G\n", "ExternalSizeMax in coredump.conf", "kept"),
])
def test_systemd_coredump(tmp_path, text, key, outcome):
    root = tree(tmp_path, {PATTERN: SYSTEMD, "/lib/systemd/systemd-coredump": "x", "/etc/systemd/coredump.conf": "[Coredump]\nStorage=external\n",
                           "/etc/systemd/coredump.conf.d/10.conf": text})
    report, _ = doctor("--root", root)
    assert found(report, key)["outcome"] == outcome


def process(tmp_path, **files):
    defaults = {
        "status": "Name:\tweb\nUid:\t0\t0\t0\t0\nRssAnon:\t 4194304 kB\nVmSwap:\t 0 kB\n",
        "limits": "Max core file size          unlimited            unlimited            bytes     \n",
        "environ": "PATH=/bin\0GOTRACEBACK=crash\0",
        "coredump_filter": "00000033\n",
    }
    files = {f"/proc/7/{name}": text for name, text in {**defaults, **files}.items()}
    return tree(tmp_path, {PATTERN: "/cores/core.%p", "/cores/.keep": "", **files})


def test_process_that_loses_nothing(tmp_path):
    report, status = doctor("--root", process(tmp_path), "--pid", 7)
    assert [c for c in report["checks"] if c["outcome"] == "lost" and c["setting"] != "room for cores"] == []
    assert status == (4 if found(report, "room for cores")["outcome"] == "lost" else 0)


@pytest.mark.parametrize("name, text, setting", [
    ("limits", "Max core file size          0            unlimited            bytes\n", "core limit"),
    ("limits", "Max core file size          1048576      unlimited            bytes\n", "core limit"),
    ("environ", "GOTRACEBACK=all\0", "GOTRACEBACK"),
    ("environ", "GOTRACEBACK=Crash\0", "GOTRACEBACK"),
    ("coredump_filter", "00000030\n", "coredump_filter"),
])
def test_process_that_loses(tmp_path, name, text, setting):
    report, status = doctor("--root", process(tmp_path, **{name: text}), "--pid", 7)
    check = found(report, setting)
    assert check["outcome"] == "lost" and check["set"] and check["set_in"]
    assert status == 4


def test_binary_that_was_replaced(tmp_path):
    program = tmp_path / "program"
    program.write_bytes(pathlib.Path("/bin/sleep").resolve().read_bytes())
    program.chmod(0o755)
    running = subprocess.Popen([program, "60"])
    try:
        program.unlink()
        report, _ = doctor("--pid", running.pid)
    finally:
        running.kill()
        running.wait()
    lost = [c for c in report["checks"] if c["concern"] == "binary" and c["outcome"] == "lost"]
    assert lost and lost[0]["set"] == [f"cp /proc/{running.pid}/exe ./running-binary"]


UNIT = "[Service]\nExecStart=/usr/bin/web\nEnvironment=A=b \"GOTRACEBACK=crash\"\nLimitCORE=infinity\nLogRateLimitIntervalSec=0\n"


@pytest.mark.parametrize("extra, setting, outcome", [
    ("", "GOTRACEBACK", "kept"),
    ("", "LimitCORE", "kept"),
    ("Environment=\n", "GOTRACEBACK", "lost"),
    ("LimitCORE=0\n", "LimitCORE", "lost"),
    ("LimitCORE=\n", "DefaultLimitCORE in system.conf", "lost"),
    ("StandardError=null\n", "StandardError", "lost"),
    ("PrivateTmp=yes\n", "PrivateTmp", "lost"),
    ("ProtectSystem=strict\n", "ProtectSystem", "lost"),
    ("LogRateLimitIntervalSec=30s\nLogRateLimitBurst=1000\n", "LogRateLimitBurst", "unsure"),
    ("CoredumpFilter=elf-headers\n", "CoredumpFilter", "lost"),
])
def test_unit(tmp_path, extra, setting, outcome):
    root = tree(tmp_path, {
        PATTERN: "/tmp/core.%p", "/tmp/.keep": "",
        "/etc/systemd/system.conf": "[Manager]\nDefaultLimitCORE=0:infinity\n",
        "/etc/systemd/system/web.service": UNIT,
        "/etc/systemd/system/web.service.d/local.conf": "[Service]\n" + extra})
    report, _ = doctor("--root", root, "web.service")
    assert found(report, setting, "web.service")["outcome"] == outcome


POD = """
kind: {kind}
spec:
  template:
    spec:
      containers:
      - name: web
        env: [{env}]
        securityContext: {{readOnlyRootFilesystem: {read_only}}}
        resources: {{limits: {{memory: 2Gi, ephemeral-storage: {disk}}}}}
"""
CRASH = "{name: GOTRACEBACK, value: crash}"


@pytest.mark.parametrize("env, read_only, disk, setting, outcome", [
    (CRASH, "false", "4Gi", "GOTRACEBACK", "kept"),
    ("", "false", "4Gi", "GOTRACEBACK", "lost"),
    ("{name: GOTRACEBACK, valueFrom: {configMapKeyRef: {}}}", "false", "4Gi", "GOTRACEBACK", "unsure"),
    (CRASH, "true", "4Gi", "volume for cores", "lost"),
    (CRASH, "false", "1Gi", "resources.limits.ephemeral-storage", "lost"),
])
def test_pod(tmp_path, env, read_only, disk, setting, outcome):
    path = tmp_path / "web.yaml"
    path.write_text(POD.format(kind="Deployment", env=env, read_only=read_only, disk=disk))
    report, _ = doctor(path)
    assert found(report, setting, "container web")["outcome"] == outcome


def test_docker_inspect(tmp_path):
    path = tmp_path / "web.json"
    path.write_text(json.dumps([{
        "Name": "/web", "Config": {"Env": ["GOTRACEBACK=single"]}, "Mounts": [],
        "HostConfig": {"AutoRemove": True, "Ulimits": [{"Name": "core", "Soft": 0, "Hard": 0}]}}], indent=4))
    report, status = doctor(path)
    assert status == 4
    for setting in ("GOTRACEBACK", "core limit", "AutoRemove"):
        assert found(report, setting, "container web")["outcome"] == "lost"


def test_compose_and_oci(tmp_path):
    compose = tmp_path / "compose.yaml"
    compose.write_text("services:\n  web:\n    environment: {GOTRACEBACK: crash}\n    ulimits: {core: -1}\n    volumes: ['./c:/cores']\n")
    oci = tmp_path / "config.json"
    oci.write_text(json.dumps({"ociVersion": "1.0", "root": {"readonly": True}, "process": {
        "env": ["GOTRACEBACK=crash"], "rlimits": [{"type": "RLIMIT_CORE", "soft": 0, "hard": 0}]}}))
    report, _ = doctor(compose, oci)
    assert found(report, "core limit", "service web")["outcome"] == "kept"
    assert found(report, "volume for cores", "service web")["outcome"] == "kept"
    assert found(report, "core limit", "bundle")["outcome"] == "lost"
    assert found(report, "volume for cores", "bundle")["outcome"] == "lost"


@pytest.mark.parametrize("name, text", [("a.yaml", "a: ["), ("b.yaml", "a: b\n"), ("c.json", ""), ("none.service", None)])
def test_what_is_not_known_is_said(tmp_path, name, text):
    path = tmp_path / name
    if text is not None:
        path.write_text(text)
    run = subprocess.run([MAPFAULT, "doctor", path], capture_output=True, text=True)
    assert run.returncode == 3 and name in run.stderr and len(run.stderr.splitlines()) == 2


def test_text_has_the_lines_to_copy(tmp_path):
    path = tmp_path / "web.service"
    path.write_text("[Service]\nExecStart=/bin/true\n")
    run = subprocess.run([MAPFAULT, "doctor", "--root", tmp_path, path], capture_output=True, text=True)
    assert run.returncode == 4
    assert "\n              Environment=GOTRACEBACK=crash\n" in run.stdout
    assert "\n              LimitCORE=infinity\n" in run.stdout


if __name__ == "__main__":
    sys.exit(pytest.main([__file__]))
