"""`vtep fdb` beside `bridge fdb` in the same situations: what they accept and what they print. `vtep fdb` is about the
tables of vtepd, or about those of the kernel's driver, which vtepd programs ("driver")."""

import json
import re

import pytest

from stations import VNI, heard, make_probe, station


class Twins:
    """The same situation twice: once with vtepd, once with the kernel's driver alone."""

    def __init__(self, net, spec, own="vtep"):
        self.vtep, self.kernel = (make_probe(net, impl, spec) for impl in (own, "kernel"))

    def do(self, action):
        for probe in (self.vtep, self.kernel):
            action(probe)

    def fdb(self, command):
        """The same words to both, which accept or refuse them both."""
        vtep, kernel = (probe.host.fdb(command, check=False) for probe in (self.vtep, self.kernel))
        assert (vtep.returncode == 0) == (kernel.returncode == 0), (
            f"fdb {command}:\nvtep ({vtep.returncode}): {vtep.stdout}{vtep.stderr}\n"
            f"kernel ({kernel.returncode}): {kernel.stdout}{kernel.stderr}"
        )
        return vtep, kernel

    def compare(self):
        assert lines(self.vtep, "show dev vxlan0") == lines(self.kernel, "show dev vxlan0")
        assert listed(self.vtep, "show dev vxlan0") == listed(self.kernel, "show dev vxlan0")

    def compare_other_listings(self):
        assert lines(self.vtep, "show dev vxlan0 self") == lines(self.kernel, "show dev vxlan0 self")
        assert with_times(self.vtep) == with_times(self.kernel)
        # The kernel's side has the tables of other devices, too.
        everywhere = [line for line in lines(self.kernel, "show") if " dev vxlan0 " in line]
        assert lines(self.vtep, "show") == everywhere
        assert listed(self.vtep, "show") == [e for e in listed(self.kernel, "show") if e["ifname"] == "vxlan0"]


def lines(probe, words):
    return probe.host.fdb_lines(words)


def listed(probe, words):
    entries = json.loads(probe.ns.out([*probe.host.fdb_json_command, *words.split()]) or "[]")
    return sorted(entries, key=lambda entry: (entry["mac"], entry.get("dst", "")))


def with_times(probe):
    """-s adds seconds since use and update, which no two runs share."""
    command = [*probe.host.fdb_command[:-1], "-s", "fdb", "show", "dev", "vxlan0"]
    return sorted(re.sub(r"used \d+/\d+", "used N/N", line) for line in probe.ns.out(command).splitlines())


SITUATIONS = {
    "group": ("group 239.1.1.1", []),
    "remote": ("remote 10.0.0.9", []),
    "neither": ("", []),
    "states": (
        "group 239.1.1.1",
        [
            f"add {station(1)} dst 10.0.0.2 dev vxlan0",
            f"add {station(2)} dst 10.0.0.2 dev vxlan0 self",
            f"add {station(3)} dst 10.0.0.3 dev vxlan0 self permanent",
            f"add {station(4)} dst 10.0.0.3 dev vxlan0 static",
            f"add {station(5)} dst 10.0.0.3 dev vxlan0 dynamic",
        ],
    ),
    "port-vni-via": (
        "group 239.1.1.1",
        [
            f"add {station(1)} dst 10.0.0.2 port 5000 dev vxlan0",
            f"add {station(2)} dst 10.0.0.2 vni 77 dev vxlan0",
            f"add {station(3)} dst 10.0.0.2 via eno1 dev vxlan0",
            f"add {station(4)} dst 10.0.0.2 port 4789 vni {VNI} via eno1 dev vxlan0 static",
        ],
    ),
    "flood-list": (
        "",
        [
            "append 00:00:00:00:00:00 dst 10.0.0.2 dev vxlan0",
            "append 00:00:00:00:00:00 dst 10.0.0.3 dev vxlan0",
            "append 00:00:00:00:00:00 dst 10.0.0.4 via eno1 dev vxlan0",
            "append 01:00:5e:00:00:fb dst 10.0.0.2 dev vxlan0",
            "append 01:00:5e:00:00:fb dst 10.0.0.3 dev vxlan0",
            "del 00:00:00:00:00:00 dst 10.0.0.3 dev vxlan0",
        ],
    ),
    "flood-list-beside-remote": ("remote 10.0.0.9", ["append 00:00:00:00:00:00 dst 10.0.0.2 dev vxlan0"]),
    "replace-and-delete": (
        "remote 10.0.0.9",
        [
            f"replace {station(1)} dst 10.0.0.2 dev vxlan0",
            f"replace {station(1)} dst 10.0.0.3 dev vxlan0",
            f"add {station(2)} dst 10.0.0.3 dev vxlan0",
            f"replace {station(2)} dst 10.0.0.3 dev vxlan0 static",
            f"add {station(3)} dst 10.0.0.3 dev vxlan0",
            f"del {station(3)} dev vxlan0",
            f"add {station(4)} dst 10.0.0.3 dev vxlan0",
            f"del {station(4)} dst 10.0.0.3 dev vxlan0",
        ],
    ),
    "refused": (
        "group 239.1.1.1",
        [
            f"add {station(1)} dst 10.0.0.2 dev vxlan0",
            f"add {station(1)} dst 10.0.0.3 dev vxlan0",
            f"del {station(9)} dev vxlan0",
            f"add {station(2)} dst 10.0.0.2 dev vxlan9",
            f"add {station(2)} dev vxlan0",
            f"add {station(2)} dst 10.0.0.999 dev vxlan0",
            "add 02:00:00:00:00 dst 10.0.0.2 dev vxlan0",
            f"add {station(2)} dst 10.0.0.2 vni 16777216 dev vxlan0",
            f"add {station(2)} dst 10.0.0.2 port 65536 dev vxlan0",
            f"add {station(2)} dst 10.0.0.2 via eno9 dev vxlan0",
            f"add {station(2)} dst 10.0.0.2 dev vxlan0 frobnicate",
            f"get {station(2)} dev vxlan0 self",
        ],
    ),
}


