"""Two hosts on one cable, with a tunnel between them: made anew for every round, gone when it ends."""

import contextlib
import json
import subprocess
import sys
from pathlib import Path

SOURCE_DIR = Path(__file__).resolve().parents[1]
sys.path.append(str(SOURCE_DIR / "tests" / "netns"))

import namespaces  # noqa: E402
from endpoints import BIN_DIR, ENDPOINTS  # noqa: E402

# What a killed run left behind is told apart from what the tests have.
namespaces.PREFIX = "vtep-bench"

UNDERLAY = {"a": "10.0.0.1", "b": "10.0.0.2"}
OVERLAY = {"a": "192.168.5.1", "b": "192.168.5.2"}

# Nothing on such a cable may be larger than an Ethernet frame: a sender has to cut what it sends, as in front of a
# network card that cannot. Checksums are still left to the device, as to nearly every network card.
WITHOUT_OFFLOADS = "tso off gso off gro off tx-udp-segmentation off tx-udp_tnl-segmentation off tx-udp_tnl-csum-segmentation off"
WIRES = {"offloads": "veth with its offloads", "packets": "veth without segmentation offloads"}


class Hosts:
    """`a` sends and `b` receives; both are endpoints of tests/netns/endpoints.py."""

    def __init__(self, net, impl, wire):
        self.net = net
        self.impl = impl
        self.wire = wire
        self.a, self.b = (ENDPOINTS[impl](net, self._namespace(name)) for name in ("a", "b"))
        net.cable(self.a.ns, "wire", self.b.ns, "wire")
        for name, host in (("a", self.a), ("b", self.b)):
            if wire == "packets":
                host.ns.run(f"ethtool -K wire {WITHOUT_OFFLOADS}")
            host.ns.run(f"ip addr add {UNDERLAY[name]}/24 dev wire")
        for name, peer, host in (("a", "b", self.a), ("b", "a", self.b)):
            host.start()
            host.add_link(f"id 6000 remote {UNDERLAY[peer]} dstport 4789 dev wire", address=f"{OVERLAY[name]}/24")
        # Learned and resolved before anybody measures.
        self.a.ns.run(f"ping -q -c 3 -i 0.05 -W 10 {OVERLAY['b']}")

    def _namespace(self, name):
        namespace = self.net.namespace(name)
        self.net.on_close(lambda: end_processes_in(namespace.name))
        return namespace

    def counters(self, host, interface):
        """Of one interface, as `ip -s` shows them: received["packets"], sent["dropped"]."""
        statistics = json.loads(host.ns.out(f"ip -s -j link show dev {interface}"))[0]["stats64"]
        return statistics["rx"], statistics["tx"]


@contextlib.contextmanager
def hosts(impl, wire):
    net = namespaces.Net()
    try:
        yield Hosts(net, impl, wire)
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
