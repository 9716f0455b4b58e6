"""The two wirings that most tests need: an endpoint whose other side is the test itself, and two endpoints."""

import pytest

from endpoints import ENDPOINTS
from packets import LOCAL, Port

WIRE_MAC = "02:00:00:00:ff:02"
both = pytest.mark.parametrize("impl", ["vtep", "kernel"])


class Probe:
    """A tunnel endpoint `host` whose underlay device eno1 (10.0.0.1) leads to `wire`, where the test itself is the
    other side: 10.0.0.2 to 10.0.0.8, and the gateway 10.0.0.9, all of them with WIRE_MAC. `options` are vtepd's.

    One worker, unless they say otherwise: with several, what was sent first need not be dealt with first."""

    def __init__(self, net, impl, mtu=1500, options=("--workers", "1")):
        self.net = net
        self.ns = net.namespace(impl)
        self.far = net.namespace("wire")
        net.cable(self.ns, "eno1", self.far, "wire", offloads=False)
        for namespace, device in ((self.ns, "eno1"), (self.far, "wire")):
            namespace.run(f"ip link set {device} mtu {mtu}")
        self.host = ENDPOINTS[impl](net, self.ns)
        self.host.give(options)
        self.configure()
        self.host.start()

    def configure(self):
        """Addresses, neighbours and routes of the underlay; again when the device was down or is a new one."""
        self.far.run(f"ip link set wire address {WIRE_MAC}")
        self.ns.run("ip addr replace 10.0.0.1/24 dev eno1")
        for last in range(2, 10):
            self.ns.run(f"ip neigh replace 10.0.0.{last} lladdr {WIRE_MAC} dev eno1 nud permanent")
        self.ns.run("ip route replace default via 10.0.0.9")
        self.mac = self.ns.mac("eno1")
        self.wire = self.port(self.far, "wire")

    def port(self, namespace, interface):
        port = Port(namespace, interface)
        self.net.on_close(port.close)
        return port

    def overlay(self, spec, name="vxlan0", mac=LOCAL):
        """Adds a link and returns a port on its interface."""
        self.host.add_link(spec, name=name, mac=mac)
        return self.port(self.ns, name)


class Pair:
    """Two endpoints, a and b, whose eno1 (10.0.0.1 and 10.0.0.2) are joined by a cable. `options` are vtepd's."""

    def __init__(self, net, impl_a="vtep", impl_b="vtep", options=(), mtu=1500):
        self.net = net
        self.a, self.b = (ENDPOINTS[impl](net, net.namespace(name)) for name, impl in (("a", impl_a), ("b", impl_b)))
        net.cable(self.a.ns, "eno1", self.b.ns, "eno1")
        for last, end in ((1, self.a), (2, self.b)):
            end.ns.run(f"ip link set eno1 mtu {mtu}")
            end.ns.run(f"ip addr add 10.0.0.{last}/24 dev eno1")
            end.give(options)

    def start(self):
        self.a.start()
        self.b.start()
        return self

    def use_ipv6(self):
        """The underlay has IPv6, too: fd00:10::1 and fd00:10::2. Before the daemons start."""
        for last, end in ((1, self.a), (2, self.b)):
            for device in ("lo", "eno1"):
                end.ns.sysctl(f"net.ipv6.conf.{device}.disable_ipv6", 0)
            end.ns.run(f"ip -6 addr add fd00:10::{last}/64 dev eno1 nodad")

    def add_links(self, vni=6000, group="239.1.1.1", words="dstport 4789"):
        """vxlan0 on both: 192.168.5.1 and 192.168.5.2."""
        for last, end in ((1, self.a), (2, self.b)):
            end.add_link(f"id {vni} group {group} dev eno1 {words}", address=f"192.168.5.{last}/24")
        self.ping()

    def add_ipv6(self):
        """vxlan0 on both: fd00:5::1 and fd00:5::2."""
        for last, end in ((1, self.a), (2, self.b)):
            end.ns.sysctl("net.ipv6.conf.vxlan0.disable_ipv6", 0)
            end.ns.run(f"ip -6 addr add fd00:5::{last}/64 dev vxlan0 nodad")
        self.ping("fd00:5::2")

    def ping(self, address="192.168.5.2"):
        self.a.ns.run(f"ping -q -c 1 -W 10 {address}")

    def ways(self, version=4):
        """(source, sink, the sink's address) from a to b and from b to a."""
        network = "192.168.5." if version == 4 else "fd00:5::"
        return (self.a.ns, self.b.ns, f"{network}2"), (self.b.ns, self.a.ns, f"{network}1")
