#include "base/ip.h"

#include <arpa/inet.h>

namespace vtep {
namespace {

/// inet_pton wants a terminated string; an address longer than this is none.
constexpr std::size_t kMaxText = INET6_ADDRSTRLEN;

bool pton(int family, std::string_view text, std::uint8_t* out) {
  if (text.size() >= kMaxText || text.find('\0') != std::string_view::npos) return false;
  return inet_pton(family, std::string(text).c_str(), out) == 1;
}

std::string ntop(int family, const std::uint8_t* octets) {
  char text[kMaxText] = {};
  inet_ntop(family, octets, text, sizeof text);
  return text;
}

}  // namespace

std::optional<Ipv4> Ipv4::parse(std::string_view text) {
  std::uint8_t octets[kSize];
  if (!pton(AF_INET, text, octets)) return std::nullopt;
  return load(octets);
}

std::string Ipv4::to_string() const {
  std::uint8_t octets[kSize];
  store(octets);
  return ntop(AF_INET, octets);
}

std::optional<Ipv6> Ipv6::parse(std::string_view text) {
  Octets octets;
  if (!pton(AF_INET6, text, octets.data())) return std::nullopt;
  return Ipv6(octets);
}

std::string Ipv6::to_string() const {
  return ntop(AF_INET6, octets_.data());
}

std::optional<IpAddr> IpAddr::parse(std::string_view text) {
  if (const auto v4 = Ipv4::parse(text)) return IpAddr(*v4);
  const auto v6 = Ipv6::parse(text);
  if (!v6 || IpAddr(*v6).is_v4()) return std::nullopt;
  return IpAddr(*v6);
}

std::string IpAddr::to_string() const {
  return is_v4() ? v4().to_string() : v6().to_string();
}

}  // namespace vtep
