"""What tables say, from samples made up here."""

import struct

import pytest

import calls
import figures
import hotspots
import report
import results
import targets
from scenarios import SCENARIOS


def sample(number, impl, scenario="offloads", **values):
    return {"round": number, "scenario": scenario, "impl": impl, "values": values}


def whole(samples, micro=()):
    return {"samples": samples, "micro": list(micro), "scale": [], "hotspots": {}, "skipped": {}}


def test_a_ratio_is_taken_inside_its_round():
    samples = [
        sample(1, "vtep", tcp_1=1.0),
        sample(1, "kernel", tcp_1=2.0),
        sample(2, "vtep", tcp_1=10.0),
        sample(2, "kernel", tcp_1=5.0),
        sample(3, "vtep", tcp_1=7.0),  # the kernel's failed
        sample(1, "kernel", "packets", tcp_1=100.0),
    ]
    assert figures.ratios(samples, "offloads", "tcp_1") == [0.5, 2.0]


@pytest.mark.parametrize(
    "value, text",
    [(0, "0.000"), (0.1234, "0.123"), (1.234, "1.23"), (12.34, "12.3"), (1234.5, "1234"), (0.00023, "0.0002"), (2e-6, "0.000002")],
)
def test_three_digits_without_an_exponent(value, text):
    assert figures.number(value) == text


def test_a_summary_has_median_and_range():
    assert figures.summary([3, 1, 2], "s") == "2.00 s (1.00–3.00)"
    assert figures.summary([]) == "–"


def verdicts(samples, micro=()):
    return {row[0]: row[3] for row in (target.row(whole(samples, micro)) for target in targets.TARGETS)}


def test_a_target_is_reached_or_missed_by_its_median():
    name = "TCP, one stream, veth with offloads"
    kernel = [sample(number, "kernel", tcp_1=10.0) for number in (1, 2, 3)]
    found = lambda *ours: verdicts([*kernel, *(sample(1 + i, "vtep", tcp_1=value) for i, value in enumerate(ours))])[name]  # noqa: E731
    assert found(9.0, 9.5, 1.0) == "ok"
    assert found(8.9, 8.9, 20.0) == "missed"
    assert found() == "not measured"


def test_who_does_not_spin_is_the_daemon_that_was_told_so():
    name = "round trip without spinning, p50"
    samples = [sample(1, "kernel", rtt_p50=100.0), sample(1, "vtep", rtt_p50=10.0)]
    assert verdicts(samples)[name] == "ok"
    assert verdicts([*samples, sample(1, "vtep-nospin", rtt_p50=200.0)])[name] == "missed"


def test_idle_cpu_is_zero_as_it_is_written():
    assert verdicts([sample(1, "vtep", "idle", idle_cpu=0.04)])["idle CPU"] == "ok"
    assert verdicts([sample(1, "vtep", "idle", idle_cpu=0.06)])["idle CPU"] == "missed"


def test_the_slower_of_both_ways_counts_in_memory():
    micro = [
        {"name": "encapsulate/entries:64/payload:64/unfinished:0", "frame": 20e-9},
        {"name": "decapsulate/entries:64/payload:64/unfinished:0", "frame": 40e-9},
        {"name": "decapsulate/entries:64/payload:1400/unfinished:0", "frame": 1e-9},
    ]
    assert verdicts([], micro)["engine in memory, hot"] == "missed"
    assert verdicts([], micro[:1])["engine in memory, hot"] == "not measured"


def test_perf_lines_are_read_and_summed():
    text = "    60.00%|[kernel.kallsyms]|[k] copy|user\n    30.50%|vtepd|[.] vtep::Engine::f(int, char)\n\n     9.50%|vtepd|[.] g\n"
    found = hotspots.parse(text)
    assert found[0] == [0.6, "kernel", "copy|user"] and found[1][1:] == ["vtepd", "vtep::Engine::f(int, char)"]
    assert hotspots.by_place(found) == pytest.approx({"kernel": 0.6, "vtepd": 0.4})


def test_calls_are_summed_over_threads(tmp_path):
    path = tmp_path / "calls"
    path.write_bytes(struct.pack("=12Q", 7, 1, 2, 3, 8, 10, 20, 30, 0, 0, 0, 0))
    assert calls.read(path) == {"allocations": 11, "frees": 22, "locks": 33}


def test_a_round_is_done_when_its_samples_are_there():
    samples = [sample(1, "vtep")]
    assert results.is_done(samples, 1, "offloads")
    assert not results.is_done(samples, 2, "offloads") and not results.is_done(samples, 1, "packets")


def test_what_failed_is_tried_again():
    kept = sample(1, "vtep") | {"failed": False}
    old = {"samples": [kept, sample(2, "vtep") | {"failed": True}], "scale": [], "failures": ["why"]}
    assert results.without_failed(old) == {"samples": [kept], "scale": [], "failures": []}


def test_what_is_published_stands_between_the_markers():
    page = f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n"
    assert report.published(page, "new") == f"before\n{report.BEGIN}\n\nnew\n{report.END}\nafter\n"
    with pytest.raises(ValueError, match="markers"):
        report.published("nothing", "new")


def test_scenarios_have_names_of_their_own():
    assert len({scenario.name for scenario in SCENARIOS}) == len(SCENARIOS)
