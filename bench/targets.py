"""What vtep is to reach, and whether these results do."""

import dataclasses
import statistics

from figures import ratios, summary, values
from metrics import CALLS


@dataclasses.dataclass(frozen=True)
class Target:
    """`figures` gives the rounds of one figure from all results; `limit` is the least of it, or with `most` the most.

    The median decides. With `digits` it does as it would be written with so many: 0.04 % is 0.0 %.
    """

    name: str
    figures: object
    limit: float
    most: bool = False
    unit: str = "×"
    digits: int | None = None

    def row(self, results):
        """Name, target, figure, verdict."""
        found = list(self.figures(results))
        limit = f"{self.limit:g}" if self.digits is None else f"{self.limit:.{self.digits}f}"
        unit = self.unit if self.unit == "×" else f" {self.unit}"
        target = f"{'≤' if self.most else '≥'} {limit}{unit}"
        if not found:
            return [self.name, target, "–", "not measured"]
        return [self.name, target, f"{summary(found)}{unit}", self.verdict(found)]

    def verdict(self, found):
        median = statistics.median(found)
        if self.digits is not None:
            median = round(median, self.digits)
        return "ok" if (median <= self.limit if self.most else median >= self.limit) else "missed"


def ratio(scenario, metric, ours=("vtep",), theirs="kernel"):
    """Of the first of `ours` that was measured."""

    def figures(results):
        found = (ratios(results["samples"], scenario, metric, each, theirs) for each in ours)
        return next((each for each in found if each), [])

    return figures


def absolute(scenario, metric, ours="vtep"):
    return lambda results: values(results["samples"], scenario, ours, metric).values()


def in_memory(entries):
    """The slower of encapsulation and decapsulation of small frames, nanoseconds for each frame."""

    def figures(results):
        found = {}
        for benchmark in results["micro"]:
            name, *arguments = benchmark["name"].split("/")
            small = {f"entries:{entries}", "payload:64"} <= set(arguments)
            if small and name in ("encapsulate", "decapsulate"):
                found.setdefault(name, []).append(benchmark["frame"] * 1e9)
        # Of what an inner checksum costs, encapsulation and decapsulation each have a benchmark of their own.
        return [max(min(times) for times in found.values())] if len(found) == 2 else []

    return figures


def calls_per_packet(results):
    """The worst of both ends, of small datagrams and of TCP, in each round."""
    of_rounds = {}
    for sample in results["samples"]:
        found = [sample["values"][metric] for metric in CALLS if metric in sample["values"]]
        if found:
            of_rounds[sample["round"]] = max(found)
    return of_rounds.values()


# Without spinning: of a daemon that was told so; where there is nothing to tell, it does not spin.
NOT_SPINNING = ("vtep-nospin", "vtep")
TARGETS = [
    Target("TCP, one stream, veth with offloads", ratio("offloads", "tcp_1"), 0.9),
    Target("TCP, one stream, MTU-sized wire", ratio("packets", "tcp_1"), 1.0),
    Target("TCP, 8 streams, veth with offloads", ratio("offloads", "tcp_8"), 0.9),
    Target("TCP, 8 streams, MTU-sized wire", ratio("packets", "tcp_8"), 0.9),
    Target("UDP, 64 bytes: frames decapsulated to the TAP, veth with offloads", ratio("offloads", "udp_interface"), 2),
    Target("UDP, 64 bytes: frames decapsulated to the TAP, MTU-sized wire", ratio("packets", "udp_interface"), 2),
    Target("the same, from a sender that is never slowed down", ratio("remotes1", "blast_interface"), 2),
    Target("UDP, 64 bytes, delivered to a socket, veth with offloads", ratio("offloads", "udp_delivered"), 1.0),
    Target("UDP, 64 bytes, delivered to a socket, MTU-sized wire", ratio("packets", "udp_delivered"), 1.0),
    Target("round trip with spinning, p50", ratio("offloads", "rtt_p50", ("vtep-spin",)), 0.6, most=True),
    Target("round trip with spinning, p99", ratio("offloads", "rtt_p99", ("vtep-spin",)), 0.5, most=True),
    Target("round trip without spinning, p50", ratio("offloads", "rtt_p50", NOT_SPINNING), 1.3, most=True),
    Target("round trip without spinning, p99", ratio("offloads", "rtt_p99", NOT_SPINNING), 1.3, most=True),
    Target("TCP, one stream, against Open vSwitch in user space, veth with offloads", ratio("offloads", "tcp_1", theirs="ovs"), 10),
    Target("TCP, one stream, against Open vSwitch in user space, MTU-sized wire", ratio("packets", "tcp_1", theirs="ovs"), 10),
    Target("engine in memory, 1M entries, cold", in_memory(1 << 20), 100, most=True, unit="ns a frame"),
    Target("engine in memory, hot", in_memory(64), 30, most=True, unit="ns a frame"),
    Target("allocations and locks in steady state", calls_per_packet, 0, most=True, unit="for each packet", digits=3),
    Target("idle CPU", absolute("idle", "idle_cpu"), 0, most=True, unit="%", digits=1),
    Target("idle memory, resident", absolute("idle", "idle_memory"), 30, most=True, unit="MB"),
]
