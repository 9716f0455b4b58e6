#!/usr/bin/python3
"""Writes corpus/engine/NAME.bin: command sequences for fuzz_engine, one for each thing the engine knows to do.

The numbers are indices into the tables of engine_input.h; the functions here write what the Driver reads.
"""
import pathlib
import shutil

FOLDER = pathlib.Path(__file__).parent / "corpus/engine"

BROADCAST, GROUP, A, B, OWN, ROUTER = 1, 2, 3, 4, 200, 9  # MAC addresses; 0 is the all-zero one
PEER1, PEER2, PEER6 = 0, 1, 3  # kAddresses
GROUP4, GROUP6, UNICAST, NO_FLOOD = 2, 9, 5, 0  # values of the flood byte
PERMANENT, STATIC, DYNAMIC = 0, 1, 2
ADD, APPEND, REPLACE = 0, 1, 2
RIGHT, PSEUDO, WRONG, NONE = 0x00, 0x10, 0x20, 0x30  # bits of a frame's shape
IPV6, TCP, ONE_TAG, TWO_TAGS, THREE_TAGS = 0x04, 0x08, 1, 2, 3
DF = 0x4000
TCP4, TCP6, UDP = 0, 1, 2  # kSegmentations
HERE, THERE, HERE6, THERE6, ANY = 0, 1, 3, 4, 7  # kStations
FAMILY_GROUP4, FAMILY_GROUP6, ALL_GROUPS = 0, 3, 6  # kGroups
MTU_1400, MTU_UNKNOWN, MTU_1, MTU_552, MTU_1280 = range(5)  # kPathMtus
FROZEN_AFTER_5 = (5, 180)

# Flags of a link, as its configuration's word has them.
NOLEARNING, PROXY, RSC, L2MISS, L3MISS, SNOOPING, MSS_CLAMP = 1, 2, 4, 8, 0x10, 0x20, 0x40
REMCSUM_TX, REMCSUM_RX, GBP, NO_VNI, VLAN_ALLOW, VLAN_DISCARD = 0x80, 0x100, 0x200, 0x400, 0x800, 0x1000
OUTER, TRUST, LIMITS = 0x2000, 0x4000, 0x8000


def word(n):
    return n.to_bytes(2, "big")


def quad(n):
    return n.to_bytes(8, "big")


def config(vni=0, port=0, device=0, flood=NO_FLOOD, ports=0, ageing=0, mtu=0, flags=0, outer=None, trust=None,
           limits=None):
    """`outer`, `trust` and `limits` are the bytes that the functions of these names make."""
    flags |= (outer is not None and OUTER) | (trust is not None and TRUST) | (limits is not None and LIMITS)
    return (bytes([vni, port, device, flood, ports, ageing, mtu, OWN]) + word(flags) + (outer or b"") + (trust or b"")
            + (limits or b""))


def outer(flags, ttl=0, tos=0, label=0):
    """Flags: 1 ttl, 2 tos, 4 flow label inherited; 8 df set, 0x10 df inherited; 0x20, 0x40 no checksum; 0x80 local."""
    return bytes([flags, ttl, tos]) + word(label)


def trust(max_addresses=0, moves=FROZEN_AFTER_5, reserved=0, allow=None, deny=None):
    """`allow` and `deny` are (address, prefix length)."""
    policy = bytes(allow or ()) + bytes(deny or ())
    return (bytes([(allow is not None) | (deny is not None) << 2, max_addresses, *moves]) + quad(reserved) + policy)


def limits(broadcast=0, unknown=0, multicast=0):
    return bytes([broadcast, unknown]) + word(multicast)


def link(**kwargs):
    return bytes([0]) + config(**kwargs)


def change(number, **kwargs):
    return bytes([1, number]) + config(**kwargs) + bytes([1])


def remove_link(number):
    return bytes([2, number])


def remote(peer, port=None, vni=None, via=None):
    operands = [value for value in (port, vni, via) if value is not None]
    bits = (port is not None) << 5 | (vni is not None) << 6 | (via is not None) << 7
    shape = next(bits | n for n in range(31) if (bits | n) % 5 == peer)
    return bytes([shape, *operands])


