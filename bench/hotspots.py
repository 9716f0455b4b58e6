"""Where the time of the daemons goes, by function, while one TCP stream flows: `perf record` on the processor's clock."""

import collections
import contextlib
import os
import select
import subprocess

from hosts import hosts
from programs import MeasurementFailed, iperf3, start_iperf3_server

FREQUENCY = 1997  # no multiple of anything that happens regularly
START_LIMIT = 20


def run(scenario, seconds):
    """{"sender": […], "receiver": […]}: [share of the daemon's time, where, function], the largest first."""
    with hosts("vtep", scenario) as pair:
        start_iperf3_server(pair)
        iperf3(pair, 1, [])  # finds its server, fills tables
        paths = {name: pair.net.directory / f"{name}.perf" for name in ("sender", "receiver")}
        with recorded(pair.a, paths["sender"]), recorded(pair.b, paths["receiver"]):
            iperf3(pair, seconds, [])
        return {name: shares(path) for name, path in paths.items()}


@contextlib.contextmanager
def recorded(host, path):
    """perf samples the host's daemon, from the first line of the body on: on a busy machine it needs a while to begin."""
    command = ["perf", "record", "-q", "-e", "cpu-clock", "-F", str(FREQUENCY), "-o", path, "-p", str(host.processes[0].pid)]
    orders, order = os.pipe()
    answer, answers = os.pipe()
    try:
        recorder = subprocess.Popen(
            [*command, "-D", "-1", f"--control=fd:{orders},{answers}"],
            pass_fds=(orders, answers),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            os.write(order, b"enable\n")
            if not select.select([answer], [], [], START_LIMIT)[0]:
                raise MeasurementFailed(f"perf did not begin within {START_LIMIT} s")
            yield
        finally:
            recorder.terminate()
            recorder.wait(timeout=60)
    finally:
        for fd in (orders, order, answer, answers):
            os.close(fd)


def shares(path):
    command = ["perf", "report", "-i", path, "--stdio", "-q", "-g", "none", "-F", "overhead,dso,symbol", "-t", "|"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    found = parse(done.stdout)
    if not found:
        raise MeasurementFailed(f"perf saw nothing: {done.stderr.strip()}")
    return found


def parse(text):
    """Lines like `  12.34%|[kernel.kallsyms]|[k] copy_user_generic`."""
    found = []
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.split("|", 2)]
        if len(cells) == 3 and cells[0].endswith("%"):
            found.append([float(cells[0].rstrip("%")) / 100, place(cells[1]), cells[2].split("] ", 1)[-1]])
    return sorted(found, reverse=True)


def place(dso):
    return "kernel" if dso.startswith("[kernel") or dso.startswith("[vdso") else dso


def by_place(found):
    """{place: share}, the largest first."""
    sums = collections.Counter()
    for share, where, _function in found:
        sums[where] += share
    return dict(sums.most_common())
