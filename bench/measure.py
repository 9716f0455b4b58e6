"""What is measured between two hosts. Every function returns {metric: value}; metrics.py knows names and units."""

import json
import subprocess
import time

import calls
import cpu
from places import tool
from programs import MeasurementFailed, iperf3

UDP_PAYLOAD = 64
UDP_HEADERS = 14 + 20 + 8  # Ethernet, IPv4, UDP
FIRST_STATION = "10.8.0.1"
IDLE_FACTOR = 5  # times as long as other measurements: little is to be seen


# --- throughput


def tcp(hosts, seconds, streams):
    frames_before = hosts.counters(hosts.b, "wire")[0]
    cpu_before = cpu.used(hosts)
    end = iperf3(hosts, seconds, ["-P", str(streams)])
    used = {name: after - cpu_before[name] for name, after in cpu.used(hosts).items()}
    frames = hosts.counters(hosts.b, "wire")[0]
    received = end["sum_received"]
    result = {f"tcp_{streams}": received["bits_per_second"] / 1e9}
    if streams == 1:
        result["frame_size"] = (frames["bytes"] - frames_before["bytes"]) / (frames["packets"] - frames_before["packets"])
        for name, each in used.items():
            result[f"cpu_{name}"] = each / (received["bytes"] / 1e9)
    return result


def udp(hosts, seconds):
    """Sent as fast as the sender can; counted where they arrive, by the receiving program and by its interface."""
    before = hosts.counters(hosts.b, "vxlan0")[0]
    end = iperf3(hosts, seconds, ["-u", "-b", "0", "-l", str(UDP_PAYLOAD)])
    arrived = datagrams_between(before, hosts.counters(hosts.b, "vxlan0")[0])
    received = end["sum_received"]
    return {
        "udp_offered": end["sum_sent"]["packets"] / end["sum_sent"]["seconds"] / 1e3,
        "udp_interface": arrived / received["seconds"] / 1e3,
        "udp_delivered": received["bytes"] / UDP_PAYLOAD / received["seconds"] / 1e3,
    }


def datagrams_between(before, after):
    """Of UDP_PAYLOAD bytes each, that an interface received: a super-frame counts as one packet and holds many."""
    packets, received = (after[what] - before[what] for what in ("packets", "bytes"))
    if received <= packets * (UDP_HEADERS + UDP_PAYLOAD):
        return packets
    return (received - packets * UDP_HEADERS) / UDP_PAYLOAD


def blast(hosts, seconds):
    """64-byte datagrams to every remote in turn, by a sender that no program of the receiver slows down."""
    count = lambda: {at: hosts.counters(hosts.b, at)[0] for at in ("wire", "vxlan0")}  # noqa: E731
    before = count()
    sent = run_blaster(hosts, seconds)
    after = count()
    arrived = {
        "wire": after["wire"]["packets"] - before["wire"]["packets"],
        "vxlan0": datagrams_between(before["vxlan0"], after["vxlan0"]),
    }
    if arrived["vxlan0"] == 0:
        raise MeasurementFailed("nothing arrived")
    return {
        "blast_offered": sent["sent"] / sent["seconds"] / 1e3,
        "blast_wire": arrived["wire"] / sent["seconds"] / 1e3,
        "blast_interface": arrived["vxlan0"] / sent["seconds"] / 1e3,
    }


def run_blaster(hosts, seconds):
    command = [tool("blaster"), FIRST_STATION, hosts.scenario.remotes, "9", seconds]
    return json.loads(hosts.a.ns.run(command, timeout=seconds + 30).stdout)


# --- time of a round trip


def round_trip(hosts, seconds):
    """One byte over UDP, there and back, one at a time; in microseconds."""
    pingpong = tool("pingpong")
    address = hosts.overlay["b"]
    server = hosts.net.process(hosts.b.ns, [pingpong, "serve", address, "7000"], stdout=subprocess.PIPE, text=True)
    if server.stdout.readline() != "ready\n":
        raise MeasurementFailed("pingpong serve does not start")
    done = hosts.a.ns.run([pingpong, "ask", address, "7000", seconds], check=False, timeout=seconds + 30)
    if done.returncode != 0:
        raise MeasurementFailed(f"pingpong: exit status {done.returncode}: {done.stderr.strip()}")
    answer = json.loads(done.stdout)
    return {"rtt_p50": answer["p50"], "rtt_p99": answer["p99"], "rtt_lost": answer["lost"]}


# --- an endpoint that has nothing to do


def idle(hosts, seconds):
    """Links are up and nobody sends. The busier and the larger of the two hosts; CPU in percent of one core."""
    before = cpu.used(hosts)
    time.sleep(seconds * IDLE_FACTOR)
    after = cpu.used(hosts)
    return {
        "idle_cpu": 100 * max(after[name] - before[name] for name in ("sender", "receiver")) / (seconds * IDLE_FACTOR),
        "idle_memory": max(cpu.resident(process.pid) for host in (hosts.a, hosts.b) for process in host.processes) / 1e6,
    }


# --- allocations and locks


def counted_calls(hosts, seconds):
    """For each packet that crossed an interface of the host, in either direction, while traffic flows."""
    return {
        **_calls_during(hosts, "udp", lambda: iperf3(hosts, seconds, ["-u", "-b", "0", "-l", str(UDP_PAYLOAD)])),
        **_calls_during(hosts, "tcp", lambda: iperf3(hosts, seconds, [])),
    }


def _calls_during(hosts, traffic, run):
    ends = {"sender": hosts.a, "receiver": hosts.b}
    packets = lambda host: sum(way["packets"] for way in hosts.counters(host, "wire"))  # noqa: E731
    # Once before, so that buffers and tables have their size.
    run()
    before = {name: (packets(host), calls.read(host.calls_path)) for name, host in ends.items()}
    run()
    result = {}
    for name, host in ends.items():
        passed = packets(host) - before[name][0]
        made = calls.difference(calls.read(host.calls_path), before[name][1])
        result |= {f"{what}_{traffic}_{name}": number / passed for what, number in made.items()}
    return result


# --- where packets were lost


def losses(hosts):
    """{place: count} over all of a round, of a vtep that names its drops and of its interfaces."""
    found = {}
    for name, host in (("a", hosts.a), ("b", hosts.b)):
        if host.impl == "vtep":
            found |= {f"{name} {drop}": count for drop, count in host.drops().items()}
        received, sent = hosts.counters(host, "vxlan0")
        found |= {f"{name} vxlan0 rx": received["dropped"], f"{name} vxlan0 tx": sent["dropped"]}
        found[f"{name} UDP socket full"] = host.ns.snmp()["Udp"]["RcvbufErrors"]
    return {place: count for place, count in found.items() if count}


MEASUREMENTS = {
    "tcp_1": lambda hosts, seconds: tcp(hosts, seconds, 1),
    "tcp_8": lambda hosts, seconds: tcp(hosts, seconds, 8),
    "tcp_64": lambda hosts, seconds: tcp(hosts, seconds, 64),
    "udp": udp,
    "round_trip": round_trip,
    "blast": blast,
    "idle": idle,
    "calls": counted_calls,
}
