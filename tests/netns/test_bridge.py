"""The interface as a port of a Linux bridge, and between routed networks. Bridges with VLAN filtering are not in every
kernel (not in the one these tests were written on): there the VLANs of a trunk are VNIs of a vnifilter link."""

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import ARP, Dot1AD, Dot1Q, Ether

from lan import LAN_MAC, ROUTER_MAC, Lan
from outer import outer_of
from packets import STATION
from scene import ether, far, scene_fixture

scene, clean = scene_fixture(Lan)
ALL = "ff:ff:ff:ff:ff:ff"


def link(version=4, port=4789, vni=6000):
    return f"id {vni} remote {far(2, version)} dstport {port} dev eno1"


def from_lan(payload=b"from the lan", to=STATION):
    return ether(payload, source=LAN_MAC, to=to)


def to_lan(payload=b"to the lan", source=STATION, to=LAN_MAC):
    return ether(payload, source=source, to=to)


def reaches_lan(scene, overlay, inner, source=None):
    """Whether the station on the lan sees an inner frame."""
    scene.eth0.drain()
    overlay.received(overlay.arriving(inner, source))
    # Behind it, by the same way, comes one to everybody.
    last = to_lan(b"last", to=ALL)
    scene.wire.send(overlay.arriving(last, source))
    return inner in scene.eth0.receive(lambda frame: frame == last)[1]


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("port", [4789, 8472])
def test_a_conversation_across_the_bridge(scene, port, version):
    overlay = scene.bridged(link(version, port), version=version)
    (outer,) = scene.crosses(overlay, from_lan(to=ALL))
    assert (outer.remote, outer.dport, outer.vni, outer.inner) == (far(2, version), port, 6000, from_lan(to=ALL))
    assert reaches_lan(scene, overlay, to_lan(), far(3, version))
    (outer,) = scene.crosses(overlay, from_lan())
    assert (outer.remote, outer.inner) == (far(3, version), from_lan())


@pytest.mark.parametrize("size", [46, 47, 1000, 1450])
def test_bytes_survive_the_bridge(scene, size):
    overlay = scene.bridged(link())
    frame = from_lan(bytes(i % 251 for i in range(size)))
    assert [outer.inner for outer in scene.crosses(overlay, frame)] == [frame]


def test_what_comes_from_the_underlay_does_not_go_back(scene):
    """Split horizon, with a head-end list that would take it everywhere."""
    overlay = scene.bridged(link())
    scene.fdb("append 00:00:00:00:00:00 dst 10.0.0.3 dev vxlan0")
    scene.wire.drain()
    assert reaches_lan(scene, overlay, to_lan(to=ALL))
    assert scene.crosses(overlay) == []


def test_the_bridge_learns_the_interface(scene):
    overlay = scene.bridged(link())
    assert reaches_lan(scene, overlay, to_lan())
    assert f"{STATION} master br0" in scene.ns.out("bridge fdb show br br0 dev vxlan0")


def test_an_entry_in_both_tables(scene):
    """What an EVPN speaker writes: the bridge knows the port, the tunnel the remote."""
    overlay = scene.bridged(f"{link()} nolearning")
    scene.ns.run(f"bridge fdb add {STATION} dev vxlan0 master static")
    scene.fdb(f"add {STATION} dst 10.0.0.4 dev vxlan0")
    (outer,) = scene.crosses(overlay, from_lan())
    assert outer.remote == "10.0.0.4"


def policy(scene):
    return f"{link()} vlan allow" if scene.is_vtep else link()


TAGS = {
    "one": (Dot1Q(vlan=100),),
    "service": (Dot1AD(vlan=200),),
    "service and customer": (Dot1AD(vlan=200, prio=3), Dot1Q(vlan=100, prio=5)),
    "two customer tags": (Dot1Q(vlan=200), Dot1Q(vlan=100)),
}


@pytest.mark.parametrize("tags", TAGS)
def test_tags_cross_a_vlan_unaware_bridge_both_ways(scene, tags):
    """Q-in-VNI: a customer's tags are the customer's."""
    overlay = scene.bridged(policy(scene))

    def tagged(source, to):
        frame = Ether(src=source, dst=to)
        for tag in TAGS[tags]:
            frame = frame / tag
        return bytes(frame / IP(src="192.168.5.1", dst="192.168.5.2") / UDP() / b"a customer's")

    there, back = tagged(LAN_MAC, STATION), tagged(STATION, LAN_MAC)
    assert [outer.inner for outer in scene.crosses(overlay, there)] == [there]
    assert reaches_lan(scene, overlay, back)


def test_two_tunnels_in_one_bridge(scene):
    """What one VNI floods the bridge floods into the other."""
    first = scene.bridged(link())
    scene.bridged(link(vni=7000).replace("10.0.0.2", "10.0.0.5"), name="vxlan1", mac="02:00:00:00:00:0b")
    scene.wire.drain()
    flooded = to_lan(to=ALL)
    assert reaches_lan(scene, first, flooded)
    crossed = next_sent(scene, flooded)
    assert (crossed.vni, crossed.remote, crossed.inner) == (7000, "10.0.0.5", flooded)


