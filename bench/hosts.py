"""Two hosts on one cable, with a tunnel between them: made anew for every round, gone when it ends."""

import contextlib
import json
import subprocess
from pathlib import Path

import impls
import namespaces

# What a killed run left behind is told apart from what the tests have.
namespaces.PREFIX = "vtep-bench"

UNDERLAY = {4: {"a": "10.0.0.1", "b": "10.0.0.2"}, 6: {"a": "fd00:10::1", "b": "fd00:10::2"}}
OVERLAY = {4: {"a": "192.168.5.1", "b": "192.168.5.2"}, 6: {"a": "fd00:5::1", "b": "fd00:5::2"}}
PREFIX_LENGTH = {4: 24, 6: 64}
WITHOUT_OFFLOADS = "tso off gso off gro off tx-udp-segmentation off tx-udp_tnl-segmentation off tx-udp_tnl-csum-segmentation off"
# (version of IP outside, with checksum): words of a link, the same for vtep and the kernel's driver.
CHECKSUM_WORDS = {
    (4, True): "udpcsum",
    (4, False): "noudpcsum",
    (6, True): "noudp6zerocsumtx noudp6zerocsumrx",
    (6, False): "udp6zerocsumtx udp6zerocsumrx",
}
# The stations behind the VTEPs of a scenario with many: 10.8.0.1 lives on 02:00:0a:08:00:01 behind 10.9.0.1, and so on.
STATIONS = "10.8.0.0/16"
VTEPS = "10.9.0.0/16"


class Hosts:
    """`a` sends and `b` receives; both are endpoints of impls.py."""

    def __init__(self, net, impl, scenario):
        self.net = net
        self.impl = impl
        self.scenario = scenario
        self.underlay = UNDERLAY[scenario.outer]
        self.overlay = OVERLAY[scenario.inner]
        self.a, self.b = (impls.make(impl, net, self._namespace(name)) for name in ("a", "b"))
        net.cable(self.a.ns, "wire", self.b.ns, "wire")
        for name, host in (("a", self.a), ("b", self.b)):
            self._lay_underlay(name, host)
        for name, peer, host in (("a", "b", self.a), ("b", "a", self.b)):
            address = f"{self.overlay[name]}/{PREFIX_LENGTH[scenario.inner]}"
            host.add_link(f"id 6000 remote {self.underlay[peer]} dstport 4789 dev wire {self._checksum()}", address=address)
        # Learned and resolved before anybody measures. Open vSwitch needs some seconds until its first ARP is answered.
        namespaces.eventually(f"{impl} connects its hosts", self.answered, timeout=20)
        if "blast" in scenario.measured:
            self._add_remotes()

    def answered(self):
        return self.a.ns.run(f"ping -q -c 3 -i 0.05 -w 2 {self.overlay['b']}", check=False).returncode == 0

    def _namespace(self, name):
        namespace = self.net.namespace(name, ipv6=6 in (self.scenario.outer, self.scenario.inner))
        self.net.on_close(lambda: end_processes_in(namespace.name))
        namespace.sysctl("net.ipv6.conf.default.accept_dad", 0)
        return namespace

    def _lay_underlay(self, name, host):
        if self.scenario.wire == "packets":
            host.ns.run(f"ethtool -K wire {WITHOUT_OFFLOADS}")
        host.ns.run(f"ip link set wire mtu {self.scenario.mtu}")
        host.start()
        prefix = PREFIX_LENGTH[self.scenario.outer]
        host.ns.run(f"ip addr add {self.underlay[name]}/{prefix} dev {host.underlay_device}")

    def _checksum(self):
        return CHECKSUM_WORDS.get((self.scenario.outer, self.scenario.checksum), "")

    def _add_remotes(self):
        """Static entries and neighbours on `a`; every one of the VTEPs is `b`."""
        self.b.ns.run(f"ip route add local {VTEPS} dev lo")
        self.a.ns.run(f"ip route add {VTEPS} via {self.underlay['b']}")
        self.a.ns.run(f"ip route add {STATIONS} dev vxlan0")
        entries, neighbours = [], []
        for number in range(1, self.scenario.remotes + 1):
            low = f"{number >> 8}.{number & 255}"
            mac = f"02:00:0a:08:{number >> 8:02x}:{number & 255:02x}"
            entries.append(f"fdb add {mac} dst 10.9.{low} dev vxlan0")
            neighbours.append(f"neigh add 10.8.{low} lladdr {mac} dev vxlan0 nud permanent")
        path = self.net.directory / "batch"
        path.write_text("\n".join(entries) + "\n")
        self.a.ns.run([*self.a.fdb_batch_command, path])
        self.a.ns.run("ip -batch -", input="\n".join(neighbours) + "\n")

    def counters(self, host, interface):
        """Of one interface, as `ip -s` shows them: received["packets"], sent["dropped"]."""
        statistics = json.loads(host.ns.out(f"ip -s -j link show dev {interface}"))[0]["stats64"]
        return statistics["rx"], statistics["tx"]


@contextlib.contextmanager
def hosts(impl, scenario):
    net = namespaces.Net()
    try:
        yield Hosts(net, impl, scenario)
    finally:
        net.close()


def end_processes_in(namespace):
    """Whoever is still in a namespace of ours is ours."""
    listed = subprocess.run(["ip", "netns", "pids", namespace], capture_output=True, text=True, check=False).stdout
    if listed:
        subprocess.run(["kill", "-KILL", *listed.split()], check=False)


def remove_leftovers():
    """Of runs that were killed."""
    listed = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True).stdout
    for name in (line.split()[0] for line in listed.splitlines() if line.startswith(namespaces.PREFIX)):
        owner = name.removeprefix(f"{namespaces.PREFIX}-").split("-")[0]
        if not Path(f"/proc/{owner}").exists():
            end_processes_in(name)
    namespaces.remove_leftovers()