def entry(how, mac, peer, state=STATIC, number=0, router=False, nexthop=None, **kwargs):
    # State and flags share a byte; the state is what is left of it modulo three.
    bits = router << 6 | (nexthop is not None) << 7
    state = next(bits | n for n in range(3) if (bits | n) % 3 == state)
    group = bytes([] if nexthop is None else [nexthop])
    return bytes([3, number, mac]) + remote(peer, **kwargs) + bytes([state]) + group + bytes([how])


def remove(mac, shape=0, operands=b"", number=0):
    return bytes([4, number, mac, shape]) + operands


def flush(shape=0, operands=b"", filter_shape=0, filter_operands=b"", number=0):
    return bytes([5, number, shape]) + operands + bytes([filter_shape]) + filter_operands


def patch(patches):
    return bytes([len(patches)]) + b"".join(word(at) + bytes([value]) for at, value in patches)


def frame(shape=0, to=B, source=A, payload=32, port=7, options=0, padding=0, fragment=None, group=0, mss=1460,
          patches=()):
    """TCP with one word of options is a SYN that says `mss`; to the group's MAC address, `group` says to which."""
    extras = options | padding << 3 | (0 if fragment is None else 0x80)
    return (bytes([shape, to, source]) + bytes([group] if to == GROUP else []) + word(payload) + bytes([port, extras])
            + (b"" if fragment is None else word(fragment)) + (word(mss) if shape & TCP and options == 1 else b"")
            + patch(patches))


def syn(mss=1460, shape=0, **kwargs):
    return frame(shape | TCP, payload=0, options=1, mss=mss, **kwargs)


def control(kind, source, station, *operands, patches=()):
    """A frame of ARP, ND, IGMP or MLD; stations are numbered as in engine_frames.cc: two, a third, none."""
    return bytes([0x40, kind, source, station, *operands]) + patch(patches)


def arp_request(source=A, sender=0, target=1, to=BROADCAST, **kwargs):
    return control(0, source, sender, target, to, **kwargs)


def arp_reply(source=B, sender=1, target=0, to=A, **kwargs):
    return control(1, source, sender, target, to, **kwargs)


def solicitation(source=A, sender=0, target=1, **kwargs):
    return control(2, source, sender, target, **kwargs)


def advertisement(flags=0x0e, source=B, sender=1, target=1, receiver=0, to=A, **kwargs):
    return control(3, source, sender, flags, target, receiver, to, **kwargs)


def router_advertisement(source=B, sender=1):
    return control(4, source, sender, 1)


def igmp_query(version=3, source=A, sender=0, max_response=100):
    return control(5, source, sender, version - 1, *([] if version == 1 else [max_response]), 0,
                   *([125] if version == 3 else []))


def igmp_report(group=0, version=2, source=B, **kwargs):
    return control(6, source, 1, group, int(version == 1), **kwargs)


def igmp_leave(group=0, source=B):
    return control(7, source, 1, group)


def igmp_report_v3(*records, source=B, **kwargs):
    """Each record is (type, group, number of sources)."""
    return control(8, source, 1, len(records), *[value for record in records for value in record], **kwargs)


def mld_query(version=2, source=A):
    return control(9, source, 0, int(version == 1), *word(10000), 0, *([125] if version == 2 else []))


def mld_report(group=0, source=B):
    return control(10, source, 1, group)


def mld_done(group=0, source=B):
    return control(11, source, 1, group)


def mld_report_v2(*records, source=B):
    return control(12, source, 1, len(records), *[value for record in records for value in record])


def raw(content):
    return bytes([0x80]) + word(len(content)) + content


KEPT, ECHOED, REFUSED = 0, 1, 2  # what becomes of the datagrams


