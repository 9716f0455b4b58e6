"""A flannel network: nodes a (10.84.0.1), b, and so on."""

import json

import yaml

from endpoints import VtepEndpoint
from etcd import EtcdLan
from namespaces import eventually

PREFIX = "/coreos.com/network"
VNI = 6000
DEVICE = f"flannel.{VNI}"


def config(direct=False, vni=VNI):
    backend = {"Type": "vxlan", "VNI": vni, "Port": 4789, "DirectRouting": direct}
    return {"Network": "10.244.0.0/16", "SubnetLen": 24, "Backend": backend}


def lease(address, mac, vni=VNI):
    return {"PublicIP": address, "PublicIPv6": None, "BackendType": "vxlan",
            "BackendData": {"VNI": vni, "VtepMAC": mac}}


def key(subnet):
    """10.244.7.0/24 as etcd's key."""
    return f"{PREFIX}/subnets/{subnet.replace('/', '-')}"


class FlannelNet(EtcdLan):
    def __init__(self, net, direct=False, nodes=("a", "b"), datapaths=()):
        super().__init__(net)
        self.etcd.put(f"{PREFIX}/config", config(direct))
        datapaths = [*datapaths, *["user"] * len(nodes)]
        self.nodes = [Node(self, name, number, datapath)
                      for number, (name, datapath) in enumerate(zip(nodes, datapaths), 1)]

    def leases(self):
        """{subnet: what its node says}."""
        names = [name for name in self.etcd.keys(f"{PREFIX}/subnets/")]
        return {name.rpartition("/")[2].replace("-", "/"): json.loads(self.etcd.get(name)) for name in names}


class Node(VtepEndpoint):
    """vtepd with `flannel:` in its file. Its containers are 10.244.X.1 on lo."""

    def __init__(self, flannel, name, number, datapath="user"):
        self.flannel = flannel
        super().__init__(flannel.net, flannel.net.namespace(name))
        self.address = f"10.84.0.{number}"
        flannel.plug(self.ns, number)
        self.ns.sysctl("net.ipv4.ip_forward", 1)
        self.subnet_file = flannel.net.directory / f"{name}-subnet.env"
        self.path = flannel.net.directory / f"{name}.yaml"
        self.path.write_text(yaml.safe_dump({"flannel": {
            "etcd": [flannel.etcd.endpoint], "dev": "eno1", "subnet_file": str(self.subnet_file),
            "datapath": datapath}}))
        self.start(config=self.path)

    def source(self):
        return super().source("flannel")

    @property
    def subnet(self):
        """Once it has joined."""
        found = eventually(f"{self.address} has a subnet", lambda: self._subnet())
        return found

    def _subnet(self):
        for subnet, said in self.flannel.leases().items():
            if said["PublicIP"] == self.address:
                return subnet
        return None

    def joined(self):
        """Its subnet, with a container in it."""
        subnet = self.subnet
        eventually("it has its address", lambda: self.ns.interface(DEVICE)
                   and f"{subnet.split('/')[0]}/32" in self.ns.addresses(DEVICE))
        self.ns.run(f"ip addr replace {self.container(subnet)}/32 dev lo")
        return subnet

    @staticmethod
    def container(subnet):
        return subnet.split("/")[0].rpartition(".")[0] + ".1"

    def routes(self):
        return sorted(line.strip() for line in self.ns.out("ip route show proto 86").splitlines())

    def neighbours(self):
        listed = json.loads(self.ns.out(f"ip -j neigh show dev {DEVICE} nud permanent"))
        return {entry["dst"]: entry["lladdr"] for entry in listed}

    def entries(self):
        """{MAC: remote} of what control planes say."""
        return dict(self.external(DEVICE))

    def knows(self, subnet, address, mac):
        """All that follows from another node's lease."""
        first = subnet.split("/")[0]
        return (self.neighbours().get(first) == mac and self.entries().get(mac) == address
                and any(route.startswith(f"{subnet} via {first} dev {DEVICE}") and "onlink" in route
                        for route in self.routes()))

    def knows_nothing_of(self, subnet, mac):
        first = subnet.split("/")[0]
        return (first not in self.neighbours() and mac not in self.entries()
                and not any(route.startswith(subnet) for route in self.routes()))
