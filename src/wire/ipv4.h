// The IPv4 header (RFC 791 section 3.1; type of service as RFC 2474 and RFC 3168 have it).
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |Version|  IHL  |    DSCP   |ECN|          Total Length         |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |         Identification        |0|D|M|     Fragment Offset     |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |  Time to Live |    Protocol   |         Header Checksum       |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                       Source Address                          |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                    Destination Address                        |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                    Options                    |    Padding    |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/ip.h"

namespace vtep {

/// A header as we write one: without options, and of a whole datagram (RFC 7348 section 4.3: "VTEPs MUST NOT
/// fragment VXLAN packets").
struct Ipv4Header {
  static constexpr std::size_t kSize = 20;
  static constexpr std::size_t kMaxDatagram = 65535;
  static constexpr std::size_t kVersionAndLength = 0;
  static constexpr std::size_t kTrafficClass = 1;
  static constexpr std::size_t kTotalLength = 2;
  static constexpr std::size_t kIdentification = 4;
  static constexpr std::size_t kFragment = 6;
  static constexpr std::size_t kTtl = 8;
  static constexpr std::size_t kProtocol = 9;
  static constexpr std::size_t kChecksum = 10;
  static constexpr std::size_t kSource = 12;
  static constexpr std::size_t kDestination = 16;
  static constexpr std::uint16_t kDontFragment = 0x4000;
  static constexpr std::uint16_t kMoreFragments = 0x2000;
  static constexpr std::uint16_t kFragmentOffsetMask = 0x1fff;

  Ipv4 source;
  Ipv4 destination;
  std::uint8_t protocol = 0;
  std::uint8_t ttl = 64;
  std::uint8_t traffic_class = 0;  ///< DSCP and ECN
  std::uint16_t identification = 0;
  bool dont_fragment = false;

  /// Writes the header in front of a payload that is, or will be, in the rest of `datagram`: its size is the
  /// total length. Precondition: kSize <= datagram.size() <= kMaxDatagram.
  void emit(ByteSpan datagram) const;

  friend bool operator==(const Ipv4Header&, const Ipv4Header&) = default;
};

/// Borrows the bytes it was parsed from.
class Ipv4View {
 public:
  /// Empty if the version is not 4, or if the header length or the total length is impossible. The total
  /// length may exceed what is there (see is_truncated()) and may fall short of it (Ethernet padding).
  static std::optional<Ipv4View> parse(ByteView datagram);

  std::size_t header_length() const { return std::size_t{bytes_[Ipv4Header::kVersionAndLength] & 0xfU} * 4; }
  std::uint8_t traffic_class() const { return bytes_[Ipv4Header::kTrafficClass]; }
  std::uint16_t total_length() const { return load_be16(bytes_.data() + Ipv4Header::kTotalLength); }
  std::uint16_t identification() const { return load_be16(bytes_.data() + Ipv4Header::kIdentification); }
  bool dont_fragment() const { return (fragment_field() & Ipv4Header::kDontFragment) != 0; }
  bool more_fragments() const { return (fragment_field() & Ipv4Header::kMoreFragments) != 0; }
  /// In bytes.
  std::uint32_t fragment_offset() const {
    return std::uint32_t{8} * (fragment_field() & Ipv4Header::kFragmentOffsetMask);
  }
  bool is_fragment() const { return more_fragments() || fragment_offset() != 0; }
  std::uint8_t ttl() const { return bytes_[Ipv4Header::kTtl]; }
  std::uint8_t protocol() const { return bytes_[Ipv4Header::kProtocol]; }
  std::uint16_t checksum() const { return load_be16(bytes_.data() + Ipv4Header::kChecksum); }
  bool is_checksum_right() const;
  Ipv4 source() const { return Ipv4::load(bytes_.data() + Ipv4Header::kSource); }
  Ipv4 destination() const { return Ipv4::load(bytes_.data() + Ipv4Header::kDestination); }
  /// For an OptionCursor.
  ByteView options() const { return bytes_.first(header_length()).subspan(Ipv4Header::kSize); }
  /// As far as the total length says, or as far as there are bytes.
  ByteView payload() const { return bytes_.subspan(header_length()); }
  /// The total length promises more bytes than there are.
  bool is_truncated() const { return bytes_.size() < total_length(); }
  /// Empty if there are options, or if it is a fragment.
  std::optional<Ipv4Header> header() const;

 private:
  explicit Ipv4View(ByteView bytes) : bytes_(bytes) {}
  std::uint16_t fragment_field() const { return load_be16(bytes_.data() + Ipv4Header::kFragment); }
  ByteView bytes_;  // no longer than the total length
};

}  // namespace vtep
