"""ARP and neighbour discovery: answered from what is known instead of flooded (`proxy`, RFC 9161), what is not known
reported (`l3miss`), and frames to a router sent straight to their station (`rsc`)."""

import socket

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import (
    ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6NDOptDstLLAddr, ICMPv6NDOptSrcLLAddr, IPv6, in6_getnsma, in6_getnsmac,
)
from scapy.layers.l2 import ARP, Ether

from namespaces import eventually
from packets import LOCAL, STATION
from scene import ether, scene_fixture

scene, clean = scene_fixture()
LINK = "id 6000 remote 10.0.0.9 dstport 4789 dev eno1"
ALL = "ff:ff:ff:ff:ff:ff"
MLD_REPORTS = bytes.fromhex("333300000016")
FAR4, FAR6, NEAR4, NEAR6 = "192.168.5.12", "fd00:5::12", "192.168.5.10", "fd00:5::10"


def arp(op=1, to=ALL, source=LOCAL, psrc=NEAR4, pdst=FAR4, hwdst="00:00:00:00:00:00"):
    return bytes(Ether(src=source, dst=to) / ARP(op=op, hwsrc=source, psrc=psrc, hwdst=hwdst, pdst=pdst))


def solicitation(target=FAR6, source=LOCAL, src=NEAR6, to=None):
    nsma = in6_getnsma(socket.inet_pton(socket.AF_INET6, target))
    group = socket.inet_ntop(socket.AF_INET6, nsma)
    packet = Ether(src=source, dst=to or in6_getnsmac(nsma)) / IPv6(src=src, dst=group, hlim=255)
    packet = packet / ICMPv6ND_NS(tgt=target)
    return bytes(packet / ICMPv6NDOptSrcLLAddr(lladdr=source) if src != "::" else packet)


def proxy(scene, words=""):
    """A link that answers for a station behind 10.0.0.2."""
    overlay = scene.add(f"{LINK} proxy {words}")
    if not scene.is_vtep:
        scene.ns.sysctl("net.ipv6.conf.vxlan0.disable_ipv6", 0)
        scene.ns.sysctl("net.ipv6.conf.vxlan0.accept_dad", 0)
    scene.fdb(f"add {STATION} dst 10.0.0.2 dev vxlan0")
    for address in (FAR4, FAR6):
        scene.neigh(f"add {address} lladdr {STATION} dev vxlan0 nud permanent")
    return overlay


def flooded(overlay, *frames):
    """What leaves on the wire. The kernel's driver needs the host's IPv6, which reports its groups when it likes."""
    inner = [outer.inner for outer in overlay.sent(*frames)]
    return [frame for frame in inner if not frame.startswith(MLD_REPORTS)]


def answers(overlay, frame):
    """What comes out of the interface, and what leaves on the wire, for a frame sent into it."""
    overlay.port.drain()
    left = [outer.inner for outer in overlay.sent(frame) if outer.inner == frame]
    back = overlay.received()
    return [Ether(answer) for answer in back if Ether(answer).dst == LOCAL], left


def test_an_arp_request_for_a_known_address_is_answered(scene):
    overlay = proxy(scene)
    overlay.port.drain()
    overlay.port.send(arp())
    answer = Ether(overlay.port.expect(lambda frame: ARP in Ether(frame)))
    assert (answer.src, answer.dst) == (STATION, LOCAL)
    said = answer[ARP]
    assert (said.op, said.hwsrc, said.psrc, said.hwdst, said.pdst) == (2, STATION, FAR4, LOCAL, NEAR4)


def test_an_answered_request_is_not_flooded(scene):
    overlay = proxy(scene)
    assert flooded(overlay, arp()) == []


def test_a_solicitation_for_a_known_address_is_answered(scene):
    overlay = proxy(scene)
    overlay.port.drain()
    overlay.port.send(solicitation())
    answer = Ether(overlay.port.expect(lambda frame: ICMPv6ND_NA in Ether(frame)))
    assert (answer.src, answer.dst) == (STATION, LOCAL)
    assert (answer[IPv6].src, answer[IPv6].dst, answer[IPv6].hlim) == (FAR6, NEAR6, 255)
    said = answer[ICMPv6ND_NA]
    assert (said.tgt, said.S, said.O, said.R) == (FAR6, 1, 1, 0)
    assert answer[ICMPv6NDOptDstLLAddr].lladdr == STATION
    fresh = answer[IPv6].copy()
    del fresh[ICMPv6ND_NA].cksum
    assert IPv6(bytes(fresh))[ICMPv6ND_NA].cksum == said.cksum


