"""Inner VLAN tags. RFC 7348 section 6.1: a VTEP strips the tag before it encapsulates unless configured otherwise, and
should discard what arrives with one. The kernel's driver passes tags both ways; `vlan allow` is how vtep does."""

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Dot1AD, Dot1Q, Ether

from packets import LOCAL, STATION
from scene import scene_fixture

scene, clean = scene_fixture()
LINK = "id 6000 remote 10.0.0.2 dstport 4789 dev eno1"


def tagged(*tags, source=LOCAL, to=STATION):
    frame = Ether(src=source, dst=to)
    for tag in tags:
        frame = frame / tag
    return bytes(frame / IP(src="192.168.5.10", dst="192.168.5.12") / UDP(sport=1000, dport=2000) / b"tagged?")


TAGS = {
    "vlan": (Dot1Q(vlan=100, prio=5),),
    "priority-alone": (Dot1Q(vlan=0, prio=7),),
    "service-vlan": (Dot1AD(vlan=200),),
    "two-tags": (Dot1AD(vlan=200), Dot1Q(vlan=100)),
}


def policy(scene, word):
    """The kernel's driver has one policy and no word for it."""
    return f"{LINK} vlan {word}" if scene.is_vtep else LINK


def add(scene, word):
    return scene.add(policy(scene, word) if word else LINK)


@pytest.mark.parametrize("tags", TAGS)
@pytest.mark.parametrize("word", ["", "strip", "allow", "discard"])
def test_what_is_sent(scene, word, tags):
    frame = tagged(*TAGS[tags])
    expected = [frame]
    if scene.is_vtep and word in ("", "strip"):
        expected = [tagged()]
    elif scene.is_vtep and word == "discard":
        expected = []
    overlay = add(scene, word)
    assert [outer.inner for outer in overlay.sent(frame)] == expected
    if scene.is_vtep and not expected:
        assert overlay.drops(lambda: overlay.sent(frame)) == {"vlan_tagged": 1}


@pytest.mark.parametrize("tags", TAGS)
@pytest.mark.parametrize("word", ["", "strip", "allow", "discard"])
def test_what_arrives(scene, word, tags):
    frame = tagged(*TAGS[tags], source=STATION, to=LOCAL)
    overlay = add(scene, word)
    if scene.is_vtep and word != "allow":
        assert overlay.drops(lambda: overlay.gets(frame)) == {"vlan_received": 1}
        assert overlay.gets(frame) == []
    else:
        assert overlay.gets(frame) == [frame]


@pytest.mark.parametrize("word", ["", "strip", "allow", "discard"])
def test_a_frame_without_a_tag_is_nobodys_business(scene, word):
    overlay = add(scene, word)
    assert [outer.inner for outer in overlay.sent(tagged())] == [tagged()]
    back = tagged(source=STATION, to=LOCAL)
    assert overlay.gets(back) == [back]


def test_a_discarded_frame_teaches_nothing(scene):
    overlay = add(scene, "")
    overlay.gets(tagged(Dot1Q(vlan=100), source=STATION, to=LOCAL), "10.0.0.5")
    assert bool(overlay.fdb(STATION)) is not scene.is_vtep