def test_the_bridge_answers_for_neighbours_that_it_knows(scene):
    """`neigh_suppress` of the bridge port, from the bridge's own neighbour table."""
    overlay = scene.bridged(link())
    scene.ns.run("ip addr replace 192.168.5.250/24 dev br0")
    scene.ns.run("bridge link set dev vxlan0 neigh_suppress on learning off")
    scene.ns.run(f"ip neigh replace 192.168.5.12 lladdr {STATION} dev br0 nud permanent")
    scene.ns.run(f"bridge fdb add {STATION} dev vxlan0 master static")
    scene.fdb(f"add {STATION} dst 10.0.0.2 dev vxlan0")

    def request(address):
        arp = ARP(hwsrc=LAN_MAC, psrc="192.168.5.20", pdst=address)
        return bytes(Ether(src=LAN_MAC, dst=ALL) / arp)

    scene.eth0.drain()
    assert request("192.168.5.12") not in [outer.inner for outer in scene.crosses(overlay, request("192.168.5.12"))]
    answer = Ether(scene.eth0.expect(lambda frame: ARP in Ether(frame) and Ether(frame)[ARP].op == 2))
    assert (answer[ARP].psrc, answer[ARP].hwsrc) == ("192.168.5.12", STATION)
    unknown = request("192.168.5.99")
    assert unknown in [outer.inner for outer in scene.crosses(overlay, unknown)]
    scene.ns.run("ip addr flush dev br0")


def test_packets_are_routed_between_two_vnis(scene):
    """Asymmetric routing: in by one VNI, out by the other."""
    first = scene.routed(link())
    scene.add(link(vni=7000).replace("10.0.0.2", "10.0.0.5"), name="vxlan1", mac="02:00:00:00:00:0b")
    scene.ns.run("ip addr add 192.168.6.1/24 dev vxlan1")
    other = "02:00:00:00:06:12"
    scene.ns.run(f"ip neigh replace 192.168.6.12 lladdr {other} dev vxlan1 nud permanent")
    scene.fdb(f"add {other} dst 10.0.0.6 dev vxlan1")
    packet = IP(src="192.168.5.12", dst="192.168.6.12", ttl=9) / UDP(sport=1, dport=2) / b"across"
    scene.wire.drain()
    first.received(first.arriving(bytes(Ether(src=STATION, dst="02:00:00:00:00:0a") / packet)))
    routed = next_sent(scene, b"across")
    assert (routed.vni, routed.remote) == (7000, "10.0.0.6")
    got = Ether(routed.inner)
    assert (got.src, got.dst, got[IP].ttl) == ("02:00:00:00:00:0b", other, 8)


def test_packets_are_routed_between_the_lan_and_a_vni(scene):
    scene.routed(link())
    packet = IP(src="192.168.7.20", dst="192.168.5.12", ttl=9) / UDP(sport=1, dport=2) / b"out"
    scene.wire.drain()
    scene.eth0.send(bytes(Ether(src=LAN_MAC, dst=ROUTER_MAC) / packet))
    routed = next_sent(scene, b"out")
    assert (routed.vni, Ether(routed.inner)[IP].ttl) == (6000, 8)


def next_sent(scene, payload):
    """The next Outer with this payload: a router in between hands frames over in its own time."""
    return outer_of(scene.wire.expect(lambda frame: outer_of(frame) is not None and payload in frame))


@pytest.mark.parametrize("tag, vni, last", [(10, 100, 2), (20, 200, 3)])
def test_the_vlans_of_a_trunk_are_vnis(scene, tag, vni, last):
    """802.1q bridging: the kernel's driver needs a VLAN-filtering bridge for it, and passes the tag on here."""
    frame = bytes(Ether(src=LAN_MAC, dst=STATION) / Dot1Q(vlan=tag) / IP(src="192.168.5.1", dst="192.168.5.2") / UDP())
    plain = bytes(Ether(src=LAN_MAC, dst=STATION) / IP(src="192.168.5.1", dst="192.168.5.2") / UDP())
    if not scene.is_vtep:
        overlay = scene.bridged(link())
        assert [outer.inner for outer in scene.crosses(overlay, frame)] == [frame]
        return
    overlay = scene.bridged("external vnifilter dstport 4789 dev eno1", marker=False)
    overlay.vni = 999
    for words in ("vni 999 remote 10.0.0.8", "vni 100 vlan 10 remote 10.0.0.2", "vni 200 vlan 20 remote 10.0.0.3"):
        scene.vni(f"add dev vxlan0 {words}")
    (outer,) = [outer for outer in scene.crosses(overlay, frame) if outer.vni != 999]
    assert (outer.vni, outer.remote, outer.inner) == (vni, far(last), plain)
