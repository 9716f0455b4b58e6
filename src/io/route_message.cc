#include "io/route_message.h"

#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <cstring>

#include "io/netlink_attributes.h"

namespace vtep {
namespace {

static_assert(kUnicastRoute == RTN_UNICAST);

/// IP6_RT_PRIO_USER: what the kernel makes of no metric.
constexpr std::uint32_t kDefaultIpv6Metric = 1024;

/// struct rtvia: a gateway of the other family (IPv4 over an IPv6 next hop).
std::optional<IpAddr> read_via(ByteView payload) {
  std::uint16_t family = 0;
  if (payload.size() < sizeof(family)) return std::nullopt;
  std::memcpy(&family, payload.data(), sizeof(family));
  if (family > UINT8_MAX) return std::nullopt;
  return NetlinkAttribute{RTA_VIA, payload.subspan(sizeof(family))}.ip(static_cast<std::uint8_t>(family));
}

NetlinkRequest route_request(int type, int flags, rtmsg header, const HostRoute& route) {
  const IpAddr& destination = route.destination.address();
  header.rtm_family = netlink_family(destination);
  header.rtm_dst_len = static_cast<std::uint8_t>(route.destination.length());
  header.rtm_table = RT_TABLE_MAIN;
  header.rtm_protocol = route.protocol;
  header.rtm_type = route.type;
  NetlinkRequest request(type, flags, header);
  request.add(RTA_DST, destination);
  if (route.gateway) request.add(RTA_GATEWAY, *route.gateway);
  if (route.device.is_set()) request.add(RTA_OIF, route.device.value());
  // An IPv6 route to be deleted may have any metric if none is given.
  const std::uint32_t metric = route.metric == 0 && destination.is_v6() ? kDefaultIpv6Metric : route.metric;
  if (metric != 0) request.add(RTA_PRIORITY, metric);
  return request;
}

}  // namespace

std::optional<RouteMessage> parse_route(ByteView payload) {
  rtmsg header{};
  if (payload.size() < sizeof(header)) return std::nullopt;
  std::memcpy(&header, payload.data(), sizeof(header));
  const bool is_v4 = header.rtm_family == AF_INET;
  if (!is_v4 && header.rtm_family != AF_INET6) return std::nullopt;
  if (header.rtm_src_len != 0 || header.rtm_tos != 0) return std::nullopt;
  if ((header.rtm_flags & RTM_F_CLONED) != 0) return std::nullopt;

  RouteMessage message{.table = header.rtm_table, .route = {}};
  HostRoute& route = message.route;
  route.onlink = (header.rtm_flags & RTNH_F_ONLINK) != 0;
  route.type = header.rtm_type;
  route.protocol = header.rtm_protocol;
  // The default route has none in its message.
  std::optional<IpAddr> destination;
  if (header.rtm_dst_len == 0) destination = is_v4 ? IpAddr(Ipv4()) : IpAddr(Ipv6());
  bool has_several_hops = false;
  NetlinkAttributes attributes(payload.subspan(sizeof(header)));
  while (const auto attribute = attributes.next()) {
    const auto number = attribute->number<std::uint32_t>();
    if (attribute->type == RTA_DST) destination = attribute->ip(header.rtm_family);
    if (attribute->type == RTA_GATEWAY) route.gateway = attribute->ip(header.rtm_family);
    if (attribute->type == RTA_VIA) route.gateway = read_via(attribute->payload);
    if (attribute->type == RTA_OIF) route.device = IfIndex(number.value_or(0));
    if (attribute->type == RTA_PRIORITY) route.metric = number.value_or(0);
    if (attribute->type == RTA_TABLE) message.table = number.value_or(header.rtm_table);
    if (attribute->type == RTA_MULTIPATH) has_several_hops = true;
  }
  if (attributes.damaged() || !destination) return std::nullopt;
  const auto prefix = Prefix::from(*destination, header.rtm_dst_len);
  if (!prefix) return std::nullopt;
  route.destination = *prefix;
  if (!is_v4 && route.metric == kDefaultIpv6Metric) route.metric = 0;
  if (has_several_hops) {
    route.gateway.reset();
    route.device = {};
  }
  return message;
}

NetlinkRequest new_route_request(int flags, const HostRoute& route) {
  rtmsg header{};
  header.rtm_flags = route.onlink ? unsigned{RTNH_F_ONLINK} : 0U;
  const bool on_link = route.destination.address().is_v4() && route.type == RTN_UNICAST && !route.gateway;
  header.rtm_scope = on_link ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
  return route_request(RTM_NEWROUTE, flags, header, route);
}

NetlinkRequest delete_route_request(const HostRoute& route) {
  rtmsg header{};
  header.rtm_scope = RT_SCOPE_NOWHERE;  // any
  return route_request(RTM_DELROUTE, 0, header, route);
}

}  // namespace vtep
