"""UDP inside, cut and merged: each datagram arrives once, as it was, and in its flow's order."""

import itertools
import random

import pytest

from datagrams import LARGEST, MOST, Flow
from topologies import Pair
from transfer import Traffic, assert_no_checksum_errors

ENDS = [("vtep", "vtep"), ("vtep", "kernel"), ("kernel", "vtep")]
LARGEST_WHOLE = {4: 1450 - 28, 6: 1450 - 48}  # payload that goes without fragments
BURSTS = 60
_ports = itertools.count(10_000)

versions = pytest.mark.parametrize("version", [4, 6])
mergings = pytest.mark.parametrize("merging", [False, True], ids=["one-by-one", "merging"])


@pytest.fixture(scope="module", params=ENDS, ids="-".join)
def pair(request, module_net):
    pair = Pair(module_net, *request.param).start()
    pair.add_links()
    pair.add_ipv6()
    yield pair
    assert_no_checksum_errors(pair)


@pytest.fixture
def flows_of(pair):
    """Call it for flows from a to b."""
    flows = []

    def make(count, version, **options):
        there, _ = pair.ways(version)
        flows.extend(Flow(*there, next(_ports), **options) for _ in range(count))
        return flows

    yield make
    for flow in flows:
        flow.close()


def in_bursts(flows, send, in_order=True):
    """`send` for a flow that is drawn, some hundred times, and all of it is there before the next burst is sent."""
    draw = random.Random(len(flows))
    for _ in range(BURSTS):
        for flow in draw.choices(flows, k=8):
            send(draw, flow)
        for flow in flows:
            flow.check(in_order)


def some_sizes(draw, largest, least=0):
    """Runs of equal sizes, a shorter one behind some, a longer one behind others, and sizes that do not go together."""
    size = draw.choice([1, 16, 100, 700, largest - 1, largest])
    equal = [size] * draw.randrange(1, 24)
    shorter, longer = draw.randrange(least, size + 1), min(largest, size + 1)
    return equal + draw.choice([[], [shorter], [longer], draw.choices(range(least, largest), k=3)])


@mergings
@versions
def test_runs(flows_of, version, merging):
    """Made by UDP_SEGMENT: the sender's stack hands them over as they are."""
    largest = LARGEST_WHOLE[version]

    def send(draw, flow):
        size = draw.choice([1, 100, 701, 1000, largest])
        count = draw.randrange(1, min(MOST, LARGEST // size))
        flow.send_run(size, count, draw.choice([None, 1, draw.randrange(1, size + 1)]))

    in_bursts(flows_of(3, version, merging=merging), send)


@mergings
@versions
def test_one_by_one(flows_of, version, merging):
    """Linux's GRO lets an empty datagram overtake those that it holds for a receiver that asks for runs."""
    largest = LARGEST_WHOLE[version]
    least = 1 if merging else 0
    in_bursts(flows_of(3, version, merging=merging), lambda draw, flow: flow.send(*some_sizes(draw, largest, least)))


@mergings
def test_without_a_checksum(flows_of, merging):
    """IPv4 allows it; it cannot be verified, so it is not merged."""
    flows = flows_of(2, 4, merging=merging, checksum=False)
    in_bursts(flows, lambda draw, flow: flow.send(*some_sizes(draw, LARGEST_WHOLE[4])))


@versions
def test_among_fragments(flows_of, version):
    """What does not fit the MTU comes in fragments. They have no ports and take a way of their own: in what order they
    come is not promised."""

    def send(draw, flow):
        flow.send(*some_sizes(draw, LARGEST_WHOLE[version]), draw.randrange(1500, 9000), *some_sizes(draw, 1000))

    in_bursts(flows_of(2, version), send, in_order=False)


@mergings
@versions
def test_runs_and_others_in_turn(flows_of, version, merging):
    def send(draw, flow):
        flow.send_run(500, 10, 499)
        flow.send(500, 500, 500, 1, 501)
        flow.send_run(1200, 20)
        flow.send(1200, 1201)

    in_bursts(flows_of(2, version, merging=merging), send)


@versions
def test_runs_stay_together(pair, flows_of, version):
    """On the interfaces, and for a receiver that asks for runs."""
    (flow,) = flows_of(1, version, merging=True)
    ends = [(Traffic(end.ns), way) for end, way in ((pair.a, "tx"), (pair.b, "rx"))]
    for _ in range(200):
        flow.send_run(1200, 50)
        flow.check()
    assert flow.runs > 0
    for end, (traffic, way) in zip((pair.a, pair.b), ends):
        if end.impl == "vtep":
            assert traffic.bytes_a_packet(way) > 5 * 1200, end.ns.name
