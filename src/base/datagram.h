// One UDP payload on its way to a remote VTEP: what the engine decides and the underlay sends.
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.h"
#include "base/ifindex.h"
#include "base/ip.h"
#include "base/port.h"

namespace vtep {

/// Where and how a datagram leaves. Everything but the bytes; the same for all datagrams of one flow.
struct Route {
  IpAddr remote;   ///< unicast VTEP or multicast group
  IpAddr local;    ///< source address; unspecified: the routing table's choice
  IfIndex device;  ///< underlay device; not set: the routing table's choice
  Port destination_port;
  Port source_port;              ///< RFC 7348 section 5: from a hash of the inner headers
  std::uint8_t ttl = 0;          ///< 0: the system's default (1 for a multicast group)
  std::uint8_t tos = 0;          ///< IPv4 TOS or IPv6 traffic class: DSCP and ECN
  bool dont_fragment = false;    ///< DF of the outer IPv4 header; IPv6 is never fragmented
  bool checksum = true;          ///< outer UDP checksum
  std::uint32_t flow_label = 0;  ///< IPv6, 20 bits

  friend bool operator==(const Route&, const Route&) = default;
};

/// A header and the frame behind it, sent as one datagram (gathered). Does not own what it points at, which
/// stays as it is until the batch was sent: with head-end replication several datagrams point at the same
/// frame, each behind a header of its own, and the segments of a super-frame point at their parts of it.
struct Datagram {
  static constexpr std::size_t kHeaderSize = 8;

  std::array<std::uint8_t, kHeaderSize> header;  ///< the VXLAN header
  ByteView prefix{};  ///< a segment's own copy of the inner headers; empty: they stand in `frame`
  ByteView frame;     ///< the inner frame, or what is left of it behind `prefix`
  Route route;
  std::uint32_t tag = 0;  ///< the sender's own mark (the engine's link), for counting what could not be sent

  /// Bytes of UDP payload.
  std::size_t size() const { return kHeaderSize + prefix.size() + frame.size(); }
};

}  // namespace vtep