def test_an_answered_solicitation_is_not_flooded(scene):
    overlay = proxy(scene)
    assert flooded(overlay, solicitation()) == []


def test_a_request_for_an_unknown_address(scene):
    """vtep floods it: somebody may know. The kernel's driver drops it, and a station that nobody wrote down is never
    found."""
    overlay = proxy(scene)
    frame = arp(pdst="192.168.5.99")
    assert flooded(overlay, frame) == ([frame] if scene.is_vtep else [])


def test_a_solicitation_for_an_unknown_address(scene):
    overlay = proxy(scene)
    frame = solicitation("fd00:5::99")
    assert flooded(overlay, frame) == ([frame] if scene.is_vtep else [])


@pytest.mark.parametrize(
    "name, frame",
    {
        "gratuitous request": arp(psrc=NEAR4, pdst=NEAR4),
        "gratuitous answer": arp(op=2, psrc=NEAR4, pdst=NEAR4, hwdst=ALL),
        "probe for a free address": arp(psrc="0.0.0.0", pdst="192.168.5.98"),
        "detection of a free address": solicitation("fd00:5::98", src="::"),
    }.items(),
)
def test_what_tells_others_something_reaches_them(scene, name, frame):
    """RFC 9161 section 3.6: gratuitous ARP and duplicate address detection are flooded; the kernel's driver drops what
    it cannot answer."""
    overlay = proxy(scene)
    assert flooded(overlay, frame) == ([frame] if scene.is_vtep else [])


def test_a_probe_for_a_taken_address_is_answered(scene):
    """RFC 5227: the sender is 0.0.0.0, and an answer tells it that the address is taken."""
    overlay = proxy(scene)
    overlay.port.drain()
    overlay.port.send(arp(psrc="0.0.0.0"))
    answer = Ether(overlay.port.expect(lambda frame: ARP in Ether(frame)))
    assert (answer[ARP].op, answer[ARP].psrc, answer[ARP].hwsrc) == (2, FAR4, STATION)


def test_a_link_without_proxy_floods_them(scene):
    overlay = scene.add(LINK)
    frames = [arp(), solicitation(), arp(psrc=NEAR4, pdst=NEAR4)]
    assert sorted(flooded(overlay, *frames)) == sorted(frames)


def test_the_hosts_own_neighbour_table_counts(scene):
    """`ip neigh … dev vxlan0`, as flannel and FRR write it."""
    overlay = scene.add(f"{LINK} proxy")
    scene.fdb(f"add {STATION} dst 10.0.0.2 dev vxlan0")
    scene.ns.run(f"ip neigh add {FAR4} lladdr {STATION} dev vxlan0 nud permanent")
    eventually("the request is answered and not flooded", lambda: flooded(overlay, arp()) == [])
    answer = Ether(overlay.port.expect(lambda frame: ARP in Ether(frame)))
    assert (answer[ARP].psrc, answer[ARP].hwsrc) == (FAR4, STATION)


def test_a_request_to_one_station_goes_there(scene):
    """RFC 4861 section 7.3, RFC 1122 section 2.3.2.1: it asks whether that station is still there. The kernel's driver
    answers in its place."""
    overlay = proxy(scene)
    frame = arp(to=STATION)
    assert flooded(overlay, frame) == ([frame] if scene.is_vtep else [])


def test_an_arp_answer_is_learned_from(scene):
    """Snooping: what a station says about itself is what is answered for it. The kernel's driver knows only what its
    neighbour table says."""
    overlay = scene.add(f"{LINK} proxy")
    said = arp(op=2, to=LOCAL, source=STATION, psrc=FAR4, pdst=NEAR4, hwdst=LOCAL)
    assert overlay.gets(said, "10.0.0.2") == [said]
    overlay.port.drain()
    if scene.is_vtep:
        overlay.port.send(arp())
        answer = Ether(overlay.port.expect(lambda frame: ARP in Ether(frame)))
        assert (answer[ARP].psrc, answer[ARP].hwsrc) == (FAR4, STATION)
        assert flooded(overlay, arp()) == []
        assert any(FAR4 in line and STATION in line for line in scene.neigh("show dev vxlan0").stdout.splitlines())
    else:
        assert flooded(overlay, arp()) == []


