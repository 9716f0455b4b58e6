#!/usr/bin/python3
"""Writes the corpora of the parsers of src/wire: corpus/TARGET/NAME.bin.

The packets are those of src/wire/testdata/frames.txt, cut to the layer at which a target begins. Other targets bring
their own corpora; this script leaves their folders alone.
"""
import pathlib
import shutil

HERE = pathlib.Path(__file__).parent
FRAMES = HERE / "../../src/wire/testdata/frames.txt"
TOO_LARGE = 2000  # a fuzzer prefers small ones


def frames():
    found = {}
    for line in FRAMES.read_text(encoding="ascii").splitlines():
        if line.startswith("# "):
            name = line[2:]
            found[name] = b""
        elif not line.startswith("> "):
            found[name] += bytes.fromhex(line)
    return {name: frame for name, frame in found.items() if len(frame) < TOO_LARGE}


def vxlan_payload(frame):
    """Behind the outer UDP header; None if it is not VXLAN over IPv4 without options."""
    is_udp4 = frame[12:15] == b"\x08\x00\x45" and frame[23:24] == b"\x11"
    return frame[42:] if is_udp4 and frame[36:38] in (b"\x12\xb5", b"\x21\x18") else None


def innermost(frame):
    payload = vxlan_payload(frame)
    return innermost(payload[8:]) if payload and len(payload) > 8 else frame


def behind_ethernet(frame, ethertype):
    frame = innermost(frame)
    return frame[14:] if frame[12:14] == ethertype else None


def behind_ipv4(frame, protocol):
    datagram = behind_ethernet(frame, b"\x08\x00")
    if datagram is None or len(datagram) < 20 or datagram[9] != protocol:
        return None
    return datagram[(datagram[0] & 15) * 4:]


def icmpv6_datagram(frame):
    datagram = behind_ethernet(frame, b"\x86\xdd") or b""
    return datagram if datagram[6:7] == b"\x3a" or datagram[6:7] + datagram[40:41] == b"\0\x3a" else None


def igmp_datagram(frame):
    datagram = behind_ethernet(frame, b"\x08\x00") or b""
    return datagram if datagram[9:10] == b"\x02" else None


def mld_datagram(frame):
    datagram = icmpv6_datagram(frame) or b""
    return datagram if datagram[6:7] == b"\0" and datagram[48] in (130, 131, 132, 143) else None


TARGETS = {
    "arp": lambda frame: behind_ethernet(frame, b"\x08\x06"),
    "checksum": lambda frame: frame[14:] if len(frame) in (14, 15, 42, 49, 60, 98) else None,  # none, odd, even
    "classify": lambda frame: None if vxlan_payload(frame) else frame,
    "ethernet": lambda frame: frame if frame[12] in (0x81, 0x88) or len(frame) < 42 else None,
    "icmpv4": lambda frame: behind_ipv4(frame, 1),
    "icmpv6": icmpv6_datagram,
    "igmp": igmp_datagram,
    "ipv4": lambda frame: behind_ethernet(frame, b"\x08\x00"),
    "ipv6": lambda frame: behind_ethernet(frame, b"\x86\xdd"),
    "mld": mld_datagram,
    "print": lambda frame: frame,
    "tcp": lambda frame: behind_ipv4(frame, 6),
    "udp": lambda frame: behind_ipv4(frame, 17),
    "vxlan": vxlan_payload,
}


def main():
    for target, pick in TARGETS.items():
        folder = HERE / "corpus" / target
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        seen = set()
        for name, frame in frames().items():
            packet = pick(frame)
            if packet is None or packet in seen:
                continue
            seen.add(packet)
            (folder / f"{name}.bin").write_bytes(packet)


if __name__ == "__main__":
    main()
