#include "io/vxlan_device.h"

#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/bytes.h"
#include "io/netlink_links.h"
#include "io/netlink_socket.h"

namespace vtep {
namespace {

/// Since Linux 6.6; Debian's headers do not have it.
constexpr std::uint16_t kVxlanLocalBypass = 31;

template <typename T>
std::vector<std::uint8_t> bytes_of(const T& value) {
  std::vector<std::uint8_t> bytes(sizeof(value));
  std::memcpy(bytes.data(), &value, sizeof(value));
  return bytes;
}

std::vector<std::uint8_t> bytes_of(Port port) {
  std::vector<std::uint8_t> bytes(2);
  store_be16(bytes.data(), port.value());
  return bytes;
}

std::vector<std::uint8_t> bytes_of(const IpAddr& address) {
  const ByteView octets = address.octets();
  const ByteView own = address.is_v4() ? octets.last(Ipv4::kSize) : octets;
  return {own.begin(), own.end()};
}

/// Attributes one behind the other, each padded to four bytes: the payload of a nest.
class Nest {
 public:
  Nest& add(std::uint16_t type, ByteView payload) {
    const std::uint16_t size = static_cast<std::uint16_t>(RTA_LENGTH(payload.size()));
    const rtattr header{.rta_len = size, .rta_type = type};
    const auto bytes = bytes_of(header);
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    bytes_.insert(bytes_.end(), payload.begin(), payload.end());
    bytes_.resize(RTA_ALIGN(bytes_.size()));
    return *this;
  }
  ByteView bytes() const { return bytes_; }

 private:
  std::vector<std::uint8_t> bytes_;
};

/// IFLA_LINKINFO of a vxlan device.
Nest link_info(const VxlanAttributes& attributes) {
  static constexpr std::array<std::uint8_t, 6> kKind = {'v', 'x', 'l', 'a', 'n', 0};
  Nest data;
  for (const auto& [type, payload] : attributes) data.add(type, payload);
  Nest info;
  info.add(IFLA_INFO_KIND, kKind);
  info.add(IFLA_INFO_DATA, data.bytes());
  return info;
}

/// struct ifla_vxlan_port_range, both in network order.
std::vector<std::uint8_t> range_of(Port min, Port max) {
  std::vector<std::uint8_t> bytes(4);
  store_be16(bytes.data(), min.value());
  store_be16(bytes.data() + 2, max.value());
  return bytes;
}

NetlinkRequest link_request(int type, int flags, IfIndex device) {
  ifinfomsg header{};
  header.ifi_index = static_cast<int>(device.value());
  return NetlinkRequest(type, flags, header);
}

}  // namespace

VxlanAttributes to_attributes(const VxlanParameters& p) {
  VxlanAttributes out;
  const auto flag = [&out](std::uint16_t type, bool value, bool by_default) {
    if (value != by_default) out[type] = bytes_of(static_cast<std::uint8_t>(value));
  };
  out[IFLA_VXLAN_ID] = bytes_of(p.vni.value());
  out[IFLA_VXLAN_PORT] = bytes_of(p.port);
  if (p.remote) out[p.remote->is_v4() ? IFLA_VXLAN_GROUP : IFLA_VXLAN_GROUP6] = bytes_of(*p.remote);
  if (p.local) out[p.local->is_v4() ? IFLA_VXLAN_LOCAL : IFLA_VXLAN_LOCAL6] = bytes_of(*p.local);
  if (p.device.is_set()) out[IFLA_VXLAN_LINK] = bytes_of(p.device.value());
  if (p.source_port_min && p.source_port_max)
    out[IFLA_VXLAN_PORT_RANGE] = range_of(*p.source_port_min, *p.source_port_max);
  out[IFLA_VXLAN_TTL] = bytes_of(p.ttl);
  // The presence of these two is the flag.
  if (p.ttl_inherit) out[IFLA_VXLAN_TTL_INHERIT] = {};
  if (p.gbp) out[IFLA_VXLAN_GBP] = {};
  out[IFLA_VXLAN_TOS] = bytes_of(p.tos);
  if (p.df != 0) out[IFLA_VXLAN_DF] = bytes_of(p.df);
  if (p.flow_label != 0) {
    std::array<std::uint8_t, 4> label{};
    store_be32(label.data(), p.flow_label);
    out[IFLA_VXLAN_LABEL] = {label.begin(), label.end()};
  }
  out[IFLA_VXLAN_AGEING] = bytes_of(p.ageing);
  if (p.max_addresses != 0) out[IFLA_VXLAN_LIMIT] = bytes_of(p.max_addresses);
  out[IFLA_VXLAN_LEARNING] = bytes_of(static_cast<std::uint8_t>(p.learning));
  flag(IFLA_VXLAN_PROXY, p.proxy, false);
  flag(IFLA_VXLAN_RSC, p.rsc, false);
  flag(IFLA_VXLAN_L2MISS, p.l2miss, false);
  flag(IFLA_VXLAN_L3MISS, p.l3miss, false);
  flag(IFLA_VXLAN_UDP_CSUM, p.checksum4, true);
  flag(IFLA_VXLAN_UDP_ZERO_CSUM6_TX, p.no_checksum6_tx, false);
  flag(IFLA_VXLAN_UDP_ZERO_CSUM6_RX, p.no_checksum6_rx, false);
  flag(IFLA_VXLAN_REMCSUM_TX, p.remcsum_tx, false);
  flag(IFLA_VXLAN_REMCSUM_RX, p.remcsum_rx, false);
  flag(kVxlanLocalBypass, p.localbypass, true);
  return out;
}

Result<VxlanAttributes> attribute_changes(const VxlanParameters& before, const VxlanParameters& after) {
  const VxlanAttributes has = to_attributes(before);
  VxlanAttributes changes = to_attributes(after);
  for (const auto& [type, payload] : has) {
    const auto there = changes.find(type);
    if (there != changes.end()) {
      if (there->second == payload) changes.erase(there);
      continue;
    }
    const bool is_address = type == IFLA_VXLAN_GROUP || type == IFLA_VXLAN_GROUP6 ||
                            type == IFLA_VXLAN_LOCAL || type == IFLA_VXLAN_LOCAL6 || type == IFLA_VXLAN_LINK;
    // Of another family: that one is said instead.
    const bool is_replaced =
        ((type == IFLA_VXLAN_GROUP || type == IFLA_VXLAN_GROUP6) && after.remote.has_value()) ||
        ((type == IFLA_VXLAN_LOCAL || type == IFLA_VXLAN_LOCAL6) && after.local.has_value());
    if (is_replaced) continue;
    if (is_address || payload.empty() || type == IFLA_VXLAN_PORT_RANGE) {
      return fail(ErrorKind::kInvalid,
                  "the kernel's driver cannot take back an address, a device, source ports, 'ttl inherit' or "
                  "gbp: delete the link and add it anew");
    }
    // What is left out is the default, and every default here is the opposite of what was said, or zero.
    const bool is_on_by_default = type == IFLA_VXLAN_UDP_CSUM || type == kVxlanLocalBypass;
    changes[type] = std::vector<std::uint8_t>(payload.size());
    if (is_on_by_default) changes[type].front() = 1;
  }
  return changes;
}

struct VxlanDevices::Impl {
  NetlinkSocket requests;

