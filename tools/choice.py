# SPDX-License-Identifier: Apache-2.0
"""Which fixtures and Go releases a tool that measures takes: options that all of them have."""

from fixture import versions_read


def options_add(parser):
    parser.add_argument("--versions", default="all", help="comma separated, or all")
    parser.add_argument("--fixtures", default="all", help="comma separated, or all")


def versions_chosen(options):
    return versions_read() if options.versions == "all" else options.versions.split(",")


def is_chosen(options, fixture):
    return options.fixtures == "all" or fixture.name in options.fixtures.split(",")


def versions_spread(versions, count, turn):
    """`count` of the versions at even distances, beginning at another one each turn."""
    picked = {(turn + i * len(versions) // count) % len(versions) for i in range(count)}
    return [version for i, version in enumerate(versions) if i in picked]
