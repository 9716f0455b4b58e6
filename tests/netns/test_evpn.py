"""EVPN through GoBGP: vtep and vtep, and vtep with FRR and the kernel's driver on the other side."""

import json

import pytest

from evpn import VNI, EvpnLan, eui64
from namespaces import eventually
from pings import assert_no_loss, keep_pinging


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
    flood = keep_pinging(lan.net, a.ns, b.ip)
    (gobgpd,) = a.ns.out(f"ps --ppid {a.process.pid} -o pid=").split()
    a.ns.run(f"kill -9 {gobgpd}")
    eventually("a has noticed", lambda: not a.source()["connected"])
    assert a.entries().get(b.mac) == b.address
    eventually("a is connected again", lambda: a.source()["connected"], timeout=30)
    eventually("with its neighbour", lambda: "neighbours 1 of 1" in a.source()["state"], timeout=60)
    assert a.entries().get(b.mac) == b.address
    assert_no_loss(flood)


@pytest.mark.parametrize("datapath", ["user", "kernel"])
def test_prefixes_are_routed(net, datapath):
    """Routes of type 5 with a router's MAC address (RFC 9136, interface-less)."""
    a, b = EvpnLan(net, datapaths=[datapath] * 2).nodes
    for node in (a, b):
        node.route_prefixes(datapath)
    for node, other in ((a, b), (b, a)):
        link_local = eui64(other.ns.mac("vxlan9"))
        eventually("the other's prefix is routed",
                   lambda: node.routes() == [f"{other.prefix} via {other.address} dev vxlan9 onlink"], timeout=60)
        eventually("of both families",
                   lambda: node.routes("-6") == [f"{other.prefix6} via {link_local} dev vxlan9 metric 1024 onlink pref medium"])
        assert node.routers() == {address: other.ns.mac("vxlan9") for address in (other.address, link_local)}
    a.ns.run(f"ping -q -c 2 -W 5 -I {a.inner} {b.inner}")
    a.ns.run(f"ping -q -c 2 -W 5 -I {a.inner6} {b.inner6}")


def test_routes_are_repaired_and_removed(lan):
    a, b = lan.nodes
    for node in (a, b):
        node.route_prefixes()
    eventually("a routes to b", lambda: len(a.routes()) == 1, timeout=60)
    a.ns.run("ip neigh add 10.99.0.1 lladdr 02:00:00:00:99:01 dev vxlan9 nud permanent")
    a.ns.run("ip route add 10.99.0.0/24 dev vxlan9")
    a.ns.run(f"ip route del {b.prefix}")
    eventually("it is routed again", lambda: len(a.routes()) == 1)
    a.ns.run(f"ip neigh del {b.address} dev vxlan9")
    eventually("its router is known again", lambda: b.address in a.routers())
    a.link("set vxlan9 type vxlan accept fd20::/16")
    eventually("it is not accepted any more", lambda: a.routes() == [])
    assert f"{b.prefix} in VNI 9000" in [refusal["name"] for refusal in a.source()["refusals"]]
    a.link("set vxlan9 type vxlan accept 10.20.0.0/16")
    eventually("it is accepted again", lambda: len(a.routes()) == 1)
    b.link("set vxlan9 type vxlan announce none")
    eventually("it is not announced any more", lambda: a.routes() == [] and a.routers() == {})
    left = a.ns.out("ip neigh show dev vxlan9 nud permanent") + a.ns.out("ip route show dev vxlan9")
    assert "10.99.0.1 " in left and "10.99.0.0/24" in left, "what somebody has set stays"


