"""Names and units of what is measured."""

# metric: (name, unit, whether more is better)
METRICS = {
    "tcp_1": ("TCP, 1 stream", "Gbit/s", True),
    "tcp_8": ("TCP, 8 streams", "Gbit/s", True),
    "tcp_64": ("TCP, 64 streams", "Gbit/s", True),
    "udp_interface": ("UDP, 64 bytes, out of the interface", "kpps", True),
    "udp_delivered": ("UDP, 64 bytes, delivered to the program", "kpps", True),
    "rtt_p50": ("round trip, p50", "µs", False),
    "rtt_p99": ("round trip, p99", "µs", False),
    "cpu_machine": ("CPU of the whole machine, TCP, 1 stream", "s/GB", False),
    "cpu_sender": ("CPU of the sender's daemon", "s/GB", False),
    "cpu_receiver": ("CPU of the receiver's daemon", "s/GB", False),
    "blast_interface": ("64-byte datagrams out of the interface", "kpps", True),
    "blast_wire": ("on the wire", "kpps", True),
    "idle_cpu": ("CPU of an idle daemon", "% of a core", False),
    "idle_memory": ("memory of an idle daemon, resident", "MB", False),
}
CALLS = {
    f"{what}_{traffic}_{end}": (f"{what}, {name}, {end}", "for each packet", False)
    for what in ("allocations", "frees", "locks")
    for traffic, name in (("udp", "UDP of 64 bytes"), ("tcp", "TCP"))
    for end in ("sender", "receiver")
}
METRICS |= CALLS
SCALE_METRICS = {
    "entries_per_second": ("entries, 100,000 in one batch", "thousand/s", True),
    "entry_weight": ("memory for an entry, of 1,000,000", "bytes", False),
    "links_made": ("1000 links, made by one batch", "s", False),
    "links_ended": ("1000 links, all ended", "s", False),
}
# Of the two main wires, in the order of their tables.
WIRE_METRICS = tuple(METRICS)[:10]
