# SPDX-License-Identifier: Apache-2.0
"""Tables for pages, and the parts of a page that tools write: between <!-- begin NAME --> and <!-- end NAME -->."""


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


def part_replace(path, name, text):
    begin, end = f"<!-- begin {name} -->\n", f"<!-- end {name} -->"
    page = path.read_text()
    before, rest = page.split(begin, 1)
    path.write_text(before + begin + "\n" + text + "\n\n" + end + rest.split(end, 1)[1])
