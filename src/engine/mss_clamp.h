// Lowers TCP's maximum segment size to what fits the tunnel, so that connections work where path MTU
// discovery does not (RFC 2923 section 2.1).
#pragma once

#include <cstdint>

#include "base/packet.h"
#include "wire/layers.h"

namespace vtep {

/// In a SYN or SYN-ACK, lowers every maximum segment size option that exceeds `inner_mtu` less the fixed IP
/// and TCP headers (RFC 6691: the option does not count other options). `inner_mtu` is the size in bytes of
/// the largest IP packet that fits. True if the frame was changed.
///
/// The checksum follows incrementally (RFC 1624), so a wrong one stays wrong. It is left alone where
/// frame.offload says that the field holds only the pseudo-header's sum: towards the overlay, call this after
/// restore_offload(), which finds that out.
///
/// A segment without the option is left alone: the header has no room that could be taken, and its default
/// of 536 (IPv6: 1220) fits what may call itself an IP path. `layers` is classify(frame.view()).
bool clamp_mss(Packet& frame, const Layers& layers, std::uint32_t inner_mtu);

}  // namespace vtep
