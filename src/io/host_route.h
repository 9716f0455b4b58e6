// A route of the host's main table, as far as we set and compare it.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/ifindex.h"
#include "base/ip.h"
#include "base/prefix.h"

namespace vtep {

/// rtm_protocol of our routes: who set a route is who may remove it. 86 is 'V', and nobody's: neither
/// linux/rtnetlink.h nor iproute2's rt_protos has it. `ip route show proto 86` lists them.
inline constexpr std::uint8_t kRouteProtocol = 86;

/// rtm_type (RTN_UNICAST): packets are sent on. Others discard them (RTN_BLACKHOLE, …).
inline constexpr std::uint8_t kUnicastRoute = 1;

/// Equal to what the kernel lists after it has been set. Left out is what we never set and what changes
/// nothing about where packets go; an IPv4 route's scope is that of `ip route`: link without a gateway, else
/// global.
struct HostRoute {
  Prefix destination;
  /// Empty: the destination is on the link. A route over several next hops has neither gateway nor device
  /// here.
  std::optional<IpAddr> gateway = std::nullopt;
  IfIndex device = IfIndex(0);
  bool onlink = false;  ///< the gateway is on the link, though no address of the device says so
  std::uint8_t type = kUnicastRoute;
  std::uint8_t protocol = kRouteProtocol;
  /// Of two routes to one destination the lower counts. 0 is the family's default; 1024, which that is for
  /// IPv6, is written and read as 0.
  std::uint32_t metric = 0;

  friend auto operator<=>(const HostRoute&, const HostRoute&) = default;
};

/// `10.244.1.0/24 via 10.244.1.0 dev flannel.6000 metric 5`
std::string to_string(const HostRoute& route, std::string_view device_name);

}  // namespace vtep
