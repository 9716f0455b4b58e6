#!/usr/bin/python3
"""Writes corpus/engine/NAME.bin: command sequences for engine_fuzz.cc, one for each thing the engine knows to do.

The numbers are indices into the tables of engine_fuzz.cc; the functions here write what its Driver reads.
"""
import pathlib
import shutil

FOLDER = pathlib.Path(__file__).parent / "corpus/engine"

BROADCAST, GROUP, A, B, OWN = 1, 2, 3, 4, 200  # MAC addresses; 0 is the all-zero one
PEER1, PEER2, PEER6 = 0, 1, 3  # kAddresses
GROUP4, GROUP6, UNICAST, NO_FLOOD = 2, 9, 5, 0  # values of the flood byte
PERMANENT, STATIC, DYNAMIC = 0, 1, 2
ADD, APPEND, REPLACE = 0, 1, 2
RIGHT, PSEUDO, WRONG, NONE = 0x00, 0x10, 0x20, 0x30  # bits of a frame's shape
IPV6, TCP, ONE_TAG, TWO_TAGS, THREE_TAGS = 0x04, 0x08, 1, 2, 3


def word(n):
    return n.to_bytes(2, "big")


def config(vni=0, port=0, device=0, flood=NO_FLOOD, ports=0, ageing=0, mtu=0, learning=0):
    return bytes([vni, port, device, flood, ports, ageing, mtu, OWN, learning])


def link(**kwargs):
    return bytes([0]) + config(**kwargs)


def change(number, **kwargs):
    return bytes([1, number]) + config(**kwargs) + bytes([1])


def remove_link(number):
    return bytes([2, number])


def entry(how, mac, peer, state=STATIC, number=0, port=None, vni=None, via=None):
    operands = [value for value in (port, vni, via) if value is not None]
    bits = (port is not None) << 5 | (vni is not None) << 6 | (via is not None) << 7
    shape = next(bits | n for n in range(31) if (bits | n) % 5 == peer)
    return bytes([3, number, mac, shape, *operands, state, how])


def remove(mac, shape=0, operands=b"", number=0):
    return bytes([4, number, mac, shape]) + operands


def flush(shape=0, operands=b"", filter_shape=0, filter_operands=b"", number=0):
    return bytes([5, number, shape]) + operands + bytes([filter_shape]) + filter_operands


def frame(shape=0, to=B, source=A, payload=32, port=7, options=0, padding=0, fragment=None, patches=()):
    extras = options | padding << 3 | (0 if fragment is None else 0x80)
    patched = b"".join(word(at) + bytes([value]) for at, value in patches)
    return (bytes([shape, to, source]) + word(payload) + bytes([port, extras]) +
            (b"" if fragment is None else word(fragment)) + bytes([len(patches)]) + patched)


def raw(content):
    return bytes([0x80]) + word(len(content)) + content


def send(*frames, number=0, echo=False):
    """Each of `frames` is a frame, or a frame and its checksum request."""
    body = b"".join(one[0] + one[1] if isinstance(one, tuple) else one + bytes([0]) for one in frames)
    return bytes([6, number, len(frames) - 1]) + body + (bytes([1, PEER2]) if echo else bytes([0]))


def request(start, offset):
    return bytes([1]) + word(start) + word(offset)


def receive(*datagrams, port=0):
    return bytes([8, port, len(datagrams) - 1]) + b"".join(datagrams)


def datagram(inner, peer=PEER1, vni=0, patch=None):
    if patch is None:
        return bytes([peer, vni]) + inner
    shape = next(n for n in range(0x40, 0x80) if n % 5 == peer)
    return bytes([shape, vni]) + inner + bytes(patch)


def cut_off(content):
    return bytes([0x80, len(content)]) + content


def wait(seconds):
    return bytes([11]) + word(seconds)


def age(budget=255):
    return bytes([12, budget])


def move_device(from_index, to_index):
    return bytes([13, from_index - 1, to_index - 1])


def learn(macs, peer=PEER1):
    return b"".join(receive(datagram(frame(source=mac), peer)) for mac in macs)


