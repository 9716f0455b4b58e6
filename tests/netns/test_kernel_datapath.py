"""Links whose frames the kernel's driver moves, and vtepd programs it (`datapath kernel`)."""

import json
import signal
import subprocess

import pytest
import yaml

from evpn import EvpnLan
from flannel import DEVICE, FlannelNet
from mesh import FLOOD, GUEST_IP, GUEST_MAC, Guest, MeshNet
from namespaces import eventually
from pings import assert_no_loss, keep_pinging
from topologies import Pair, Probe

STATION = "02:00:00:00:01:01"


def details(namespace, name="vxlan0"):
    return json.loads(namespace.out(f"ip -d -j link show {name}"))[0]


def kind(namespace, name="vxlan0"):
    """Of the interface; empty while there is none."""
    shown = namespace.run(f"ip -d -j link show {name}", check=False)
    return json.loads(shown.stdout)[0]["linkinfo"]["info_kind"] if shown.returncode == 0 else ""


def entries_of_bridge(namespace, name="vxlan0"):
    """`bridge fdb` of the device and of its port."""
    return [line.strip() for line in namespace.out(f"bridge fdb show dev {name}").splitlines()]


@pytest.fixture
def pair(net):
    """a's link is the driver's, b's is vtepd's own."""
    return Pair(net, impl_a="driver").start()


# --- links


def test_a_ping_between_both_data_paths(pair):
    pair.add_links()
    assert (kind(pair.a.ns), kind(pair.b.ns)) == ("vxlan", "tun")
    mac = pair.b.ns.mac("vxlan0")
    eventually("what the driver has learned is shown",
               lambda: f"{mac} dst 10.0.0.2 self " in pair.a.fdb_lines())
    counters = json.loads(pair.a.vtep_run("-s -s -s -j link show vxlan0").stdout)[0]["vtep"]
    assert counters["encapsulated"]["frames"] > 0 and counters["decapsulated"]["frames"] > 0


def test_the_words_of_a_link_reach_the_driver(net):
    host = Probe(net, "driver").host
    host.link("add name vxlan0 type vxlan id 7 remote 10.0.0.2 local 10.0.0.1 dstport 4790 srcport 50000 60000 ttl 4 "
              "tos 0x10 df set ageing 60 nolearning proxy rsc l2miss l3miss maxaddr 1000 noudpcsum dev eno1")
    told = details(host.ns)["linkinfo"]["info_data"]
    expected = {"id": 7, "remote": "10.0.0.2", "local": "10.0.0.1", "link": "eno1", "port": 4790, "tos": "0x10",
                "ttl": 4, "df": "set", "ageing": 60, "limit": 1000, "learning": False, "proxy": True, "rsc": True,
                "l2miss": True, "l3miss": True, "udp_csum": False, "port_range": {"low": 50000, "high": 60000}}
    assert {key: told.get(key) for key in expected} == expected
    host.link("set vxlan0 type vxlan remote 10.0.0.3 ttl 5 ageing 70 learning")
    told = details(host.ns)["linkinfo"]["info_data"]
    assert (told["remote"], told["ttl"], told["ageing"], told["learning"]) == ("10.0.0.3", 5, 70, True)
    host.link("set vxlan0 up address 02:00:00:00:aa:01 mtu 1400")
    shown = details(host.ns)
    assert shown["address"] == "02:00:00:00:aa:01" and shown["mtu"] == 1400 and "UP" in shown["flags"]
    host.link("set vxlan0 down")
    host.link("set vxlan0 name blue")
    eventually("it has another name", lambda: "blue" in host.vtep_run("link show").stdout)
    host.link("del blue")
    assert kind(host.ns, "blue") == ""


@pytest.mark.parametrize("words, named", [
    ("id 7 vlan allow", "vlan"), ("id 7 mssclamp", "mssclamp"), ("id 7 mcsnoop", "mcsnoop"),
    ("id 7 limit broadcast 10", "limit"), ("id 7 moves none", "moves"), ("id 7 deny 10.0.0.0/8", "allow and deny"),
    ("id 7 local 10.0.0.1 local fd00::1", "a second local address"), ("external vnifilter", "vnifilter"),
])
def test_what_the_driver_does_not_have_is_named(net, words, named):
    host = Probe(net, "driver").host
    refused = host.link(f"add name vxlan0 type vxlan {words}", check=False)
    assert refused.returncode == 1
    assert f"the kernel's driver has no {named}: leave it out, or 'datapath kernel'" in refused.stderr
    assert host.vtep_run("link show").stdout == ""
    assert kind(host.ns) == ""


