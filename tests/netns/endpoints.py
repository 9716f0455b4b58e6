"""Tunnel endpoints to test: vtepd with its command `vtep`, and the kernel's vxlan driver, told the same words."""

import contextlib
import json
import os
import re
import signal
import subprocess
from pathlib import Path

from namespaces import eventually, words
from processes import thread_states

BIN_DIR = Path(os.environ.get("VTEP_BIN_DIR", Path(__file__).parents[2] / "build" / "bin")).resolve()
SANITIZER_REPORT = re.compile(r"AddressSanitizer|ThreadSanitizer|LeakSanitizer|UndefinedBehavior|runtime error:")


class Endpoint:
    """A namespace with a tunnel endpoint in it. `link` and `fdb` take the words of `ip link` and `bridge fdb`."""

    def __init__(self, net, namespace):
        self.net = net
        self.ns = namespace

    def link(self, command, **options):
        return self.ns.run([*self.link_command, *words(command)], **options)

    def fdb(self, command, **options):
        return self.ns.run([*self.fdb_command, *words(command)], **options)

    def fdb_lines(self, command="show dev vxlan0"):
        """Lines of an FDB listing, sorted: the kernel's order is that of a hash."""
        return sorted(self.fdb(command).stdout.splitlines())

    def add_link(self, spec, name="vxlan0", address=None, mac=None):
        """`link add`, and the interface is up."""
        self.link(f"add name {name} type vxlan {spec}")
        if mac:
            self.ns.run(f"ip link set {name} address {mac}")
        if address:
            self.ns.run(f"ip addr add {address} dev {name}")
        self.ns.run(f"ip link set {name} up")

    def give(self, options):
        """Options of the daemon, before it starts."""


class KernelEndpoint(Endpoint):
    impl = "kernel"
    allow_vlan = ""  # the driver passes tags without being asked
    link_command = ["ip", "link"]
    fdb_command = ["bridge", "fdb"]
    fdb_json_command = ["bridge", "-j", "fdb"]
    batch_command = ["ip", "-batch"]

    def start(self):
        pass

    def stop(self):
        pass


class VtepEndpoint(Endpoint):
    impl = "vtep"
    daemon = [str(BIN_DIR / "vtepd")]  # benchmarks start it with options
    allow_vlan = " vlan allow"

    def __init__(self, net, namespace):
        super().__init__(net, namespace)
        self.socket = net.directory / f"{namespace.name}.sock"
        self.log_path = net.directory / f"{namespace.name}.log"
        self.vtep = [str(BIN_DIR / "vtep"), "--socket", str(self.socket)]
        self.link_command = [*self.vtep, "link"]
        self.fdb_command = [*self.vtep, "fdb"]
        self.fdb_json_command = [*self.vtep, "-j", "fdb"]
        self.batch_command = [*self.vtep, "-batch"]
        self.process = None
        self.config = None

    def give(self, options):
        self.daemon = [*self.daemon, *options]

    def start(self, config=None):
        """Starts the daemon, and returns when it answers."""
        self.config = config or self.config
        command = [*self.daemon, "--socket", self.socket]
        if self.config:
            command += ["--config", self.config]
        with open(self.log_path, "ab") as log:
            self.process = self.ns.popen(command, stdout=log, stderr=subprocess.STDOUT)
        process = self.process
        self.net.on_close(lambda: self._end(process))
        self.wait_ready()

    def wait_ready(self):
        eventually(f"vtepd answers; its log:\n{self.log()}", self._answers_or_died)

    def _answers_or_died(self):
        assert self.process.poll() is None, f"vtepd ended with {self.process.returncode}:\n{self.log()}"
        return self.vtep_run("link show", check=False).returncode == 0

    def _end(self, process):
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise AssertionError(f"vtepd did not end within 60 s of SIGTERM:\n{self.log()}") from None
        assert not SANITIZER_REPORT.search(self.log()), self.log()
        assert process.returncode in (0, -signal.SIGKILL), f"vtepd ended with {process.returncode}:\n{self.log()}"

    def stop(self):
        """SIGTERM, and its exit status must be 0."""
        self._end(self.process)

    def kill(self):
        """kill -9: nothing is tidied up."""
        self.process.kill()
        self.process.wait()

    @contextlib.contextmanager
    def paused(self):
        """The daemon does nothing, and what it would have read piles up."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            eventually("every thread has stopped", lambda: thread_states(self.process) == {"T"})
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def log_lines(self):
        return self.log().splitlines()

    def vtep_run(self, command, **options):
        return self.ns.run([*self.vtep, *words(command)], **options)

    def source(self, name):
        """A control plane's source, as the command shows it."""
        return json.loads(self.vtep_run(f"-d -j source show {name}").stdout)[0]

    def external(self, device):
        """[(MAC, remote)] of the entries that control planes say."""
        listed = json.loads(self.vtep_run(f"-j fdb show dev {device}").stdout)
        return [(entry["mac"], entry["dst"]) for entry in listed if "extern_learn" in entry["flags"]]

    def drops(self):
        """{name: count} of every drop that has happened, summed over the links and what belongs to none."""
        counts = {}
        for drop in json.loads(self.vtep_run("-j drop show").stdout):
            counts[drop["name"]] = counts.get(drop["name"], 0) + drop["count"]
        return {name: count for name, count in counts.items() if count}


class DriverEndpoint(VtepEndpoint):
    """vtepd, which leaves the frames to the kernel's driver."""

    impl = "driver"
    allow_vlan = ""

    def link(self, command, **options):
        more = ["datapath", "kernel"] if "add" in words(command) else []
        return super().link([*words(command), *more], **options)


ENDPOINTS = {endpoint.impl: endpoint for endpoint in (VtepEndpoint, KernelEndpoint, DriverEndpoint)}
