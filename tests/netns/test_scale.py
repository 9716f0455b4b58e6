"""Many links, many entries: they are made through one `vtep -batch`, and everything still works.

Nothing here is a measurement; bench/run measures. The limits of time are those of a machine that does nothing else.
"""

import contextlib
import itertools
import json
import socket
import threading
import time
from pathlib import Path

import pytest
from scapy.layers.l2 import Dot1Q, Ether

from endpoints import SANITIZER_REPORT
from namespaces import eventually
from packets import (
    ETH_P_ALL,
    LOCAL,
    PACKET_IGNORE_OUTGOING,
    SOL_PACKET,
    STATION,
    datagram,
    inner_of,
    is_vxlan,
    vxlan_header,
)
from stations import MARKER, heard, make_probe, station
from topologies import WIRE_MAC, Probe

LINKS = 1000
ENTRIES = 100_000
MILLION = 1_000_000
MOST_BYTES = 64  # of memory for one entry, its key included
WORKING_BYTES = 16 << 20  # that the allocator may keep of a request of a million lines
FADING = 300_000  # entries that are forgotten at once
REMOTES = [f"10.0.0.{last}" for last in range(2, 9)]
SHARED_VNIS = 3000  # on each interface of test_ten_thousand_vnis


def batch(host, commands, timeout):
    """One command per line, all in one run."""
    path = host.net.directory / "batch"
    path.write_text("".join(f"{command}\n" for command in commands))
    return host.ns.run([*host.batch_command, path], timeout=timeout)


def test_a_thousand_vnis_on_one_daemon(pair_of):
    pair = pair_of()
    vnis = range(1, LINKS + 1)
    words = "remote 10.0.0.2 dstport 4789 dev eno1"
    batch(pair.a, [f"link add name vx{vni} type vxlan id {vni} {words}" for vni in vnis], 120)
    assert len(pair.a.link("show").stdout.splitlines()) == 2 * LINKS
    for vni in (1, 2, 500, 999, 1000):
        subnet = f"172.16.{vni % 256}"
        pair.b.add_link(f"id {vni} remote 10.0.0.1 dstport 4789 dev eno1", name=f"vx{vni}", address=f"{subnet}.2/24")
        pair.a.ns.run(f"ip addr add {subnet}.1/24 dev vx{vni}")
        pair.a.ns.run(f"ip link set vx{vni} up")
        pair.ping(f"{subnet}.2")
        assert len(pair.a.fdb_lines(f"show dev vx{vni}")) == 2, "the flood entry, and the peer"
    assert len(pair.a.fdb_lines("show")) == LINKS + 5
    pair.a.stop()
    assert not [line for line in pair.a.ns.out("ip -o link show").splitlines() if ": vx" in line]


def entry(number):
    return f"02:01:{number >> 24 & 255:02x}:{number >> 16 & 255:02x}:{number >> 8 & 255:02x}:{number & 255:02x}"


def additions(numbers, state=""):
    """Lines that put the entries with these numbers behind REMOTES in turn."""
    return (f"fdb add {entry(i)} dst {REMOTES[i % 7]} dev vxlan0 {state}" for i in numbers)


def entries_of(host):
    """Of all links, as the daemon counts them."""
    return json.loads(host.vtep_run("-j daemon show").stdout)[0]["fdb_entries"]


def test_a_hundred_thousand_entries(net):
    probe = make_probe(net, "vtep")
    batch(probe.host, additions(range(ENTRIES)), 120)

    listed = probe.host.fdb_lines()
    flood = "00:00:00:00:00:00 dst 10.0.0.9 via eno1 self permanent"
    assert listed == sorted([f"{entry(i)} dst {REMOTES[i % 7]} self permanent" for i in range(ENTRIES)] + [flood])
    assert probe.host.fdb(f"get {entry(77_777)} dev vxlan0 self").stdout.split()[4] == REMOTES[77_777 % 7]
    heard(probe, 1)
    assert f"{station(1)} dst 10.0.0.2 self " in probe.host.fdb_lines()

    probe.host.fdb("flush dev vxlan0 dst 10.0.0.3")
    assert len(probe.host.fdb_lines()) == ENTRIES + 2 - len(range(1, ENTRIES, 7))
    probe.host.fdb("flush dev vxlan0")
    assert probe.host.fdb_lines() == []
    probe.host.fdb("append 00:00:00:00:00:00 dst 10.0.0.9 dev vxlan0")
    heard(probe, 2)
    assert not SANITIZER_REPORT.search(probe.host.log())


