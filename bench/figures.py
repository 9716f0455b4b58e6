"""From samples to figures: the rounds of one metric, ratios inside each round, and how they are written."""

import statistics


def values(samples, scenario, impl, metric):
    """{round: value}"""
    return {
        s["round"]: s["values"][metric]
        for s in samples
        if (s["scenario"], s["impl"]) == (scenario, impl) and metric in s["values"]
    }


def ratios(samples, scenario, metric, ours="vtep", theirs="kernel"):
    """ours / theirs of each round that has both: what drifts between rounds cancels out."""
    of = lambda impl: values(samples, scenario, impl, metric)  # noqa: E731
    ours, theirs = of(ours), of(theirs)
    return [ours[number] / theirs[number] for number in sorted(ours.keys() & theirs.keys()) if theirs[number]]


def number(value):
    """Three significant digits, without an exponent."""
    magnitude = abs(value)
    if 0 < magnitude < 0.0005:
        return f"{value:.1g}" if magnitude >= 0.0001 else f"{value:.7f}".rstrip("0").rstrip(".")
    digits = 0 if magnitude >= 100 else 1 if magnitude >= 10 else 2 if magnitude >= 1 else 3
    return f"{value:.{digits}f}"


def summary(several, unit=""):
    """`median unit (min–max)`"""
    several = list(several)
    if not several:
        return "–"
    unit = f" {unit}" if unit else ""
    if len(several) == 1:
        return f"{number(several[0])}{unit}"
    return f"{number(statistics.median(several))}{unit} ({number(min(several))}–{number(max(several))})"
