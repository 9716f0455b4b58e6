"""UDP flows whose datagrams are numbered: made in runs and one by one, received as they come or merged."""

import random
import select
import socket
import struct
import time

from packets import SO_RCVBUFFORCE

UDP_SEGMENT = 103
UDP_GRO = 104
SO_NO_CHECK = 11
BUFFER = 8 << 20
MOST = 64  # segments in one send, as kernels before 6.9 have it
LARGEST = 65000  # bytes in one send


class Flow:
    """A pair of sockets. With `merging` the receiver takes runs (UDP_GRO) and takes them apart itself."""

    def __init__(self, source, sink, address, port, merging=False, checksum=True):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with sink.entered():
            self.receiver = socket.socket(family, socket.SOCK_DGRAM)
        with source.entered():
            self.sender = socket.socket(family, socket.SOCK_DGRAM)
        self.receiver.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER)
        self.receiver.setsockopt(socket.IPPROTO_UDP, UDP_GRO, int(merging))
        self.receiver.bind((address, port))
        self.receiver.setblocking(False)
        if not checksum:
            self.sender.setsockopt(socket.SOL_SOCKET, SO_NO_CHECK, 1)
        self.sender.connect((address, port))
        self.random = random.Random(port)
        self.number = 0
        self.sent = []
        self.runs = 0  # messages that held more than one datagram

    def close(self):
        self.sender.close()
        self.receiver.close()

    def payload(self, size):
        """Some bytes that no other datagram has, if there is room for any."""
        self.number += 1
        return (self.number.to_bytes(4, "big") + self.random.randbytes(size))[:size]

    def send(self, *sizes):
        """One by one."""
        for size in sizes:
            self.sent.append(self.payload(size))
            self.sender.send(self.sent[-1])

    def send_run(self, size, count, last=None):
        """In one call: `count` datagrams of a size, and perhaps a shorter one behind them."""
        run = [self.payload(size) for _ in range(count)] + ([self.payload(last)] if last else [])
        segment = struct.pack("=H", size)
        self.sender.sendmsg([b"".join(run)], [(socket.IPPROTO_UDP, UDP_SEGMENT, segment)])
        self.sent += run

    def arrived(self, timeout=10.0):
        """As many datagrams as were sent, or all that came within the time, and what came beyond them."""
        datagrams = []
        deadline = time.monotonic() + timeout
        while len(datagrams) < len(self.sent):
            if not select.select([self.receiver], [], [], max(0, deadline - time.monotonic()))[0]:
                break
            datagrams += self._receive()
        while select.select([self.receiver], [], [], 0)[0]:
            datagrams += self._receive()
        return datagrams

    def _receive(self):
        data, ancillary, flags, _ = self.receiver.recvmsg(1 << 17, 64)
        assert not flags & socket.MSG_TRUNC
        sizes = [struct.unpack("=i", value)[0] for _, kind, value in ancillary if kind == UDP_GRO]
        if not sizes or sizes[0] >= len(data):
            return [data]
        self.runs += 1
        return [data[at : at + sizes[0]] for at in range(0, len(data), sizes[0])]

    def check(self, in_order=True):
        """Everything sent has arrived once, as it was and in order."""
        arrived = self.arrived()
        if not in_order:
            arrived, self.sent = sorted(arrived), sorted(self.sent)
        if arrived != self.sent:
            wrong = next((i for i, pair in enumerate(zip(arrived, self.sent)) if pair[0] != pair[1]), None)
            raise AssertionError(
                f"{len(self.sent)} datagrams sent, {len(arrived)} arrived, {len(set(self.sent) - set(arrived))} lost; "
                f"the first difference is at {wrong}: sizes {[*map(len, self.sent[wrong or 0 :])][:8]}, arrived "
                f"{[*map(len, arrived[wrong or 0 :])][:8]}"
            )
        self.sent = []
