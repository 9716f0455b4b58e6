// The IPv6 header (RFC 8200 section 3) and the walk over its extension headers (section 4).
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |Version| Traffic Class |           Flow Label                  |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |         Payload Length        |  Next Header  |   Hop Limit   |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                                                               |
//   +                                                               +
//   |                         Source Address                        |
//   +                                                               +
//   |                                                               |
//   +                                                               +
//   |                                                               |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                                                               |
//   +                                                               +
//   |                      Destination Address                      |
//   +                                                               +
//   |                                                               |
//   +                                                               +
//   |                                                               |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
#pragma once

#include <compare>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/ip.h"

namespace vtep {

/// 20 bits (RFC 6437).
class FlowLabel {
 public:
  static constexpr std::uint32_t kMax = 0xfffff;

  constexpr FlowLabel() = default;
  /// Empty if `value` does not fit 20 bits.
  static constexpr std::optional<FlowLabel> from(std::uint64_t value) {
    if (value > kMax) return std::nullopt;
    return FlowLabel(static_cast<std::uint32_t>(value));
  }
  constexpr std::uint32_t value() const { return value_; }
  friend constexpr auto operator<=>(FlowLabel, FlowLabel) = default;

 private:
  explicit constexpr FlowLabel(std::uint32_t value) : value_(value) {}
  std::uint32_t value_ = 0;
};

/// A header as we write one.
struct Ipv6Header {
  static constexpr std::size_t kSize = 40;
  static constexpr std::size_t kMaxPayload = 65535;
  static constexpr std::size_t kVersionClassLabel = 0;
  static constexpr std::size_t kPayloadLength = 4;
  static constexpr std::size_t kNextHeader = 6;
  static constexpr std::size_t kHopLimit = 7;
  static constexpr std::size_t kSource = 8;
  static constexpr std::size_t kDestination = 24;

  Ipv6 source;
  Ipv6 destination;
  std::uint8_t next_header = 0;
  std::uint8_t hop_limit = 64;
  std::uint8_t traffic_class = 0;  ///< DSCP and ECN
  FlowLabel flow_label;

  /// Writes the header in front of a payload that is, or will be, in the rest of `datagram`. Precondition:
  /// kSize <= datagram.size() <= kSize + kMaxPayload.
  void emit(ByteSpan datagram) const;

  friend bool operator==(const Ipv6Header&, const Ipv6Header&) = default;
};

/// What stands behind the extension headers.
struct Ipv6Upper {
  std::uint8_t protocol = 0;
  /// Of the upper-layer header, from the start of the payload. Empty if there is none to read: in a fragment
  /// other than the first, behind "no next header", and where the chain is cut off or too long; `protocol` is
  /// then the number of what could not be read.
  std::optional<std::size_t> offset;
  bool fragment = false;  ///< there is a fragment header, and it says that this is not all (RFC 6946)

  friend bool operator==(const Ipv6Upper&, const Ipv6Upper&) = default;
};

/// The second and third byte of a fragment header (RFC 8200 section 4.5): offset in units of 8 bytes, M flag.
class Ipv6FragmentField {
 public:
  /// Precondition: `header` is a whole fragment header.
  explicit Ipv6FragmentField(ByteView header) : value_(load_be16(header.data() + 2)) {}
  /// In bytes.
  std::size_t offset() const { return value_ & 0xfff8U; }
  bool more() const { return (value_ & 1) != 0; }

 private:
  std::uint16_t value_;
};

/// RFC 8504 section 5.3 lets a node bound its work here; no sensible packet comes near this many headers.
inline constexpr int kMaxExtensionHeaders = 8;

/// Walks hop-by-hop, routing, fragment, destination options and authentication headers. Anything else is
/// taken for the upper layer. Borrows the bytes.
class ExtensionHeaderCursor {
 public:
  /// `next_header` is the type of what stands at the start of `payload`.
  ExtensionHeaderCursor(std::uint8_t next_header, ByteView payload) : payload_(payload) {
    upper_.protocol = next_header;
    upper_.offset = 0;
  }

  struct Header {
    std::uint8_t type;
    ByteView bytes;  ///< all of the header; at least 8
  };
  /// The next extension header; empty at the end, and behind the header of a fragment other than the first.
  std::optional<Header> next();
  /// What stands behind the headers walked so far; the upper layer once next() came back empty.
  const Ipv6Upper& upper() const { return upper_; }

 private:
  ByteView payload_;
  Ipv6Upper upper_;
  int walked_ = 0;
};

/// The whole walk at once.
Ipv6Upper walk_extension_headers(std::uint8_t next_header, ByteView payload);

/// Borrows the bytes it was parsed from.
class Ipv6View {
 public:
  /// Empty if the version is not 6 or the header is cut off. The payload length may exceed what is there (see
  /// is_truncated()) and may fall short of it (Ethernet padding). Jumbograms (RFC 2675) are not known.
  static std::optional<Ipv6View> parse(ByteView datagram);

  std::uint8_t traffic_class() const { return static_cast<std::uint8_t>(first_word() >> 20); }
  FlowLabel flow_label() const { return *FlowLabel::from(first_word() & FlowLabel::kMax); }
  std::uint16_t payload_length() const { return load_be16(bytes_.data() + Ipv6Header::kPayloadLength); }
  std::uint8_t next_header() const { return bytes_[Ipv6Header::kNextHeader]; }
  std::uint8_t hop_limit() const { return bytes_[Ipv6Header::kHopLimit]; }
  Ipv6 source() const { return Ipv6::load(bytes_.data() + Ipv6Header::kSource); }
  Ipv6 destination() const { return Ipv6::load(bytes_.data() + Ipv6Header::kDestination); }
  /// As far as the payload length says, or as far as there are bytes; extension headers included.
  ByteView payload() const { return bytes_.subspan(Ipv6Header::kSize); }
  /// The payload length promises more bytes than there are.
  bool is_truncated() const { return payload().size() < payload_length(); }
  Ipv6Upper upper() const { return walk_extension_headers(next_header(), payload()); }
  Ipv6Header header() const;

 private:
  explicit Ipv6View(ByteView bytes) : bytes_(bytes) {}
  std::uint32_t first_word() const { return load_be32(bytes_.data() + Ipv6Header::kVersionClassLabel); }
  ByteView bytes_;  // no longer than the payload length says
};

}  // namespace vtep
