"""Runs the micro-benchmarks: the cost of single steps, without any packet on a wire."""

import json
import subprocess

from places import tool

PROGRAMS = ("engine_bench", "wire_bench")
LIFE_OF_A_FRAME = "^(en|de)capsulate/"


def run(quick):
    """Each benchmark with its name, its times in nanoseconds and its counters; `quick`: only the life of a frame."""
    benchmarks = []
    for program in PROGRAMS[:1] if quick else PROGRAMS:
        print(f"{program} …", flush=True)
        command = [tool(program), "--benchmark_format=json", "--benchmark_min_time=0.1"]
        command += [f"--benchmark_filter={LIFE_OF_A_FRAME}"] if quick else []
        report = json.loads(subprocess.run(command, capture_output=True, text=True, check=True, timeout=600).stdout)
        benchmarks += report["benchmarks"]
    failed = [f"{each['name']}: {each['error_message']}" for each in benchmarks if each.get("error_occurred")]
    if failed:
        raise RuntimeError("; ".join(failed))
    return benchmarks
