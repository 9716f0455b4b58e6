// ICMP for IPv6 (RFC 4443). The messages of neighbour discovery are in nd.h.
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |     Type      |     Code      |          Checksum             |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                         Message Body                          |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace vtep {

namespace icmpv6_type {
inline constexpr std::uint8_t kUnreachable = 1;
inline constexpr std::uint8_t kPacketTooBig = 2;
inline constexpr std::uint8_t kTimeExceeded = 3;
inline constexpr std::uint8_t kEchoRequest = 128;
inline constexpr std::uint8_t kEchoReply = 129;
inline constexpr std::uint8_t kRouterSolicitation = 133;
inline constexpr std::uint8_t kRouterAdvertisement = 134;
inline constexpr std::uint8_t kNeighborSolicitation = 135;
inline constexpr std::uint8_t kNeighborAdvertisement = 136;
inline constexpr std::uint8_t kListenerReportV2 = 143;
}  // namespace icmpv6_type

struct Icmpv6Header {
  static constexpr std::size_t kSize = 4;
  static constexpr std::size_t kType = 0;
  static constexpr std::size_t kCode = 1;
  static constexpr std::size_t kChecksum = 2;

  std::uint8_t type = 0;
  std::uint8_t code = 0;

  /// Writes the header in front of a body that already stands in the rest of `message`, and the checksum over
  /// all of it. `pseudo_sum` comes from pseudo_header_sum(). Precondition: message.size() >= kSize.
  void emit(ByteSpan message, std::uint64_t pseudo_sum) const;

  friend bool operator==(const Icmpv6Header&, const Icmpv6Header&) = default;
};

/// Borrows the bytes it was parsed from.
class Icmpv6View {
 public:
  /// `message` ends where the IP header says. Empty if there are fewer than 4 bytes.
  static std::optional<Icmpv6View> parse(ByteView message);

  std::uint8_t type() const { return bytes_[Icmpv6Header::kType]; }
  std::uint8_t code() const { return bytes_[Icmpv6Header::kCode]; }
  std::uint16_t checksum() const { return load_be16(bytes_.data() + Icmpv6Header::kChecksum); }
  bool is_checksum_right(std::uint64_t pseudo_sum) const;
  ByteView body() const { return bytes_.subspan(Icmpv6Header::kSize); }
  std::size_t size() const { return bytes_.size(); }
  Icmpv6Header header() const { return {type(), code()}; }

 private:
  explicit Icmpv6View(ByteView bytes) : bytes_(bytes) {}
  ByteView bytes_;
};

}  // namespace vtep
