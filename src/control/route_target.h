// Route targets (RFC 4360 section 4): which VNIs of which hosts an EVPN route is for. Eight bytes of an
// extended community, of which people write the last six as two numbers: "65000:6000", "10.0.0.1:100",
// "70000:100".
//
// Passive data; pure.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/ip.h"
#include "base/vni.h"

namespace vtep {

struct RouteTarget {
  /// Of the first number (RFC 4360, RFC 5668).
  enum class Kind : std::uint8_t { kTwoOctetAs = 0, kIpv4 = 1, kFourOctetAs = 2 };

  Kind kind = Kind::kTwoOctetAs;
  std::uint32_t administrator = 0;  ///< an AS, or an IPv4 address
  std::uint32_t number = 0;         ///< 32 bits behind an AS of two octets, 16 bits behind the others

  friend auto operator<=>(const RouteTarget&, const RouteTarget&) = default;

  /// As FRR derives it: the lower 16 bits of the AS, and the VNI.
  static RouteTarget of_vni(std::uint32_t as, Vni vni);
  /// RFC 8365 section 5.1.2.1: the lower 16 bits of the AS; then a bit that says that it is derived, a type
  /// (VXLAN: 1), a domain (0), and the VNI.
  static RouteTarget of_vni_rfc8365(std::uint32_t as, Vni vni);
  /// Empty: it is neither.
  static std::optional<RouteTarget> parse(std::string_view text);
  std::string to_string() const;

  /// The VNI that it is derived from, whoever's AS it has, by either rule: hosts of several AS share VNIs
  /// (eBGP).
  std::optional<Vni> vni() const;
};

}  // namespace vtep
