// An Ethernet (EUI-48) address.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace vtep {

class MacAddr {
 public:
  static constexpr std::size_t kSize = 6;

  constexpr MacAddr() = default;
  explicit constexpr MacAddr(const std::array<std::uint8_t, kSize>& octets)
      : value_(load_be48(octets.data())) {}
  /// Precondition: six bytes can be read at `p`.
  static constexpr MacAddr load(const std::uint8_t* p) { return from_u64(load_be48(p)); }
  /// The address in the low 48 bits; the upper 16 are ignored.
  static constexpr MacAddr from_u64(std::uint64_t value) {
    MacAddr mac;
    mac.value_ = value & 0xffffffffffff;
    return mac;
  }
  /// Six groups of one or two hexadecimal digits, separated by colons or by dashes.
  static std::optional<MacAddr> parse(std::string_view text);

  constexpr void store(std::uint8_t* p) const { store_be48(p, value_); }
  constexpr std::uint64_t to_u64() const { return value_; }
  constexpr std::array<std::uint8_t, kSize> octets() const {
    std::array<std::uint8_t, kSize> octets;
    store(octets.data());
    return octets;
  }
  /// `4a:bd:99:0c:09:b2`
  std::string to_string() const;

  constexpr bool is_zero() const { return value_ == 0; }
  constexpr bool is_broadcast() const { return value_ == 0xffffffffffff; }
  /// Group bit set: multicast or broadcast (IEEE 802 section 8.2).
  constexpr bool is_multicast() const { return (value_ >> 40 & 1) != 0; }
  /// May stand as the source of a frame: neither a group nor zero.
  constexpr bool is_unicast() const { return !is_multicast() && !is_zero(); }

  friend constexpr auto operator<=>(const MacAddr&, const MacAddr&) = default;

 private:
  std::uint64_t value_ = 0;  // a number, not six bytes: it is hashed and compared for every frame
};

inline constexpr MacAddr kBroadcastMac{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

}  // namespace vtep
