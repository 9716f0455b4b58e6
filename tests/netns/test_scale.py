"""Many links, many entries: they are made through one `vtep -batch`, and everything still works."""

import pytest

from endpoints import SANITIZER_REPORT
from stations import heard, make_probe, station

LINKS = 1000
ENTRIES = 100_000


def batch(host, commands, timeout):
    """One command per line, all in one run."""
    path = host.net.directory / "batch"
    path.write_text("".join(f"{command}\n" for command in commands))
    return host.ns.run([*host.batch_command, path], timeout=timeout)


def test_a_thousand_vnis_on_one_daemon(pair_of):
    pair = pair_of()
    vnis = range(1, LINKS + 1)
    words = "remote 10.0.0.2 dstport 4789 dev eno1"
    batch(pair.a, [f"link add name vx{vni} type vxlan id {vni} {words}" for vni in vnis], 120)
    assert len(pair.a.link("show").stdout.splitlines()) == 2 * LINKS
    for vni in (1, 2, 500, 999, 1000):
        subnet = f"172.16.{vni % 256}"
        pair.b.add_link(f"id {vni} remote 10.0.0.1 dstport 4789 dev eno1", name=f"vx{vni}", address=f"{subnet}.2/24")
        pair.a.ns.run(f"ip addr add {subnet}.1/24 dev vx{vni}")
        pair.a.ns.run(f"ip link set vx{vni} up")
        pair.ping(f"{subnet}.2")
        assert len(pair.a.fdb_lines(f"show dev vx{vni}")) == 2, "the flood entry, and the peer"
    assert len(pair.a.fdb_lines("show")) == LINKS + 5
    pair.a.stop()
    assert not [line for line in pair.a.ns.out("ip -o link show").splitlines() if ": vx" in line]


def entry(number):
    return f"02:01:{number >> 24 & 255:02x}:{number >> 16 & 255:02x}:{number >> 8 & 255:02x}:{number & 255:02x}"


def test_a_hundred_thousand_entries(net):
    probe = make_probe(net, "vtep")
    remotes = [f"10.0.0.{last}" for last in range(2, 9)]
    batch(probe.host, [f"fdb add {entry(i)} dst {remotes[i % 7]} dev vxlan0" for i in range(ENTRIES)], 120)

    listed = probe.host.fdb_lines()
    flood = "00:00:00:00:00:00 dst 10.0.0.9 via eno1 self permanent"
    assert listed == sorted([f"{entry(i)} dst {remotes[i % 7]} self permanent" for i in range(ENTRIES)] + [flood])
    assert probe.host.fdb(f"get {entry(77_777)} dev vxlan0 self").stdout.split()[4] == remotes[77_777 % 7]
    heard(probe, 1)
    assert f"{station(1)} dst 10.0.0.2 self " in probe.host.fdb_lines()

    probe.host.fdb("flush dev vxlan0 dst 10.0.0.3")
    assert len(probe.host.fdb_lines()) == ENTRIES + 2 - len(range(1, ENTRIES, 7))
    probe.host.fdb("flush dev vxlan0")
    assert probe.host.fdb_lines() == []
    probe.host.fdb("append 00:00:00:00:00:00 dst 10.0.0.9 dev vxlan0")
    heard(probe, 2)
    assert not SANITIZER_REPORT.search(probe.host.log())


@pytest.mark.parametrize("force", [False, True])
def test_a_batch_stops_at_the_first_mistake_unless_forced(net, force):
    probe = make_probe(net, "vtep")
    path = net.directory / "batch"
    path.write_text(
        f"# a comment\n\nfdb add {station(1)} dst 10.0.0.2 dev vxlan0\nfdb add {station(1)} dst 10.0.0.2 dev vxlan0\n"
        f"fdb add {station(2)} dst 10.0.0.2 dev vxlan0\n"
    )
    done = probe.ns.run([*probe.host.vtep, *(["-force"] if force else []), "-batch", path], check=False)
    assert done.returncode != 0
    assert f"{path}:4" in done.stderr, "the file and the line are named"
    kept = [line.split()[0] for line in probe.host.fdb_lines()]
    assert (station(1) in kept, station(2) in kept) == (True, force)
