#!/usr/bin/python3
"""Writes corpus/segment/NAME.bin: super-frames and batches for fuzz_segment.

The functions here write what segment_fuzz.cc reads.
"""
import pathlib
import shutil

FOLDER = pathlib.Path(__file__).parent / "corpus/segment"

CUT, MERGE = 0, 1
IPV6, UDP, ONE_TAG, TWO_TAGS, OPTIONS, NO_DF = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20  # bits of a frame's shape
(FLAGS, TOS, TTL, LABEL, ID, FRAGMENT, IP_OPTIONS, EXTENSIONS, SEQUENCE, ACK, RESERVED, WINDOW, URGENT, TCP_OPTIONS,
 PAYLOAD, PADDING, VLAN, TAGS, PROTOCOL, IP_SUM) = range(20)  # fields that can be changed
ALL_FLAGS, PSH, FIN, ECE, CWR = 0xff, 0x18, 0x11, 0x50, 0x90
NO_TCP, NO_UDP, DISHONEST = 1, 2, 4  # bits of a batch's options
PSEUDO, WRONG, NONE = 0x04, 0x18, 0x1c  # bits of a command


def word(n):
    return n.to_bytes(2, "big")


def shape(bits=0, payload=100, port=0):
    return bytes([bits | port << 6]) + word(payload - 1)


def patch(patches):
    return bytes([len(patches)]) + b"".join(word(at) + bytes([value]) for at, value in patches)


def offload(segmentation, size, header, start, offset, needs=1, valid=0):
    return bytes([needs, valid, segmentation]) + word(size) + word(header) + word(start) + word(offset)


def cut(bits=0, payload=3000, size=1000, changes=(), request=None, patches=()):
    return (bytes([CUT]) + shape(bits, payload) + bytes([len(changes)]) + b"".join(map(bytes, changes))
            + bytes([request is not None]) + word(size) + (request or b"") + patch(patches))


def frame(flow=0, change=None, patches=None, request=None, sum_bits=0):
    command = (flow | sum_bits | (change is not None) << 5 | (patches is not None) << 6 | (request is not None) << 7)
    return (bytes([command]) + (b"" if change is None else bytes(change))
            + (b"" if patches is None else patch(patches)) + (request or b""))


def merge(*frames, shapes=(0, 0, 0, 0), options=0, payload=100):
    flows = b"".join(shape(bits, payload, port) for port, bits in enumerate(shapes))
    return bytes([MERGE, options]) + flows + b"".join(frames)


def odd_third(*change, **kwargs):
    return merge(frame(), frame(), frame(change=change), frame(), frame(), **kwargs)


