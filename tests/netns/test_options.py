"""Every option of iproute2's vxlan type: what is shown for it, what `link set` changes, and what is refused."""

import json
import re

import pytest

from scene import scene_fixture

scene, clean = scene_fixture()
PLAIN = "srcport 0 0 dstport 4789 ttl auto ageing 300 udpcsum noudp6zerocsumtx noudp6zerocsumrx"
USUAL = {
    "id": 1, "port_range": {"low": 0, "high": 0}, "port": 4789, "learning": True, "ttl": 0, "df": "unset",
    "ageing": 300, "udp_csum": True, "udp_zero_csum6_tx": False, "udp_zero_csum6_rx": False,
}

# Words of `link add`, then what -d prints behind "vxlan id 1", then what -j has that a link without them has not.
SHOWN = {
    "": (PLAIN, {}),
    "remote 10.0.0.2 dev eno1": (f"remote 10.0.0.2 dev eno1 {PLAIN}", {"remote": "10.0.0.2", "link": "eno1"}),
    "remote fd00:10::2": (f"remote fd00:10::2 {PLAIN}", {"remote6": "fd00:10::2"}),
    "group ff05::1 dev eno1": (f"group ff05::1 dev eno1 {PLAIN}", {"group6": "ff05::1", "link": "eno1"}),
    "local 10.0.0.1": (f"local 10.0.0.1 {PLAIN}", {"local": "10.0.0.1"}),
    "local fd00:10::1": (f"local fd00:10::1 {PLAIN}", {"local6": "fd00:10::1"}),
    "srcport 50000 50007": (PLAIN.replace("0 0", "50000 50007", 1), {"port_range": {"low": 50000, "high": 50007}}),
    "ttl 7": (PLAIN.replace("ttl auto", "ttl 7"), {"ttl": 7}),
    "ttl auto": (PLAIN, {}),
    "ttl inherit": (PLAIN.replace("ttl auto", "ttl inherit"), {"ttl": None}),
    "tos 0x10": (PLAIN.replace("ttl", "tos 0x10 ttl"), {"tos": "0x10"}),
    "tos inherit": (PLAIN.replace("ttl", "tos inherit ttl"), {"tos": "0x1"}),
    "df set": (PLAIN.replace("auto", "auto df set"), {"df": "set"}),
    "df unset": (PLAIN, {}),
    "df inherit": (PLAIN.replace("auto", "auto df inherit"), {"df": "inherit"}),
    "remote fd00:10::2 flowlabel 0x12345": (
        "remote fd00:10::2 " + PLAIN.replace("auto", "auto flowlabel 0x12345"),
        {"remote6": "fd00:10::2", "label": "0x12345"},
    ),
    "learning": (PLAIN, {}),
    "nolearning": (PLAIN.replace("ttl", "nolearning ttl"), {"learning": False}),
    "ageing 77": (PLAIN.replace("300", "77"), {"ageing": 77}),
    "maxaddress 9": (PLAIN.replace("300", "300 maxaddr 9"), {"limit": 9}),
    "proxy": (PLAIN.replace("ttl", "proxy ttl"), {"proxy": True}),
    "noproxy": (PLAIN, {}),
    "rsc": (PLAIN.replace("ttl", "rsc ttl"), {"rsc": True}),
    "norsc": (PLAIN, {}),
    "l2miss": (PLAIN.replace("ttl", "l2miss ttl"), {"l2miss": True}),
    "nol2miss": (PLAIN, {}),
    "l3miss": (PLAIN.replace("ttl", "l3miss ttl"), {"l3miss": True}),
    "nol3miss": (PLAIN, {}),
    "udpcsum": (PLAIN, {}),
    "noudpcsum": (PLAIN.replace("udpcsum", "noudpcsum"), {"udp_csum": False}),
    "udp6zerocsumtx": (PLAIN.replace("noudp6zerocsumtx", "udp6zerocsumtx"), {"udp_zero_csum6_tx": True}),
    "noudp6zerocsumtx": (PLAIN, {}),
    "udp6zerocsumrx": (PLAIN.replace("noudp6zerocsumrx", "udp6zerocsumrx"), {"udp_zero_csum6_rx": True}),
    "noudp6zerocsumrx": (PLAIN, {}),
    "remcsumtx": (f"{PLAIN} remcsumtx", {"remcsum_tx": True}),
    "noremcsumtx": (PLAIN, {}),
    "remcsumrx": (f"{PLAIN} remcsumrx", {"remcsum_rx": True}),
    "noremcsumrx": (PLAIN, {}),
    "gbp": (f"{PLAIN} gbp", {"gbp": True}),
    "noexternal": (PLAIN, {}),
    "remote 10.0.0.2 local 10.0.0.1 srcport 50000 50001 nolearning proxy rsc l2miss l3miss tos 4 ttl 3 df set ageing 5 "
    "maxaddress 4 noudpcsum udp6zerocsumtx udp6zerocsumrx remcsumtx remcsumrx gbp": (
        "remote 10.0.0.2 local 10.0.0.1 srcport 50000 50001 dstport 4789 nolearning proxy rsc l2miss l3miss tos 0x4 "
        "ttl 3 df set ageing 5 maxaddr 4 noudpcsum udp6zerocsumtx udp6zerocsumrx remcsumtx remcsumrx gbp",
        {
            "remote": "10.0.0.2", "local": "10.0.0.1", "port_range": {"low": 50000, "high": 50001}, "learning": False,
            "proxy": True, "rsc": True, "l2miss": True, "l3miss": True, "tos": "0x4", "ttl": 3, "df": "set",
            "ageing": 5, "limit": 4, "udp_csum": False, "udp_zero_csum6_tx": True, "udp_zero_csum6_rx": True,
            "remcsum_tx": True, "remcsum_rx": True, "gbp": True,
        },
    ),
}


