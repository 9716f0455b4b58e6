#!/usr/bin/python3
"""Writes frames.txt: named frames, and what tcpdump says about each of them.

The frames are picks from writeup.pcap (see the script `capture`) and some built with scapy, so that neither our
emitters nor our printer had a hand in them. Run it again when a frame is added; needs tcpdump and scapy.

One block a frame: a line `# name`, its bytes in hexadecimal, and tcpdump's lines, each behind `> `.
"""
import pathlib
import subprocess
import tempfile

from scapy.all import (ARP, Dot1AD, Dot1Q, Dot3, DNS, DNSQR, Ether, GRE, ICMP, ICMPv6DestUnreach, ICMPv6EchoRequest,
                       ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6ND_RA, ICMPv6NDOptDstLLAddr, ICMPv6NDOptMTU,
                       ICMPv6NDOptPrefixInfo, ICMPv6NDOptSrcLLAddr, ICMPv6PacketTooBig, ICMPv6TimeExceeded, IP, IPOption, IPv6,
                       IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop, IPv6ExtHdrRouting, LLC, PadN, Raw, RouterAlert, STP, TCP, UDP,
                       VXLAN, checksum, in6_chksum, rdpcap, wrpcap)

HERE = pathlib.Path(__file__).parent


def tcpdump(frames):
    """One list of lines a frame; absolute TCP sequence numbers (-S), since a frame is looked at alone."""
    texts = []
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/frame.pcap"
        for frame in frames:
            wrpcap(path, [Raw(frame)], linktype=1)
            run = subprocess.run(["tcpdump", "-r", path, "-e", "-n", "-t", "-S"], capture_output=True, check=True)
            texts.append(run.stdout.decode().splitlines())
    return texts


# --- picks from the capture -----------------------------------------------------------------------------------

# The capture's addresses → the write-up's: link vxlan0 of VNI 6000, link vxlan1 (there vxlan0 too) of VNI 80000.
# The latter's underlay goes through a gateway.
S20, S3 = "ba:6b:8c:86:6d:83", "ba:6b:8c:89:88:22"
OUTER = {6000: {S20: "bb:6b:8c:86:6d:83", S3: "bb:6b:8c:89:88:22"},
         80000: {S20: "bb:e9:75:75:60:01", S3: "bb:6b:8c:86:70:de"}}


def as_in_the_writeup(packet, source_port):
    frame = Ether(bytes(packet))
    vni = frame[VXLAN].vni if VXLAN in frame else 6000
    macs = OUTER[vni]
    frame.src, frame.dst = macs.get(frame.src, frame.src), macs.get(frame.dst, frame.dst)
    if ARP in frame and VXLAN not in frame:
        frame[ARP].hwsrc = macs.get(frame[ARP].hwsrc, frame[ARP].hwsrc)
        frame[ARP].hwdst = macs.get(frame[ARP].hwdst, frame[ARP].hwdst)
    if source_port:
        frame[UDP].sport = source_port
    if VXLAN in frame:
        del frame[UDP].chksum  # Linux sends one unless it is told not to; scapy fills it in anew
    if vni != 80000:
        return bytes(frame)
    inner = frame[VXLAN].payload
    is_ping = ICMP in inner or ARP in inner
    if is_ping:  # the write-up made the link anew before it pinged
        swap = {"a2:c7:a1:a5:e5:ec": "4a:13:be:ec:2f:59"}
        inner.src, inner.dst = swap.get(inner.src, inner.src), swap.get(inner.dst, inner.dst)
    for layer, fields in ((ARP, ("psrc", "pdst")), (IP, ("src", "dst"))):
        if layer in inner:
            for field in fields:
                value = getattr(inner[layer], field)
                setattr(inner[layer], field, value.replace("192.168.6.", "192.168.5."))
    if ARP in inner:
        inner[ARP].hwsrc = swap.get(inner[ARP].hwsrc, inner[ARP].hwsrc)
        inner[ARP].hwdst = swap.get(inner[ARP].hwdst, inner[ARP].hwdst)
    if IP in inner:
        del inner[IP].chksum
        if UDP in inner:
            del inner[UDP].chksum
    return bytes(frame)


