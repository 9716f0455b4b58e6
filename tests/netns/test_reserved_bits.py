"""The VXLAN header's 39 reserved bits, one by one. RFC 7348 section 5: zero when sent, ignored on receipt. The kernel's
driver drops; `reserved_bits MASK` gives vtep that strictness, bit by bit."""

import struct

import pytest

from kernel_netlink import address, change_vxlan, ifindex, u32
from packets import LOCAL, STATION
from scene import VNI, Overlay, ether, scene_fixture

scene, clean = scene_fixture()
LINK = f"id {VNI} remote 10.0.0.2 dstport 4789 dev eno1"
# Bit 0 is the first on the wire; 4 is the I flag, 32 to 55 are the VNI.
RESERVED = [bit for bit in range(64) if bit != 4 and not 32 <= bit < 56]
ALL = 0xF7FFFFFF000000FF
FRAME = ether(b"with a bit", source=STATION, to=LOCAL)


def header(*bits):
    value = 1 << (63 - 4) | VNI << 8
    for bit in bits:
        value |= 1 << (63 - bit)
    return value.to_bytes(8, "big")


def passed(overlay):
    """The reserved bits that may be set in a header that arrives."""
    return [bit for bit in RESERVED if overlay.gets(FRAME, header=header(bit)) == [FRAME]]


def with_mask(scene, mask):
    """`reserved_bits MASK`; iproute2 6.1 does not know the word."""
    if scene.is_vtep:
        return scene.add(f"{LINK} reserved_bits {mask:#x}")
    change_vxlan(
        scene.ns, "vxlan0", id=u32(VNI), group=address("10.0.0.2"), link=u32(ifindex(scene.ns, "eno1")),
        learning=b"\1", port=struct.pack("!H", 4789), reserved_bits=mask.to_bytes(8, "big"),
    )
    return Overlay(scene, LINK, "vxlan0", 4, made=True)


def test_there_are_39_reserved_bits():
    assert len(RESERVED) == 39 == ALL.bit_count()


def test_each_bit_alone_on_a_link_that_says_nothing_about_them(scene):
    overlay = scene.add(LINK)
    assert passed(overlay) == (RESERVED if scene.is_vtep else [])


def test_each_bit_alone_on_a_link_that_forbids_them_all(scene):
    overlay = with_mask(scene, ALL)
    assert passed(overlay) == []
    if scene.is_vtep:
        assert overlay.drops(lambda: passed(overlay)) == {"reserved_bits": 39}
    else:
        assert int(scene.ns.out("cat /sys/class/net/vxlan0/statistics/rx_errors")) == 39


@pytest.mark.parametrize("allowed", [0, 10, 31, 56, 63])
def test_the_mask_forbids_what_is_in_it_and_nothing_else(scene, allowed):
    overlay = with_mask(scene, ALL & ~(1 << (63 - allowed)))
    assert passed(overlay) == [allowed]


def test_all_bits_at_once_do_not_change_the_vni(scene):
    overlay = scene.add(LINK)
    expected = [FRAME] if scene.is_vtep else []
    assert overlay.gets(FRAME, header=header(*RESERVED)) == expected


def test_bits_that_were_ignored_are_counted(scene):
    overlay = scene.add(LINK)
    for bit in RESERVED:
        overlay.gets(FRAME, header=header(bit))
    if scene.is_vtep:
        assert 39 in scene.counters("reserved_bits")
    else:
        assert int(scene.ns.out("cat /sys/class/net/vxlan0/statistics/rx_errors")) == 39


def test_the_i_flag_is_not_one_of_them(scene):
    """Without it there is no VNI, whatever else is set, and whatever a mask allows."""
    overlay = with_mask(scene, 1 << 63)
    without = (int.from_bytes(header(5), "big") & ~(1 << 59)).to_bytes(8, "big")
    assert overlay.gets(FRAME, header=without) == []


def test_gbp_bits_are_understood_on_a_gbp_link(scene):
    """draft-smith-vxlan-group-policy: G in the first byte, the group in the third and fourth."""
    overlay = scene.add(f"{LINK} gbp")
    gbp = bytes([0x88, 0, 0x12, 0x34]) + header()[4:]
    assert overlay.gets(FRAME, header=gbp) == [FRAME]


def test_remote_checksum_bits_are_understood_on_a_remcsumrx_link(scene):
    """draft-herbert-vxlan-rco: a start and an offset outside of the frame are nobody's checksum."""
    overlay = scene.add(f"{LINK} remcsumrx")
    outside = bytes([0x08, 0x20, 0, 0]) + header()[4:7] + bytes([0x7F])
    assert overlay.gets(FRAME, header=outside) == []
    if scene.is_vtep:
        assert overlay.drops(lambda: overlay.gets(FRAME, header=outside)) == {"bad_remote_checksum": 1}
