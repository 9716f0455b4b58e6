"""Where the interface may live: in another network namespace than its underlay, under another name and address, and
with nftables on it and in front of it."""

import json
import subprocess

import pytest
from scapy.layers.inet import ICMP, IP
from scapy.layers.l2 import Ether

from namespaces import eventually
from outer import outer_of
from packets import LOCAL, STATION
from scene import ether, scene_fixture

scene, clean = scene_fixture()
LINK = "id 6000 remote 10.0.0.2 dstport 4789 dev eno1"
FRAME = ether(b"out")
BACK = ether(b"back", source=STATION, to=LOCAL)


@pytest.fixture
def tenant(scene):
    """A namespace that has no underlay. Its links are gone before it is."""
    namespace = scene.net.namespace("tenant")
    yield namespace
    if scene.is_vtep:
        scene.link("del vxlan0", check=False)
    else:
        namespace.run("ip link del vxlan0", check=False)
        namespace.run("ip link del vxlan1", check=False)


def move(scene, overlay, namespace):
    """`ip link set vxlan0 netns …`; it comes down on the way and is set up again."""
    overlay.port.close()
    scene.ns.run(f"ip link set {overlay.name} netns {namespace.name}")
    namespace.run(f"ip link set {overlay.name} up")
    overlay.port = scene.port(namespace, overlay.name)


def test_the_interface_works_in_another_namespace(scene, tenant):
    """And the underlay is where it was."""
    overlay = scene.add(LINK)
    move(scene, overlay, tenant)
    eventually("frames leave again", lambda: [outer.inner for outer in overlay.sent(FRAME)] == [FRAME])
    assert overlay.gets(BACK) == [BACK]
    assert scene.ns.interface("vxlan0") is None


def test_it_goes_on_with_what_it_has_learned(scene, tenant):
    """Down and up empties the kernel driver's table of what was learned; the frame goes to everybody again."""
    overlay = scene.add(LINK)
    overlay.gets(BACK, "10.0.0.5")
    assert [outer.remote for outer in overlay.sent(FRAME)] == ["10.0.0.5"]
    move(scene, overlay, tenant)
    remotes = [outer.remote for outer in overlay.sent(FRAME)]
    assert remotes in (["10.0.0.5"], ["10.0.0.2"])
    overlay.gets(BACK, "10.0.0.6")
    assert [outer.remote for outer in overlay.sent(FRAME)] == ["10.0.0.6"]


def test_its_stack_is_the_tenants(scene, tenant):
    """Addresses that the host has too are no conflict: what a VRF is for."""
    overlay = scene.add(LINK)
    scene.ns.run("ip addr add 192.168.5.10/24 dev lo")
    move(scene, overlay, tenant)
    tenant.run("ip addr add 192.168.5.10/24 dev vxlan0")
    tenant.run(f"ip neigh replace 192.168.5.12 lladdr {STATION} dev vxlan0 nud permanent")
    eventually("the tenant answers", lambda: pinged(overlay))
    scene.ns.run("ip addr del 192.168.5.10/24 dev lo")


PING = bytes(Ether(src=STATION, dst=LOCAL) / IP(src="192.168.5.12", dst="192.168.5.10") / ICMP(id=5) / b"ping")


def pinged(overlay):
    """Whether the stack behind the interface answers an echo request from the underlay."""
    wire = overlay.scene.wire
    wire.drain()
    wire.send(overlay.arriving(PING))
    overlay.received()
    # The answer has left, or is behind the marker that leaves now.
    left = wire.drain() + overlay.underlay_frames(overlay.port)
    replies = [Ether(outer.inner) for outer in map(outer_of, left) if outer]
    return any(ICMP in reply and reply[ICMP].type == 0 for reply in replies)


def test_tenants_with_the_same_addresses_are_apart(scene, tenant):
    """Two VNIs, two namespaces, one station address: each gets its own frames."""
    other = scene.net.namespace("other")
    first = scene.add(LINK)
    second = scene.add(LINK.replace("6000", "7000"), name="vxlan1")
    move(scene, first, tenant)
    move(scene, second, other)
    for overlay, payload in ((first, b"for the first"), (second, b"for the second")):
        frame = ether(payload, source=STATION, to=LOCAL)
        assert overlay.gets(frame) == [frame]
    assert not [frame for frame in first.port.drain() if b"second" in frame]
    if not scene.is_vtep:
        other.run("ip link del vxlan1")


def test_it_comes_back(scene, tenant):
    overlay = scene.add(LINK)
    move(scene, overlay, tenant)
    overlay.port.close()
    tenant.run(f"ip link set vxlan0 netns {scene.ns.name}")
    scene.ns.run("ip link set vxlan0 up")
    overlay.port = scene.port(scene.ns, "vxlan0")
    eventually("frames leave again", lambda: [outer.inner for outer in overlay.sent(FRAME)] == [FRAME])
    assert overlay.gets(BACK) == [BACK]


