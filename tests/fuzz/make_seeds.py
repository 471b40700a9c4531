#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the seeds of the ELF readers into corpus/: sound little cores and images. Deterministic."""
import lzma
import pathlib
import struct
import subprocess

CORPUS = pathlib.Path(__file__).parent / "corpus"
X86_64, ARM64 = 62, 183
EXEC, DYN, CORE = 2, 3, 4
LOAD, DYNAMIC, NOTE = 1, 2, 4
BASE = 0x400000


def write(name, data):
    path = CORPUS / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def note(owner, kind, data, alignment=4):
    def pad(b):
        return b + b"\0" * (-len(b) % alignment)
    head = struct.pack("<III", len(owner) + 1, len(data), kind)
    return pad(head + owner + b"\0") + pad(data)


def elf(kind, machine, segments, entry=0, sections=b"", count=0, names=0):
    """segments: (type, flags, address, data, memory size); the first begins at offset 0 when data is None."""
    start = 64 + 56 * len(segments)
    headers, body = b"", b""
    for type_, flags, address, data, size in segments:
        offset = start + len(body)
        if data is None:
            offset, data = 0, b""
            filesz = size
        else:
            filesz = len(data)
        headers += struct.pack("<IIQQQQQQ", type_, flags, offset, address, address, filesz, size, 4)
        body += data + b"\0" * (-len(data) % 8)
    shoff = start + len(body) if sections else 0
    head = b"\x7fELF\2\1\1" + b"\0" * 9 + struct.pack(
        "<HHIQQQIHHHHHH", kind, machine, 1, entry, 64, shoff, 0, 64, 56, len(segments), 64, count, names)
    return head + headers + body + sections


def status(machine, tid):
    words = 27 if machine == X86_64 else 34
    return struct.pack("<12xH18xI76x", 6, tid) + struct.pack(f"<{words}Q", *range(words)) + b"\0" * 8


def files(*entries):
    table = struct.pack("<QQ", len(entries), 4096)
    table += b"".join(struct.pack("<QQQ", a, b, o) for a, b, o, _ in entries)
    return table + b"".join(p + b"\0" for *_, p in entries)


def core_notes(machine):
    info = b"\0" * 40 + b"app".ljust(16, b"\0") + b"./app -v ".ljust(80, b"\0")
    data = note(b"CORE", 1, status(machine, 100)) + note(b"CORE", 3, info)
    data += note(b"CORE", 6, struct.pack("<6Q", 9, BASE + 0x40, 3, BASE + 64, 0, 0))
    data += note(b"CORE", 0x46494C45, files((BASE, BASE + 0x2000, 0, b"/bin/app")))
    data += note(b"CORE", 1, status(machine, 101))
    if machine == ARM64:
        data += note(b"LINUX", 0x401, struct.pack("<Q", 0x7000))
    return data


def image(machine, kind):
    base = BASE if kind == EXEC else 0
    relative = 8 if machine == X86_64 else 1027
    ids = note(b"Go", 4, b"action/content") + note(b"GNU", 3, bytes(range(20)))
    rela = struct.pack("<QQQ", base + 0x1000, relative, 0x1234)
    relr = struct.pack("<QQ", base + 0x1008, 3)
    dynamic = struct.pack("<10Q", 7, base + 0x2000, 8, len(rela), 36, base + 0x3000, 35, len(relr), 0, 0)
    segments = [(LOAD, 5, base, None, 120), (NOTE, 4, base + 0x100, ids, len(ids)),
                (LOAD, 6, base + 0x1000, b"\0" * 64, 128), (LOAD, 4, base + 0x2000, rela, len(rela)),
                (LOAD, 4, base + 0x3000, relr, len(relr)), (DYNAMIC, 6, base + 0x4000, dynamic, len(dynamic))]
    strings = b"\0.shstrtab\0.symtab\0runtime.allgs\0"
    symbols = b"\0" * 24 + struct.pack("<IBBHQQ", 19, 1, 0, 1, base + 0x1010, 24)
    plain = elf(kind, machine, segments, entry=base + 0x40)
    at = len(plain)
    def section(name, type_, offset, size, link=0):
        return struct.pack("<IIQQQQIIQQ", name, type_, 0, 0, offset, size, link, 0, 8, 24)
    table = section(0, 0, 0, 0) + section(1, 3, at + 192, len(strings)) + section(
        11, 2, at + 192 + len(strings), len(symbols), 1)
    return plain, elf(kind, machine, segments, base + 0x40, table + strings + symbols, 3, 1)


