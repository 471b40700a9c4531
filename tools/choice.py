# SPDX-License-Identifier: Apache-2.0
"""Options that several tools have. What no tool could do is refused before anything is measured."""

import argparse
import pathlib
import re

from fixture import CLASSES, fixtures_read, versions_read


def words_of(known, hint, all_is_one=True):
    """The type of an option of comma separated words, all of them in known(); `hint` says where those are listed."""
    def words(text):
        odd = [word for word in text.split(",") if word not in known() and not (all_is_one and text == "all")]
        if odd:
            raise argparse.ArgumentTypeError(f"{', '.join(map(repr, odd))}: unknown; {hint}")
        return text
    return words


def a_version(text):
    """A release that the go command can be asked for, in tools/go_versions.txt or not."""
    if not re.fullmatch(r"1\.\d+(\.\d+)?", text):
        raise argparse.ArgumentTypeError(f"{text!r}: is no Go release; tools/go_versions.txt lists some")
    return text


def the_versions(text):
    return text if text == "all" else ",".join(map(a_version, text.split(",")))


the_fixtures = words_of(lambda: [fixture.name for fixture in fixtures_read()], "tests/fixtures lists the fixtures")


def a_file(text):
    path = pathlib.Path(text)
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"{path}: there is no such file")
    return path


def options_add(parser):
    parser.add_argument("--versions", default="all", type=the_versions, help="comma separated, or all")
    parser.add_argument("--fixtures", default="all", type=the_fixtures, help="comma separated, or all")


def group_add(parser):
    parser.add_argument("--group", default="", choices=["", *CLASSES], help=" ".join(CLASSES))


def versions_chosen(options):
    return versions_read() if options.versions == "all" else options.versions.split(",")


def is_chosen(options, fixture):
    return options.fixtures == "all" or fixture.name in options.fixtures.split(",")


def versions_spread(versions, count, turn):
    """`count` of the versions at even distances, beginning at another one each turn."""
    picked = {(turn + i * len(versions) // count) % len(versions) for i in range(count)}
    return [version for i, version in enumerate(versions) if i in picked]
