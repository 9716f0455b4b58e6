"""Whom a link believes: which VTEPs may send, which addresses may move, and how many it remembers. The kernel's driver
hears everybody; each test says what it does instead."""

import pytest

from namespaces import eventually
from packets import LOCAL, STATION
from scene import ether, far, scene_fixture
from stations import station

scene, clean = scene_fixture()
LINK = "id 6000 remote 10.0.0.9 dstport 4789 dev eno1"
FRAME = ether(b"believe me", source=STATION, to=LOCAL)


def add(scene, words, **options):
    """A link with words that the kernel's driver has not."""
    return scene.add(f"{LINK} {words if scene.is_vtep else ''}", **options)


def heard(overlay, number, remote):
    """What comes out for a frame from a station behind a remote."""
    return overlay.gets(ether(f"{number} at {remote}".encode(), source=station(number), to=LOCAL), remote)


# Words, and from which of 10.0.0.2 to .5 a link then takes frames. The markers come from 10.0.0.8.
POLICIES = {
    "": (2, 3, 4, 5),
    "allow 10.0.0.0/24": (2, 3, 4, 5),
    "allow 10.0.0.8/32 allow 10.0.0.2/31": (2, 3),
    "deny 10.0.0.4/32": (2, 3, 5),
    "deny 10.0.0.2/31": (4, 5),
    "allow 10.0.0.0/24 deny 10.0.0.4/31": (2, 3),
    "allow 10.0.0.8/32 allow 10.0.0.2/32 deny 10.0.0.2/32": (),
    "deny fd00::/8": (2, 3, 4, 5),
}


@pytest.mark.parametrize("words", POLICIES, ids=lambda words: words or "nothing said")
def test_who_may_send(scene, words):
    overlay = add(scene, words)
    taken = [last for last in range(2, 6) if overlay.gets(FRAME, far(last)) == [FRAME]]
    assert taken == list(POLICIES[words] if scene.is_vtep else (2, 3, 4, 5))
    if scene.is_vtep and 5 not in taken:
        assert overlay.drops(lambda: overlay.gets(FRAME, far(5))) == {"outer_source": 1}


def test_who_may_send_over_ipv6(scene):
    words = "deny fd00:10::4/126" if scene.is_vtep else ""
    overlay = scene.add(f"id 6000 remote fd00:10::9 dstport 4789 dev eno1 {words}", version=6)
    taken = [last for last in range(2, 6) if overlay.gets(FRAME, far(last, 6)) == [FRAME]]
    assert taken == ([2, 3] if scene.is_vtep else [2, 3, 4, 5])


def test_who_is_denied_teaches_nothing(scene):
    overlay = add(scene, "deny 10.0.0.4/32")
    overlay.gets(FRAME, "10.0.0.4")
    assert bool(overlay.fdb(STATION)) is not scene.is_vtep


def test_the_policy_changes_while_the_link_runs(scene):
    overlay = add(scene, "")
    assert overlay.gets(FRAME, "10.0.0.4") == [FRAME]
    if scene.is_vtep:
        overlay.set("deny 10.0.0.4/32")
        assert overlay.gets(FRAME, "10.0.0.4") == []
    else:
        scene.refused(overlay.set, "deny 10.0.0.4/32")


@pytest.mark.parametrize(
    "words", ["allow 10.0.0.0/33", "deny 10.0.0", "allow", "allow 10.0.0.1/24x", "deny fd00::/129"]
)
def test_prefixes_that_are_none_are_refused(scene, words):
    done = scene.link(f"add name vxlan0 type vxlan {LINK} {words}", check=False)
    assert done.returncode == 1 if scene.is_vtep else done.returncode != 0
    assert scene.ns.interface("vxlan0") is None


