#include "base/prefix.h"

#include "base/number.h"

namespace vtep {
namespace {

/// Clears all but the first `bits` bits of the family's own address.
IpAddr masked(const IpAddr& address, unsigned bits) {
  if (address.is_v4()) {
    const std::uint32_t mask = bits == 0 ? 0 : ~std::uint32_t{0} << (32 - bits);
    return Ipv4(address.v4().value() & mask);
  }
  Ipv6::Octets octets = address.octets();
  for (unsigned i = 0; i < octets.size(); ++i) {
    const unsigned kept = bits > 8 * i ? std::min(bits - 8 * i, 8U) : 0;
    octets[i] = static_cast<std::uint8_t>(octets[i] & (0xff00 >> kept));
  }
  return Ipv6(octets);
}

}  // namespace

std::optional<Prefix> Prefix::from(IpAddr address, unsigned length) {
  if (length > (address.is_v4() ? 32U : 128U)) return std::nullopt;
  Prefix prefix;
  prefix.address_ = masked(address, length);
  prefix.length_ = length;
  return prefix;
}

std::optional<Prefix> Prefix::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = IpAddr::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  if (slash == std::string_view::npos) return from(*address, address->is_v4() ? 32 : 128);
  const auto length = parse_number(text.substr(slash + 1), 128);
  if (!length) return std::nullopt;
  return from(*address, static_cast<unsigned>(*length));
}

bool Prefix::contains(const IpAddr& address) const {
  return address.is_v4() == address_.is_v4() && masked(address, length_) == address_;
}

std::string Prefix::to_string() const {
  return address_.to_string() + "/" + std::to_string(length_);
}

}  // namespace vtep
