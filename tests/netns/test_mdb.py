"""A tenant's multicast goes where it was asked for: by entries (`mdb`), or by listening to IGMP and MLD (`mcsnoop`)."""

import socket
import struct

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether
from scapy.packet import Raw
from scapy.utils import checksum

from namespaces import eventually
from packets import LOCAL
from scene import ether, far, scene_fixture

scene, clean = scene_fixture()
LINK = "id 6000 dstport 4789 dev eno1"
GROUP4, GROUP6 = "239.5.5.5", "ff0e::5:5"
ENTRY = "dev vxlan0 port vxlan0 permanent"


def group_mac(group):
    if ":" in group:
        return "33:33:" + ":".join(f"{byte:02x}" for byte in socket.inet_pton(socket.AF_INET6, group)[12:])
    _, b, c, d = socket.inet_aton(group)
    return f"01:00:5e:{b & 0x7F:02x}:{c:02x}:{d:02x}"


def stream(group=GROUP4, source=None):
    """A tenant's multicast packet."""
    if ":" in group:
        layer = IPv6(src=source or "fd00:5::10", dst=group)
    else:
        layer = IP(src=source or "192.168.5.10", dst=group, ttl=4)
    return bytes(Ether(src=LOCAL, dst=group_mac(group)) / layer / UDP(sport=5000, dport=5000) / b"stream")


def flooding(scene, words="", remotes=(2, 3, 4)):
    overlay = scene.add(f"{LINK} {words}")
    for last in remotes:
        scene.fdb(f"append 00:00:00:00:00:00 dst {far(last)} dev vxlan0")
    return overlay


def remotes(overlay, frame):
    outers = overlay.sent(frame)
    assert all(outer.inner == frame for outer in outers)
    return sorted(outer.remote for outer in outers)


def everywhere():
    return [far(last) for last in (2, 3, 4)]


@pytest.mark.parametrize("group", [GROUP4, GROUP6])
def test_a_group_goes_to_the_remotes_of_its_entry(scene, group):
    overlay = flooding(scene)
    assert remotes(overlay, stream(group)) == everywhere()
    scene.mdb(f"add {ENTRY} grp {group} dst 10.0.0.3")
    assert remotes(overlay, stream(group)) == ["10.0.0.3"]
    scene.mdb(f"add {ENTRY} grp {group} dst 10.0.0.5")
    assert remotes(overlay, stream(group)) == ["10.0.0.3", "10.0.0.5"]
    scene.mdb(f"del {ENTRY} grp {group} dst 10.0.0.3")
    scene.mdb(f"del {ENTRY} grp {group} dst 10.0.0.5")
    assert remotes(overlay, stream(group)) == everywhere()


def test_other_groups_and_broadcast_go_everywhere(scene):
    overlay = flooding(scene)
    scene.mdb(f"add {ENTRY} grp {GROUP4} dst 10.0.0.3")
    assert remotes(overlay, stream("239.9.9.9")) == everywhere()
    assert remotes(overlay, ether(to="ff:ff:ff:ff:ff:ff")) == everywhere()


@pytest.mark.parametrize("wildcard, group", [("0.0.0.0", "239.9.9.9"), ("::", "ff0e::9")])
def test_the_zero_group_is_every_group_without_an_entry(scene, wildcard, group):
    overlay = flooding(scene)
    scene.mdb(f"add {ENTRY} grp {wildcard} dst 10.0.0.4")
    scene.mdb(f"add {ENTRY} grp {GROUP4} dst 10.0.0.3")
    assert remotes(overlay, stream(group)) == ["10.0.0.4"]
    assert remotes(overlay, stream(GROUP4)) == ["10.0.0.3"]
    assert remotes(overlay, ether(to="ff:ff:ff:ff:ff:ff")) == everywhere()


@pytest.mark.parametrize("wildcard, group", [("0.0.0.0", "224.0.0.5"), ("::", "ff02::5")])
def test_link_local_groups_go_everywhere(scene, wildcard, group):
    """RFC 4541 section 2.1.2: routing protocols and the like ask nobody."""
    overlay = flooding(scene)
    scene.mdb(f"add {ENTRY} grp {wildcard} dst 10.0.0.4")
    assert remotes(overlay, stream(group)) == everywhere()


def test_a_source_of_its_own(scene):
    overlay = flooding(scene)
    scene.mdb(f"add {ENTRY} grp {GROUP4} dst 10.0.0.2")
    scene.mdb(f"add {ENTRY} grp {GROUP4} src 192.168.5.66 dst 10.0.0.5")
    assert remotes(overlay, stream(source="192.168.5.66")) == ["10.0.0.5"]
    assert remotes(overlay, stream()) == ["10.0.0.2"]


