#include "control/route_target.h"

#include <fmt/format.h>

#include "base/number.h"

namespace vtep {
namespace {

constexpr std::uint32_t kMax16 = 0xffff;
constexpr std::uint32_t kMax32 = 0xffffffff;
// The local administrator's four bytes (RFC 8365 section 5.1.2.1): A (1 bit, 0: derived), type (3 bits),
// domain (4 bits), ID.
constexpr std::uint32_t kVxlanType = 1U << 28;

}  // namespace

RouteTarget RouteTarget::of_vni(std::uint32_t as, Vni vni) {
  return {.administrator = as & kMax16, .number = vni.value()};
}

RouteTarget RouteTarget::of_vni_rfc8365(std::uint32_t as, Vni vni) {
  return {.administrator = as & kMax16, .number = kVxlanType | vni.value()};
}

std::optional<RouteTarget> RouteTarget::parse(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view first = text.substr(0, colon);
  const std::string_view second = text.substr(colon + 1);
  if (const auto as = parse_number(first, kMax32)) {
    const bool is_short = *as <= kMax16;
    const auto number = parse_number(second, is_short ? kMax32 : kMax16);
    if (!number) return std::nullopt;
    return RouteTarget{.kind = is_short ? Kind::kTwoOctetAs : Kind::kFourOctetAs,
                       .administrator = static_cast<std::uint32_t>(*as),
                       .number = static_cast<std::uint32_t>(*number)};
  }
  const auto address = IpAddr::parse(first);
  const auto number = parse_number(second, kMax16);
  if (!address || !address->is_v4() || !number) return std::nullopt;
  return RouteTarget{.kind = Kind::kIpv4,
                     .administrator = address->v4().value(),
                     .number = static_cast<std::uint32_t>(*number)};
}

std::string RouteTarget::to_string() const {
  if (kind == Kind::kIpv4) return fmt::format("{}:{}", Ipv4(administrator).to_string(), number);
  return fmt::format("{}:{}", administrator, number);
}

std::optional<Vni> RouteTarget::vni() const {
  if (kind != Kind::kTwoOctetAs) return std::nullopt;
  if (const auto plain = Vni::from(number)) return plain;
  if ((number & ~Vni::kMax) == kVxlanType) return Vni::from(number & Vni::kMax);
  return std::nullopt;
}

}  // namespace vtep
