# SPDX-License-Identifier: Apache-2.0
"""What a tool has measured, in a file of JSON lines: each row is on disk before the next is measured."""

import json
import threading


def rows_read(path):
    rows = []
    for number, line in enumerate(path.read_text().splitlines() if path.exists() else [], 1):
        try:
            rows.append(json.loads(line))
        except ValueError as error:
            raise SystemExit(f"{path}: line {number} is no result ({error}): take it out") from error
    return rows


def row_add(path, row):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a") as out:
        out.write(json.dumps(row) + "\n")


class Results:
    """Rows by what `key` says of each: a later one replaces an earlier one. Threads may share it."""

    def __init__(self, path, key=lambda row: row["key"]):
        self.path, self.key, self.lock = path, key, threading.Lock()
        self.rows = {key(row): row for row in rows_read(path)}

    def add(self, row):
        with self.lock:
            self.rows[self.key(row)] = row
            row_add(self.path, row)

    def do(self, key, work):
        """The row of that key; work() makes it where there is none."""
        if key not in self.rows:
            self.add(work())
        return self.rows[key]
