# SPDX-License-Identifier: Apache-2.0
"""Tables for pages, and the parts of a page that tools write: between <!-- begin NAME --> and <!-- end NAME -->."""

import argparse
import pathlib


def page_of(*parts):
    """The type of an option: a page that is written whole or, with parts, one that has room for them."""
    def page(text):
        path = pathlib.Path(text)
        if parts and not path.is_file():
            raise argparse.ArgumentTypeError(f"{path}: there is no such page; only a part of one is written")
        if path.is_dir() or not path.absolute().parent.is_dir():
            raise argparse.ArgumentTypeError(f"{path}: no file can be written there")
        for part in parts:
            if not all(mark in path.read_text() for mark in marks_of(part)):
                raise argparse.ArgumentTypeError(f"{path}: has no lines {' and '.join(marks_of(part))}")
        return path
    return page


def page_add(parser, *parts):
    """--write FILE; what cannot be written is refused before anything is measured."""
    parser.add_argument("--write", type=page_of(*parts), metavar="FILE",
                        help="write the result into the page" if parts else "write the page")


def table(rows, left=1):
    """The first row is the head; every column but the first `left` stands right."""
    rows = list(rows)
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    out = []
    for row in rows:
        cells = [cell.ljust(width) if column < left else cell.rjust(width)
                 for column, (cell, width) in enumerate(zip(row, widths))]
        out.append("| " + " | ".join(cells) + " |")
    out.insert(1, "|" + "|".join("-" * (w + 2) for w in widths) + "|")
    return "\n".join(out)


def marks_of(part):
    return f"<!-- begin {part} -->", f"<!-- end {part} -->"


def part_replace(path, part, text):
    begin, end = marks_of(part)
    before, rest = path.read_text().split(begin, 1)
    path.write_text(before + begin + "\n\n" + text + "\n\n" + end + rest.split(end, 1)[1])