def test_an_entry_can_have_a_port_and_a_vni_of_its_own(scene):
    overlay = flooding(scene)
    scene.mdb(f"add {ENTRY} grp {GROUP4} dst 10.0.0.6 dst_port 5555 vni 77")
    (outer,) = overlay.sent(stream(), ports=(4789, 5555))
    assert (outer.remote, outer.dport, outer.vni) == ("10.0.0.6", 5555, 77)


@pytest.mark.parametrize(
    "words",
    [
        f"add {ENTRY} grp 10.0.0.1 dst 10.0.0.2",
        f"add {ENTRY} grp {GROUP4}",
        f"add {ENTRY} grp {GROUP4} src fd00::1 dst 10.0.0.2",
        f"add {ENTRY} grp {GROUP4} src 239.1.1.1 dst 10.0.0.2",
        f"add {ENTRY} grp {GROUP4} dst 10.0.0.2 vni 16777216",
        f"del {ENTRY} grp {GROUP4} dst 10.0.0.2",
    ],
    ids=["not-a-group", "no-remote", "families", "source-is-a-group", "vni", "not-there"],
)
def test_entries_that_make_no_sense_are_refused(scene, words):
    overlay = flooding(scene)
    scene.refused(scene.mdb, words)
    assert remotes(overlay, stream()) == everywhere()


def test_an_entry_twice(scene):
    flooding(scene)
    scene.mdb(f"add {ENTRY} grp {GROUP4} dst 10.0.0.2")
    scene.refused(scene.mdb, f"add {ENTRY} grp {GROUP4} dst 10.0.0.2")
    scene.mdb(f"replace {ENTRY} grp {GROUP4} dst 10.0.0.2")


def test_entries_are_listed(scene):
    """iproute2 6.1 cannot print the driver's."""
    flooding(scene)
    scene.mdb(f"add {ENTRY} grp {GROUP4} dst 10.0.0.2")
    if scene.is_vtep:
        (line,) = scene.mdb("show dev vxlan0").stdout.splitlines()
        for words in ("dev vxlan0 port vxlan0", f"grp {GROUP4}", "permanent", "dst 10.0.0.2"):
            assert words in line


# --- listening --------------------------------------------------------------------------------------------------


def igmp(kind, group, records=None):
    """RFC 2236, and with records RFC 3376, from a station behind a remote."""
    if records is None:
        message = struct.pack("!BBH4s", kind, 0, 0, socket.inet_aton(group))
    else:
        message = struct.pack("!BBHHH", 0x22, 0, 0, 0, len(records)) + b"".join(records)
    message = message[:2] + struct.pack("!H", checksum(message)) + message[4:]
    to = "224.0.0.22" if records else ("224.0.0.2" if kind == 0x17 else group)
    packet = IP(src="192.168.5.12", dst=to, ttl=1, proto=2, options=b"\x94\x04\0\0") / Raw(message)
    return bytes(Ether(src="02:00:00:00:00:05", dst=group_mac(to)) / packet)


def record(kind, group):
    return struct.pack("!BBH4s", kind, 0, 0, socket.inet_aton(group))


def mld(kind, rest, source, to):
    """A message behind a hop-by-hop header with a router alert; `rest` is what follows the checksum."""
    body = bytes([kind, 0, 0, 0]) + rest
    pseudo = b"".join(socket.inet_pton(socket.AF_INET6, a) for a in (source, to)) + struct.pack("!II", len(body), 58)
    body = body[:2] + struct.pack("!H", checksum(pseudo + body)) + body[4:]
    alert = bytes([58, 0, 5, 2, 0, 0, 1, 0])
    packet = IPv6(src=source, dst=to, hlim=1, nh=0) / Raw(alert + body)
    return bytes(Ether(src="02:00:00:00:00:05", dst=group_mac(to)) / packet)


def mld_report(group):
    """RFC 3810: change to exclude nothing."""
    record = struct.pack("!BBH", 4, 0, 0) + socket.inet_pton(socket.AF_INET6, group)
    return mld(143, struct.pack("!HH", 0, 1) + record, "fe80::5", "ff02::16")


JOINS = {
    "IGMPv2": (GROUP4, igmp(0x16, GROUP4)),
    "IGMPv3": (GROUP4, igmp(0x22, GROUP4, [record(4, GROUP4)])),
    "MLDv2": (GROUP6, mld_report(GROUP6)),
}


