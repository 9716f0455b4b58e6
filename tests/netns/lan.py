"""A scene with stations behind it: br0 on the host, and `lan`, which is either a port of br0 or a network of its own.

     lan: eth0 192.168.7.20, fd00:7::20, LAN_MAC
      │
     host: lan0 (192.168.7.1, fd00:7::1 if routed; a port of br0 if bridged)
      │    vxlan0 (192.168.5.1, fd00:5::1 if routed; a port of br0 if bridged)
      │
     wire
"""

from packets import STATION
from scene import Scene

LAN_MAC = "02:00:00:00:02:20"
ROUTER_MAC = "02:00:00:00:02:01"


class Lan(Scene):
    def __init__(self, net, impl, **options):
        super().__init__(net, impl, **options)
        self.lan = net.namespace("lan")
        net.cable(self.ns, "lan0", self.lan, "eth0", offloads=False)
        self.lan.run(f"ip link set eth0 address {LAN_MAC}")
        self.ns.run(f"ip link set lan0 address {ROUTER_MAC}")
        self.ns.run("ip link add br0 type bridge mcast_snooping 0 forward_delay 0")
        self.ns.run("ip link set br0 up")
        self.eth0 = self.port(self.lan, "eth0")

    def bridged(self, spec, name="vxlan0", **options):
        """A link that is a port of br0, with lan."""
        overlay = self.add(spec, name=name, **options)
        self.ns.run("ip link set lan0 master br0")
        self.ns.run(f"ip link set {name} master br0")
        return overlay

    def routed(self, spec, **options):
        """A link behind which 192.168.5.0/24 and fd00:5::/64 are, with a station at .12; the host routes."""
        overlay = self.add(spec, **options)
        self.ns.run("ip link set lan0 nomaster")
        for key in ("net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"):
            self.ns.sysctl(key, 1)
        for device, network in (("lan0", 7), ("vxlan0", 5)):
            self.ns.sysctl(f"net.ipv6.conf.{device}.disable_ipv6", 0)
            self.ns.run(f"ip addr replace 192.168.{network}.1/24 dev {device}")
            self.ns.run(f"ip -6 addr replace fd00:{network}::1/64 dev {device} nodad")
        for device, address, mac in (
            ("lan0", "192.168.7.20", LAN_MAC), ("lan0", "fd00:7::20", LAN_MAC),
            ("vxlan0", "192.168.5.12", STATION), ("vxlan0", "fd00:5::12", STATION),
        ):
            self.ns.run(f"ip neigh replace {address} lladdr {mac} dev {device} nud permanent")
        return overlay

    def crosses(self, overlay, *frames):
        """What leaves on the wire for frames that lan sends, as Outers; a marker says that it was all."""
        return overlay.sent_from(self.eth0, *frames)
