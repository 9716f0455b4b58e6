"""A real etcd in a namespace, its command, and a LAN around it."""

import json
import subprocess

from namespaces import eventually


class Etcd:
    """One member at `address`:2379, alone or of a cluster (name=peer URL, with commas). Its data outlives stop()."""

    def __init__(self, net, namespace, address, name="default", peer="http://127.0.0.1:2380", cluster=None):
        self.net, self.ns = net, namespace
        self.endpoint = f"http://{address}:2379"
        self.name, self.peer, self.cluster = name, peer, cluster or f"{name}={peer}"
        self.directory = net.directory / f"etcd-{address}"
        self.process = None
        if not cluster:
            self.start()

    def launch(self, endpoint):
        with open(self.net.directory / "etcd.log", "ab") as log:
            self.process = self.net.process(
                self.ns,
                ["etcd", "--name", self.name, "--data-dir", self.directory, "--listen-client-urls", endpoint,
                 "--advertise-client-urls", endpoint, "--listen-peer-urls", self.peer,
                 "--initial-advertise-peer-urls", self.peer, "--initial-cluster", self.cluster],
                stdout=log, stderr=subprocess.STDOUT)

    def start(self, endpoint=None):
        """At another endpoint for a while, if one is given: nobody but the test finds it there."""
        endpoint = endpoint or self.endpoint
        self.launch(endpoint)
        eventually("etcd answers", lambda: self.is_healthy(endpoint))

    def is_healthy(self, endpoint=None):
        return self.ctl("endpoint health", endpoint=endpoint, check=False).returncode == 0

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def ctl(self, words, *more, endpoint=None, **options):
        """Patient enough for a cluster that has lost its leader."""
        command = ["env", "ETCDCTL_API=3", "etcdctl", "--command-timeout", "40s", "--endpoints", endpoint or self.endpoint,
                   *words.split(), *more]
        return self.ns.run(command, **options)

    def put(self, key, value, **options):
        value = value if isinstance(value, str) else json.dumps(value)
        self.ctl("put --", key, value, **options)

    def delete(self, key, **options):
        self.ctl("del", key, **options)

    def keys(self, prefix):
        return self.ctl("get --prefix --keys-only", prefix).stdout.split()

    def get(self, key):
        return self.ctl("get --print-value-only", key).stdout.rstrip("\n")

    def revision(self, **options):
        said = self.ctl("get -w json x", **options).stdout
        return json.loads(said)["header"]["revision"]


class EtcdCluster:
    """Three members, 10.84.0.101 to .103. Commands go to the first."""

    def __init__(self, net, namespace):
        addresses = [f"10.84.0.{last}" for last in (101, 102, 103)]
        peers = [f"http://{address}:2380" for address in addresses]
        cluster = ",".join(f"m{number}={peer}" for number, peer in enumerate(peers))
        self.members = []
        for number, (address, peer) in enumerate(zip(addresses, peers)):
            namespace.run(f"ip addr add {address}/24 dev br0")
            self.members.append(Etcd(net, namespace, address, f"m{number}", peer, cluster))
        self.launch(*self.members)
        self.endpoints = [member.endpoint for member in self.members]

    def launch(self, *members):
        """And waits until they serve, which needs most of them."""
        for member in members:
            member.launch(member.endpoint)
        for member in members:
            eventually("etcd answers", member.is_healthy, timeout=30)


class EtcdLan:
    """Hosts on one LAN, with an etcd of their own.

          10.84.0.1       10.84.0.2
            |               |
        ====+===============+====  br0 10.84.0.100, and etcd
    """

    def __init__(self, net, cluster=False):
        self.net = net
        self.lan = net.namespace("lan")
        self.lan.run("ip link add br0 type bridge forward_delay 0")
        self.lan.run("ip addr add 10.84.0.100/24 dev br0")
        self.lan.run("ip link set br0 up")
        self.cluster = EtcdCluster(net, self.lan) if cluster else None
        self.etcd = self.cluster.members[0] if cluster else Etcd(net, self.lan, "10.84.0.100")
        self.endpoints = self.cluster.endpoints if cluster else [self.etcd.endpoint]

    def plug(self, namespace, number):
        """eno1 with 10.84.0.NUMBER."""
        self.net.cable(namespace, "eno1", self.lan, f"port{number}")
        self.lan.run(f"ip link set port{number} master br0")
        namespace.run(f"ip addr add 10.84.0.{number}/24 dev eno1")
