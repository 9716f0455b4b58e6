"""What /proc says about a daemon."""

from pathlib import Path


def stat_fields(stat):
    """What follows the name, which may hold blanks: the state first."""
    return stat.read_text().rpartition(")")[2].split()


def ticks_of(stat):
    """Processor time in hundredths of a second, of a process or a thread."""
    fields = stat_fields(stat)
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


def thread_states(process):
    """The states that its threads are in, as letters of proc(5)."""
    return {stat_fields(stat)[0] for stat in Path(f"/proc/{process.pid}/task").glob("*/stat")}
