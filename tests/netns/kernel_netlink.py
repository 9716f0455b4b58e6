"""What the kernel's driver can do and the iproute2 of Debian 12 has no word for, over rtnetlink. The words are those
of newer releases of iproute2, so that one test body says the same to the driver and to vtep."""

import ipaddress
import socket
import struct

from namespaces import words

RTM_NEWLINK, RTM_DELNEIGH, RTM_NEWMDB, RTM_DELMDB = 16, 29, 84, 85
NLMSG_ERROR = 2
NLM_F_REQUEST, NLM_F_ACK, NLM_F_BULK, NLM_F_REPLACE, NLM_F_EXCL, NLM_F_CREATE = 1, 4, 0x200, 0x100, 0x200, 0x400
NLA_F_NESTED = 0x8000
AF_BRIDGE = 7
IFLA_IFNAME, IFLA_LINKINFO, IFLA_INFO_KIND, IFLA_INFO_DATA = 3, 18, 1, 2
NTF_SELF = 0x02
NUD_NOARP, NUD_PERMANENT = 0x40, 0x80
# Words of flush: the bits that an entry's state must have, of those that count. Permanent entries have both.
STATES = {
    "permanent": (NUD_PERMANENT, NUD_PERMANENT),
    "nopermanent": (0, NUD_PERMANENT),
    "static": (NUD_NOARP, NUD_NOARP | NUD_PERMANENT),
    "nostatic": (0, NUD_NOARP),
    "dynamic": (0, NUD_NOARP | NUD_PERMANENT),
    "nodynamic": (NUD_NOARP, NUD_NOARP),
}
FLAG_BITS = {"router": 0x80, "extern_learn": 0x10}
NDA_DST, NDA_PORT, NDA_VNI, NDA_SRC_VNI, NDA_NH_ID, NDA_NDM_STATE_MASK, NDA_NDM_FLAGS_MASK = 1, 6, 7, 11, 13, 16, 17
MDBA_SET_ENTRY, MDBA_SET_ENTRY_ATTRS = 1, 2
MDBE_SOURCE, MDBE_DST, MDBE_DST_PORT, MDBE_VNI, MDBE_IFINDEX, MDBE_SRC_VNI = 1, 5, 6, 7, 8, 9
VXLAN = {"id": 1, "group": 2, "link": 3, "learning": 7, "port": 15, "localbypass": 31, "reserved_bits": 33}


class Refused(Exception):
    """The kernel, or a command, said no."""


def attribute(kind, payload):
    """One attribute; a list of attributes is a nested one."""
    if isinstance(payload, list):
        kind, payload = kind | NLA_F_NESTED, b"".join(payload)
    return struct.pack("=HH", 4 + len(payload), kind) + payload + bytes(-len(payload) % 4)


def u16(value):
    return struct.pack("=H", value)


def u32(value):
    return struct.pack("=I", value)


def address(text):
    return ipaddress.ip_address(text).packed


def request(namespace, kind, flags, body):
    """Sends one request and waits for its answer. Throws Refused."""
    with namespace.entered():
        channel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
    with channel:
        channel.settimeout(10)
        length = 16 + len(body)
        channel.send(struct.pack("=IHHII", length, kind, NLM_F_REQUEST | NLM_F_ACK | flags, 1, 0) + body)
        answer = channel.recv(65536)
    _, kind, _, _, _ = struct.unpack_from("=IHHII", answer)
    (error,) = struct.unpack_from("=i", answer, 16)
    assert kind == NLMSG_ERROR, f"an answer of type {kind}"
    if error:
        raise Refused(f"errno {-error}")


def ifindex(namespace, name):
    return namespace.interface(name)["ifindex"]


