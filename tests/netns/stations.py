"""Overlay stations: heard from behind a remote, and sent to."""

from scapy.layers.inet import IP
from scapy.layers.l2 import Ether

from packets import LOCAL, datagram, inner_of, is_vxlan, vxlan_header
from topologies import WIRE_MAC, Probe

VNI = 6000
MARKER = bytes(Ether(src=LOCAL, dst="ff:ff:ff:ff:ff:ff", type=0x88B6) / b"that was all")


def station(number):
    return f"02:00:00:00:01:{number:02x}"


def heard(probe, number, remote="10.0.0.2"):
    """A frame from a station behind `remote`; returns when it has come out of vxlan0."""
    inner = bytes(Ether(src=station(number), dst=LOCAL, type=0x88B5) / f"station {number} behind {remote}".encode())
    probe.wire.send(datagram(vxlan_header(VNI) + inner, source=remote, to_mac=probe.mac, from_mac=WIRE_MAC))
    probe.vxlan0.expect(lambda frame: frame == inner)


def destinations(probe, number):
    """Where a frame to a station is sent."""
    inner = bytes(Ether(src=LOCAL, dst=station(number), type=0x88B5) / b"where to?")
    probe.wire.drain()
    probe.vxlan0.send(inner, MARKER)
    found, others = probe.wire.receive(lambda frame: is_vxlan(frame) and inner_of(frame) == MARKER)
    return [Ether(frame)[IP].dst for frame in others if is_vxlan(frame) and inner_of(frame) == inner]


def make_probe(net, impl, spec="remote 10.0.0.9", **options):
    probe = Probe(net, impl, **options)
    probe.vxlan0 = probe.overlay(f"id {VNI} {spec} dstport 4789 dev eno1")
    return probe