def test_suppressed_requests_are_counted(scene):
    overlay = proxy(scene)
    overlay.sent(arp(), solicitation())
    if scene.is_vtep:
        assert 2 in scene.counters("suppressed")


def monitor(scene, *words):
    """Starts a monitor and returns a function that reads what it has printed."""
    path = scene.net.directory / f"monitor-{len(list(scene.net.directory.iterdir()))}"
    command = [*scene.host.vtep, "monitor", *words] if scene.is_vtep else ["ip", "monitor", "neigh"]
    file = open(path, "w")
    process = scene.net.process(scene.ns, command, stdout=file)
    scene.net.on_close(file.close)
    return process, path.read_text


@pytest.mark.parametrize("family", [4, 6])
def test_an_unknown_ip_address_is_reported(scene, family):
    overlay = proxy(scene, "l3miss")
    process, said = monitor(scene)
    address = "192.168.5.77" if family == 4 else "fd00:5::77"
    frame = arp(pdst=address) if family == 4 else solicitation(address)

    def reported():
        overlay.sent(frame)
        return [line for line in said().splitlines() if line.lower().startswith("miss") and address in line]

    eventually(f"the monitor reports {address}", reported)
    process.terminate()


def test_an_unknown_mac_address_is_reported(scene):
    overlay = scene.add("id 6000 dstport 4789 dev eno1 l2miss")
    process, said = monitor(scene)
    unknown = "02:00:00:00:77:77"

    def reported():
        overlay.sent(ether(to=unknown))
        return [line for line in said().splitlines() if line.lower().startswith("miss") and unknown in line]

    eventually(f"the monitor reports {unknown}", reported)
    process.terminate()


def test_a_missed_mac_address_still_goes_to_the_default_remote(scene):
    overlay = scene.add(f"{LINK} l2miss")
    assert [outer.remote for outer in overlay.sent(ether(to="02:00:00:00:77:77"))] == ["10.0.0.9"]


ROUTER = "02:00:00:00:00:fe"


@pytest.mark.parametrize("words, short", [("rsc", True), ("", False)])
def test_a_packet_to_a_router_goes_straight_to_its_station(scene, words, short):
    """Route short-circuit: the FDB marks the MAC as a router's, the neighbour table knows the station behind it; the
    frame is addressed as the router would, and its IP header stays as it is."""
    overlay = scene.add(f"{LINK} {words}")
    scene.fdb(f"add {ROUTER} dst 10.0.0.3 dev vxlan0 router")
    scene.fdb(f"add {STATION} dst 10.0.0.2 dev vxlan0")
    scene.neigh(f"add {FAR4} lladdr {STATION} dev vxlan0 nud permanent")
    packet = IP(src=NEAR4, dst=FAR4, ttl=64) / UDP(sport=1, dport=2) / b"to the other network"
    (outer,) = overlay.sent(bytes(Ether(src=LOCAL, dst=ROUTER) / packet))
    got = Ether(outer.inner)
    if not short:
        assert (outer.remote, got.dst, got.src, got[IP].ttl) == ("10.0.0.3", ROUTER, LOCAL, 64)
        return
    assert (outer.remote, got.dst, got.src) == ("10.0.0.2", STATION, ROUTER)
    assert got[IP].ttl == 64, "the router counts as no hop"
    assert IP(bytes(got[IP])).payload == packet.payload or bytes(got[UDP].payload) == b"to the other network"


def test_rsc_leaves_alone_what_no_neighbour_is_known_for(scene):
    overlay = scene.add(f"{LINK} rsc")
    scene.fdb(f"add {ROUTER} dst 10.0.0.3 dev vxlan0 router")
    frame = bytes(Ether(src=LOCAL, dst=ROUTER) / IP(src=NEAR4, dst="192.168.6.44") / UDP() / b"anywhere")
    assert [(outer.remote, outer.inner) for outer in overlay.sent(frame)] == [("10.0.0.3", frame)]