@pytest.mark.parametrize("source", ["239.1.1.1", "255.255.255.255", "0.0.0.0", "127.0.0.1"])
def test_an_outer_source_that_is_nobodys_address(scene, source):
    """The host's own IP layer drops most of them; none of them arrives or is learned."""
    overlay = scene.add(LINK)
    assert overlay.gets(FRAME, source) == []
    assert overlay.fdb(STATION) == []


def test_without_learning_only_vteps_that_the_table_names_are_heard(scene):
    """There a table written by hand or by a control plane says who takes part. The kernel's driver hears everybody."""
    overlay = scene.add(f"{LINK} nolearning")
    assert overlay.gets(FRAME, "10.0.0.9") == [FRAME], "the link's own remote"
    assert overlay.gets(FRAME, "10.0.0.4") == ([] if scene.is_vtep else [FRAME])
    if scene.is_vtep:
        assert overlay.drops(lambda: overlay.gets(FRAME, "10.0.0.4")) == {"unknown_vtep": 1}
    scene.fdb("add 02:00:00:00:09:09 dst 10.0.0.4 dev vxlan0")
    assert overlay.gets(FRAME, "10.0.0.4") == [FRAME]
    scene.fdb("del 02:00:00:00:09:09 dev vxlan0")
    assert overlay.gets(FRAME, "10.0.0.4") == ([] if scene.is_vtep else [FRAME])


def test_a_nexthop_group_names_its_members(scene):
    overlay = scene.add(f"{LINK} nolearning")
    scene.nexthop("add id 12 via 10.0.0.4 fdb")
    scene.nexthop("add id 101 group 12 fdb")
    try:
        scene.fdb("add 02:00:00:00:09:09 dev vxlan0 nhid 101")
        assert overlay.gets(FRAME, "10.0.0.4") == [FRAME]
    finally:
        scene.nexthop("del id 101")
        scene.nexthop("del id 12")


def test_our_own_address_as_a_source_is_a_loop(scene):
    overlay = scene.add(LINK)
    echo = ether(b"echo", source=LOCAL, to=STATION)
    assert overlay.gets(echo) == []
    if scene.is_vtep:
        assert overlay.drops(lambda: overlay.gets(echo)) == {"own_source": 1}


@pytest.mark.parametrize("state", ["permanent", "static"])
def test_what_was_written_down_is_stronger_than_what_is_heard(scene, state):
    overlay = scene.add(LINK)
    scene.fdb(f"add {STATION} dst 10.0.0.2 dev vxlan0 {state}")
    before = overlay.fdb()
    assert overlay.gets(FRAME, "10.0.0.3") == []
    assert overlay.gets(FRAME, "10.0.0.2") == [FRAME]
    assert overlay.fdb() == before


# --- how many -------------------------------------------------------------------------------------------------------


def test_no_more_addresses_are_learned_than_maxaddress(scene):
    """The frames pass all the same. The all-zero entry and the marker count, as they do for the kernel's driver."""
    overlay = scene.add(f"{LINK} maxaddress 6")
    for number in range(1, 10):
        assert len(heard(overlay, number, "10.0.0.2")) == 1
    learned = [line for line in overlay.fdb() if "permanent" not in line]
    assert [line.split()[0] for line in learned] == [station(number) for number in range(1, 5)]
    if scene.is_vtep:
        assert scene.counters("learn_refused") == [5]


def test_an_entry_by_hand_beyond_maxaddress_is_refused(scene):
    overlay = scene.add(f"{LINK} maxaddress 4")
    for number in (1, 2):
        scene.fdb(f"add {station(number)} dst 10.0.0.2 dev vxlan0")
    before = overlay.fdb()
    scene.refused(scene.fdb, f"add {station(3)} dst 10.0.0.2 dev vxlan0")
    assert overlay.fdb() == before


def test_a_deleted_address_makes_room(scene):
    overlay = scene.add(f"{LINK} maxaddress 3")
    heard(overlay, 1, "10.0.0.2")
    heard(overlay, 2, "10.0.0.2")
    scene.fdb(f"del {station(1)} dev vxlan0")
    heard(overlay, 2, "10.0.0.2")
    assert station(2) in " ".join(overlay.fdb())