@pytest.mark.parametrize("force", [False, True])
def test_a_batch_stops_at_the_first_mistake_unless_forced(net, force):
    probe = make_probe(net, "vtep")
    path = net.directory / "batch"
    path.write_text(
        f"# a comment\n\nfdb add {station(1)} dst 10.0.0.2 dev vxlan0\nfdb add {station(1)} dst 10.0.0.2 dev vxlan0\n"
        f"fdb add {station(2)} dst 10.0.0.2 dev vxlan0\n"
    )
    done = probe.ns.run([*probe.host.vtep, *(["-force"] if force else []), "-batch", path], check=False)
    assert done.returncode != 0
    assert f"{path}:4" in done.stderr, "the file and the line are named"
    kept = [line.split()[0] for line in probe.host.fdb_lines()]
    assert (station(1) in kept, station(2) in kept) == (True, force)


def resident_bytes(host):
    status = Path(f"/proc/{host.process.pid}/status").read_text()
    return 1024 * int(status.partition("VmRSS:")[2].split()[0])


def remote_of(probe, mac):
    """Where a frame to this address is sent."""
    inner = bytes(Ether(src=LOCAL, dst=mac, type=0x88B5) / b"where to?")
    probe.wire.drain()
    probe.vxlan0.send(inner, MARKER)
    found, others = probe.wire.receive(lambda frame: is_vxlan(frame) and inner_of(frame) == MARKER)
    assert len(found) == 1
    (frame,) = [frame for frame in others if is_vxlan(frame) and inner_of(frame) == inner]
    return ".".join(str(octet) for octet in frame[30:34])


def test_a_million_entries(net):
    probe = make_probe(net, "vtep")
    host = probe.host
    first = 1000  # what the first call costs once is not theirs
    batch(host, additions(range(first)), 60)
    before = resident_bytes(host)
    batch(host, additions(range(first, MILLION)), 120)
    growth = resident_bytes(host) - before
    assert entries_of(host) == MILLION + 1
    each = (growth - WORKING_BYTES) / (MILLION - first)
    assert each <= MOST_BYTES, f"{each:.1f} bytes for each entry"

    listed = host.fdb("show dev vxlan0", timeout=120).stdout.splitlines()
    assert len(listed) == len({line[:17] for line in listed}) == MILLION + 1
    asked = (0, 1, 499_999, MILLION - 1)
    for i in asked:
        assert host.fdb(f"get {entry(i)} dev vxlan0 self").stdout.split()[4] == REMOTES[i % 7]
        assert remote_of(probe, entry(i)) == REMOTES[i % 7]
    assert remote_of(probe, entry(MILLION)) == "10.0.0.9", "unknown: flooded"

    host.kill()
    host.wait_ready = lambda: eventually("vtepd is back", host._answers_or_died, timeout=60)
    host.start()
    assert entries_of(host) == MILLION + 1
    assert [remote_of(probe, entry(i)) for i in asked] == [REMOTES[i % 7] for i in asked]

    host.fdb("flush dev vxlan0", timeout=60)
    assert host.fdb_lines() == []
    assert not SANITIZER_REPORT.search(host.log())


def numbered(number):
    return bytes(Ether(src=LOCAL, dst=station(1), type=0x88B5) / number.to_bytes(4, "big"))


def test_no_frame_is_lost_while_entries_age_out(net):
    """One frame a millisecond, and room for a hundred: whoever does not look for a tenth of a second loses some."""
    probe = make_probe(net, "vtep", "remote 10.0.0.9 ageing 0")
    host = probe.host
    batch(host, additions(range(FADING), "dynamic"), 120)
    host.fdb(f"add {station(1)} dst 10.0.0.2 dev vxlan0")
    probe.ns.run("ip link set vxlan0 txqueuelen 100")
    assert entries_of(host) == FADING + 2

    sent = 0
    done = threading.Event()

    def send():
        nonlocal sent
        while not done.is_set():
            probe.vxlan0.send(numbered(sent))
            sent += 1
            time.sleep(0.001)

    probe.wire.drain()
    sender = threading.Thread(target=send)
    sender.start()
    try:
        eventually("frames are under way", lambda: sent > 500)
        before = sent
        host.link("set vxlan0 type vxlan ageing 1")
        eventually("they are forgotten", lambda: entries_of(host) == 2, timeout=60)
        during = sent - before
        eventually("frames go on", lambda: sent > before + during + 500)
    finally:
        done.set()
        sender.join()
    frames, _ = probe.wire.receive(lambda frame: frame[36:38] == b"\x12\xb5", count=sent)
    assert [int.from_bytes(inner_of(frame)[14:18], "big") for frame in frames] == list(range(sent))


