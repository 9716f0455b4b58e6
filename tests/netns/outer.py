"""Underlay packets, read and made, over IPv4 and IPv6 alike."""

from dataclasses import dataclass

from scapy.layers.inet import IP, UDP, in4_chksum
from scapy.layers.inet6 import IPv6, in6_chksum
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from packets import VXLAN_PORT, vxlan_header

TUNNEL_PORTS = (4789, 8472)


@dataclass(frozen=True)
class Outer:
    """What stood around an inner frame. `tos` is the traffic class over IPv6; `checksum` is "none", "right" or
    "wrong"; `dont_fragment` and `flow_label` are None where the IP version has no such thing."""

    to_mac: str
    source: str
    remote: str
    tos: int
    ttl: int
    dont_fragment: bool | None
    flow_label: int | None
    sport: int
    dport: int
    checksum: str
    header: bytes
    inner: bytes

    @property
    def vni(self):
        return int.from_bytes(self.header[4:7], "big")

    @property
    def dscp(self):
        return self.tos >> 2

    @property
    def ecn(self):
        return self.tos & 3


def outer_of(frame, ports=TUNNEL_PORTS):
    """The outer headers of an underlay frame, or None if it is no tunnel packet, or not all of one."""
    ether = Ether(frame)
    ip = ether.getlayer(IP) or ether.getlayer(IPv6)
    if ip is None or ether.payload is not ip or UDP not in ip or ip.payload is not ip[UDP]:
        return None
    if ip[UDP].dport not in ports:
        return None
    udp, v4 = ip[UDP], ip.version == 4
    start = 14 + (ip.ihl * 4 if v4 else 40)
    end = 14 + (ip.len if v4 else 40 + ip.plen)
    segment = frame[start:end]
    if udp.chksum == 0:
        checksum = "none"
    else:
        checksum = "wrong" if (in4_chksum if v4 else in6_chksum)(17, ip, segment) else "right"
    return Outer(
        to_mac=ether.dst,
        source=ip.src,
        remote=ip.dst,
        tos=ip.tos if v4 else ip.tc,
        ttl=ip.ttl if v4 else ip.hlim,
        dont_fragment=bool(ip.flags.DF) if v4 else None,
        flow_label=None if v4 else ip.fl,
        sport=udp.sport,
        dport=udp.dport,
        checksum=checksum,
        header=segment[8:16],
        inner=segment[16:],
    )


def tunnelled(inner, source, to, to_mac, from_mac, vni=6000, header=None, dport=VXLAN_PORT, ip=None, udp=None):
    """An underlay frame with `inner` in it; `ip` and `udp` are fields that shall not be the usual ones."""
    layer = (IPv6 if ":" in source else IP)(src=source, dst=to, **(ip or {}))
    packet = Ether(src=from_mac, dst=to_mac) / layer / UDP(**{"sport": 51000, "dport": dport, **(udp or {})})
    return bytes(packet / Raw((header or vxlan_header(vni)) + inner))