  Result<void> request(NetlinkRequest request, const std::string& what) {
    if (const auto refusal = requests.request(std::move(request)))
      return std::unexpected(refusal->to_error(what));
    return {};
  }
};

Result<std::unique_ptr<VxlanDevices>> VxlanDevices::create() {
  auto requests = NetlinkSocket::create();
  if (!requests) return std::unexpected(std::move(requests).error());
  return std::unique_ptr<VxlanDevices>(new VxlanDevices(std::make_unique<Impl>(Impl{*std::move(requests)})));
}

VxlanDevices::VxlanDevices(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
VxlanDevices::~VxlanDevices() = default;

Result<void> VxlanDevices::add(const std::string& name, const VxlanParameters& parameters,
                               const std::optional<MacAddr>& address, std::optional<std::uint32_t> mtu) {
  NetlinkRequest request = link_request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, {});
  request.add(IFLA_IFNAME, name);
  if (address) {
    const auto octets = address->octets();
    request.add(IFLA_ADDRESS, ByteView(octets));
  }
  if (mtu) request.add(IFLA_MTU, *mtu);
  request.add(IFLA_LINKINFO | NLA_F_NESTED, link_info(to_attributes(parameters)).bytes());
  return impl_->request(std::move(request), "Cannot make the kernel's device " + name);
}

Result<void> VxlanDevices::change(IfIndex device, const VxlanAttributes& changes) {
  if (changes.empty()) return {};
  NetlinkRequest request = link_request(RTM_NEWLINK, 0, device);
  request.add(IFLA_LINKINFO | NLA_F_NESTED, link_info(changes).bytes());
  return impl_->request(std::move(request), "Cannot change the kernel's device");
}

Result<void> VxlanDevices::remove(IfIndex device) {
  const auto refusal = impl_->requests.request(link_request(RTM_DELLINK, 0, device));
  if (!refusal || refusal->error_number == ENODEV) return {};
  return std::unexpected(refusal->to_error("Cannot delete the kernel's device"));
}

Result<Vni> VxlanDevices::vni(const std::string& name) {
  const auto link = get_link(impl_->requests, name);
  if (!link) return std::unexpected(link.error());
  const auto vni = link->vxlan_vni ? Vni::from(*link->vxlan_vni) : std::nullopt;
  if (link->interface.kind == "vxlan" && vni) return *vni;
  return fail(ErrorKind::kInvalid, name + " is no vxlan device");
}

Result<void> VxlanDevices::set_port(IfIndex device, bool learning, bool suppresses_neighbours) {
  ifinfomsg header{};
  header.ifi_family = AF_BRIDGE;
  header.ifi_index = static_cast<int>(device.value());
  NetlinkRequest request(RTM_SETLINK, 0, header);
  Nest port;
  port.add(IFLA_BRPORT_LEARNING, bytes_of(static_cast<std::uint8_t>(learning)));
  port.add(IFLA_BRPORT_NEIGH_SUPPRESS, bytes_of(static_cast<std::uint8_t>(suppresses_neighbours)));
  request.add(IFLA_PROTINFO | NLA_F_NESTED, port.bytes());
  return impl_->request(std::move(request), "Cannot set up the bridge's port");
}

}  // namespace vtep
