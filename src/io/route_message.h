// The payload of RTM_NEWROUTE and RTM_DELROUTE: a struct rtmsg and attributes. Reading is pure.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "io/host_route.h"
#include "io/netlink_socket.h"

namespace vtep {

struct RouteMessage {
  std::uint32_t table = 0;  ///< RT_TABLE_…
  HostRoute route;
};

/// Empty if `payload` is damaged, about no IPv4 or IPv6 route, or about one that is only for some packets to
/// its destination (by source, by TOS) or a cached copy: the kernel keeps those apart from a HostRoute.
std::optional<RouteMessage> parse_route(ByteView payload);

/// Adds the route to the main table, or replaces what holds its place; `flags` are NLM_F_….
NetlinkRequest new_route_request(int flags, const HostRoute& route);
/// Removes the route from the main table. A gateway or device that is not given may be any.
NetlinkRequest delete_route_request(const HostRoute& route);

}  // namespace vtep
