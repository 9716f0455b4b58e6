// Where the layers of a frame begin: looked up once per frame on the hot path, used for the flow hash, for
// checksums and for segmentation.
//
// Every offset is proven: what stands behind it can be read without another look at the frame's size.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace vtep {

/// Tags that classify() looks behind: a service and a customer tag (IEEE 802.1ad). A third one hides the
/// rest.
inline constexpr std::uint8_t kMaxVlanTags = 2;

struct Layers {
  /// kNone also when the ethertype says IP but the fixed header is cut off or states impossible lengths.
  enum class Ip : std::uint8_t { kNone, kV4, kV6 };

  std::uint16_t ethertype = 0;  ///< behind the VLAN tags; below 0x0600 it is an IEEE 802.3 length
  std::uint8_t vlan_tags = 0;
  Ip ip = Ip::kNone;
  /// A part of a datagram, be it the first: its ports say nothing about the other parts, and its checksum
  /// covers more than this frame.
  bool fragment = false;
  /// IP protocol, for IPv6 behind the extension headers; where their chain breaks, the number of the header
  /// that could not be read. 0 if not IP.
  std::uint8_t protocol = 0;
  /// Offset behind the ethertype; 0 if the frame is shorter than an Ethernet header. If `ip` is set, the
  /// fixed IP header (and the options of IPv4) can be read there.
  std::uint16_t l3 = 0;
  /// Offset of a TCP (with its options), UDP (8 bytes), ICMP (8 bytes) or ICMPv6 (4 bytes) header, all of it
  /// in front of `end`. 0 for other protocols, for fragments other than the first, and for headers that are
  /// cut off.
  std::uint16_t l4 = 0;
  /// Offset just behind the IP datagram as its header states it, never beyond the frame; the frame's size if
  /// not IP. What follows is Ethernet padding.
  std::uint32_t end = 0;

  friend bool operator==(const Layers&, const Layers&) = default;
};

/// Reads headers only, in bounded time. Any bytes may be given.
Layers classify(ByteView frame);

}  // namespace vtep
