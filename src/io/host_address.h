// An address of an interface, as the kernel has it.
#pragma once

#include <cstdint>
#include <string>

#include "base/ifindex.h"
#include "base/ip.h"

namespace vtep {

struct HostAddress {
  IpAddr address;
  unsigned prefix_length = 0;  ///< of a point-to-point address: its peer's
  IfIndex device;
  /// RT_SCOPE_…: 0 global, 253 link, 254 host. Of an IPv6 address it follows from the address, and what is
  /// written here is not looked at.
  std::uint8_t scope = 0;

  friend bool operator==(const HostAddress&, const HostAddress&) = default;
};

/// `10.244.47.0/32 dev flannel.6000`
inline std::string to_string(const HostAddress& address, const std::string& device_name) {
  return address.address.to_string() + "/" + std::to_string(address.prefix_length) + " dev " + device_name;
}

}  // namespace vtep
