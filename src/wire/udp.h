// The UDP header (RFC 768; RFC 8200 section 8.1 and RFC 6935 for IPv6).
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |          Source Port          |       Destination Port        |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |            Length             |            Checksum           |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//
// "An all zero transmitted checksum value means that the transmitter generated no checksum." RFC 7348 section
// 5: the outer checksum "SHOULD be transmitted as zero. When a packet is received with a UDP checksum of
// zero, it MUST be accepted for decapsulation."
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/port.h"

namespace vtep {

struct UdpHeader {
  static constexpr std::size_t kSize = 8;
  static constexpr std::size_t kMaxDatagram = 65535;
  static constexpr std::size_t kSourcePort = 0;
  static constexpr std::size_t kDestinationPort = 2;
  static constexpr std::size_t kLength = 4;
  static constexpr std::size_t kChecksum = 6;

  Port source;
  Port destination;

  /// Writes the header in front of a payload that is, or will be, in the rest of `datagram`; no checksum.
  /// Precondition: kSize <= datagram.size() <= kMaxDatagram.
  void emit(ByteSpan datagram) const;
  /// The same with a checksum over the payload, which must be there already. `pseudo_sum` comes from
  /// pseudo_header_sum().
  void emit(ByteSpan datagram, std::uint64_t pseudo_sum) const;

  friend bool operator==(const UdpHeader&, const UdpHeader&) = default;
};

/// Borrows the bytes it was parsed from.
class UdpView {
 public:
  /// `datagram` ends where the IP header says. Empty if the length is smaller than the header; it may exceed
  /// what is there (see is_truncated()), as it does in the first fragment of a datagram.
  static std::optional<UdpView> parse(ByteView datagram);

  Port source() const { return Port(load_be16(bytes_.data() + UdpHeader::kSourcePort)); }
  Port destination() const { return Port(load_be16(bytes_.data() + UdpHeader::kDestinationPort)); }
  /// Header and payload.
  std::uint16_t length() const { return load_be16(bytes_.data() + UdpHeader::kLength); }
  /// 0: the sender gave none.
  std::uint16_t checksum() const { return load_be16(bytes_.data() + UdpHeader::kChecksum); }
  /// True if there is none. False, too, if the datagram is truncated.
  bool is_checksum_right(std::uint64_t pseudo_sum) const;
  /// As far as the length says, or as far as there are bytes.
  ByteView payload() const { return bytes_.subspan(UdpHeader::kSize); }
  /// The length promises more bytes than there are.
  bool is_truncated() const { return bytes_.size() < length(); }
  UdpHeader header() const { return {source(), destination()}; }

 private:
  explicit UdpView(ByteView bytes) : bytes_(bytes) {}
  ByteView bytes_;  // no longer than the length says
};

}  // namespace vtep
