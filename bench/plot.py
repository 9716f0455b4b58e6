"""A few SVGs: what is measured on each wire, ratios to the kernel's driver, other conditions, and what is done in bulk."""

import statistics
import textwrap

import matplotlib

matplotlib.use("Agg")
# The same figures give the same file.
matplotlib.rcParams.update({"svg.hashsalt": "vtep", "svg.fonttype": "none", "font.size": 9})

from matplotlib import pyplot  # noqa: E402

from figures import ratios, values  # noqa: E402
from metrics import METRICS, SCALE_METRICS  # noqa: E402
from report import impls_of  # noqa: E402
from scenarios import SCENARIOS, WIRES  # noqa: E402

PANELS = ("tcp_1", "tcp_8", "udp_interface", "udp_delivered", "rtt_p50", "rtt_p99", "cpu_machine")
CONDITIONS = ("tcp_1", "udp_interface")
COLOURS = {
    "vtep": "#1f77b4",
    "vtep-spin": "#6baed6",
    "vtep-nospin": "#08519c",
    "vtep-1worker": "#9ecae1",
    "kernel": "#b0b0b0",
    "ovs": "#d98b4a",
}
OTHER = "#74c476"  # variants of the command line
TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)


def draw(results, directory):
    """Returns the paths."""
    samples = results["samples"]
    paths = []
    for wire in WIRES:
        if impls := impls_of(samples, wire):
            metrics = {metric: METRICS[metric] for metric in PANELS}
            paths.append(draw_panels(samples, wire, impls, metrics, f"Two hosts on {WIRES[wire]}", directory / f"{wire}.svg"))
    paths += draw_ratios(samples, list(WIRES), PANELS, "To the kernel's driver", directory / "ratios.svg")
    conditions = [s.name for s in SCENARIOS if "tcp_1" in s.measured and impls_of(samples, s.name)]
    if set(conditions) - set(WIRES):
        paths += draw_ratios(samples, conditions, CONDITIONS, "To the kernel's driver, in other conditions", directory / "conditions.svg")
    if results["scale"]:
        paths.append(draw_panels(results["scale"], "scale", ("vtep", "kernel"), SCALE_METRICS, "In bulk", directory / "scale.svg"))
    return paths


def draw_panels(samples, scenario, impls, metrics, title, path):
    """A panel for each metric, a bar for each implementation: bars are medians, dots the rounds."""
    figure, panels = pyplot.subplots(1, len(metrics), figsize=(1.9 * len(metrics), 3.2), layout="constrained")
    for panel, (metric, (name, unit, _)) in zip(panels, metrics.items()):
        for impl in impls:
            rounds = list(values(samples, scenario, impl, metric).values())
            if rounds:
                panel.bar(impl, statistics.median(rounds), color=COLOURS.get(impl, OTHER), width=0.7)
                panel.plot([impl] * len(rounds), rounds, "k.", markersize=3)
        panel.set_title(title_of(name, unit), fontsize=8)
        panel.tick_params(axis="x", rotation=60)
        panel.set_ylim(bottom=0)
        panel.spines[["top", "right"]].set_visible(False)
    figure.suptitle(f"{title}: median, and a dot for each round", fontsize=10)
    return save(figure, path)


def title_of(name, unit):
    return "\n".join([*textwrap.wrap(name, 20), unit])


def draw_ratios(samples, scenarios, metrics, title, path):
    """A row for each scenario and metric: the ratio's median, and its range. No path if nothing has a ratio."""
    titles = {scenario.name: scenario.title for scenario in SCENARIOS}
    rows = [
        (f"{METRICS[metric][0]}\n{titles[scenario]}", found, METRICS[metric][2])
        for metric in metrics
        for scenario in scenarios
        if (found := ratios(samples, scenario, metric))
    ]
    if not rows:
        return []
    figure, axes = pyplot.subplots(figsize=(8, 0.8 + 0.36 * len(rows)), layout="constrained")
    for place, (_, found, more_is_better) in enumerate(rows):
        middle = statistics.median(found)
        spread = [[middle - min(found)], [max(found) - middle]]
        better = middle >= 1 if more_is_better else middle <= 1
        axes.barh(place, middle - 1, left=1, color=COLOURS["vtep"] if better else COLOURS["ovs"], height=0.7)
        axes.errorbar(middle, place, xerr=spread, color="black", capsize=2, linewidth=1)
    axes.set_yticks(range(len(rows)), [row[0] for row in rows], fontsize=7)
    axes.invert_yaxis()
    axes.axvline(1, color="black", linewidth=1)
    axes.set_xscale("log")
    low, high = (edge(found for _, each, _ in rows for found in each) for edge in (min, max))
    axes.set_xlim(min(low, 0.5) / 1.2, max(high, 2) * 1.2)
    ticks = [tick for tick in TICKS if axes.get_xlim()[0] <= tick <= axes.get_xlim()[1]]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.grid(axis="x", linewidth=0.3)
    axes.set_xlabel("vtep / kernel; blue: better than the kernel's driver, orange: worse")
    axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(f"{title}: median and range of the rounds", fontsize=10)
    return [save(figure, path)]


def save(figure, path):
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)
    return path