def details(scene, name="vxlan0"):
    """The words of the tunnel, without those that only vtep has, which it prints behind the kernel's."""
    command = [*scene.host.link_command[:-1], "-d", "link", "show", "dev", name]
    line = re.search(r"vxlan (.*?) addrgenmode", scene.ns.out(command))[1]
    return line


def info_data(scene, name="vxlan0"):
    command = [*scene.host.link_command[:-1], "-d", "-j", "link", "show", "dev", name]
    return json.loads(scene.ns.out(command))[0]["linkinfo"]["info_data"]


@pytest.mark.parametrize("words", SHOWN, ids=lambda words: words[:40] or "nothing")
def test_what_was_said_is_shown_in_the_words_of_ip_link(scene, words):
    text, more = SHOWN[words]
    scene.add(f"id 1 dstport 4789 {words}", version=6 if "::" in words else 4, marker=False)
    assert details(scene) == f"id 1 {text}"
    assert info_data(scene) == {key: value for key, value in {**USUAL, **more}.items() if value is not None}


def test_a_vnifilter_link_is_shown_as_one(scene):
    """iproute2 6.1 forgets the blank between "vnifilter" and "id", and vtep does not."""
    scene.add("external vnifilter dstport 4789", marker=False)
    assert details(scene).replace("vnifilterid", "vnifilter id").startswith("external vnifilter id 0 ")
    shown = info_data(scene)
    assert (shown["external"], shown["vnifilter"], shown["learning"]) == (True, True, False)


# What `link set` changes, and how it is shown afterwards.
CHANGED = {
    "remote 10.0.0.3": "remote 10.0.0.3",
    "local 10.0.0.1": "local 10.0.0.1",
    "ttl 9": "ttl 9",
    "tos 0x20": "tos 0x20",
    "tos inherit": "tos inherit",
    "df set": "df set",
    "df inherit": "df inherit",
    "nolearning": "nolearning",
    "ageing 44": "ageing 44",
}
# The kernel's driver wants a new link for these.
CHANGED_BY_VTEP = {
    "l3miss": "l3miss",
    "l2miss": "l2miss",
    "rsc": "rsc",
    "proxy": "proxy",
    "maxaddress 12": "maxaddr 12",
    "ttl inherit": "ttl inherit",
    "noudpcsum": "noudpcsum",
    "udp6zerocsumtx": "udp6zerocsumtx",
    "udp6zerocsumrx": "udp6zerocsumrx",
    "srcport 50000 50003": "srcport 50000 50003",
    "remcsumrx": "remcsumrx",
    "remcsumtx": "remcsumtx",
    "gbp": "gbp",
}


@pytest.mark.parametrize("words", CHANGED)
def test_link_set_changes_what_the_kernel_lets_change(scene, words):
    overlay = scene.add("id 1 remote 10.0.0.2 dstport 4789 dev eno1", marker=False)
    overlay.set(words)
    assert f" {CHANGED[words]} " in f" {details(scene)} "


@pytest.mark.parametrize("words", CHANGED_BY_VTEP)
def test_link_set_changes_more_than_the_kernel_lets_change(scene, words):
    overlay = scene.add("id 1 remote 10.0.0.2 dstport 4789 dev eno1", marker=False)
    if scene.is_vtep:
        overlay.set(words)
        assert f" {CHANGED_BY_VTEP[words]} " in f" {details(scene)} "
    else:
        scene.refused(overlay.set, words)


REFUSED = [
    "id 1 tos 256", "id 1 tos some", "id 1 ttl 256", "id 1 ttl some", "id 1 df some", "id 1 ageing x",
    "id 1 maxaddress -1", "id 1 maxaddress 4294967296", "id 1 remote fd00::2 flowlabel 1048576",
    "id 1 flowlabel 5", "id 1 remote 10.0.0.2 flowlabel 5", "id 1 local fd00::1 remote 10.0.0.2",
    "id 1 group ff05::1", "id 1 group fd00::2 dev eno1", "id 1 remote ff05::1 dev eno1",
    "id 1 group 239.1.1.1 remote 10.0.0.2 dev eno1", "id 1 vnifilter", "id 1 external", "id 1 external vnifilter",
    "id 1 gbp gpe", "id 1 remote 10.0.0.2 proxy noproxy2", "id 1 srcport 50000", "id 1 df", "id 1 tos",
    "id 1 srcport 50000 many", "id 1 srcport 0 65536",
]