def test_other_refusals(net):
    host = Probe(net, "driver").host
    host.link("add name vxlan0 type vxlan id 7 dstport 4789")

    def refusal(command):
        done = host.vtep_run(command, check=False)
        assert done.returncode in (1, 2), done.stdout
        return done.stderr

    assert "Cannot change datapath" in refusal("link set vxlan0 type vxlan datapath user")
    assert "VNI" in refusal("link set vxlan0 type vxlan id 8")
    assert "'datapath both' makes no sense" in host.vtep_run(
        "link add name x type vxlan id 1 datapath both", check=False).stderr
    assert "already" in refusal("link add name vxlan0 type vxlan id 9 datapath kernel").lower()
    assert "exist" in refusal("link add name vxlan1 type vxlan id 7 dstport 4789 datapath kernel").lower()
    assert "has its data path in the kernel" in refusal("mdb add dev vxlan0 port vxlan0 grp 239.1.1.1 permanent dst 10.0.0.2")
    assert "there is no entry" in refusal(f"fdb del {STATION} dev vxlan0")


def test_who_deletes_the_device_deletes_the_link(net):
    host = Probe(net, "driver").host
    host.link("add name vxlan0 type vxlan id 7")
    host.ns.run("ip link del vxlan0")
    eventually("it is gone", lambda: host.vtep_run("link show").stdout == "")
    host.link("add name vxlan0 type vxlan id 7")


def test_monitor_tells_what_the_driver_learns(pair):
    pair.add_links()
    monitor = pair.net.process(pair.a.ns, [*pair.a.vtep, "monitor", "fdb"], stdout=subprocess.PIPE, text=True)
    pair.a.ns.run("sleep 0.5")
    pair.a.fdb(f"add {STATION} dst 10.0.0.2 dev vxlan0")
    pair.a.ns.run(f"bridge fdb del {STATION} dev vxlan0")
    lines = [monitor.stdout.readline(), monitor.stdout.readline()]
    monitor.send_signal(signal.SIGINT)
    assert lines == [f"{STATION} dev vxlan0 dst 10.0.0.2 self permanent\n",
                     f"Deleted {STATION} dev vxlan0 dst 10.0.0.2 self permanent\n"]


# --- from one daemon to the next


def test_frames_go_on_moving_while_no_daemon_is_there(pair):
    pair.add_links()
    pair.a.fdb(f"add {STATION} dst 10.0.0.2 dev vxlan0")
    ping = keep_pinging(pair.net, pair.a.ns, "192.168.5.2")
    pair.a.kill()
    pair.a.ns.run("sleep 0.5")
    pair.a.start()
    assert "vxlan0" in pair.a.vtep_run("link show").stdout
    assert f"{STATION} dst 10.0.0.2 self permanent" in pair.a.fdb_lines()
    assert_no_loss(ping)
    pair.a.stop()
    assert kind(pair.a.ns) == ""


def test_a_device_that_is_missing_is_made_anew_with_its_entries(pair):
    pair.add_links()
    pair.a.fdb(f"add {STATION} dst 10.0.0.2 dev vxlan0")
    pair.a.fdb("add 02:00:00:00:00:f1 dst 10.0.0.3 dev vxlan0")
    pair.a.fdb("flush dev vxlan0 dst 10.0.0.3")
    pair.a.kill()
    pair.a.ns.run("ip link del vxlan0")
    pair.a.start()
    assert f"{STATION} dst 10.0.0.2 self permanent" in pair.a.fdb_lines()
    assert "02:00:00:00:00:f1" not in "".join(pair.a.fdb_lines()), "what was flushed is not remembered"
    assert f"{FLOOD} dst 239.1.1.1 via eno1 self permanent" in pair.a.fdb_lines()


def test_the_configuration_file(net):
    probe = Probe(net, "driver")
    path = net.directory / "driver.yaml"
    link = {"name": "vxlan7", "id": 7, "dstport": 4789, "remote": "10.0.0.2", "datapath": "kernel", "up": True,
            "fdb": [{"mac": STATION, "dst": "10.0.0.3"}]}

    def apply(*links):
        path.write_text(yaml.safe_dump({"links": list(links)}))
        probe.host.process.send_signal(signal.SIGHUP)

    probe.host.stop()
    path.write_text(yaml.safe_dump({"links": [link]}))
    probe.host.start(config=path)
    assert kind(probe.ns, "vxlan7") == "vxlan"
    assert f"{STATION} dst 10.0.0.3 self permanent" in probe.host.fdb_lines("show dev vxlan7")
    apply({**link, "ttl": 9, "fdb": []})
    eventually("it is changed", lambda: details(probe.ns, "vxlan7")["linkinfo"]["info_data"]["ttl"] == 9)
    eventually("and its entry gone", lambda: STATION not in probe.ns.out("bridge fdb show dev vxlan7"))
    apply({**link, "datapath": "user"})
    eventually("vtepd moves its frames", lambda: kind(probe.ns, "vxlan7") == "tun")
    apply()
    eventually("it is gone", lambda: kind(probe.ns, "vxlan7") == "")


# --- control planes


@pytest.fixture
def mesh(net):
    """a and c leave the frames to the driver, b does not."""
    mesh = MeshNet(net, nodes=("a", "b", "c"), datapaths=("kernel", "user", "kernel"))
    mesh.everybody_knows_everybody()
    return mesh


