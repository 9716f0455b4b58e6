"""What is measured beside what: vtep as it comes, vtep with options of its daemon, the kernel's driver, Open vSwitch.

A name here is what samples, tables and plots call an implementation.
"""

import functools
import subprocess

from places import BIN_DIR, tool  # first: it knows where the harness is

from endpoints import KernelEndpoint, VtepEndpoint
from ovs import OvsEndpoint

# name: options of vtepd. One whose options the daemon does not know is left out, and the run says so.
VARIANTS = {
    "vtep": [],
    "vtep-spin": ["--spin", "200"],  # microseconds
    "vtep-nospin": ["--spin", "off"],
    "vtep-1worker": ["--workers", "1"],
    "vtep-counted": [],  # with its allocations and locks counted: calls.py
}


def reason_to_skip(impl):
    """Why this one cannot be measured with these programs, or nothing."""
    unknown = [word for word in VARIANTS.get(impl, []) if word.startswith("--") and word not in usage_of_vtepd()]
    return f"this vtepd has no {' and no '.join(unknown)}" if unknown else ""


@functools.cache
def usage_of_vtepd():
    return subprocess.run([BIN_DIR / "vtepd", "--help"], capture_output=True, text=True, check=True).stdout


def make(impl, net, namespace):
    """An endpoint that is not started yet."""
    if impl == "ovs":
        return OvsEndpoint(net, namespace)
    if impl == "kernel":
        return MeasuredKernel(net, namespace)
    endpoint = MeasuredVtep(net, namespace)
    endpoint.daemon = [*endpoint.daemon, *VARIANTS[impl]]
    if impl == "vtep-counted":
        endpoint.calls_path = net.directory / f"{namespace.name}.calls"
        preload = [f"LD_PRELOAD={tool('libcalls.so')}", f"CALLS_FILE={endpoint.calls_path}"]
        endpoint.daemon = ["env", *preload, *endpoint.daemon]
    return endpoint


class MeasuredKernel(KernelEndpoint):
    underlay_device = "wire"
    fdb_batch_command = ["bridge", "-batch"]
    processes = ()


class MeasuredVtep(VtepEndpoint):
    underlay_device = "wire"

    @property
    def fdb_batch_command(self):
        return self.batch_command

    @property
    def processes(self):
        return [self.process]
