// A link: one overlay interface, its VNI, and how its frames travel. Configuration is passive data; the
// engine holds what it derives from it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/ifindex.h"
#include "base/ip.h"
#include "base/mac.h"
#include "base/port.h"
#include "base/vni.h"
#include "engine/drop.h"

namespace vtep {

/// Inclusive range of outer source ports.
struct PortRange {
  Port min{49152};  ///< RFC 7348 section 5: the dynamic/private range is RECOMMENDED
  Port max{65535};

  friend bool operator==(const PortRange&, const PortRange&) = default;
};

struct LinkConfig {
  Vni vni{};
  Port port = kLinuxVxlanPort;  ///< on which we receive, and to which we send unless an entry says otherwise
  IpAddr local{};               ///< outer source; unspecified: the routing table's choice
  IfIndex device{};             ///< underlay device; not set: the routing table's choice
  std::optional<IpAddr> flood{};  ///< `group` or `remote`: a permanent remote of the all-zero entry
  PortRange source_ports{};
  std::uint8_t ttl = 0;        ///< 0: the system's default
  std::uint32_t ageing = 300;  ///< seconds; 0: never
  bool learning = true;
  MacAddr address{};         ///< of the interface: frames that claim to come from it are dropped
  std::uint32_t mtu = 1500;  ///< of the interface: IP bytes in a frame

  friend bool operator==(const LinkConfig&, const LinkConfig&) = default;
};

struct LinkCounters {
  std::uint64_t encapsulated_frames = 0;  ///< copies handed to the underlay
  std::uint64_t encapsulated_bytes = 0;   ///< inner bytes of those
  std::uint64_t decapsulated_frames = 0;  ///< frames handed to the interface
  std::uint64_t decapsulated_bytes = 0;
  std::uint64_t flooded_frames = 0;  ///< frames that went to the flood list, whatever its length
  std::uint64_t learned = 0;
  std::uint64_t moved = 0;
  std::uint64_t learn_refused = 0;  ///< not learned because the table holds its limit
  DropCounters drops;
};

}  // namespace vtep
