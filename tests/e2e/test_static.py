# SPDX-License-Identifier: Apache-2.0
"""The static build (`make static`): one file that needs no library of the machine, and gives the same answer."""

import json
import os
import struct
import subprocess

import pytest
from fixture import ROOT
from judge import mapfault_json

STATIC = ROOT / "build-static" / "mapfault"
PT_INTERP = 3


def segment_types(path):
    """p_type of each program header of a 64-bit ELF file."""
    data = path.read_bytes()
    offset, = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    return [struct.unpack_from("<I", data, offset + i * size)[0] for i in range(count)]


@pytest.mark.skipif(not STATIC.exists(), reason="make static has not been run")
def test_static(crash):
    assert PT_INTERP not in segment_types(STATIC)
    done = subprocess.run([STATIC, "--json", crash.core, crash.app], capture_output=True, text=True, timeout=60,
                          env={"PATH": os.environ["PATH"]})
    ours, theirs = json.loads(done.stdout), mapfault_json(crash.core, crash.app)
    assert ours["verdict"] == theirs["verdict"] and ours["sides"] == theirs["sides"]