def change_vxlan(namespace, name, **options):
    """`ip link set NAME type vxlan …`, or `ip link add` where there is no NAME yet; values are attribute payloads."""
    data = [attribute(VXLAN[option], payload) for option, payload in options.items()]
    info = [attribute(IFLA_INFO_KIND, b"vxlan"), attribute(IFLA_INFO_DATA, data)]
    body = struct.pack("=BxHiII", 0, 0, 0, 0, 0) + attribute(IFLA_IFNAME, name.encode() + b"\0")
    flags = 0 if namespace.interface(name) else NLM_F_CREATE | NLM_F_EXCL
    request(namespace, RTM_NEWLINK, flags, body + attribute(IFLA_LINKINFO, info))


def flush(namespace, command):
    """`bridge fdb flush dev DEV [dst IP] [port P] [vni V] [src_vni V] [nhid N] [[no]STATE|[no]FLAG]…`"""
    given = iter(words(command))
    device, state, state_mask, flags, flags_mask, attributes = 0, 0, 0, 0, 0, []
    for word in given:
        name = word.removeprefix("no")
        if word in STATES:
            bits, mask = STATES[word]
            state, state_mask = state | bits, state_mask | mask
        elif name in FLAG_BITS:
            flags |= FLAG_BITS[name] if word == name else 0
            flags_mask |= FLAG_BITS[name]
        else:
            value = next(given)
            if word == "dev":
                device = ifindex(namespace, value)
            elif word == "dst":
                attributes.append(attribute(NDA_DST, address(value)))
            elif word == "port":
                attributes.append(attribute(NDA_PORT, struct.pack("!H", int(value))))
            else:
                number = {"vni": NDA_VNI, "src_vni": NDA_SRC_VNI, "nhid": NDA_NH_ID}[word]
                attributes.append(attribute(number, u32(int(value))))
    if state_mask:
        attributes.append(attribute(NDA_NDM_STATE_MASK, u16(state_mask)))
    if flags_mask:
        attributes.append(attribute(NDA_NDM_FLAGS_MASK, bytes([flags_mask])))
    header = struct.pack("=BxxxiHBB", AF_BRIDGE, device, state, NTF_SELF | flags, 0)
    request(namespace, RTM_DELNEIGH, NLM_F_BULK, header + b"".join(attributes))


def mdb(namespace, command):
    """`bridge mdb add|replace|del dev DEV port DEV grp G [src S] [permanent] [dst IP] [dst_port P] [vni V]
    [src_vni V] [via DEV]`"""
    operation, *rest = words(command)
    rest = [word for word in rest if word != "permanent"]
    said = dict(zip(rest[::2], rest[1::2]))
    group = ipaddress.ip_address(said["grp"])
    protocol = 0x0800 if group.version == 4 else 0x86DD
    device = ifindex(namespace, said["dev"])
    permanent = 1 if "permanent" in words(command) else 0
    entry = struct.pack("=IBBH16sH2x", device, permanent, 0, 0, group.packed, socket.htons(protocol))
    attributes = []
    if "src" in said:
        attributes.append(attribute(MDBE_SOURCE, address(said["src"])))
    if "dst" in said:
        attributes.append(attribute(MDBE_DST, address(said["dst"])))
    if "dst_port" in said:
        attributes.append(attribute(MDBE_DST_PORT, u16(int(said["dst_port"]))))
    if "vni" in said:
        attributes.append(attribute(MDBE_VNI, u32(int(said["vni"]))))
    if "src_vni" in said:
        attributes.append(attribute(MDBE_SRC_VNI, u32(int(said["src_vni"]))))
    if "via" in said:
        attributes.append(attribute(MDBE_IFINDEX, u32(ifindex(namespace, said["via"]))))
    body = struct.pack("=BxxxI", AF_BRIDGE, device) + attribute(MDBA_SET_ENTRY, entry)
    if attributes:
        body += attribute(MDBA_SET_ENTRY_ATTRS, attributes)
    kind, flags = {
        "add": (RTM_NEWMDB, NLM_F_CREATE | NLM_F_EXCL),
        "replace": (RTM_NEWMDB, NLM_F_CREATE | NLM_F_REPLACE),
        "del": (RTM_DELMDB, 0),
    }[operation]
    request(namespace, kind, flags, body)