def test_a_mesh_programs_the_driver(mesh):
    mesh.everybody_knows_stations()
    a, b, c = mesh.nodes
    for other in (b, c):
        lines = entries_of_bridge(a.ns)
        assert f"{other.mac} dst {other.address} self extern_learn" in lines
        assert f"{other.mac} extern_learn master br0" in lines
        assert f"{FLOOD} dst {other.address} self permanent" in lines
        assert f"{other.ip} lladdr {other.mac} extern_learn NOARP" in a.ns.out("ip neigh show dev br0")
    port = json.loads(a.ns.out("bridge -d -j link show dev vxlan0"))[0]
    assert port["learning"] is False and port["neigh_suppress"] is True
    shown = a.vtep_run("-d fdb show dev vxlan0").stdout
    assert f"{b.mac} dst {b.address} self extern_learn source mesh \n" in shown
    for node in mesh.nodes:
        for other in mesh.nodes:
            node.ping(other.ip)


def test_a_guest_moves_between_data_paths(mesh):
    guest = Guest(mesh)
    for node in mesh.nodes:
        node.ns.sysctl("net.ipv4.conf.br0.arp_accept", 1)  # who announces itself is a neighbour
    for home in (*mesh.nodes, mesh.nodes[0]):
        guest.move(home)
        for node in mesh.nodes:
            wanted = None if node is home else home.address
            eventually(f"{node.name} finds it behind {home.name}",
                       lambda node=node, wanted=wanted: node.entries().get(GUEST_MAC) == wanted)
            node.ping(GUEST_IP)


def test_drift_is_repaired(mesh):
    mesh.everybody_knows_stations()
    a, b, _ = mesh.nodes
    a.ns.run(f"bridge fdb del {b.mac} dev vxlan0 self")
    eventually("its entry is back", lambda: f"{b.mac} dst {b.address} self extern_learn" in entries_of_bridge(a.ns))
    a.ns.run(f"bridge fdb del {FLOOD} dst {b.address} dev vxlan0")
    eventually("its remote is back", lambda: f"{FLOOD} dst {b.address} self permanent" in entries_of_bridge(a.ns))
    a.ns.run(f"bridge fdb del {b.mac} dev vxlan0 master")
    eventually("the bridge's is back", lambda: f"{b.mac} extern_learn master br0" in entries_of_bridge(a.ns))
    a.ns.run("ip link set br0 down")
    a.ns.run("ip link set br0 up")
    eventually("neighbours are back", lambda: a.neighbours().get(b.ip) == b.mac)
    a.ns.run("ip link set vxlan0 nomaster")
    eventually("they are the device's", lambda: b.ip in a.ns.out("ip neigh show dev vxlan0"))
    assert b.ip not in a.ns.out("ip neigh show dev br0 nud noarp")
    a.ns.run("ip link set vxlan0 master br0")
    eventually("and the bridge's again", lambda: f"{b.mac} extern_learn master br0" in entries_of_bridge(a.ns)
               and a.neighbours().get(b.ip) == b.mac)
    a.ping(b.ip)


def test_who_goes_is_taken_out_of_the_driver(mesh):
    mesh.everybody_knows_stations()
    a, b, c = mesh.nodes
    b.stop()
    eventually("b is forgotten", lambda: b.address not in a.ns.out("bridge fdb show dev vxlan0")
               and b.mac not in a.ns.out("bridge fdb show dev vxlan0") and b.ip not in a.ns.out("ip neigh show dev br0"))
    a.ping(c.ip)


def test_a_daemon_that_dies_leaves_what_it_was_told(mesh):
    mesh.everybody_knows_stations()
    a, b, c = mesh.nodes
    a.kill()
    b.stop()  # which a's driver cannot hear of now
    a.ping(c.ip)
    assert f"{b.mac} dst {b.address} self extern_learn" in entries_of_bridge(a.ns)
    a.start()
    eventually("a knows c again", lambda: a.entries().get(c.mac) == c.address and a.knows(c))
    a.ping(c.ip)
    eventually("what nobody has said again goes", lambda: b.address not in a.ns.out("bridge fdb show dev vxlan0"),
               timeout=90)
    a.ping(c.ip)


def test_flannel_on_the_driver(net):
    flannel = FlannelNet(net, datapaths=("kernel", "user"))
    a, b = flannel.nodes
    subnets = [node.joined() for node in (a, b)]
    assert kind(a.ns, DEVICE) == "vxlan"
    eventually("a knows b", lambda: a.knows(subnets[1], b.address, b.ns.mac(DEVICE)))
    eventually("b knows a", lambda: b.knows(subnets[0], a.address, a.ns.mac(DEVICE)))
    a.ns.run(f"ping -q -c 2 -W 5 -I {a.container(subnets[0])} {b.container(subnets[1])}")
    assert f"{b.ns.mac(DEVICE)} dst {b.address} self extern_learn" in entries_of_bridge(a.ns, DEVICE)


def test_evpn_on_the_driver(net):
    lan = EvpnLan(net, datapaths=("kernel", "user"))
    for node, other in (lan.nodes, reversed(lan.nodes)):
        eventually(f"{node.name} knows {other.name}'s station", lambda node=node, other=other: node.knows(other.address)
                   and node.entries().get(other.mac) == other.address, timeout=60)
        node.ping(other.ip)
