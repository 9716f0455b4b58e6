"""One SVG for each kind of wire and one for what is done in bulk: bars are medians, dots the rounds."""

import statistics

import matplotlib

matplotlib.use("Agg")
# The same figures give the same file.
matplotlib.rcParams.update({"svg.hashsalt": "vtep", "svg.fonttype": "none", "font.size": 9})

from matplotlib import pyplot  # noqa: E402

from hosts import WIRES  # noqa: E402
from report import IMPLS, METRICS, SCALE_METRICS, values  # noqa: E402

PANELS = ("tcp_1", "tcp_8", "udp_delivered", "rtt_p50", "rtt_p99")
COLOURS = {"vtep": "#1f77b4", "kernel": "#b0b0b0"}


def draw(results, directory):
    """Returns the paths."""
    metrics = {metric: METRICS[metric] for metric in PANELS}
    paths = [
        draw_panels(results["samples"], wire, metrics, f"Two hosts on {WIRES[wire]}", directory / f"{wire}.svg") for wire in WIRES
    ]
    if results["scale"]:
        paths.append(draw_panels(results["scale"], None, SCALE_METRICS, "In bulk", directory / "scale.svg"))
    return paths


def draw_panels(samples, wire, metrics, title, path):
    figure, panels = pyplot.subplots(1, len(metrics), figsize=(2.2 * len(metrics), 2.8), layout="constrained")
    for panel, (metric, (name, unit)) in zip(panels, metrics.items()):
        for impl in IMPLS:
            rounds = list(values(samples, wire, impl, metric).values())
            if rounds:
                panel.bar(impl, statistics.median(rounds), color=COLOURS[impl], width=0.7)
                panel.plot([impl] * len(rounds), rounds, "k.", markersize=3)
        panel.set_title(f"{name.replace(', delivered to the program', '')}\n{unit}", fontsize=9)
        panel.set_ylim(bottom=0)
        panel.spines[["top", "right"]].set_visible(False)
    figure.suptitle(f"{title}: median, and a dot for each round", fontsize=10)
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)
    return path
