#!/usr/bin/env python3
"""Turns text files into a C table: embed.py OUTPUT FILE...  (names lose their ".txt")."""
import pathlib
import sys


def literal(text):
    lines = text.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t").splitlines()
    return "\n".join(f'\t "{line}\\n"' for line in lines) or '\t ""'


def main(output, *files):
    rows = []
    for name in files:
        path = pathlib.Path(name)
        rows.append(f'\t{{"{path.name[:-len(".txt")]}",\n{literal(path.read_text())}}},')
    pathlib.Path(output).write_text(
        "struct template_file {\n\tconst char *name, *text;\n};\n"
        "extern const struct template_file template_files[];\n"
        "const struct template_file template_files[] = {\n" + "\n".join(rows) +
        "\n\t{0, 0},\n};\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
