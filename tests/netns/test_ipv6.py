"""The underlay over IPv6: headers, groups, checksums, learning, and remotes of both families in one VNI."""

import json

import pytest
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether

from namespaces import eventually
from packets import LOCAL, STATION
from scene import MARKER, ether, far, scene_fixture
from topologies import WIRE_MAC

scene, clean = scene_fixture()
LINK = "id 6000 remote fd00:10::2 dstport 4789 dev eno1"
FRAME = ether(b"over IPv6")
ANSWER = ether(b"answer", source=STATION, to=LOCAL)


def test_every_outer_field(scene):
    (outer,) = scene.add(LINK, version=6).sent(FRAME)
    assert (outer.to_mac, outer.source, outer.remote) == (WIRE_MAC, "fd00:10::1", "fd00:10::2")
    assert (outer.tos, outer.ttl, outer.flow_label, outer.dport) == (0, 64, 0, 4789)
    assert (outer.checksum, outer.header, outer.inner) == ("right", bytes([8, 0, 0, 0, 0, 0x17, 0x70, 0]), FRAME)


def test_the_interface_has_room_for_40_more_bytes(scene):
    scene.add(LINK, version=6)
    assert scene.ns.interface("vxlan0")["mtu"] == 1500 - 70


def test_local_is_the_outer_source(scene):
    scene.ns.run("ip -6 addr replace fd00:10::77/64 dev eno1 nodad")
    (outer,) = scene.add(f"{LINK} local fd00:10::77", version=6).sent(FRAME)
    assert outer.source == "fd00:10::77"


def test_a_group_has_its_mac_address_and_the_first_hop(scene):
    """RFC 2464 section 7: 33:33 and the last four bytes of the group."""
    overlay = scene.add("id 6000 group ff05::a1:b2c3 dstport 4789 dev eno1", version=6)
    (outer,) = overlay.sent(FRAME)
    assert (outer.to_mac, outer.remote, outer.ttl) == ("33:33:00:a1:b2:c3", "ff05::a1:b2c3", 1)


def groups(scene):
    listed = json.loads(scene.ns.out("ip -6 -j maddr show dev eno1"))
    return {entry["address"] for interface in listed for entry in interface["maddr"] if "address" in entry}


def test_the_group_is_joined_and_left(scene):
    overlay = scene.add("id 6000 group ff05::a1:b2c3 dstport 4789 dev eno1", version=6)
    eventually("the group is joined", lambda: "ff05::a1:b2c3" in groups(scene))
    overlay.remove()
    eventually("the group is left", lambda: "ff05::a1:b2c3" not in groups(scene))


def test_what_is_sent_to_the_group_arrives(scene):
    overlay = scene.add("id 6000 group ff05::a1:b2c3 dstport 4789 dev eno1", version=6)
    packet = Ether(overlay.arriving(ANSWER))
    packet.dst, packet[IPv6].dst = "33:33:00:a1:b2:c3", "ff05::a1:b2c3"
    del packet[IPv6].payload.chksum
    assert overlay.received(bytes(packet)) == [ANSWER]


def test_a_sender_is_learned_at_its_ipv6_address(scene):
    overlay = scene.add(LINK, version=6)
    assert overlay.gets(ANSWER, far(5, 6)) == [ANSWER]
    assert f"{STATION} dst fd00:10::5 self" in overlay.fdb()
    (outer,) = overlay.sent(FRAME)
    assert outer.remote == "fd00:10::5"


@pytest.mark.parametrize("words, arrives", [("", False), ("udp6zerocsumrx", True)])
def test_no_outer_checksum_over_ipv6(scene, words, arrives):
    """RFC 8200 section 8.1 forbids it, RFC 6935 allows it to tunnels that were told so."""
    overlay = scene.add(f"{LINK} {words}", version=6)
    assert overlay.gets(ANSWER, udp={"chksum": 0}) == ([ANSWER] if arrives else [])


def test_a_wrong_outer_checksum_over_ipv6(scene):
    overlay = scene.add(LINK, version=6)
    assert overlay.gets(ANSWER, udp={"chksum": 0x1234}) == []


def test_entries_with_ipv6_remotes(scene):
    overlay = scene.add("id 6000 local fd00:10::1 dstport 4789 dev eno1", version=6)
    for last in (2, 3):
        scene.fdb(f"append 00:00:00:00:00:00 dst fd00:10::{last} dev vxlan0")
    scene.fdb(f"add {STATION} dst fd00:10::4 dev vxlan0")
    assert overlay.fdb() == [
        "00:00:00:00:00:00 dst fd00:10::2 self permanent",
        "00:00:00:00:00:00 dst fd00:10::3 self permanent",
        f"{STATION} dst fd00:10::4 self permanent",
    ]
    assert sorted(outer.remote for outer in overlay.sent(ether(to="ff:ff:ff:ff:ff:ff"))) == ["fd00:10::2", "fd00:10::3"]
    assert [outer.remote for outer in overlay.sent(FRAME)] == ["fd00:10::4"]


def test_remotes_of_both_families_in_one_vni(scene):
    """The kernel's driver has one socket family a link, and refuses an entry of the other."""
    overlay = scene.add("id 6000 remote 10.0.0.2 dstport 4789 dev eno1")
    if not scene.is_vtep:
        scene.refused(scene.fdb, "append 00:00:00:00:00:00 dst fd00:10::3 dev vxlan0")
        return
    scene.fdb("append 00:00:00:00:00:00 dst fd00:10::3 dev vxlan0")
    outers = overlay.sent(ether(to="ff:ff:ff:ff:ff:ff"))
    assert sorted(outer.remote for outer in outers) == ["10.0.0.2", "fd00:10::3"]
    assert all((":" in outer.source) == (":" in outer.remote) for outer in outers)
    assert overlay.gets(ANSWER, "fd00:10::3") == [ANSWER]
    (outer,) = overlay.sent(FRAME)
    assert outer.remote == "fd00:10::3"
    assert overlay.gets(ANSWER, "10.0.0.2") == [ANSWER]
    (outer,) = overlay.sent(FRAME)
    assert outer.remote == "10.0.0.2"
    assert scene.ns.interface("vxlan0")["mtu"] in (1430, 1450)


def test_a_link_local_remote_goes_out_by_the_device(scene):
    scene.ns.run("ip -6 addr replace fe80::1/64 dev eno1 nodad")
    for last in (2, 8):
        scene.ns.run(f"ip -6 neigh replace fe80::{last} lladdr {WIRE_MAC} dev eno1 nud permanent")
    words = "id 6000 remote fe80::2 local fe80::1 dstport 4789 dev eno1"
    overlay = scene.add(words, version=6, marker=False)
    scene.fdb(f"add {MARKER} dst fe80::8 dev vxlan0 static")
    (outer,) = overlay.sent(FRAME)
    assert (outer.source, outer.remote) == ("fe80::1", "fe80::2")
