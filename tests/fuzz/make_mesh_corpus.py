#!/usr/bin/python3
"""Writes corpus/mesh/NAME.bin: what a mesh's etcd holds below a VNI, right and wrong."""
import json
import pathlib
import shutil

FOLDER = pathlib.Path(__file__).parent / "corpus/mesh"


def entry(key, value):
    return key.encode() + b"\n" + (value if isinstance(value, bytes) else json.dumps(value).encode())


MAC = "macs/02:00:00:00:0a:01/host-a"
INPUTS = {
    "node": entry("nodes/host-a", {"vteps": ["10.0.0.1"]}),
    "node-both": entry("nodes/host-a", {"vteps": ["fd00::1", "10.0.0.1"]}),
    "node-two": entry("nodes/host-a", {"vteps": ["10.0.0.1", "10.0.0.2"]}),
    "node-group": entry("nodes/host-a", {"vteps": ["239.1.1.1"]}),
    "node-slash": entry("nodes/host/a", {"vteps": ["10.0.0.1"]}),
    "station": entry(MAC, {}),
    "station-moved": entry(MAC, {"sequence": 7, "sticky": True}),
    "station-ips": entry(MAC, {"ips": ["192.168.5.1", "fd00:5::1"], "routers": ["fd00:5::1"]}),
    "station-router": entry(MAC, {"routers": ["fd00:5::1"]}),
    "station-large": entry(MAC, {"sequence": 1 << 32}),
    "mac-case": entry("macs/02:00:00:00:0A:01/host-a", {}),
    "nonsense": entry(MAC, b"[[[{"),
}

shutil.rmtree(FOLDER, ignore_errors=True)
FOLDER.mkdir(parents=True)
for name, content in INPUTS.items():
    (FOLDER / f"{name}.bin").write_bytes(content)
