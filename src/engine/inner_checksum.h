// The checksum inside the frame, which neighbours on the same host leave unfinished.
//
// Towards the wire: a local sender asks for it by Offload::needs_checksum, and it has to be right before the
// frame is inside a tunnel, where no network card will look for it.
//
// From the wire: when the peer is the kernel's driver on the same host (veth), datagrams arrive with an
// *inner* checksum that is only the pseudo-header sum, and super-frames that were never cut. Nothing in the
// datagram says so; the frame itself must be looked at, and its state told to the interface by `offload`.
// That look is the only one: what was found right is marked as such, and neither the merging of frames nor
// the receiver's stack sums it up again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/packet.h"
#include "engine/drop.h"
#include "wire/layers.h"

namespace vtep {

/// Writes the checksum that `frame.offload` asks for and clears the request. False if it lies outside the
/// frame.
bool finish_checksum(Packet& frame);

/// Of a message that the kernel would have cut into UDP payloads of `segment` bytes: whether it is one VXLAN
/// datagram, with an inner UDP super-frame whose own segment size that is. The kernel says the same of both,
/// but an IP packet that ends with the message and not with its first part cannot be one of several.
bool is_tunnelled_super_frame(ByteView message, std::size_t segment);

/// For a frame from a remote VTEP that goes to an interface of this MTU: sets `frame.offload` to what the
/// interface has to know. A TCP or UDP checksum that is right is `checksum_valid`; one that is unfinished
/// `needs_checksum`; one that is wrong, or not there (UDP's zero), or spread over fragments, is the
/// receiver's to judge and to count. A frame beyond the MTU is cut by the interface if it is TCP, or UDP that
/// came with Segmentation::kUdp and its segment size; otherwise the reason why it is dropped.
std::optional<Drop> restore_offload(Packet& frame, const Layers& layers, std::uint32_t mtu);

}  // namespace vtep
