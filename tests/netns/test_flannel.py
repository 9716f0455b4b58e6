"""vtepd as a node of a flannel network, on a real etcd, beside one that is programmed by hand as flannel does it."""

import json
import re
import subprocess

import pytest

from endpoints import BIN_DIR
from flannel import DEVICE, PREFIX, VNI, FlannelNet, Node, config, key, lease
from namespaces import eventually

OTHER_MAC = "02:00:00:00:0f:01"


@pytest.fixture
def flannel(net):
    return FlannelNet(net)


@pytest.fixture
def alone(net):
    """One node, which others are written beside."""
    flannel = FlannelNet(net, nodes=("a",))
    flannel.nodes[0].joined()
    return flannel


def everybody_knows_everybody(flannel):
    leases = flannel.leases()
    for node in flannel.nodes:
        for subnet, said in leases.items():
            if said["PublicIP"] != node.address:
                mac = said["BackendData"]["VtepMAC"]
                eventually(f"{node.address} knows {subnet}",
                           lambda node=node, subnet=subnet, said=said, mac=mac: node.knows(subnet, said["PublicIP"], mac))


def test_two_nodes(flannel):
    a, b = flannel.nodes
    subnets = [node.joined() for node in (a, b)]
    everybody_knows_everybody(flannel)
    a.ns.run(f"ping -q -c 2 -W 5 -I {a.container(subnets[0])} {b.container(subnets[1])}")
    b.ns.run(f"ping -q -c 2 -W 5 -I {b.container(subnets[1])} {a.container(subnets[0])}")


def test_what_a_node_writes(alone):
    (node,) = alone.nodes
    ((subnet, said),) = alone.leases().items()
    assert said == lease(node.address, node.ns.mac(DEVICE))
    text = alone.etcd.get(key(subnet))
    assert text.index("PublicIP") < text.index("PublicIPv6") < text.index("BackendType") < text.index("BackendData")
    third = int(subnet.split(".")[2])
    assert 1 <= third <= 100 and subnet == f"10.244.{third}.0/24", "one of the first hundred, and not the first"
    found = json.loads(alone.etcd.ctl("get -w json", key(subnet)).stdout)["kvs"][0]
    ttl = alone.etcd.ctl("lease timetolive", f"{found['lease']:x}").stdout
    assert 86000 < int(re.search(r"granted with TTL\((\d+)s\)", ttl)[1]) <= 86400
    assert node.subnet_file.read_text() == (
        f"FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUBNET=10.244.{third}.1/24\n"
        "FLANNEL_MTU=1450\nFLANNEL_IPMASQ=false\n")


def test_how_it_is_shown(alone):
    (node,) = alone.nodes
    alone.etcd.put(key("10.244.200.0/24"), lease("10.84.0.77", OTHER_MAC))
    eventually("it is known", lambda: node.knows("10.244.200.0/24", "10.84.0.77", OTHER_MAC))
    assert f"{OTHER_MAC} dst 10.84.0.77 self extern_learn \n" in node.fdb(f"show dev {DEVICE}").stdout
    assert f"{OTHER_MAC} dst 10.84.0.77 self extern_learn source flannel \n" in node.vtep_run(
        f"-d fdb show dev {DEVICE}").stdout
    source = node.source()
    assert source["connected"] and source["name"] == "flannel" and source["facts"] == 1 and source["refused"] == 0
    assert source["ifname"] == DEVICE and "changed" in source and "last_error" not in source
    text = node.vtep_run("source").stdout
    assert text.startswith("flannel: connected for 00:0") and "facts 1 said 1 withdrawn 0 held 0 refused 0" in text
    assert node.vtep_run("source show mesh", check=False).returncode == 2
    link = json.loads(node.vtep_run(f"-d -j link show {DEVICE}").stdout)[0]
    assert link["linkinfo"]["info_data"]["id"] == VNI and not link["linkinfo"]["info_data"]["learning"]


