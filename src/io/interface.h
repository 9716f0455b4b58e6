// What the kernel says about a network interface (RTM_NEWLINK), as plain data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/ifindex.h"
#include "base/mac.h"

namespace vtep {

/// The counters of `ip -s -s link`: struct rtnl_link_stats64 in host terms.
struct InterfaceStats {
  std::uint64_t rx_bytes = 0, rx_packets = 0, rx_errors = 0, rx_dropped = 0, rx_missed = 0, multicast = 0;
  std::uint64_t rx_length_errors = 0, rx_crc_errors = 0, rx_frame_errors = 0, rx_fifo_errors = 0,
                rx_over_errors = 0;
  std::uint64_t tx_bytes = 0, tx_packets = 0, tx_errors = 0, tx_dropped = 0, tx_carrier_errors = 0,
                collisions = 0;
  std::uint64_t tx_aborted_errors = 0, tx_fifo_errors = 0, tx_window_errors = 0, tx_heartbeat_errors = 0,
                carrier_changes = 0;
};

/// Fields that old kernels do not send stay empty.
struct Interface {
  IfIndex index;
  std::string name;
  std::string kind;         ///< IFLA_INFO_KIND: "tun", "veth", "vxlan", …; empty for a physical device
  std::uint32_t flags = 0;  ///< IFF_*
  std::uint32_t mtu = 0;
  MacAddr address;
  MacAddr broadcast;
  std::string qdisc;
  std::uint8_t operstate = 0;  ///< IF_OPER_* (RFC 2863)
  std::uint8_t linkmode = 0;
  std::uint32_t group = 0;
  std::uint32_t tx_queue_length = 0;
  std::optional<IfIndex> master;
  std::optional<std::uint32_t> promiscuity, allmulti, min_mtu, max_mtu, tx_queues, rx_queues;
  std::optional<std::uint32_t> gso_max_size, gso_max_segs, tso_max_size, tso_max_segs, gro_max_size;
  std::optional<std::uint8_t> addr_gen_mode;
  InterfaceStats stats;

  bool is_up() const { return (flags & 1) != 0; }              ///< IFF_UP
  bool is_running() const { return (flags & (1 << 6)) != 0; }  ///< IFF_RUNNING: up, and has a carrier
};

}  // namespace vtep
