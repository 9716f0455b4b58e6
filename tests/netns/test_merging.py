"""What arrives together and is of one flow goes to the interface as one frame; what is odd goes as it came."""

import pytest
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrDestOpt
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from flows import SIZE, START, apart, part
from namespaces import eventually
from packets import LOCAL, STATION
from scene import Scene

NOP = [("NOP", None)] * 4


@pytest.fixture(scope="module")
def scene(module_net):
    return Scene(module_net, "vtep")


@pytest.fixture(scope="module")
def overlay(scene):
    return scene.add("id 6000 remote 10.0.0.2 dstport 4789 dev eno1 vlan allow")


def at_once(overlay, frames):
    """What comes out of the interface when the daemon finds all of these at the same time."""
    overlay.port.drain()
    marker = bytes(Ether(src=STATION, dst=LOCAL, type=0x88B6) / b"the last of them")
    arriving = [*map(overlay.arriving, [*frames, marker])]

    def delivered():
        return overlay.scene.ns.snmp()["Ip"]["InDelivers"]

    with overlay.scene.host.paused():
        before = delivered()
        overlay.scene.wire.send(*arriving)
        eventually("all of them are in the socket", lambda: delivered() >= before + len(arriving))
    return overlay.port.receive(lambda frame: frame == marker)[1]


def tampered(frame, at):
    """One byte of it is another."""
    frame = bytearray(frame)
    frame[at] ^= 0x55
    return bytes(frame)


def tagged(frame, vlan):
    return frame[:12] + b"\x81\0" + vlan.to_bytes(2, "big") + frame[12:]


def odd_frames(protocol, version):
    """Each in the place of frame 2, by what is odd about it."""

    def two(**changes):
        return bytes(part(protocol, version, 2, **changes))

    head = 14 + (20 if version == 4 else 40)
    limit, tos = ("ttl", "tos") if version == 4 else ("hlim", "tc")
    odd = {
        "hop limit": two(ip={limit: 9}),
        "congestion experienced": two(ip={tos: 3}),
        "dscp": two(ip={tos: 0x20}),
        "source port": two(l4={"sport": 1001}),
        "wrong checksum": tampered(two(), head + (16 if protocol == "tcp" else 6)),
        "wrong payload": tampered(two(), head + 30),
        "padded": two() + bytes(6),
        "vlan tag": tagged(two(), 5),
        "other station": bytes.fromhex("020000000006").join((two()[:6], two()[12:])),
    }
    if version == 4:
        odd |= {
            "identification": two(ip={"id": 900}),
            "fragments allowed": two(ip={"flags": 0}),
            "fragment": two(ip={"flags": "MF"}),
            "last fragment": bytes(part(protocol, 4, 2, ip={"flags": 0, "frag": 100})),
            "ip options": two(ip={"options": b"\x94\x04\0\0"}),
            "wrong ip checksum": tampered(two(), 24),
        }
    else:
        packet = part(protocol, 6, 2)
        odd |= {
            "flow label": two(ip={"fl": 78}),
            "extension header": bytes(
                Ether(src=packet.src, dst=packet.dst)
                / IPv6(src="fd00:5::12", dst="fd00:5::10", fl=77) / IPv6ExtHdrDestOpt() / packet[IPv6].payload
            ),
        }
    return odd | (odd_segments(two) if protocol == "tcp" else odd_datagrams(two, version))


def odd_segments(two):
    flags = {name: two(l4={"flags": letters}) for name, letters in (
        ("syn", "SA"), ("reset", "RA"), ("urgent", "UA"), ("congestion window reduced", "CA"), ("echo", "EA"),
        ("no acknowledgment", ""),
    )}
    return flags | {
        "urgent pointer": two(l4={"urgptr": 5}),
        "acknowledgment": two(l4={"ack": 10}),
        "window": two(l4={"window": 501}),
        "longer": two(size=SIZE + 1),
        "tcp options": two(l4={"options": NOP}),
        "gap": two(l4={"seq": START + 2 * SIZE + 50}),
        "again": two(l4={"seq": START + SIZE}),
        "from before": two(l4={"seq": START - SIZE}),
        "reserved bit": two(l4={"reserved": 1}),
    }


def odd_datagrams(two, version):
    short = bytearray(two())
    length_at = 14 + (20 if version == 4 else 40) + 4
    short[length_at : length_at + 2] = (8 + SIZE - 10).to_bytes(2, "big")
    none = {"no checksum": two(l4={"chksum": 0})} if version == 4 else {}
    return none | {"udp length": bytes(short)}


CASES = [
    pytest.param(protocol, version, name, id=f"{protocol}-{version}-{name.replace(' ', '-')}")
    for protocol in ("tcp", "udp") for version in (4, 6) for name in odd_frames(protocol, version)
]


@pytest.mark.parametrize("protocol, version, name", CASES)
def test_an_odd_frame_goes_as_it_came(overlay, protocol, version, name):
    """And those before and behind it are merged among themselves, so they were looked at together."""
    frames = [bytes(part(protocol, version, number)) for number in range(5)]
    frames[2] = odd = odd_frames(protocol, version)[name]
    seen = at_once(overlay, frames)
    if name == "source port":  # of another flow, and so in no order with this one
        for listed in (frames, seen):
            listed.append(listed.pop(listed.index(odd)))
    else:
        assert len(seen) == 3 and seen[1] == odd
    assert [piece for frame in seen for piece in apart(frame, protocol)] == frames


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_a_flow_is_merged(overlay, protocol, version):
    frames = [bytes(part(protocol, version, number)) for number in range(40)]
    (frame,) = at_once(overlay, frames)
    assert apart(frame, protocol) == frames


@pytest.mark.parametrize("version", [4, 6])
def test_two_flows_in_turn_are_two_frames(overlay, version):
    frames = [bytes(part("tcp", version, number // 2, l4={"sport": 1000 + number % 2})) for number in range(20)]
    seen = at_once(overlay, frames)
    assert [apart(frame, "tcp") for frame in seen] == [frames[::2], frames[1::2]]


def test_flags_that_close_go_with_the_last(overlay):
    frames = [bytes(part("tcp", 4, number, l4={"flags": "PA" if number in (3, 7) else "A"})) for number in range(8)]
    seen = at_once(overlay, frames)
    assert len(seen) == 2 and [piece for frame in seen for piece in apart(frame, "tcp")] == frames


def test_out_of_order_stays_out_of_order(overlay):
    order = [0, 2, 1, 3, 5, 4, 6, 7]
    frames = [bytes(part("tcp", 4, number)) for number in order]
    seen = at_once(overlay, frames)
    assert [piece for frame in seen for piece in apart(frame, "tcp")] == frames


@pytest.mark.parametrize("changes", [{"proto": 47}, {"proto": 132}], ids=["gre", "sctp"])
def test_what_is_neither_tcp_nor_udp_is_not_merged(overlay, changes):
    frames = [
        bytes(Ether(src=STATION, dst=LOCAL) / IP(src="192.168.5.12", dst="192.168.5.10", id=n, **changes)
              / Raw(bytes([n]) * SIZE))
        for n in range(5)
    ]
    assert at_once(overlay, frames) == frames


def test_an_empty_payload_is_not_merged(overlay):
    for layer in (TCP(sport=1, dport=2, flags="A", seq=5), UDP(sport=1, dport=2)):
        frame = bytes(Ether(src=STATION, dst=LOCAL) / IP(src="192.168.5.12", dst="192.168.5.10") / layer)
        assert at_once(overlay, [frame] * 3) == [frame] * 3
