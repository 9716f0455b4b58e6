"""Datagrams from the underlay: what comes out of vxlan0, byte for byte, and what is dropped under which name."""

import socket

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Dot1Q, Ether

from packets import LOCAL, STATION, datagram, frame_kinds, vxlan_header
from topologies import WIRE_MAC, Probe, both

VNI = 6000
KINDS = frame_kinds(STATION, LOCAL)
MARKER = bytes(Ether(src=STATION, dst=LOCAL, type=0x88B6) / b"everything before this one has been seen to")


@pytest.fixture(scope="module", params=["vtep", "kernel"])
def remote(request, module_net):
    return make_remote(module_net, request.param)


@pytest.fixture(scope="module")
def vtep(module_net):
    """For what vtep counts by name, and where it is kinder than the kernel's driver."""
    return make_remote(module_net, "vtep")


def make_remote(net, impl):
    probe = Probe(net, impl)
    probe.vxlan0 = probe.overlay(f"id {VNI} remote 10.0.0.2 dstport 4789 dev eno1" + probe.host.allow_vlan)
    return probe


def arriving(probe, payload, **options):
    return datagram(payload, to_mac=probe.mac, from_mac=WIRE_MAC, **options)


def in_fragments(frame, size):
    """The same packet in IP fragments of at most `size` bytes each."""
    return [bytes(fragment) for fragment in Ether(frame).fragment(size)]


def received(probe, *frames):
    """Sends these underlay frames and then a good one; returns what came out of vxlan0 before that one."""
    probe.vxlan0.drain()
    probe.wire.send(*frames, arriving(probe, vxlan_header(VNI) + MARKER))
    return probe.vxlan0.receive(lambda frame: frame == MARKER)[1]


@pytest.mark.parametrize("kind", KINDS)
def test_the_inner_frame_arrives_as_it_was(remote, kind):
    assert received(remote, arriving(remote, vxlan_header(VNI) + KINDS[kind])) == [KINDS[kind]]


def test_order_and_bytes_survive_a_burst(remote):
    frames = [bytes(Ether(src=STATION, dst=LOCAL, type=0x88B5) / (i.to_bytes(2, "big") * (20 + i))) for i in range(200)]
    assert received(remote, *[arriving(remote, vxlan_header(VNI) + frame) for frame in frames]) == frames


@pytest.mark.parametrize("sport", [1, 1023, 4789, 32768, 65535])
def test_any_source_port_will_do(remote, sport):
    assert received(remote, arriving(remote, vxlan_header(VNI) + KINDS["udp"], sport=sport)) == [KINDS["udp"]]


def test_no_outer_checksum_is_accepted(remote):
    """RFC 7348 section 5: a zero UDP checksum MUST be accepted."""
    assert received(remote, arriving(remote, vxlan_header(VNI) + KINDS["udp"], chksum=0)) == [KINDS["udp"]]


def test_a_wrong_outer_checksum_is_not(remote):
    assert received(remote, arriving(remote, vxlan_header(VNI) + KINDS["udp"], chksum=0x1234)) == []


def test_an_outer_packet_in_fragments_is_put_together(remote):
    fragments = in_fragments(arriving(remote, vxlan_header(VNI) + KINDS["largest"]), 800)
    assert len(fragments) == 2
    assert received(remote, *fragments) == [KINDS["largest"]]


@pytest.mark.parametrize(
    "destination", ["ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:fb", "33:33:00:00:00:01", "02:00:00:00:00:99"]
)
def test_any_destination_comes_out(remote, destination):
    inner = bytes(Ether(src=STATION, dst=destination, type=0x88B5) / b"to whom it may concern")
    assert received(remote, arriving(remote, vxlan_header(VNI) + inner)) == [inner]


@pytest.mark.parametrize(
    "header",
    [
        vxlan_header(VNI, flags=0xFF),
        vxlan_header(VNI, flags=0x0C),
        vxlan_header(VNI, reserved=b"\xff\xff\xff"),
        vxlan_header(VNI, last=0xFF),
    ],
    ids=["all-flags", "one-flag-more", "reserved-24", "reserved-8"],
)
def test_reserved_bits_are_ignored(vtep, header):
    """RFC 7348 section 5: "MUST be set to zero on transmission and ignored on receipt"; the kernel's driver drops."""
    assert received(vtep, arriving(vtep, header + KINDS["udp"])) == [KINDS["udp"]]


def dropped(probe, *frames):
    """The drop counters that these frames move; none of the frames comes out."""
    before = probe.host.drops()
    assert received(probe, *frames) == []
    moved = {name: count - before.get(name, 0) for name, count in probe.host.drops().items()}
    return {name: count for name, count in moved.items() if count}


DROPPED = {
    "vxlan_no_vni": vxlan_header(VNI, flags=0) + KINDS["udp"],
    "unknown_vni": vxlan_header(VNI + 1) + KINDS["udp"],
    "own_source": vxlan_header(VNI) + bytes(Ether(src=LOCAL, dst=STATION) / b"an echo of our own"),
    "bad_source": vxlan_header(VNI) + bytes(Ether(src="01:00:5e:00:00:01", dst=LOCAL) / b"a group does not send"),
    "inner_too_big": vxlan_header(VNI) + bytes(Ether(src=STATION, dst=LOCAL, type=0x88B5) / bytes(1451)),
}


@pytest.mark.parametrize("name", DROPPED)
def test_each_bad_frame_is_counted_under_its_own_name(vtep, name):
    frames = in_fragments(arriving(vtep, DROPPED[name]), 1400)
    assert dropped(vtep, *frames * 3) == {name: 3}


