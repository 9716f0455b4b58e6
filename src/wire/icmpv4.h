// ICMP for IPv4 (RFC 792; RFC 1191 section 4 for the MTU).
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |     Type      |     Code      |          Checksum             |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |     Rest: by type, as identifier and sequence of an echo      |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace vtep {

namespace icmpv4_type {
inline constexpr std::uint8_t kEchoReply = 0;
inline constexpr std::uint8_t kUnreachable = 3;
inline constexpr std::uint8_t kRedirect = 5;
inline constexpr std::uint8_t kEchoRequest = 8;
inline constexpr std::uint8_t kTimeExceeded = 11;
}  // namespace icmpv4_type

struct Icmpv4Header {
  static constexpr std::size_t kSize = 8;
  static constexpr std::size_t kType = 0;
  static constexpr std::size_t kCode = 1;
  static constexpr std::size_t kChecksum = 2;
  static constexpr std::size_t kRest = 4;
  static constexpr std::uint8_t kFragmentationNeeded = 4;  ///< a code of kUnreachable

  std::uint8_t type = 0;
  std::uint8_t code = 0;
  std::uint32_t rest = 0;

  /// Writes the header in front of a payload that already stands in the rest of `message`, and the checksum
  /// over all of it. Precondition: message.size() >= kSize.
  void emit(ByteSpan message) const;

  friend bool operator==(const Icmpv4Header&, const Icmpv4Header&) = default;
};

/// Borrows the bytes it was parsed from.
class Icmpv4View {
 public:
  /// `message` ends where the IP header says. Empty if there are fewer than 8 bytes.
  static std::optional<Icmpv4View> parse(ByteView message);

  std::uint8_t type() const { return bytes_[Icmpv4Header::kType]; }
  std::uint8_t code() const { return bytes_[Icmpv4Header::kCode]; }
  std::uint16_t checksum() const { return load_be16(bytes_.data() + Icmpv4Header::kChecksum); }
  bool is_checksum_right() const;
  std::uint32_t rest() const { return load_be32(bytes_.data() + Icmpv4Header::kRest); }
  bool is_echo() const;
  /// Of an echo.
  std::uint16_t identifier() const { return static_cast<std::uint16_t>(rest() >> 16); }
  /// Of an echo.
  std::uint16_t sequence() const { return static_cast<std::uint16_t>(rest()); }
  /// Of kUnreachable with kFragmentationNeeded; 0 from routers older than RFC 1191.
  std::uint16_t next_hop_mtu() const { return static_cast<std::uint16_t>(rest()); }
  /// Of an error: the header and the first bytes of the datagram that caused it.
  ByteView payload() const { return bytes_.subspan(Icmpv4Header::kSize); }
  std::size_t size() const { return bytes_.size(); }
  Icmpv4Header header() const { return {type(), code(), rest()}; }

 private:
  explicit Icmpv4View(ByteView bytes) : bytes_(bytes) {}
  ByteView bytes_;
};

}  // namespace vtep
