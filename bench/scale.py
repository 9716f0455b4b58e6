"""How many, how fast: entries and links made in bulk, and what an entry weighs. vtep and the kernel's driver in turn.

Every function returns {metric: value}; metrics.py knows the units.
"""

import contextlib
import signal
import time

import cpu
import namespaces
from endpoints import ENDPOINTS
from hosts import end_processes_in
from programs import MeasurementFailed

ENTRIES = 100_000
MANY = 1_000_000  # for what an entry weighs
LINKS = 1000
GROUP = 7  # of the kernel's links, so that one request deletes them


def all_of(impl):
    """Yields (name, function) for each measurement; a function may fail without the others."""
    yield "entries", lambda: entries(impl)
    yield "links", lambda: links(impl)


@contextlib.contextmanager
def host(impl):
    """One endpoint with an underlay device that leads nowhere."""
    net = namespaces.Net()
    try:
        namespace = net.namespace(impl)
        net.on_close(lambda: end_processes_in(namespace.name))
        namespace.run("ip link add wire type veth peer name end")
        namespace.run("ip addr add 10.0.0.1/24 dev wire")
        namespace.run("ip -batch -", input="link set wire up\nlink set end up\n")
        endpoint = ENDPOINTS[impl](net, namespace)
        endpoint.start()
        yield endpoint
    finally:
        net.close()


def seconds_of(endpoint, command, lines):
    """How long one batch takes."""
    path = endpoint.net.directory / "batch"
    path.write_text("".join(f"{line}\n" for line in lines))
    started = time.monotonic()
    endpoint.ns.run([*command, path], timeout=600)
    return time.monotonic() - started


# --- entries


def entries(impl):
    """A batch of ENTRIES into an empty table; then as many as make MANY, to weigh them."""
    with host(impl) as endpoint:
        endpoint.add_link("id 6000 remote 10.0.0.9 dstport 4789 dev wire")
        bridge_batch = endpoint.batch_command if impl == "vtep" else ["bridge", "-batch"]
        before = memory(endpoint)
        took = seconds_of(endpoint, bridge_batch, additions(range(ENTRIES)))
        seconds_of(endpoint, bridge_batch, additions(range(ENTRIES, MANY)))
        weight = (memory(endpoint) - before) / MANY
        listed = endpoint.ns.run([*endpoint.fdb_command, "show", "dev", "vxlan0"], timeout=600).stdout.count("\n")
        if listed != MANY + 1:
            raise MeasurementFailed(f"{listed} entries listed instead of {MANY + 1}")
        return {"entries_per_second": ENTRIES / took / 1e3, "entry_weight": weight}


def additions(numbers):
    for i in numbers:
        mac = f"02:01:{i >> 24 & 255:02x}:{i >> 16 & 255:02x}:{i >> 8 & 255:02x}:{i & 255:02x}"
        yield f"fdb add {mac} dst 10.0.0.{2 + i % 7} dev vxlan0"


def memory(endpoint):
    """Bytes: what the daemon has resident, or what the kernel has in its slabs."""
    if endpoint.impl == "vtep":
        return cpu.resident(endpoint.process.pid)
    return cpu.field("/proc/meminfo", "SUnreclaim")


# --- links


def links(impl):
    """LINKS made by one batch, and the end of them all: SIGTERM to vtepd, one `ip link del group` to the kernel."""
    with host(impl) as endpoint:
        words = "remote 10.0.0.9 dstport 4789 dev wire"
        took = seconds_of(
            endpoint,
            endpoint.batch_command,
            (f"link add name vx{vni} {group(impl)}type vxlan id {vni} {words}" for vni in range(1, LINKS + 1)),
        )
        started = time.monotonic()
        if impl == "vtep":
            endpoint.process.send_signal(signal.SIGTERM)
            endpoint.process.wait(timeout=120)
        else:
            endpoint.ns.run(f"ip link del group {GROUP}", timeout=120)
        ended = time.monotonic() - started
        left = endpoint.ns.out("ip -o link show").count(": vx")
        if left:
            raise MeasurementFailed(f"{left} interfaces are left")
        return {"links_made": took, "links_ended": ended}


def group(impl):
    return f"group {GROUP} " if impl == "kernel" else ""
