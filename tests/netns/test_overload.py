"""When it is too much: what is lost is counted by name, and others keep their share."""

import contextlib
import json
import re
import subprocess

import pytest

from namespaces import eventually
from packets import datagram, vxlan_header
from scene import ether
from stations import VNI, make_probe
from topologies import WIRE_MAC


@pytest.fixture
def probe(net):
    return make_probe(net, "vtep")


def test_a_full_queue_to_the_daemon_is_counted(probe):
    count = 3000  # the queue holds 1000
    with probe.host.paused():
        refused = 0
        for number in range(count):
            try:
                probe.vxlan0.send(ether(number.to_bytes(4, "big")))
            except OSError:  # the kernel may tell the sender
                refused += 1
    lost = eventually("it is counted", lambda: probe.host.drops().get("interface_overflow"))
    assert refused <= lost < count
    frames, _ = probe.wire.receive(lambda frame: frame[36:38] == b"\x12\xb5", count=count - lost)
    assert len(frames) == count - lost, "what was not lost has been sent"
    assert set(probe.host.drops()) == {"interface_overflow"}


def test_a_full_socket_is_counted_at_its_port(probe):
    """Of 4 MB and more; where the datagrams belong is not known, because nobody has read them."""
    inner = ether(bytes(1400), source="02:00:00:00:00:05", to="02:00:00:00:00:0a")
    arriving = datagram(vxlan_header(VNI) + inner, to_mac=probe.mac, from_mac=WIRE_MAC)
    with probe.host.paused():
        for _ in range(10_000):
            probe.wire.send(arriving)
    eventually("it is counted", lambda: probe.host.drops().get("receive_overflow"))
    rows = [row for row in json.loads(probe.host.vtep_run("-j drop show").stdout) if row["name"] == "receive_overflow"]
    assert [row.get("port") for row in rows if row["count"]] == [4789]


@contextlib.contextmanager
def flooded(pair, address, size):
    """iperf3 sends as much UDP as it can, from a to b."""
    server = pair.net.process(pair.b.ns, f"iperf3 -s -B {address}", stdout=subprocess.DEVNULL)
    command = f"iperf3 -c {address} -u -b 0 -l {size} -t 60 -P 2"

    def listens():
        return f"{address}:5201" in pair.b.ns.out("ss -Hltn")

    eventually("iperf3 listens", listens)
    client = pair.net.process(pair.a.ns, command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    yield
    assert client.poll() is None, "the flood has lasted"
    for process in (client, server):
        process.kill()
        process.wait()


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("size", [64, 1400])
def test_a_flood_leaves_another_link_its_share(pair_of, workers, size):
    """On a UDP port of its own, so that the flood's full socket is not its socket."""
    pair = pair_of(options=("--workers", workers))
    for last, end in ((1, pair.a), (2, pair.b)):
        remote = f"remote 10.0.0.{3 - last}"
        end.add_link(f"id 6000 {remote} dstport 4789 dev eno1", address=f"192.168.5.{last}/24")
        end.add_link(f"id 6001 {remote} dstport 4790 dev eno1", name="vxlan1", address=f"192.168.6.{last}/24")
    pair.ping("192.168.6.2")

    def carried():
        return int(pair.b.ns.out("cat /sys/class/net/vxlan0/statistics/rx_packets"))

    with flooded(pair, "192.168.5.2", size):
        eventually("the flood is there", lambda: carried() > 20_000, timeout=30)
        before = carried()
        said = pair.a.ns.run("ping -q -c 50 -i 0.02 -W 10 192.168.6.2", check=False).stdout
        assert carried() > before
    assert re.search(r"(\d+) received", said)[1] == "50", said
