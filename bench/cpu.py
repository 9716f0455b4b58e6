"""CPU time, of processes and of the whole machine, and memory."""

import contextlib
import os
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def used(hosts):
    """Seconds so far, by the daemons of each host (if it has any) and by the whole machine."""
    seconds = {"machine": of_machine()}
    for name, host in (("sender", hosts.a), ("receiver", hosts.b)):
        if host.processes:
            seconds[name] = sum(of_process(process.pid) for process in host.processes)
    return seconds


def of_process(pid):
    """Of all its threads, as the scheduler counts it: /proc/PID/stat knows only hundredths of a second."""
    nanoseconds = 0
    for path in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
            nanoseconds += int(path.read_text().split()[0])
    return nanoseconds / 1e9


def of_machine():
    """All that was not idle: user, nice, system, irq, softirq."""
    user, nice, system, _idle, _iowait, irq, softirq = map(int, Path("/proc/stat").read_text().split()[1:8])
    return (user + nice + system + irq + softirq) / TICKS


def resident(pid):
    """Bytes."""
    return field(f"/proc/{pid}/status", "VmRSS")


def field(path, name):
    """Bytes that a file of /proc says in kB."""
    line = next(line for line in Path(path).read_text().splitlines() if line.startswith(f"{name}:"))
    return 1024 * int(line.split()[1])
