// Reads the payload of RTM_NEWLINK and RTM_DELLINK: a struct ifinfomsg and attributes. Pure.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/port.h"
#include "io/interface.h"

namespace vtep {

struct LinkMessage {
  /// AF_UNSPEC for the interface itself. AF_BRIDGE means that a bridge speaks about its port: a "deleted"
  /// link of that family has only left the bridge.
  std::uint8_t family = 0;
  Interface interface;

  // What only some kinds have (IFLA_INFO_DATA).
  std::optional<Port> vxlan_port;  ///< UDP destination port
  std::optional<std::uint32_t> vxlan_vni;
  std::optional<std::uint8_t> tun_type;     ///< IFF_TUN or IFF_TAP
  std::optional<std::uint32_t> tun_queues;  ///< files attached; only multi-queue interfaces say so
};

/// Empty if `payload` is damaged or has no interface index. Unknown attributes are skipped.
std::optional<LinkMessage> parse_link(ByteView payload);

}  // namespace vtep
