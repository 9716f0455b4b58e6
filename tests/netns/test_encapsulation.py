"""Frames sent on vxlan0: every byte that leaves on the underlay. The kernel's driver passes the same tests, which shows
that they ask for what is usual."""

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether

from packets import LOCAL, STATION, check_outer, frame_kinds, inner_of, is_vxlan, source_port
from topologies import WIRE_MAC, Probe, both

KINDS = frame_kinds(LOCAL, STATION)
PORT_RANGES = {"vtep": (49152, 65535), "kernel": (32768, 60999)}


@pytest.fixture(scope="module", params=["vtep", "kernel"])
def remote(request, module_net):
    """A link that sends everything to 10.0.0.2."""
    probe = Probe(module_net, request.param)
    probe.vxlan0 = probe.overlay("id 6000 remote 10.0.0.2 dstport 4789 dev eno1" + probe.host.allow_vlan)
    return probe


def sent(probe, *frames):
    """What arrives on the wire for these frames, in the order in which it came."""
    probe.wire.drain()
    probe.vxlan0.send(*frames)
    return probe.wire.receive(is_vxlan, count=len(frames))[0]


@pytest.mark.parametrize("kind", KINDS)
def test_every_outer_byte(remote, kind):
    inner = KINDS[kind]
    (outer,) = sent(remote, inner)
    check_outer(
        outer, inner, 6000, "10.0.0.1", "10.0.0.2", remote.mac, WIRE_MAC, ports=PORT_RANGES[remote.host.impl]
    )


def test_order_and_bytes_survive_a_burst(remote):
    frames = [bytes(Ether(src=LOCAL, dst=STATION, type=0x88B5) / (i.to_bytes(2, "big") * (20 + i))) for i in range(200)]
    assert [inner_of(outer) for outer in sent(remote, *frames)] == frames


def flow(i, layer=UDP, payload=b"x"):
    packet = Ether(src=LOCAL, dst=STATION) / IP(src="192.168.5.10", dst="192.168.5.12")
    return bytes(packet / layer(sport=1000 + i, dport=80) / payload)


@pytest.mark.parametrize("layer", [UDP, TCP])
def test_a_flow_keeps_its_source_port(remote, layer):
    outers = sent(remote, *[flow(7, layer, b"p" * i) for i in range(1, 40)])
    assert len({source_port(outer) for outer in outers}) == 1


def test_a_ping_keeps_its_source_port(remote):
    ping = Ether(src=LOCAL, dst=STATION) / IP(src="192.168.5.10", dst="192.168.5.12")
    outers = sent(remote, *[bytes(ping / ICMP(id=9, seq=i) / b"payload") for i in range(10)])
    assert len({source_port(outer) for outer in outers}) == 1


def test_fragments_of_a_flow_share_a_source_port(remote):
    ip = IP(src="192.168.5.10", dst="192.168.5.12", proto=17, id=77)
    first, later = ip.copy(), ip.copy()
    first.flags = "MF"
    later.frag = 100
    frames = [bytes(Ether(src=LOCAL, dst=STATION) / first / UDP(sport=1, dport=2, len=808, chksum=0) / (b"f" * 792)),
              bytes(Ether(src=LOCAL, dst=STATION) / later / (b"l" * 100))]
    assert len({source_port(outer) for outer in sent(remote, *frames)}) == 1


@pytest.mark.parametrize("layer", [UDP, TCP])
def test_flows_spread_over_source_ports(remote, layer):
    ports = {source_port(outer) for outer in sent(remote, *[flow(i, layer) for i in range(256)])}
    assert len(ports) >= 32, f"256 flows left from {len(ports)} ports: {sorted(ports)}"
    low, high = PORT_RANGES[remote.host.impl]
    assert all(low <= port <= high for port in ports)


def test_ipv6_flows_spread_over_source_ports(remote):
    packet = Ether(src=LOCAL, dst=STATION) / IPv6(src="fd00::10", dst="fd00::12")
    frames = [bytes(packet / UDP(sport=1000 + i, dport=80)) for i in range(64)]
    assert len({source_port(outer) for outer in sent(remote, *frames)}) >= 16


@both
def test_link_words_reach_the_wire(probe_of, impl):
    """VNI at both ends of its range, port, source ports, ttl and local address, each as its link says."""
    probe = probe_of(impl)
    probe.ns.run("ip addr add 10.0.0.77/24 dev eno1")
    inner = KINDS["udp"]
    links = {
        "id 0 remote 10.0.0.2 dstport 4789 dev eno1": dict(vni=0),
        "id 16777215 remote 10.0.0.3 dstport 4789 dev eno1": dict(vni=16777215, remote="10.0.0.3"),
        "id 80000 remote 10.0.0.2 dstport 4789 dev eno1 ttl 7": dict(vni=80000, ttl=7),
        "id 5 remote 10.0.0.2 dstport 8472 dev eno1": dict(vni=5, port=8472),
        "id 6 remote 10.0.0.2 dev eno1": dict(vni=6, port=8472),
        "id 7 remote 10.0.0.2 dstport 4789 dev eno1 srcport 50000 50003": dict(vni=7, ports=(50000, 50003)),
        "id 8 remote 10.0.0.2 local 10.0.0.77 dstport 4789 dev eno1": dict(vni=8, source="10.0.0.77"),
        "id 9 remote 10.0.0.2 dstport 4789": dict(vni=9),
    }
    for number, (spec, expected) in enumerate(links.items()):
        overlay = probe.overlay(spec, name=f"vxlan{number}")
        probe.wire.drain()
        overlay.send(inner)
        port = expected.get("port", 4789)
        outer = probe.wire.expect(lambda frame: is_vxlan(frame, port))
        usual = dict(source="10.0.0.1", remote="10.0.0.2", ports=PORT_RANGES[impl])
        check_outer(outer, inner, source_mac=probe.mac, remote_mac=WIRE_MAC, **{**usual, **expected})


