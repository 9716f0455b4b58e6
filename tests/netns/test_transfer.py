"""TCP and large transfers, both directions: vtep to vtep, and with the kernel's driver in either role."""

import hashlib
import itertools
import json
import socket
import subprocess

import pytest

from namespaces import eventually
from transfer import assert_no_checksum_errors, transfers

MEGABYTES = 200


@pytest.fixture(params=[("vtep", "vtep"), ("vtep", "kernel"), ("kernel", "vtep")], ids="-".join)
def pair(request, pair_of):
    pair = pair_of(*request.param)
    pair.add_links()
    return pair


def test_iperf3_both_directions(pair):
    server = pair.net.process(pair.b.ns, "iperf3 -s -B 192.168.5.2", stdout=subprocess.DEVNULL)
    for direction in ([], ["-R"], ["--bidir"]):
        end = iperf3(pair.a.ns, direction)["end"]
        assert end["sum_received"]["bytes"] > 10_000_000, f"{direction}: {end}"
    assert server.poll() is None
    assert_no_checksum_errors(pair)


def iperf3(namespace, direction):
    """Two seconds of TCP. A server that does not listen yet, or ends its last test, is asked again."""
    command = ["timeout", "20", "iperf3", "-J", "-c", "192.168.5.2", "-t", "2", "--connect-timeout", "5000", *direction]

    def measured():
        result = json.loads(namespace.run(command, check=False).stdout or "{}")
        return result if "error" not in result and "end" in result else None

    return eventually("iperf3 finds its server", measured, timeout=30)


@pytest.mark.parametrize("way", [0, 1], ids=["a-b", "b-a"])
def test_a_large_transfer_arrives_as_it_was(pair, way):
    transfers((*pair.ways()[way], MEGABYTES))
    assert_no_checksum_errors(pair)


def test_udp_of_every_size_arrives_as_it_was(pair):
    """From nothing to more than the MTU, which the sender's stack cuts into IP fragments on vxlan0."""
    with pair.a.ns.entered():
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with pair.b.ns.entered():
        receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with sender, receiver:
        receiver.bind(("192.168.5.2", 7777))
        receiver.settimeout(10)
        sender.connect(("192.168.5.2", 7777))
        for size in itertools.chain(range(0, 64), range(1390, 1480), (2000, 9000, 30000, 65507)):
            payload = hashlib.shake_128(size.to_bytes(4, "big")).digest(size)
            sender.send(payload)
            assert receiver.recv(70000) == payload, f"{size} bytes"
    assert_no_checksum_errors(pair)


def test_many_connections_at_once(pair):
    there, _ = pair.ways()
    transfers(*((*there, 2, port) for port in range(9100, 9132)))
    assert_no_checksum_errors(pair)