# name, a part of tcpdump's text that finds it, the write-up's source port, number among those found.
PICKS = [
    ("multicast-arp-request", "vni 6000\n4a:bd:99:0c:09:b2 > ff:ff:ff:ff:ff:ff, ethertype ARP", 40103, 0),
    ("arp-reply", "vni 6000\n62:7a:e6:8f:bc:5c > 4a:bd:99:0c:09:b2, ethertype ARP", 34917, 0),
    ("icmp-echo-request", "ICMP echo request, id 61", 57039, 0),
    ("icmp-echo-reply", "ICMP echo reply, id 61", 56258, 0),
    ("underlay-arp-request", "Request who-has 10.138.36.58 tell 10.138.36.66", None, 0),
    ("underlay-arp-reply", "Reply 10.138.36.58 is-at", None, 0),
    ("netbios-name-query", "192.168.6.255.137: UDP", 47688, 0),
    ("netbios-datagram", "192.168.6.255.138: UDP", 33419, 0),
    ("router-solicitation", "fe80::a0c7:a1ff:fea5:e5ec > ff02::2: ICMP6", 39339, 0),
    ("mdns-query", "224.0.0.251.5353: 0", 42587, 0),
    ("mdns-query-ipv6", "ff02::fb.5353: 0", 58507, 0),
    ("point-to-point-arp-request", "Request who-has 192.168.6.123 tell 192.168.6.121", 40103, 0),
    ("point-to-point-arp-reply", "Reply 192.168.6.123 is-at", 57129, 0),
    ("point-to-point-icmp-echo-request", "ICMP echo request, id 62", 40030, 0),
    ("point-to-point-icmp-echo-reply", "ICMP echo reply, id 62", 42413, 0),
    ("neighbor-solicitation-dad", ":: > ff02::1:ff0c:9b2: ICMP6, neighbor solicitation", None, 0),
    ("neighbor-solicitation", "fe80::48bd:99ff:fe0c:9b2 > ff02::1:ff8f:bc5c: ICMP6", None, 0),
    ("neighbor-advertisement", "neighbor advertisement, tgt is fe80::607a", None, 0),
    ("neighbor-advertisement-without-option", "neighbor advertisement, tgt is fe80::48bd", None, 0),
    ("icmpv6-echo-request", "ICMP6, echo request", None, 0),
    ("icmpv6-echo-reply", "ICMP6, echo reply", None, 0),
    ("mldv2-report", "fe80::48bd:99ff:fe0c:9b2 > ff02::16: HBH ICMP6", None, 0),
    ("igmpv3-report", "igmp v3 report", None, 0),
    ("tcp-syn", "Flags [S],", None, 0),
    ("tcp-syn-ack", "Flags [S.],", None, 0),
    ("tcp-ack", "Flags [.],", None, 0),
    ("tcp-data", "Flags [P.],", None, 0),
    ("tcp-fin", "Flags [F.],", None, 0),
]


def picks():
    packets = rdpcap(str(HERE / "writeup.pcap"))
    texts = ["\n".join(lines) for lines in tcpdump([bytes(p) for p in packets])]
    for name, part, source_port, number in PICKS:
        found = [i for i, text in enumerate(texts) if part in text]
        yield name, as_in_the_writeup(packets[found[number]], source_port)


# --- built with scapy -----------------------------------------------------------------------------------------

A, B = "02:00:00:00:00:0a", "02:00:00:00:00:0b"
A4, B4, A6, B6 = "192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2"


def ether(payload, **fields):
    return bytes(Ether(**{"src": A, "dst": B, **fields}) / payload)


def vxlan(inner, vni=100, port=4789, ip=None, first_word=0x08000000, reserved=0):
    # Not scapy's layer: that sets a flag of a VXLAN extension (GPE).
    header = first_word.to_bytes(4, "big") + (vni << 8 | reserved).to_bytes(4, "big")
    return (ip or IP(src=A4, dst=B4)) / UDP(sport=50000, dport=port, chksum=0) / header / inner


def igmp(first_bytes, to):
    body = bytearray(bytes.fromhex(first_bytes))
    body[2:4] = checksum(bytes(body)).to_bytes(2, "big")
    return IP(src=A4, dst=to, ttl=1, proto=2, options=[IPOption(b"\x94\x04\0\0")]) / bytes(body)


