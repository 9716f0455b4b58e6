"""What the outer headers of a frame look like: ttl, tos, df, flowlabel, checksum, source ports, as the link says and
as the inner packet is."""

import socket

import pytest
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import ARP, Ether

from outer import outer_of
from packets import LOCAL, STATION
from scene import MARKER, ether, scene_fixture

scene, clean = scene_fixture()
UNICAST = {4: "id 6000 remote 10.0.0.2 dstport 4789 dev eno1", 6: "id 6000 remote fd00:10::2 dstport 4789 dev eno1"}
GROUP = {4: "id 6000 group 239.1.1.1 dstport 4789 dev eno1", 6: "id 6000 group ff05::1:1 dstport 4789 dev eno1"}


def v4(**fields):
    return bytes(Ether(src=LOCAL, dst=STATION) / IP(src="192.168.5.10", dst="192.168.5.12", **fields) / UDP() / b"four")


def v6(**fields):
    return bytes(Ether(src=LOCAL, dst=STATION) / IPv6(src="fd00::10", dst="fd00::12", **fields) / UDP() / b"six")


ARP_FRAME = bytes(Ether(src=LOCAL, dst="ff:ff:ff:ff:ff:ff") / ARP(hwsrc=LOCAL, psrc="192.168.5.1", pdst="192.168.5.2"))


def sent(scene, words, frame, version=4, spec=UNICAST):
    """The one packet that leaves for `frame` on a link with these words."""
    (outer,) = scene.add(f"{spec[version]} {words}", version=version).sent(frame)
    assert outer.inner == frame
    return outer


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize(
    "words, frame, ttl",
    [
        ("", v4(ttl=9), 64),
        ("ttl auto", v4(ttl=9), 64),
        ("ttl 5", v4(ttl=9), 5),
        ("ttl 255", v4(ttl=9), 255),
        ("ttl inherit", v4(ttl=9), 9),
        ("ttl inherit", v6(hlim=11), 11),
        ("ttl inherit", ARP_FRAME, 64),
    ],
    ids=["default", "auto", "number", "largest", "inherit-v4", "inherit-v6", "inherit-from-arp"],
)
def test_ttl_to_one_remote(scene, version, words, frame, ttl):
    assert sent(scene, words, frame, version).ttl == ttl


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("words, ttl", [("", 1), ("ttl 4", 4), ("ttl inherit", 9)])
def test_ttl_to_a_group(scene, version, words, ttl):
    """A group's packets do not leave the first network unless somebody says so."""
    assert sent(scene, words, v4(ttl=9), version, GROUP).ttl == ttl


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize(
    "words, frame, dscp",
    [
        ("", v4(tos=0xB8), 0),
        ("tos 0x10", v4(tos=0xB8), 4),
        ("tos 0xfc", ARP_FRAME, 63),
        ("tos inherit", v4(tos=0xB8), 46),
        ("tos inherit", v6(tc=0x48), 18),
        ("tos inherit", ARP_FRAME, 0),
    ],
    ids=["default", "number", "number-on-arp", "inherit-v4", "inherit-v6", "inherit-from-arp"],
)
def test_dscp(scene, version, words, frame, dscp):
    """The ECN bits have rules of their own: test_ecn.py."""
    assert sent(scene, words, frame, version).dscp == dscp


@pytest.mark.parametrize(
    "words, frame, dont_fragment",
    [
        ("", v4(flags="DF"), False),
        ("df unset", v4(flags="DF"), False),
        ("df set", v4(), True),
        ("df set", ARP_FRAME, True),
        ("df inherit", v4(), False),
        ("df inherit", v4(flags="DF"), True),
        ("df inherit", v6(), True),
        ("df inherit", ARP_FRAME, False),
    ],
    ids=["default", "unset", "set", "set-on-arp", "inherit-clear", "inherit-set", "inherit-v6", "inherit-from-arp"],
)
def test_dont_fragment(scene, words, frame, dont_fragment):
    assert sent(scene, words, frame).dont_fragment is dont_fragment


@pytest.mark.parametrize("words, label", [("", 0), ("flowlabel 0x12345", 0x12345), ("flowlabel 0xfffff", 0xFFFFF)])
def test_flow_label(scene, words, label):
    assert sent(scene, words, v4(), 6).flow_label == label


@pytest.mark.parametrize(
    "version, words, checksum",
    [
        (4, "", "right"),
        (4, "udpcsum", "right"),
        (4, "noudpcsum", "none"),
        (4, "udp6zerocsumtx", "right"),
        (6, "", "right"),
        (6, "noudpcsum", "right"),
        (6, "udp6zerocsumtx", "none"),
    ],
)
def test_outer_checksum(scene, version, words, checksum):
    """A setting for IPv4 says nothing about IPv6. Zero is what RFC 7348 section 5 recommends, and the kernel's default
    is not."""
    assert sent(scene, words, v4(), version).checksum == checksum


def test_the_checksum_is_right_for_every_length(scene):
    frames = [ether(bytes(range(length)), kind=0x88B5) for length in range(1, 64)]
    for outer in scene.add(UNICAST[4]).sent(*frames) + scene.add(
        UNICAST[6].replace("6000", "6001"), name="vxlan1", version=6
    ).sent(*frames):
        assert outer.checksum == "right"