def test_with_a_node_that_is_programmed_by_hand(alone):
    """k has the kernel's device, and what flannel would write and set."""
    (a,) = alone.nodes
    subnet = a.joined()
    k = alone.net.namespace("k")
    alone.plug(k, 3)
    k.sysctl("net.ipv4.ip_forward", 1)
    k.run(f"ip link add {DEVICE} type vxlan id {VNI} local 10.84.0.3 dev eno1 dstport 4789 nolearning")
    k.run(f"ip addr add 10.244.150.0/32 dev {DEVICE}")
    k.run(f"ip link set {DEVICE} mtu 1450 up")
    k.run("ip addr add 10.244.150.1/32 dev lo")
    first, mac = subnet.split("/")[0], a.ns.mac(DEVICE)
    k.run(f"ip neigh replace {first} lladdr {mac} dev {DEVICE} nud permanent")
    k.run(f"bridge fdb append {mac} dev {DEVICE} dst {a.address}")
    k.run(f"ip route replace {subnet} via {first} dev {DEVICE} onlink")
    alone.etcd.put(key("10.244.150.0/24"), lease("10.84.0.3", k.mac(DEVICE)))
    eventually("a knows k", lambda: a.knows("10.244.150.0/24", "10.84.0.3", k.mac(DEVICE)))
    k.run(f"ping -q -c 2 -W 5 -I 10.244.150.1 {a.container(subnet)}")
    a.ns.run(f"ping -q -c 2 -W 5 -I {a.container(subnet)} 10.244.150.1")


def test_a_node_goes_and_comes_back_as_another(alone):
    (node,) = alone.nodes
    subnet = "10.244.200.0/24"
    alone.etcd.put(key(subnet), lease("10.84.0.77", OTHER_MAC))
    eventually("it is known", lambda: node.knows(subnet, "10.84.0.77", OTHER_MAC))
    alone.etcd.put(key(subnet), lease("10.84.0.78", "02:00:00:00:0f:02"))
    eventually("its new address", lambda: node.knows(subnet, "10.84.0.78", "02:00:00:00:0f:02"))
    eventually("its old MAC address is gone", lambda: OTHER_MAC not in node.entries())
    alone.etcd.delete(key(subnet))
    eventually("it is gone", lambda: node.knows_nothing_of(subnet, "02:00:00:00:0f:02"))
    assert node.source()["facts"] == 0


def test_a_restart_keeps_subnet_and_mac(alone):
    (node,) = alone.nodes
    before, said = node.subnet, alone.leases()
    node.stop()
    assert alone.leases() == said, "the key stays, as flannel's does"
    node.start()
    node.joined()
    eventually("the key is taken up again",
               lambda: alone.leases()[before]["BackendData"]["VtepMAC"] == node.ns.mac(DEVICE))
    assert list(alone.leases()) == [before]


def test_the_subnet_of_the_file_is_tried_first(alone):
    (node,) = alone.nodes
    before = node.subnet
    node.stop()
    alone.etcd.delete(key(before))
    alone.etcd.put(key("10.244.1.0/24"), lease("10.84.0.77", OTHER_MAC))
    node.start()
    assert node.joined() == before


def test_a_lease_that_is_deleted_is_taken_anew(alone):
    (node,) = alone.nodes
    alone.etcd.delete(key(node.subnet))
    assert "deleted" in eventually("it says so", lambda: node.source().get("last_error"))
    node.joined()


def test_no_configuration_yet(net):
    flannel = FlannelNet(net, nodes=())
    flannel.etcd.delete(f"{PREFIX}/config")
    node = Node(flannel, "a", 1)
    eventually("it waits", lambda: "waiting for a configuration" in node.source()["state"])
    flannel.etcd.put(f"{PREFIX}/config", "{")
    eventually("it says what is wrong", lambda: "not JSON" in node.source().get("last_error", ""))
    flannel.etcd.put(f"{PREFIX}/config", config())
    node.joined()


@pytest.mark.parametrize("subnet, said, why", [
    ("10.244.201.0/24", "nonsense", "not JSON"),
    ("10.244.201.0/24", lease("10.84.0.78", "02:00:00:00:0f:02", vni=7), "VNI"),
    ("10.244.201.0/24", lease("10.84.0.1", "02:00:00:00:0f:02"), "this node's address"),
    ("10.244.201.0/24", lease("10.84.0.78", OTHER_MAC), "is the MAC address of 10.244.200.0-24"),
    ("10.244.201.0/24", lease("10.84.0.78", "ff:ff:ff:ff:ff:ff"), "VtepMAC"),
    ("10.244.201.0/24", lease("224.0.0.1", "02:00:00:00:0f:02"), "PublicIP"),
    ("10.244.200.0/23", lease("10.84.0.78", "02:00:00:00:0f:02"), "overlaps"),
    ("10.99.0.0/24", lease("10.84.0.78", "02:00:00:00:0f:02"), "not in the network"),
    ("what", lease("10.84.0.78", "02:00:00:00:0f:02"), "names no subnet"),
])
def test_what_makes_no_sense_is_refused_by_name(alone, subnet, said, why):
    (node,) = alone.nodes
    good = "10.244.200.0/24"
    alone.etcd.put(key(good), lease("10.84.0.77", OTHER_MAC))
    eventually("the good one is known", lambda: node.knows(good, "10.84.0.77", OTHER_MAC))
    alone.etcd.put(key(subnet), said)
    (refusal,) = eventually("it is refused", lambda: node.source()["refusals"])
    assert refusal["name"] == subnet.replace("/", "-") and why in refusal["reason"]
    assert node.knows(good, "10.84.0.77", OTHER_MAC) and node.source()["facts"] == 1
    assert why in node.vtep_run("-d source").stdout
    alone.etcd.delete(key(subnet))
    eventually("it is forgotten", lambda: node.source()["refusals"] == [])