@both
@pytest.mark.parametrize("words, ttl", [("", 1), ("ttl 4", 4)])
def test_unknown_destinations_go_to_the_group(probe_of, impl, words, ttl):
    probe = probe_of(impl)
    overlay = probe.overlay(f"id 6000 group 239.1.1.1 dstport 4789 dev eno1 {words}")
    for kind in ("arp", "udp"):
        overlay.send(KINDS[kind])
        check_outer(
            probe.wire.expect(is_vxlan), KINDS[kind], 6000, "10.0.0.1", "239.1.1.1", probe.mac, "01:00:5e:01:01:01",
            ttl=ttl, ports=PORT_RANGES[impl],
        )


@both
def test_a_high_group_keeps_23_bits_in_its_mac(probe_of, impl):
    """RFC 1112 section 6.4: 239.129.1.1 and 239.1.1.1 share a MAC address."""
    probe = probe_of(impl)
    overlay = probe.overlay("id 6000 group 239.129.1.1 dstport 4789 dev eno1")
    overlay.send(KINDS["arp"])
    outer = Ether(probe.wire.expect(is_vxlan))
    assert (outer.dst, outer[IP].dst) == ("01:00:5e:01:01:01", "239.129.1.1")


@both
def test_head_end_replication_sends_one_copy_to_each(probe_of, impl):
    probe = probe_of(impl)
    overlay = probe.overlay("id 6000 dstport 4789 dev eno1" + probe.host.allow_vlan)
    remotes = [f"10.0.0.{last}" for last in range(2, 7)]
    for remote in remotes:
        probe.host.fdb(f"append 00:00:00:00:00:00 dst {remote} dev vxlan0")
    probe.wire.drain()
    overlay.send(KINDS["arp"], KINDS["vlan"])
    outers, _ = probe.wire.receive(is_vxlan, count=10)
    for kind in ("arp", "vlan"):
        copies = [outer for outer in outers if inner_of(outer) == KINDS[kind]]
        assert sorted(Ether(copy)[IP].dst for copy in copies) == remotes
        assert len({source_port(copy) for copy in copies}) == 1
        for copy in copies:
            check_outer(
                copy, KINDS[kind], 6000, "10.0.0.1", Ether(copy)[IP].dst, probe.mac, WIRE_MAC, ports=PORT_RANGES[impl]
            )


@both
def test_an_entry_can_have_a_port_and_a_vni_of_its_own(probe_of, impl):
    probe = probe_of(impl)
    overlay = probe.overlay("id 6000 remote 10.0.0.2 dstport 4789 dev eno1" + probe.host.allow_vlan)
    probe.host.fdb(f"add {STATION} dst 10.0.0.5 port 5000 vni 77 dev vxlan0")
    overlay.send(KINDS["udp"])
    outer = probe.wire.expect(lambda frame: is_vxlan(frame, 5000))
    check_outer(
        outer, KINDS["udp"], 77, "10.0.0.1", "10.0.0.5", probe.mac, WIRE_MAC, ports=PORT_RANGES[impl], port=5000
    )


def test_a_frame_for_nobody_is_counted(probe):
    overlay = probe.overlay("id 6000 dstport 4789 dev eno1")
    overlay.send(KINDS["udp"], KINDS["arp"])
    probe.host.fdb("append 00:00:00:00:00:00 dst 10.0.0.2 dev vxlan0")
    overlay.send(KINDS["icmp"])
    found, others = probe.wire.receive(is_vxlan)
    assert inner_of(found[0]) == KINDS["icmp"] and not [frame for frame in others if is_vxlan(frame)]
    assert probe.host.drops() == {"no_remote": 2}


def test_a_frame_that_does_not_fit_the_underlay_is_counted_and_not_fragmented(probe):
    """RFC 7348 section 4.3: a VTEP must not fragment. The interface's MTU was raised by hand."""
    overlay = probe.overlay("id 6000 remote 10.0.0.2 dstport 4789 dev eno1" + probe.host.allow_vlan)
    probe.ns.run("ip link set vxlan0 mtu 2000")
    overlay.send(bytes(Ether(src=LOCAL, dst=STATION, type=0x88B5) / (b"b" * 1600)), KINDS["icmp"])
    found, others = probe.wire.receive(is_vxlan)
    assert inner_of(found[0]) == KINDS["icmp"] and not [frame for frame in others if IP in Ether(frame)]
    assert probe.host.drops() == {"frame_too_big": 1}