def send(*frames, number=0, fate=KEPT, operands=b""):
    """Each of `frames` is a frame, or a frame and its checksum request."""
    body = b"".join(one[0] + one[1] if isinstance(one, tuple) else one + bytes([0]) for one in frames)
    return bytes([6, number, len(frames) - 1]) + body + bytes([fate]) + (operands or bytes([PEER2] * (fate == ECHOED)))


def request(start, offset):
    return bytes([1]) + word(start) + word(offset)


def cut(kind, start, offset, size, header):
    """A super-frame's request: segments with `size` bytes of payload behind `header` bytes."""
    return bytes([0x81]) + word(start) + word(offset) + bytes([kind, size, header])


def receive(*datagrams, port=0):
    return bytes([8, port, len(datagrams) - 1]) + b"".join(datagrams)


def datagram(inner, peer=PEER1, vni=0, patch=None, header=None, tos=None):
    """`patch` is (place, value) in the VXLAN header, `header` all of it."""
    bits = (tos is not None) << 5 | (patch is not None or header is not None) << 6
    shape = next(bits | n for n in range(32) if (bits | n) % 5 == peer)
    changed = bytes(patch or ()) if header is None else bytes([0x80]) + quad(header)
    return bytes([shape, vni]) + inner + bytes([] if tos is None else [tos]) + changed


def cut_off(content):
    return bytes([0x80, len(content)]) + content


def wait(seconds):
    return bytes([11]) + word(seconds)


def age(budget=255):
    return bytes([12, budget])


def move_device(from_index, to_index):
    return bytes([13, from_index - 1, to_index - 1])


def nexthop(number, via, replace=False):
    return bytes([14, number, 0, via, int(replace)])


def nexthop_group(number, *members, replace=False):
    """Each member is (number, index of its weight)."""
    return bytes([14, number, len(members)]) + b"".join(bytes(one) for one in members) + bytes([int(replace)])


def remove_nexthop(number):
    return bytes([16, number])


def mdb(group, peer, source=ANY, number=0, replace=False, **kwargs):
    return bytes([17, number, group, source]) + remote(peer, **kwargs) + bytes([int(replace)])


def remove_mdb(group, peer, source=ANY, number=0):
    return bytes([19, number, group, source, peer])


def neighbour(station, mac, router=0, system=False, number=0):
    return bytes([20, number, station, mac, router, int(system)])


def remove_neighbour(station, origin=0, number=0):
    return bytes([21, number, station, origin])


def learn_mtu(peer, mtu):
    return bytes([22, 0, peer, mtu])


def set_mtu(peer, mtu):
    return bytes([22, 1, peer, mtu])


def set_checksum(peer, how):
    return bytes([22, 2, peer, 0, how])


def forget_learned():
    return bytes([22, 3, 0, 0])


def hear_mtu(peer, mtu, port=0, header=0x0800000000000100):
    return bytes([22, 4, peer, mtu, port]) + quad(header)


def refuse_stranger(inner, tag, peer, mtu):
    return bytes([23]) + inner + bytes([tag, peer, mtu])


def learn(macs, peer=PEER1):
    return b"".join(receive(datagram(frame(source=mac), peer)) for mac in macs)


def move(mac, times):
    """To and fro, once a second."""
    return b"".join(wait(1) + learn([mac], (PEER1, PEER2)[i % 2]) for i in range(times))


def nexthops():
    return nexthop(1, PEER1) + nexthop(2, PEER2) + nexthop(3, PEER6) + nexthop_group(4, (1, 0), (2, 1), (3, 2))


def flows(count, to=B):
    return b"".join(send(frame(to=to, port=port)) for port in range(count))


REMCSUM = 0x0820000000000100  # a header that asks for a checksum; its last byte is where

