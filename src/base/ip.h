// IPv4 and IPv6 addresses, and one type that holds either.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace vtep {

/// An IPv4 address; the value is in host byte order.
class Ipv4 {
 public:
  static constexpr std::size_t kSize = 4;

  constexpr Ipv4() = default;
  explicit constexpr Ipv4(std::uint32_t value) : value_(value) {}
  constexpr Ipv4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d)
      : value_(std::uint32_t{a} << 24 | std::uint32_t{b} << 16 | std::uint32_t{c} << 8 | d) {}
  /// Precondition: four bytes can be read at `p`.
  static constexpr Ipv4 load(const std::uint8_t* p) { return Ipv4(load_be32(p)); }
  /// Dotted quad, all four parts.
  static std::optional<Ipv4> parse(std::string_view text);

  constexpr void store(std::uint8_t* p) const { store_be32(p, value_); }
  constexpr std::uint32_t value() const { return value_; }
  std::string to_string() const;

  constexpr bool is_unspecified() const { return value_ == 0; }
  /// 224.0.0.0/4 (RFC 5771).
  constexpr bool is_multicast() const { return value_ >> 28 == 0xe; }

  friend constexpr auto operator<=>(Ipv4, Ipv4) = default;

 private:
  std::uint32_t value_ = 0;
};

class Ipv6 {
 public:
  static constexpr std::size_t kSize = 16;
  using Octets = std::array<std::uint8_t, kSize>;

  constexpr Ipv6() = default;
  explicit constexpr Ipv6(const Octets& octets) : octets_(octets) {}
  /// Precondition: 16 bytes can be read at `p`.
  static constexpr Ipv6 load(const std::uint8_t* p) {
    Octets octets{};
    for (std::size_t i = 0; i < kSize; ++i) octets[i] = p[i];
    return Ipv6(octets);
  }
  /// The text forms of RFC 4291 section 2.2, without a zone.
  static std::optional<Ipv6> parse(std::string_view text);

  constexpr void store(std::uint8_t* p) const {
    for (std::size_t i = 0; i < kSize; ++i) p[i] = octets_[i];
  }
  constexpr const Octets& octets() const { return octets_; }
  /// The canonical form of RFC 5952.
  std::string to_string() const;

  constexpr bool is_unspecified() const { return *this == Ipv6(); }
  /// ff00::/8 (RFC 4291 section 2.7).
  constexpr bool is_multicast() const { return octets_[0] == 0xff; }
  /// fe80::/10
  constexpr bool is_link_local() const { return octets_[0] == 0xfe && (octets_[1] & 0xc0) == 0x80; }

  friend constexpr auto operator<=>(const Ipv6&, const Ipv6&) = default;

 private:
  Octets octets_{};
};

/// Either family in 16 bytes. IPv4 is held as ::ffff:a.b.c.d (RFC 4291 section 2.5.5.2), which is never a
/// legal address of an IPv6 VTEP, so the two cannot be confused. A default one is the unspecified `::`.
class IpAddr {
 public:
  constexpr IpAddr() = default;
  constexpr IpAddr(Ipv4 v4) {  // NOLINT(google-explicit-constructor): an Ipv4 is an IpAddr
    octets_[10] = octets_[11] = 0xff;
    v4.store(octets_.data() + 12);
  }
  constexpr IpAddr(const Ipv6& v6) : octets_(v6.octets()) {}  // NOLINT(google-explicit-constructor)
  /// Either family; IPv4-mapped IPv6 text is refused.
  static std::optional<IpAddr> parse(std::string_view text);

  constexpr bool is_v4() const {
    return load_be64(octets_.data()) == 0 && load_be32(octets_.data() + 8) == 0xffff;
  }
  constexpr bool is_v6() const { return !is_v4(); }
  /// Precondition: is_v4().
  constexpr Ipv4 v4() const { return Ipv4::load(octets_.data() + 12); }
  /// Precondition: is_v6().
  constexpr Ipv6 v6() const { return Ipv6(octets_); }
  constexpr const Ipv6::Octets& octets() const { return octets_; }

  constexpr bool is_unspecified() const { return is_v4() ? v4().is_unspecified() : v6().is_unspecified(); }
  constexpr bool is_multicast() const { return is_v4() ? v4().is_multicast() : v6().is_multicast(); }
  std::string to_string() const;

  friend constexpr auto operator<=>(const IpAddr&, const IpAddr&) = default;
  /// Asked for every packet: in two words, not sixteen bytes.
  friend constexpr bool operator==(const IpAddr& a, const IpAddr& b) {
    return load_be64(a.octets_.data()) == load_be64(b.octets_.data()) &&
           load_be64(a.octets_.data() + 8) == load_be64(b.octets_.data() + 8);
  }

 private:
  Ipv6::Octets octets_{};
};

}  // namespace vtep