def test_what_was_refused_is_taken_when_its_place_is_free(alone):
    (node,) = alone.nodes
    alone.etcd.put(key("10.244.200.0/24"), lease("10.84.0.77", OTHER_MAC))
    alone.etcd.put(key("10.244.200.0/25"), lease("10.84.0.78", "02:00:00:00:0f:02"))
    eventually("it is refused", lambda: node.source()["refusals"])
    alone.etcd.delete(key("10.244.200.0/24"))
    eventually("it is taken", lambda: node.knows("10.244.200.0/25", "10.84.0.78", "02:00:00:00:0f:02"))


def test_drift_is_repaired(alone):
    (node,) = alone.nodes
    subnet = "10.244.200.0/24"
    alone.etcd.put(key(subnet), lease("10.84.0.77", OTHER_MAC))

    def known():
        return node.knows(subnet, "10.84.0.77", OTHER_MAC)

    eventually("it is known", known)
    for command in (
        f"ip route del {subnet}",
        f"ip neigh del 10.244.200.0 dev {DEVICE}",
        f"ip neigh replace 10.244.200.0 lladdr 02:00:00:00:0f:09 dev {DEVICE} nud permanent",
        f"ip addr del {node.ns.addresses(DEVICE)[0]} dev {DEVICE}",
        f"ip link set {DEVICE} down",
    ):
        node.ns.run(command)
        if command.endswith("down"):
            node.ns.run(f"ip link set {DEVICE} up")
        eventually(f"it is known again after {command}", lambda: known() and node.ns.addresses(DEVICE), timeout=30)
    node.ns.run(f"ip route add 10.244.222.0/24 via 10.244.200.0 dev {DEVICE} onlink proto 86")
    eventually("a stale route is removed", lambda: not any("10.244.222" in route for route in node.routes()))
    node.ns.run(f"ip route add 10.99.0.0/24 via 10.244.200.0 dev {DEVICE} onlink")
    node.vtep_run(f"fdb del {OTHER_MAC} dev {DEVICE}")
    eventually("the entry is back", known, timeout=30)
    assert "10.99.0.0/24" in node.ns.out("ip route"), "what others set is theirs"


def test_a_persons_entry_counts_more(alone):
    (node,) = alone.nodes
    alone.etcd.put(key("10.244.200.0/24"), lease("10.84.0.77", OTHER_MAC))
    eventually("it is known", lambda: node.knows("10.244.200.0/24", "10.84.0.77", OTHER_MAC))
    node.vtep_run(f"fdb replace {OTHER_MAC} dst 10.84.0.99 dev {DEVICE} static")
    eventually("it is said", lambda: "counts more" in node.source().get("last_error", ""), timeout=30)
    assert f"{OTHER_MAC} dst 10.84.0.99 self static" in node.fdb(f"show dev {DEVICE}").stdout
    node.vtep_run(f"fdb del {OTHER_MAC} dev {DEVICE}")
    eventually("the network's is back", lambda: node.entries().get(OTHER_MAC) == "10.84.0.77", timeout=30)


def test_everything_withdrawn_at_once_is_not_believed(alone):
    (node,) = alone.nodes
    for number in range(100, 180):
        alone.etcd.put(key(f"10.244.{number}.0/24"), lease(f"10.84.1.{number}", f"02:00:00:00:0e:{number:02x}"))
    eventually("all are known", lambda: len(node.routes()) == 80)
    alone.etcd.ctl("del --prefix", f"{PREFIX}/subnets/10.244.1")
    source = eventually("some are held", lambda: (said := node.source())["held"] and said)
    assert source["facts"] >= 40 and source["facts"] + source["withdrawn"] == 80
    eventually("the rest still forwards", lambda: len(node.routes()) == source["facts"])


