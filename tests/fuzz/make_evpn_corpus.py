#!/usr/bin/python3
"""Writes corpus/evpn/NAME.bin: paths as GoBGP hands them on, right and wrong. Needs protoc."""
import pathlib
import shutil
import subprocess

HERE = pathlib.Path(__file__).parent
FOLDER = HERE / "corpus/evpn"
PROTO = HERE / "../../proto"
RD = 'rd { [type.googleapis.com/apipb.RouteDistinguisherIPAddress] { admin: "10.0.0.1" assigned: 1 } }'


def message(kind, fields):
    return f"{{ [type.googleapis.com/apipb.{kind}] {{ {fields} }} }}"


def nlri(kind, fields):
    return f"nlri {message(kind, f'{RD} {fields}')}"


def communities(*those):
    return "pattrs " + message("ExtendedCommunitiesAttribute", " ".join(f"communities {one}" for one in those))


TARGET = message("TwoOctetAsSpecificExtended", "is_transitive: true sub_type: 2 asn: 65000 local_admin: 6000")
VXLAN = message("EncapExtended", "tunnel_type: 8")
HOP = "pattrs " + message("NextHopAttribute", 'next_hop: "10.0.0.1"')
MAC = 'mac_address: "02:00:00:00:0a:01" labels: 6000'
TUNNEL = "pattrs " + message("PmsiTunnelAttribute", r'type: 6 label: 6000 id: "\n\000\000\001"')
HOST = nlri("EVPNInclusiveMulticastEthernetTagRoute", 'ip_address: "10.0.0.1"')
PREFIX = 'ip_prefix: "10.244.1.0" ip_prefix_len: 24 label: 6000'

INPUTS = {
    "mac": f"{nlri('EVPNMACIPAdvertisementRoute', MAC)} {HOP} {communities(TARGET, VXLAN)}",
    "mac-ip": nlri("EVPNMACIPAdvertisementRoute", MAC + ' ip_address: "fd00::1"') + f" {HOP} " + communities(
        TARGET, VXLAN, message("MacMobilityExtended", "is_sticky: true sequence_num: 7"),
        message("UnknownExtended", r'type: 6 value: "\010\001\000\000\000\000\000"')),
    "mac-withdrawn": f"{nlri('EVPNMACIPAdvertisementRoute', MAC)} is_withdraw: true",
    "mac-segment": nlri("EVPNMACIPAdvertisementRoute", MAC + r' esi { type: 1 value: "\001" }') + f" {HOP}",
    "mac-label": f"{nlri('EVPNMACIPAdvertisementRoute', MAC.replace('6000', '99999999'))} {HOP}",
    "mac-group": f"{nlri('EVPNMACIPAdvertisementRoute', MAC.replace('02:', '03:', 1))} {HOP}",
    "mac-mpls": f"{nlri('EVPNMACIPAdvertisementRoute', MAC)} {HOP} " + communities(message("EncapExtended", "tunnel_type: 10")),
    "multicast": f"{HOST} {HOP} {communities(TARGET, VXLAN)} {TUNNEL}",
    "multicast-tree": f"{HOST} {HOP} " + TUNNEL.replace("type: 6", "type: 3"),
    "prefix": f"{nlri('EVPNIPPrefixRoute', PREFIX)} {HOP} "
              + communities(TARGET, VXLAN, message("RouterMacExtended", 'mac: "02:00:00:00:0a:01"')),
    "prefix-gateway": nlri("EVPNIPPrefixRoute", PREFIX + ' gw_address: "10.0.0.9"') + f" {HOP}",
    "prefix-length": f"{nlri('EVPNIPPrefixRoute', PREFIX.replace('24', '240'))} {HOP}",
    "nothing": "is_withdraw: false",
}

shutil.rmtree(FOLDER, ignore_errors=True)
FOLDER.mkdir(parents=True)
for name, text in INPUTS.items():
    encoded = subprocess.run(["protoc", "-I", PROTO, "--encode=apipb.Path", "gobgp/api.proto"], input=text.encode(),
                             stdout=subprocess.PIPE, check=True)
    (FOLDER / f"{name}.bin").write_bytes(encoded.stdout)
