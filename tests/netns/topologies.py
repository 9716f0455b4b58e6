"""The two wirings that most tests need: an endpoint whose other side is the test itself, and two endpoints."""

import pytest

from endpoints import ENDPOINTS
from packets import LOCAL, Port

WIRE_MAC = "02:00:00:00:ff:02"
both = pytest.mark.parametrize("impl", ["vtep", "kernel"])


class Probe:
    """A tunnel endpoint `host` whose underlay device eno1 (10.0.0.1) leads to `wire`, where the test itself is the
    other side: 10.0.0.2 to 10.0.0.8, and the gateway 10.0.0.9, all of them with WIRE_MAC."""

    def __init__(self, net, impl, mtu=1500):
        self.net = net
        self.ns = net.namespace(impl)
        self.far = net.namespace("wire")
        net.cable(self.ns, "eno1", self.far, "wire", offloads=False)
        for namespace, device in ((self.ns, "eno1"), (self.far, "wire")):
            namespace.run(f"ip link set {device} mtu {mtu}")
        self.host = ENDPOINTS[impl](net, self.ns)
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
    """Two endpoints, a and b, whose eno1 (10.0.0.1 and 10.0.0.2) are joined by a cable."""

    def __init__(self, net, impl_a, impl_b):
        self.net = net
        self.a, self.b = (ENDPOINTS[impl](net, net.namespace(name)) for name, impl in (("a", impl_a), ("b", impl_b)))
        net.cable(self.a.ns, "eno1", self.b.ns, "eno1")
        self.a.ns.run("ip addr add 10.0.0.1/24 dev eno1")
        self.b.ns.run("ip addr add 10.0.0.2/24 dev eno1")
        self.a.start()
        self.b.start()

    def add_links(self, vni=6000, group="239.1.1.1"):
        """vxlan0 on both: 192.168.5.1 and 192.168.5.2."""
        for last, end in ((1, self.a), (2, self.b)):
            end.add_link(f"id {vni} group {group} dstport 4789 dev eno1", address=f"192.168.5.{last}/24")
        self.ping()

    def ping(self, address="192.168.5.2"):
        self.a.ns.run(f"ping -q -c 1 -W 10 {address}")
