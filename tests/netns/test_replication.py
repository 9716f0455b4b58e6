"""Frames for everybody: a group, lists of remotes, both at once, and limits on how many are flooded."""

import pytest
from scapy.layers.inet import IP
from scapy.layers.l2 import Ether

from packets import STATION
from scene import VNI, ether, far, scene_fixture

scene, clean = scene_fixture()
LINK = f"id {VNI} dstport 4789 dev eno1"
ALL = "ff:ff:ff:ff:ff:ff"


def add_flood(scene, *remotes):
    for remote in remotes:
        scene.fdb(f"append 00:00:00:00:00:00 dst {remote} dev vxlan0")


def test_a_group_and_a_list_at_once(scene):
    overlay = scene.add(f"id {VNI} group 239.1.1.1 dstport 4789 dev eno1")
    add_flood(scene, far(3), far(4))
    outers = overlay.sent(ether(to=ALL))
    assert sorted(outer.remote for outer in outers) == [far(3), far(4), "239.1.1.1"]
    assert {outer.remote: outer.ttl for outer in outers} == {far(3): 64, far(4): 64, "239.1.1.1": 1}


@pytest.mark.parametrize("to", [ALL, "01:00:5e:05:05:05", "33:33:00:00:00:05", STATION])
def test_what_is_flooded(scene, to):
    """Broadcast, multicast, and destinations that nobody knows."""
    overlay = scene.add(LINK)
    add_flood(scene, far(2), far(3))
    assert sorted(outer.remote for outer in overlay.sent(ether(to=to))) == [far(2), far(3)]


def test_a_multicast_address_can_have_remotes_of_its_own(scene):
    overlay = scene.add(LINK)
    add_flood(scene, far(2))
    for last in (4, 5):
        scene.fdb(f"append 01:00:5e:05:05:05 dst {far(last)} dev vxlan0")
    assert sorted(outer.remote for outer in overlay.sent(ether(to="01:00:5e:05:05:05"))) == [far(4), far(5)]
    assert [outer.remote for outer in overlay.sent(ether(to="01:00:5e:05:05:06"))] == [far(2)]


def test_a_remote_of_the_list_can_have_a_vni_and_a_port(scene):
    overlay = scene.add(LINK)
    scene.fdb(f"append 00:00:00:00:00:00 dst {far(2)} port 5555 vni 77 dev vxlan0")
    (outer,) = overlay.sent(ether(to=ALL), ports=(4789, 5555))
    assert (outer.dport, outer.vni) == (5555, 77)


def test_one_remote_leaves_the_list(scene):
    overlay = scene.add(LINK)
    add_flood(scene, far(2), far(3), far(4))
    scene.fdb(f"del 00:00:00:00:00:00 dst {far(3)} dev vxlan0")
    assert sorted(outer.remote for outer in overlay.sent(ether(to=ALL))) == [far(2), far(4)]


def test_a_long_list(scene):
    """Every remote gets its copy, and one only. The kernel's driver sends all copies in one go, of which a veth takes
    1000."""
    count = 3000 if scene.is_vtep else 900
    overlay = scene.add(LINK)
    scene.ns.run("ip route replace 10.64.0.0/16 via 10.0.0.9")
    remotes = [f"10.64.{number >> 8}.{number & 255}" for number in range(1, count + 1)]
    path = scene.net.directory / "list"
    path.write_text("".join(f"fdb append 00:00:00:00:00:00 dst {remote} dev vxlan0\n" for remote in remotes))
    command = [*scene.host.vtep, "-batch", str(path)] if scene.is_vtep else ["bridge", "-batch", str(path)]
    scene.say(command)
    scene.wire.drain()
    frame = ether(b"to all of them", to=ALL)
    overlay.port.send(frame)
    copies, _ = scene.wire.receive(lambda seen: seen.endswith(frame), count=count, timeout=30)
    assert sorted(Ether(copy)[IP].dst for copy in copies) == sorted(remotes)
    # Nothing of the list is left over for the next test's marker to wait behind.
    overlay.remove()


LIMITS = {"broadcast": ALL, "unknown": STATION, "multicast": "01:00:5e:05:05:05"}


@pytest.mark.parametrize("kind", LIMITS)
def test_flooding_is_limited_by_kind(scene, kind):
    """One a second: of 50 at once some are too many, however slow the machine. The kernel's driver has no limit."""
    overlay = scene.add(f"{LINK} {f'limit {kind} 1' if scene.is_vtep else ''}")
    add_flood(scene, far(2))
    burst = [ether(bytes([number]), to=LIMITS[kind]) for number in range(50)]
    sent = []
    if not scene.is_vtep:
        assert len(overlay.sent(*burst)) == 50
        return
    drops = overlay.drops(lambda: sent.extend(overlay.sent(*burst)))
    assert list(drops) == [f"limit_{kind}"]
    assert len(sent) >= 1 and len(sent) + drops[f"limit_{kind}"] == 50


@pytest.mark.parametrize("kind", LIMITS)
def test_a_limit_holds_for_its_kind_alone(scene, kind):
    overlay = scene.add(f"{LINK} {f'limit {kind} 1' if scene.is_vtep else ''}")
    add_flood(scene, far(2))
    for other in set(LIMITS) - {kind}:
        burst = [ether(bytes([number]), to=LIMITS[other]) for number in range(20)]
        assert [outer.inner for outer in overlay.sent(*burst)] == burst


def test_what_is_known_is_not_limited(scene):
    overlay = scene.add(f"{LINK} {'limit unknown 1' if scene.is_vtep else ''}")
    scene.fdb(f"add {STATION} dst {far(2)} dev vxlan0")
    burst = [ether(bytes([number])) for number in range(50)]
    assert [outer.inner for outer in overlay.sent(*burst)] == burst