def test_a_zero_source_is_a_bad_source(vtep):
    inner = bytes(Ether(src="00:00:00:00:00:00", dst=LOCAL) / b"nobody")
    assert dropped(vtep, arriving(vtep, vxlan_header(VNI) + inner)) == {"bad_source": 1}


def test_every_truncated_length_is_counted(vtep):
    whole = vxlan_header(VNI) + KINDS["udp"]
    shortest = 8 + 14
    cut = [arriving(vtep, whole[:length]) for length in range(shortest)]
    assert dropped(vtep, *cut) == {"vxlan_truncated": shortest}


def test_lengths_around_the_mtu(vtep):
    """1450 bytes behind the Ethernet header fit, and four more in a VLAN tag."""
    fits = bytes(Ether(src=STATION, dst=LOCAL, type=0x88B5) / bytes(1450))
    assert received(vtep, arriving(vtep, vxlan_header(VNI) + fits)) == [fits]
    tagged = bytes(Ether(src=STATION, dst=LOCAL) / Dot1Q(vlan=7, type=0x88B5) / bytes(1446))
    assert received(vtep, arriving(vtep, vxlan_header(VNI) + tagged)) == [tagged]


def test_each_drop_has_a_sentence(vtep):
    listed = vtep.host.vtep_run("drop show").stdout
    for name in vtep.host.drops():
        (line,) = [line for line in listed.splitlines() if name in line.split()]
        assert len(line.split()) > 5, line


def test_an_address_given_by_hand_is_the_own_address(vtep):
    """The daemon follows `ip link set vxlan0 address`."""
    other = "02:00:00:00:00:0b"
    echo = arriving(vtep, vxlan_header(VNI) + bytes(Ether(src=other, dst=STATION) / b"whose is it?"))
    assert received(vtep, echo) != []
    vtep.ns.run(f"ip link set vxlan0 address {other}")
    try:
        assert dropped(vtep, echo) == {"own_source": 1}
    finally:
        vtep.ns.run(f"ip link set vxlan0 address {LOCAL}")


@both
def test_links_on_one_port_are_told_apart_by_vni(probe_of, impl):
    probe = probe_of(impl)
    words = "remote 10.0.0.2 dstport 4789 dev eno1"
    ports = {vni: probe.overlay(f"id {vni} {words}", name=f"vx{vni}") for vni in (1, 2, 16777215)}
    for vni in ports:
        inner = bytes(Ether(src=STATION, dst=LOCAL, type=0x88B5) / vni.to_bytes(4, "big"))
        probe.wire.send(arriving(probe, vxlan_header(vni) + inner))
        assert ports[vni].receive(lambda frame: frame == inner)[1] == []
    assert [port.drain() for port in ports.values()] == [[], [], []]


@both
def test_one_vni_on_two_ports_is_two_links(probe_of, impl):
    probe = probe_of(impl)
    words = "id 7 remote 10.0.0.2 dev eno1"
    ports = {port: probe.overlay(f"{words} dstport {port}", name=f"vx{port}") for port in (4789, 8472)}
    for port in ports:
        inner = bytes(Ether(src=STATION, dst=LOCAL, type=0x88B5) / port.to_bytes(4, "big"))
        probe.wire.send(arriving(probe, vxlan_header(7) + inner, dport=port))
        ports[port].expect(lambda frame: frame == inner)
    assert [port.drain() for port in ports.values()] == [[], []]


@both
def test_datagrams_to_the_group_arrive(probe_of, impl):
    probe = probe_of(impl)
    overlay = probe.overlay(f"id {VNI} group 239.1.1.1 dstport 4789 dev eno1")
    payload = vxlan_header(VNI) + KINDS["arp"]
    probe.wire.send(datagram(payload, to="239.1.1.1", to_mac="01:00:5e:01:01:01", from_mac=WIRE_MAC))
    assert overlay.expect(lambda frame: True) == KINDS["arp"]


def test_an_unfinished_inner_checksum_reaches_the_local_stack(probe_of):
    """A kernel peer on a veth leaves the inner checksum to hardware that is not there: the field holds the sum over the
    pseudo header alone. A frame that small and that broken must still be taken, and counted by nobody."""
    probe = probe_of("vtep")
    overlay = probe.overlay(f"id {VNI} remote 10.0.0.2 dstport 4789 dev eno1" + probe.host.allow_vlan)
    probe.ns.run("ip addr add 192.168.5.1/24 dev vxlan0")
    frame = Ether(src=STATION, dst=LOCAL) / IP(src="192.168.5.2", dst="192.168.5.1")
    frame = frame / UDP(sport=9, dport=4242) / b"pseudo"
    frame[UDP].chksum = pseudo_header_sum(frame)
    with probe.ns.entered():
        listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.bind(("192.168.5.1", 4242))
    listener.settimeout(10)
    probe.net.on_close(listener.close)
    probe.wire.send(arriving(probe, vxlan_header(VNI) + bytes(frame)))
    assert listener.recv(100) == b"pseudo"
    assert probe.ns.checksum_errors() == {"Tcp": 0, "Udp": 0, "Icmp": 0}


def pseudo_header_sum(frame):
    """RFC 768: addresses, protocol and length, folded and not complemented."""
    addresses = bytes(frame[IP])[12:20]
    total = sum(int.from_bytes(addresses[i : i + 2], "big") for i in range(0, 8, 2)) + 17 + len(bytes(frame[UDP]))
    return (total & 0xFFFF) + (total >> 16)
