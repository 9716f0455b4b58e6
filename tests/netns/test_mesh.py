"""The mesh on a real etcd: VTEPs know who takes part, which stations there are, and never flood to find one."""

import json
import re
import signal

import pytest

from mesh import FLOOD, GUEST_IP, GUEST_MAC, PREFIX, VNI, Guest, MeshNet
from namespaces import eventually
from pings import assert_no_loss, keep_pinging

OTHER_MAC = "02:00:00:00:0f:01"


def key(rest):
    return f"{PREFIX}/vnis/{VNI}/{rest}"


OTHER = "10.84.0.77"


def write_other(mesh, mac=OTHER_MAC, **said):
    """What a node that is not there says of itself and a station."""
    mesh.etcd.put(key("nodes/other"), {"vteps": [OTHER]})
    mesh.etcd.put(key(f"macs/{mac}/other"), said)


@pytest.fixture
def mesh(net):
    mesh = MeshNet(net)
    mesh.everybody_knows_everybody()
    return mesh


@pytest.fixture
def three(net):
    mesh = MeshNet(net, nodes=("a", "b", "c"))
    mesh.everybody_knows_everybody()
    return mesh


def test_who_is_known_is_found_without_a_flood(three):
    three.everybody_knows_stations()
    a = three.nodes[0]
    before = [node.counters() for node in three.nodes]
    for other in three.nodes[1:]:
        a.ns.run(["ip", "neigh", "flush", "dev", "br0"])
        a.ping(other.ip)
    after = [node.counters() for node in three.nodes]
    assert [now["flooded"] - then["flooded"] for now, then in zip(after, before)] == [0, 0, 0]
    assert after[0]["suppressed"] >= before[0]["suppressed"] + 2


def test_what_stands_in_etcd(mesh):
    mesh.everybody_knows_stations()
    a, b = mesh.nodes
    own = [a.ns.mac("vxlan0"), a.mac]
    expected = {"nodes/a": {"vteps": [a.address]}, f"vnis/{VNI}/nodes/a": {"vteps": [a.address]}}
    expected |= {f"vnis/{VNI}/macs/{mac}/a": {} for mac in own}
    expected[f"vnis/{VNI}/macs/{a.mac}/a"] = {"ips": [a.ip]}
    found = {name: json.loads(mesh.etcd.get(f"{PREFIX}/{name}")) for name in mesh.keys() if name.endswith("/a")}
    assert found == expected
    leases = {json.loads(mesh.etcd.ctl("get -w json", f"{PREFIX}/{name}").stdout)["kvs"][0]["lease"]
              for name in mesh.keys() if name.endswith("/a")}
    assert len(leases) == 1
    ttl = mesh.etcd.ctl("lease timetolive", f"{leases.pop():x}").stdout
    assert re.search(r"granted with TTL\(30s\)", ttl)


def test_how_it_is_shown(mesh):
    mesh.everybody_knows_stations()
    a, b = mesh.nodes
    assert f"{b.mac} dst {b.address} self extern_learn \n" in a.fdb("show dev vxlan0").stdout
    shown = a.vtep_run("-d fdb show dev vxlan0").stdout
    assert f"{b.mac} dst {b.address} self extern_learn source mesh \n" in shown
    assert f"{FLOOD} dst {b.address} self extern_learn source mesh permanent\n" in shown
    source = a.source()
    assert source["connected"] and source["refused"] == 0 and source["state"] == "node a, VNIs 1, other members 1"
    assert a.vtep_run("source").stdout.startswith("mesh: connected for 00:0")
    link = a.vtep_run("-d link show vxlan0").stdout
    assert " control mesh " in link and " nolearning " in link and " proxy " in link
    assert json.loads(a.vtep_run("-d -j link show vxlan0").stdout)[0]["linkinfo"]["info_data"]["control"] == ["mesh"]
    assert f"{b.ip} lladdr {b.mac} extern_learn REACHABLE" in a.vtep_run("neigh show dev vxlan0").stdout


