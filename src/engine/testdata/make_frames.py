#!/usr/bin/python3
"""Writes frames.txt: packets that are too big for a tunnel, and the answers to them, built with scapy so that our
emitters had no hand in them. Run it again when a frame is added; needs scapy.

One block a frame: a line `# name` and its bytes in hexadecimal. `X` and `X-answer` belong together; the MTU that
the answer states is in the test.
"""
import pathlib

from scapy.all import ICMP, IP, TCP, UDP, Dot1AD, Dot1Q, Ether, ICMPv6PacketTooBig, IPv6, IPv6ExtHdrHopByHop, PadN, Raw

HERE = pathlib.Path(__file__).parent
A, B = "02:00:00:00:00:aa", "02:00:00:00:00:bb"


def payload(size):
    return Raw(bytes(i * 7 % 256 for i in range(size)))


def tagged(ethernet, tags, packet):
    for tag in tags:
        ethernet = ethernet / tag
    return ethernet / packet


def ipv4(packet, mtu, tags=()):
    """The frame that carries `packet`, and the answer (RFC 1812 section 4.3.2.3: at most 576 bytes)."""
    quote = bytes(packet)[:576 - 20 - 8]
    answer = (IP(src=packet.dst, dst=packet.src, ttl=64, tos=0xc0, id=0, flags="DF")
              / ICMP(type=3, code=4, nexthopmtu=mtu) / Raw(quote))
    return bytes(tagged(Ether(src=A, dst=B), tags, packet)), bytes(tagged(Ether(src=B, dst=A), tags, answer))


def ipv6(packet, mtu, tags=()):
    """The same for IPv6 (RFC 4443 section 2.4 c: at most 1280 bytes)."""
    quote = bytes(packet)[:1280 - 40 - 8]
    answer = IPv6(src=packet.dst, dst=packet.src, hlim=64) / ICMPv6PacketTooBig(mtu=mtu) / Raw(quote)
    return bytes(tagged(Ether(src=A, dst=B), tags, packet)), bytes(tagged(Ether(src=B, dst=A), tags, answer))


def pairs():
    v4 = IP(src="10.0.0.1", dst="10.0.0.2", flags="DF", id=0x1234, ttl=3, tos=0x2e)
    v6 = IPv6(src="fd00::1", dst="fd00::2", hlim=2, fl=0x12345)
    yield "ipv4-small", ipv4(v4 / UDP(sport=1000, dport=2000) / payload(72), 68)
    yield "ipv4-tagged", ipv4(v4 / TCP(sport=1000, dport=2000, flags="A") / payload(1460), 1450,
                              [Dot1Q(vlan=100, prio=5)])
    yield "ipv6", ipv6(v6 / UDP(sport=1000, dport=2000) / payload(1452), 1430)
    yield "ipv6-two-tags", ipv6(v6 / IPv6ExtHdrHopByHop(options=[PadN(optdata=b"\0" * 4)]) /
                                TCP(sport=1000, dport=2000, flags="PA") / payload(1240), 1280,
                                [Dot1AD(vlan=7), Dot1Q(vlan=100)])


def main():
    with open(HERE / "frames.txt", "w", encoding="ascii") as out:
        for name, (frame, answer) in pairs():
            for block, frame_bytes in ((name, frame), (f"{name}-answer", answer)):
                out.write(f"# {block}\n")
                text = frame_bytes.hex()
                for start in range(0, len(text), 96):
                    out.write(text[start:start + 96] + "\n")


if __name__ == "__main__":
    main()
