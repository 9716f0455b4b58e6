"""What is measured, on which wire, through which tunnel, of whom: a table."""

import dataclasses

# Nothing on a wire without offloads may be larger than an Ethernet frame: a sender has to cut what it sends, as in front
# of a network card that cannot. Checksums are still left to the device, as to nearly every network card.
WIRES = {"offloads": "veth with its offloads", "packets": "veth without segmentation offloads"}

BOTH = ("vtep", "kernel")
PEERS = (*BOTH, "ovs")
SPINS = ("vtep-spin", "vtep-nospin")
MAIN = {
    "tcp_1": (*PEERS, "vtep-spin", "vtep-1worker"),
    "tcp_8": (*PEERS, "vtep-1worker"),
    "tcp_64": BOTH,
    "udp": (*PEERS, "vtep-1worker"),
    "round_trip": (*PEERS, *SPINS),
}
TCP = {"tcp_1": BOTH, "udp": BOTH}
SLOW = ("tcp_64",)  # no part of a quick run


@dataclasses.dataclass(frozen=True)
class Scenario:
    """One pair of hosts for each implementation; `measured` says what is asked of whom, in this order.

    `outer` and `inner` are versions of IP. `checksum` is that of the outer UDP header: None leaves the default, which is
    that of iproute2 (IPv4: yes). `remotes`: how many VTEPs the sender has entries for, all of them on the receiver.
    """

    name: str
    title: str
    measured: dict
    wire: str = "offloads"
    mtu: int = 1500
    outer: int = 4
    inner: int = 4
    checksum: bool | None = None
    remotes: int = 1
    quick: bool = False

    @property
    def impls(self):
        return list(dict.fromkeys(impl for impls in self.measured.values() for impl in impls))


SCENARIOS = [
    Scenario("offloads", WIRES["offloads"], MAIN, quick=True),
    Scenario("packets", WIRES["packets"], MAIN, wire="packets", quick=True),
    Scenario("mtu9000", "MTU 9000, offloads", TCP, mtu=9000),
    Scenario("mtu9000-packets", "MTU 9000, no offloads", TCP, wire="packets", mtu=9000),
    Scenario("outer6", "IPv6 outside, offloads", TCP, outer=6),
    Scenario("outer6-packets", "IPv6 outside, no offloads", TCP, wire="packets", outer=6),
    Scenario("inner6", "IPv6 inside, offloads", TCP, inner=6),
    Scenario("inner6-packets", "IPv6 inside, no offloads", TCP, wire="packets", inner=6),
    Scenario("nochecksum", "no outer checksum, offloads", TCP, checksum=False),
    Scenario("nochecksum-packets", "no outer checksum, no offloads", TCP, wire="packets", checksum=False),
    Scenario("remotes1", "one remote", {"blast": BOTH}, wire="packets", quick=True),
    Scenario("remotes1000", "1,000 remotes in turn", {"blast": BOTH}, wire="packets", remotes=1000, quick=True),
    Scenario("idle", "idle", {"idle": ("vtep", "vtep-spin")}, quick=True),
    Scenario("calls", "calls counted", {"calls": ("vtep-counted",)}, wire="packets", quick=True),
]


def quick_ones():
    """What the table of what is to be reached needs, and little else."""
    for scenario in SCENARIOS:
        if scenario.quick:
            measured = {what: impls for what, impls in scenario.measured.items() if what not in SLOW}
            yield dataclasses.replace(scenario, measured=measured)


def add_variant(name):
    """Measured wherever vtep is on the two main wires."""
    MAIN.update({what: (*impls, name) for what, impls in MAIN.items() if "vtep" in impls})


def listing():
    """The table, as `bench/run --list` prints it."""
    rows = [("NAME", "WIRE", "MTU", "OUTER", "INNER", "CHECKSUM", "REMOTES", "MEASURED")]
    for s in SCENARIOS:
        checksum = {None: "default", True: "yes", False: "no"}[s.checksum]
        measured = "; ".join(f"{what}: {' '.join(impls)}" for what, impls in s.measured.items())
        rows.append((s.name, s.wire, str(s.mtu), f"IPv{s.outer}", f"IPv{s.inner}", checksum, str(s.remotes), measured))
    widths = [max(len(row[column]) for row in rows) for column in range(7)]
    return "\n".join("  ".join([*(cell.ljust(width) for cell, width in zip(row, widths)), row[7]]) for row in rows)
