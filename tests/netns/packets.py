"""Raw frames in and out of an interface, and what scapy, the judge of bytes, says about them."""

import select
import socket
import struct
import time

from scapy.layers.inet import ICMP, IP, TCP, UDP, in4_chksum
from scapy.layers.inet6 import ICMPv6EchoRequest, IPv6
from scapy.layers.l2 import ARP, LLC, STP, Dot1Q, Dot3, Ether
from scapy.packet import Raw

ETH_P_ALL = 3
SO_RCVBUFFORCE = 33
SOL_PACKET = 263
PACKET_AUXDATA = 8
PACKET_IGNORE_OUTGOING = 23
TP_STATUS_VLAN_VALID = 1 << 4
AUXDATA = struct.Struct("=IIIHHHH")  # struct tpacket_auxdata: status, len, snaplen, mac, net, vlan_tci, vlan_tpid

VXLAN_PORT = 4789
STATION = "02:00:00:00:00:05"  # an overlay station on the far side
LOCAL = "02:00:00:00:00:0a"  # the address of vxlan0 on the near side


class Port:
    """An AF_PACKET socket on one interface of a namespace. Sees what arrives there, not what leaves."""

    def __init__(self, namespace, interface):
        with namespace.entered():
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
            self.socket.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
            self.socket.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
            self.socket.bind((interface, ETH_P_ALL))
        self.socket.setblocking(False)

    def close(self):
        self.socket.close()

    def send(self, *frames):
        for frame in frames:
            self.socket.send(bytes(frame))

    def receive(self, wanted, count=1, timeout=10.0):
        """The first `count` frames for which wanted(bytes) is true, and the others that came in between."""
        found, others = [], []
        deadline = time.monotonic() + timeout
        while len(found) < count:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.socket], [], [], left)[0]:
                raise AssertionError(f"{len(found)} of {count} frames within {timeout:g} s; others seen: {others[:5]}")
            frame = self._read()
            (found if wanted(frame) else others).append(frame)
        return found, others

    def expect(self, wanted, timeout=10.0):
        """The first frame for which wanted(bytes) is true."""
        return self.receive(wanted, timeout=timeout)[0][0]

    def drain(self):
        """Everything that has arrived and nobody has asked for."""
        frames = []
        while select.select([self.socket], [], [], 0)[0]:
            frames.append(self._read())
        return frames

    def _read(self):
        """One frame as it was on the wire: the kernel hands an outer VLAN tag over beside it."""
        frame, ancillary, _, _ = self.socket.recvmsg(70000, 256)
        for level, kind, data in ancillary:
            if level == SOL_PACKET and kind == PACKET_AUXDATA:
                status, _, _, _, _, tci, tpid = AUXDATA.unpack(data[: AUXDATA.size])
                if status & TP_STATUS_VLAN_VALID:
                    frame = frame[:12] + struct.pack("!HH", tpid or 0x8100, tci) + frame[12:]
        return frame


def frame_kinds(source, destination):
    """Inner frames of every sort a station sends, by name."""
    ether = Ether(src=source, dst=destination)
    v4 = ether / IP(src="192.168.5.10", dst="192.168.5.12")
    v6 = ether / IPv6(src="fd00::10", dst="fd00::12")
    kinds = {
        "arp": ether / ARP(hwsrc=source, psrc="192.168.5.10", pdst="192.168.5.12"),
        "icmp": v4 / ICMP(id=7, seq=1) / (b"x" * 56),
        "icmpv6": v6 / ICMPv6EchoRequest(id=7, seq=1, data=b"x" * 56),
        "udp": v4 / UDP(sport=1000, dport=2000) / b"hello",
        "udp-without-payload": v4 / UDP(sport=1000, dport=2000),
        "udp6": v6 / UDP(sport=1000, dport=2000) / b"hello",
        "tcp-syn": v4 / TCP(sport=1000, dport=2000, flags="S", options=[("MSS", 1410)]),
        "ip-fragment": ether / IP(src="192.168.5.10", dst="192.168.5.12", frag=100, proto=17) / b"rest",
        "ip-options": ether / IP(src="192.168.5.10", dst="192.168.5.12", options=b"\x94\x04\0\0") / UDP() / b"alert",
        "vlan": Ether(src=source, dst=destination) / Dot1Q(vlan=100, prio=5) / IP() / UDP() / b"tagged",
        "unknown-ethertype": Ether(src=source, dst=destination, type=0x88B5) / (b"\xa5" * 46),
        "llc": Dot3(src=source, dst=destination) / LLC() / STP(),
        "header-alone": Ether(src=source, dst=destination, type=0x88B5),
        "odd-length": Ether(src=source, dst=destination, type=0x88B5) / (b"\x5a" * 101),
        "largest": v4 / UDP(sport=1000, dport=2000) / (b"z" * (1450 - 28)),
    }
    return {name: bytes(frame) for name, frame in kinds.items()}


def vxlan_header(vni, flags=0x08, reserved=b"\0\0\0", last=0):
    return bytes([flags]) + reserved + vni.to_bytes(3, "big") + bytes([last])


def datagram(
    payload, source="10.0.0.2", to="10.0.0.1", to_mac=None, from_mac=None, sport=51000, dport=VXLAN_PORT, **udp
):
    """An underlay frame with this UDP payload; scapy fills in lengths and checksums unless `udp` says otherwise."""
    headers = Ether(src=from_mac, dst=to_mac) / IP(src=source, dst=to) / UDP(sport=sport, dport=dport, **udp)
    return bytes(headers / Raw(payload))


def is_vxlan(frame, port=VXLAN_PORT):
    packet = Ether(frame)
    return IP in packet and UDP in packet and packet[UDP].dport == port


def inner_of(frame):
    """The bytes behind the outer Ethernet, IPv4 (without options), UDP and VXLAN headers."""
    return frame[14 + 20 + 8 + 8 :]


def source_port(frame):
    return Ether(frame)[UDP].sport


def check_outer(
    frame, inner, vni, source, remote, source_mac, remote_mac, ttl=64, ports=(49152, 65535), port=VXLAN_PORT
):
    """Every byte in front of the inner frame, and the inner frame."""
    assert inner_of(frame) == inner
    ether = Ether(frame)
    assert (ether.src, ether.dst, ether.type) == (source_mac, remote_mac, 0x0800)
    ip = ether[IP]
    assert (ip.version, ip.ihl, ip.tos) == (4, 5, 0)
    assert ip.len == 20 + 8 + 8 + len(inner) == len(frame) - 14
    assert ip.flags == 0 and ip.frag == 0, f"DF must be clear and nothing fragmented: {ip.flags}"
    assert (ip.ttl, ip.proto, ip.src, ip.dst) == (ttl, 17, source, remote)
    fresh = ip.copy()
    del fresh.chksum
    assert ip.chksum == IP(bytes(fresh)).chksum
    udp = ip[UDP]
    assert ports[0] <= udp.sport <= ports[1]
    assert udp.dport == port
    assert udp.len == 8 + 8 + len(inner)
    # RFC 768: summed over itself, a right checksum gives zero; RFC 7348 section 5 allows none at all.
    assert udp.chksum == 0 or in4_chksum(17, ip, frame[14 + 20 :]) == 0
    assert frame[42:50] == vxlan_header(vni)
