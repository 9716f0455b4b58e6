#include "io/address_message.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <cstring>

#include "io/netlink_attributes.h"

namespace vtep {

std::optional<HostAddress> parse_address(ByteView payload) {
  ifaddrmsg header{};
  if (payload.size() < sizeof(header)) return std::nullopt;
  std::memcpy(&header, payload.data(), sizeof(header));

  // On a point-to-point interface IFA_ADDRESS is the peer's; where both are given IFA_LOCAL is ours.
  std::optional<IpAddr> local;
  std::optional<IpAddr> address;
  NetlinkAttributes attributes(payload.subspan(sizeof(header)));
  while (const auto attribute = attributes.next()) {
    if (attribute->type == IFA_LOCAL) local = attribute->ip(header.ifa_family);
    if (attribute->type == IFA_ADDRESS) address = attribute->ip(header.ifa_family);
  }
  const std::optional<IpAddr> ours = local ? local : address;
  if (attributes.damaged() || !ours || header.ifa_index == 0) return std::nullopt;
  return HostAddress{.address = *ours,
                     .prefix_length = header.ifa_prefixlen,
                     .device = IfIndex(header.ifa_index),
                     .scope = header.ifa_scope};
}

NetlinkRequest address_request(int type, int flags, const HostAddress& address) {
  ifaddrmsg header{};
  header.ifa_family = netlink_family(address.address);
  header.ifa_prefixlen = static_cast<std::uint8_t>(address.prefix_length);
  header.ifa_scope = address.scope;
  header.ifa_index = address.device.value();
  // A control plane gives every address away once. Until the kernel has asked the neighbours, nothing could
  // be bound to it.
  header.ifa_flags = address.address.is_v6() ? IFA_F_NODAD : 0;
  NetlinkRequest request(type, flags, header);
  request.add(IFA_LOCAL, address.address);
  request.add(IFA_ADDRESS, address.address);
  return request;
}

}  // namespace vtep
