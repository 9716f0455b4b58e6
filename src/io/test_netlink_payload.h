// For tests only: the payload of a netlink message in the making, in host order.
#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

#include "base/ip.h"

namespace vtep {

class NetlinkPayload {
 public:
  using Bytes = std::vector<std::uint8_t>;

  /// `header` is the family's fixed part.
  template <typename Header>
  explicit NetlinkPayload(const Header& header) : bytes_(bytes_of(header)) {}

  NetlinkPayload& add(std::uint16_t type, const Bytes& payload) {
    const Bytes attribute = attribute_of(type, payload);
    bytes_.insert(bytes_.end(), attribute.begin(), attribute.end());
    return *this;
  }
  NetlinkPayload& add_ip(std::uint16_t type, const IpAddr& address) {
    const auto& octets = address.octets();
    return add(type, Bytes(octets.begin() + (address.is_v4() ? 12 : 0), octets.end()));
  }
  const Bytes& bytes() const { return bytes_; }

  static Bytes attribute_of(std::uint16_t type, const Bytes& payload) {
    Bytes attribute = bytes_of(static_cast<std::uint16_t>(4 + payload.size()));
    const Bytes types = bytes_of(type);
    attribute.insert(attribute.end(), types.begin(), types.end());
    attribute.insert(attribute.end(), payload.begin(), payload.end());
    attribute.resize((attribute.size() + 3) / 4 * 4);
    return attribute;
  }
  template <typename T>
  static Bytes bytes_of(const T& value) {
    Bytes bytes(sizeof(value));
    std::memcpy(bytes.data(), &value, sizeof(value));
    return bytes;
  }

 private:
  Bytes bytes_;
};

}  // namespace vtep
