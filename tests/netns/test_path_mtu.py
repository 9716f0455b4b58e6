"""A narrow place on the way to a remote: what the underlay says about it, what the inner sender is told, and that a
VTEP never fragments (RFC 7348 section 4.3; the kernel's driver does, unless df is set)."""

import itertools
import re

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6PacketTooBig, IPv6
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from lan import LAN_MAC, ROUTER_MAC, Lan
from namespaces import eventually
from outer import outer_of
from packets import LOCAL, STATION
from scene import HERE, ether, far, scene_fixture
from topologies import WIRE_MAC

scene, clean = scene_fixture(Lan)
HEADERS = {4: 50, 6: 70}
NARROW = 1380
_vnis = itertools.count(1000)
_far_ends = itertools.cycle(range(2, 8))


def narrow(scene, make, version=4, words=""):
    """A link whose remote is behind a router that lets NARROW bytes pass, which has said so. What the host knows of
    earlier tests is forgotten."""
    for family in (4, 6):
        scene.ns.run(f"ip -{family} route flush cache")
    last, vni = next(_far_ends), next(_vnis)
    overlay = make(f"id {vni} remote {far(last, version)} dstport 4789 dev eno1 {words}", version=version)
    if scene.is_vtep:
        scene.say([*scene.host.vtep, *f"remote set {far(last, version)} mtu auto".split()])
    scene.wire.drain()
    overlay.port.send(ether(bytes(1400)))
    packet = scene.wire.expect(lambda frame: getattr(outer_of(frame), "remote", None) == far(last, version))
    scene.wire.send(too_big(scene, packet, version))
    return overlay


def too_big(scene, packet, version, mtu=NARROW):
    """What the router says about an outer packet."""
    quoted = packet[14 : 14 + (576 if version == 4 else 1200) - 100]
    if version == 4:
        answer = IP(src="10.0.0.9", dst=HERE[4]) / ICMP(type=3, code=4, nexthopmtu=mtu)
    else:
        answer = IPv6(src="fd00:10::9", dst=HERE[6]) / ICMPv6PacketTooBig(mtu=mtu)
    return bytes(Ether(src=WIRE_MAC, dst=scene.mac) / answer / Raw(quoted))


def large(inner, to_mac, source, size=1400, df=True):
    """A packet of a station on the lan that does not fit."""
    if inner == 4:
        packet = IP(src=source, dst="192.168.5.12", flags="DF" if df else 0, id=7) / UDP(sport=7, dport=9)
    else:
        packet = IPv6(src=source, dst="fd00:5::12") / UDP(sport=7, dport=9)
    return bytes(Ether(src=LAN_MAC, dst=to_mac) / packet / Raw(bytes(size - len(packet))))


def told(frame, inner):
    """The MTU in an ICMP message "too big", or None."""
    packet = Ether(frame)
    if inner == 4 and ICMP in packet and (packet[ICMP].type, packet[ICMP].code) == (3, 4):
        return packet[ICMP].nexthopmtu
    if inner == 6 and ICMPv6PacketTooBig in packet:
        return packet[ICMPv6PacketTooBig].mtu
    return None


def check_answer(frame, inner, sender, quoted):
    """The message is for who sent, sums up, and quotes what was sent."""
    packet = Ether(frame)
    assert packet.dst == LAN_MAC
    ip = packet[IP] if inner == 4 else packet[IPv6]
    assert ip.dst == sender
    fresh = ip.copy()
    if inner == 4:
        del fresh.chksum, fresh[ICMP].chksum
        assert bytes(IP(bytes(fresh))) == bytes(ip)
        quote = frame[14 + 20 + 8 :]
        assert quote[12:20] == quoted[14 + 12 : 14 + 20], "source and destination of the packet that was too big"
    else:
        del fresh[ICMPv6PacketTooBig].cksum
        assert IPv6(bytes(fresh))[ICMPv6PacketTooBig].cksum == packet[ICMPv6PacketTooBig].cksum
        assert len(frame) - 14 <= 1280, "RFC 4443 section 2.4"
        quote = frame[14 + 40 + 8 :]
        assert quote[8:40] == quoted[14 + 8 : 14 + 40]


