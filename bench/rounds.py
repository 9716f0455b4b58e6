"""The rounds: every scenario once in each, and in it everybody in turn for each single figure."""

import contextlib
import subprocess

import impls
import results as results_of
import scale
from hosts import hosts
from measure import MEASUREMENTS, losses
from programs import MeasurementFailed, check_frames, start_iperf3_server
from scenarios import BOTH

FAILURES = (MeasurementFailed, AssertionError, OSError, subprocess.SubprocessError)


def run(options, scenarios, results, save):
    """Fills in `results`; `save` is called whenever something was added."""
    for number in range(1, options.rounds + 1):
        for scenario in scenarios:
            if not results_of.is_done(results["samples"], number, scenario.name):
                failures = Failures(results["failures"], f"round {number}/{options.rounds}, {scenario.name}")
                results["samples"] += failures.noted_in(take(scenario, number, options.seconds, failures))
                save()
        if options.scale and not results_of.is_done(results["scale"], number, "scale"):
            failures = Failures(results["failures"], f"round {number}/{options.rounds}, in bulk")
            results["scale"] += failures.noted_in(take_scale(number, failures))
            save()


class Failures:
    """Keeps and prints sentences about what could not be measured; the rest goes on."""

    def __init__(self, sentences, where):
        self.sentences = sentences
        self.where = where
        self.before = len(sentences)

    @contextlib.contextmanager
    def caught(self, what):
        try:
            yield
        except FAILURES as error:
            self.sentences.append(f"{self.where}, {what}: {error}")
            print(f"  failed: {self.sentences[-1]}", flush=True)

    def noted_in(self, samples):
        """The samples, each of which knows whether something failed here."""
        return [sample | {"failed": len(self.sentences) > self.before} for sample in samples]

    def print(self, impl, values):
        print(f"{self.where}, {impl}: {', '.join(f'{metric} {value:.4g}' for metric, value in values.items())}", flush=True)


def in_turn(names, number):
    """Who is first in one round is last in the next, so that nobody always follows the same one."""
    return list(names) if number % 2 else list(reversed(names))


def take(scenario, number, seconds, failures):
    """All pairs of hosts stand at once and are idle but for the one that is measured; so a figure of one and the same
    figure of another are seconds apart."""
    wanted = [impl for impl in in_turn(scenario.impls, number) if not impls.reason_to_skip(impl)]
    samples = {impl: {"round": number, "scenario": scenario.name, "impl": impl, "values": {}, "losses": {}} for impl in wanted}
    with failures.caught("the end of the hosts"), contextlib.ExitStack() as stack:
        pairs = {}
        for impl in wanted:
            with failures.caught(impl):
                pair = stack.enter_context(hosts(impl, scenario))
                start_iperf3_server(pair)
                if scenario.wire == "packets":
                    check_frames(pair)
                pairs[impl] = pair
        for name, measured in scenario.measured.items():
            for impl in (impl for impl in pairs if impl in measured):
                with failures.caught(f"{impl}, {name}"):
                    samples[impl]["values"] |= MEASUREMENTS[name](pairs[impl], seconds)
        for impl, pair in pairs.items():
            failures.print(impl, samples[impl]["values"])
            with failures.caught(f"{impl}, losses"):
                samples[impl]["losses"] = losses(pair)
    return list(samples.values())


def take_scale(number, failures):
    """As take(), without a wire."""
    samples = []
    for impl in in_turn(BOTH, number):
        values = {}
        for name, function in scale.all_of(impl):
            with failures.caught(f"{impl}, {name}"):
                values |= function()
        samples.append({"round": number, "scenario": "scale", "impl": impl, "values": values})
        failures.print(impl, values)
    return samples
