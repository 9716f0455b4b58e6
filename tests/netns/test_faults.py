"""Things that break underneath: each is logged once, and forwarding goes on when it comes back."""

import pytest
from scapy.layers.l2 import Ether

from namespaces import eventually
from packets import LOCAL, STATION, datagram, inner_of, is_vxlan, vxlan_header
from stations import heard, make_probe
from topologies import WIRE_MAC

FRAME = bytes(Ether(src=LOCAL, dst=STATION, type=0x88B5) / b"does it arrive?")
GROUP = "id 6000 group 239.1.1.1 dstport 4789 dev eno1"


def leaves(probe):
    """Whether a frame sent on vxlan0 reaches the wire, now."""
    probe.vxlan0.send(FRAME)
    return [frame for frame in probe.wire.drain() if is_vxlan(frame) and inner_of(frame) == FRAME]


def forwards(probe):
    """Both ways, sooner or later. While an interface is away, sending on it is an error of the test's own socket."""

    def attempt():
        try:
            return leaves(probe)
        except OSError:
            return False

    eventually("frames leave", attempt)
    heard(probe, 1)


@pytest.fixture
def probe(net):
    probe = make_probe(net, "vtep", "remote 10.0.0.2")
    forwards(probe)
    return probe


class Log:
    """What the daemon logs from here on."""

    def __init__(self, host):
        self.host = host
        self.start = len(host.log_lines())

    def lines(self, word):
        return [line for line in self.host.log_lines()[self.start :] if word in line]


def send_many(probe, count=100):
    for _ in range(count):
        probe.vxlan0.send(FRAME)


def logged_once(probe, log, word):
    """The trouble is told, and many frames later still only once."""
    eventually(f"the log tells of {word}", lambda: log.lines(word))
    send_many(probe)
    probe.host.link("show")
    assert len(log.lines(word)) == 1, "\n".join(log.lines(word))


def test_underlay_device_goes_down_and_up(probe):
    log = Log(probe.host)
    probe.ns.run("ip link set eno1 down")
    logged_once(probe, log, "eno1")
    eventually("frames are counted", lambda: send_many(probe, 1) or probe.host.drops().get("underlay_down"))
    probe.ns.run("ip link set eno1 up")
    probe.configure()
    forwards(probe)
    assert set(probe.host.drops()) <= {"underlay_down", "underlay_unreachable"}
    assert len(log.lines("eno1")) == 2, "\n".join(log.lines("eno1"))


def test_underlay_device_loses_and_regains_its_address(probe):
    log = Log(probe.host)
    probe.ns.run("ip addr flush dev eno1")
    logged_once(probe, log, "eno1")
    assert "eno1 has no IPv4 address" in probe.host.link("show").stdout
    probe.configure()
    forwards(probe)
    assert len(log.lines("eno1")) == 2, "\n".join(log.lines("eno1"))


def test_a_local_address_that_is_not_ours_is_told(probe):
    probe.host.link("add name vxlan7 type vxlan id 7 remote 10.0.0.2 local 10.0.0.77 dstport 4789")
    assert "local address 10.0.0.77 is on no interface" in probe.host.link("show vxlan7").stdout
    probe.ns.run("ip addr add 10.0.0.77/24 dev eno1")
    eventually("the trouble is over", lambda: "trouble" not in probe.host.link("show vxlan7").stdout)


def new_cable(probe):
    """eno1 is there again, as another device."""
    probe.net.cable(probe.ns, "eno1", probe.far, "wire", offloads=False)
    probe.configure()


def test_underlay_device_is_deleted_and_made_anew(probe):
    log = Log(probe.host)
    probe.ns.run("ip link del eno1")
    logged_once(probe, log, "eno1")
    assert probe.ns.interface("vxlan0"), "the overlay interface stays"
    assert "00:00:00:00:00:00 dst 10.0.0.2 via eno1 self permanent" in probe.host.fdb_lines()
    new_cable(probe)
    forwards(probe)
    assert len(log.lines("eno1")) == 2, "\n".join(log.lines("eno1"))


def test_the_group_is_joined_again_on_a_new_device(probe_of):
    probe = probe_of("vtep")
    probe.vxlan0 = probe.overlay(GROUP)
    assert "239.1.1.1" in probe.ns.out("ip maddr show dev eno1")
    probe.ns.run("ip link del eno1")
    new_cable(probe)
    eventually("the group is joined again", lambda: "239.1.1.1" in probe.ns.out("ip maddr show dev eno1"))
    forwards(probe)


