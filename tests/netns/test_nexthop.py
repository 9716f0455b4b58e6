"""FDB entries with several remotes, of which every flow takes one: nexthops and groups of them."""

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether

from packets import LOCAL, STATION
from scene import ether, far, scene_fixture

scene, clean = scene_fixture()
LINK = "id 6000 remote 10.0.0.9 dstport 4789 dev eno1"


@pytest.fixture(autouse=True)
def no_nexthops(scene, clean):
    yield
    for number in (101, 102, 11, 12, 13, 14, 16):
        scene.nexthop(f"del id {number}", check=False)


def flow(number, length=1):
    packet = Ether(src=LOCAL, dst=STATION) / IP(src="192.168.5.10", dst="192.168.5.12")
    return bytes(packet / UDP(sport=1000 + number, dport=80) / (b"f" * length))


def make_group(scene, members=(2, 3), version=4, group=101):
    """Nexthops 12, 13, … via the remotes .2, .3, … and a group of them."""
    for last in members:
        scene.nexthop(f"add id {10 + last} via {far(last, version)} fdb")
    scene.nexthop(f"add id {group} group {'/'.join(str(10 + last) for last in members)} fdb")


@pytest.mark.parametrize("version", [4, 6])
def test_flows_spread_over_the_group_and_each_keeps_its_remote(scene, version):
    overlay = scene.add(LINK if version == 4 else LINK.replace("10.0.0.9", "fd00:10::9"), version=version)
    make_group(scene, (2, 3, 4), version)
    scene.fdb(f"add {STATION} dev vxlan0 nhid 101")
    used = {}
    for outer in overlay.sent(*[flow(number, length) for number in range(96) for length in (1, 100)]):
        used.setdefault(Ether(outer.inner)[UDP].sport, set()).add(outer.remote)
    assert set.union(*used.values()) == {far(last, version) for last in (2, 3, 4)}
    assert all(len(remotes) == 1 for remotes in used.values())


def test_no_frame_is_sent_twice(scene):
    overlay = scene.add(LINK)
    make_group(scene)
    scene.fdb(f"add {STATION} dev vxlan0 nhid 101")
    frames = [flow(number) for number in range(32)]
    assert sorted(outer.inner for outer in overlay.sent(*frames)) == sorted(frames)


def test_a_group_of_one_is_a_remote(scene):
    overlay = scene.add(LINK)
    make_group(scene, (2,))
    scene.fdb(f"add {STATION} dev vxlan0 nhid 101")
    assert {outer.remote for outer in overlay.sent(*[flow(number) for number in range(16)])} == {"10.0.0.2"}


def test_the_entry_shows_its_group(scene):
    overlay = scene.add(LINK)
    make_group(scene)
    scene.fdb(f"add {STATION} dev vxlan0 nhid 101")
    assert overlay.fdb(STATION) == [f"{STATION} nhid 101 self permanent"]


def test_a_member_that_changes_takes_its_flows_along(scene):
    overlay = scene.add(LINK)
    make_group(scene, (2,))
    scene.fdb(f"add {STATION} dev vxlan0 nhid 101")
    scene.nexthop("replace id 12 via 10.0.0.5 fdb")
    assert {outer.remote for outer in overlay.sent(flow(1), flow(2))} == {"10.0.0.5"}


def test_a_member_that_leaves_leaves_its_flows_to_the_others(scene):
    overlay = scene.add(LINK)
    make_group(scene)
    scene.fdb(f"add {STATION} dev vxlan0 nhid 101")
    scene.nexthop("replace id 101 group 13 fdb")
    assert {outer.remote for outer in overlay.sent(*[flow(number) for number in range(32)])} == {"10.0.0.3"}


def test_a_deleted_group_takes_its_entries_along(scene):
    overlay = scene.add(LINK)
    make_group(scene)
    scene.fdb(f"add {STATION} dev vxlan0 nhid 101")
    scene.nexthop("del id 101")
    assert overlay.fdb(STATION) == []
    assert [outer.remote for outer in overlay.sent(flow(1))] == ["10.0.0.9"]


