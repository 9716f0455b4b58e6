// The outermost VLAN tag of a frame: looked at, taken off, put on (RFC 7348 section 6.1, and one interface
// for several VNIs).
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/packet.h"
#include "wire/vlan.h"

namespace vtep {

/// The identifier of the outermost tag, customer's or service's, as it stands there. Empty if there is none,
/// if it is cut off, or if it is 0: that tag gives a priority and no VLAN (IEEE 802.1Q section 9.6), so its
/// frame counts as untagged.
std::optional<std::uint16_t> outer_vlan(ByteView frame);

/// Whether the frame has a whole tag behind its addresses, one of a priority too.
bool has_tag(ByteView frame);

/// Takes the outermost tag off, one of a priority too, by moving the two addresses up: the frame's size
/// shrinks by 4 and data() grows. Offsets of frame.offload follow. A frame without a whole tag stays as it
/// is.
void strip_tag(Packet& frame);

/// Puts an 802.1Q tag of priority 0 in front of whatever follows the addresses, another tag included. Offsets
/// of frame.offload follow. A frame without an Ethernet header stays as it is. Precondition: 4 bytes of
/// headroom.
void push_tag(Packet& frame, VlanId vlan);

}  // namespace vtep
