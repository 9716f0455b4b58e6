// The payload of RTM_NEWADDR and RTM_DELADDR: a struct ifaddrmsg and attributes. Reading is pure.
#pragma once

#include <optional>

#include "base/bytes.h"
#include "io/host_address.h"
#include "io/netlink_socket.h"

namespace vtep {

/// Empty if `payload` is damaged, or about no IPv4 or IPv6 address.
std::optional<HostAddress> parse_address(ByteView payload);

/// `type` is RTM_NEWADDR or RTM_DELADDR, `flags` as NetlinkRequest has them.
NetlinkRequest address_request(int type, int flags, const HostAddress& address);

}  // namespace vtep