@pytest.mark.parametrize("words", REFUSED)
def test_words_without_sense_are_refused_and_nothing_is_made(scene, words):
    done = scene.link(f"add name vxlan0 type vxlan {words} dstport 4789", check=False)
    assert done.returncode == 1 if scene.is_vtep else done.returncode != 0
    assert scene.ns.interface("vxlan0") is None
    if scene.is_vtep:
        assert len(done.stderr.splitlines()) == 1 and done.stdout == ""


# What has no meaning for a TAP, and the word that the refusal names.
NOT_FOR_A_TAP = {"external": "external", "id 1 gpe": "gpe", "external gpe": "gpe", "id 1 mcroute": "mcroute"}


@pytest.mark.parametrize("words", NOT_FOR_A_TAP)
def test_what_makes_no_sense_on_a_tap_is_refused_by_name(scene, words):
    """The kernel's driver takes `external`, for other parts of the kernel that set the tunnel of each packet; what this
    iproute2 does not know, it refuses as well."""
    done = scene.link(f"add name vxlan0 type vxlan {words} dstport 4789", check=False)
    if scene.is_vtep:
        assert done.returncode == 1
        assert NOT_FOR_A_TAP[words] in done.stderr and len(done.stderr.splitlines()) == 1
        assert scene.ns.interface("vxlan0") is None
    else:
        assert (done.returncode == 0) == words.startswith("external")
        scene.link("del vxlan0", check=False)


VTEP_ONLY = {
    "vlan allow": "vlan allow",
    "vlan discard": "vlan discard",
    "mssclamp": "mssclamp",
    "mcsnoop": "mcsnoop",
    "limit broadcast 100": "limit broadcast 100",
    "limit unknown 7": "limit unknown 7",
    "limit multicast 1": "limit multicast 1",
    "moves 3 60": "moves 3 60",
    "allow 10.0.0.0/24": "allow 10.0.0.0/24",
    "deny 10.0.0.7/32": "deny 10.0.0.7/32",
    "deny fd00:10::/64": "deny fd00:10::/64",
    "reserved_bits 0xf7ffffff000000ff": "reserved_bits 0xf7ffffff000000ff",
    "nolocalbypass": "nolocalbypass",
}


@pytest.mark.parametrize("words", VTEP_ONLY)
def test_words_that_iproute2_lacks_are_shown_when_they_were_said(scene, words):
    spec = "id 1 remote 10.0.0.2 dstport 4789 dev eno1"
    if not scene.is_vtep:
        assert scene.link(f"add name vxlan0 type vxlan {spec} {words}", check=False).returncode != 0
        return
    overlay = scene.add(f"{spec} {words}", marker=False)
    shown = scene.say([*scene.host.vtep, "-d", "link", "show", "vxlan0"]).stdout
    assert VTEP_ONLY[words] in re.sub(r"\s+", " ", shown)
    overlay.remove()
    scene.add(spec, marker=False)
    assert VTEP_ONLY[words] not in scene.say([*scene.host.vtep, "-d", "link", "show", "vxlan0"]).stdout


def test_ageing_zero_is_never(scene):
    """For the kernel's driver it is no word at all: the default."""
    scene.add("id 1 dstport 4789 ageing 0", marker=False)
    assert (" ageing 300 " in details(scene)) is not scene.is_vtep
    assert info_data(scene)["ageing"] == (0 if scene.is_vtep else 300)


def test_a_link_without_a_device_leaves_room_for_the_headers(scene):
    """1500 inner bytes cannot pass an Ethernet underlay in one packet; the kernel's driver says 1500 all the same."""
    scene.add("id 1 remote 10.0.0.2 dstport 4789", marker=False)
    assert scene.ns.interface("vxlan0")["mtu"] == (1450 if scene.is_vtep else 1500)


def test_the_interface_is_a_tap_with_several_queues(scene):
    scene.add("id 1 remote 10.0.0.2 dstport 4789 dev eno1", marker=False)
    interface = scene.ns.interface("vxlan0")
    assert (interface["num_tx_queues"], interface["max_mtu"]) == ((256, 65521) if scene.is_vtep else (1, 65535))
    assert (interface.get("linkinfo", {}).get("info_kind") == "vxlan") is not scene.is_vtep


def test_links_of_one_port_may_differ_in_extensions(scene):
    """The kernel's driver has its extensions on the socket, and does not bring such a link up."""
    scene.add("id 1 remote 10.0.0.2 dstport 4789 dev eno1", marker=False)
    scene.link("add name vxlan1 type vxlan id 2 remote 10.0.0.2 dstport 4789 dev eno1 gbp")
    up = scene.ns.run("ip link set vxlan1 up", check=False)
    scene.link("del vxlan1")
    assert (up.returncode == 0) is scene.is_vtep