def test_etcd_is_away(flannel):
    """While it is, nothing is lost and nothing forgotten; when it is back, what was missed is caught up with."""
    a, b = flannel.nodes
    subnets = [node.joined() for node in (a, b)]
    everybody_knows_everybody(flannel)
    pinging = a.ns.popen(f"ping -q -i 0.02 -c 300 -I {a.container(subnets[0])} {b.container(subnets[1])}",
                         stdout=subprocess.PIPE, text=True)
    flannel.etcd.stop()
    eventually("it is noticed", lambda: not a.source()["connected"], timeout=30)
    assert a.source()["facts"] == 1
    said, _ = pinging.communicate(timeout=60)
    assert "300 received, 0% packet loss" in said
    flannel.etcd.start()
    flannel.etcd.put(key("10.244.200.0/24"), lease("10.84.0.77", OTHER_MAC))
    eventually("a catches up", lambda: a.knows("10.244.200.0/24", "10.84.0.77", OTHER_MAC), timeout=30)
    assert a.source()["connected"]


def test_what_was_compacted_away_is_listed(alone):
    """Elsewhere etcd forgets what happened meanwhile: a watch alone would never tell."""
    (node,) = alone.nodes
    alone.etcd.put(key("10.244.200.0/24"), lease("10.84.0.77", OTHER_MAC))
    eventually("it is known", lambda: node.knows("10.244.200.0/24", "10.84.0.77", OTHER_MAC))
    alone.etcd.stop()
    there = "http://127.0.0.1:23790"
    alone.etcd.start(endpoint=there)
    alone.etcd.delete(key("10.244.200.0/24"), endpoint=there)
    alone.etcd.put(key("10.244.201.0/24"), lease("10.84.0.78", "02:00:00:00:0f:02"), endpoint=there)
    alone.etcd.ctl("compaction", str(alone.etcd.revision(endpoint=there)), endpoint=there)
    alone.etcd.stop()
    alone.etcd.start()
    eventually("the new one is known", lambda: node.knows("10.244.201.0/24", "10.84.0.78", "02:00:00:00:0f:02"), timeout=30)
    eventually("the old one is gone", lambda: node.knows_nothing_of("10.244.200.0/24", OTHER_MAC))


def test_direct_routing(net):
    """To neighbours in the underlay without a tunnel; to others through it."""
    flannel = FlannelNet(net, direct=True, nodes=("a",))
    (node,) = flannel.nodes
    node.joined()
    flannel.etcd.put(key("10.244.200.0/24"), lease("10.84.0.77", OTHER_MAC))
    flannel.etcd.put(key("10.244.201.0/24"), lease("10.99.0.1", "02:00:00:00:0f:02"))
    eventually("it is routed to", lambda: any(
        route.startswith("10.244.200.0/24 via 10.84.0.77 dev eno1") for route in node.routes()))
    eventually("the other has a tunnel", lambda: node.knows("10.244.201.0/24", "10.99.0.1", "02:00:00:00:0f:02"))
    assert OTHER_MAC not in node.entries()
    flannel.etcd.delete(key("10.244.200.0/24"))
    eventually("it is gone", lambda: not any("10.244.200.0" in route for route in node.routes()))


def test_without_the_file_saying_so_it_leaves(alone):
    (node,) = alone.nodes
    alone.etcd.put(key("10.244.200.0/24"), lease("10.84.0.77", OTHER_MAC))
    eventually("it is known", lambda: node.knows("10.244.200.0/24", "10.84.0.77", OTHER_MAC))
    node.path.write_text("links: []\n")
    node.process.send_signal(1)
    eventually("the device is gone", lambda: node.ns.interface(DEVICE) is None)
    assert node.routes() == [] and json.loads(node.vtep_run("-j source").stdout) == []


@pytest.mark.parametrize("text, why", [
    ("flannel: {}", "etcd"),
    ("flannel: {etcd: [], dev: eno1}", "etcd"),
    ("flannel: {etcd: [http://10.0.0.1:2379]}", "dev"),
    ("flannel: {etcd: [http://10.0.0.1:2379], dev: eno1, prefix: x}", "prefix"),
    ("flannel: {etcd: [http://10.0.0.1:2379], public_ip: 224.0.0.1}", "public_ip"),
    ("flannel: {etcd: [http://10.0.0.1:2379], dev: eno1, user: u}", "password_file"),
    ("flannel: {etcd: [http://10.0.0.1:2379], dev: eno1, cert: c}", "key"),
    ("flannel: {etcd: [http://10.0.0.1:2379], dev: eno1, what: c}", "what"),
])
def test_a_senseless_file_is_refused(net, text, why):
    path = net.directory / "vtepd.yaml"
    path.write_text(text + "\n")
    done = net.namespace("alone").run([BIN_DIR / "vtepd", "--check-config", "--config", path], check=False)
    assert done.returncode != 0 and f"{path}:1" in done.stderr and why in done.stderr, done.stderr
