"""What a run found, and where and when: kept in results.json, which is written after every step."""

import datetime
import json
import os
import platform
import subprocess
from pathlib import Path

from places import BIN_DIR, SOURCE_DIR


class CannotResume(Exception):
    pass


def begin(options):
    cpuinfo = Path("/proc/cpuinfo").read_text()
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": commit(),
        "build": build_type(),
        "machine": {
            "cpu": next((line.split(": ")[1] for line in cpuinfo.splitlines() if line.startswith("model name")), platform.machine()),
            "cores": len(os.sched_getaffinity(0)),
            "virtual": " hypervisor" in cpuinfo,
            "kernel": platform.release(),
            "load": os.getloadavg()[0],
        },
        "settings": {"rounds": options.rounds, "seconds": options.seconds},
        "took": 0,
        "skipped": {},
        "failures": [],
        "samples": [],
        "scale": [],
        "hotspots": {},
        "micro": [],
    }


def load(directory):
    return json.loads((directory / "results.json").read_text())


def resume(options):
    """What is there, if it is of the same programs and settings; else a beginning."""
    fresh = begin(options)
    try:
        old = load(options.output)
    except FileNotFoundError:
        return fresh
    for key in ("commit", "build", "settings"):
        if old[key] != fresh[key]:
            raise CannotResume(f"{options.output} has results of another {key}: {old[key]}, and now it is {fresh[key]}")
    # What failed is tried again.
    return old | {"failures": []}


def save(results, directory):
    """A run that is killed meanwhile leaves the old file or the new one."""
    directory.mkdir(parents=True, exist_ok=True)
    new = directory / "results.json.new"
    new.write_text(json.dumps(results, indent=1) + "\n")
    new.replace(directory / "results.json")


def is_done(samples, number, name):
    return any((sample["round"], sample["scenario"]) == (number, name) for sample in samples)


def commit():
    git = lambda *words: subprocess.run(["git", *words], cwd=SOURCE_DIR, capture_output=True, text=True, check=False)  # noqa: E731
    head = git("rev-parse", "--short", "HEAD").stdout.strip() or "unknown"
    # What is published by a run is no change of what was measured.
    changed = git("status", "--porcelain", "--untracked-files=no", "--", "src", "proto", "CMakeLists.txt", "cmake").stdout
    return f"{head} with changes" if changed else head


def build_type():
    cache = BIN_DIR.parent / "CMakeCache.txt"
    settings = dict(line.split("=", 1) for line in cache.read_text().splitlines() if "=" in line) if cache.exists() else {}
    kind = settings.get("CMAKE_BUILD_TYPE:STRING") or "unknown"
    flags = settings.get(f"CMAKE_CXX_FLAGS_{kind.upper()}:STRING", "")
    return f"{kind} {flags} {settings.get('CMAKE_CXX_FLAGS:STRING', '')}".strip()
