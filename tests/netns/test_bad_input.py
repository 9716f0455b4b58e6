"""Words that make no sense, and things the system refuses: one line that says what and what to do, the exit status of
`ip` (1 for words, 2 for the system), and the running link forwards as before."""

import subprocess

import pytest
from scapy.layers.l2 import Ether

from endpoints import BIN_DIR
from namespaces import eventually
from packets import LOCAL, STATION, inner_of, is_vxlan
from stations import heard, make_probe

FRAME = bytes(Ether(src=LOCAL, dst=STATION, type=0x88B5) / b"still forwarding")


@pytest.fixture(scope="module")
def running(module_net):
    return make_probe(module_net, "vtep", "remote 10.0.0.2")


def still_forwards(probe):
    probe.vxlan0.send(FRAME)
    probe.wire.expect(lambda frame: is_vxlan(frame) and inner_of(frame) == FRAME)
    heard(probe, 1)


def complains(done, status, *words):
    assert done.returncode == status, done
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1, done.stderr
    for word in words:
        assert word in done.stderr, f"no '{word}' in: {done.stderr}"


ADD = "link add vxlan1 type vxlan"
WORDS = {
    # exit status, words of the complaint, the command
    "unknown object": (1, ["frobnicate"], "frobnicate"),
    "unknown command": (1, ["frobnicate"], "link frobnicate"),
    "unknown fdb command": (1, ["frobnicate"], "fdb frobnicate"),
    "unknown word": (1, ["frobnicate"], f"{ADD} id 1 dev eno1 frobnicate"),
    "unknown option": (1, ["-frobnicate"], "-frobnicate link show"),
    "type is not vxlan": (1, ["geneve"], "link add vxlan1 type geneve id 1"),
    "no type": (1, ["type"], "link add vxlan1"),
    "no vni": (1, ["id"], f"{ADD} dev eno1"),
    "vni too large": (1, ["16777216"], f"{ADD} id 16777216 dev eno1"),
    "vni huge": (1, ["99999999999999999999"], f"{ADD} id 99999999999999999999 dev eno1"),
    "vni is no number": (1, ["many"], f"{ADD} id many dev eno1"),
    "vni is negative": (1, ["-1"], f"{ADD} id -1 dev eno1"),
    "group is not multicast": (1, ["10.0.0.9"], f"{ADD} id 1 group 10.0.0.9 dev eno1"),
    "remote is multicast": (1, ["239.1.1.1"], f"{ADD} id 1 remote 239.1.1.1 dev eno1"),
    "group without dev": (1, ["dev"], f"{ADD} id 1 group 239.1.1.1"),
    "group and remote": (1, ["remote"], f"{ADD} id 1 group 239.1.1.1 remote 10.0.0.2 dev eno1"),
    "address family mix": (1, ["fd00::1"], f"{ADD} id 1 local 10.0.0.1 remote fd00::1 dev eno1"),
    "no address": (1, ["10.0.0.299"], f"{ADD} id 1 remote 10.0.0.299 dev eno1"),
    "port too large": (1, ["65536"], f"{ADD} id 1 dstport 65536 dev eno1"),
    "srcport backwards": (1, ["50100"], f"{ADD} id 1 srcport 50100 50000 dev eno1"),
    "ttl too large": (1, ["256"], f"{ADD} id 1 ttl 256 dev eno1"),
    "value missing": (1, ["id"], f"{ADD} id"),
    "name too long": (1, ["averyverylongname"], "link add averyverylongname type vxlan id 1 dev eno1"),
    "name with a slash": (1, ["a/b"], "link add a/b type vxlan id 1 dev eno1"),
    "mac": (1, ["02:00"], "fdb add 02:00 dst 10.0.0.2 dev vxlan0"),
    "fdb without dst": (1, ["dst"], "fdb add 02:00:00:00:00:01 dev vxlan0"),
    "fdb without dev": (1, ["dev"], "fdb add 02:00:00:00:00:01 dst 10.0.0.2"),
    "fdb unknown word": (1, ["frobnicate"], "fdb add 02:00:00:00:00:01 dst 10.0.0.2 dev vxlan0 frobnicate"),
    "device does not exist": (2, ["eno9"], f"{ADD} id 1 remote 10.0.0.2 dstport 4789 dev eno9"),
    "name is taken by a link": (2, ["vxlan0"], "link add vxlan0 type vxlan id 1 remote 10.0.0.2 dstport 4789 dev eno1"),
    "name is taken by a device": (2, ["eno1"], "link add eno1 type vxlan id 1 remote 10.0.0.2 dstport 4789"),
    "vni is taken": (2, ["6000", "4789"], f"{ADD} id 6000 remote 10.0.0.3 dstport 4789 dev eno1"),
    "link does not exist": (2, ["vxlan9"], "link del vxlan9"),
    "fdb link does not exist": (2, ["vxlan9"], "fdb add 02:00:00:00:00:01 dst 10.0.0.2 dev vxlan9"),
    "fdb show link does not exist": (2, ["vxlan9"], "fdb show dev vxlan9"),
    "fdb entry does not exist": (2, ["02:00:00:00:00:99"], "fdb del 02:00:00:00:00:99 dev vxlan0"),
    "fdb entry exists": (2, ["02:00:00:00:00:01"], "fdb add 02:00:00:00:00:01 dst 10.0.0.3 dev vxlan0"),
    "flow label without IPv6": (1, ["IPv6"], f"{ADD} id 1 remote 10.0.0.2 flowlabel 5"),
    "batch file does not exist": (2, ["/nonexistent"], "-batch /nonexistent"),
}


