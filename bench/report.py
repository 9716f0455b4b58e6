"""From samples to tables: medians, ratios and spreads in Markdown, and their place in docs/performance.md."""

import statistics

from hosts import WIRES

IMPLS = ("vtep", "kernel")
BEGIN = "<!-- bench/run --publish writes from here -->"
END = "<!-- to here -->"

# metric: (name, unit); in the order of the table.
METRICS = {
    "tcp_1": ("TCP, 1 stream", "Gbit/s"),
    "tcp_8": ("TCP, 8 streams", "Gbit/s"),
    "udp_delivered": ("UDP, 64 bytes, delivered to the program", "kpps"),
    "udp_interface": ("UDP, 64 bytes, out of the interface", "kpps"),
    "rtt_p50": ("round trip, p50", "µs"),
    "rtt_p99": ("round trip, p99", "µs"),
    "cpu_machine": ("CPU of the whole machine, TCP, 1 stream", "s/GB"),
    "cpu_sender": ("CPU of the sender's daemon", "s/GB"),
    "cpu_receiver": ("CPU of the receiver's daemon", "s/GB"),
}
SCALE_METRICS = {
    "entries_per_second": ("entries, 100,000 in one batch", "thousand/s"),
    "entry_weight": ("memory for an entry, of 1,000,000", "bytes"),
    "links_made": ("1000 links, made by one batch", "s"),
    "links_ended": ("1000 links, all ended", "s"),
}


def values(samples, wire, impl, metric):
    """{round: value}"""
    return {
        s["round"]: s["values"][metric] for s in samples if (s["wire"], s["impl"]) == (wire, impl) and metric in s["values"]
    }


def ratios(samples, wire, metric):
    """vtep / kernel of each round that has both: what drifts between rounds cancels out."""
    ours, theirs = (values(samples, wire, impl, metric) for impl in IMPLS)
    return [ours[number] / theirs[number] for number in sorted(ours.keys() & theirs.keys()) if theirs[number]]


def number(value):
    """Three significant digits, without an exponent."""
    magnitude = abs(value)
    digits = 0 if magnitude >= 100 else 1 if magnitude >= 10 else 2 if magnitude >= 1 else 3
    return f"{value:.{digits}f}"


def summary(several, unit=""):
    """`median unit (min–max)`"""
    if not several:
        return "–"
    unit = f" {unit}" if unit else ""
    return f"{number(statistics.median(several))}{unit} ({number(min(several))}–{number(max(several))})"


def markdown(results):
    """Everything between the markers."""
    samples = results["samples"]
    lines = [about(results), ""]
    for wire, description in WIRES.items():
        lines += [f"### {description[0].upper()}{description[1:]}", ""]
        lines += table(samples, wire, METRICS)
        lines += ["", f"![vtep and the kernel's driver: {description}](performance/{wire}.svg)", ""]
    if results["scale"]:
        lines += ["### In bulk", "", *table(results["scale"], None, SCALE_METRICS)]
        lines += ["", "![vtep and the kernel's driver: entries and links in bulk](performance/scale.svg)", ""]
    if results["micro"]:
        lines += ["### In memory, one thread", "", "| benchmark | time of one | |", "|---|---|---|"]
        lines += [micro_row(benchmark) for benchmark in results["micro"]]
        lines.append("")
    return "\n".join(lines)


def table(samples, wire, metrics):
    lines = ["| | vtep | kernel | vtep / kernel |", "|---|---|---|---|"]
    for metric, (name, unit) in metrics.items():
        ours, theirs = (list(values(samples, wire, impl, metric).values()) for impl in IMPLS)
        if ours or theirs:
            ratio = summary(ratios(samples, wire, metric))
            lines.append(f"| {name} | {summary(ours, unit)} | {summary(theirs, unit)} | {ratio} |")
    return lines


def about(results):
    machine = results["machine"]
    settings = results["settings"]
    return (
        f"{results['date']}, commit {results['commit']}, build {results['build']}. {machine['cpu']}, {machine['cores']} cores"
        f"{' (a virtual machine)' if machine['virtual'] else ''}, Linux {machine['kernel']}. Rounds: {settings['rounds']}; "
        f"seconds for each measurement: {settings['seconds']}; load average before the first: {machine['load']:.1f}."
    )


def micro_row(benchmark):
    name, *arguments = benchmark["name"].split("/")
    rest = []
    if "bytes_per_entry" in benchmark:
        rest.append(f"{number(benchmark['bytes_per_entry'])} bytes of table per entry")
    if "bytes_per_second" in benchmark:
        rest.append(f"{number(benchmark['bytes_per_second'] / 1e9)} GB/s")
    one = next((unit for unit in ("frame", "lookup", "entry") if unit in benchmark), None)
    nanoseconds = benchmark[one] * 1e9 if one else benchmark["cpu_time"]
    words = ", ".join(argument.replace(":", " ").replace("_", " ") for argument in arguments)
    time = f"{number(nanoseconds)} ns{f' per {one}' if one else ''}"
    return f"| `{name}` {words} | {time} | {'; '.join(rest)} |"


def published(document, generated):
    """The document with what stands between its markers replaced."""
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"docs/performance.md lacks its markers: {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{generated}\n{END}{after}"