def test_a_guest_moves_and_comes_back(three):
    a, b, c = three.nodes
    guest = Guest(three)
    for home in (a, b, c, a):
        guest.move(home)
        for node in three.nodes:
            wanted = None if node is home else home.address
            eventually(f"{node.name} finds it behind {home.name}",
                       lambda node=node, wanted=wanted: node.entries().get(GUEST_MAC) == wanted)
            node.ping(GUEST_IP)
    (said,) = [json.loads(three.etcd.get(f"{PREFIX}/{name}")) for name in three.keys() if GUEST_MAC in name]
    assert said == {"ips": [GUEST_IP], "sequence": 3}


def test_a_host_that_dies_is_forgotten(net):
    mesh = MeshNet(net, ttl=5)
    mesh.everybody_knows_stations()
    a, b = mesh.nodes
    b.kill()
    eventually("its facts have gone with its lease", lambda: not a.entries(), timeout=30)
    assert not [name for name in mesh.keys() if name.endswith("/b")]
    b.start()
    mesh.everybody_knows_everybody()
    b.ping(a.ip)  # it speaks again
    mesh.everybody_knows_stations()
    a.ping(b.ip)


def test_a_host_that_is_stopped_says_goodbye(mesh):
    mesh.everybody_knows_stations()
    a, b = mesh.nodes
    b.stop()
    assert not [name for name in mesh.keys() if name.endswith("/b")]
    eventually("a has forgotten it", lambda: not a.entries())


def test_a_restart_is_not_noticed(mesh):
    mesh.everybody_knows_stations()
    a, b = mesh.nodes
    b.vtep_run("daemon restart")
    b.wait_ready()
    eventually("b knows a again", lambda: b.knows(a))
    assert b.address in a.floods_to() and a.entries().get(b.mac) == b.address
    b.ping(a.ip)


def test_while_etcd_is_away_nothing_is_lost(mesh):
    """And what happened meanwhile is made up for."""
    mesh.everybody_knows_stations()
    a, b = mesh.nodes
    flood = keep_pinging(mesh.net, a.ns, b.ip)
    mesh.etcd.stop()
    eventually("a has noticed", lambda: not a.source()["connected"])
    known = a.entries()
    assert known[b.mac] == b.address
    a.ns.run(["ip", "neigh", "flush", "dev", "br0"])
    a.ping(b.ip, count=20)
    mesh.etcd.start()
    eventually("a is connected again", lambda: a.source()["connected"] and b.source()["connected"])
    assert a.entries() == known
    write_other(mesh)
    eventually("changes arrive again", lambda: a.entries().get(OTHER_MAC) == OTHER)
    assert_no_loss(flood)


def test_members_of_etcd_are_killed(net):
    """Of three: without one nothing is missed, without two forwarding goes on, and with all of them what was missed is
    made up for."""
    mesh = MeshNet(net, cluster=True)
    mesh.everybody_knows_stations()
    a, b = mesh.nodes
    first, second, third = mesh.cluster.members
    flood = keep_pinging(mesh.net, a.ns, b.ip)
    third.kill()
    eventually("the others have a leader", mesh.etcd.is_healthy, timeout=60)
    write_other(mesh)
    eventually("two suffice", lambda: a.entries().get(OTHER_MAC) == OTHER, timeout=30)
    second.kill()
    eventually("a and b have noticed", lambda: not a.source()["connected"] and not b.source()["connected"], timeout=60)
    assert a.entries()[OTHER_MAC] == OTHER and a.entries()[b.mac] == b.address
    a.ns.run(["ip", "neigh", "flush", "dev", "br0"])
    a.ping(b.ip, count=20)
    mesh.cluster.launch(second, third)
    write_other(mesh, "02:00:00:00:0f:02")
    eventually("changes arrive again", lambda: a.entries().get("02:00:00:00:0f:02") == OTHER, timeout=30)
    assert a.entries()[b.mac] == b.address
    assert_no_loss(flood)


def test_a_compacted_history_is_listed_anew(mesh):
    mesh.everybody_knows_stations()
    a, b = mesh.nodes
    a.process.send_signal(signal.SIGSTOP)  # it misses what happens
    mesh.etcd.stop()
    mesh.etcd.start()
    for number in range(10):
        write_other(mesh, sequence=number)
    mesh.etcd.ctl(f"compact {mesh.etcd.revision()}")
    a.process.send_signal(signal.SIGCONT)
    eventually("it knows nevertheless", lambda: a.entries().get(OTHER_MAC) == OTHER)