@pytest.mark.parametrize("version", [4, 6])
def test_source_ports_stay_in_the_range_that_was_given(scene, version):
    overlay = scene.add(f"{UNICAST[version]} srcport 50000 50003", version=version)
    flows = [v4(id=1)[:34] + bytes(UDP(sport=1000 + i, dport=80) / b"flow") for i in range(128)]
    assert {outer.sport for outer in overlay.sent(*flows)} <= {50000, 50001, 50002, 50003}


def test_a_range_of_one_port_is_that_port(scene):
    """The kernel's driver leaves the largest port out, and takes an empty range for none."""
    overlay = scene.add(f"{UNICAST[4]} srcport 51515 51515")
    ports = {outer.sport for outer in overlay.sent(*[v4(ttl=ttl) for ttl in range(1, 20)])}
    if scene.is_vtep:
        assert ports == {51515}
    else:
        assert len(ports) == 1 and ports != {51515}


def test_both_directions_of_a_connection_share_a_source_port(scene):
    """Only vtep's hash is symmetric; the kernel's driver does not promise it."""
    overlay = scene.add(UNICAST[4])
    there = Ether(src=LOCAL, dst=STATION) / IP(src="192.168.5.10", dst="192.168.5.12") / TCP(sport=1234, dport=80)
    back = Ether(src=LOCAL, dst=STATION) / IP(src="192.168.5.12", dst="192.168.5.10") / TCP(sport=80, dport=1234)
    ports = [outer.sport for outer in overlay.sent(bytes(there), bytes(back))]
    assert len(ports) == 2
    if scene.is_vtep:
        assert ports[0] == ports[1]


def test_the_vxlan_header_is_strict(scene):
    """RFC 7348 section 5: flags 0x08, and every reserved bit zero, whatever else the link does."""
    for words in ("", "gbp", "remcsumrx", "ttl inherit tos inherit df inherit"):
        overlay = scene.add(f"{UNICAST[4].replace('6000', '66051')} {words}")
        (outer,) = overlay.sent(v4())
        assert outer.header == bytes([8, 0, 0, 0, 1, 2, 3, 0])
        overlay.remove()


def test_remcsumtx_leaves_finished_checksums_alone(scene):
    (outer,) = scene.add(f"{UNICAST[4]} remcsumtx").sent(v4())
    assert outer.header == bytes([8, 0, 0, 0, 0, 0x17, 0x70, 0])


@pytest.mark.parametrize("words, asks", [("", False), ("remcsumtx", True)])
def test_remcsumtx_asks_for_the_checksum_where_it_is_unfinished(scene, words, asks):
    """draft-herbert-vxlan-rco: a datagram of the host's own stack, whose sum the receiver shall finish. Flag 0x20 in
    the second byte, and in the last where the sum starts, in units of two bytes, with 0x80 for UDP."""
    scene.add(f"{UNICAST[4]} {words}")
    scene.ns.run("ip addr add 192.168.5.10/24 dev vxlan0")
    scene.ns.run(f"ip neigh replace 192.168.5.12 lladdr {STATION} dev vxlan0 nud permanent")
    scene.wire.drain()
    with scene.ns.entered(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"unfinished", ("192.168.5.12", 9))
    outer = outer_of(scene.wire.expect(lambda frame: outer_of(frame) is not None and b"unfinished" in frame))
    assert (outer.header[0], outer.header[1], outer.header[7]) == ((8, 0x20, 0x80 | 17) if asks else (8, 0, 0))
    inner = Ether(outer.inner)[IP]
    fresh = inner.copy()
    del fresh[UDP].chksum
    assert (IP(bytes(fresh))[UDP].chksum == inner[UDP].chksum) is not asks


@pytest.mark.parametrize("port", [0, 4789, 8472])
def test_where_packets_are_sent_without_a_word_about_the_port(scene, port):
    """No dstport, or 0, is Linux's own 8472."""
    words = f"dstport {port}" if port else "dstport 0"
    overlay = scene.add(f"id 6000 remote 10.0.0.2 dev eno1 {words}", marker=False)
    overlay.dport = port or 8472
    scene.fdb(f"add {MARKER} dst 10.0.0.8 dev vxlan0 static")
    (outer,) = overlay.sent(v4())
    assert outer.dport == (port or 8472)


def test_settings_are_in_force_at_once(scene):
    """`link set` while frames flow: the next frame shows it."""
    overlay = scene.add(UNICAST[4])
    for words, shows in {
        "ttl 33": lambda outer: outer.ttl == 33,
        "tos 0x28": lambda outer: outer.dscp == 10,
        "df set": lambda outer: outer.dont_fragment,
        "remote 10.0.0.3": lambda outer: outer.remote == "10.0.0.3",
    }.items():
        overlay.set(words)
        (outer,) = overlay.sent(v4())
        assert shows(outer), words


def test_checksums_are_chosen_per_remote_by_vtep(scene):
    """A hardware VTEP that wants zero and a kernel that wants its GRO can share a link."""
    overlay = scene.add("id 6000 dstport 4789 dev eno1")
    for last in (2, 3):
        scene.fdb(f"append 00:00:00:00:00:00 dst 10.0.0.{last} dev vxlan0")
    if scene.is_vtep:
        scene.say([*scene.host.vtep, *"remote set 10.0.0.3 noudpcsum".split()])
    usual = {outer.remote: outer.checksum for outer in overlay.sent(v4())}
    assert usual == {"10.0.0.2": "right", "10.0.0.3": "none" if scene.is_vtep else "right"}
    if scene.is_vtep:
        scene.say([*scene.host.vtep, *"remote set 10.0.0.3 default".split()])
        assert {outer.checksum for outer in overlay.sent(v4())} == {"right"}
