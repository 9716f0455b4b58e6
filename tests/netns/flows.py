"""Frames of one TCP or UDP flow, and what is merged taken apart again."""

from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from packets import LOCAL, STATION

SIZE = 100  # bytes of payload in each frame
START = 7000  # sequence number of the first
CLOSING = 0x09  # FIN and PSH, which only the last segment of a merged frame has


def part(protocol, version, number, size=SIZE, ip=None, l4=None, payload=None):
    """Frame `number` of the flow, as a scapy packet; `ip` and `l4` are fields that shall not be the usual ones."""
    if version == 4:
        layer = IP(**{"src": "192.168.5.12", "dst": "192.168.5.10", "id": 500 + number, "flags": "DF", **(ip or {})})
    else:
        layer = IPv6(**{"src": "fd00:5::12", "dst": "fd00:5::10", "fl": 77, **(ip or {})})
    fields = {"sport": 1000, "dport": 2000, **(l4 or {})}
    if protocol == "tcp":
        transport = TCP(**{"seq": START + number * SIZE, "ack": 9, "window": 500, "flags": "A", **fields})
    else:
        transport = UDP(**fields)
    payload = payload or bytes([number]) * size
    return Ether(src=STATION, dst=LOCAL) / layer / transport / Raw(payload)


def summed(packet):
    """The bytes of it, lengths and checksums made anew."""
    packet = packet.copy()
    for layer in (IP, IPv6, UDP, TCP):
        for field in ("len", "plen", "chksum"):
            if layer in packet and field in packet[layer].fields:
                delattr(packet[layer], field)
    return bytes(packet)


def apart(frame, protocol):
    """The frames that a merged one stands for; a frame that is none stays as it is."""
    packet = Ether(frame)
    transport = {"tcp": TCP, "udp": UDP}[protocol]
    if transport not in packet or len(packet[transport].payload) < 2 * SIZE:
        return [frame]
    payload = bytes(packet[transport].payload)
    frames = []
    for at in range(0, len(payload), SIZE):
        piece = packet.copy()
        piece[transport].remove_payload()
        piece = piece / Raw(payload[at : at + SIZE])
        if IP in piece:
            piece[IP].id = (piece[IP].id + at // SIZE) & 0xFFFF
        if TCP in piece:
            piece[TCP].seq += at
            if at + SIZE < len(payload):
                piece[TCP].flags = int(piece[TCP].flags) & ~CLOSING
        frames.append(summed(piece))
    return frames
