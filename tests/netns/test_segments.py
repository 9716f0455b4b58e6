"""Super-frames: TCP in both directions at once, cut and merged in every surrounding, arrives as it was sent."""

import itertools
from dataclasses import dataclass

import pytest

from topologies import Pair
from transfer import Traffic, assert_no_checksum_errors, hash_of, transfer, transfers

NO_OFFLOADS = (
    "tso off gso off gro off tx-udp-segmentation off tx-udp_tnl-segmentation off tx-udp_tnl-csum-segmentation off"
)
NO_CHECKSUM_6 = "udp6zerocsumtx udp6zerocsumrx"
RUN = 5  # packets that go together on average, at the least; 45 would be all of a super-frame


@dataclass(frozen=True)
class Surrounding:
    ends: tuple = ("vtep", "vtep")
    megabytes: int = 60  # in each direction, for each version inside
    inner: tuple = (4, 6)
    outer: int = 4
    words: str = ""
    mtu: int = 1500
    workers: str = "auto"
    device: str = ""  # words of ethtool -K for the underlay's devices

    def pair(self, net):
        pair = Pair(net, *self.ends, options=("--workers", self.workers), mtu=self.mtu)
        for end in (pair.a, pair.b):
            if self.device:
                end.ns.run(f"ethtool -K eno1 {self.device}")
        if self.outer == 6:
            pair.use_ipv6()
        pair.start()
        pair.add_links(group="ff05::1:2:3" if self.outer == 6 else "239.1.1.1", words=f"dstport 4789 {self.words}")
        if 6 in self.inner:
            pair.add_ipv6()
        return pair


SURROUNDINGS = {
    "vtep-vtep": Surrounding(megabytes=700, inner=(4,)),
    "vtep-kernel": Surrounding(("vtep", "kernel"), megabytes=700, inner=(4,)),
    "ipv6-inside": Surrounding(megabytes=200, inner=(6,)),
    "ipv6-inside-kernel": Surrounding(("vtep", "kernel"), megabytes=200, inner=(6,)),
    "ipv6-outside": Surrounding(outer=6),
    "ipv6-outside-kernel": Surrounding(("vtep", "kernel"), outer=6),
    "no-outer-checksum": Surrounding(words="noudpcsum"),
    "no-outer-checksum-kernel": Surrounding(("vtep", "kernel"), words="noudpcsum"),
    "no-outer-checksum-over-ipv6": Surrounding(outer=6, words=NO_CHECKSUM_6),
    "no-outer-checksum-over-ipv6-kernel": Surrounding(("vtep", "kernel"), outer=6, words=NO_CHECKSUM_6),
    "plain-devices": Surrounding(device=NO_OFFLOADS),
    "plain-devices-kernel": Surrounding(("vtep", "kernel"), device=NO_OFFLOADS),
    "devices-without-checksums": Surrounding(device=f"tx off {NO_OFFLOADS}"),
    "devices-that-merge": Surrounding(device="gro on"),
    "devices-that-merge-kernel": Surrounding(("vtep", "kernel"), device="gro on"),
    "jumbo": Surrounding(mtu=9000),
    "jumbo-kernel": Surrounding(("vtep", "kernel"), mtu=9000),
    "jumbo-plain-devices": Surrounding(mtu=9000, device=NO_OFFLOADS),
    "one-worker": Surrounding(workers="1"),
    "two-workers": Surrounding(workers="2"),
    "two-workers-kernel": Surrounding(("kernel", "vtep"), workers="2"),
}


@pytest.mark.parametrize("name", SURROUNDINGS)
def test_both_directions_at_once(net, name):
    surrounding = SURROUNDINGS[name]
    pair = surrounding.pair(net)
    ports = itertools.count(9000)
    for version in surrounding.inner:
        transfers(*((*way, surrounding.megabytes, next(ports)) for way in pair.ways(version)))
    assert_no_checksum_errors(pair)


@pytest.mark.parametrize("inner", [4, 6])
@pytest.mark.parametrize("peer", ["vtep", "kernel"])
@pytest.mark.parametrize("way", [0, 1], ids=["from", "to"])
def test_the_interface_sees_few_packets(net, peer, way, inner):
    """One direction, because acknowledgments of the other would count as packets."""
    pair = Surrounding(("vtep", peer)).pair(net)
    interface = Traffic(pair.a.ns)
    sent, received = transfer(*pair.ways(inner)[way], 200)
    assert sent == received == hash_of(200)
    assert interface.bytes_a_packet(("tx", "rx")[way]) > RUN * 1450
    assert_no_checksum_errors(pair)