SEEDS = {
    "learn-refresh-move-age": link() + learn([A]) + wait(100) + learn([A]) + learn([A], PEER6) + wait(299) + age()
    + wait(1) + age(),
    "learn-then-answer": link(flood=GROUP4) + learn([A]) + send(frame(to=A, source=OWN)),
    "learning-off": link(flags=NOLEARNING) + learn([A, B]) + entry(ADD, B, PEER1) + learn([A]) + learn([A], PEER2),
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
    + entry(APPEND, 0, PEER6, PERMANENT, port=1, vni=3, via=2) + send(frame(to=BROADCAST), frame(), fate=ECHOED),
    "entry-with-own-port-vni-device": link() + entry(ADD, B, PEER1, PERMANENT, port=2, vni=1, via=1) + send(frame()),
    "group-entry": link() + entry(APPEND, GROUP, PEER1) + entry(APPEND, GROUP, PEER2) + send(frame(to=GROUP)),
    "one-source-port": link(flood=GROUP4, ports=1) + send(frame(port=1), frame(port=2), frame(TCP, port=3)),
    "truncated-frames": link(flood=GROUP4) + send(raw(b""), raw(bytes(13)), raw(bytes(14))),
    "checksum-request": link(flood=GROUP4) + send(
        (frame(PSEUDO), request(34, 6)), (frame(PSEUDO | TCP), request(34, 16)),
        (frame(PSEUDO | IPV6), request(54, 6))),
    "checksum-request-outside": link(flood=GROUP4) + send((frame(), request(0xffff, 0)), (frame(), request(73, 0)),
                                                          (frame(), request(72, 0))),
    "cut-super-frames": link(flood=GROUP4) + entry(ADD, B, PEER6) + send(
        (frame(PSEUDO | TCP, payload=1000), cut(TCP4, 34, 16, 100, 54)),
        (frame(PSEUDO | TCP | IPV6, payload=1000, to=BROADCAST), cut(TCP6, 54, 16, 250, 74)),
        (frame(PSEUDO | ONE_TAG, payload=999), cut(UDP, 38, 6, 100, 46)),
        (frame(PSEUDO, payload=500), cut(TCP4, 34, 6, 100, 42)), fate=ECHOED),
    "cut-super-frames-too-big": link(flood=UNICAST) + 2 * send(
        (frame(PSEUDO | TCP, payload=2000), cut(TCP4, 34, 16, 255, 54)),
        (frame(PSEUDO, payload=2000, fragment=DF), cut(UDP, 34, 6, 255, 42)), fate=REFUSED,
        operands=bytes([MTU_552] * 16)),
    "pseudo-sums": link() + receive(*[datagram(frame(PSEUDO | more, payload=4, padding=more))
                                      for more in (0, TCP, IPV6, TCP | IPV6)]),
    "checksums-right-wrong-none": link() + receive(*[datagram(frame(sum_)) for sum_ in (RIGHT, WRONG, NONE)]),
    "super-frames": link() + receive(datagram(frame(TCP, payload=9000, options=3)),
                                     datagram(frame(TCP | PSEUDO | IPV6, payload=9000)),
                                     datagram(frame(TCP | WRONG, payload=9000)), datagram(frame(payload=9000))),
    "super-frame-padded": link() + receive(datagram(frame(TCP, payload=9000, padding=1))),
    "super-frame-tiny-mtu": link(mtu=1) + receive(datagram(frame(TCP, payload=100, options=7))),
    "vlan-tags": link(flood=GROUP4, flags=VLAN_ALLOW) + receive(*[datagram(frame(tags | PSEUDO, payload=1450))
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
    # Headers
    "vlan-tags-stripped": link(flood=UNICAST) + send(frame(ONE_TAG), frame(TWO_TAGS), frame(THREE_TAGS))
    + receive(datagram(frame(ONE_TAG)), datagram(frame())),
    "vlan-tags-discarded": link(flood=UNICAST, flags=VLAN_DISCARD) + send(frame(ONE_TAG), frame())
    + receive(datagram(frame(TWO_TAGS))),
    "vlan-tag-of-a-priority": link(flood=UNICAST) + send(frame(ONE_TAG, patches=[(14, 0xa0), (15, 0)])),
    "vlan-tag-and-checksum-request": link(flood=UNICAST) + send((frame(PSEUDO | ONE_TAG), request(38, 6))),
    "outer-header-fixed": link(flood=UNICAST, outer=outer(0x88, ttl=9, tos=0x48, label=0x777))
    + entry(APPEND, 0, PEER6) + send(frame(), frame(IPV6)),
    "outer-header-inherited": link(flood=UNICAST, outer=outer(0x17)) + entry(APPEND, 0, PEER6)
    + send(frame(fragment=DF, patches=[(15, 0xb8)]), frame(IPV6, patches=[(14, 0x6b), (15, 0x87)]), arp_request()),
    "outer-checksum-off": link(flood=UNICAST, outer=outer(0x60)) + entry(APPEND, 0, PEER6) + send(frame())
    + set_checksum(PEER1, 1) + send(frame()) + set_checksum(PEER1, 0) + send(frame()),
    "ecn-lost": link() + receive(datagram(frame(), tos=3)) + receive(datagram(frame(IPV6), tos=3)),
    "ecn-carried": link() + receive(*[datagram(frame(shape, patches=[patched]), tos=tos)
                                      for shape, patched in ((0, (15, 2)), (IPV6, (15, 0x20))) for tos in (1, 3)]),
    "reserved-bits-forbidden": link(trust=trust(reserved=0xf7ffffff000000ff))
    + receive(datagram(frame(), patch=(0, 0x88)), datagram(frame(), patch=(7, 1)), datagram(frame())),
    "gbp": link(flags=GBP, trust=trust(reserved=0xf7ffffff000000ff))
    + receive(datagram(frame(), header=0x8808123400000100), datagram(frame(), header=0x0808123400000100)),
    "remcsum-sent": link(flood=UNICAST, flags=REMCSUM_TX)
    + send((frame(PSEUDO), request(34, 6)), (frame(PSEUDO | TCP), request(34, 16)), (frame(), request(35, 6)),
           (frame(), request(0xffff, 6))),
    "remcsum-received": link(flags=REMCSUM_RX)
    + receive(datagram(frame(PSEUDO), header=REMCSUM | 0x91), datagram(frame(PSEUDO | TCP), header=REMCSUM | 0x11),
              datagram(frame(), header=REMCSUM | 0x7f), datagram(frame(), header=REMCSUM)),
    "remcsum-super-frame": link(flags=REMCSUM_RX)
    + receive(datagram(frame(PSEUDO | TCP, payload=9000), header=REMCSUM | 0x11),
              datagram(frame(PSEUDO | TCP, payload=9000), header=REMCSUM | 0x14)),
    "remcsum-and-mss": link(flags=REMCSUM_RX | MSS_CLAMP, mtu=1)
    + receive(datagram(syn(shape=PSEUDO), header=REMCSUM | 0x11), datagram(syn(), header=REMCSUM | 0x11)),
    # Trust
    "allow-and-deny": link(trust=trust(allow=(PEER1, 24), deny=(PEER2, 32))) + learn([A]) + learn([A], PEER2)
    + learn([A], PEER6),
    "learning-off-nexthop-group": link(flags=NOLEARNING) + nexthops() + entry(ADD, B, PEER1, nexthop=4)
    + learn([A], PEER2) + remove_nexthop(2) + learn([A], PEER2) + learn([A], PEER6) + remove_nexthop(4)
    + learn([A], PEER6),
    "max-addresses": link(flood=UNICAST, trust=trust(max_addresses=3)) + learn(range(10, 15)) + entry(ADD, B, PEER1)
    + remove(10) + entry(ADD, B, PEER1) + change(0, trust=trust(max_addresses=1)) + entry(REPLACE, B, PEER2)
    + change(0, flood=UNICAST, trust=trust(max_addresses=2)) + change(0, flood=GROUP4, trust=trust(max_addresses=9)),
    "mac-frozen": link() + move(A, 8) + learn([A]) + learn([A], PEER2) + entry(REPLACE, A, PEER1, DYNAMIC)
    + move(A, 7),
    "frozen-mac-ages": link(ageing=3) + move(A, 8) + wait(10) + age() + move(A, 3),
    "move-limit-of-the-link": link(trust=trust(moves=(1, 5))) + move(A, 2) + wait(5) + move(A, 3) + remove_link(0)
    + link(trust=trust(moves=(1, 5))) + move(A, 4),
    # Replication
    "nexthop-group": link() + nexthops() + entry(ADD, B, PEER1, nexthop=4) + flows(6)
    + receive(datagram(frame(source=B), PEER6), datagram(frame(source=B), GROUP4 % 5)),
    "nexthop-group-changes": link() + nexthops() + entry(ADD, B, PEER1, nexthop=4) + nexthop(2, PEER6, replace=True)
    + nexthop_group(4, (2, 3), (1, 0), replace=True) + flows(3) + entry(REPLACE, B, PEER1) + remove_nexthop(4)
    + remove_nexthop(1) + remove_nexthop(2) + remove_nexthop(3),
    "nexthop-group-loses-its-members": link() + link(vni=1) + nexthops() + entry(ADD, B, PEER1, nexthop=4)
    + entry(ADD, A, PEER1, nexthop=4, number=1) + remove_nexthop(1) + remove_nexthop(2) + remove_nexthop(3)
    + nexthops() + send(frame()),
    "nexthops-refused": link() + nexthop(0, PEER1) + nexthop(1, 2) + nexthop(1, PEER1) + nexthop(1, PEER2)
    + nexthop_group(1, (1, 0), replace=True) + nexthop_group(2, (5, 0)) + nexthop_group(2, (1, 4))
    + nexthop_group(2, (1, 5)) + nexthop_group(2, (1, 0), (1, 0)) + nexthop_group(2, (1, 0))
    + nexthop_group(3, (2, 0)) + entry(ADD, 0, PEER1, nexthop=2) + entry(ADD, B, PEER1, nexthop=1)
    + entry(ADD, B, PEER1, DYNAMIC, nexthop=2) + wait(300) + age(),
    "remove-by-nexthop": link() + nexthops() + entry(ADD, B, PEER1, nexthop=4) + entry(ADD, A, PEER1)
    + remove(B, 32, bytes([3])) + remove(B, 33, bytes([0, 4])) + flush(0, b"", 32, bytes([4])),
    "flood-limits": link(flood=UNICAST, limits=limits(1, 2, 3)) + send(frame(to=BROADCAST), frame(to=BROADCAST))
    + send(frame(), frame()) + send(frame(to=GROUP), frame(to=GROUP)) + bytes([10, 10]) + send(frame(), frame()),
    "l2miss": link(flags=L2MISS) + send(frame(), frame(to=BROADCAST), frame(to=0)) + change(0, flood=UNICAST, flags=L2MISS)
    + send(frame()),
    "link-without-vni": link(flags=NO_VNI) + link(flags=NO_VNI) + link() + entry(ADD, B, PEER1, vni=1)
    + send(frame()) + receive(datagram(frame())) + remove_link(0) + receive(datagram(frame())),
    # Neighbours
    "arp-answered": link(flood=UNICAST, flags=PROXY) + neighbour(THERE, B) + send(arp_request(), arp_request(to=B))
    + send(arp_request(sender=3)) + remove_neighbour(THERE) + send(arp_request()),
    "nd-answered": link(flood=UNICAST, flags=PROXY) + neighbour(THERE6, B) + send(solicitation())
    + send(solicitation(sender=3)) + neighbour(THERE6, B, router=1) + send(solicitation())
    + neighbour(THERE6, A, router=1, system=True) + remove_neighbour(THERE6) + send(solicitation()),
    "l3miss": link(flood=UNICAST, flags=PROXY | L3MISS) + send(arp_request(), solicitation(), arp_reply()),
    "more-questions-than-room": link(flood=UNICAST, flags=PROXY) + neighbour(THERE, B)
    + send(*[arp_request()] * 4) + send(*[arp_request()] * 4),
    "neighbours-heard": link(flood=UNICAST, flags=PROXY) + receive(datagram(arp_reply()), datagram(advertisement()))
    + send(arp_request(), solicitation()) + wait(1200) + age() + send(arp_request()),
    "neighbour-comes-here": link(flood=UNICAST, flags=PROXY) + receive(datagram(arp_reply()))
    + send(arp_request(sender=1, target=1)) + send(arp_request()),
    "router-heard": link(flood=UNICAST, flags=PROXY) + receive(datagram(router_advertisement()),
                                                               datagram(advertisement(0x0f))) + send(solicitation()),
    "odd-questions": link(flood=UNICAST, flags=PROXY) + neighbour(THERE, B) + neighbour(THERE6, B)
    + send(arp_request(patches=[(21, 9)]), arp_request(patches=[(28, 224)]), solicitation(patches=[(21, 1)]),
           solicitation(patches=[(56, 0)])),
    "route-short-circuit": link(flood=UNICAST, flags=RSC | L3MISS) + entry(ADD, ROUTER, PEER1, router=True)
    + send(frame(to=ROUTER)) + neighbour(THERE, B) + neighbour(THERE6, B) + entry(ADD, B, PEER2)
    + send(frame(to=ROUTER), frame(IPV6, to=ROUTER), frame(ONE_TAG, to=ROUTER)),
    "neighbours-refused": link() + neighbour(6, A) + neighbour(ANY, A) + neighbour(THERE, BROADCAST)
    + remove_neighbour(THERE) + remove_neighbour(THERE, 2),
    # Multicast
    "mdb-permanent": link(flood=UNICAST) + mdb(FAMILY_GROUP4, PEER1) + mdb(FAMILY_GROUP4, PEER6, vni=1, port=2, via=0)
    + mdb(FAMILY_GROUP4, PEER2, source=HERE) + mdb(FAMILY_GROUP6, PEER2) + mdb(ALL_GROUPS, PEER2)
    + send(frame(to=GROUP), frame(to=GROUP, group=1), frame(IPV6, to=GROUP)) + remove_mdb(FAMILY_GROUP4, PEER1)
    + mdb(FAMILY_GROUP4, PEER6, replace=True) + send(frame(to=GROUP)),
    "mdb-refused": link() + mdb(8, PEER1) + mdb(ALL_GROUPS, PEER1, source=HERE) + mdb(FAMILY_GROUP4, PEER1, HERE6)
    + mdb(FAMILY_GROUP4, PEER1, 6) + mdb(FAMILY_GROUP4, PEER1) + mdb(FAMILY_GROUP4, PEER1)
    + remove_mdb(FAMILY_GROUP4, PEER2) + remove_mdb(FAMILY_GROUP6, PEER1),
    "snooping": link(flood=UNICAST, flags=SNOOPING) + send(igmp_query(), mld_query()) + wait(12)
    + receive(datagram(igmp_report()), datagram(mld_report(), PEER6)) + send(frame(to=GROUP), frame(to=GROUP, group=1))
    + send(frame(IPV6, to=GROUP), frame(IPV6, to=GROUP, group=1)) + receive(datagram(igmp_leave()))
    + wait(4) + age() + send(frame(to=GROUP)) + receive(datagram(mld_done(), PEER6)) + wait(300) + age(),
    "snooping-sources": link(flood=UNICAST, flags=SNOOPING) + receive(datagram(igmp_query(), PEER2)) + wait(12)
    + receive(datagram(igmp_report_v3((1, 0, 1), (2, 1, 0))), datagram(mld_report_v2((5, 0, 2), (3, 1, 1))))
    + send(frame(to=GROUP), frame(to=GROUP, group=1)) + receive(datagram(igmp_report_v3((6, 0, 1), (3, 1, 0))))
    + wait(4) + age() + send(frame(to=GROUP)),
    "snooping-over-permanent": link(flood=UNICAST, flags=SNOOPING) + mdb(FAMILY_GROUP4, PEER1, vni=1)
    + send(igmp_query()) + wait(12) + receive(datagram(igmp_report()), datagram(igmp_report(), PEER6))
    + send(frame(to=GROUP)) + remove_mdb(FAMILY_GROUP4, PEER1) + remove_mdb(FAMILY_GROUP4, PEER1)
    + send(frame(to=GROUP)),
    "reports-withheld": link(flood=UNICAST, flags=SNOOPING) + receive(datagram(igmp_report(version=1)),
                                                                      datagram(mld_report()))
    + send(igmp_query(version=1), mld_query(version=1)) + receive(datagram(igmp_report()), datagram(mld_report())),
    "snooped-groups-go-with-their-link": link(flood=UNICAST, flags=SNOOPING) + mdb(FAMILY_GROUP4, PEER2)
    + receive(datagram(igmp_report(), PEER6)) + remove_link(0) + link(flood=UNICAST, flags=SNOOPING)
    + send(frame(to=GROUP)),
    "odd-reports": link(flags=SNOOPING) + receive(
        datagram(igmp_report(patches=[(40, 10)])), datagram(igmp_report_v3((1, 0, 1), patches=[(49, 200)])),
        datagram(igmp_report(patches=[(14, 0x4f)])), datagram(igmp_report(patches=[(16, 0), (17, 25)]))),
    # Paths
    "path-mtu-learned": link(flood=UNICAST) + learn_mtu(PEER1, MTU_1400) + send(frame(payload=1450, fragment=DF))
    + send(frame(payload=1450), frame(IPV6, payload=1450), frame(payload=1300)) + wait(600) + age()
    + send(frame(payload=1450, fragment=DF)),
    "path-mtu-by-refusal": link(flood=UNICAST) + entry(APPEND, 0, PEER2) + entry(APPEND, 0, PEER6)
    + send(frame(payload=1450, fragment=DF), fate=REFUSED, operands=bytes([MTU_1400, MTU_UNKNOWN, MTU_1280]))
    + send(frame(payload=1450, fragment=DF)) + forget_learned() + send(frame(payload=1450, fragment=DF)),
    "path-mtu-by-hand": link(flood=UNICAST) + set_mtu(PEER1, MTU_1) + send(frame(fragment=DF)) + learn_mtu(PEER1, MTU_1400)
    + set_mtu(PEER1, MTU_552) + send(frame(payload=1000, fragment=DF)) + remove_link(0) + set_mtu(PEER1, MTU_UNKNOWN)
    + set_mtu(PEER6, MTU_1400) + set_checksum(PEER6, 2),
    "path-mtu-heard": link(flood=UNICAST) + hear_mtu(PEER1, MTU_1400) + hear_mtu(PEER2, MTU_1400)
    + hear_mtu(PEER1, MTU_552, header=0x0800000000777700) + hear_mtu(PEER1, MTU_1) + send(frame(payload=1000)),
    "refusal-of-a-stranger": link(flood=UNICAST) + refuse_stranger(frame(fragment=DF, payload=1400), 0, PEER2, MTU_552)
    + refuse_stranger(frame(fragment=DF, payload=1400), 5, PEER1, MTU_552)
    + refuse_stranger(raw(b""), 0, PEER1, MTU_552) + refuse_stranger(frame(fragment=DF, payload=1400), 0, PEER1, MTU_552),
    "too-big-and-tagged": link(flood=UNICAST, flags=VLAN_ALLOW) + learn_mtu(PEER1, MTU_1400)
    + send(frame(TWO_TAGS, payload=1450, fragment=DF), frame(THREE_TAGS, payload=1450, fragment=DF),
           frame(TWO_TAGS | IPV6, payload=1450)),
    "mss-clamped": link(flood=UNICAST, flags=MSS_CLAMP) + send(syn(9000)) + learn_mtu(PEER1, MTU_552)
    + send(syn(), syn(shape=IPV6), (syn(shape=PSEUDO), request(34, 16))) + receive(datagram(syn(9000)))
    + set_mtu(PEER1, MTU_1) + send(syn()),
}


def main():
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    for name, commands in SEEDS.items():
        (FOLDER / f"{name}.bin").write_bytes(bytes([1, 0]) + commands)


if __name__ == "__main__":
    main()