def test_an_address_that_is_known_still_moves_at_the_limit(scene):
    overlay = scene.add(f"{LINK} maxaddress 3")
    heard(overlay, 1, "10.0.0.2")
    heard(overlay, 2, "10.0.0.2")
    heard(overlay, 1, "10.0.0.3")
    assert overlay.fdb(station(1)) == [f"{station(1)} dst 10.0.0.3 self"]


def test_a_full_table_still_forwards(scene):
    """To a station that could not be learned by way of the flood list."""
    overlay = scene.add(f"{LINK} maxaddress 2")
    assert len(heard(overlay, 1, "10.0.0.2")) == 1
    assert not [line for line in overlay.fdb() if "permanent" not in line]
    assert [outer.remote for outer in overlay.sent(ether(to=station(1)))] == ["10.0.0.9"]


# --- how often it may move ------------------------------------------------------------------------------------------


def moves(overlay, count):
    """A station is heard at 10.0.0.2 and then moves between there and 10.0.0.3; returns whether its last frame came
    out, the remote it is at by then, and the other one."""
    for number in range(count + 1):
        got = heard(overlay, 1, far(2 + number % 2))
    return bool(got), far(2 + count % 2), far(3 - count % 2)


@pytest.mark.parametrize("words, allowed", [("", 5), ("moves 2 60", 2), ("moves 0 60", None)])
def test_a_station_that_moves_too_often_is_frozen(scene, words, allowed):
    """RFC 7432 section 15.1: more than 5 moves within 180 s mean a duplicate. The kernel's driver never stops it."""
    overlay = add(scene, words)
    if not scene.is_vtep or allowed is None:
        assert moves(overlay, 12)[0]
        assert overlay.fdb(station(1)) == [f"{station(1)} dst 10.0.0.2 self"]
        return
    passed, home, other = moves(overlay, allowed + 1)
    assert passed, "it stays where the move that was one too many took it"
    assert heard(overlay, 1, other) == []
    assert overlay.drops(lambda: heard(overlay, 1, other)) == {"frozen_source": 1}
    assert len(heard(overlay, 1, home)) == 1
    assert f"dst {home} " in overlay.fdb(station(1))[0]
    assert 1 in scene.counters("frozen")


def test_others_move_on_while_one_is_frozen(scene):
    overlay = add(scene, "moves 2 60")
    moves(overlay, 6)
    for remote in ("10.0.0.2", "10.0.0.3"):
        assert len(heard(overlay, 2, remote)) == 1
    assert overlay.fdb(station(2)) == [f"{station(2)} dst 10.0.0.3 self"]


def test_a_frozen_station_is_freed_by_hand(scene):
    """Deleting the entry, or setting it, is the word of somebody who has looked."""
    overlay = add(scene, "moves 2 60")
    moves(overlay, 6)
    scene.fdb(f"del {station(1)} dev vxlan0")
    assert len(heard(overlay, 1, "10.0.0.5")) == 1
    assert overlay.fdb(station(1)) == [f"{station(1)} dst 10.0.0.5 self"]


def test_a_freeze_is_reported(scene):
    overlay = add(scene, "moves 2 60")
    if not scene.is_vtep:
        moves(overlay, 6)
        return
    path = scene.net.directory / "freeze"
    with open(path, "w") as file:
        process = scene.net.process(scene.ns, [*scene.host.vtep, "-j", "monitor", "fdb"], stdout=file)
    numbers = iter(range(10, 250))

    def listens():
        heard(overlay, next(numbers), "10.0.0.2")
        return path.read_text()

    eventually("the monitor listens", listens)
    moves(overlay, 6)
    eventually(
        "the monitor tells of the freeze",
        lambda: [line for line in path.read_text().splitlines() if station(1) in line and "frozen" in line],
    )
    process.terminate()