SEEDS = {
    "learn-refresh-move-age": link() + learn([A]) + wait(100) + learn([A]) + learn([A], PEER6) + wait(299) + age()
    + wait(1) + age(),
    "learn-then-answer": link(flood=GROUP4) + learn([A]) + send(frame(to=A, source=OWN)),
    "learning-off": link(learning=3) + learn([A, B]),
    "table-full": link() + learn(range(10, 40)),
    "own-source": link() + learn([OWN]),
    "bad-source": link() + learn([0, BROADCAST, GROUP]),
    "static-entry-holds": link() + entry(ADD, A, PEER1) + learn([A]) + learn([A], PEER2),
    "unknown-vni": link() + receive(datagram(frame(), vni=1)) + receive(datagram(frame()), port=1),
    "no-i-flag": link() + receive(datagram(frame(), patch=(0, 0))),
    "reserved-bits": link() + receive(datagram(frame(), patch=(0, 0xff)), datagram(frame(), patch=(7, 0xff))),
    "truncated-datagrams": link() + receive(cut_off(b""), cut_off(b"\x08\0\0\0\0\0\1"),
                                            cut_off(b"\x08\0\0\0\0\0\1\0" + bytes(13))),
    "mixed-batch": link() + link(vni=1) + receive(datagram(frame(), vni=1), datagram(frame(), vni=2),
                                                  datagram(frame(source=OWN)), datagram(frame(source=B))),
    "no-flood-list": link() + send(frame(), frame(to=BROADCAST)),
    "multicast-flood": link(flood=GROUP4) + link(vni=1, flood=GROUP6) + send(frame(), number=0)
    + send(frame(to=GROUP), number=1),
    "head-end-replication": link(flood=UNICAST) + entry(APPEND, 0, PEER2, PERMANENT)
    + entry(APPEND, 0, PEER6, PERMANENT, port=1, vni=3, via=2) + send(frame(to=BROADCAST), frame(), echo=True),
    "entry-with-own-port-vni-device": link() + entry(ADD, B, PEER1, PERMANENT, port=2, vni=1, via=1) + send(frame()),
    "group-entry": link() + entry(APPEND, GROUP, PEER1) + entry(APPEND, GROUP, PEER2) + send(frame(to=GROUP)),
    "one-source-port": link(flood=GROUP4, ports=1) + send(frame(port=1), frame(port=2), frame(TCP, port=3)),
    "truncated-frames": link(flood=GROUP4) + send(raw(b""), raw(bytes(13)), raw(bytes(14))),
    "checksum-request": link(flood=GROUP4) + send(
        (frame(PSEUDO), request(34, 6)), (frame(PSEUDO | TCP), request(34, 16)),
        (frame(PSEUDO | IPV6), request(54, 6))),
    "checksum-request-outside": link(flood=GROUP4) + send((frame(), request(0xffff, 0)), (frame(), request(73, 0)),
                                                          (frame(), request(72, 0))),
    "pseudo-sums": link() + receive(*[datagram(frame(PSEUDO | more, payload=4, padding=more))
                                      for more in (0, TCP, IPV6, TCP | IPV6)]),
    "checksums-right-wrong-none": link() + receive(*[datagram(frame(sum_)) for sum_ in (RIGHT, WRONG, NONE)]),
    "super-frames": link() + receive(datagram(frame(TCP, payload=9000, options=3)),
                                     datagram(frame(TCP | PSEUDO | IPV6, payload=9000)),
                                     datagram(frame(TCP | WRONG, payload=9000)), datagram(frame(payload=9000))),
    "super-frame-padded": link() + receive(datagram(frame(TCP, payload=9000, padding=1))),
    "super-frame-tiny-mtu": link(mtu=1) + receive(datagram(frame(TCP, payload=100, options=7))),
    "vlan-tags": link(flood=GROUP4) + receive(*[datagram(frame(tags | PSEUDO, payload=1450))
                                                for tags in (ONE_TAG, TWO_TAGS, THREE_TAGS)])
    + send(frame(ONE_TAG), frame(TWO_TAGS), frame(THREE_TAGS)),
    "fragments": link(flood=GROUP4) + send(frame(fragment=0x2000), frame(fragment=0x20b9), frame(fragment=0x0172))
    + receive(datagram(frame(PSEUDO, fragment=0x2000))),
    "header-lengths-patched": link() + receive(
        datagram(frame(patches=[(14, 0x4f)])), datagram(frame(patches=[(16, 0xff)])),
        datagram(frame(TCP, payload=9000, patches=[(46, 0x00)]))),
    "table-grows": link() + link(vni=1) + b"".join(entry(ADD, mac, PEER1, number=mac % 2) for mac in range(3, 120)),
    "small-budget-with-removals": link(ageing=3) + learn(range(3, 20)) + wait(10) + b"".join(
        age(2) + remove(mac) + entry(ADD, mac + 100, PEER2, DYNAMIC) for mac in range(3, 15)) + wait(10) + age(),
    "ageing-changes-in-a-scan": link(ageing=2) + link(vni=1, ageing=0) + learn(range(3, 15)) + wait(1) + age(20)
    + change(0, ageing=3) + change(1, vni=1, ageing=2) + wait(10) + age(),
    "ageing-beyond-the-scale": link(ageing=4) + learn([A]) + wait(0xffff) + age(),
    "replace-a-list": link() + entry(APPEND, 0, PEER1) + entry(APPEND, 0, PEER2) + entry(REPLACE, 0, PEER6)
    + entry(REPLACE, A, PEER1, DYNAMIC) + entry(REPLACE, A, PEER2),
    "refused-entries": link() + entry(ADD, 0, PEER1, DYNAMIC) + entry(ADD, A, PEER1) + entry(ADD, A, PEER2)
    + entry(APPEND, A, PEER2) + bytes([3, 0, A, 0x1f, STATIC, REPLACE]),
    "remove-by-filter": link() + entry(APPEND, 0, PEER1) + entry(APPEND, 0, PEER2, via=1)
    + entry(APPEND, 0, PEER6, vni=2) + remove(0, 1, bytes([PEER1])) + remove(0, 8, bytes([2])) + remove(0, 16)
    + remove(0),
    "flush-by-filter": link() + entry(ADD, A, PEER1) + entry(ADD, B, PEER2, DYNAMIC)
    + entry(APPEND, 0, PEER1, PERMANENT) + flush(1, bytes([DYNAMIC])) + flush(2, bytes([0]))
    + flush(0, b"", 1, bytes([PEER1])) + flush(),
    "move-device-merges": link() + entry(APPEND, 0, PEER1, via=0) + entry(APPEND, 0, PEER1, via=1) + move_device(1, 2)
    + entry(APPEND, 0, PEER1, via=1) + remove(0, 1, bytes([PEER1])),
    "flood-address-changes": link(flood=GROUP4, device=1) + entry(APPEND, 0, PEER1, PERMANENT)
    + change(0, flood=GROUP6, device=1) + change(0, flood=GROUP6, device=2) + change(0) + send(frame()),
    "link-id-used-again": link(flood=GROUP4) + link(vni=1, flood=GROUP4) + learn([A]) + remove_link(0)
    + link(vni=2) + link() + send(frame()) + remove_link(0) + remove_link(0),
}


def main():
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    for name, commands in SEEDS.items():
        (FOLDER / f"{name}.bin").write_bytes(bytes([1, 0]) + commands)


if __name__ == "__main__":
    main()
