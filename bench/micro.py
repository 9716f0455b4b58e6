"""Runs the micro-benchmarks: the cost of single steps, without any packet on a wire."""

import json
import subprocess

from hosts import BIN_DIR

PROGRAMS = ("engine_bench", "wire_bench")


def run():
    """Each benchmark with its name, its times in nanoseconds and its counters."""
    benchmarks = []
    for program in PROGRAMS:
        print(f"{program} …", flush=True)
        command = [BIN_DIR / program, "--benchmark_format=json", "--benchmark_min_time=0.1"]
        report = json.loads(subprocess.run(command, capture_output=True, text=True, check=True, timeout=600).stdout)
        benchmarks += report["benchmarks"]
    failed = [f"{each['name']}: {each['error_message']}" for each in benchmarks if each.get("error_occurred")]
    if failed:
        raise RuntimeError("; ".join(failed))
    return benchmarks
