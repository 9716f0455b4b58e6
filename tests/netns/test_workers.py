"""Several workers: they share the work and what they know, and the tunnel behaves as with one."""

import json

import pytest
from scapy.layers.inet import IP
from scapy.layers.l2 import Ether

from datagrams import Flow
from endpoints import BIN_DIR
from namespaces import eventually
from packets import LOCAL, Port, datagram, inner_of, is_vxlan, vxlan_header
from processes import thread_ticks
from stations import VNI, make_probe, station
from topologies import WIRE_MAC
from transfer import assert_no_checksum_errors, transfers, under_way

TWO = ("--workers", "2")


@pytest.fixture
def pair(pair_of):
    pair = pair_of(options=TWO)
    pair.add_links()
    return pair


def shares(host):
    spent = thread_ticks(host.process)
    return [spent["worker 0"], spent["worker 1"]]


@pytest.mark.parametrize("peer", ["vtep", "kernel"])
def test_many_flows_are_spread(pair_of, peer):
    """On both ways through the daemon: each worker does at least a tenth."""
    pair = pair_of("vtep", peer, options=TWO)
    pair.add_links()
    for ways in ((pair.ways()[0],), (pair.ways()[1],)):
        before = shares(pair.a)
        transfers(*((*way, 30, port) for way in ways for port in range(9000, 9032)))
        spent = [now - then for now, then in zip(shares(pair.a), before)]
        assert min(spent) >= sum(spent) / 10, f"{ways[0][2]}: {spent}"
    assert_no_checksum_errors(pair)


def test_every_flow_keeps_its_order(pair):
    there, _ = pair.ways()
    flows = [Flow(*there, port) for port in range(10_000, 10_016)]
    for burst in range(50):
        for number in range(10):
            for flow in flows:
                flow.send(100 + (burst + number) % 3)
        for flow in flows:
            flow.check()
    for flow in flows:
        flow.close()


def test_a_flood_to_the_group_is_received_once(pair):
    """Of many flows, so that each worker would have its turn."""
    there, here = Port(pair.a.ns, "vxlan0"), Port(pair.b.ns, "vxlan0")
    mac = pair.a.ns.mac("vxlan0")
    frames = [
        bytes(Ether(src=mac, dst="ff:ff:ff:ff:ff:ff", type=0x88B5) / number.to_bytes(4, "big")) for number in range(200)
    ]
    try:
        for _ in range(2):  # a late copy of the first round would be seen in the second
            there.send(*frames)
            found, _ = here.receive(lambda frame: frame[12:14] == b"\x88\xb5", count=len(frames))
            assert sorted(found) == frames
        pair.ping()
        assert [frame for frame in here.drain() if frame[12:14] == b"\x88\xb5"] == []
        assert there.drain() == [] or all(frame[12:14] != b"\x88\xb5" for frame in there.drain()), "no echo"
    finally:
        there.close()
        here.close()


@pytest.fixture
def probe(net):
    return make_probe(net, "vtep", options=TWO)


def test_what_one_worker_learns_the_other_knows(probe):
    """Stations are heard on source ports that lead to either worker, and sent to by flows that lead to either."""
    before = probe.host.drops()
    for number in range(64):
        remote = f"10.0.0.{2 + number % 6}"
        inner = bytes(Ether(src=station(number), dst=LOCAL, type=0x88B5) / number.to_bytes(4, "big"))
        probe.wire.send(
            datagram(
                vxlan_header(VNI) + inner, source=remote, to_mac=probe.mac, from_mac=WIRE_MAC, sport=50_000 + number
            )
        )
        probe.vxlan0.expect(lambda frame, inner=inner: frame == inner)
        answer = bytes(Ether(src=LOCAL, dst=station(number), type=0x88B5) / number.to_bytes(4, "big"))
        probe.vxlan0.send(answer)
        sent = probe.wire.expect(lambda frame, answer=answer: is_vxlan(frame) and inner_of(frame) == answer)
        assert Ether(sent)[IP].dst == remote
    assert probe.host.drops() == before


def test_links_come_and_go_under_traffic(pair):
    with under_way(*pair.ways()):
        for number in range(8):
            pair.a.link(f"add name other{number % 3} type vxlan id {7000 + number} remote 10.0.0.2 dstport 4789")
            pair.a.link(f"add name elsewhere type vxlan id 1 remote 10.0.0.2 dstport {5000 + number}")
            pair.a.ns.run("ip link set elsewhere name renamed")
            pair.a.link("del renamed") if number % 2 else pair.a.link("show")
            eventually("it is gone or renamed", lambda: not pair.a.ns.interface("elsewhere"))
            if not number % 2:
                eventually("its new name is known", lambda: pair.a.link("del renamed", check=False).returncode == 0)
            pair.a.link(f"del other{number % 3}")
        data_flows(pair.a)
    assert pair.a.link("show").stdout.count("vxlan") >= 1
    assert_no_checksum_errors(pair)


