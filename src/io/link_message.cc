#include "io/link_message.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <cstring>

#include "io/netlink_attributes.h"

namespace vtep {
namespace {

// struct ifinfomsg
constexpr std::size_t kFamily = 0;
constexpr std::size_t kIndex = 4;
constexpr std::size_t kFlags = 8;
constexpr std::size_t kHeaderSize = sizeof(ifinfomsg);
static_assert(kHeaderSize == 16);

std::uint32_t load32(const std::uint8_t* p) {
  std::uint32_t value = 0;
  std::memcpy(&value, p, sizeof(value));
  return value;
}

void read_mac(const NetlinkAttribute& attribute, MacAddr& mac) {
  // A tunnel's "address" may be an IP address.
  if (attribute.payload.size() == MacAddr::kSize) mac = MacAddr::load(attribute.payload.data());
}

template <typename T>
void read_number(const NetlinkAttribute& attribute, T& value) {
  if (const auto number = attribute.number<T>()) value = *number;
}

template <typename T>
void read_number(const NetlinkAttribute& attribute, std::optional<T>& value) {
  value = attribute.number<T>();
}

/// struct rtnl_link_stats64: counters of 64 bits, and kernels append new ones.
void read_stats(ByteView payload, InterfaceStats& stats) {
  std::uint64_t* const fields[] = {
      &stats.rx_packets,        &stats.tx_packets,        &stats.rx_bytes,         &stats.tx_bytes,
      &stats.rx_errors,         &stats.tx_errors,         &stats.rx_dropped,       &stats.tx_dropped,
      &stats.multicast,         &stats.collisions,        &stats.rx_length_errors, &stats.rx_over_errors,
      &stats.rx_crc_errors,     &stats.rx_frame_errors,   &stats.rx_fifo_errors,   &stats.rx_missed,
      &stats.tx_aborted_errors, &stats.tx_carrier_errors, &stats.tx_fifo_errors,   &stats.tx_heartbeat_errors,
      &stats.tx_window_errors,
  };
  std::size_t offset = 0;
  for (std::uint64_t* field : fields) {
    if (offset + sizeof(*field) > payload.size()) return;
    std::memcpy(field, payload.data() + offset, sizeof(*field));
    offset += sizeof(*field);
  }
}

/// A be16, as VXLAN has its ports in netlink.
std::optional<Port> read_port(const NetlinkAttribute& attribute) {
  if (attribute.payload.size() != 2) return std::nullopt;
  return Port(load_be16(attribute.payload.data()));
}

bool read_vxlan(ByteView data, LinkMessage& link) {
  NetlinkAttributes attributes(data);
  while (const auto attribute = attributes.next()) {
    if (attribute->type == IFLA_VXLAN_ID) read_number(*attribute, link.vxlan_vni);
    if (attribute->type == IFLA_VXLAN_PORT) link.vxlan_port = read_port(*attribute);
  }
  return !attributes.damaged();
}

bool read_tun(ByteView data, LinkMessage& link) {
  NetlinkAttributes attributes(data);
  while (const auto attribute = attributes.next()) {
    if (attribute->type == IFLA_TUN_TYPE) read_number(*attribute, link.tun_type);
    if (attribute->type == IFLA_TUN_NUM_QUEUES) read_number(*attribute, link.tun_queues);
  }
  return !attributes.damaged();
}

bool read_link_info(ByteView info, LinkMessage& link) {
  ByteView data;
  NetlinkAttributes attributes(info);
  while (const auto attribute = attributes.next()) {
    if (attribute->type == IFLA_INFO_KIND) link.interface.kind = attribute->text();
    if (attribute->type == IFLA_INFO_DATA) data = attribute->payload;
  }
  if (attributes.damaged()) return false;
  if (link.interface.kind == "vxlan") return read_vxlan(data, link);
  if (link.interface.kind == "tun") return read_tun(data, link);
  return true;
}

/// IFLA_AF_SPEC holds one nest a family; IPv6's has the address generation mode.
bool read_af_spec(ByteView spec, Interface& interface) {
  NetlinkAttributes families(spec);
  while (const auto family = families.next()) {
    if (family->type != AF_INET6) continue;
    NetlinkAttributes attributes(family->payload);
    while (const auto attribute = attributes.next()) {
      if (attribute->type == IFLA_INET6_ADDR_GEN_MODE) read_number(*attribute, interface.addr_gen_mode);
    }
    if (attributes.damaged()) return false;
  }
  return !families.damaged();
}

/// False if a nest inside is damaged.
bool read_attribute(const NetlinkAttribute& attribute, LinkMessage& link) {
  Interface& interface = link.interface;
  switch (attribute.type) {
    case IFLA_IFNAME:
      interface.name = attribute.text();
      break;
    case IFLA_ADDRESS:
      read_mac(attribute, interface.address);
      break;
    case IFLA_BROADCAST:
      read_mac(attribute, interface.broadcast);
      break;
    case IFLA_MTU:
      read_number(attribute, interface.mtu);
      break;
    case IFLA_QDISC:
      interface.qdisc = attribute.text();
      break;
    case IFLA_OPERSTATE:
      read_number(attribute, interface.operstate);
      break;
    case IFLA_LINKMODE:
      read_number(attribute, interface.linkmode);
      break;
    case IFLA_GROUP:
      read_number(attribute, interface.group);
      break;
    case IFLA_TXQLEN:
      read_number(attribute, interface.tx_queue_length);
      break;
    case IFLA_MASTER:
      if (const auto index = attribute.number<std::uint32_t>()) interface.master = IfIndex(*index);
      break;
    case IFLA_PROMISCUITY:
      read_number(attribute, interface.promiscuity);
      break;
    case IFLA_ALLMULTI:
      read_number(attribute, interface.allmulti);
      break;
    case IFLA_MIN_MTU:
      read_number(attribute, interface.min_mtu);
      break;
    case IFLA_MAX_MTU:
      read_number(attribute, interface.max_mtu);
      break;
    case IFLA_NUM_TX_QUEUES:
      read_number(attribute, interface.tx_queues);
      break;
    case IFLA_NUM_RX_QUEUES:
      read_number(attribute, interface.rx_queues);
      break;
    case IFLA_GSO_MAX_SIZE:
      read_number(attribute, interface.gso_max_size);
      break;
    case IFLA_GSO_MAX_SEGS:
      read_number(attribute, interface.gso_max_segs);
      break;
    case IFLA_TSO_MAX_SIZE:
      read_number(attribute, interface.tso_max_size);
      break;
    case IFLA_TSO_MAX_SEGS:
      read_number(attribute, interface.tso_max_segs);
      break;
    case IFLA_GRO_MAX_SIZE:
      read_number(attribute, interface.gro_max_size);
      break;
    case IFLA_STATS64:
      read_stats(attribute.payload, interface.stats);
      break;
    case IFLA_CARRIER_CHANGES:
      if (const auto changes = attribute.number<std::uint32_t>()) interface.stats.carrier_changes = *changes;
      break;
    case IFLA_LINKINFO:
      return read_link_info(attribute.payload, link);
    case IFLA_AF_SPEC:
      // A bridge's messages hold another nest under this number.
      if (link.family == AF_UNSPEC) return read_af_spec(attribute.payload, interface);
      break;
    default:
      break;
  }
  return true;
}

}  // namespace

std::optional<LinkMessage> parse_link(ByteView payload) {
  if (payload.size() < kHeaderSize) return std::nullopt;
  LinkMessage link;
  link.family = payload[kFamily];
  link.interface.index = IfIndex(load32(payload.data() + kIndex));
  link.interface.flags = load32(payload.data() + kFlags);
  if (!link.interface.index.is_set()) return std::nullopt;

  NetlinkAttributes attributes(payload.subspan(kHeaderSize));
  while (const auto attribute = attributes.next()) {
    if (!read_attribute(*attribute, link)) return std::nullopt;
  }
  if (attributes.damaged()) return std::nullopt;
  return link;
}

}  // namespace vtep
