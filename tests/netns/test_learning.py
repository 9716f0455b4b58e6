"""What the forwarding table learns, from whom, and for how long."""

import pytest
from scapy.layers.l2 import Ether

from namespaces import eventually
from packets import LOCAL, datagram, vxlan_header
from stations import VNI, destinations, heard, make_probe, station
from topologies import WIRE_MAC, both


def lines(probe):
    return probe.host.fdb_lines()


@both
def test_a_learned_address_is_sent_to_alone(net, impl):
    probe = make_probe(net, impl)
    assert destinations(probe, 1) == ["10.0.0.9"]
    heard(probe, 1, "10.0.0.2")
    assert destinations(probe, 1) == ["10.0.0.2"]


@both
def test_an_address_moves_between_remotes(net, impl):
    probe = make_probe(net, impl)
    for remote in ("10.0.0.2", "10.0.0.3", "10.0.0.2"):
        heard(probe, 1, remote)
        assert f"{station(1)} dst {remote} self " in lines(probe)
        assert destinations(probe, 1) == [remote]


@both
@pytest.mark.parametrize("state", ["permanent", "static"])
def test_what_was_set_by_hand_does_not_move(net, impl, state):
    """A station that claims an address somebody wrote down elsewhere is not believed, and its frame is dropped."""
    probe = make_probe(net, impl)
    probe.host.fdb(f"add {station(1)} dst 10.0.0.2 dev vxlan0 {state}")
    before = lines(probe)
    spoofed = bytes(Ether(src=station(1), dst=LOCAL, type=0x88B5) / b"I have moved")
    probe.wire.send(datagram(vxlan_header(VNI) + spoofed, source="10.0.0.3", to_mac=probe.mac, from_mac=WIRE_MAC))
    heard(probe, 2, "10.0.0.2")
    assert probe.vxlan0.drain() == []
    assert [line for line in lines(probe) if station(2) not in line] == before
    assert destinations(probe, 1) == ["10.0.0.2"]
    if impl == "vtep":
        assert probe.host.drops() == {"static_source": 1}
    heard(probe, 1, "10.0.0.2")


@both
def test_a_link_that_does_not_learn(net, impl):
    probe = make_probe(net, impl, "remote 10.0.0.9 nolearning")
    probe.host.fdb(f"add {station(9)} dst 10.0.0.2 dev vxlan0")  # to vtep, 10.0.0.2 is no stranger then
    before = lines(probe)
    heard(probe, 1, "10.0.0.2")
    assert lines(probe) == before
    assert destinations(probe, 1) == ["10.0.0.9"]


def test_a_deleted_entry_is_learned_again(net):
    probe = make_probe(net, "vtep")
    heard(probe, 1, "10.0.0.2")
    probe.host.fdb(f"del {station(1)} dev vxlan0")
    assert destinations(probe, 1) == ["10.0.0.9"]
    heard(probe, 1, "10.0.0.3")
    assert destinations(probe, 1) == ["10.0.0.3"]


def test_entries_age_unless_they_are_heard_from(net):
    """The kernel's driver looks only every ten seconds; there is no need to wait for it here."""
    probe = make_probe(net, "vtep", "remote 10.0.0.9 ageing 2")
    probe.host.fdb(f"add {station(3)} dst 10.0.0.2 dev vxlan0 static")
    for number in (1, 2):
        heard(probe, number)

    def silent_one_is_gone():
        heard(probe, 1)
        return not [line for line in lines(probe) if station(2) in line]

    eventually("the station that is silent has aged out", silent_one_is_gone)
    kept = [line for line in lines(probe) if station(1) in line or station(3) in line]
    assert len(kept) == 2, "what is heard from stays, and what was set by hand"
    eventually(
        "the other ages out too", lambda: not [line for line in lines(probe) if station(1) in line]
    )


def test_monitor_tells_what_changes(net):
    probe = make_probe(net, "vtep")
    output = probe.net.directory / "monitor"
    with open(output, "w") as file:
        monitor = probe.net.process(probe.ns, [*probe.host.vtep, "monitor", "fdb"], stdout=file)
    number = iter(range(10, 250))

    def listens():
        probe.host.fdb(f"add {station(next(number))} dst 10.0.0.2 dev vxlan0")
        return output.read_text()

    eventually("monitor shows an entry that is added", listens)
    heard(probe, 1, "10.0.0.2")
    learned = f"{station(1)} dev vxlan0 dst 10.0.0.2 self"
    eventually("monitor shows what is learned", lambda: learned in output.read_text())
    probe.host.fdb(f"del {station(1)} dev vxlan0")
    eventually("monitor shows what is deleted", lambda: f"Deleted {learned}" in output.read_text())
    assert monitor.poll() is None
