"""What is measured between two hosts. Every function returns {metric: value}; report.py knows the units."""

import json
import os
import subprocess
from pathlib import Path

from hosts import BIN_DIR, OVERLAY
from namespaces import eventually

UDP_PAYLOAD = 64
LARGEST_FRAME = 1514  # an Ethernet frame of MTU 1500
TICKS = os.sysconf("SC_CLK_TCK")


class MeasurementFailed(Exception):
    pass


def all_of(hosts, seconds):
    """Yields (name, function) for each measurement; a function may fail without the others."""
    start_iperf3_server(hosts)
    yield "tcp_1", lambda: tcp(hosts, seconds, streams=1)
    yield "tcp_8", lambda: tcp(hosts, seconds, streams=8)
    yield "udp", lambda: udp(hosts, seconds)
    yield "round_trip", lambda: round_trip(hosts, seconds)


# --- throughput


def tcp(hosts, seconds, streams):
    frames_before = hosts.counters(hosts.b, "wire")[0]
    cpu_before = cpu_seconds(hosts)
    end = iperf3(hosts, seconds, ["-P", str(streams)])
    cpu = {name: after - cpu_before[name] for name, after in cpu_seconds(hosts).items()}
    frames = hosts.counters(hosts.b, "wire")[0]
    frame_size = (frames["bytes"] - frames_before["bytes"]) / (frames["packets"] - frames_before["packets"])
    if hosts.wire == "packets" and frame_size > LARGEST_FRAME:
        raise MeasurementFailed(f"frames of {frame_size:.0f} bytes on a wire that should carry no more than {LARGEST_FRAME}")

    received = end["sum_received"]
    result = {f"tcp_{streams}": received["bits_per_second"] / 1e9}
    if streams == 1:
        result["frame_size"] = frame_size
        for name, used in cpu.items():
            result[f"cpu_{name}"] = used / (received["bytes"] / 1e9)
    return result


def udp(hosts, seconds):
    """Sent as fast as the sender can; counted where they arrive, by the receiving program and by its interface."""
    before = hosts.counters(hosts.b, "vxlan0")[0]["packets"]
    end = iperf3(hosts, seconds, ["-u", "-b", "0", "-l", str(UDP_PAYLOAD)])
    arrived = hosts.counters(hosts.b, "vxlan0")[0]["packets"] - before
    received = end["sum_received"]
    return {
        "udp_offered": end["sum_sent"]["packets"] / end["sum_sent"]["seconds"] / 1e3,
        "udp_interface": arrived / received["seconds"] / 1e3,
        "udp_delivered": received["bytes"] / UDP_PAYLOAD / received["seconds"] / 1e3,
    }


def start_iperf3_server(hosts):
    hosts.net.process(hosts.b.ns, ["iperf3", "-s", "-B", OVERLAY["b"]], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def iperf3(hosts, seconds, options):
    """The `end` of its report. A server that does not listen yet, or ends its last test, is asked again."""
    command = ["timeout", str(seconds + 20), "iperf3", "-J", "-c", OVERLAY["b"], "-t", str(seconds), "--connect-timeout", "5000"]

    def report():
        done = hosts.a.ns.run([*command, *options], check=False, timeout=seconds + 30)
        try:
            result = json.loads(done.stdout)
        except json.JSONDecodeError:
            raise MeasurementFailed(f"iperf3 {' '.join(options)}: exit status {done.returncode}, no report") from None
        error = result.get("error", "")
        if "refused" in error or "busy" in error:
            return None
        if error or "sum_received" not in result["end"]:
            raise MeasurementFailed(f"iperf3 {' '.join(options)}: {error or 'nothing received'}")
        return result["end"]

    return eventually("iperf3 finds its server", report)


# --- time of a round trip


def round_trip(hosts, seconds):
    """One byte over UDP, there and back, one at a time; in microseconds."""
    pingpong = [str(BIN_DIR / "pingpong")]
    server = hosts.net.process(hosts.b.ns, [*pingpong, "serve", OVERLAY["b"], "7000"], stdout=subprocess.PIPE, text=True)
    if server.stdout.readline() != "ready\n":
        raise MeasurementFailed("pingpong serve does not start")
    done = hosts.a.ns.run([*pingpong, "ask", OVERLAY["b"], "7000", str(seconds)], check=False, timeout=seconds + 30)
    if done.returncode != 0:
        raise MeasurementFailed(f"pingpong: exit status {done.returncode}: {done.stderr.strip()}")
    answer = json.loads(done.stdout)
    return {"rtt_p50": answer["p50"], "rtt_p99": answer["p99"], "rtt_lost": answer["lost"]}


# --- CPU


def cpu_seconds(hosts):
    """Used so far, by the daemons (if there are any) and by the whole machine."""
    used = {"machine": machine_cpu_seconds()}
    if hosts.impl == "vtep":
        used["sender"] = process_cpu_seconds(hosts.a.process.pid)
        used["receiver"] = process_cpu_seconds(hosts.b.process.pid)
    return used


def process_cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def machine_cpu_seconds():
    """All that was not idle: user, nice, system, irq, softirq."""
    user, nice, system, _idle, _iowait, irq, softirq = map(int, Path("/proc/stat").read_text().split()[1:8])
    return (user + nice + system + irq + softirq) / TICKS


# --- where packets were lost


def losses(hosts):
    """{place: count} over all of a round, of a vtep that names its drops and of its interfaces."""
    found = {}
    for name, host in (("a", hosts.a), ("b", hosts.b)):
        if hosts.impl == "vtep":
            found |= {f"{name} {drop}": count for drop, count in host.drops().items()}
        received, sent = hosts.counters(host, "vxlan0")
        found |= {f"{name} vxlan0 rx": received["dropped"], f"{name} vxlan0 tx": sent["dropped"]}
        found[f"{name} UDP socket full"] = host.ns.snmp()["Udp"]["RcvbufErrors"]
    return {place: count for place, count in found.items() if count}
