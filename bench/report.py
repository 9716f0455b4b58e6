"""From results to Markdown, and its place in docs/performance.md."""

import statistics

from figures import number, ratios, summary, values
from hotspots import by_place
from metrics import CALLS, METRICS, SCALE_METRICS, WIRE_METRICS
from scenarios import SCENARIOS, WIRES
from targets import TARGETS

BEGIN = "<!-- bench/run --publish writes from here -->"
END = "<!-- to here -->"
FUNCTIONS = 12  # of each daemon


def markdown(results):
    """Everything between the markers."""
    parts = [
        about(results),
        section("To reach", target_table(results), "vtep and the kernel's driver: ratios", "ratios" if has_ratios(results) else ""),
        *(wire_section(results, wire) for wire in WIRES),
        section("Other conditions", conditions_table(results), "TCP and UDP in other conditions", "conditions"),
        section("Many remotes", scenario_table(results, ("remotes1", "remotes1000"), ("blast_interface", "blast_wire"))),
        section("Idle", columns_table(results["samples"], "idle", ("idle_cpu", "idle_memory"), ("vtep", "vtep-spin"))),
        section("Allocations and locks", columns_table(results["samples"], "calls", CALLS, ("vtep-counted",))),
        hotspots_section(results),
        section("In bulk", ratio_table(results["scale"], "scale", SCALE_METRICS), "entries and links in bulk", "scale"),
        section("In memory, one thread", micro_table(results)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def about(results):
    machine = results["machine"]
    settings = results["settings"]
    text = (
        f"{results['date']}, commit {results['commit']}, build {results['build']}. {machine['cpu']}, {machine['cores']} cores"
        f"{' (a virtual machine)' if machine['virtual'] else ''}, Linux {machine['kernel']}. Rounds: {settings['rounds']}; "
        f"seconds for each measurement: {settings['seconds']}; load average before the first: {machine['load']:.1f}."
    )
    left_out = "; ".join(f"`{impl}`: {reason}" for impl, reason in results["skipped"].items())
    return f"{text} Left out: {left_out}." if left_out else text


def section(title, table, alternative="", figure=""):
    """Nothing, if there is nothing in the table."""
    if not table:
        return ""
    picture = [f"![{alternative}](performance/{figure}.svg)"] if figure else []
    return "\n\n".join([f"### {title}", table, *picture])


def grid(head, rows):
    if not rows:
        return ""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


# --- tables


def target_table(results):
    rows = [target.row(results) for target in TARGETS]
    return grid(["", "to reach", "measured", ""], rows)


def has_ratios(results):
    return any(ratios(results["samples"], wire, metric) for wire in WIRES for metric in WIRE_METRICS)


def wire_section(results, wire):
    title = WIRES[wire][0].upper() + WIRES[wire][1:]
    return section(title, wire_table(results["samples"], wire), f"All that was measured: {WIRES[wire]}", wire)


def wire_table(samples, wire):
    """vtep and the kernel's driver, then everybody else, each with the ratio to the kernel's driver."""
    present = [impl for impl in impls_of(samples, wire) if impl not in ("vtep", "kernel")]
    rows = []
    for metric in WIRE_METRICS:
        name, unit, _ = METRICS[metric]
        of = lambda impl: values(samples, wire, impl, metric).values()  # noqa: B023, E731
        if of("vtep") or of("kernel"):
            others = [with_ratio(summary(of(each)), ratios(samples, wire, metric, each)) for each in present]
            ratio = summary(ratios(samples, wire, metric))
            rows.append([name, summary(of("vtep"), unit), summary(of("kernel"), unit), ratio, *others])
    return grid(["", "vtep", "kernel", "vtep / kernel", *present], rows)


def with_ratio(text, found):
    return f"{text}; {number(statistics.median(found))}×" if found else text


def impls_of(samples, scenario):
    """Whoever was measured there, in the order of the table of scenarios, and who was added by hand."""
    return list(dict.fromkeys(impl for s in SCENARIOS if s.name == scenario for impl in s.impls if has(samples, scenario, impl)))


def has(samples, scenario, impl):
    return any(sample["values"] for sample in samples if (sample["scenario"], sample["impl"]) == (scenario, impl))


def conditions_table(results):
    main = [scenario.name for scenario in SCENARIOS if "tcp_1" in scenario.measured and scenario.name not in WIRES]
    return scenario_table(results, main, ("tcp_1", "udp_interface", "udp_delivered", "cpu_machine"))


def scenario_table(results, names, metrics):
    rows = []
    for scenario in (scenario for scenario in SCENARIOS if scenario.name in names):
        rows += ratio_rows(results["samples"], scenario.name, {metric: METRICS[metric] for metric in metrics}, f"{scenario.title}: ")
    return grid(["", "vtep", "kernel", "vtep / kernel"], rows)


def ratio_table(samples, scenario, metrics):
    return grid(["", "vtep", "kernel", "vtep / kernel"], ratio_rows(samples, scenario, metrics))


def ratio_rows(samples, scenario, metrics, prefix=""):
    rows = []
    for metric, (name, unit, _) in metrics.items():
        ours, theirs = (values(samples, scenario, impl, metric).values() for impl in ("vtep", "kernel"))
        if ours or theirs:
            rows.append([f"{prefix}{name}", summary(ours, unit), summary(theirs, unit), summary(ratios(samples, scenario, metric))])
    return rows


def columns_table(samples, scenario, metrics, impls):
    """One column for each implementation that was measured."""
    present = [impl for impl in impls if has(samples, scenario, impl)]
    rows = []
    for metric in metrics:
        name, unit, _ = METRICS[metric]
        cells = [summary(values(samples, scenario, impl, metric).values(), unit) for impl in present]
        if any(cell != "–" for cell in cells):
            rows.append([name, *cells])
    return grid(["", *present], rows)


def hotspots_section(results):
    parts = []
    for wire, ends in results["hotspots"].items():
        for end, found in ends.items():
            places = ", ".join(f"{where} {share:.0%}" for where, share in by_place(found).items() if share >= 0.005)
            rows = [[f"{share:.1%}", where, f"`{function}`"] for share, where, function in found[:FUNCTIONS]]
            parts.append(f"The {end}'s daemon, {WIRES[wire]}: {places}.\n\n{grid(['share', 'in', 'function'], rows)}")
    return section("Where the time goes: one TCP stream", "\n\n".join(parts))


def micro_table(results):
    return grid(["benchmark", "time of one", ""], [micro_row(benchmark) for benchmark in results["micro"]])


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
    return [f"`{name}` {words}", f"{number(nanoseconds)} ns{f' per {one}' if one else ''}", "; ".join(rest)]


# --- the page


def published(document, generated):
    """The document with what stands between its markers replaced."""
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"docs/performance.md lacks its markers: {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{generated}\n{END}{after}"