SENDERS = {
    ("bridged", 4): "192.168.5.20", ("bridged", 6): "fd00:5::20",
    ("routed", 4): "192.168.7.20", ("routed", 6): "fd00:7::20",
}


@pytest.mark.parametrize("underlay", [4, 6])
@pytest.mark.parametrize("inner", [4, 6])
@pytest.mark.parametrize("how", ["bridged", "routed"])
def test_the_inner_sender_is_told(scene, how, inner, underlay):
    """Routed through the kernel's driver, the first packet is lost without a word and the second is answered, hence the
    repetition; and IPv4 senders are told only where net.ipv4.ip_forward_use_pmtu is on, which it usually is not."""
    overlay = narrow(scene, getattr(scene, how), underlay)
    if not scene.is_vtep:
        scene.ns.sysctl("net.ipv4.ip_forward_use_pmtu", 1)
    sender = SENDERS[how, inner]
    frame = large(inner, STATION if how == "bridged" else ROUTER_MAC, sender)
    scene.eth0.drain()

    def answer():
        scene.eth0.send(frame)
        overlay.sent()
        return [seen for seen in scene.eth0.drain() if told(seen, inner)]

    message = eventually("a message about the size arrives", answer)[0]
    assert told(message, inner) == NARROW - HEADERS[underlay]
    check_answer(message, inner, sender, frame)


@pytest.mark.parametrize("inner", [4, 6])
def test_what_fits_passes(scene, inner):
    overlay = narrow(scene, scene.bridged)
    fits = large(inner, STATION, SENDERS["bridged", inner], NARROW - 50)
    assert fits in [outer.inner for outer in scene.crosses(overlay, fits)]


def fragments(overlay, frame):
    """Underlay packets that are parts of one."""
    ips = [Ether(seen)[IP] for seen in overlay.underlay_frames(overlay.port, frame) if IP in Ether(seen)]
    return [ip for ip in ips if ip.frag or ip.flags.MF]


def narrowed(overlay):
    """Returns when the host believes the router: what it is told takes a moment."""
    frame = ether(bytes(1400))
    eventually("the path is known to be narrow", lambda: [o.inner for o in overlay.sent(frame)] != [frame])


def test_outer_packets_are_not_fragmented(scene):
    """The frame is no IP, so nobody can be told: dropped under its name. The kernel's driver sends two parts."""
    overlay = narrow(scene, scene.add)
    narrowed(overlay)
    parts = fragments(overlay, ether(bytes(1400)))
    if scene.is_vtep:
        assert parts == []
        assert overlay.drops(lambda: overlay.sent(ether(bytes(1400)))) == {"path_mtu": 1}
    else:
        assert len(parts) == 2


def test_with_df_nobody_fragments(scene):
    overlay = narrow(scene, scene.add, words="df set")
    narrowed(overlay)
    assert fragments(overlay, ether(bytes(1400))) == []


def test_other_remotes_keep_their_path(scene):
    overlay = narrow(scene, scene.add)
    narrowed(overlay)
    scene.fdb(f"add {STATION} dst 10.0.0.9 dev vxlan0")
    frame = ether(bytes(1400))
    assert [(outer.remote, outer.inner) for outer in overlay.sent(frame)] == [("10.0.0.9", frame)]


@pytest.mark.parametrize(
    "change", [dict(dport=9), dict(vni=True)], ids=["port", "vni"]
)
def test_a_message_about_nothing_that_was_sent_is_not_believed(scene, change):
    """Somebody who cannot see the packets could shrink every tunnel."""
    last, vni = next(_far_ends), next(_vnis)
    overlay = scene.add(f"id {vni} remote {far(last)} dstport 4789 dev eno1")
    scene.ns.run("ip route flush cache")
    frame = ether(bytes(1400))
    scene.wire.drain()
    overlay.port.send(frame)
    packet = Ether(scene.wire.expect(lambda seen: outer_of(seen) is not None))
    if "dport" in change:
        packet[UDP].dport = change["dport"]
    forged = bytearray(bytes(packet))
    if "vni" in change:
        forged[46:49] = b"\xee\xee\xee"
    scene.wire.send(too_big(scene, bytes(forged), 4, 600))
    assert [outer.inner for outer in overlay.sent(frame)] == [frame]
    assert [outer.inner for outer in overlay.sent(frame)] == [frame]


