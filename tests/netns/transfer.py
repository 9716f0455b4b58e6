"""Bytes through a tunnel: a stream that does not repeat itself by segments, and its hash at both ends."""

import concurrent.futures
import contextlib
import functools
import hashlib
import json
import socket
import threading

BLOCK = 1_000_003  # a prime: no segment boundary comes again at the same place of a block
MEGABYTE = 1_000_000
NO_ERRORS = {"Tcp": 0, "Udp": 0, "Icmp": 0}


def blocks(megabytes):
    """The stream, in parts that all differ."""
    block = bytearray(hashlib.shake_128(b"vtep").digest(BLOCK))
    left = megabytes * MEGABYTE
    for number in range(-(-left // BLOCK)):
        block[:4] = number.to_bytes(4, "big")
        part = memoryview(block)[: min(BLOCK, left)]
        left -= len(part)
        yield part


@functools.cache
def hash_of(megabytes):
    sent = hashlib.sha256()
    for part in blocks(megabytes):
        sent.update(part)
    return sent.hexdigest()


def transfer(source, sink, address, megabytes, port=9000):
    """Sends that much over one TCP connection between two namespaces; returns the hashes of what was sent and what was
    received."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with sink.entered():
        listener = socket.create_server((address, port), family=family)
    listener.settimeout(30)
    received = hashlib.sha256()

    def receive():
        connection, _ = listener.accept()
        buffer = memoryview(bytearray(BLOCK))
        with connection:
            connection.settimeout(60)
            while size := connection.recv_into(buffer):
                received.update(buffer[:size])

    receiver = threading.Thread(target=receive)
    receiver.start()
    with source.entered():
        connection = socket.socket(family)
    connection.settimeout(60)
    with connection, listener:
        connection.connect((address, port))
        for part in blocks(megabytes):
            connection.sendall(part)
        connection.shutdown(socket.SHUT_WR)
        receiver.join()
    return hash_of(megabytes), received.hexdigest()


def transfers(*wanted):
    """Transfers at once, each with the arguments of transfer(); every one must arrive as it was sent."""
    results = []
    threads = [threading.Thread(target=lambda these=these: results.append(transfer(*these))) for these in wanted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == len(wanted), "a transfer broke off"
    assert all(sent == received for sent, received in results), "something else arrived than was sent"


@contextlib.contextmanager
def under_way(*wanted):
    """The same while something else is done; yields what says whether they are done()."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        future = pool.submit(transfers, *wanted)
        yield future
        future.result()


def assert_no_checksum_errors(pair):
    for end in (pair.a, pair.b):
        assert end.ns.checksum_errors() == NO_ERRORS, end.ns.name


def statistics(namespace, interface="vxlan0"):
    """(packets, bytes) by direction, as the kernel counts them: a super-frame is one packet."""
    (said,) = json.loads(namespace.out(f"ip -s -j link show {interface}"))
    return {way: (counts["packets"], counts["bytes"]) for way, counts in said["stats64"].items() if way in ("rx", "tx")}


class Traffic:
    """What an interface has carried since this was made."""

    def __init__(self, namespace, interface="vxlan0"):
        self.namespace, self.interface = namespace, interface
        self.before = statistics(namespace, interface)

    def bytes_a_packet(self, way):
        after = statistics(self.namespace, self.interface)
        packets, size = (now - then for now, then in zip(after[way], self.before[way]))
        return size / packets