def mld(first_bytes, to, source="fe80::1", alert=True):
    body = bytearray(bytes.fromhex(first_bytes))
    options = [RouterAlert()] if alert else []
    packet = IPv6(src=source, dst=to, hlim=1) / IPv6ExtHdrHopByHop(options=options, nh=58)
    body[2:4] = in6_chksum(58, IPv6(src=source, dst=to), bytes(body)).to_bytes(2, "big")
    return packet / bytes(body)


def built():
    udp4 = IP(src=A4, dst=B4) / UDP(sport=1000, dport=2000) / b"payload"
    udp6 = IPv6(src=A6, dst=B6) / UDP(sport=1000, dport=2000) / b"payload"
    tcp4 = IP(src=A4, dst=B4, id=7) / TCP(sport=40000, dport=5001, seq=1000, ack=2000, window=512, flags="A")
    ping = IP(src=A4, dst=B4) / ICMP(id=1, seq=2) / b"0123456789"

    yield "arp-gratuitous", ether(ARP(op=1, hwsrc=A, psrc=A4, pdst=A4), dst="ff:ff:ff:ff:ff:ff")
    yield "arp-announcement-reply", ether(ARP(op=2, hwsrc=A, psrc=A4, hwdst=A, pdst=A4), dst="ff:ff:ff:ff:ff:ff")
    yield "arp-probe", ether(ARP(op=1, hwsrc=A, psrc="0.0.0.0", pdst=A4), dst="ff:ff:ff:ff:ff:ff")
    yield "arp-unicast-request", ether(ARP(op=1, hwsrc=A, psrc=A4, hwdst=B, pdst=B4))
    yield "arp-padded", ether(ARP(op=2, hwsrc=A, psrc=A4, hwdst=B, pdst=B4) / (b"\0" * 18))
    yield "vlan-arp", ether(Dot1Q(vlan=5) / ARP(op=1, hwsrc=A, psrc=A4, pdst=B4))
    yield "vlan-priority-drop-eligible", ether(Dot1Q(vlan=4094, prio=7, id=1) / udp4)
    yield "vlan-stacked", ether(Dot1AD(vlan=100) / Dot1Q(vlan=5, prio=3) / udp4)
    yield "vlan-three-tags", ether(Dot1Q(vlan=1) / Dot1Q(vlan=2) / Dot1Q(vlan=3) / udp4)
    yield "udp4", ether(udp4)
    yield "udp4-no-checksum", ether(IP(src=A4, dst=B4) / UDP(sport=1000, dport=2000, chksum=0) / b"payload")
    yield "udp4-empty", ether(IP(src=A4, dst=B4) / UDP(sport=1000, dport=2000))
    yield "udp4-padded", ether(udp4) + b"\0" * 11
    yield "udp4-options", ether(IP(src=A4, dst=B4, options=[IPOption(b"\x94\x04\0\0")]) / UDP(sport=1, dport=2) / b"x")
    yield "udp6", ether(udp6)
    yield "udp6-fields", ether(IPv6(src=A6, dst=B6, tc=0xb8, fl=0xabcde, hlim=1) / UDP(sport=1000, dport=2000) / b"xy")
    yield "udp4-first-fragment", ether(IP(src=A4, dst=B4, id=9, flags="MF", proto=17) / bytes(
        UDP(sport=1000, dport=2000, len=4008, chksum=1) / (b"a" * 1400)))
    yield "udp4-later-fragment", ether(IP(src=A4, dst=B4, id=9, frag=176, proto=17) / (b"a" * 100))
    yield "udp6-first-fragment", ether(IPv6(src=A6, dst=B6) / IPv6ExtHdrFragment(m=1, id=77, nh=17) / bytes(
        UDP(sport=1000, dport=2000, len=4008, chksum=1) / (b"a" * 1400)))
    yield "udp6-later-fragment", ether(IPv6(src=A6, dst=B6) / IPv6ExtHdrFragment(offset=176, id=77, nh=17) / (b"a" * 64))
    yield "udp6-atomic-fragment", ether(IPv6(src=A6, dst=B6) / IPv6ExtHdrFragment(id=77) / udp6[UDP])
    yield "udp6-extension-headers", ether(
        IPv6(src=A6, dst=B6) / IPv6ExtHdrHopByHop(options=[PadN(optdata=b"\0" * 4)]) /
        IPv6ExtHdrDestOpt(options=[PadN(optdata=b"\0" * 12)]) / udp6[UDP])
    yield "udp6-routing-header", ether(IPv6(src=A6, dst=B6) / IPv6ExtHdrRouting(addresses=[B6]) / udp6[UDP])
    yield "ipv6-no-next-header", ether(IPv6(src=A6, dst=B6, nh=59))
    yield "ipv6-too-many-extension-headers", ether(
        IPv6(src=A6, dst=B6, nh=60) / (bytes(IPv6ExtHdrDestOpt(nh=60)) * 11) / bytes(IPv6ExtHdrDestOpt(nh=17)) /
        bytes(udp6[UDP]))
    yield "tcp-rst", ether(IP(src=A4, dst=B4) / TCP(sport=40000, dport=5001, seq=5, flags="R", window=0))
    yield "tcp-all-flags", ether(IP(src=A4, dst=B4) / TCP(
        sport=40000, dport=5001, seq=5, ack=6, flags="FSRPAUEC", urgptr=3, window=1))
    yield "tcp-no-flags", ether(IP(src=A4, dst=B4) / TCP(sport=40000, dport=5001, seq=5, flags="", window=1))
    yield "tcp-urgent", ether(IP(src=A4, dst=B4) / TCP(
        sport=40000, dport=5001, seq=5, ack=6, flags="PAU", urgptr=3, window=1) / b"abc")
    yield "tcp-sack", ether(IP(src=A4, dst=B4) / TCP(
        sport=40000, dport=5001, seq=5, ack=6, flags="A", window=1,
        options=[("NOP", None), ("NOP", None), ("SAck", (10, 20, 30, 40))]))
    yield "tcp-unknown-option", ether(IP(src=A4, dst=B4) / TCP(
        sport=40000, dport=5001, seq=5, flags="S", options=[("MSS", 1460), (200, b"\1\2"), ("EOL", None)]))
    yield "tcp-malformed-option", ether(IP(src=A4, dst=B4, proto=6) / (
        bytes.fromhex("9c401389 00000005 00000006 60100001 00000000 08ff0000")))
    yield "tcp-ipv6", ether(IPv6(src=A6, dst=B6) / TCP(sport=40000, dport=5001, seq=5, ack=6, flags="PA") / b"abc")
    yield "tcp-super-frame", ether(tcp4 / (b"a" * 8000))
    yield "icmp-echo", ether(ping)
    yield "icmp-port-unreachable", ether(IP(src=B4, dst=A4) / ICMP(type=3, code=3) / udp4)
    yield "icmp-host-unreachable", ether(IP(src=B4, dst=A4) / ICMP(type=3, code=1) / udp4)
    yield "icmp-fragmentation-needed", ether(IP(src=B4, dst=A4) / ICMP(type=3, code=4, nexthopmtu=1450) / udp4)
    yield "icmp-time-exceeded", ether(IP(src=B4, dst=A4) / ICMP(type=11, code=0) / udp4)
    yield "icmpv6-unreachable", ether(IPv6(src=B6, dst=A6) / ICMPv6DestUnreach(code=4) / udp6)
    yield "icmpv6-packet-too-big", ether(IPv6(src=B6, dst=A6) / ICMPv6PacketTooBig(mtu=1430) / udp6)
    yield "icmpv6-bad-checksum", ether(IPv6(src=A6, dst=B6) / ICMPv6EchoRequest(id=1, seq=2, cksum=1) / b"data")
    yield "router-advertisement", ether(
        IPv6(src="fe80::1", dst="ff02::1", hlim=255) / ICMPv6ND_RA(M=1, O=1, routerlifetime=1800, reachabletime=5, retranstimer=6) /
        ICMPv6NDOptSrcLLAddr(lladdr=A) / ICMPv6NDOptMTU(mtu=1450) / ICMPv6NDOptPrefixInfo(prefix="2001:db8::"))
    yield "neighbor-solicitation-unicast", ether(
        IPv6(src=A6, dst=B6, hlim=255) / ICMPv6ND_NS(tgt=B6) / ICMPv6NDOptSrcLLAddr(lladdr=A))
    yield "neighbor-advertisement-unsolicited", ether(
        IPv6(src=A6, dst="ff02::1", hlim=255) / ICMPv6ND_NA(tgt=A6, R=0, S=0, O=1) / ICMPv6NDOptDstLLAddr(lladdr=A))
    yield "neighbor-solicitation-zero-length-option", ether(
        IPv6(src=A6, dst=B6, hlim=255) / ICMPv6ND_NS(tgt=B6) / bytes.fromhex("0100020000000000"))
    yield "neighbor-solicitation-hop-limit", ether(
        IPv6(src=A6, dst=B6, hlim=64) / ICMPv6ND_NS(tgt=B6) / ICMPv6NDOptSrcLLAddr(lladdr=A))
    yield "igmp-query-v2", ether(igmp("11640000 00000000", "224.0.0.1"))
    yield "igmp-query-v3", ether(igmp("11640000 00000000 027d0000", "224.0.0.1"))
    yield "igmp-report-v2", ether(igmp("16000000 ef010101", "239.1.1.1"))
    yield "igmp-leave", ether(igmp("17000000 ef010101", "224.0.0.2"))
    yield "igmp-query-v1", ether(igmp("11000000 00000000", "224.0.0.1"))
    yield "igmp-query-v2-group", ether(igmp("110a0000 ef010101", "239.1.1.1"))
    yield "igmp-query-v3-group", ether(igmp("110a0000 ef010101 0a7d0000", "239.1.1.1"))
    yield "igmp-query-v3-sources", ether(igmp("118a0000 ef010101 0290 0002 c0000209 c633640a", "239.1.1.1"))
    yield "igmp-query-v3-long-response", ether(igmp("11c00000 00000000 02900000", "224.0.0.1"))
    yield "igmp-query-v3-sources-cut-off", ether(igmp("110a0000 ef010101 027d0009 c0000209", "239.1.1.1"))
    yield "igmp-query-length-10", ether(igmp("11640000 00000000 0000", "224.0.0.1"))
    yield "igmp-report-v1", ether(igmp("12000000 ef010101", "239.1.1.1"))
    yield "igmp-report-v2-long", ether(igmp("16000000 ef010101 00000000", "239.1.1.1"))
    yield "igmp-report-v3-sources", ether(igmp(
        "22000000 00000003 06000001 ef010101 c0000209 03000000 ef010102 01010001 ef010103 c633640a deadbeef", "224.0.0.22"))
    yield "igmp-report-v3-cut-off", ether(igmp("22000000 00000002 04000009 ef010101 c0000209", "224.0.0.22"))
    yield "igmp-other-type", ether(igmp("30010000 00000000", "224.0.0.106"))
    yield "mld-query", ether(mld("82000000 27100000" + "00" * 16, "ff02::1"))
    yield "mld-query-group", ether(mld("82000000 03e80000 ff0e0000000000000000000000010101", "ff0e::1:101"))
    yield "mld-report", ether(mld("83000000 00000000 ff0e0000000000000000000000010101", "ff0e::1:101"))
    yield "mld-done", ether(mld("84000000 00000000 ff0e0000000000000000000000010101", "ff02::2"))
    yield "mld-report-cut-off", ether(mld("83000000 00000000 ff0e0000", "ff0e::1:101"))
    yield "mldv2-query", ether(mld("82000000 27100000" + "00" * 16 + "027d0000", "ff02::1"))
    yield "mldv2-query-sources", ether(mld(
        "82000000 83e80000 ff0e0000000000000000000000010101 0a900001 20010db8000000000000000000000009", "ff0e::1:101"))
    yield "mldv2-query-sources-cut-off", ether(mld(
        "82000000 03e80000 ff0e0000000000000000000000010101 027d0005 20010db8", "ff0e::1:101"))
    yield "mld-query-length-26", ether(mld("82000000 27100000" + "00" * 18, "ff02::1"))
    yield "mldv2-report-sources", ether(mld(
        "8f000000 00000002 06000001 ff0e0000000000000000000000010101 20010db8000000000000000000000009"
        "03000000 ff0e0000000000000000000000010102", "ff02::16"))
    yield "mldv2-report-cut-off", ether(mld("8f000000 00000003 04000001 ff0e0000000000000000000000010101", "ff02::16"))
    yield "igmp-cut-off", ether(IP(src=A4, dst=B4, proto=2) / b"\x16\0\0\0")
    yield "icmp-redirect", ether(IP(src=B4, dst=A4) / ICMP(type=5, code=1, gw=B4) / udp4)
    yield "icmp-net-unreachable", ether(IP(src=B4, dst=A4) / ICMP(type=3, code=0) / udp4)
    yield "icmp-protocol-unreachable", ether(IP(src=B4, dst=A4) / ICMP(type=3, code=2) / IP(src=A4, dst=B4, proto=47))
    yield "icmp-source-route-failed", ether(IP(src=B4, dst=A4) / ICMP(type=3, code=99) / udp4)
    yield "icmp-reassembly-time-exceeded", ether(IP(src=B4, dst=A4) / ICMP(type=11, code=1) / udp4)
    yield "icmp-unreachable-cut-off", ether(IP(src=B4, dst=A4) / ICMP(type=3, code=3) / b"1234")
    yield "icmp-other-type", ether(IP(src=B4, dst=A4) / ICMP(type=200) / b"1234")
    yield "icmpv6-no-route", ether(IPv6(src=B6, dst=A6) / ICMPv6DestUnreach(code=0) / udp6)
    yield "icmpv6-time-exceeded", ether(IPv6(src=B6, dst=A6) / ICMPv6TimeExceeded() / udp6)
    yield "icmpv6-cut-off", ether(IPv6(src=B6, dst=A6, nh=58) / b"\x80\0")
    yield "icmpv6-unknown-type", ether(IPv6(src=B6, dst=A6, nh=58) / bytes.fromhex("c8 00 0000 00000000"))
    yield "arp-other-operation", ether(ARP(op=8, hwsrc=A, psrc=A4, hwdst=B, pdst=B4))
    yield "arp-other-hardware", ether(b"\0\x06" + bytes(ARP(op=1, hwsrc=A, psrc=A4, hwdst=B, pdst=B4))[2:], type=0x0806)
    yield "ipv6-authentication-header", ether(
        IPv6(src=A6, dst=B6, nh=51) / bytes.fromhex("11 04 0000 00000001 00000002 000102030405060708090a0b") / bytes(udp6[UDP]))
    yield "ipv6-extension-header-cut-off", ether(IPv6(src=A6, dst=B6, nh=0) / bytes.fromhex("11 05 0000 00000000"))
    yield "gre", ether(IP(src=A4, dst=B4) / GRE() / udp4)
    yield "ipv4-unknown-protocol", ether(IP(src=A4, dst=B4, proto=253) / b"12345678")
    yield "ipv6-unknown-protocol", ether(IPv6(src=A6, dst=B6, nh=253) / b"12345678")
    yield "ipv4-bad-checksum", ether(IP(src=A4, dst=B4, chksum=1) / UDP(sport=1000, dport=2000) / b"payload")
    yield "ipv4-total-length-too-small", ether(IP(src=A4, dst=B4, len=10) / UDP(sport=1000, dport=2000) / b"payload")
    yield "ipv4-truncated", ether(IP(src=A4, dst=B4, len=100) / UDP(sport=1000, dport=2000, len=80) / b"payload")
    yield "ipv6-truncated", ether(IPv6(src=A6, dst=B6, plen=100) / UDP(sport=1000, dport=2000, len=100) / b"payload")
    yield "ipv4-bad-header-length", ether(IP(src=A4, dst=B4, ihl=3) / b"12345678")
    yield "ipv4-cut-off", ether(b"\x45\0\0\x14", type=0x0800)
    yield "ipv6-cut-off", ether(b"\x60\0\0\0", type=0x86dd)
    yield "ipv4-wrong-version", ether(b"\x65" + bytes(udp4)[1:], type=0x0800)
    yield "arp-cut-off", ether(bytes(ARP())[:20], type=0x0806)
    yield "udp4-cut-off", ether(IP(src=A4, dst=B4, proto=17) / b"\x03\xe8\x07")
    yield "udp4-header-cut-off", ether(IP(src=A4, dst=B4, proto=17) / b"\x03\xe8\x07\xd0\0\x08")
    yield "udp4-length-too-large", ether(IP(src=A4, dst=B4) / UDP(sport=1000, dport=2000, len=50) / b"payload")
    yield "udp4-length-too-small", ether(IP(src=A4, dst=B4) / UDP(sport=1000, dport=2000, len=5) / b"payload")
    yield "tcp-cut-off", ether(IP(src=A4, dst=B4, proto=6) / bytes(tcp4[TCP])[:12])
    yield "tcp-ports-cut-off", ether(IP(src=A4, dst=B4, proto=6) / b"\x03\xe8")
    yield "tcp-options-cut-off", ether(IP(src=A4, dst=B4) / TCP(sport=1, dport=2, seq=3, dataofs=8, flags="S"))
    yield "tcp-first-fragment", ether(IP(src=A4, dst=B4, flags="MF") / TCP(sport=1, dport=2, seq=3, flags="A") / (b"a" * 12))
    yield "tcp-bad-data-offset", ether(IP(src=A4, dst=B4) / TCP(sport=1, dport=2, seq=3, dataofs=2, flags="S"))
    yield "icmp-cut-off", ether(IP(src=A4, dst=B4, proto=1) / b"\x08\0")
    yield "ethernet-only", bytes(Ether(src=A, dst=B, type=0x0800))
    yield "vlan-cut-off", bytes(Ether(src=A, dst=B, type=0x8100)) + b"\0"
    yield "unknown-ethertype", ether(b"12345678", type=0x88b5)
    yield "lldp", ether(bytes.fromhex("0207040200000000 0a0403 6130 06020078 0000".replace(" ", "")), type=0x88cc)
    yield "spanning-tree", bytes(Dot3(src=A, dst="01:80:c2:00:00:00") / LLC() / STP())
    yield "vxlan-ping", ether(vxlan(Ether(src=A, dst=B) / ping))
    yield "vxlan-outer-ipv6", ether(vxlan(Ether(src=A, dst=B) / ping, ip=IPv6(src=A6, dst=B6)))
    yield "vxlan-without-i-flag", ether(vxlan(Ether(src=A, dst=B) / ping, first_word=0))
    yield "vxlan-reserved-bits", ether(vxlan(Ether(src=A, dst=B) / ping, first_word=0xff123456, reserved=0x78))
    yield "vxlan-linux-port", ether(vxlan(Ether(src=A, dst=B) / ping, port=8472))
    yield "vxlan-from-the-port", ether(IP(src=A4, dst=B4) / UDP(sport=4789, dport=50000) / b"12345678901234567890")
    yield "vxlan-cut-off", ether(IP(src=A4, dst=B4) / UDP(sport=50000, dport=4789, chksum=0) / b"\x08\0\0\0\0\0")
    yield "vxlan-empty", ether(vxlan(b""))
    yield "vxlan-inner-cut-off", ether(vxlan(b"\2\0\0\0\0"))
    yield "vxlan-inner-vlan", ether(vxlan(Ether(src=A, dst=B) / Dot1Q(vlan=5) / ARP(op=1, hwsrc=A, psrc=A4, pdst=B4)))
    yield "vxlan-in-vxlan", ether(vxlan(Ether(src=A, dst=B) / vxlan(Ether(src=A, dst=B) / ping, vni=200)))
    yield "vxlan-inner-tcp", ether(vxlan(Ether(src=A, dst=B) / tcp4 / b"abc"))
    yield "mdns-two-names", ether(IP(src=A4, dst="224.0.0.251") / UDP(sport=5353, dport=5353) / DNS(
        rd=0, qd=DNSQR(qname="printer.local", qtype="A") / DNSQR(qname="printer.local", qtype="AAAA")))
    yield "mdns-unicast-question", ether(IP(src=A4, dst="224.0.0.251") / UDP(sport=5353, dport=5353) / DNS(
        rd=0, qd=DNSQR(qname="a.local", qtype="SRV", qclass=0x8001)))


def main():
    names, frames = zip(*picks(), *built())
    assert len(set(names)) == len(names)
    with open(HERE / "frames.txt", "w", encoding="ascii") as out:
        for name, frame, lines in zip(names, frames, tcpdump(frames)):
            out.write(f"# {name}\n")
            text = frame.hex()
            for start in range(0, len(text), 96):
                out.write(text[start:start + 96] + "\n")
            for line in lines:
                out.write(f"> {line}\n")


if __name__ == "__main__":
    main()