def test_nonsense_is_refused_by_name(mesh):
    mesh.everybody_knows_stations()
    a, b = mesh.nodes
    before = a.entries()
    bad = {
        f"macs/{OTHER_MAC}/b": ("nonsense", "not JSON"),
        "macs/ff:ff:ff:ff:ff:ff/x": ("{}", "no address of a station"),
        "macs/02:00:00:00:00:0A/x": ("{}", "is written 02:00:00:00:00:0a"),
        f"macs/{OTHER_MAC}/x y": ("{}", "no name of a node"),
        f"macs/{OTHER_MAC}/y": ('{"sequence":-1}', "sequence is no number"),
        "nodes/x": ('{"vteps":["239.1.1.1"]}', "no address of a host"),
        "nodes/y": (f'{{"vteps":["{a.address}"]}}', "this node's address"),
        "something/else": ("{}", "neither a node nor a station"),
    }
    with b.paused():  # it would mend what stands under its name
        for rest, (value, _) in bad.items():
            mesh.etcd.put(key(rest), value)
        eventually("all are refused", lambda: len(a.source()["refusals"]) == len(bad))
        refusals = {entry["name"]: entry["reason"] for entry in a.source()["refusals"]}
    for rest, (_, reason) in bad.items():
        assert reason in refusals.get(f"vni {VNI} {rest}", ""), f"{rest}: {refusals}"
    assert a.entries() == before
    for rest in bad:
        mesh.etcd.delete(key(rest))
    eventually("and nothing is left of it", lambda: not a.source().get("refusals"))


def test_what_somebody_else_removes_is_written_again(mesh):
    """A controller that withdraws everything at once."""
    mesh.everybody_knows_stations()
    a, b = mesh.nodes
    before = mesh.keys()
    flood = keep_pinging(mesh.net, a.ns, b.ip)
    mesh.etcd.ctl("del --prefix", f"{PREFIX}/vnis/")
    eventually("everything stands there again", lambda: mesh.keys() == before)
    mesh.everybody_knows_stations()
    assert_no_loss(flood)


def test_two_hosts_with_one_name(mesh):
    a, b = mesh.nodes
    b.configure(node="a")
    b.process.send_signal(signal.SIGHUP)
    eventually("it says so", lambda: "the name a is another node's" in b.source().get("last_error", ""))
    assert json.loads(mesh.etcd.get(f"{PREFIX}/nodes/a")) == {"vteps": [a.address]}
    b.configure()
    b.process.send_signal(signal.SIGHUP)
    mesh.everybody_knows_everybody()


def test_a_controller_writes_for_the_kernels_driver(mesh):
    """k is a kernel device; somebody else tells the mesh of it."""
    a = mesh.nodes[0]
    mesh.everybody_knows_stations()
    k = mesh.net.namespace("k")
    mesh.plug(k, 3)
    k.run(f"ip link add vxlan0 type vxlan id {VNI} local 10.84.0.3 dev eno1 dstport 4789 nolearning")
    k.run("ip addr add 192.168.5.3/24 dev vxlan0")
    k.run("ip link set vxlan0 up")
    k.run(f"bridge fdb append {FLOOD} dev vxlan0 dst {a.address}")
    k.run(f"bridge fdb append {a.mac} dev vxlan0 dst {a.address}")
    mesh.etcd.put(key("nodes/k"), {"vteps": ["10.84.0.3"]})
    mesh.etcd.put(key(f"macs/{k.mac('vxlan0')}/k"), {"ips": ["192.168.5.3"]})
    eventually("a knows it", lambda: a.neighbours().get("192.168.5.3") == k.mac("vxlan0"))
    a.ping("192.168.5.3")
    k.run("ping -q -c 1 -W 5 192.168.5.1")


