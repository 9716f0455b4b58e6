"""What outlives the daemon and what does not: SIGTERM, kill -9, a restart that was asked for."""

import os
import re
import signal

import pytest

from namespaces import eventually
from packets import is_vxlan
from stations import destinations, heard, make_probe, station


def test_sigterm_removes_what_the_daemon_made(probe):
    probe.overlay("id 6000 group 239.1.1.1 dstport 4789 dev eno1")
    assert probe.host.socket.exists() and "239.1.1.1" in probe.ns.out("ip maddr show dev eno1")
    probe.host.stop()
    assert probe.ns.interface("vxlan0") is None
    assert not probe.host.socket.exists()
    assert "239.1.1.1" not in probe.ns.out("ip maddr show dev eno1")
    assert probe.ns.out("ss -Hlun sport = :4789") == ""


def test_after_sigterm_the_next_daemon_starts_empty(probe):
    probe.overlay("id 6000 remote 10.0.0.2 dstport 4789 dev eno1")
    probe.host.stop()
    probe.host.start()
    assert probe.host.link("show").stdout == ""


@pytest.fixture(params=["kill -9", "daemon restart"])
def interrupt(request):
    """Two ways to a new daemon that goes on where the old one was."""

    def kill_and_start(host):
        host.kill()
        host.start()

    def restart(host):
        host.vtep_run("daemon restart")
        host.wait_ready()

    return kill_and_start if request.param == "kill -9" else restart


def test_the_next_daemon_finds_everything_again(net, interrupt):
    probe = make_probe(net, "vtep", "remote 10.0.0.9 ttl 9 ageing 100 srcport 50000 50100")
    probe.ns.run("ip addr add 192.168.5.1/24 dev vxlan0")
    probe.host.fdb(f"add {station(1)} dst 10.0.0.2 dev vxlan0")
    probe.host.fdb(f"add {station(2)} dst 10.0.0.3 port 5000 vni 77 via eno1 dev vxlan0 static")
    probe.host.fdb("append 00:00:00:00:00:00 dst 10.0.0.4 dev vxlan0")
    before = everything(probe)

    interrupt(probe.host)

    assert everything(probe) == before
    assert sorted(destinations(probe, 9)) == ["10.0.0.4", "10.0.0.9"]
    assert destinations(probe, 1) == ["10.0.0.2"]
    heard(probe, 5)


def everything(probe):
    """The interface with its number, address and MAC, the link's words, and the entries."""
    device = probe.ns.interface("vxlan0")
    words = re.search(r"vxlan id .*", probe.host.vtep_run("-d link show dev vxlan0").stdout)[0]
    return device["ifindex"], device["address"], probe.ns.addresses("vxlan0"), words, probe.host.fdb_lines()


def test_the_group_is_joined_again(probe, interrupt):
    overlay = probe.overlay("id 6000 group 239.1.1.1 dstport 4789 dev eno1")
    interrupt(probe.host)
    assert "239.1.1.1" in probe.ns.out("ip maddr show dev eno1")
    overlay.send(b"\xff" * 6 + b"\x02\0\0\0\0\x0a" + b"\x88\xb5" + bytes(46))
    probe.wire.expect(is_vxlan)


def test_a_deleted_link_does_not_come_back(probe):
    probe.overlay("id 6000 remote 10.0.0.2 dstport 4789 dev eno1")
    probe.overlay("id 6001 remote 10.0.0.2 dstport 4789 dev eno1", name="vxlan1")
    probe.host.link("del vxlan0")
    assert probe.ns.interface("vxlan0") is None
    probe.host.kill()
    probe.host.start()
    assert probe.ns.interface("vxlan0") is None and probe.ns.interface("vxlan1")


def test_a_running_ping_survives_a_restart(pair_of):
    pair = pair_of()
    pair.add_links()
    output = pair.net.directory / "ping"
    with open(output, "w") as file:
        ping = pair.net.process(pair.a.ns, "ping -i 0.02 -c 250 -W 2 192.168.5.2", stdout=file)
    eventually("the ping runs", lambda: "icmp_seq=20 " in output.read_text())
    pair.a.vtep_run("daemon restart")
    ping.wait(timeout=60)
    assert "icmp_seq=250 " in output.read_text(), "it goes on to the end"
    received = int(re.search(r"(\d+) received", output.read_text())[1])
    assert received >= 200, f"{250 - received} of 250 lost"
    pair.a.wait_ready()


def test_two_daemons_do_not_share_a_socket(probe):
    second = probe.ns.run([probe.host.vtep[0] + "d", "--socket", probe.host.socket], check=False, timeout=20)
    assert second.returncode != 0
    assert len(second.stderr.splitlines()) == 1 and "another vtepd" in second.stderr
    assert probe.host.link("show").returncode == 0


def test_a_socket_left_by_a_crash_is_in_nobodys_way(probe):
    probe.host.kill()
    assert probe.host.socket.exists()
    probe.host.start()


def test_several_daemons_run_side_by_side(pair_of):
    """One per namespace; the command goes to the one that the socket or VTEP_SOCKET names."""
    pair = pair_of()
    pair.add_links()
    for end, address in ((pair.a, "10.0.0.2"), (pair.b, "10.0.0.1")):
        assert address in "".join(end.fdb_lines())
    environment = {**os.environ, "VTEP_SOCKET": str(pair.a.socket), "PATH": "/usr/bin:/usr/sbin"}
    done = pair.a.ns.run([pair.a.vtep[0], "fdb", "show"], env=environment)
    assert done.stdout == pair.a.fdb("show").stdout


def test_sigint_is_a_stop_too(probe):
    probe.overlay("id 6000 remote 10.0.0.2 dstport 4789 dev eno1")
    probe.host.process.send_signal(signal.SIGINT)
    assert probe.host.process.wait(timeout=30) == 0
    assert probe.ns.interface("vxlan0") is None