def test_a_group_is_replaced_by_a_remote_and_back(scene):
    """The kernel's driver accepts the first and does nothing, and refuses the second."""
    overlay = scene.add(LINK)
    make_group(scene, (2,))
    scene.fdb(f"add {STATION} dev vxlan0 nhid 101")
    scene.fdb(f"replace {STATION} dst 10.0.0.6 dev vxlan0")
    remotes = [outer.remote for outer in overlay.sent(flow(1))]
    if not scene.is_vtep:
        assert remotes == ["10.0.0.2"]
        scene.fdb(f"del {STATION} dev vxlan0")
        scene.fdb(f"add {STATION} dst 10.0.0.6 dev vxlan0")
        scene.refused(scene.fdb, f"replace {STATION} dev vxlan0 nhid 101")
        return
    assert remotes == ["10.0.0.6"]
    scene.fdb(f"replace {STATION} dev vxlan0 nhid 101")
    assert [outer.remote for outer in overlay.sent(flow(1))] == ["10.0.0.2"]


def test_what_is_heard_from_a_member_does_not_move_the_entry(scene):
    """The entry was set by hand: a station behind the group is reachable through all of it."""
    overlay = scene.add(LINK)
    make_group(scene)
    scene.fdb(f"add {STATION} dev vxlan0 nhid 101")
    overlay.gets(ether(source=STATION, to=LOCAL), "10.0.0.2")
    assert overlay.fdb(STATION) == [f"{STATION} nhid 101 self permanent"]


@pytest.mark.parametrize(
    "words",
    [
        f"add {STATION} dev vxlan0 nhid 999",
        f"add {STATION} dev vxlan0 nhid 12",
        f"add {STATION} dev vxlan0 nhid 101 dst 10.0.0.2",
        f"add {STATION} dev vxlan0 nhid 101 port 5000",
        f"add {STATION} dev vxlan0 nhid 101 vni 7",
        "append 00:00:00:00:00:00 dev vxlan0 nhid 101",
    ],
    ids=["no-such-group", "not-a-group", "and-dst", "and-port", "and-vni", "for-flooding"],
)
def test_entries_that_contradict_themselves_are_refused(scene, words):
    overlay = scene.add(LINK)
    make_group(scene)
    before = overlay.fdb()
    scene.refused(scene.fdb, words)
    assert overlay.fdb() == before


@pytest.mark.parametrize(
    "words",
    [
        "add id 12 via 10.0.0.5 fdb",
        "add id 16 group 12/99 fdb",
        "add id 16 group 12/12 fdb",
        "add id 16 group 101 fdb",
        "add id 16 via nowhere fdb",
        "del id 99",
    ],
    ids=["number-is-taken", "unknown-member", "member-twice", "group-of-groups", "no-address", "unknown"],
)
def test_nexthops_that_make_no_sense_are_refused(scene, words):
    scene.add(LINK)
    make_group(scene)
    scene.refused(scene.nexthop, words)


def test_families_do_not_mix_in_a_group(scene):
    """The kernel's rule. vtep has no need of it, since a VNI may have remotes of both."""
    scene.nexthop("add id 12 via 10.0.0.2 fdb")
    scene.nexthop("add id 13 via fd00:10::3 fdb")
    if scene.is_vtep:
        scene.nexthop("add id 101 group 12/13 fdb")
        overlay = scene.add(LINK)
        scene.fdb(f"add {STATION} dev vxlan0 nhid 101")
        remotes = {outer.remote for outer in overlay.sent(*[flow(number) for number in range(64)])}
        assert remotes == {"10.0.0.2", "fd00:10::3"}
    else:
        scene.refused(scene.nexthop, "add id 101 group 12/13 fdb")


def test_weights_are_kept_to(scene):
    """One part in nine for the lighter member; bounds that 512 flows do not leave by chance."""
    overlay = scene.add(LINK)
    for last in (2, 3):
        scene.nexthop(f"add id {10 + last} via 10.0.0.{last} fdb")
    scene.nexthop("add id 101 group 12,8/13,1 fdb")
    scene.fdb(f"add {STATION} dev vxlan0 nhid 101")
    remotes = [outer.remote for outer in overlay.sent(*[flow(number) for number in range(512)])]
    assert len(remotes) == 512
    assert 10 < remotes.count("10.0.0.3") < 150


def test_nexthops_are_listed(scene):
    make_group(scene)
    listed = scene.nexthop("show" if scene.is_vtep else "list").stdout.splitlines()
    texts = [" ".join(line.split()) for line in listed]
    assert any(text.startswith("id 12 via 10.0.0.2") and "fdb" in text for text in texts)
    assert any(text.startswith("id 101 group 12/13") and "fdb" in text for text in texts)
