"""The YAML file: what it makes, what a reload changes, and what is wrong with a broken one."""

import signal

import pytest

from endpoints import BIN_DIR
from namespaces import eventually
from stations import destinations, heard, station

GOOD = f"""\
links:
  - name: vxlan0
    id: 6000
    remote: 10.0.0.9
    dstport: 4789
    dev: eno1
    srcport: [50000, 50100]
    ttl: 9
    ageing: 100
    address: "02:00:00:00:00:0a"
    up: true
    fdb:
      - {{ mac: "{station(1)}", dst: 10.0.0.2 }}
      - {{ mac: "{station(2)}", dst: 10.0.0.3, port: 5000, vni: 77, via: eno1, state: static }}
      - {{ mac: "00:00:00:00:00:00", dst: 10.0.0.4 }}
  - name: vxlan1
    id: 6001
    group: 239.1.1.1
    dstport: 4789
    dev: eno1
    learning: false
    mtu: 1400
    up: true
"""


@pytest.fixture
def configured(probe):
    """A probe whose daemon runs with GOOD; write(text) replaces the file and reloads."""
    probe.config = probe.net.directory / "vtepd.yaml"
    probe.config.write_text(GOOD)
    probe.host.stop()
    probe.host.start(config=probe.config)
    probe.vxlan0 = probe.port(probe.ns, "vxlan0")

    def write(text):
        probe.config.write_text(text)
        probe.host.process.send_signal(signal.SIGHUP)

    probe.write = write
    return probe


def fdb(probe, name="vxlan0"):
    return probe.host.fdb_lines(f"show dev {name}")


def show(probe, name):
    return probe.host.vtep_run(f"-d link show dev {name}").stdout


def test_the_file_makes_what_the_words_would(configured):
    words = configured.host.vtep_run("-d link show dev vxlan0").stdout
    assert "vxlan id 6000 remote 10.0.0.9 dev eno1 srcport 50000 50100 dstport 4789 ttl 9 ageing 100 " in words
    words = configured.host.vtep_run("-d link show dev vxlan1").stdout
    assert "vxlan id 6001 group 239.1.1.1 dev eno1 srcport 0 0 dstport 4789 nolearning " in words
    device = configured.ns.interface("vxlan0")
    assert (device["address"], device["mtu"], "UP" in device["flags"]) == ("02:00:00:00:00:0a", 1450, True)
    assert configured.ns.interface("vxlan1")["mtu"] == 1400
    assert fdb(configured) == [
        "00:00:00:00:00:00 dst 10.0.0.4 self permanent",
        "00:00:00:00:00:00 dst 10.0.0.9 via eno1 self permanent",
        f"{station(1)} dst 10.0.0.2 self permanent",
        f"{station(2)} dst 10.0.0.3 port 5000 vni 77 via eno1 self static",
    ]
    assert destinations(configured, 1) == ["10.0.0.2"]


def test_a_reload_changes_only_what_differs(configured):
    configured.ns.run("ip addr add 192.168.5.1/24 dev vxlan0")
    heard(configured, 9, "10.0.0.5")
    index = configured.ns.interface("vxlan0")["ifindex"]
    kept = configured.ns.interface("vxlan1")["ifindex"]
    configured.write(
        GOOD.replace(f'"{station(1)}", dst: 10.0.0.2', f'"{station(3)}", dst: 10.0.0.6')
        + "  - { name: vxlan2, id: 6002, remote: 10.0.0.2, dstport: 4789, dev: eno1 }\n"
    )
    eventually("the new link is there", lambda: configured.ns.interface("vxlan2"))
    eventually("the new entry is there", lambda: f"{station(3)} dst 10.0.0.6 self permanent" in fdb(configured))
    lines = fdb(configured)
    assert not [line for line in lines if station(1) in line], "an entry that is no longer in the file is gone"
    assert f"{station(9)} dst 10.0.0.5 self " in lines, "what was learned stays"
    assert configured.ns.interface("vxlan0")["ifindex"] == index
    assert configured.ns.interface("vxlan1")["ifindex"] == kept
    assert configured.ns.addresses("vxlan0") == ["192.168.5.1/24"]

    configured.write(GOOD[: GOOD.index("  - name: vxlan1")].replace("ttl: 9", "ttl: 8"))
    eventually("links that are no longer in the file are gone", lambda: not configured.ns.interface("vxlan2"))
    assert not configured.ns.interface("vxlan1")
    assert "ttl 8 " in configured.host.vtep_run("-d link show dev vxlan0").stdout
    assert configured.ns.interface("vxlan0")["ifindex"] == index
    assert f"{station(9)} dst 10.0.0.5 self " in fdb(configured)


def test_a_word_that_is_taken_out_of_the_file_goes_back_to_its_default(configured):
    text = GOOD.replace("    ttl: 9\n", "").replace("    ageing: 100\n", "").replace("    mtu: 1400\n", "")
    configured.write(text)
    eventually("ttl and ageing are the defaults", lambda: "ttl auto ageing 300" in show(configured, "vxlan0"))
    eventually("the MTU follows the device again", lambda: configured.ns.interface("vxlan1")["mtu"] == 1450)
    assert configured.ns.interface("vxlan0")["address"] == "02:00:00:00:00:0a"