either = pytest.mark.parametrize("own", ["vtep", "driver"])


@either
@pytest.mark.parametrize("situation", SITUATIONS)
def test_listings_are_those_of_bridge_fdb(net, situation, own):
    spec, commands = SITUATIONS[situation]
    twins = Twins(net, spec, own)
    twins.compare()
    for command in commands:
        twins.fdb(command)
        twins.compare()
    twins.compare_other_listings()


@either
def test_learned_entries_are_those_of_bridge_fdb(net, own):
    twins = Twins(net, "group 239.1.1.1", own)
    twins.do(lambda probe: heard(probe, 1, "10.0.0.2"))
    twins.do(lambda probe: heard(probe, 2, "10.0.0.3"))
    twins.compare()
    twins.do(lambda probe: heard(probe, 1, "10.0.0.4"))
    twins.compare()
    assert f"{station(1)} dst 10.0.0.4 self " in lines(twins.vtep, "show dev vxlan0")


@either
def test_get_prints_what_bridge_prints(net, own):
    twins = Twins(net, "remote 10.0.0.9", own)
    twins.fdb(f"add {station(1)} dst 10.0.0.2 dev vxlan0 static")
    for mac in (station(1), "00:00:00:00:00:00"):
        vtep, kernel = twins.fdb(f"get {mac} dev vxlan0 self")
        assert vtep.stdout == kernel.stdout


FLUSHES = ["", "self", "permanent", "static", "dynamic", "nopermanent"]


@either
def test_flush_leaves_what_bridge_leaves(net, own):
    twins = Twins(net, "remote 10.0.0.9", own)
    for words in FLUSHES:
        twins.fdb(f"replace {station(1)} dst 10.0.0.2 dev vxlan0")
        twins.fdb(f"replace {station(2)} dst 10.0.0.2 dev vxlan0 static")
        twins.fdb(f"replace {station(3)} dst 10.0.0.3 dev vxlan0 dynamic")
        twins.fdb(f"replace {station(4)} dst 10.0.0.3 port 5000 vni 77 via eno1 dev vxlan0")
        twins.do(lambda probe: probe.host.fdb("append 00:00:00:00:00:00 dst 10.0.0.2 dev vxlan0", check=False))
        vtep, kernel = twins.fdb(f"flush dev vxlan0 {words}")
        assert lines(twins.vtep, "show dev vxlan0") == lines(twins.kernel, "show dev vxlan0"), f"flush {words}"


@pytest.mark.parametrize(
    "words, gone",
    [
        ("dst 10.0.0.2", {1, 2}),
        ("dst 10.0.0.3 dynamic", {3}),
        ("vni 77", {4}),
        (f"vni {VNI}", {0, 1, 2, 3}),
        ("port 5000", {4}),
        ("via eno1", {0, 4}),
        ("dst 10.0.0.99", set()),
    ],
)
def test_flush_by_remote(net, words, gone):
    """Newer versions of `bridge` have these words; Debian 12's takes them and flushes everything."""
    host = make_probe(net, "vtep").host
    host.fdb(f"add {station(1)} dst 10.0.0.2 dev vxlan0")
    host.fdb(f"add {station(2)} dst 10.0.0.2 dev vxlan0 static")
    host.fdb(f"add {station(3)} dst 10.0.0.3 dev vxlan0 dynamic")
    host.fdb(f"add {station(4)} dst 10.0.0.3 port 5000 vni 77 via eno1 dev vxlan0")
    macs = ["00:00:00:00:00:00", *map(station, range(1, 5))]
    host.fdb(f"flush dev vxlan0 {words}")
    left = {mac for number, mac in enumerate(macs) if number not in gone}
    assert {line.split()[0] for line in host.fdb_lines()} == left
