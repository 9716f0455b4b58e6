"""Open vSwitch with its datapath in user space (datapath_type=netdev), as a tunnel endpoint beside the others.

Each host has a database and a switch of its own, with all their files in the directory of the run; no service is
started. The layout is that of Open vSwitch's own page about tunnels in user space:

    wire ── bridge `under` (the underlay's address) ── routing by the switch ── VXLAN port ── bridge `vxlan0` (overlay)

The switch checks the outer checksum itself, and a kernel peer on a veth pair leaves it unfinished: such a peer needs
`noudpcsum`, or `ethtool -K … tx off`. Here both ends are Open vSwitch, which sends none by default.
"""

import subprocess

from endpoints import Endpoint
from namespaces import eventually

SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"
OVERHEAD = 50  # of VXLAN over IPv4: an interface of the switch has no MTU that follows


class OvsEndpoint(Endpoint):
    impl = "ovs"
    underlay_device = "under"

    def __init__(self, net, namespace):
        super().__init__(net, namespace)
        self.directory = net.directory / f"{namespace.name}.ovs"
        self.directory.mkdir()
        places = ("OVS_RUNDIR", "OVS_DBDIR", "OVS_LOGDIR", "OVS_SYSCONFDIR")
        self.environment = ["env", *(f"{place}={self.directory}" for place in places)]
        self.database = f"unix:{self.directory}/db.sock"
        self.processes = []

    def start(self):
        """Starts both daemons, and returns when the wire is in the bridge."""
        self._run(["ovsdb-tool", "create", self.directory / "conf.db", SCHEMA])
        self._daemon("ovsdb-server", f"{self.directory}/conf.db", f"--remote=p{self.database}")
        eventually("ovsdb-server answers", lambda: self._vsctl("--no-wait init", check=False).returncode == 0)
        self._daemon("ovs-vswitchd", self.database)
        # Made by us and not by the wire's address, which the bridge would take over from it.
        self._vsctl("add-br under -- set bridge under datapath_type=netdev -- add-port under wire")
        self.ns.run("ip link set under up")

    def add_link(self, spec, name="vxlan0", address=None, mac=None):
        """`spec` is what the others get; of its words only id, remote and dstport mean something here."""
        words = spec.split()
        of = lambda word: words[words.index(word) + 1]  # noqa: E731
        tunnel = f"type=vxlan options:remote_ip={of('remote')} options:key={of('id')} options:dst_port={of('dstport')}"
        self._vsctl(
            f"add-br {name} -- set bridge {name} datapath_type=netdev -- add-port {name} tunnel -- set interface tunnel {tunnel}"
        )
        mtu = self.ns.interface("wire")["mtu"] - OVERHEAD
        self.ns.run(f"ip link set {name} mtu {mtu} up")
        self.ns.run(f"ip addr add {address} dev {name}")

    def _vsctl(self, words, **options):
        return self._run(["ovs-vsctl", f"--db={self.database}", "--timeout=20", *words.split()], **options)

    def _run(self, command, **options):
        return self.ns.run([*self.environment, *command], **options)

    def _daemon(self, program, *words):
        command = [*self.environment, program, f"--unixctl={self.directory}/{program}.ctl", *words]
        with open(self.directory / f"{program}.log", "ab") as log:
            self.processes.append(self.net.process(self.ns, command, stdout=log, stderr=subprocess.STDOUT))
