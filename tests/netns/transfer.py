"""Bytes through a tunnel: a stream that does not repeat itself by segments, and its hash at both ends."""

import concurrent.futures
import contextlib
import functools
import hashlib
import itertools
import json
import math
import socket
import threading

BLOCK = 1_000_003  # a prime: no segment boundary comes again at the same place of a block
MEGABYTE = 1_000_000
NO_ERRORS = {"Tcp": 0, "Udp": 0, "Icmp": 0}


def blocks(size=math.inf):
    """The stream of so many bytes, in parts that all differ."""
    block = bytearray(hashlib.shake_128(b"vtep").digest(BLOCK))
    for number in itertools.count():
        block[:4] = number.to_bytes(4, "big")
        part = memoryview(block)[: min(BLOCK, size)]
        if not part:
            return
        size -= len(part)
        yield part


@functools.cache
def hash_of(megabytes):
    sent = hashlib.sha256()
    for part in blocks(megabytes * MEGABYTE):
        sent.update(part)
    return sent.hexdigest()


def send_all(megabytes, connection):
    for part in blocks(megabytes * MEGABYTE):
        connection.sendall(part)
    return hash_of(megabytes)


def send_until(enough, connection):
    sent = hashlib.sha256()
    for part in itertools.takewhile(lambda _: not enough.is_set(), blocks()):
        connection.sendall(part)
        sent.update(part)
    return sent.hexdigest()


def stream(source, sink, address, port, send):
    """One TCP connection between two namespaces, filled by send(connection); returns the hashes of what was sent, as
    send() says it, and of what was received."""
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
        sent = send(connection)
        connection.shutdown(socket.SHUT_WR)
        receiver.join()
    return sent, received.hexdigest()


def transfer(source, sink, address, megabytes, port=9000):
    """Sends that much; returns both hashes."""
    return stream(source, sink, address, port, functools.partial(send_all, megabytes))


def all_arrive(transfers):
    """Runs them at once; every one must arrive as it was sent."""
    with concurrent.futures.ThreadPoolExecutor(len(transfers)) as pool:
        for sent, received in pool.map(lambda one: one(), transfers):
            assert sent == received, "something else arrived than was sent"


def transfers(*wanted):
    """Transfers at once, each with the arguments of transfer()."""
    all_arrive([functools.partial(transfer, *these) for these in wanted])


@contextlib.contextmanager
def under_way(*ways):
    """A transfer (source, sink, address) for each while something else is done, and for as long as that takes. All that
    was sent must have arrived in the end."""
    enough = threading.Event()
    send = functools.partial(send_until, enough)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        future = pool.submit(all_arrive, [functools.partial(stream, *way, 9000 + n, send) for n, way in enumerate(ways)])
        try:
            yield
            assert not future.done(), "a transfer broke off"
        finally:
            enough.set()
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
