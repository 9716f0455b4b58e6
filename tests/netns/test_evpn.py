"""EVPN through GoBGP: vtep and vtep, and vtep with FRR and the kernel's driver on the other side."""

import json
import re
import signal
import subprocess

import pytest

from evpn import VNI, EvpnLan
from namespaces import eventually


def stations_are_known(lan):
    for node in lan.nodes:
        for other in [*lan.nodes, *lan.frr]:
            if other is not node:
                eventually(f"{node.name} knows {other.name}'s station",
                           lambda node=node, other=other: node.knows(other.address)
                           and node.entries().get(other.mac) == other.address, timeout=60)


@pytest.fixture
def lan(net):
    lan = EvpnLan(net)
    stations_are_known(lan)
    return lan


@pytest.fixture
def with_frr(net):
    lan = EvpnLan(net, nodes=("a",), frr=("f",))
    stations_are_known(lan)
    return lan


def test_two_vteps(lan):
    a, b = lan.nodes
    eventually("addresses, too", lambda: a.neighbours().get(b.ip) == b.mac and b.neighbours().get(a.ip) == a.mac)
    a.ping(b.ip)
    source = a.source()
    assert source["connected"] and source["refused"] == 0
    assert "AS 65000, router id 10.84.0.1, neighbours 1 of 1" in source["state"]
    assert f"{b.mac} dst {b.address} self extern_learn source evpn \n" in a.vtep_run("-d fdb show dev vxlan0").stdout


def test_with_frr(with_frr):
    (a,), (f,) = with_frr.nodes, with_frr.frr
    eventually("FRR knows a's station", lambda: f.entries().get(a.mac) == a.address, timeout=30)
    a.ping(f.ip)
    f.ns.run(f"ping -q -c 1 -W 5 {a.ip}")
    routes = json.loads(f.vtysh("show bgp l2vpn evpn route json").stdout)
    assert f"{a.address}:1" in routes or any(key.startswith(f"{a.address}:") for key in routes)


def test_a_station_moves_to_frr_and_back(with_frr):
    (a,), (f,) = with_frr.nodes, with_frr.frr
    guest = with_frr.net.namespace("guest")
    for name, end in (("a", a), ("f", f)):
        with_frr.net.cable(guest, f"to-{name}", end.ns, "guest")
        guest.run(f"ip link set to-{name} down address 02:00:00:00:0e:01")
        end.ns.run("ip link set guest master br0")
    where = None
    for name, end, other in (("a", a, f), ("f", f, a), ("a", a, f)):
        if where:
            guest.run(f"ip addr flush dev {where}")
            guest.run(f"ip link set {where} down")
        where = f"to-{name}"
        guest.run(f"ip addr add 192.168.5.100/24 dev {where}")
        guest.run(f"ip link set {where} up")
        eventually("its port forwards", lambda end=end: "state forwarding" in end.ns.out("bridge link show dev guest"))
        guest.run("ping -q -c 2 -i 0.2 -W 2 " + end.ip)
        eventually(f"the other one finds it behind {name}",
                   lambda other=other, end=end: other.entries().get("02:00:00:00:0e:01") == end.address, timeout=30)
        other.ns.run("ping -q -c 1 -W 5 192.168.5.100")


def test_a_speaker_that_dies_loses_nothing(lan):
    a, b = lan.nodes
    flood = lan.net.process(a.ns, f"ping -q -i 0.01 -w 100 {b.ip}", stdout=subprocess.PIPE, text=True)
    (gobgpd,) = a.ns.out(f"ps --ppid {a.process.pid} -o pid=").split()
    a.ns.run(f"kill -9 {gobgpd}")
    eventually("a has noticed", lambda: not a.source()["connected"])
    assert a.entries().get(b.mac) == b.address
    eventually("a is connected again", lambda: a.source()["connected"], timeout=30)
    eventually("with its neighbour", lambda: "neighbours 1 of 1" in a.source()["state"], timeout=60)
    assert a.entries().get(b.mac) == b.address
    flood.send_signal(signal.SIGINT)
    sent, received = map(int, re.search(r"(\d+) packets transmitted, (\d+) received", flood.communicate()[0]).groups())
    assert sent > 10 and sent - received <= 1


def test_who_stops_withdraws(lan):
    a, b = lan.nodes
    b.stop()
    eventually("a has forgotten b", lambda: not a.entries(), timeout=30)


def test_nobody_listens(net):
    lan = EvpnLan(net, nodes=("a",))
    a = lan.nodes[0]
    eventually("it waits for nobody", lambda: a.source()["connected"])
    assert "neighbours 0 of 0" in a.source()["state"] and VNI == 6000