def test_the_interface_is_renamed_under_traffic(pair):
    with under_way(*pair.ways()):
        for name, new in (("vxlan0", "overlay"), ("overlay", "vxlan0")) * 20:
            pair.b.ns.run(f"ip link set {name} name {new}")
        data_flows(pair.b)
    eventually("the name is known", lambda: "vxlan0" in pair.b.link("show").stdout)
    pair.ping()


def test_the_interface_moves_under_traffic(pair):
    tenant = pair.net.namespace("tenant")
    flood = pair.net.process(pair.a.ns, "ping -q -f -w 60 192.168.5.2", stdout=-3)
    for here, there in ((pair.b.ns, tenant), (tenant, pair.b.ns)) * 3:
        here.run(f"ip link set vxlan0 netns {there.name}")
        there.run("ip addr replace 192.168.5.2/24 dev vxlan0")
        there.run("ip link set vxlan0 up")
        pair.a.ns.run("ping -q -c 1 -w 10 192.168.5.2")
    assert flood.poll() is None


def test_a_killed_daemon_goes_on_where_it_was(pair):
    """Twice under a transfer in both directions, once at each end."""
    with under_way(*pair.ways()):
        for end in (pair.a, pair.b):
            data_flows(end)
            end.kill()
            end.start()
    assert_no_checksum_errors(pair)


def data_flows(end):
    before = received(end)
    eventually("data flows", lambda: received(end) > before + 10_000_000, timeout=30)


def received(end):
    return int(end.ns.out("cat /sys/class/net/vxlan0/statistics/rx_bytes"))


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_tap_of_one_queue(pair_of, workers):
    """As `ip tuntap` makes it: one worker reads, all of them write."""
    pair = pair_of(options=("--workers", workers))
    pair.add_links()
    mac = pair.a.ns.mac("vxlan0")
    pair.a.ns.run("ip link del vxlan0")
    eventually("it is missed", lambda: "vxlan0" in pair.a.log())
    pair.a.ns.run("ip tuntap add dev vxlan0 mode tap vnet_hdr")
    pair.a.ns.run(f"ip link set vxlan0 address {mac}")
    pair.a.ns.run("ip addr add 192.168.5.1/24 dev vxlan0")
    pair.a.ns.run("ip link set vxlan0 up")
    eventually("it is taken", lambda: pair.a.ns.run("ping -q -c 1 -W 1 192.168.5.2", check=False).returncode == 0)
    transfers(*((*way, 50, port) for port, way in enumerate(pair.ways() * 4, 9000)))
    assert_no_checksum_errors(pair)


def test_their_number_is_shown(probe_of):
    probe = probe_of("vtep", options=("--workers", "3", "--spin", "off"))
    (shown,) = json.loads(probe.host.vtep_run("-j daemon show").stdout)
    assert (shown["workers"], shown["spin"]) == (3, 0)
    assert "workers 3 spin off" in probe.host.vtep_run("daemon show").stdout
    assert {"worker 0", "worker 1", "worker 2"} <= set(thread_ticks(probe.host.process))


def test_the_file_says_how_many(probe_of):
    """What the command line says goes first."""
    probe = probe_of("vtep", options=())
    path = probe.net.directory / "vtepd.yaml"
    path.write_text("workers: 2\nspin: 120\n")
    probe.host.stop()
    probe.host.start(config=path)
    assert "workers 2 spin 120us" in probe.host.vtep_run("daemon show").stdout
    probe.host.stop()
    probe.host.give(("--workers", "1"))
    probe.host.start()
    assert "workers 1 spin 120us" in probe.host.vtep_run("daemon show").stdout


@pytest.mark.parametrize(
    "option, value",
    [("workers", value) for value in ("0", "33", "-1", "many", "")]
    + [("spin", value) for value in ("x", "-1", "10001", "5us", "")],
)
def test_senseless_numbers_are_refused(net, option, value):
    namespace = net.namespace("alone")
    done = namespace.run([BIN_DIR / "vtepd", "--socket", net.directory / "sock", f"--{option}", value], check=False)
    assert done.returncode == 1 and f"--{option}" in done.stderr and "auto" in done.stderr
    path = net.directory / "vtepd.yaml"
    path.write_text(f'links: []\n{option}: "{value}"\n')
    done = namespace.run([BIN_DIR / "vtepd", "--check-config", "--config", path], check=False)
    assert done.returncode in (1, 2) and f"{path}:2" in done.stderr and option in done.stderr, done.stderr
