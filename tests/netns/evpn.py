"""VTEPs that know each other by BGP: nodes a (10.84.0.1), b, and so on, each with vtepd and a gobgpd of its own; and hosts
with FRR and the kernel's driver. Behind each is br0, with 192.168.5.1, .2 and so on."""

import ipaddress
import json
import subprocess
from pathlib import Path

import yaml

from bridged import BridgedNode, make_bridge
from namespaces import eventually

VNI = 6000
L3_VNI = 9000
AS = 65000


class EvpnLan:
    """All of them are neighbours of each other (a full mesh of iBGP), and of the addresses `others`."""

    def __init__(self, net, nodes=("a", "b"), frr=(), datapaths=(), others=()):
        self.net = net
        self.lan = net.namespace("lan")
        self.lan.run("ip link add br0 type bridge forward_delay 0")
        self.lan.run("ip link set br0 up")
        names = [*nodes, *frr]
        self.addresses = {name: f"10.84.0.{number}" for number, name in enumerate(names, 1)}
        self.addresses |= {address: address for address in others}
        datapaths = [*datapaths, *["user"] * len(nodes)]
        self.nodes = [EvpnNode(self, name, datapath) for name, datapath in zip(nodes, datapaths)]
        self.frr = [FrrHost(self, name) for name in frr]

    def plug(self, namespace, name):
        self.net.cable(namespace, "eno1", self.lan, f"to-{name}")
        self.lan.run(f"ip link set to-{name} master br0")
        namespace.run(f"ip addr add {self.addresses[name]}/24 dev eno1")

    def others(self, name):
        return [address for other, address in self.addresses.items() if other != name]


def eui64(mac):
    """The link-local address that a MAC address makes (RFC 4291, appendix A)."""
    octets = bytes.fromhex(mac.replace(":", ""))
    identifier = bytes([octets[0] ^ 2]) + octets[1:3] + b"\xff\xfe" + octets[3:]
    return str(ipaddress.IPv6Address(b"\xfe\x80" + bytes(6) + identifier))


class EvpnNode(BridgedNode):
    def __init__(self, lan, name, datapath):
        self.lan_, self.name = lan, name
        super().__init__(lan.net, lan.net.namespace(name))
        self.address = lan.addresses[name]
        self.number = int(self.address.rpartition(".")[2])
        self.ip = f"192.168.5.{self.number}"
        lan.plug(self.ns, name)
        self.path = lan.net.directory / f"{name}.yaml"
        self.configure({"as": AS, "router_id": self.address, "listen": [self.address],
                        "neighbours": [{"address": other, "as": AS, "passive": self.dials_us(other)}
                                       for other in self.lan_.others(self.name)]})
        self.start(config=self.path)
        self.add_vxlan0(datapath)
        make_bridge(self.ns, self.number, self.ip)

    def add_vxlan0(self, datapath="user"):
        self.link(f"add name vxlan0 type vxlan id {VNI} local {self.address} dstport 4789 control evpn "
                  f"datapath {datapath}")

    def dials_us(self, other):
        """One of each two does: when both do at the same time both hang up, and try again after five to ten seconds."""
        return self.number < int(other.rpartition(".")[2])

    def configure(self, evpn):
        self.path.write_text(yaml.safe_dump({"evpn": evpn}))

    def start_gobgpd(self):
        """A speaker that is not vtepd's; its API is at 127.0.0.1:50051."""
        config = {"global": {"config": {"as": AS, "router-id": self.address, "local-address-list": [self.address]}},
                  "neighbors": [{"config": {"neighbor-address": other, "peer-as": AS},
                                 "timers": {"config": {"connect-retry": 1, "idle-hold-time-after-reset": 1}},
                                 "afi-safis": [{"config": {"afi-safi-name": "l2vpn-evpn"}}]}
                                for other in self.lan_.others(self.name)]}
        path = self.path.with_suffix(".gobgpd")
        path.write_text(yaml.safe_dump(config))
        with open(path.with_suffix(".log"), "ab") as log:
            return self.net.process(self.ns, ["gobgpd", "-t", "yaml", "-f", path, "--api-hosts", "127.0.0.1:50051"],
                                    stdout=log, stderr=subprocess.STDOUT)

    def source(self):
        return super().source("evpn")

    def entries(self):
        """{MAC: remote} of what control planes say; of the flood list the last."""
        return dict(self.external("vxlan0"))

    def knows(self, address):
        return ("00:00:00:00:00:00", address) in self.external("vxlan0")

    def route_prefixes(self, datapath="user"):
        """10.20.N.0/24 and fd20:N::/64 are behind this host, whose own are 10.20.N.1 and fd20:N::1, and routed through
        vxlan9."""
        self.prefix, self.prefix6 = f"10.20.{self.number}.0/24", f"fd20:{self.number}::/64"
        self.inner, self.inner6 = f"10.20.{self.number}.1", f"fd20:{self.number}::1"
        self.link(f"add name vxlan9 type vxlan id {L3_VNI} local {self.address} dstport 4789 control evpn "
                  f"announce {self.prefix} announce {self.prefix6} accept 10.20.0.0/16 accept fd20::/16 datapath {datapath}")
        for interface in ("vxlan9", "lo"):
            self.ns.sysctl(f"net.ipv6.conf.{interface}.disable_ipv6", 0)
        self.ns.run("ip link set vxlan9 up")
        for address in (f"{self.inner}/32", f"{self.inner6}/128"):
            self.ns.run(f"ip addr add {address} dev lo")

    def routes(self, family="-4"):
        return sorted(line.strip() for line in self.ns.out(f"ip {family} route show proto 86").splitlines())

    def routers(self):
        """{gateway: MAC} of the permanent neighbours on vxlan9 that are vtep's."""
        entries = json.loads(self.ns.out("ip -j -d neigh show dev vxlan9 nud permanent") or "[]")
        return {entry["dst"]: entry["lladdr"] for entry in entries if entry.get("protocol") == "86"}


