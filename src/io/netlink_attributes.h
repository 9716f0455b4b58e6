// Walks the attributes of a netlink message (struct nlattr, include/uapi/linux/netlink.h) and never leaves
// them.
//
//    0                   2                   4
//   +-------------------+-------------------+---------------------- - - -+
//   | length (with this | type, with flags  | payload, padded to a        |
//   | header)           | NESTED, BYTEORDER | multiple of four            |
//   +-------------------+-------------------+---------------------- - - -+
//
// Host byte order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/ip.h"

namespace vtep {

struct NetlinkAttribute {
  std::uint16_t type = 0;  ///< without the flags
  ByteView payload;

  /// The payload as a number in host order; empty if it has another size.
  template <typename T>
  std::optional<T> number() const {
    if (payload.size() != sizeof(T)) return std::nullopt;
    T value;
    std::memcpy(&value, payload.data(), sizeof(T));
    return value;
  }
  /// The payload as an address of `family` (AF_INET, AF_INET6); empty if it has another size, or is an IPv4
  /// address in IPv6's clothes.
  std::optional<IpAddr> ip(std::uint8_t family) const;
  /// The payload up to its first zero byte.
  std::string text() const {
    const void* end = payload.empty() ? nullptr : std::memchr(payload.data(), 0, payload.size());
    const std::size_t size =
        end == nullptr ? payload.size()
                       : static_cast<std::size_t>(static_cast<const std::uint8_t*>(end) - payload.data());
    return {payload.begin(), payload.begin() + static_cast<std::ptrdiff_t>(size)};
  }
};

/// `while (auto attribute = reader.next()) …`. Ends early, with damaged(), at the first that does not fit.
class NetlinkAttributes {
 public:
  explicit NetlinkAttributes(ByteView bytes) : rest_(bytes) {}

  std::optional<NetlinkAttribute> next();
  bool damaged() const { return damaged_; }

 private:
  ByteView rest_;
  bool damaged_ = false;
};

}  // namespace vtep