def test_a_persons_entries_count_more(mesh):
    mesh.everybody_knows_stations()
    a, b = mesh.nodes
    a.fdb(f"replace {OTHER_MAC} dev vxlan0 dst 10.84.0.78 static")
    write_other(mesh)
    write_other(mesh, "02:00:00:00:0f:02")
    eventually("the other one is there", lambda: a.entries().get("02:00:00:00:0f:02") == OTHER)
    assert f"{OTHER_MAC} dst 10.84.0.78 self static" in a.fdb("show dev vxlan0").stdout
    a.fdb(f"del {OTHER_MAC} dev vxlan0")
    eventually("now the mesh's counts", lambda: a.entries().get(OTHER_MAC) == OTHER)
    a.fdb(f"del {OTHER_MAC} dev vxlan0")
    eventually("and is mended", lambda: a.entries().get(OTHER_MAC) == OTHER)
    a.fdb(f"del {FLOOD} dev vxlan0 dst {b.address}")
    eventually("so is the flood list", lambda: a.knows(b))
    a.ping(b.ip)


def test_only_members_may_send(mesh):
    """A stranger's frames are dropped by name."""
    mesh.everybody_knows_stations()
    a = mesh.nodes[0]
    stranger = mesh.net.namespace("stranger")
    mesh.plug(stranger, 9)
    stranger.run(f"ip link add vxlan0 type vxlan id {VNI} remote {a.address} dev eno1 dstport 4789")
    stranger.run("ip addr add 192.168.5.9/24 dev vxlan0")
    stranger.run("ip link set vxlan0 up")
    stranger.run("ping -q -c 2 -i 0.1 -W 1 192.168.5.1", check=False)
    assert a.drops().get("unknown_vtep", 0) > 0


def test_links_come_and_go(mesh):
    mesh.everybody_knows_stations()
    a, b = mesh.nodes
    b.link("set dev vxlan0 type vxlan control none")
    eventually("b takes no part", lambda: not a.entries() and not b.entries())
    b.link("set dev vxlan0 type vxlan control mesh")
    mesh.everybody_knows_everybody()
    b.ping(a.ip)  # it speaks again
    mesh.everybody_knows_stations()
    a.link("add name vxlan1 type vxlan id 7 local 10.84.0.1 dstport 4789 control mesh")
    b.link("add name vxlan1 type vxlan id 7 local 10.84.0.2 dstport 4789 control mesh")
    eventually("VNI 7, too", lambda: a.source()["state"] == "node a, VNIs 2, other members 2")
    b.link("del vxlan1")
    eventually("and no more", lambda: a.source()["state"] == "node a, VNIs 2, other members 1")


def test_without_a_mesh_again(mesh):
    """`mesh:` leaves the file: nothing of it stays, and others hear of it."""
    mesh.everybody_knows_stations()
    a, b = mesh.nodes
    b.path.write_text("links: []\n")
    b.process.send_signal(signal.SIGHUP)
    eventually("its own tables", lambda: not b.entries())
    eventually("and a's", lambda: not a.entries())
    assert b.vtep_run("source show mesh", check=False).returncode == 2
    b.configure()
    b.process.send_signal(signal.SIGHUP)
    mesh.everybody_knows_everybody()


@pytest.mark.parametrize("options", ["control nobody", "control mesh,nobody"])
def test_unknown_control_planes_are_refused(net, options):
    node = MeshNet(net, nodes=("a",)).nodes[0]
    refused = node.link(f"add name other type vxlan id 8 local {node.address} dstport 4789 {options}", check=False)
    assert refused.returncode == 1 and 'control "nobody": there is only mesh and evpn' in refused.stderr
    refused = node.link("add name other type vxlan id 8 dstport 4789 control mesh", check=False)
    assert refused.returncode == 1 and "control needs 'local'" in refused.stderr


def test_over_ipv6(net):
    mesh = MeshNet(net)
    for number, node in enumerate(mesh.nodes, 1):
        for device in ("lo", "eno1"):
            node.ns.sysctl(f"net.ipv6.conf.{device}.disable_ipv6", 0)
        node.ns.run(f"ip -6 addr add fd00:84::{number}/64 dev eno1 nodad")
        node.link("del vxlan0")
        node.link(f"add name vxlan0 type vxlan id {VNI} local fd00:84::{number} dstport 4789 control mesh")
        node.ns.run("ip link set vxlan0 master br0")
        node.ns.run("ip link set vxlan0 up")
    a, b = mesh.nodes
    eventually("they know each other by IPv6", lambda: a.floods_to() == ["fd00:84::2"] and b.floods_to() == ["fd00:84::1"])
    a.ping(b.ip)
