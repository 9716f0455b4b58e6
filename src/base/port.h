// UDP and TCP port numbers, in host byte order.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>

namespace vtep {

class Port {
 public:
  constexpr Port() = default;
  explicit constexpr Port(std::uint16_t value) : value_(value) {}
  /// Empty if `value` does not fit 16 bits.
  static constexpr std::optional<Port> from(std::uint64_t value) {
    if (value > 0xffff) return std::nullopt;
    return Port(static_cast<std::uint16_t>(value));
  }
  constexpr std::uint16_t value() const { return value_; }
  constexpr bool is_zero() const { return value_ == 0; }
  friend constexpr auto operator<=>(Port, Port) = default;

 private:
  std::uint16_t value_ = 0;
};

/// Assigned by IANA for VXLAN (RFC 7348 section 8).
inline constexpr Port kIanaVxlanPort{4789};
/// What Linux and flannel use when nobody says otherwise.
inline constexpr Port kLinuxVxlanPort{8472};

}  // namespace vtep
