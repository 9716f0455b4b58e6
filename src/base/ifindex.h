// The kernel's number for a network interface; 0 means "not given".
#pragma once

#include <compare>
#include <cstdint>

namespace vtep {

class IfIndex {
 public:
  constexpr IfIndex() = default;
  explicit constexpr IfIndex(std::uint32_t value) : value_(value) {}
  constexpr std::uint32_t value() const { return value_; }
  constexpr bool is_set() const { return value_ != 0; }
  friend constexpr auto operator<=>(IfIndex, IfIndex) = default;

 private:
  std::uint32_t value_ = 0;
};

}  // namespace vtep
