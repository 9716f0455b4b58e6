"""A probe that serves a whole module: links come and go with each test, the wire stays.

Every link has a static entry for MARKER behind a remote that nobody else uses. A marker sent last says that all that
was sent before it has been dealt with, whether it came out or not: nothing here waits for time to pass. That holds for
what one worker does, so there is only one.

The underlay has both families: 10.0.0.1 and fd00:10::1 here, 10.0.0.2 to .9 and fd00:10::2 to ::9 on the wire.
"""

import json

import pytest
from scapy.layers.l2 import Ether

from kernel_netlink import Refused, flush, mdb
from namespaces import words
from outer import TUNNEL_PORTS, outer_of, tunnelled
from packets import LOCAL, STATION
from topologies import WIRE_MAC, Probe

VNI = 6000
MARKER = "02:00:00:00:ee:ee"
HERE = {4: "10.0.0.1", 6: "fd00:10::1"}
LAST = {4: "10.0.0.8", 6: "fd00:10::8"}  # behind which MARKER lives


def far(last, version=4):
    """The address of a remote VTEP on the wire."""
    return f"10.0.0.{last}" if version == 4 else f"fd00:10::{last}"


class Scene(Probe):
    def __init__(self, net, impl, **options):
        self.overlays = []
        super().__init__(net, impl, **options)

    def configure(self):
        super().configure()
        self.ns.sysctl("net.ipv6.conf.lo.disable_ipv6", 0)
        self.ns.sysctl("net.ipv6.conf.eno1.disable_ipv6", 0)
        self.ns.run("ip -6 addr replace fd00:10::1/64 dev eno1 nodad")
        for last in range(2, 10):
            self.ns.run(f"ip -6 neigh replace fd00:10::{last} lladdr {WIRE_MAC} dev eno1 nud permanent")

    @property
    def impl(self):
        return self.host.impl

    @property
    def is_vtep(self):
        return self.impl == "vtep"

    def add(self, spec, name="vxlan0", version=4, **options):
        """A link that is up and has its marker entry."""
        return Overlay(self, spec, name, version, **options)

    def remove_links(self):
        for overlay in self.overlays:
            overlay.remove()

    def say(self, command, check=True):
        """A command in the namespace. Throws Refused when it fails."""
        done = self.ns.run(command, check=False)
        if check and done.returncode != 0:
            raise Refused(done.stderr)
        return done

    def _object(self, name, kernel, command, check):
        return self.say([*(self.host.vtep + [name] if self.is_vtep else kernel), *words(command)], check)

    def vni(self, command, check=True):
        return self._object("vni", ["bridge", "vni"], command, check)

    def nexthop(self, command, check=True):
        return self._object("nexthop", ["ip", "nexthop"], command, check)

    def neigh(self, command, check=True):
        return self._object("neigh", ["ip", "neigh"], command, check)

    def fdb(self, command, check=True):
        return self.say([*self.host.fdb_command, *words(command)], check)

    def link(self, command, check=True):
        return self.say([*self.host.link_command, *words(command)], check)

    def mdb(self, command):
        if self.is_vtep:
            return self._object("mdb", None, command, True)
        return mdb(self.ns, command)

    def flush(self, command):
        if self.is_vtep:
            return self.fdb(f"flush {command}")
        return flush(self.ns, command)

    def counters(self, name, link="vxlan0"):
        """Every value of this name in what vtep says about a link, wherever it stands."""
        said = json.loads(self.say([*self.host.vtep, "-d", "-s", "-s", "-s", "-j", "link", "show", link]).stdout)
        return list(values_of(said, name))

    def refused(self, do, *arguments, **options):
        """What is said when `do` is refused; it must be."""
        with pytest.raises(Refused) as refusal:
            do(*arguments, **options)
        return str(refusal.value)


