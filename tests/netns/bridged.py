"""Hosts whose vxlan0 is a port of br0, which has the host's address in the overlay."""

import json

from endpoints import VtepEndpoint


def make_bridge(namespace, number, address=None):
    """br0 over vxlan0, which announces its address, if it has one, when it comes up."""
    namespace.sysctl("net.ipv4.conf.default.arp_notify", 1)
    namespace.run("ip link add br0 type bridge forward_delay 0 mcast_snooping 0")
    namespace.run(f"ip link set br0 address 02:00:00:00:0b:{number:02x}")
    namespace.run("ip link set vxlan0 master br0")
    if address:
        namespace.run(f"ip addr add {address}/24 dev br0")
    for device in ("vxlan0", "br0"):
        namespace.run(f"ip link set {device} up")


class BridgedNode(VtepEndpoint):
    @property
    def mac(self):
        """Of its bridge."""
        return self.ns.mac("br0")

    def neighbours(self):
        return {entry["dst"]: entry["lladdr"] for entry in json.loads(self.vtep_run("-j neigh show dev vxlan0").stdout)}

    def ping(self, address, count=1):
        return self.ns.run(f"ping -q -c {count} -i 0.05 -W 5 {address}")
