// Ethernet frames without preamble and frame check sequence, as a TAP or a VXLAN tunnel carries them.
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                      Destination Address                      |
//   +                               +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                               |                               |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+                               +
//   |                        Source Address                         |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |           Ethertype           |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
#pragma once

#include <cassert>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/mac.h"
#include "wire/ethertype.h"

namespace vtep {

struct EthernetHeader {
  static constexpr std::size_t kSize = 14;
  static constexpr std::size_t kDestination = 0;
  static constexpr std::size_t kSource = 6;
  static constexpr std::size_t kEthertype = 12;

  MacAddr destination;
  MacAddr source;
  std::uint16_t ethertype = 0;

  /// Precondition: out.size() >= kSize.
  constexpr void emit(ByteSpan out) const {
    assert(out.size() >= kSize);
    destination.store(out.data() + kDestination);
    source.store(out.data() + kSource);
    store_be16(out.data() + kEthertype, ethertype);
  }

  friend bool operator==(const EthernetHeader&, const EthernetHeader&) = default;
};

/// Borrows the bytes it was parsed from.
class EthernetView {
 public:
  /// Empty if the frame is shorter than a header. The minimum of 46 payload bytes is the business of real
  /// wires.
  static constexpr std::optional<EthernetView> parse(ByteView frame) {
    if (frame.size() < EthernetHeader::kSize) return std::nullopt;
    return EthernetView(frame);
  }

  constexpr MacAddr destination() const {
    return MacAddr::load(bytes_.data() + EthernetHeader::kDestination);
  }
  constexpr MacAddr source() const { return MacAddr::load(bytes_.data() + EthernetHeader::kSource); }
  /// The first one: of a tagged frame, the tag's.
  constexpr std::uint16_t ethertype() const { return load_be16(bytes_.data() + EthernetHeader::kEthertype); }
  constexpr ByteView payload() const { return bytes_.subspan(EthernetHeader::kSize); }
  constexpr EthernetHeader header() const { return {destination(), source(), ethertype()}; }

 private:
  explicit constexpr EthernetView(ByteView bytes) : bytes_(bytes) {}
  ByteView bytes_;
};

}  // namespace vtep