def test_a_renamed_interface_goes_on(scene):
    overlay = scene.add(LINK)
    scene.ns.run("ip link set vxlan0 down")
    scene.ns.run("ip link set vxlan0 name tenant0")
    scene.ns.run("ip link set tenant0 up")
    overlay.name = "tenant0"
    overlay.port.close()
    overlay.port = scene.port(scene.ns, "tenant0")
    eventually("it is known by its name", lambda: scene.fdb("show dev tenant0", check=False).returncode == 0)
    assert [outer.inner for outer in overlay.sent(FRAME)] == [FRAME]
    assert overlay.gets(BACK) == [BACK]
    scene.fdb(f"replace {STATION} dst 10.0.0.6 dev tenant0")
    assert [outer.remote for outer in overlay.sent(FRAME)] == ["10.0.0.6"]
    assert any("tenant0" in line for line in scene.link("show").stdout.splitlines())


def test_a_new_address_is_the_own_address(scene):
    """Frames that claim to come from it are a loop; those from the old one are a station like any other."""
    overlay = scene.add(LINK)
    new = "02:00:00:00:00:0b"
    scene.ns.run(f"ip link set vxlan0 address {new}")
    eventually("its echo is dropped", lambda: overlay.gets(ether(source=new, to=STATION)) == [])
    old = ether(b"somebody else's by now", source=LOCAL, to=new)
    assert overlay.gets(old) == [old]


def test_the_address_can_be_set_by_link_set(scene):
    overlay = scene.add(LINK)
    scene.link("set vxlan0 address 02:00:00:00:00:0c")
    assert scene.ns.mac("vxlan0") == "02:00:00:00:00:0c"
    assert [outer.inner for outer in overlay.sent(FRAME)] == [FRAME]


# --- nftables -------------------------------------------------------------------------------------------------------


@pytest.fixture
def nft(scene):
    """nft("ip", "filter hook input priority 0", RULE) loads one rule; it is gone after the test."""

    def load(family, hook, rule):
        scene.ns.run(["nft", "-f", "-"], input=f"table {family} t {{\n chain c {{\n type {hook};\n {rule}\n }}\n}}\n")

    yield load
    scene.ns.run("nft flush ruleset")


def counted(scene):
    """Packets that the rules with a counter have seen."""
    said = json.loads(scene.ns.out("nft -j list ruleset"))["nftables"]
    return [
        part["counter"]["packets"]
        for item in said if "rule" in item
        for part in item["rule"]["expr"] if "counter" in part
    ]


def test_a_rule_on_the_interface_sees_inner_packets(scene, nft):
    overlay = scene.add(LINK)
    scene.ns.run("ip addr add 192.168.5.10/24 dev vxlan0")
    scene.ns.run(f"ip neigh replace 192.168.5.12 lladdr {STATION} dev vxlan0 nud permanent")
    eventually("a ping is answered", lambda: pinged(overlay))
    nft("ip", "filter hook input priority 0", 'iifname "vxlan0" icmp type echo-request counter drop')
    assert not pinged(overlay)
    assert counted(scene) == [1]


def test_an_ingress_rule_on_the_interface(scene, nft):
    """What a netdev chain drops is not seen by anybody behind it, but was received."""
    overlay = scene.add(LINK)
    nft("netdev", 'filter hook ingress device "vxlan0" priority 0', f"ether saddr {STATION} counter drop")
    overlay.gets(BACK)
    eventually("the rule has seen the frame", lambda: counted(scene) == [1])
    assert overlay.fdb(STATION), "the tunnel had learned it before the rule"


@pytest.mark.parametrize("hook, packets", [("input", "arrive"), ("output", "leave")])
def test_a_rule_on_the_underlay(scene, nft, hook, packets):
    """Outer packets pass the host's rules like any other UDP."""
    overlay = scene.add(LINK)
    address = {"input": "ip saddr 10.0.0.4", "output": "ip daddr 10.0.0.4"}[hook]
    nft("ip", f"filter hook {hook} priority 0", f"{address} udp dport 4789 counter drop")
    if packets == "arrive":
        assert overlay.gets(BACK, "10.0.0.4") == []
    else:
        scene.fdb(f"add {STATION} dst 10.0.0.4 dev vxlan0")
        assert overlay.sent(FRAME) == []
    assert counted(scene) == [1]


def test_a_translated_source_leaves_with_right_checksums(scene, nft):
    """Translation of inner addresses has broken outer checksums elsewhere."""
    scene.add(LINK)
    scene.ns.run("ip addr add 192.168.5.10/24 dev vxlan0")
    scene.ns.run(f"ip neigh replace 192.168.5.12 lladdr {STATION} dev vxlan0 nud permanent")
    nft("ip", "nat hook postrouting priority 100", 'oifname "vxlan0" snat to 192.168.5.77')
    scene.wire.drain()
    scene.net.process(scene.ns, "ping -c 1 -W 1 192.168.5.12", stdout=subprocess.DEVNULL)
    outer = outer_of(scene.wire.expect(lambda frame: outer_of(frame) and ICMP in Ether(outer_of(frame).inner)))
    packet = Ether(outer.inner)
    assert (packet[IP].src, outer.checksum) == ("192.168.5.77", "right")
    fresh = packet[IP].copy()
    del fresh.chksum, fresh[ICMP].chksum
    assert bytes(IP(bytes(fresh))) == bytes(packet[IP])
