#!/usr/bin/python3
"""Writes the corpus of the netlink parsers: corpus/netlink/NAME.bin, little-endian as the kernel here speaks.

The first byte chooses the parser (netlink_fuzz.cc), the rest is the payload of a message. Links are those of
src/io/testdata; the others are made here.
"""
import ipaddress
import pathlib
import re
import shutil
import struct

HERE = pathlib.Path(__file__).parent
FOLDER = HERE / "corpus/netlink"
TESTDATA = HERE / "../../src/io/testdata"
LINK, ADDRESS, NEIGHBOUR, ROUTE, BRIDGE = range(5)

AF_INET, AF_INET6, AF_BRIDGE = 2, 10, 7
IFA_ADDRESS, IFA_LOCAL, IFA_FLAGS = 1, 2, 8
NDA_DST, NDA_LLADDR, NDA_CACHEINFO, NDA_PORT, NDA_VNI, NDA_IFINDEX, NDA_MASTER, NDA_NH_ID = 1, 2, 3, 6, 7, 8, 9, 13
NUD_PERMANENT, NTF_PROXY = 0x80, 0x08
RTA_DST, RTA_OIF, RTA_GATEWAY, RTA_PRIORITY, RTA_MULTIPATH, RTA_TABLE, RTA_VIA = 1, 4, 5, 6, 9, 15, 18
MAIN, BLACKHOLE, ONLINK, CLONED, VTEP = 254, 6, 4, 0x200, 86


def ip(text):
    return ipaddress.ip_address(text).packed


def u32(value):
    return struct.pack("<I", value)


def attributes(*pairs):
    out = b""
    for kind, payload in pairs:
        out += struct.pack("<HH", 4 + len(payload), kind) + payload + bytes(-len(payload) % 4)
    return out


def address(family, length, *pairs):
    return struct.pack("<BBBBI", family, length, 0, 0, 7) + attributes(*pairs)


def neighbour(family, state, flags, *pairs):
    return struct.pack("<BxHiHBB", family, 0, 7, state, flags, 1) + attributes(*pairs)


def route(family, length, *pairs, source_length=0, tos=0, kind=1, flags=0):
    return struct.pack("<BBBBBBBBI", family, length, source_length, tos, MAIN, VTEP, 0, kind, flags) + attributes(*pairs)


MAC = bytes.fromhex("6e295d049173")
V4 = (RTA_DST, ip("10.244.1.0"))
V6 = (RTA_DST, ip("fd00:1::"))
OVER_V4 = ((RTA_GATEWAY, ip("10.244.1.0")), (RTA_OIF, u32(7)))
HOP = struct.pack("<HBBi", 16, 0, 0, 7) + attributes((RTA_GATEWAY, ip("10.9.0.2")))

PAYLOADS = {
    "address-v4": (ADDRESS, address(AF_INET, 24, (IFA_ADDRESS, ip("10.9.0.1")), (IFA_LOCAL, ip("10.9.0.1")))),
    "address-v4-peer": (ADDRESS, address(AF_INET, 32, (IFA_LOCAL, ip("10.9.0.1")), (IFA_ADDRESS, ip("10.9.0.2")))),
    "address-v6": (ADDRESS, address(AF_INET6, 64, (IFA_ADDRESS, ip("fd09::1")), (IFA_FLAGS, u32(0x82)))),
    "address-none": (ADDRESS, address(AF_INET, 24)),
    "neighbour-v4": (NEIGHBOUR, neighbour(AF_INET, NUD_PERMANENT, 0, (NDA_DST, ip("10.244.1.0")), (NDA_LLADDR, MAC))),
    "neighbour-v6": (NEIGHBOUR, neighbour(AF_INET6, NUD_PERMANENT, 0, (NDA_DST, ip("fd00:1::")), (NDA_LLADDR, MAC))),
    "neighbour-proxy": (NEIGHBOUR, neighbour(AF_INET, 0, NTF_PROXY, (NDA_DST, ip("10.244.1.0")))),
    "neighbour-bridge": (NEIGHBOUR, neighbour(AF_BRIDGE, NUD_PERMANENT, 0, (NDA_LLADDR, MAC))),
    "bridge-vxlan": (BRIDGE, neighbour(AF_BRIDGE, NUD_PERMANENT, 2, (NDA_LLADDR, MAC), (NDA_DST, ip("10.0.0.2")),
                                       (NDA_PORT, b"\x12\xb5"), (NDA_VNI, u32(6000)), (NDA_IFINDEX, u32(3)),
                                       (NDA_CACHEINFO, bytes(16)))),
    "bridge-v6": (BRIDGE, neighbour(AF_BRIDGE, 2, 0x12, (NDA_LLADDR, MAC), (NDA_DST, ip("fd00::2")))),
    "bridge-port": (BRIDGE, neighbour(AF_BRIDGE, 2, 0, (NDA_LLADDR, MAC), (NDA_MASTER, u32(9)))),
    "bridge-nexthop": (BRIDGE, neighbour(AF_BRIDGE, 2, 0, (NDA_LLADDR, MAC), (NDA_NH_ID, u32(10)))),
    "bridge-short": (BRIDGE, neighbour(AF_BRIDGE, 2, 0, (NDA_LLADDR, MAC[:5]))),
    "bridge-vni": (BRIDGE, neighbour(AF_BRIDGE, 2, 0, (NDA_LLADDR, MAC), (NDA_VNI, u32(1 << 24)))),
    "route-v4": (ROUTE, route(AF_INET, 24, (RTA_TABLE, u32(MAIN)), V4, *OVER_V4, flags=ONLINK)),
    "route-v4-default": (ROUTE, route(AF_INET, 0, *OVER_V4)),
    "route-v4-via-v6": (ROUTE, route(AF_INET, 24, V4, (RTA_VIA, struct.pack("<H", AF_INET6) + ip("fe80::1")))),
    "route-v4-blackhole": (ROUTE, route(AF_INET, 24, V4, kind=BLACKHOLE)),
    "route-v4-several-hops": (ROUTE, route(AF_INET, 24, V4, (RTA_MULTIPATH, HOP + HOP))),
    "route-v4-tos": (ROUTE, route(AF_INET, 24, V4, *OVER_V4, tos=4)),
    "route-v4-other-table": (ROUTE, route(AF_INET, 24, (RTA_TABLE, u32(1000)), V4, *OVER_V4)),
    "route-v4-length-too-large": (ROUTE, route(AF_INET, 33, V4)),
    "route-v6": (ROUTE, route(AF_INET6, 64, V6, (RTA_PRIORITY, u32(1024)), (RTA_OIF, u32(7)))),
    "route-v6-from-source": (ROUTE, route(AF_INET6, 64, V6, source_length=64)),
    "route-v6-cached": (ROUTE, route(AF_INET6, 128, V6, flags=CLONED)),
    "route-v6-mapped": (ROUTE, route(AF_INET6, 96, (RTA_DST, ip("::ffff:0:0")))),
    "route-cut-off": (ROUTE, route(AF_INET, 24, V4, *OVER_V4)[:-2]),
}


def main():
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    for golden in sorted(TESTDATA.glob("newlink_*.inc")):
        octets = bytes(int(word, 16) for word in re.findall(r"0x([0-9a-fA-F]{2})\b", golden.read_text(encoding="ascii")))
        name = golden.stem.removeprefix("newlink_")
        (FOLDER / f"link-{name}.bin").write_bytes(bytes([LINK]) + octets)
    for name, (parser, payload) in PAYLOADS.items():
        (FOLDER / f"{name}.bin").write_bytes(bytes([parser]) + payload)


if __name__ == "__main__":
    main()
