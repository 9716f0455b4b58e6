"""What /proc says about a daemon."""

from pathlib import Path


def ticks_of(stat):
    """Processor time in hundredths of a second, of a process or a thread; its name may hold blanks."""
    fields = stat.read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def ticks(process):
    return ticks_of(Path(f"/proc/{process.pid}/stat"))


def thread_ticks(process):
    """{name: ticks} of its threads."""
    tasks = Path(f"/proc/{process.pid}/task").iterdir()
    return {(task / "comm").read_text().strip(): ticks_of(task / "stat") for task in tasks}


def resident_bytes(process):
    status = Path(f"/proc/{process.pid}/status").read_text()
    return 1024 * int(status.partition("VmRSS:")[2].split()[0])
