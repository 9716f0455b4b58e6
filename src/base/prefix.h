// An address and a prefix length: 10.138.36.0/23.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/ip.h"

namespace vtep {

class Prefix {
 public:
  constexpr Prefix() = default;
  /// Bits of `address` beyond `length` are cleared. Empty if `length` exceeds the family's size in bits.
  static std::optional<Prefix> from(IpAddr address, unsigned length);
  /// `10.0.0.0/8`, `fd00::/8`; a bare address means its full length.
  static std::optional<Prefix> parse(std::string_view text);

  const IpAddr& address() const { return address_; }
  /// In bits of the address's own family: 0–32 or 0–128.
  unsigned length() const { return length_; }
  /// False for an address of the other family.
  bool contains(const IpAddr& address) const;
  /// All addresses of `other`.
  bool contains(const Prefix& other) const { return other.length_ >= length_ && contains(other.address_); }
  std::string to_string() const;

  friend auto operator<=>(const Prefix&, const Prefix&) = default;

 private:
  IpAddr address_;
  unsigned length_ = 0;
};

}  // namespace vtep
