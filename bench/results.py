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
    return without_failed(old)


def without_failed(results):
    """What failed is tried again, with all that was measured beside it."""
    kept = {part: [sample for sample in results[part] if not sample["failed"]] for part in ("samples", "scale")}
    return results | kept | {"failures": []}


def save(results, directory):
    """A run that is killed meanwhile leaves the old file or the new one."""
    directory.mkdir(parents=True, exist_ok=True)
    new = directory / "results.json.new"
    new.write_text(json.dumps(results, indent=1) + "\n")
    new.replace(directory / "results.json")


def is_done(samples, number, name):
    return any((sample["round"], sample["scenario"]) == (number, name) for sample in samples)


def commit():
    """Of the sources that the programs were built from."""
    source = cached("CMAKE_HOME_DIRECTORY:INTERNAL") or SOURCE_DIR
    git = lambda *words: subprocess.run(["git", *words], cwd=source, capture_output=True, text=True, check=False)  # noqa: E731
    head = git("rev-parse", "--short", "HEAD").stdout.strip() or "unknown"
    # What is published by a run is no change of what was measured.
    changed = git("status", "--porcelain", "--untracked-files=no", "--", "src", "proto", "CMakeLists.txt", "cmake").stdout
    return f"{head} with changes" if changed else head


def build_type():
    kind = cached("CMAKE_BUILD_TYPE:STRING") or "unknown"
    flags = (cached(f"CMAKE_CXX_FLAGS_{kind.upper()}:STRING"), cached("CMAKE_CXX_FLAGS:STRING"))
    return " ".join([kind, *filter(None, flags)])


def cached(key):
    """What CMake noted in the build directory; nothing, if the programs stand elsewhere."""
    path = BIN_DIR.parent / "CMakeCache.txt"
    lines = path.read_text().splitlines() if path.exists() else []
    return dict(line.split("=", 1) for line in lines if "=" in line).get(key, "")