class Overlay:
    def __init__(self, scene, spec, name, version, mac=LOCAL, marker=True, made=False):
        self.scene, self.name, self.version, self.port = scene, name, version, None
        self.vni = int(spec.split()[1]) if spec.startswith("id ") else VNI
        self.dport = int(spec.split("dstport ")[1].split()[0]) if "dstport " in spec else 8472
        if not made:
            scene.link(f"add name {name} type vxlan {spec}")
        scene.overlays.append(self)
        scene.ns.run(f"ip link set {name} address {mac}")
        scene.ns.run(f"ip link set {name} up")
        self.port = scene.port(scene.ns, name)
        if marker:
            scene.fdb(f"add {MARKER} dst {LAST[version]} dev {name} static")

    def remove(self):
        self.scene.overlays = [overlay for overlay in self.scene.overlays if overlay is not self]
        if self.port:
            self.port.close()
        self.scene.link(f"del {self.name}", check=False)

    def sent(self, *frames, ports=TUNNEL_PORTS):
        """What leaves on the wire for these frames, as Outers, in order."""
        return self.sent_from(self.port, *frames, ports=ports)

    def sent_from(self, port, *frames, ports=TUNNEL_PORTS):
        """The same for frames that another port sends, if a bridge brings them here."""
        ports = (*ports, self.dport)
        seen = self.underlay_frames(port, *frames, ports=ports)
        return [outer for outer in (outer_of(frame, ports) for frame in seen) if outer]

    def underlay_frames(self, port, *frames, ports=TUNNEL_PORTS):
        """Every frame on the wire, tunnel packet or not. Of one batch, what takes another source port may come after
        the marker; what comes after a second one, sent when the first had come, belongs to no batch of the frames."""
        wire = self.scene.wire
        wire.drain()
        seen = []
        for last in (bytes(Ether(src=LOCAL, dst=MARKER, type=0x88B6) / text) for text in (b"that was all", b"really")):
            port.send(*frames, last)
            frames = []
            found = wire.receive(lambda frame, last=last: getattr(outer_of(frame, ports), "inner", None) == last)
            seen += found[1]
        return seen

    def arriving(self, inner, source=None, **options):
        """The underlay frame that brings `inner`."""
        source = source or far(2, self.version)
        to = HERE[6 if ":" in source else 4]
        options = {"vni": self.vni, "dport": self.dport, **options}
        return tunnelled(inner, source, to, self.scene.mac, WIRE_MAC, **options)

    def received(self, *frames):
        """What comes out of the interface for these underlay frames, in order."""
        self.port.drain()
        last = bytes(Ether(src=MARKER, dst=LOCAL, type=0x88B6) / b"everything before this one has been seen to")
        self.scene.wire.send(*frames, self.arriving(last, LAST[self.version]))
        return self.port.receive(lambda frame: frame == last)[1]

    def gets(self, inner, source=None, **options):
        """What comes out of the interface when `inner` arrives."""
        return self.received(self.arriving(inner, source, **options))

    def drops(self, do):
        """The named drops that `do` moves; vtep only."""
        before = self.scene.host.drops()
        do()
        after = self.scene.host.drops()
        return {name: count - before.get(name, 0) for name, count in after.items() if count != before.get(name, 0)}

    def set(self, options):
        self.scene.link(f"set {self.name} type vxlan {options}")

    def fdb(self, which=""):
        """Lines of the FDB listing without the marker's, sorted; trailing blanks off."""
        lines = self.scene.host.fdb_lines(f"show dev {self.name}")
        return [line.strip() for line in lines if not line.startswith(MARKER) and which in line]


def values_of(said, name):
    if isinstance(said, list):
        for item in said:
            yield from values_of(item, name)
    elif isinstance(said, dict):
        for key, value in said.items():
            if key == name:
                yield value
            yield from values_of(value, name)


def scene_fixture(kind=Scene, **options):
    """A module-scoped fixture `scene` for both implementations, and one that clears it behind each test:
    `scene, clean = scene_fixture()`."""

    @pytest.fixture(scope="module", params=["vtep", "kernel"])
    def scene(request, module_net):
        return kind(module_net, request.param, **options)

    @pytest.fixture(autouse=True)
    def clean(scene):
        yield
        scene.remove_links()

    return scene, clean


def ether(payload=b"payload", source=LOCAL, to=STATION, kind=0x88B5):
    """An inner frame of a type that nobody interprets."""
    return bytes(Ether(src=source, dst=to, type=kind) / payload)
