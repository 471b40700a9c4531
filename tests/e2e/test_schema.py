# SPDX-License-Identifier: Apache-2.0
"""Reports agree with schema/report.schema.json, and the schema is strict.

The reports are written by the unit test's builders: MAPFAULT_TEST_JSON names that program.
"""

import copy
import json
import os
import pathlib
import subprocess

import jsonschema
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
NAMES = ["proven", "likely", "candidates", "panic", "gaps", "hostile"]


@pytest.fixture(scope="session")
def schema():
    return json.loads((ROOT / "schema" / "report.schema.json").read_text())


@pytest.fixture(scope="session")
def reports(tmp_path_factory):
    program = os.environ.get("MAPFAULT_TEST_JSON")
    if not program:
        pytest.skip("MAPFAULT_TEST_JSON does not name the program test_report_json")
    directory = tmp_path_factory.mktemp("reports")
    subprocess.run([program, str(directory)], check=True)
    return {name: json.loads((directory / f"{name}.json").read_text()) for name in NAMES}


def check(schema, report):
    jsonschema.Draft202012Validator(schema).validate(report)


def test_schema_is_sound(schema):
    jsonschema.Draft202012Validator.check_schema(schema)


def objects(node, path="#"):
    if isinstance(node, dict):
        if node.get("type") == "object":
            yield path, node
        for key, value in node.items():
            yield from objects(value, f"{path}/{key}")
    elif isinstance(node, list):
        for i, value in enumerate(node):
            yield from objects(value, f"{path}/{i}")


def test_every_object_is_closed_and_described(schema):
    for path, node in objects(schema):
        assert node.get("additionalProperties") is not None, path
        assert node.get("description"), path
        assert sorted(node.get("required", [])) == sorted(node.get("properties", {})), path


@pytest.mark.parametrize("name", NAMES)
def test_report(schema, reports, name):
    check(schema, reports[name])


def test_unknown_key_is_refused(schema, reports):
    report = copy.deepcopy(reports["proven"])
    report["sides"][0]["goroutine"]["colour"] = "blue"
    with pytest.raises(jsonschema.ValidationError):
        check(schema, report)


def test_missing_key_is_refused(schema, reports):
    report = copy.deepcopy(reports["proven"])
    del report["map"]["writing"]
    with pytest.raises(jsonschema.ValidationError):
        check(schema, report)


def test_weak_side_is_a_candidate(reports):
    for report in reports.values():
        for side in report["sides"]:
            assert side["role"] == "detector" or side["confidence"] in ("proven", "likely")
