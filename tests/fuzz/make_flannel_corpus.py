#!/usr/bin/python3
"""Writes corpus/flannel/NAME.bin: what a flannel network's etcd holds, right and wrong."""
import json
import pathlib
import shutil

FOLDER = pathlib.Path(__file__).parent / "corpus/flannel"
NETWORK, LEASE, FILE = b"0", b"1", b"2"  # modulo three


def network(**fields):
    return NETWORK + json.dumps({"Backend": {"Type": "vxlan"}, **fields}).encode()


def lease(key, **fields):
    said = {"PublicIP": "10.84.0.1", "PublicIPv6": None, "BackendType": "vxlan",
            "BackendData": {"VNI": 6000, "VtepMAC": "6e:29:5d:04:91:73"}, **fields}
    return LEASE + key.encode() + b"\n" + json.dumps(said).encode()


INPUTS = {
    "network": network(Network="10.244.0.0/16", SubnetLen=24),
    "network-both": network(Network="10.244.0.0/16", EnableIPv6=True, IPv6Network="fd00:10:244::/48"),
    "network-only6": network(EnableIPv4=False, EnableIPv6=True, IPv6Network="fd00::/120", IPv6SubnetLen=126),
    "network-bounds": network(Network="10.0.0.0/8", SubnetMin="10.1.0.0", SubnetMax="10.1.3.0"),
    "network-small": network(Network="10.0.0.0/28", SubnetLen=30),
    "network-backend": network(Network="10.0.0.0/8", Backend={"Type": "vxlan", "VNI": 1, "Port": 1, "DirectRouting": True}),
    "network-other": network(Network="10.0.0.0/8", Backend={"Type": "host-gw"}),
    "network-nonsense": NETWORK + b"[[[{",
    "lease": lease("10.244.47.0-24"),
    "lease-both": lease("10.244.47.0-24&fd00:1::-64", PublicIPv6="2001:db8::1",
                        BackendV6Data={"VNI": 6000, "VtepMAC": "6e:29:5d:04:91:73"}),
    "lease-other": lease("10.244.47.0-24", BackendType="host-gw"),
    "lease-no-subnet": lease("10.244.47.0"),
    "file": FILE + b"FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUBNET=10.244.47.1/24\nFLANNEL_IPV6_SUBNET=fd00:1::1/64\n",
}

shutil.rmtree(FOLDER, ignore_errors=True)
FOLDER.mkdir(parents=True)
for name, content in INPUTS.items():
    (FOLDER / f"{name}.bin").write_bytes(content)