SEEDS = {
    # Super-frames
    "cut-tcp4": cut(), "cut-tcp6": cut(IPV6), "cut-udp4": cut(UDP), "cut-udp6": cut(UDP | IPV6),
    "cut-tagged": cut(ONE_TAG | OPTIONS), "cut-two-tags": cut(TWO_TAGS | IPV6),
    "cut-three-tags": cut(ONE_TAG | TWO_TAGS), "cut-all-flags": cut(changes=[(FLAGS, ALL_FLAGS)]),
    "cut-large": cut(payload=60000, size=1400), "cut-one": cut(payload=100),
    "cut-by-bytes": cut(payload=1024, size=1), "cut-too-many": cut(payload=1025, size=1), "cut-zero": cut(size=0),
    "cut-ip-options": cut(changes=[(IP_OPTIONS, 9)]), "cut-extensions": cut(IPV6, changes=[(EXTENSIONS, 3)]),
    "cut-routed": cut(IPV6 | UDP, changes=[(EXTENSIONS, 2)]), "cut-fragment": cut(changes=[(FRAGMENT, 0x20)]),
    "cut-padded": cut(changes=[(PADDING, 9)]), "cut-nothing": cut(changes=[(PAYLOAD, 0)]),
    "cut-wrong-protocol": cut(changes=[(PROTOCOL, 1)]), "cut-tcp-options": cut(changes=[(TCP_OPTIONS, 10)]),
    "cut-udp-as-tcp": cut(UDP, request=offload(1, 1000, 54, 34, 16)),
    "cut-tcp-as-udp": cut(request=offload(3, 1000, 42, 34, 6)),
    "cut-tcp4-as-tcp6": cut(request=offload(2, 1000, 54, 34, 16)),
    "cut-header-too-long": cut(request=offload(1, 1000, 58, 34, 16)),
    "cut-header-outside": cut(request=offload(1, 1000, 0xffff, 34, 16)),
    "cut-checksum-elsewhere": cut(request=offload(1, 1000, 54, 33, 16)),
    "cut-short-total-length": cut(patches=[(16, 0), (17, 60)]), "cut-long-total-length": cut(patches=[(16, 0xff)]),
    "cut-short-data-offset": cut(patches=[(46, 0x40)]), "cut-long-data-offset": cut(patches=[(46, 0xf0)]),
    # Batches
    "merge-tcp4": merge(*[frame()] * 5), "merge-tcp6": merge(*[frame()] * 5, shapes=(IPV6,) * 4),
    "merge-udp4": merge(*[frame()] * 5, shapes=(UDP,) * 4), "merge-udp6": merge(*[frame()] * 5, shapes=(UDP | IPV6,) * 4),
    "merge-tagged": merge(*[frame()] * 3, shapes=(TWO_TAGS | OPTIONS,) * 4),
    "merge-four-flows": merge(*[frame(i % 4) for i in range(20)], shapes=(0, IPV6, UDP, UDP | IPV6 | ONE_TAG)),
    "merge-64-datagrams": merge(*[frame()] * 66, shapes=(UDP,) * 4),
    "merge-no-tcp": merge(frame(), frame(), options=NO_TCP), "merge-no-udp": merge(frame(), frame(), shapes=(UDP,) * 4, options=NO_UDP),
    "merge-unfinished": merge(frame(sum_bits=PSEUDO), frame(), frame(sum_bits=PSEUDO)),
    "merge-wrong-checksum": merge(frame(), frame(sum_bits=WRONG), frame(), frame()),
    "merge-no-checksum": merge(frame(), frame(sum_bits=NONE), frame(), frame(), shapes=(UDP,) * 4),
    "merge-without-df": merge(*[frame()] * 3, shapes=(NO_DF,) * 4),
    "merge-same-id": merge(frame(), frame(change=(ID, 255)), frame()),
    "merge-psh": odd_third(FLAGS, PSH), "merge-fin": odd_third(FLAGS, FIN), "merge-ece": odd_third(FLAGS, ECE),
    "merge-cwr": odd_third(FLAGS, CWR), "merge-tos": odd_third(TOS, 3), "merge-ttl": odd_third(TTL, 9),
    "merge-label": odd_third(LABEL, 9, shapes=(IPV6,) * 4), "merge-fragment": odd_third(FRAGMENT, 0x20),
    "merge-ip-options": odd_third(IP_OPTIONS, 1), "merge-extensions": odd_third(EXTENSIONS, 1, shapes=(IPV6,) * 4),
    "merge-out-of-order": odd_third(SEQUENCE, 0), "merge-ack": odd_third(ACK, 1), "merge-reserved": odd_third(RESERVED, 1),
    "merge-window": odd_third(WINDOW, 1), "merge-urgent": odd_third(URGENT, 1), "merge-tcp-options": odd_third(TCP_OPTIONS, 3),
    "merge-shorter": odd_third(PAYLOAD, 50), "merge-longer": odd_third(PAYLOAD, 150), "merge-empty": odd_third(PAYLOAD, 0),
    "merge-padded": odd_third(PADDING, 3), "merge-vlan": odd_third(VLAN, 3, shapes=(ONE_TAG,) * 4),
    "merge-other-tags": odd_third(TAGS, 1), "merge-other-protocol": odd_third(PROTOCOL, 17),
    "merge-ip-checksum": odd_third(IP_SUM, 0), "merge-patched": merge(frame(), frame(patches=[(60, 1)]), frame(), frame()),
    "merge-super-frame": merge(frame(), frame(request=offload(1, 50, 54, 34, 16)), frame(), frame(), options=DISHONEST),
    "merge-hostile-offload": merge(frame(), frame(request=offload(0, 0, 0, 0xffff, 0xffff)), frame(), options=DISHONEST),
    "merge-false-claim": merge(frame(), frame(sum_bits=WRONG, request=offload(0, 0, 0, 0, 0, needs=0, valid=1)), frame(),
                               options=DISHONEST),
}


def main():
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    for name, content in SEEDS.items():
        (FOLDER / f"{name}.bin").write_bytes(content)


if __name__ == "__main__":
    main()
