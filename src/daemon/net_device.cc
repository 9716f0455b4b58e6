#include "daemon/net_device.h"

namespace vtep {
namespace {

v1::NetDeviceStats to_proto(const InterfaceStats& stats) {
  v1::NetDeviceStats out;
  out.set_rx_bytes(stats.rx_bytes);
  out.set_rx_packets(stats.rx_packets);
  out.set_rx_errors(stats.rx_errors);
  out.set_rx_dropped(stats.rx_dropped);
  out.set_rx_missed(stats.rx_missed);
  out.set_multicast(stats.multicast);
  out.set_rx_length_errors(stats.rx_length_errors);
  out.set_rx_crc_errors(stats.rx_crc_errors);
  out.set_rx_frame_errors(stats.rx_frame_errors);
  out.set_rx_fifo_errors(stats.rx_fifo_errors);
  out.set_rx_over_errors(stats.rx_over_errors);
  out.set_tx_bytes(stats.tx_bytes);
  out.set_tx_packets(stats.tx_packets);
  out.set_tx_errors(stats.tx_errors);
  out.set_tx_dropped(stats.tx_dropped);
  out.set_tx_carrier_errors(stats.tx_carrier_errors);
  out.set_collisions(stats.collisions);
  out.set_tx_aborted_errors(stats.tx_aborted_errors);
  out.set_tx_fifo_errors(stats.tx_fifo_errors);
  out.set_tx_window_errors(stats.tx_window_errors);
  out.set_tx_heartbeat_errors(stats.tx_heartbeat_errors);
  out.set_carrier_changes(stats.carrier_changes);
  return out;
}

}  // namespace

v1::NetDevice to_proto(const Interface& interface, const std::string& master) {
  v1::NetDevice out;
  out.set_ifindex(interface.index.value());
  out.set_flags(interface.flags);
  out.set_mtu(interface.mtu);
  out.set_qdisc(interface.qdisc);
  out.set_operstate(interface.operstate);
  out.set_linkmode(interface.linkmode);
  out.set_group(interface.group);
  out.set_txqlen(interface.tx_queue_length);
  out.set_address(interface.address.to_string());
  out.set_broadcast(interface.broadcast.to_string());
  if (interface.promiscuity) out.set_promiscuity(*interface.promiscuity);
  if (interface.allmulti) out.set_allmulti(*interface.allmulti);
  if (interface.min_mtu) out.set_min_mtu(*interface.min_mtu);
  if (interface.max_mtu) out.set_max_mtu(*interface.max_mtu);
  if (interface.tx_queues) out.set_num_tx_queues(*interface.tx_queues);
  if (interface.rx_queues) out.set_num_rx_queues(*interface.rx_queues);
  if (interface.gso_max_size) out.set_gso_max_size(*interface.gso_max_size);
  if (interface.gso_max_segs) out.set_gso_max_segs(*interface.gso_max_segs);
  if (interface.tso_max_size) out.set_tso_max_size(*interface.tso_max_size);
  if (interface.tso_max_segs) out.set_tso_max_segs(*interface.tso_max_segs);
  if (interface.gro_max_size) out.set_gro_max_size(*interface.gro_max_size);
  if (interface.addr_gen_mode) out.set_addr_gen_mode(*interface.addr_gen_mode);
  *out.mutable_stats() = to_proto(interface.stats);
  out.set_master(master);
  return out;
}

}  // namespace vtep
