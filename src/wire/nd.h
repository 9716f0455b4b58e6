// Neighbour discovery for IPv6 on Ethernet (RFC 4861 section 4): the body of four ICMPv6 messages.
//
//   Neighbor Solicitation, Neighbor Advertisement (in front of them: type, code, checksum)
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |R|S|O|                     Reserved                            |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                 Target Address (16 bytes) ...                 |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |   Options ...
//   +-+-+-+-+-+-+-+-+-+-+-+-
//   Router Advertisement
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   | Cur Hop Limit |M|O|  Reserved |       Router Lifetime         |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                         Reachable Time                        |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                          Retrans Timer                        |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |   Options ...
//   +-+-+-+-+-+-+-+-+-+-+-+-
//   Option: Source (type 1) or Target (2) Link-layer Address; length in units of 8 bytes, 1 for Ethernet
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |     Type      |    Length     |    Link-Layer Address ...
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//
// Sections 6.1 and 7.1: a node "MUST silently discard" messages with a hop limit other than 255, a wrong
// checksum, a code other than 0, a length too small, an option of length zero, or a multicast target. "The
// contents of the Reserved field, and of any unrecognized options, MUST be ignored."
//
// Each value's parse() reads one type of message and checks what can be seen in the message alone;
// is_valid_nd() checks what needs the IP header. emit() writes the whole ICMPv6 message into exactly size()
// bytes. `pseudo_sum` comes from pseudo_header_sum() with the same size.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/ip.h"
#include "base/mac.h"
#include "wire/icmpv6.h"
#include "wire/ipv6.h"

namespace vtep {

struct RouterSolicitation {
  std::optional<MacAddr> source_mac;

  static std::optional<RouterSolicitation> parse(const Icmpv6View& message);
  std::size_t size() const;
  /// Precondition: message.size() == size().
  void emit(ByteSpan message, std::uint64_t pseudo_sum) const;
  friend bool operator==(const RouterSolicitation&, const RouterSolicitation&) = default;
};

/// Prefixes, MTU and further options are passed over.
struct RouterAdvertisement {
  std::uint8_t hop_limit = 0;  ///< 0: unspecified
  bool managed = false;
  bool other = false;
  std::uint16_t router_lifetime = 0;  ///< seconds; 0: not a default router
  std::uint32_t reachable_time = 0;   ///< milliseconds; 0: unspecified
  std::uint32_t retrans_timer = 0;    ///< milliseconds; 0: unspecified
  std::optional<MacAddr> source_mac;

  static std::optional<RouterAdvertisement> parse(const Icmpv6View& message);
  std::size_t size() const;
  /// Precondition: message.size() == size().
  void emit(ByteSpan message, std::uint64_t pseudo_sum) const;
  friend bool operator==(const RouterAdvertisement&, const RouterAdvertisement&) = default;
};

struct NeighborSolicitation {
  Ipv6 target;
  std::optional<MacAddr> source_mac;  ///< absent in duplicate address detection

  static std::optional<NeighborSolicitation> parse(const Icmpv6View& message);
  std::size_t size() const;
  /// Precondition: message.size() == size(), and the target is no multicast address.
  void emit(ByteSpan message, std::uint64_t pseudo_sum) const;
  friend bool operator==(const NeighborSolicitation&, const NeighborSolicitation&) = default;
};

struct NeighborAdvertisement {
  Ipv6 target;
  bool router = false;
  bool solicited = false;
  bool override_cache = false;
  std::optional<MacAddr> target_mac;

  static std::optional<NeighborAdvertisement> parse(const Icmpv6View& message);
  std::size_t size() const;
  /// Precondition: message.size() == size(), and the target is no multicast address.
  void emit(ByteSpan message, std::uint64_t pseudo_sum) const;
  friend bool operator==(const NeighborAdvertisement&, const NeighborAdvertisement&) = default;
};

/// Whether a message that one of the parse() above understood came in a legal packet (RFC 4861
/// sections 6.1.1, 6.1.2, 7.1.1, 7.1.2): hop limit, checksum, and the addresses that go together. False for
/// other types.
bool is_valid_nd(const Ipv6View& packet, const Icmpv6View& message);

}  // namespace vtep