def test_a_link_whose_device_comes_later_is_made_then(configured):
    configured.write(GOOD + "  - { name: vxlan2, id: 6002, group: 239.1.1.2, dstport: 4789, dev: late0, up: true }\n")
    eventually("the log says what is missing", lambda: "late0" in configured.host.log())
    assert not configured.ns.interface("vxlan2")
    configured.ns.run("ip link add late0 type veth peer name late1")
    eventually("the link is made", lambda: configured.ns.interface("vxlan2"))
    eventually("and is up", lambda: "UP" in configured.ns.interface("vxlan2")["flags"])
    assert "group 239.1.1.2 dev late0" in show(configured, "vxlan2")
    assert configured.host.log().count('Cannot find device "late0"') == 2, "by its name, and in the summary"


def test_a_reload_leaves_alone_what_was_made_by_hand(configured):
    configured.host.link("add name vxlan7 type vxlan id 7 remote 10.0.0.2 dstport 4789 dev eno1")
    configured.host.fdb(f"add {station(7)} dst 10.0.0.7 dev vxlan0")
    configured.write(GOOD + "  - { name: vxlan2, id: 6002, remote: 10.0.0.2, dstport: 4789, dev: eno1 }\n")
    eventually("the new link is there", lambda: configured.ns.interface("vxlan2"))
    assert configured.ns.interface("vxlan7")
    assert f"{station(7)} dst 10.0.0.7 self permanent" in fdb(configured)


def test_a_reload_of_a_broken_file_changes_nothing(configured):
    before = fdb(configured)
    lines = len(configured.host.log_lines())
    configured.write(GOOD.replace("id: 6001", "id: 99999999"))
    eventually("the log says what is wrong", lambda: "vtepd.yaml:17" in "\n".join(configured.host.log_lines()[lines:]))
    assert fdb(configured) == before and configured.ns.interface("vxlan1")
    assert destinations(configured, 1) == ["10.0.0.2"]


def check(probe, text):
    path = probe.net.directory / "checked.yaml"
    path.write_text(text)
    return path, probe.ns.run([BIN_DIR / "vtepd", "--check-config", "--config", path], check=False, timeout=20)


def test_a_good_file_checks_out(probe):
    _, done = check(probe, GOOD)
    assert done.returncode == 0, done.stderr


def test_an_empty_file_is_a_good_file(probe):
    for text in ("", "links: []\n", "# nothing yet\n"):
        assert check(probe, text)[1].returncode == 0


LINK = "links:\n  - name: vxlan0\n    id: 6000\n"
BROKEN = {
    "syntax": ("links: [\n", 2, ""),
    "unknown key": (LINK + "    frobnicate: 1\n", 4, "frobnicate"),
    "unknown section": ("lnks:\n  - name: x\n", 1, "lnks"),
    "vni": ("links:\n  - name: vxlan0\n    id: 16777216\n", 3, "id"),
    "vni is no number": ("links:\n  - name: vxlan0\n    id: many\n", 3, "id"),
    "no vni": ("links:\n  - name: vxlan0\n", 2, "id"),
    "group is no group": (LINK + "    group: 10.0.0.9\n    dev: eno1\n", 4, "group"),
    "group and remote": (LINK + "    group: 239.1.1.1\n    remote: 10.0.0.9\n    dev: eno1\n", 5, "remote"),
    "port": (LINK + "    dstport: 65536\n", 4, "dstport"),
    "srcport": (LINK + "    srcport: [50000]\n", 4, "srcport"),
    "learning": (LINK + "    learning: perhaps\n", 4, "learning"),
    "long name": ("links:\n  - name: averyveryverylongname\n    id: 1\n", 2, "name"),
    "name twice": (LINK + "  - name: vxlan0\n    id: 6001\n", 4, "name"),
    "family mix": (LINK + "    local: 10.0.0.1\n    remote: fd00::1\n", 4, "local"),
    "fdb mac": (LINK + "    fdb:\n      - { mac: \"02:00\", dst: 10.0.0.2 }\n", 5, "mac"),
    "fdb dst": (LINK + "    fdb:\n      - { mac: \"02:00:00:00:00:01\", dst: 10.0.0.299 }\n", 5, "dst"),
    "fdb state": (LINK + "    fdb:\n      - { mac: \"02:00:00:00:00:01\", dst: 10.0.0.2, state: firm }\n", 5, "state"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_file_is_refused_with_line_column_and_key(probe, what):
    text, line, key = BROKEN[what]
    path, done = check(probe, text)
    assert done.returncode in (1, 2)
    assert done.stdout == "" and len(done.stderr.splitlines()) == 1, done.stderr
    where = done.stderr.partition(f"{path}:")[2].split(":")
    assert where[0] == str(line) and where[1].isdigit(), done.stderr
    assert key in done.stderr


def test_a_missing_file_is_named(probe):
    done = probe.ns.run([BIN_DIR / "vtepd", "--check-config", "--config", "/nonexistent/vtepd.yaml"], check=False)
    assert done.returncode in (1, 2) and "/nonexistent/vtepd.yaml" in done.stderr and len(done.stderr.splitlines()) == 1


def test_a_daemon_does_not_start_with_a_broken_file(probe):
    path = probe.net.directory / "broken.yaml"
    path.write_text("links:\n  - name: vxlan0\n    id: 16777216\n")
    socket = probe.net.directory / "other.sock"
    done = probe.ns.run([BIN_DIR / "vtepd", "--socket", socket, "--config", path], check=False, timeout=20)
    assert done.returncode in (1, 2) and f"{path}:3:" in done.stderr
    assert not socket.exists()
