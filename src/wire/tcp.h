// The TCP header (RFC 9293 section 3.1).
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |          Source Port          |       Destination Port        |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                        Sequence Number                        |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                    Acknowledgment Number                      |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |  Data |       |C|E|U|A|P|R|S|F|                               |
//   | Offset| Rsrvd |W|C|R|C|S|S|Y|I|            Window             |
//   |       |       |R|E|G|K|H|T|N|N|                               |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |           Checksum            |         Urgent Pointer        |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                           [Options]                           |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/port.h"

namespace vtep {

namespace tcp_flag {
inline constexpr std::uint8_t kFin = 0x01;
inline constexpr std::uint8_t kSyn = 0x02;
inline constexpr std::uint8_t kRst = 0x04;
inline constexpr std::uint8_t kPsh = 0x08;
inline constexpr std::uint8_t kAck = 0x10;
inline constexpr std::uint8_t kUrg = 0x20;
inline constexpr std::uint8_t kEce = 0x40;
inline constexpr std::uint8_t kCwr = 0x80;
}  // namespace tcp_flag

/// The header without its options, which stay bytes.
struct TcpHeader {
  static constexpr std::size_t kSize = 20;
  static constexpr std::size_t kMaxOptions = 40;
  static constexpr std::size_t kSourcePort = 0;
  static constexpr std::size_t kDestinationPort = 2;
  static constexpr std::size_t kSequence = 4;
  static constexpr std::size_t kAcknowledgment = 8;
  static constexpr std::size_t kDataOffset = 12;
  static constexpr std::size_t kFlags = 13;
  static constexpr std::size_t kWindow = 14;
  static constexpr std::size_t kChecksum = 16;
  static constexpr std::size_t kUrgent = 18;

  Port source;
  Port destination;
  std::uint32_t sequence = 0;
  std::uint32_t acknowledgment = 0;
  std::uint8_t flags = 0;  ///< tcp_flag
  std::uint16_t window = 0;
  std::uint16_t urgent = 0;

  /// Writes header and options in front of a payload that already stands in the rest of `segment`, and the
  /// checksum over all of it. `pseudo_sum` comes from pseudo_header_sum(). Precondition: options.size() is a
  /// multiple of 4 and at most kMaxOptions; segment.size() >= kSize + options.size().
  void emit(ByteSpan segment, ByteView options, std::uint64_t pseudo_sum) const;

  friend bool operator==(const TcpHeader&, const TcpHeader&) = default;
};

/// Kinds for an OptionCursor, from RFC 9293, RFC 7323 and RFC 2018.
namespace tcp_option {
inline constexpr std::uint8_t kMaxSegmentSize = 2;
inline constexpr std::uint8_t kWindowScale = 3;
inline constexpr std::uint8_t kSackPermitted = 4;
inline constexpr std::uint8_t kSack = 5;
inline constexpr std::uint8_t kTimestamps = 8;
}  // namespace tcp_option

/// Borrows the bytes it was parsed from.
class TcpView {
 public:
  /// `segment` ends where the IP header says. Empty if the data offset is impossible.
  static std::optional<TcpView> parse(ByteView segment);

  Port source() const { return Port(load_be16(bytes_.data() + TcpHeader::kSourcePort)); }
  Port destination() const { return Port(load_be16(bytes_.data() + TcpHeader::kDestinationPort)); }
  std::uint32_t sequence() const { return load_be32(bytes_.data() + TcpHeader::kSequence); }
  std::uint32_t acknowledgment() const { return load_be32(bytes_.data() + TcpHeader::kAcknowledgment); }
  /// In bytes, options included.
  std::size_t header_length() const { return std::size_t{bytes_[TcpHeader::kDataOffset]} / 16 * 4; }
  std::uint8_t flags() const { return bytes_[TcpHeader::kFlags]; }
  std::uint16_t window() const { return load_be16(bytes_.data() + TcpHeader::kWindow); }
  std::uint16_t checksum() const { return load_be16(bytes_.data() + TcpHeader::kChecksum); }
  bool is_checksum_right(std::uint64_t pseudo_sum) const;
  std::uint16_t urgent() const { return load_be16(bytes_.data() + TcpHeader::kUrgent); }
  /// For an OptionCursor.
  ByteView options() const { return bytes_.first(header_length()).subspan(TcpHeader::kSize); }
  ByteView payload() const { return bytes_.subspan(header_length()); }
  TcpHeader header() const;

 private:
  explicit TcpView(ByteView bytes) : bytes_(bytes) {}
  ByteView bytes_;
};

}  // namespace vtep