def test_the_group_stays_joined_when_the_device_was_down(probe_of):
    probe = probe_of("vtep")
    probe.vxlan0 = probe.overlay(GROUP)
    probe.ns.run("ip link set eno1 down")
    probe.ns.run("ip link set eno1 up")
    probe.configure()
    forwards(probe)
    assert "239.1.1.1" in probe.ns.out("ip maddr show dev eno1")


def test_a_device_that_appears_later_is_joined(probe_of):
    """A link whose device is renamed away and back."""
    probe = probe_of("vtep")
    probe.vxlan0 = probe.overlay(GROUP)
    probe.ns.run("ip link set eno1 down")
    probe.ns.run("ip link set eno1 name elsewhere")
    probe.ns.run("ip link set elsewhere name eno1")
    probe.ns.run("ip link set eno1 up")
    probe.configure()
    forwards(probe)
    eventually("the group is joined", lambda: "239.1.1.1" in probe.ns.out("ip maddr show dev eno1"))


def test_the_tap_is_deleted_by_hand_and_made_anew(probe):
    log = Log(probe.host)
    probe.ns.run("ip link del vxlan0")
    eventually("the log tells of it", lambda: log.lines("vxlan0"))
    probe.ns.run("ip tuntap add dev vxlan0 mode tap multi_queue vnet_hdr")
    probe.ns.run(f"ip link set vxlan0 address {LOCAL}")
    probe.ns.run("ip link set vxlan0 up")
    probe.vxlan0 = probe.port(probe.ns, "vxlan0")
    forwards(probe)
    assert len(log.lines("vxlan0")) <= 2, "\n".join(log.lines("vxlan0"))
    probe.host.stop()
    assert probe.ns.interface("vxlan0") is None


def test_the_overlay_interface_goes_down_and_up(probe):
    probe.ns.run("ip link set vxlan0 down")
    eventually("datagrams are counted", lambda: knock(probe) or probe.host.drops().get("interface_down"))
    probe.ns.run("ip link set vxlan0 up")
    forwards(probe)


def knock(probe):
    inner = bytes(Ether(src=STATION, dst=LOCAL, type=0x88B5) / b"is anybody there?")
    probe.wire.send(datagram(vxlan_header(6000) + inner, to_mac=probe.mac, from_mac=WIRE_MAC))


def mtu(probe, name="vxlan0"):
    return probe.ns.interface(name)["mtu"]


def test_the_mtu_follows_the_underlay(probe):
    assert mtu(probe) == 1450
    for underlay in (9000, 1400, 1500):
        probe.ns.run(f"ip link set eno1 mtu {underlay}")
        eventually(f"the MTU is {underlay - 50}", lambda: mtu(probe) == underlay - 50)


def test_an_mtu_of_ones_own_stays(probe):
    """Given in the link's words, it is the operator's and does not follow."""
    probe.host.link("add vxlan1 mtu 1300 type vxlan id 6001 remote 10.0.0.2 dstport 4789 dev eno1")
    assert mtu(probe, "vxlan1") == 1300
    probe.ns.run("ip link set eno1 mtu 9000")
    eventually("the other link follows", lambda: mtu(probe) == 8950)
    assert mtu(probe, "vxlan1") == 1300
    probe.ns.run("ip link set eno1 mtu 1200")
    eventually("the other link follows", lambda: mtu(probe) == 1150)


def test_a_remote_without_a_route_is_counted(probe_of):
    """Of a link without a device: on a device every address counts as a neighbour."""
    probe = probe_of("vtep")
    probe.vxlan0 = probe.overlay("id 6000 remote 10.0.0.2 dstport 4789")
    probe.ns.run("ip route del default")
    probe.host.fdb(f"add {STATION} dst 172.30.0.1 dev vxlan0")
    send_many(probe, 3)
    eventually("three frames are counted", lambda: probe.host.drops() == {"underlay_unreachable": 3})
    elsewhere = bytes(Ether(src=LOCAL, dst="02:00:00:00:00:77", type=0x88B5) / b"the link goes on")
    probe.vxlan0.send(elsewhere)
    probe.wire.expect(lambda frame: is_vxlan(frame) and inner_of(frame) == elsewhere)
