"""RFC 6040: congestion marks on their way into the tunnel and out of it."""

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import ARP, Ether

from packets import LOCAL, STATION
from scene import scene_fixture

scene, _ = scene_fixture()
UNICAST = {4: "id 6000 remote 10.0.0.2 dstport 4789 dev eno1", 6: "id 6000 remote fd00:10::2 dstport 4789 dev eno1"}
NOT_ECT, ECT1, ECT0, CE = range(4)
NAMES = ["not-ect", "ect1", "ect0", "ce"]

# Section 4.2, figure 4: [inner][outer] → what arrives; None: dropped.
ARRIVES = {
    NOT_ECT: [NOT_ECT, NOT_ECT, NOT_ECT, None],
    ECT1: [ECT1, ECT1, ECT1, CE],
    ECT0: [ECT0, ECT1, ECT0, CE],
    CE: [CE, CE, CE, CE],
}


def inner(version, tos, source=LOCAL, to=STATION):
    if version == 4:
        layer = IP(src="192.168.5.10", dst="192.168.5.12", tos=tos)
    else:
        layer = IPv6(src="fd00::10", dst="fd00::12", tc=tos)
    return bytes(Ether(src=source, dst=to) / layer / UDP(sport=1000, dport=2000) / b"marked")


@pytest.mark.parametrize("underlay", [4, 6])
@pytest.mark.parametrize("version", [4, 6])
def test_the_mark_is_copied_into_the_outer_header(scene, version, underlay):
    """Section 4.1, normal mode: every codepoint as it is. The kernel's driver writes ECT(0) for CE, as RFC 3168 had it,
    and so hides from the tunnel that the packet has met congestion already."""
    overlay = scene.add(UNICAST[underlay], version=underlay)
    marks = [outer.ecn for outer in overlay.sent(*[inner(version, ecn) for ecn in range(4)])]
    assert marks == [NOT_ECT, ECT1, ECT0, CE if scene.is_vtep else ECT0]


@pytest.mark.parametrize("words", ["tos 0x48", "tos inherit"])
def test_dscp_and_mark_do_not_mix(scene, words):
    """The link's tos gives the six upper bits; the two lower ones are the inner packet's."""
    overlay = scene.add(f"{UNICAST[4]} {words}")
    outers = overlay.sent(*[inner(4, 0x48 | ecn) for ecn in (NOT_ECT, ECT1, ECT0)])
    assert [outer.tos for outer in outers] == [0x48, 0x49, 0x4A]


def test_marks_in_the_words_of_the_link_are_not_sent(scene):
    """tos 0x4b asks for CE on everything, which would be a lie about congestion."""
    (outer,) = scene.add(f"{UNICAST[4]} tos 0x4b").sent(inner(4, NOT_ECT))
    assert outer.tos == 0x48


def test_what_has_no_mark_gets_none(scene):
    arp = bytes(Ether(src=LOCAL, dst="ff:ff:ff:ff:ff:ff") / ARP(hwsrc=LOCAL, psrc="192.168.5.1", pdst="192.168.5.2"))
    (outer,) = scene.add(UNICAST[4]).sent(arp)
    assert outer.ecn == NOT_ECT


@pytest.mark.parametrize("outer_mark", range(4), ids=lambda mark: f"outer-{NAMES[mark]}")
@pytest.mark.parametrize("inner_mark", range(4), ids=lambda mark: f"inner-{NAMES[mark]}")
@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("underlay", [4, 6])
def test_what_arrives_is_figure_4(scene, underlay, version, inner_mark, outer_mark):
    overlay = shared(scene, underlay)
    dscp = 0x28
    frame = inner(version, dscp | inner_mark, STATION, LOCAL)
    got = overlay.gets(frame, ip={"tos" if underlay == 4 else "tc": 0xB8 | outer_mark})
    expected = ARRIVES[inner_mark][outer_mark]
    # The checksum of the inner header is right again, and the DSCP bits are the inner ones.
    assert got == ([] if expected is None else [inner(version, dscp | expected, STATION, LOCAL)])


def shared(scene, underlay):
    """One link for the 32 marks of an underlay: what they leave behind is nothing."""
    for overlay in scene.overlays:
        if overlay.version == underlay:
            return overlay
    scene.remove_links()
    return scene.add(UNICAST[underlay], version=underlay)


@pytest.fixture(autouse=True)
def clean(request, scene):
    """The table of marks keeps its link; every other test leaves none."""
    yield
    if request.function is not test_what_arrives_is_figure_4:
        scene.remove_links()


def test_a_lost_mark_is_counted_by_name(scene):
    overlay = shared(scene, 4)
    frame = inner(4, NOT_ECT, STATION, LOCAL)
    if scene.is_vtep:
        assert overlay.drops(lambda: overlay.gets(frame, ip={"tos": CE})) == {"congestion_lost": 1}
    else:
        before = dropped_by_kernel(scene)
        assert overlay.gets(frame, ip={"tos": CE}) == []
        assert dropped_by_kernel(scene) == before + 1


def dropped_by_kernel(scene):
    return int(scene.ns.out("cat /sys/class/net/vxlan0/statistics/rx_frame_errors"))


def test_a_frame_that_is_no_ip_arrives_whatever_the_mark(scene):
    arp = bytes(Ether(src=STATION, dst=LOCAL) / ARP(hwsrc=STATION, psrc="192.168.5.1", pdst="192.168.5.2"))
    overlay = shared(scene, 4)
    assert overlay.gets(arp, ip={"tos": CE}) == [arp]
