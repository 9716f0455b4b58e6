"""iperf3 between two hosts, and the proof that a wire without offloads carries nothing larger than its MTU."""

import json
import subprocess

from namespaces import eventually


class MeasurementFailed(Exception):
    pass


def start_iperf3_server(hosts):
    """It ends with the hosts."""
    command = ["iperf3", "-s", "-B", hosts.overlay["b"]]
    hosts.net.process(hosts.b.ns, command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def iperf3(hosts, seconds, options):
    """The `end` of its report. A server that does not listen yet, or ends its last test, is asked again."""
    words = " ".join(options)
    command = ["timeout", str(seconds + 20), "iperf3", "-J", "-c", hosts.overlay["b"], "--connect-timeout", "5000"]
    command += options if "-n" in options else ["-t", str(seconds), *options]

    def report():
        done = hosts.a.ns.run(command, check=False, timeout=seconds + 30)
        try:
            result = json.loads(done.stdout)
        except json.JSONDecodeError:
            raise MeasurementFailed(f"iperf3 {words}: exit status {done.returncode}, no report") from None
        error = result.get("error", "")
        if "refused" in error or "busy" in error:
            return None
        if error or "sum_received" not in result["end"]:
            raise MeasurementFailed(f"iperf3 {words}: {error or 'nothing received'}")
        return result["end"]

    return eventually("iperf3 finds its server", report)


def check_frames(hosts):
    """Fails if a frame that leaves the wire is larger than a physical one could carry. By a short transfer, whose frames
    the receiver counts before anything can merge them; not while something is measured, since counting costs."""
    rules = (
        "add table netdev frames\n"
        "add chain netdev frames arrived { type filter hook ingress device wire priority 0; }\n"
        "add rule netdev frames arrived counter\n"
        f"add rule netdev frames arrived meta length > {hosts.scenario.mtu} counter\n"
    )
    for host in (hosts.a, hosts.b):
        host.ns.run("nft -f -", input=rules)
    iperf3(hosts, 5, ["-n", "4M"])
    for host in (hosts.a, hosts.b):
        listed = json.loads(host.ns.out("nft -j list table netdev frames"))["nftables"]
        every, larger = (
            next(word["counter"]["packets"] for word in each["rule"]["expr"] if "counter" in word) for each in listed if "rule" in each
        )
        host.ns.run("nft delete table netdev frames")
        if every == 0 or larger:
            raise MeasurementFailed(f"{larger} of {every} packets are larger than the wire's MTU of {hosts.scenario.mtu}")
