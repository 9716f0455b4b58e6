"""`vtep link show` beside `ip link show` for the same words, and what `link set` changes."""

import json
import re

import pytest

from packets import LOCAL
from topologies import Probe

SPECS = [
    "id 6000 group 239.1.1.1 dstport 4789 dev eno1",
    "id 80000 remote 10.0.0.2 dstport 4789 dev eno1",
    "id 7 remote 10.0.0.2 local 10.0.0.1 dstport 4790 srcport 50000 60000 ttl 4 ageing 60 nolearning dev eno1",
    "id 16777215 dstport 0 dev eno1",
    "id 0 group 239.1.1.1 dstport 4789 ttl 255 dev eno1",
]


class Twins:
    def __init__(self, net, spec, own="vtep"):
        self.probes = [Probe(net, impl) for impl in (own, "kernel")]
        for probe in self.probes:
            probe.host.add_link(spec, mac=LOCAL)

    def show(self, options):
        outputs = []
        for probe in self.probes:
            command = list(probe.host.link_command)
            command[-1:-1] = options.split()
            outputs.append(probe.ns.out([*command, "show", "dev", "vxlan0"]))
        return outputs


def words_of_vxlan(text):
    """From "vxlan id" to where the words of the interface itself start, which differ for a TAP."""
    return re.search(r"    vxlan id .*?(?= addrgenmode)", text)[0]


@pytest.mark.parametrize("own", ["vtep", "driver"])
@pytest.mark.parametrize("spec", SPECS)
def test_details_are_those_of_ip_link(net, spec, own):
    twins = Twins(net, spec, own)
    vtep, kernel = twins.show("-d")
    assert words_of_vxlan(vtep).replace(" datapath kernel", "") == words_of_vxlan(kernel)
    assert len(vtep.splitlines()) == len(kernel.splitlines()) == 3

    vtep, kernel = (json.loads(text)[0] for text in twins.show("-d -j"))
    assert vtep["linkinfo"]["info_data"].pop("datapath", "vtep") == ("vtep" if own == "vtep" else "kernel")
    assert vtep["linkinfo"] == kernel["linkinfo"]
    assert set(vtep) == set(kernel)
    same = "ifname mtu address broadcast link_type group linkmode txqlen operstate min_mtu"
    for key in same.split():
        assert vtep[key] == kernel[key], key


@pytest.mark.parametrize("options", ["", "-s", "-s -s", "-d -s", "-br"])
def test_lines_have_the_same_shape(net, options):
    """Numbers, flags, queue discipline aside: the same words at the same places."""
    vtep, kernel = (shape(text) for text in Twins(net, SPECS[0]).show(options))
    assert vtep == kernel


def shape(text):
    text = re.sub(r"qdisc \S+", "qdisc Q", re.sub(r"<[A-Z,_]*>", "<FLAGS>", text))
    return re.sub(r"\s*\d+", " N", text)


@pytest.mark.parametrize("options", ["-j", "-j -s", "-j -s -s", "-j -br"])
def test_json_has_the_same_keys(net, options):
    vtep, kernel = (keys(json.loads(text)[0]) for text in Twins(net, SPECS[0]).show(options))
    assert vtep == kernel


def keys(value):
    return {key: keys(inner) for key, inner in value.items()} if isinstance(value, dict) else None


def test_statistics_are_those_of_the_interface(probe):
    overlay = probe.overlay(SPECS[1])
    overlay.send(*[b"\xff" * 6 + b"\x02\0\0\0\0\x0a" + b"\x88\xb5" + bytes(50)] * 3)
    probe.wire.receive(lambda frame: frame[23:24] == b"\x11", count=3)
    said = json.loads(probe.host.vtep_run("-j -s link show dev vxlan0").stdout)[0]["stats64"]
    for direction in ("rx", "tx"):
        for counter, path in (("packets", "packets"), ("bytes", "bytes")):
            there = int(probe.ns.out(f"cat /sys/class/net/vxlan0/statistics/{direction}_{path}"))
            assert said[direction][counter] == there


def test_link_set_changes_what_is_said(probe):
    probe.overlay(SPECS[1])
    probe.host.link("set vxlan0 type vxlan ttl 9 ageing 77")
    said = probe.host.vtep_run("-d link show dev vxlan0").stdout
    assert " ttl 9 ageing 77 " in said
    probe.host.link("set dev vxlan0 mtu 1300")
    assert probe.ns.interface("vxlan0")["mtu"] == 1300
    probe.host.link("set vxlan0 down")
    assert "UP" not in probe.ns.interface("vxlan0")["flags"]
    probe.host.link("set vxlan0 up")
    assert "UP" in probe.ns.interface("vxlan0")["flags"]


def test_links_are_listed_and_deleted(probe):
    assert probe.host.link("show").stdout == ""
    for number in (0, 1, 2):
        probe.host.link(f"add vxlan{number} type vxlan id {number} remote 10.0.0.2 dstport 4789 dev eno1")
    assert re.findall(r"^\d+: (\S+):", probe.host.link("show").stdout, re.M) == ["vxlan0", "vxlan1", "vxlan2"]
    probe.host.link("del vxlan1")
    assert re.findall(r"^\d+: (\S+):", probe.host.link("show").stdout, re.M) == ["vxlan0", "vxlan2"]
    assert probe.ns.interface("vxlan1") is None
    assert probe.host.link("show dev vxlan1", check=False).returncode != 0