def test_a_route_is_not_taken_from_its_owner(lan):
    """Nobody can draw this host's packets to itself that the link does not accept, or that are somebody's here."""
    a, b = lan.nodes
    a.ns.run("ip route add 10.20.2.0/24 via 10.84.0.254 dev eno1")
    b.route_prefixes()
    b.link("set vxlan9 type vxlan announce 10.20.2.0/24 announce 0.0.0.0/0 announce 10.84.0.0/16")
    a.route_prefixes()
    eventually("both are refused", lambda: {refusal["name"] for refusal in a.source().get("refusals", [])} ==
               {"0.0.0.0/0 in VNI 9000", "10.84.0.0/16 in VNI 9000"}, timeout=60)
    assert a.routes() == []
    assert a.ns.out("ip route show 10.20.2.0/24").split()[:3] == ["10.20.2.0/24", "via", "10.84.0.254"]


def test_routes_outlive_the_daemon(net):
    a, b = EvpnLan(net, datapaths=["kernel"] * 2).nodes
    for node in (a, b):
        node.route_prefixes("kernel")
    eventually("a routes to b", lambda: len(a.routes()) == 1, timeout=60)
    ping = keep_pinging(net, a.ns, f"-I {a.inner} {b.inner}")
    a.kill()
    a.start(config=a.path)
    eventually("it is connected again", lambda: "neighbours 1 of 1" in a.source()["state"], timeout=60)
    assert_no_loss(ping)
    b.stop()
    eventually("who stops withdraws", lambda: a.routes() == [], timeout=60)


def test_prefixes_with_frr(with_frr):
    (a,), (f,) = with_frr.nodes, with_frr.frr
    a.route_prefixes()
    f.route_prefix()
    eventually("FRR's is routed", lambda: a.routes() == [f"{f.inner} via {f.address} dev vxlan9 onlink"], timeout=60)
    eventually("FRR routes ours", lambda: a.prefix in f.ns.out("ip route show proto bgp"), timeout=60)
    a.ns.run(f"ping -q -c 2 -W 5 -I {a.inner} {f.inner}")
    f.ns.run(f"ping -q -c 2 -W 5 -I {f.inner} {a.inner}")


@pytest.mark.parametrize("words, why", [
    ("control mesh announce 10.0.0.0/8", "announce and accept need 'control evpn'"),
    ("control evpn accept 10.0.0.0/33", "'accept 10.0.0.0/33' makes no sense: a prefix is expected"),
])
def test_senseless_prefixes_are_refused(lan, words, why):
    a = lan.nodes[0]
    refused = a.link(f"add name v type vxlan id 7 local {a.address} {words}", check=False)
    assert refused.returncode != 0 and why in refused.stderr


def test_with_a_gobgpd_that_is_not_ours(lan):
    """It was there before, and stays; when it ends, what is known stays, and what it forgot is told again."""
    a, b = lan.nodes
    a.stop()
    eventually("b has heard it", lambda: not b.knows(a.address), timeout=60)
    gobgpd = a.start_gobgpd()
    a.configure({"gobgpd": "127.0.0.1:50051"})
    a.start(config=a.path)
    a.add_vxlan0()
    a.ns.run("ip link set vxlan0 master br0 up")
    eventually("a knows b", lambda: a.knows(b.address) and b.knows(a.address), timeout=60)
    a.ping(b.ip)
    stations_are_known(lan)
    gobgpd.kill()
    gobgpd.wait()
    eventually("a has noticed", lambda: not a.source()["connected"])
    assert a.entries().get(b.mac) == b.address
    gobgpd = a.start_gobgpd()
    eventually("a is connected again", lambda: "neighbours 1 of 1" in a.source()["state"], timeout=60)
    stations_are_known(lan)
    a.stop()
    eventually("who stops withdraws", lambda: not b.knows(a.address), timeout=60)
    assert gobgpd.poll() is None, "it is not ours to end"


def test_who_stops_withdraws(lan):
    a, b = lan.nodes
    b.stop()
    eventually("a has forgotten b", lambda: not a.entries(), timeout=30)


def test_nobody_listens(net):
    lan = EvpnLan(net, nodes=("a",))
    a = lan.nodes[0]
    eventually("it waits for nobody", lambda: a.source()["connected"])
    assert "neighbours 0 of 0" in a.source()["state"] and VNI == 6000
