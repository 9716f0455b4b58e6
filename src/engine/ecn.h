// Explicit congestion notification across the tunnel (RFC 6040, which RFC 7348 predates and Linux follows).
//
// The two low bits of IPv4's type of service and of IPv6's traffic class: Not-ECT 00, ECT(1) 01, ECT(0) 10,
// CE 11. A router of the underlay that meets congestion writes CE into the outer header; decapsulation
// carries the mark to the inner one, where the receiver sees it.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/packet.h"
#include "wire/layers.h"

namespace vtep {

/// The two bits of a TOS or traffic class; the rest is the DSCP (RFC 3168 section 5).
inline constexpr std::uint8_t kEcnMask = 0x03;

/// TOS or traffic class of the frame's own IP header; 0 if it is not IP. `layers` is classify(frame).
std::uint8_t inner_traffic_class(ByteView frame, const Layers& layers);

/// The outer ECN bits: a copy of the inner ones, CE included ("normal mode", RFC 6040 section 4.1). Linux
/// writes ECT(0) where the inner field is CE, as RFC 3168's full-functionality mode had it.
constexpr std::uint8_t encapsulated_ecn(std::uint8_t inner_tos) {
  return inner_tos & kEcnMask;
}

enum class EcnResult : std::uint8_t {
  kKeep,
  kLost,  ///< the frame has to be dropped: its sender takes loss for the only sign of congestion
};

/// Brings the outer mark into the inner header (RFC 6040 figure 4), with IPv4's header checksum. A frame that
/// is not IP stays as it is. `layers` is classify(frame.view()).
EcnResult decapsulate_ecn(Packet& frame, const Layers& layers, std::uint8_t outer_tos);

}  // namespace vtep