def flight():
    """A flight recorder's file with one hooked place of each kind, a failed check and two records."""
    header, site, detections, slot, orders = 896, 56, 8, 64, 1 << 15
    names = b"runtime.mapassign\0" + b"\0" * 6
    sites = b"".join(struct.pack("<QIBBBBi36x", 0x401000 + 16 * i, 0, i, 1, 3, 6, 0x20) for i in range(3))
    names_at = header + 3 * site
    seen_at = names_at + len(names)
    eras_at = seen_at + detections * 4096
    slots_at = eras_at + 8 * orders
    total = slots_at + 2 * slot
    head = struct.pack("<QIIQIiiiQQQq15I", 0x544847494C46464D, 4, header, total, 0, 22, 12, 99, 0, 0x400000,
                       0x500000, 1, 3, header, names_at, len(names), seen_at, seen_at, slots_at, 2, 0, 0, slots_at, eras_at, 1, 0, 0)
    head = head.ljust(704, b"\0") + struct.pack("<Q", 1).ljust(64, b"\0")
    stack = struct.pack("<8Q", 0, 0, 0x7040, 0x401111, 0x402222, 0, 0, 0)
    seen = struct.pack("<QQQQQIIQ", 1, 7, 0xC000010000, 1 << 32 | 9, 5, 2, len(stack), 0x7000)
    seen += struct.pack("<16Q8x", 0, 0, 0, 0, 0x7000, 0x7010, *[0] * 10) + stack
    key = [goroutine << 32 | 0xC000010000 >> 4 & 0xFFFFFFFF for goroutine in (7, 9)]
    slots = b"".join(struct.pack("<QQQII6IQ", k, 0x401234 << 32 | (k >> 32 + 10) << 17, i + 1 << 32 | k >> 32, i, i,
                                 0x402345, 0, 0, 0, k >> 32, 0, k) for i, k in enumerate(key))
    eras = bytearray(8 * orders)
    struct.pack_into("<II", eras, 8 * (key[0] % orders), 1, key[0] & 0xFFFFFFFF)
    return head.ljust(header, b"\0") + sites + names + seen.ljust(detections * 4096, b"\0") + bytes(eras) + slots


def map_code():
    """(minor, name, code) of the samples of real toolchains."""
    text = (CORPUS.parents[1] / "unit/record/map_code_samples.txt").read_text()
    for part in text.split("function ")[1:]:
        minor, name = part.split()[:2]
        code = "".join(line.split()[1] for line in part.splitlines() if line.startswith("code "))
        yield int(minor), name.split(".")[-1], bytes.fromhex(code)


def main():
    cores = {}
    write("flight/small", flight())
    for minor, name, code in map_code():
        if minor in (9, 16, 17, 23, 24, 27):
            write(f"map_code/{minor}_{name}", bytes([3 if minor >= 24 else 1]) + code)
    for name, machine in ("amd64", X86_64), ("arm64", ARM64):
        notes = core_notes(machine)
        write(f"note/core_{name}", notes)
        stripped, whole = image(machine, EXEC)
        pie_stripped, pie = image(machine, DYN)
        write(f"image/exec_{name}", whole)
        write(f"image/pie_stripped_{name}", pie_stripped)
        write(f"image/pie_{name}", pie)
        cores[name] = elf(CORE, machine, [
            (NOTE, 0, 0, notes, 0), (LOAD, 5, BASE, stripped, 0x2000), (LOAD, 6, 0xC000000000, b"heap" * 16, 64)])
        write(f"core/{name}", cores[name])
        write(f"match/{name}", struct.pack("<H", len(cores[name])) + cores[name] + whole)
    write("note/empty_owner", struct.pack("<III", 0, 4, 1) + b"abcd")
    write("note/aligned_8", note(b"GNU", 5, b"property", 8))
    plain = cores["amd64"]
    packed = {"zst": subprocess.run(["zstd", "-q"], input=plain, capture_output=True, check=True).stdout,
              "lz4": subprocess.run(["lz4", "-q"], input=plain, capture_output=True, check=True).stdout,
              "xz": lzma.compress(plain)}
    for kind, data in packed.items():
        write(f"inflate/core.{kind}", data)
        write(f"core/amd64.{kind}", data)


main()
