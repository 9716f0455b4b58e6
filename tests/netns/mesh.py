"""A mesh: nodes a (10.84.0.1), b, and so on, which know each other from etcd. Their vxlan0 is a port of br0, which has
192.168.5.1, .2 and so on; a guest can be plugged into any of them."""

import json

import yaml
from scapy.layers.l2 import ARP, Ether

from bridged import BridgedNode, make_bridge
from etcd import EtcdLan
from namespaces import eventually
from packets import Port

PREFIX = "/vtep/v1"
VNI = 6000
FLOOD = "00:00:00:00:00:00"
GUEST_MAC = "02:00:00:00:0e:01"
GUEST_IP = "192.168.5.100"


class MeshNet(EtcdLan):
    def __init__(self, net, nodes=("a", "b"), cluster=False, datapaths=(), **options):
        super().__init__(net, cluster)
        datapaths = [*datapaths, *["user"] * len(nodes)]
        self.nodes = [MeshNode(self, name, number, datapath=datapath, **options)
                      for number, (name, datapath) in enumerate(zip(nodes, datapaths), 1)]

    def keys(self):
        return sorted(name.removeprefix(PREFIX + "/") for name in self.etcd.keys(PREFIX + "/"))

    def everybody_knows_everybody(self):
        for node in self.nodes:
            for other in self.nodes:
                if other is not node:
                    eventually(f"{node.name} knows {other.name}", lambda node=node, other=other: node.knows(other))


    def everybody_knows_stations(self):
        for node in self.nodes:
            for other in self.nodes:
                if other is not node:
                    eventually(f"{node.name} knows {other.name}'s station",
                               lambda node=node, other=other: node.entries().get(other.mac) == other.address
                               and node.neighbours().get(other.ip) == other.mac)


class MeshNode(BridgedNode):
    def __init__(self, mesh, name, number, ttl=30, datapath="user"):
        self.mesh, self.name = mesh, name
        super().__init__(mesh.net, mesh.net.namespace(name))
        self.address, self.ip = f"10.84.0.{number}", f"192.168.5.{number}"
        mesh.plug(self.ns, number)
        self.path = mesh.net.directory / f"{name}.yaml"
        self.configure(ttl=ttl)
        self.start(config=self.path)
        self.link(f"add name vxlan0 type vxlan id {VNI} local {self.address} dev eno1 dstport 4789 control mesh "
                  f"datapath {datapath}")
        make_bridge(self.ns, number, self.ip)

    def configure(self, **more):
        mesh = {"etcd": self.mesh.endpoints, "node": self.name, **more}
        self.path.write_text(yaml.safe_dump({"mesh": mesh}))

    def source(self):
        return super().source("mesh")

    def entries(self):
        """{MAC: remote} of what control planes say; the flood list as a list."""
        external = self.external("vxlan0")
        floods = [remote for mac, remote in external if mac == FLOOD]
        return dict(external) | ({FLOOD: floods} if floods else {})

    def floods_to(self):
        return sorted(self.entries().get(FLOOD, []))

    def knows(self, other):
        return other.address in self.floods_to()

    def counters(self):
        return json.loads(self.vtep_run("-s -s -s -j link show vxlan0").stdout)[0]["vtep"]


class Guest:
    """A station that can be plugged into one node or another, and announces itself there."""

    def __init__(self, mesh):
        self.ns = mesh.net.namespace("guest")
        self.at = None
        for node in mesh.nodes:
            mesh.net.cable(self.ns, f"to-{node.name}", node.ns, "guest")
            self.ns.run(f"ip link set to-{node.name} down address {GUEST_MAC}")
            node.ns.run("ip link set guest master br0")

    def move(self, node):
        """And announces itself, as hosts do (RFC 5227)."""
        if self.at:
            self.ns.run(f"ip addr flush dev {self.at}")
            self.ns.run(f"ip link set {self.at} down")
        self.at = f"to-{node.name}"
        self.ns.run(f"ip addr add {GUEST_IP}/24 dev {self.at}")
        self.ns.run(f"ip link set {self.at} up")
        eventually("its port forwards", lambda: "state forwarding" in node.ns.out("bridge link show dev guest"))
        port = Port(self.ns, self.at)
        port.send(Ether(src=GUEST_MAC, dst="ff:ff:ff:ff:ff:ff") / ARP(
            op=1, hwsrc=GUEST_MAC, psrc=GUEST_IP, hwdst="00:00:00:00:00:00", pdst=GUEST_IP))
        port.close()
