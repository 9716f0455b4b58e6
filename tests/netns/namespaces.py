"""Network namespaces, cables and processes that go away when a test ends, however it ends."""

import contextlib
import ctypes
import itertools
import json
import os
import shlex
import shutil
import subprocess
import time
from pathlib import Path

PREFIX = "vtep-test"
CLONE_NEWNET = 0x40000000
_numbers = itertools.count(1)
_libc = ctypes.CDLL(None, use_errno=True)


def words(command):
    """A command as one string or as several words."""
    return shlex.split(command) if isinstance(command, str) else [str(word) for word in command]


def eventually(what, probe, timeout=10.0):
    """Calls `probe` until it returns something true, and returns that. `what` completes "expected that …"."""
    deadline = time.monotonic() + timeout
    while True:
        seen = probe()
        if seen:
            return seen
        if time.monotonic() > deadline:
            raise AssertionError(f"expected that {what} within {timeout:g} s; last seen: {seen!r}")
        time.sleep(0.02)


class Namespace:
    """One network namespace. IPv6 is off unless asked for: its chatter is noise where frames are counted."""

    def __init__(self, name, ipv6=False):
        self.name = f"{PREFIX}-{os.getpid()}-{name}"
        subprocess.run(["ip", "netns", "add", self.name], check=True)
        if not ipv6:
            self.sysctl("net.ipv6.conf.all.disable_ipv6", 1)
            self.sysctl("net.ipv6.conf.default.disable_ipv6", 1)
        self.run("ip link set lo up")

    def command(self, command):
        return ["ip", "netns", "exec", self.name, *words(command)]

    def run(self, command, check=True, timeout=60, **options):
        """The finished process; its output is text. With `check`, a failure fails the test with what it said."""
        done = subprocess.run(self.command(command), capture_output=True, text=True, timeout=timeout, **options)
        if check and done.returncode != 0:
            said = done.stdout + done.stderr
            raise AssertionError(f"{shlex.join(words(command))}: exit status {done.returncode}\n{said}")
        return done

    def out(self, command):
        return self.run(command).stdout

    def popen(self, command, **options):
        return subprocess.Popen(self.command(command), **options)

    def sysctl(self, key, value):
        self.run(["sysctl", "-qw", f"{key}={value}"])

    @contextlib.contextmanager
    def entered(self):
        """This thread is in the namespace: sockets opened here stay here."""
        here = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        there = os.open(f"/run/netns/{self.name}", os.O_RDONLY)
        try:
            _setns(there)
            yield
        finally:
            _setns(here)
            os.close(here)
            os.close(there)

    def interface(self, name):
        """What `ip -d -j link` says about an interface, or None."""
        done = self.run(["ip", "-d", "-j", "link", "show", "dev", name], check=False)
        return json.loads(done.stdout)[0] if done.returncode == 0 else None

    def mac(self, interface):
        return self.interface(interface)["address"]

    def addresses(self, interface):
        listed = json.loads(self.out(["ip", "-4", "-j", "addr", "show", "dev", interface]))
        return [f"{a['local']}/{a['prefixlen']}" for entry in listed for a in entry.get("addr_info", [])]

    def snmp(self):
        """The counters of /proc/net/snmp: snmp()["Udp"]["InCsumErrors"]."""
        rows = [line.split() for line in self.out("cat /proc/net/snmp").splitlines()]
        return {
            names[0].rstrip(":"): dict(zip(names[1:], map(int, values[1:])))
            for names, values in zip(rows[::2], rows[1::2])
        }

    def snmp6(self):
        """The same of IPv6, in one: snmp6()["Udp6InCsumErrors"]."""
        return {name: int(value) for name, value in map(str.split, self.out("cat /proc/net/snmp6").splitlines())}

    def checksum_errors(self):
        counters = self.snmp()
        errors = {layer: counters[layer]["InCsumErrors"] for layer in ("Tcp", "Udp", "Icmp")}  # Tcp is of both versions
        for layer in ("Udp", "Icmp"):
            errors[layer] += self.snmp6().get(f"{layer}6InCsumErrors", 0)
        return errors

    def remove(self):
        subprocess.run(["ip", "netns", "del", self.name], check=False)


class Net:
    """Everything one test (or one module) makes: close() removes it, newest first."""

    def __init__(self):
        self._stack = contextlib.ExitStack()
        self.directory = Path(f"/run/{PREFIX}-{os.getpid()}-{next(_numbers)}")
        self.directory.mkdir()
        self.on_close(lambda: shutil.rmtree(self.directory))

    def on_close(self, callback):
        self._stack.callback(callback)

    def close(self):
        self._stack.close()

    def namespace(self, name, **options):
        namespace = Namespace(f"{next(_numbers)}-{name}", **options)
        self.on_close(namespace.remove)
        return namespace

    def cable(self, a, a_device, b, b_device, offloads=True):
        """A veth pair. Without offloads every packet on it has its final length and checksums."""
        a.run(["ip", "link", "add", a_device, "type", "veth", "peer", "name", b_device, "netns", b.name])
        for namespace, device in ((a, a_device), (b, b_device)):
            if not offloads:
                namespace.run(["ethtool", "-K", device, "tx", "off", "tso", "off", "gso", "off", "gro", "off"])
            namespace.run(["ip", "link", "set", device, "up"])

    def process(self, namespace, command, **options):
        """A process that is ended with the test."""
        process = namespace.popen(command, **options)

        def end():
            process.terminate()
            try:
                process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

        self.on_close(end)
        return process


def remove_leftovers():
    """Namespaces and files of test runs that were killed."""
    listed = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True).stdout
    names = [line.split()[0] for line in listed.splitlines() if line.startswith(PREFIX)]
    for name in names + [path.name for path in Path("/run").glob(f"{PREFIX}-*")]:
        owner = name.removeprefix(f"{PREFIX}-").split("-")[0]
        if owner.isdigit() and not Path(f"/proc/{owner}").exists():
            if name in names:
                subprocess.run(["ip", "netns", "del", name], check=False)
            else:
                shutil.rmtree(f"/run/{name}", ignore_errors=True)


def _setns(fd):
    if _libc.setns(fd, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")
