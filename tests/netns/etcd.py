"""A real etcd in a namespace, and its command."""

import json
import subprocess

from namespaces import eventually


class Etcd:
    """One member at `address`:2379. Its data outlives stop()."""

    def __init__(self, net, namespace, address):
        self.net, self.ns = net, namespace
        self.endpoint = f"http://{address}:2379"
        self.directory = net.directory / f"etcd-{address}"
        self.process = None
        self.start()

    def start(self, endpoint=None):
        """At another endpoint for a while, if one is given: nobody but the test finds it there."""
        endpoint = endpoint or self.endpoint
        with open(self.net.directory / "etcd.log", "ab") as log:
            self.process = self.net.process(
                self.ns,
                ["etcd", "--data-dir", self.directory, "--listen-client-urls", endpoint, "--advertise-client-urls",
                 endpoint, "--listen-peer-urls", "http://127.0.0.1:2380", "--initial-advertise-peer-urls",
                 "http://127.0.0.1:2380", "--initial-cluster", "default=http://127.0.0.1:2380"],
                stdout=log, stderr=subprocess.STDOUT)
        eventually("etcd answers", lambda: self.ctl("endpoint health", endpoint=endpoint, check=False).returncode == 0)

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def ctl(self, words, *more, endpoint=None, **options):
        command = ["env", "ETCDCTL_API=3", "etcdctl", "--endpoints", endpoint or self.endpoint, *words.split(), *more]
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