@pytest.mark.parametrize("what", WORDS)
def test_the_command_complains_and_nothing_is_lost(running, what):
    status, words, command = WORDS[what]
    running.host.fdb("replace 02:00:00:00:00:01 dst 10.0.0.2 dev vxlan0")
    before = (running.host.link("show").stdout, running.host.fdb_lines("show dev vxlan0 state permanent"))
    complains(running.host.vtep_run(command, check=False), status, *words)
    assert (running.host.link("show").stdout, running.host.fdb_lines("show dev vxlan0 state permanent")) == before
    assert running.ns.interface("vxlan1") is None, "nothing half made stays behind"
    still_forwards(running)


def test_a_port_held_by_the_kernel_driver_is_named(running):
    running.ns.run("ip link add kernel0 type vxlan id 1 remote 10.0.0.2 dstport 8472 dev eno1")
    running.ns.run("ip link set kernel0 up")
    try:
        done = running.host.link("add vxlan1 type vxlan id 1 remote 10.0.0.2 dstport 8472 dev eno1", check=False)
        complains(done, 2, "8472", "kernel0", "kernel")
        assert running.ns.interface("vxlan1") is None
    finally:
        running.ns.run("ip link del kernel0")
    still_forwards(running)
    running.host.link("add vxlan1 type vxlan id 1 remote 10.0.0.2 dstport 8472 dev eno1")
    running.host.link("del vxlan1")


def test_a_port_held_by_a_process_is_named(running):
    hold = "import socket, sys; s = socket.socket(2, 2); s.bind(('', 8472)); print(1, flush=True); sys.stdin.read()"
    holder = running.net.process(
        running.ns,
        ["/usr/bin/python3", "-c", hold],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    holder.stdout.readline()
    done = running.host.link("add vxlan1 type vxlan id 1 remote 10.0.0.2 dstport 8472 dev eno1", check=False)
    complains(done, 2, "8472", "python3", str(holder.pid))
    holder.stdin.close()
    holder.wait(timeout=10)
    still_forwards(running)


def test_the_daemon_does_not_run(running):
    done = running.ns.run([BIN_DIR / "vtep", "--socket", "/run/nonexistent.sock", "link", "show"], check=False)
    complains(done, 2, "/run/nonexistent.sock", "vtepd")


def test_something_else_listens_on_the_socket(running):
    done = running.ns.run([BIN_DIR / "vtep", "--socket", "/dev/null", "link", "show"], check=False)
    complains(done, 2, "/dev/null")


def daemon(running, *words, prefix=()):
    return running.ns.run([*prefix, BIN_DIR / "vtepd", *words], check=False, timeout=20)


def test_a_socket_path_that_cannot_be_written(running):
    complains(daemon(running, "--socket", "/proc/nowhere/vtepd.sock"), 2, "/proc/nowhere")


def test_a_socket_path_that_is_somebodys_file(running):
    path = running.net.directory / "precious.sock"
    path.write_text("precious")
    complains(daemon(running, "--socket", path), 2, "not a socket")
    assert path.read_text() == "precious"


def test_a_socket_path_that_is_too_long(running):
    complains(daemon(running, "--socket", "/run/" + "x" * 120), 1, "xxx")


def test_an_unknown_word_for_the_daemon(running):
    complains(daemon(running, "--frobnicate"), 1, "--frobnicate")


def test_no_permission_for_a_tap(running):
    """The daemon runs as root without CAP_NET_ADMIN: it says which right it lacks, at the latest when it needs it."""
    socket = running.net.directory / "powerless.sock"
    log = open(running.net.directory / "powerless.log", "w+")
    process = running.net.process(
        running.ns,
        ["setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin", BIN_DIR / "vtepd", "--socket", socket],
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    def answers_or_ended():
        if process.poll() is not None:
            return True
        return running.ns.run([BIN_DIR / "vtep", "--socket", socket, "link", "show"], check=False).returncode == 0

    eventually("the daemon answers, or ends", answers_or_ended)
    if process.poll() is None:
        add = f"{ADD} id 1 remote 10.0.0.2 dstport 8472 dev eno1".split()
        done = running.ns.run([BIN_DIR / "vtep", "--socket", socket, *add], check=False)
        complains(done, 2, "CAP_NET_ADMIN")
    else:
        log.seek(0)
        assert "CAP_NET_ADMIN" in log.read() and process.returncode == 2
    still_forwards(running)