class FrrHost:
    """zebra and bgpd, with the kernel's vxlan device as FRR wants it: a port of a bridge, which does not learn."""

    def __init__(self, lan, name):
        self.lan_, self.name = lan, name
        self.ns = lan.net.namespace(name)
        self.address = lan.addresses[name]
        self.number = int(self.address.rpartition(".")[2])
        self.ip = f"192.168.5.{self.number}"
        lan.plug(self.ns, name)
        self.ns.run(f"ip link add vxlan0 type vxlan id {VNI} local {self.address} dstport 4789 nolearning")
        make_bridge(self.ns, self.number)
        self.ns.run("bridge link set dev vxlan0 learning off neigh_suppress on")
        self.pathspace = self.ns.name
        self.run_dir = f"/var/run/frr/{self.pathspace}"
        subprocess.run(["install", "-d", "-o", "frr", "-g", "frr", self.run_dir], check=True)
        lan.net.on_close(lambda: subprocess.run(["rm", "-rf", self.run_dir], check=True))
        self.config = lan.net.directory / f"{name}.conf"
        neighbours = "".join(f" neighbor {other} remote-as {AS}\n neighbor {other} timers connect 1\n" for other in lan.others(name))
        activate = "".join(f"  neighbor {other} activate\n" for other in lan.others(name))
        self.config.write_text(
            f"router bgp {AS}\n bgp router-id {self.address}\n no bgp default ipv4-unicast\n{neighbours}"
            f" address-family l2vpn evpn\n{activate}  advertise-all-vni\n  advertise-svi-ip\n exit-address-family\n")
        self.config.chmod(0o644)
        self.config.parent.chmod(0o755)
        self.start("zebra")
        # Otherwise bgpd asks again after ten seconds.
        eventually("zebra listens", lambda: self.vtysh("show evpn vni", check=False).returncode == 0
                   and Path(f"{self.run_dir}/zserv.api").exists())
        self.start("bgpd")
        eventually("FRR knows the VNI", lambda: str(VNI) in self.vtysh("show bgp l2vpn evpn vni", check=False).stdout)
        # Of an address that was there before, FRR 8.4 does not always tell others (advertise-svi-ip).
        self.ns.run(f"ip addr add {self.ip}/24 dev br0")

    def start(self, daemon):
        command = [f"/usr/lib/frr/{daemon}", "-N", self.pathspace, "-A", "127.0.0.1"]
        command += ["-f", self.config] if daemon == "bgpd" else ["-f", "/dev/null"]
        with open(self.lan_.net.directory / f"{self.name}-{daemon}.log", "ab") as log:
            self.lan_.net.process(self.ns, command, stdout=log, stderr=subprocess.STDOUT)

    def vtysh(self, *commands, **options):
        words = [word for command in commands for word in ("-c", command)]
        return self.ns.run(["vtysh", "-N", self.pathspace, *words], **options)

    def route_prefix(self):
        """10.20.N.1 is this host's own, and routed through VNI 9000 of the default VRF."""
        self.inner = f"10.20.{self.number}.1"
        self.ns.run(f"ip link add vxlan9 type vxlan id {L3_VNI} local {self.address} dstport 4789 nolearning")
        self.ns.run("ip link add br9 type bridge forward_delay 0")
        self.ns.run(f"ip link set br9 address 02:00:00:00:09:{self.number:02x}")
        self.ns.run("ip link set vxlan9 master br9")
        for device in ("vxlan9", "br9"):
            self.ns.run(f"ip link set {device} up")
        self.ns.run(f"ip addr add {self.inner}/32 dev lo")
        self.vtysh("configure terminal", f"vni {L3_VNI}")
        self.vtysh("configure terminal", f"router bgp {AS}",
                   "address-family ipv4 unicast", f"network {self.inner}/32", "exit-address-family",
                   "address-family l2vpn evpn", "advertise ipv4 unicast")

    @property
    def mac(self):
        return self.ns.mac("br0")

    def entries(self):
        """{MAC: remote} of the kernel's device."""
        listed = json.loads(self.ns.out("bridge -j fdb show dev vxlan0"))
        return {entry["mac"]: entry["dst"] for entry in listed if "dst" in entry and "extern_learn" in entry["flags"]}
