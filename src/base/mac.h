// An Ethernet (EUI-48) address.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace vtep {

class MacAddr {
 public:
  static constexpr std::size_t kSize = 6;

  constexpr MacAddr() = default;
  explicit constexpr MacAddr(const std::array<std::uint8_t, kSize>& octets) : octets_(octets) {}
  /// Precondition: six bytes can be read at `p`.
  static constexpr MacAddr load(const std::uint8_t* p) {
    return MacAddr({p[0], p[1], p[2], p[3], p[4], p[5]});
  }
  /// The address in the low 48 bits; the upper 16 are ignored.
  static constexpr MacAddr from_u64(std::uint64_t value) {
    MacAddr mac;
    store_be48(mac.octets_.data(), value);
    return mac;
  }
  /// Six groups of one or two hexadecimal digits, separated by colons or by dashes.
  static std::optional<MacAddr> parse(std::string_view text);

  constexpr void store(std::uint8_t* p) const {
    for (std::size_t i = 0; i < kSize; ++i) p[i] = octets_[i];
  }
  constexpr std::uint64_t to_u64() const { return load_be48(octets_.data()); }
  constexpr const std::array<std::uint8_t, kSize>& octets() const { return octets_; }
  /// `4a:bd:99:0c:09:b2`
  std::string to_string() const;

  constexpr bool is_zero() const { return to_u64() == 0; }
  constexpr bool is_broadcast() const { return to_u64() == 0xffffffffffff; }
  /// Group bit set: multicast or broadcast (IEEE 802 section 8.2).
  constexpr bool is_multicast() const { return (octets_[0] & 1) != 0; }
  /// May stand as the source of a frame: neither a group nor zero.
  constexpr bool is_unicast() const { return !is_multicast() && !is_zero(); }

  friend constexpr auto operator<=>(const MacAddr&, const MacAddr&) = default;

 private:
  std::array<std::uint8_t, kSize> octets_{};
};

inline constexpr MacAddr kBroadcastMac{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

}  // namespace vtep
