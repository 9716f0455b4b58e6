#include "io/netlink_attributes.h"

#include <sys/socket.h>

#include <algorithm>

namespace vtep {
namespace {

constexpr std::size_t kHeader = 4;
constexpr std::uint16_t kTypeMask = 0x3fff;  // NLA_TYPE_MASK

}  // namespace

std::optional<IpAddr> NetlinkAttribute::ip(std::uint8_t family) const {
  if (family == AF_INET && payload.size() == Ipv4::kSize) return Ipv4::load(payload.data());
  if (family != AF_INET6 || payload.size() != Ipv6::kSize) return std::nullopt;
  const IpAddr address = Ipv6::load(payload.data());
  if (address.is_v4()) return std::nullopt;
  return address;
}

std::optional<NetlinkAttribute> NetlinkAttributes::next() {
  if (rest_.empty()) return std::nullopt;
  std::uint16_t length = 0;
  std::uint16_t type = 0;
  if (rest_.size() >= kHeader) {
    std::memcpy(&length, rest_.data(), sizeof(length));
    std::memcpy(&type, rest_.data() + 2, sizeof(type));
  }
  if (length < kHeader || length > rest_.size()) {
    damaged_ = true;
    rest_ = {};
    return std::nullopt;
  }
  const ByteView payload = rest_.subspan(kHeader, length - kHeader);
  // The last attribute may come without its padding.
  rest_ = rest_.subspan(std::min((std::size_t{length} + 3) & ~std::size_t{3}, rest_.size()));
  return NetlinkAttribute{static_cast<std::uint16_t>(type & kTypeMask), payload};
}

}  // namespace vtep
