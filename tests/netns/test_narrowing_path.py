"""A path that becomes narrower while super-frames go through it.

     a: eno1 10.0.1.1 ── 10.0.1.9 router 10.0.2.9 ── b: eno1 10.0.2.2

The tunnel asks for reports (df set): without DF the router cuts the outer packets, and nobody is told.
"""

import re

import pytest

from endpoints import ENDPOINTS
from namespaces import eventually
from transfer import under_way

NARROW = 1400


class Routed:
    def __init__(self, net, impl_b):
        self.router = net.namespace("router")
        self.router.sysctl("net.ipv4.ip_forward", 1)
        self.ends = []
        for number, impl in ((1, "vtep"), (2, impl_b)):
            end = ENDPOINTS[impl](net, net.namespace("ab"[number - 1]))
            net.cable(end.ns, "eno1", self.router, f"to{number}")
            end.ns.run(f"ip addr add 10.0.{number}.{number}/24 dev eno1")
            end.ns.run(f"ip route add default via 10.0.{number}.9")
            self.router.run(f"ip addr add 10.0.{number}.9/24 dev to{number}")
            end.start()
            far = 3 - number
            end.add_link(
                f"id 6000 remote 10.0.{far}.{far} dstport 4789 dev eno1 df set", address=f"192.168.5.{number}/24"
            )
            end.ns.sysctl("net.ipv6.conf.vxlan0.disable_ipv6", 0)
            end.ns.run(f"ip -6 addr add fd00:5::{number}/64 dev vxlan0 nodad")
            self.ends.append(end)
        self.a, self.b = self.ends
        self.a.ns.run("ping -q -c 1 -W 10 192.168.5.2")
        self.a.ns.run("ping -q -c 1 -W 10 fd00:5::2")

    def narrow(self):
        self.router.run(f"ip link set to2 mtu {NARROW}")

    def carried(self):
        return int(self.router.out("cat /sys/class/net/to2/statistics/tx_bytes"))


@pytest.mark.parametrize("peer", ["vtep", "kernel"])
@pytest.mark.parametrize("address", ["192.168.5.2", "fd00:5::2"])
def test_a_transfer_goes_on(net, peer, address):
    routed = Routed(net, peer)
    with under_way((routed.a.ns, routed.b.ns, address)):
        eventually("some of it is there", lambda: routed.carried() > 20_000_000)
        routed.narrow()
        before = routed.carried()
        eventually("the rest follows", lambda: routed.carried() > before + 20_000_000, timeout=30)
    shown = routed.a.vtep_run("remote show").stdout
    assert re.search(rf"10\.0\.2\.2\b.*\b{NARROW}\b", shown), shown
    assert routed.a.drops().get("path_mtu", 0) > 0
