"""Reads what calls.cc counts in a running program."""

import struct
from pathlib import Path

SLOT = struct.Struct("=4Q")  # thread, allocations, frees, locks
WHAT = ("allocations", "frees", "locks")


def read(path):
    """{what: number}, of all threads since the program began."""
    slots = [slot for slot in SLOT.iter_unpack(Path(path).read_bytes()) if slot[0]]
    return {what: sum(slot[1 + column] for slot in slots) for column, what in enumerate(WHAT)}


def difference(after, before):
    return {what: after[what] - before[what] for what in WHAT}
