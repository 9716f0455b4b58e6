"""A tunnel that nobody uses costs nothing."""

import time

import pytest

from namespaces import eventually
from processes import resident_bytes, ticks
from transfer import transfers

SECONDS = 3  # the one place where time must pass: what is measured is that nothing happens in it


@pytest.mark.parametrize("spin", ["auto", "10000"])
def test_an_idle_tunnel_takes_no_processor_time(pair_of, spin):
    """Also right after it was busy, and however patiently it looks on for packets. A machine that takes processors away
    charges the time to who ran, so one quiet look out of three is enough."""
    pair = pair_of(options=("--spin", spin))
    pair.add_links()
    transfers(*((*way, 20, 9000 + number) for number, way in enumerate(pair.ways())))
    for end in (pair.a, pair.b):
        eventually("it sleeps", lambda end=end: is_asleep(end.process))
    spent = []
    while len(spent) < 3 and (not spent or max(spent[-1]) > 1):
        before = [ticks(end.process) for end in (pair.a, pair.b)]
        time.sleep(SECONDS)
        spent.append([ticks(end.process) - then for end, then in zip((pair.a, pair.b), before)])
    assert max(spent[-1]) <= 1, f"hundredths of a second: {spent}"


def is_asleep(process):
    before = ticks(process)
    time.sleep(0.2)
    return ticks(process) == before


def test_a_tunnel_takes_little_memory(pair_of):
    pair = pair_of(options=("--workers", "2"))
    pair.add_links()
    for end in (pair.a, pair.b):
        assert resident_bytes(end.process) <= 30 << 20
