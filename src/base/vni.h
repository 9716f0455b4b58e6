// VXLAN network identifier (RFC 7348 section 5): 24 bits that name one overlay segment.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>

namespace vtep {

class Vni {
 public:
  static constexpr std::uint32_t kMax = 0xffffff;

  constexpr Vni() = default;
  /// Empty if `value` does not fit 24 bits.
  static constexpr std::optional<Vni> from(std::uint64_t value) {
    if (value > kMax) return std::nullopt;
    return Vni(static_cast<std::uint32_t>(value));
  }
  constexpr std::uint32_t value() const { return value_; }
  friend constexpr auto operator<=>(Vni, Vni) = default;

 private:
  friend constexpr Vni operator""_vni(unsigned long long);
  explicit constexpr Vni(std::uint32_t value) : value_(value) {}
  std::uint32_t value_ = 0;
};

/// For constants; wraps at 24 bits.
constexpr Vni operator""_vni(unsigned long long value) {
  return Vni(static_cast<std::uint32_t>(value & Vni::kMax));
}

}  // namespace vtep