def test_the_host_itself_is_told(scene):
    """A socket on the tunnel's own host."""
    narrow(scene, scene.routed)

    def says():
        done = scene.ns.run("ping -M do -s 1372 -c 1 -W 1 192.168.5.12", check=False, timeout=20)
        return re.search(r"mtu ?= ?(\d+)", done.stdout + done.stderr)

    assert eventually("ping names the size", says)[1] == str(NARROW - 50)


def test_the_path_is_shown_and_can_be_set(scene):
    """vtep's own words; the kernel keeps it in its routes."""
    overlay = narrow(scene, scene.add)
    narrowed(overlay)
    details = scene.say([*scene.host.link_command[:-1], "-d", "link", "show", "vxlan0"]).stdout
    remote = re.search(r"remote (\S+)", details)[1]
    if not scene.is_vtep:
        assert f"mtu {NARROW}" in scene.ns.out(f"ip route get {remote}")
        return
    assert str(NARROW) in scene.say([*scene.host.vtep, "-d", "link", "show", "vxlan0"]).stdout
    assert any(remote in line and str(NARROW) in line for line in shown(scene))
    scene.say([*scene.host.vtep, *f"remote set {remote} mtu 1300".split()])
    assert any(remote in line and "1300" in line for line in shown(scene))
    assert overlay.sent(ether(bytes(1300))) == []
    scene.say([*scene.host.vtep, *f"remote set {remote} mtu auto".split()])
    assert len(overlay.sent(ether(bytes(1400)))) == 1


def shown(scene):
    return scene.say([*scene.host.vtep, "remote", "show"]).stdout.splitlines()


def syn(inner, mss, source, to):
    ip = IP(src="192.168.5.10", dst="192.168.5.12") if inner == 4 else IPv6(src="fd00:5::10", dst="fd00:5::12")
    options = [("MSS", mss), ("SAckOK", b""), ("WScale", 7)]
    return bytes(Ether(src=source, dst=to) / ip / TCP(sport=1000, dport=80, flags="S", options=options))


@pytest.mark.parametrize("inner, fits", [(4, 1450 - 40), (6, 1450 - 60)])
@pytest.mark.parametrize("words, clamped", [("", False), ("mssclamp", True)])
def test_the_mss_of_a_connection_is_lowered_to_what_fits(scene, words, clamped, inner, fits):
    """iproute2 has no word for it, and the kernel's driver does not do it."""
    overlay = scene.add(f"id 6000 remote 10.0.0.2 dstport 4789 dev eno1 {words if scene.is_vtep else ''}")
    expected = fits if clamped and scene.is_vtep else 1460
    (outer,) = overlay.sent(syn(inner, 1460, LOCAL, STATION))
    assert outer.inner == syn(inner, expected, LOCAL, STATION), "the MSS and the checksum, and nothing else"
    assert overlay.gets(syn(inner, 1460, STATION, LOCAL)) == [syn(inner, expected, STATION, LOCAL)]


@pytest.mark.parametrize("inner", [4, 6])
def test_a_smaller_mss_is_left_alone(scene, inner):
    overlay = scene.add(f"id 6000 remote 10.0.0.2 dstport 4789 dev eno1 {'mssclamp' if scene.is_vtep else ''}")
    frame = syn(inner, 536, LOCAL, STATION)
    assert [outer.inner for outer in overlay.sent(frame)] == [frame]


def test_a_remote_behind_an_ipv6_path_of_1280_bytes(scene):
    """The least that IPv6 promises (RFC 8200 section 5) leaves 1210 bytes for an inner packet."""
    overlay = narrow(scene, scene.bridged, 6)
    frame = large(4, STATION, "192.168.5.20")
    scene.eth0.drain()
    overlay.port.send(ether(b"about what?"))
    about = scene.wire.expect(lambda seen: outer_of(seen) is not None)
    scene.wire.send(too_big(scene, about, 6, 1280))

    def answers():
        scene.eth0.send(frame)
        overlay.sent()
        return {told(seen, 4) for seen in scene.eth0.drain()} & {1280 - 70}

    eventually("the sender hears 1210", answers)