def vni_of(frame):
    return int.from_bytes(frame[46:49], "big")


def in_parts(items, size=100):
    """No more at once than every buffer on the way holds."""
    items = iter(items)
    return iter(lambda: list(itertools.islice(items, size)), [])


class Everywhere:
    """A socket on every interface of a namespace: to close a thousand takes the kernel a quarter of a minute."""

    def __init__(self, net, namespace):
        with namespace.entered():
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        net.on_close(self.socket.close)
        self.socket.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)

    def send(self, interface, frame):
        self.socket.sendto(frame, (interface, 0))

    def drain(self):
        self.socket.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                self.socket.recv(1)

    def receive(self, to, count):
        """(interface, frame) of the first `count` frames to this address."""
        self.socket.settimeout(10)
        found = set()
        while len(found) < count:
            frame, address = self.socket.recvfrom(2048)
            if frame[:6] == bytes.fromhex(to.replace(":", "")):
                found.add((address[0], frame))
        return found


def test_ten_thousand_vnis(net):
    """Nine thousand on three interfaces, told apart by VLAN, and a thousand with an interface of their own: each passes a
    frame either way, and the daemon leaves nothing behind."""
    probe = Probe(net, "vtep")
    host = probe.host
    homes = {}  # VNI: (interface, VLAN)
    commands = []
    for i in range(3):
        start = 10_000 * (i + 1)
        commands.append(f"link add shared{i} type vxlan external vnifilter dstport 4789 dev eno1")
        commands.append(
            f"vni add dev shared{i} vni {start + 1}-{start + SHARED_VNIS} vlan 1-{SHARED_VNIS} remote 10.0.0.9"
        )
        homes |= {start + vlan: (f"shared{i}", vlan) for vlan in range(1, SHARED_VNIS + 1)}
    for vni in range(1, LINKS + 1):
        commands.append(f"link add vx{vni} type vxlan id {vni} remote 10.0.0.9 dstport 4789 dev eno1")
        homes[vni] = (f"vx{vni}", None)
    assert len(homes) == 10_000
    batch(host, commands, 120)
    interfaces = sorted({interface for interface, _ in homes.values()})
    path = net.directory / "up"
    path.write_text("".join(f"link set {interface} up\n" for interface in interfaces))
    probe.ns.run(["ip", "-batch", path], timeout=120)
    shared = {interface: probe.port(probe.ns, interface) for interface in interfaces if interface.startswith("shared")}
    everywhere = Everywhere(net, probe.ns)

    def inside(vni, source, to, vlan):
        tag = Dot1Q(vlan=vlan, type=0x88B5) if vlan else b""
        return bytes(Ether(src=source, dst=to, type=0x8100 if vlan else 0x88B5) / tag / vni.to_bytes(4, "big"))

    outer = datagram(
        vxlan_header(0) + inside(0, STATION, LOCAL, None), source="10.0.0.9", to_mac=probe.mac, from_mac=WIRE_MAC, chksum=0
    )[:42]
    for part in in_parts(homes.items()):
        for vni, (interface, vlan) in part:
            everywhere.send(interface, inside(vni, LOCAL, STATION, vlan))
        frames, _ = probe.wire.receive(lambda frame: frame[36:38] == b"\x12\xb5", count=len(part))
        assert {vni_of(frame): inner_of(frame) for frame in frames} == {
            vni: inside(vni, LOCAL, STATION, None) for vni, _ in part
        }

        everywhere.drain()
        for vni, _ in part:
            probe.wire.send(outer + vxlan_header(vni) + inside(vni, STATION, LOCAL, None))
        for vni, (interface, vlan) in part:
            expected = inside(vni, STATION, LOCAL, vlan)
            if vlan:
                shared[interface].expect(lambda frame, expected=expected: frame == expected)
        alone = {(interface, inside(vni, STATION, LOCAL, None)) for vni, (interface, vlan) in part if not vlan}
        assert everywhere.receive(LOCAL, len(alone)) == alone

    assert entries_of(host) == len(homes) + LINKS, "a flood entry for each, and a station where links learn"
    host.stop()
    assert [line for line in probe.ns.out("ip -o link show").splitlines() if "vx" in line or "shared" in line] == []
    assert not host.socket.exists() and not list(net.directory.glob("*.state"))
    assert [line for line in host.log_lines() if "warn" in line or "error" in line] == []