def igmp_query():
    """A general query of a switch (source 0.0.0.0), which wants answers within a tenth of a second."""
    message = bytes([0x11, 1, 0, 0, 0, 0, 0, 0])
    message = message[:2] + struct.pack("!H", checksum(message)) + message[4:]
    packet = IP(src="0.0.0.0", dst="224.0.0.1", ttl=1, proto=2, options=b"\x94\x04\0\0") / Raw(message)
    return bytes(Ether(src="02:00:00:00:00:44", dst=group_mac("224.0.0.1")) / packet)


def mld_query():
    """A general query of a router."""
    return mld(130, struct.pack("!HH", 100, 0) + bytes(16), "fe80::44", "ff02::1")


def snooping(scene):
    """A link that has heard a querier behind 10.0.0.4, without which silence would prove nothing. The kernel's driver
    leaves snooping to a bridge in front of it, which cannot tell remotes apart."""
    overlay = flooding(scene, "mcsnoop" if scene.is_vtep else "")
    for query in (igmp_query(), mld_query()):
        overlay.gets(query, "10.0.0.4")
    return overlay


def goes_to(scene, overlay, frame, expected):
    """Once the querier's time for answers has passed, a frame goes to `expected` if vtep sends it."""
    expected = expected if scene.is_vtep else everywhere()
    eventually(f"the frame goes to {expected}", lambda: remotes(overlay, frame) == expected)


def test_without_a_querier_everything_goes_everywhere(scene):
    """Nobody would ask for reports again, so that a remote of which none was heard may have listeners all the same."""
    overlay = flooding(scene, "mcsnoop" if scene.is_vtep else "")
    overlay.gets(igmp(0x16, GROUP4), "10.0.0.3")
    assert remotes(overlay, stream()) == everywhere()


@pytest.mark.parametrize("how", JOINS)
def test_a_group_goes_to_the_remote_that_asked(scene, how):
    """And to the multicast router's, which the querier of MLD is. Reports of IGMPv2 would silence our own hosts, and
    are kept from them (RFC 4541 section 2.1.1 item 1)."""
    group, join = JOINS[how]
    overlay = snooping(scene)
    assert overlay.gets(join, "10.0.0.3") == ([] if scene.is_vtep and how == "IGMPv2" else [join])
    goes_to(scene, overlay, stream(group), ["10.0.0.3", "10.0.0.4"] if group == GROUP6 else ["10.0.0.3"])


def test_two_remotes_that_asked_get_a_copy_each(scene):
    overlay = snooping(scene)
    for last in (2, 4):
        overlay.gets(igmp(0x16, GROUP4), far(last))
    goes_to(scene, overlay, stream(), ["10.0.0.2", "10.0.0.4"])


def test_what_nobody_asked_for_goes_nowhere_and_is_counted(scene):
    overlay = snooping(scene)
    overlay.gets(igmp(0x16, GROUP4), "10.0.0.3")
    goes_to(scene, overlay, stream("239.9.9.9"), [])
    if scene.is_vtep:
        assert overlay.drops(lambda: overlay.sent(stream("239.9.9.9"))) == {"not_joined": 1}


def test_listening_leaves_broadcast_and_link_local_groups_alone(scene):
    overlay = snooping(scene)
    overlay.gets(igmp(0x16, GROUP4), "10.0.0.3")
    goes_to(scene, overlay, stream(), ["10.0.0.3"])
    for frame in (ether(to="ff:ff:ff:ff:ff:ff"), stream("224.0.0.5"), stream("ff02::5")):
        assert remotes(overlay, frame) == everywhere()


def test_who_leaves_is_forgotten(scene):
    overlay = snooping(scene)
    overlay.gets(igmp(0x16, GROUP4), "10.0.0.2")
    overlay.gets(igmp(0x16, GROUP4), "10.0.0.3")
    goes_to(scene, overlay, stream(), ["10.0.0.2", "10.0.0.3"])
    overlay.gets(igmp(0x17, GROUP4), "10.0.0.3")
    goes_to(scene, overlay, stream(), ["10.0.0.2"])


def test_a_report_with_a_wrong_checksum_is_no_report(scene):
    overlay = snooping(scene)
    overlay.gets(igmp(0x16, GROUP4), "10.0.0.3")
    broken = bytearray(igmp(0x16, GROUP4))
    broken[-5] ^= 0xFF
    overlay.gets(bytes(broken), "10.0.0.4")
    goes_to(scene, overlay, stream(), ["10.0.0.3"])


def test_an_entry_by_hand_stays_whoever_leaves(scene):
    overlay = snooping(scene)
    scene.mdb(f"add {ENTRY} grp {GROUP4} dst 10.0.0.3")
    overlay.gets(igmp(0x17, GROUP4), "10.0.0.3")
    eventually("it goes there alone", lambda: remotes(overlay, stream()) == ["10.0.0.3"])
