#include "control/evpn_route.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "control/printable.h"
#include "gobgp/api.pb.h"

namespace vtep {
namespace {

namespace pb = apipb;
using google::protobuf::Any;

// RFC 7432, RFC 6514 section 5, RFC 8365, RFC 4360: numbers of the specifications.
constexpr std::int32_t kAfiL2vpn = 25;
constexpr std::int32_t kSafiEvpn = 70;
constexpr std::uint32_t kIngressReplication = 6;
constexpr std::uint32_t kVxlan = 8;
constexpr std::uint32_t kRouteTargetSubtype = 2;
constexpr std::uint32_t kOriginIgp = 0;
constexpr std::size_t kSegmentSize = 9;  // of an Ethernet segment identifier, without its type
constexpr std::uint32_t kEvpnCommunity = 6;
constexpr char kArpNdSubtype = 8;  // RFC 9047 section 2
constexpr char kRouterFlag = 1;
// Our own choice: no router has as many.
constexpr int kMostAttributes = 64;
constexpr int kMostCommunities = 256;

std::unexpected<Error> invalid(std::string message) {
  return fail(ErrorKind::kInvalid, std::move(message));
}

template <typename Message>
Any pack(const Message& message) {
  Any any;
  any.PackFrom(message);
  return any;
}

/// Empty: it is another message, or none.
template <typename Message>
std::optional<Message> unpack(const Any& any) {
  Message message;
  if (!any.Is<Message>() || !any.UnpackTo(&message)) return std::nullopt;
  return message;
}

bool is_host(const IpAddr& address) {
  return !address.is_unspecified() && !address.is_multicast();
}

/// GoBGP's word for "none" is Go's.
bool is_none(std::string_view text) {
  return text.empty() || text == "<nil>";
}

// --- distinguishers and targets

Any pack_distinguisher(const RouteDistinguisher& rd) {
  switch (rd.kind) {
    case RouteTarget::Kind::kIpv4: {
      pb::RouteDistinguisherIPAddress out;
      out.set_admin(Ipv4(rd.administrator).to_string());
      out.set_assigned(rd.number);
      return pack(out);
    }
    case RouteTarget::Kind::kFourOctetAs: {
      pb::RouteDistinguisherFourOctetASN out;
      out.set_admin(rd.administrator);
      out.set_assigned(rd.number);
      return pack(out);
    }
    case RouteTarget::Kind::kTwoOctetAs:
      break;
  }
  pb::RouteDistinguisherTwoOctetASN out;
  out.set_admin(rd.administrator);
  out.set_assigned(rd.number);
  return pack(out);
}

Result<RouteDistinguisher> read_distinguisher(const Any& any) {
  if (const auto ip = unpack<pb::RouteDistinguisherIPAddress>(any)) {
    const auto address = IpAddr::parse(ip->admin());
    if (!address || !address->is_v4()) return invalid("its distinguisher has no IPv4 address");
    return RouteDistinguisher{RouteTarget::Kind::kIpv4, address->v4().value(), ip->assigned()};
  }
  if (const auto as = unpack<pb::RouteDistinguisherTwoOctetASN>(any)) {
    return RouteDistinguisher{RouteTarget::Kind::kTwoOctetAs, as->admin(), as->assigned()};
  }
  if (const auto as = unpack<pb::RouteDistinguisherFourOctetASN>(any)) {
    return RouteDistinguisher{RouteTarget::Kind::kFourOctetAs, as->admin(), as->assigned()};
  }
  return invalid("it has no distinguisher");
}

Any pack_target(const RouteTarget& target) {
  const auto fill = [&](auto& out) {
    out.set_is_transitive(true);
    out.set_sub_type(kRouteTargetSubtype);
    out.set_local_admin(target.number);
  };
  switch (target.kind) {
    case RouteTarget::Kind::kIpv4: {
      pb::IPv4AddressSpecificExtended out;
      fill(out);
      out.set_address(Ipv4(target.administrator).to_string());
      return pack(out);
    }
    case RouteTarget::Kind::kFourOctetAs: {
      pb::FourOctetAsSpecificExtended out;
      fill(out);
      out.set_asn(target.administrator);
      return pack(out);
    }
    case RouteTarget::Kind::kTwoOctetAs:
      break;
  }
  pb::TwoOctetAsSpecificExtended out;
  fill(out);
  out.set_asn(target.administrator);
  return pack(out);
}

/// Empty: it is another community.
std::optional<RouteTarget> read_target(const Any& any) {
  if (const auto two = unpack<pb::TwoOctetAsSpecificExtended>(any)) {
    if (two->sub_type() != kRouteTargetSubtype) return std::nullopt;
    return RouteTarget{RouteTarget::Kind::kTwoOctetAs, two->asn(), two->local_admin()};
  }
  if (const auto four = unpack<pb::FourOctetAsSpecificExtended>(any)) {
    if (four->sub_type() != kRouteTargetSubtype) return std::nullopt;
    return RouteTarget{RouteTarget::Kind::kFourOctetAs, four->asn(), four->local_admin()};
  }
  if (const auto ip = unpack<pb::IPv4AddressSpecificExtended>(any)) {
    const auto address = IpAddr::parse(ip->address());
    if (ip->sub_type() != kRouteTargetSubtype || !address || !address->is_v4()) return std::nullopt;
    return RouteTarget{RouteTarget::Kind::kIpv4, address->v4().value(), ip->local_admin()};
  }
  return std::nullopt;
}

// --- what a route is about

Result<void> check_single_homed(const pb::EthernetSegmentIdentifier& segment) {
  const auto is_zero = [](char byte) { return byte == 0; };
  if (segment.type() == 0 && std::ranges::all_of(segment.value(), is_zero)) return {};
  return invalid("its station is behind several VTEPs (an Ethernet segment), which is not supported");
}

Result<std::optional<EvpnRoute>> read_mac(const pb::EVPNMACIPAdvertisementRoute& nlri, bool is_withdraw) {
  EvpnRoute route{.kind = EvpnRoute::Kind::kMac};
  const auto rd = read_distinguisher(nlri.rd());
  if (!rd) return std::unexpected(rd.error());
  route.distinguisher = *rd;
  route.tag = nlri.ethernet_tag();
  const auto mac = MacAddr::parse(nlri.mac_address());
  if (!mac || !mac->is_unicast()) {
    return invalid(fmt::format("\"{}\" is no address of a station", printable(nlri.mac_address())));
  }
  route.mac = *mac;
  if (!is_none(nlri.ip_address())) {
    const auto ip = IpAddr::parse(nlri.ip_address());
    if (!ip || !is_host(*ip))
      return invalid(fmt::format("\"{}\" is no address of a host", printable(nlri.ip_address())));
    route.ip = *ip;
  }
  if (is_withdraw) return route;
  if (auto checked = check_single_homed(nlri.esi()); !checked) return std::unexpected(checked.error());
  if (nlri.labels().empty()) return invalid("it has no label");
  const auto vni = Vni::from(nlri.labels(0));
  if (!vni) return invalid(fmt::format("its label {} is no VNI", nlri.labels(0)));
  route.vni = *vni;
  return route;
}

Result<std::optional<EvpnRoute>> read_multicast(const pb::EVPNInclusiveMulticastEthernetTagRoute& nlri) {
  EvpnRoute route{.kind = EvpnRoute::Kind::kMulticast};
  const auto rd = read_distinguisher(nlri.rd());
  if (!rd) return std::unexpected(rd.error());
  route.distinguisher = *rd;
  route.tag = nlri.ethernet_tag();
  const auto ip = IpAddr::parse(nlri.ip_address());
  if (!ip || !is_host(*ip))
    return invalid(fmt::format("\"{}\" is no address of a host", printable(nlri.ip_address())));
  route.ip = *ip;
  return route;
}

Result<std::optional<EvpnRoute>> read_prefix(const pb::EVPNIPPrefixRoute& nlri, bool is_withdraw) {
  EvpnRoute route{.kind = EvpnRoute::Kind::kPrefix};
  const auto rd = read_distinguisher(nlri.rd());
  if (!rd) return std::unexpected(rd.error());
  route.distinguisher = *rd;
  route.tag = nlri.ethernet_tag();
  const auto address = IpAddr::parse(nlri.ip_prefix());
  const auto prefix = address ? Prefix::from(*address, nlri.ip_prefix_len()) : std::nullopt;
  if (!prefix || prefix->address() != *address || address->is_multicast()) {
    return invalid(fmt::format("\"{}/{}\" is no prefix", printable(nlri.ip_prefix()), nlri.ip_prefix_len()));
  }
  route.prefix = *prefix;
  if (is_withdraw) return route;
  const auto gateway =
      is_none(nlri.gw_address()) ? IpAddr() : IpAddr::parse(nlri.gw_address()).value_or(IpAddr());
  if (!gateway.is_unspecified())
    return invalid("it is routed through a gateway in the overlay, which is not supported");
  const auto vni = Vni::from(nlri.label());
  if (!vni) return invalid(fmt::format("its label {} is no VNI", nlri.label()));
  route.vni = *vni;
  return route;
}

Result<std::optional<EvpnRoute>> read_subject(const pb::Path& path) {
  if (const auto mac = unpack<pb::EVPNMACIPAdvertisementRoute>(path.nlri()))
    return read_mac(*mac, path.is_withdraw());
  if (const auto multicast = unpack<pb::EVPNInclusiveMulticastEthernetTagRoute>(path.nlri())) {
    return read_multicast(*multicast);
  }
  if (const auto prefix = unpack<pb::EVPNIPPrefixRoute>(path.nlri()))
    return read_prefix(*prefix, path.is_withdraw());
  return std::nullopt;
}

// --- what it says

struct Attributes {
  std::optional<IpAddr> next_hop{};
  std::optional<pb::PmsiTunnelAttribute> tunnel{};
  bool has_encapsulation = false;
  bool is_vxlan = false;
};

void read_community(const Any& any, EvpnRoute& route, Attributes& attributes) {
  if (const auto target = read_target(any)) {
    route.targets.push_back(*target);
  } else if (const auto encapsulation = unpack<pb::EncapExtended>(any)) {
    attributes.has_encapsulation = true;
    attributes.is_vxlan = attributes.is_vxlan || encapsulation->tunnel_type() == kVxlan;
  } else if (const auto mobility = unpack<pb::MacMobilityExtended>(any)) {
    route.sticky = mobility->is_sticky();
    route.sequence = mobility->sequence_num();
  } else if (const auto router = unpack<pb::RouterMacExtended>(any)) {
    const auto mac = MacAddr::parse(router->mac());
    if (mac && mac->is_unicast()) route.router_mac = *mac;
  } else if (const auto unknown = unpack<pb::UnknownExtended>(any)) {
    const std::string& value = unknown->value();
    const bool is_arp_nd =
        unknown->type() == kEvpnCommunity && value.size() >= 2 && value[0] == kArpNdSubtype;
    if (is_arp_nd) route.router = (value[1] & kRouterFlag) != 0;
  }
}

Result<Attributes> read_attributes(const pb::Path& path, EvpnRoute& route) {
  Attributes attributes;
  if (path.pattrs_size() > kMostAttributes) return invalid("it has too many attributes");
  const auto take_next_hop = [&attributes](const std::string& text) {
    if (const auto address = IpAddr::parse(text); address && is_host(*address))
      attributes.next_hop = *address;
  };
  for (const Any& any : path.pattrs()) {
    if (const auto next_hop = unpack<pb::NextHopAttribute>(any)) {
      take_next_hop(next_hop->next_hop());
    } else if (const auto reach = unpack<pb::MpReachNLRIAttribute>(any)) {
      if (!reach->next_hops().empty()) take_next_hop(reach->next_hops(0));
    } else if (const auto tunnel = unpack<pb::PmsiTunnelAttribute>(any)) {
      attributes.tunnel = *tunnel;
    } else if (const auto communities = unpack<pb::ExtendedCommunitiesAttribute>(any)) {
      if (communities->communities_size() > kMostCommunities) return invalid("it has too many communities");
      for (const Any& community : communities->communities()) read_community(community, route, attributes);
    }
  }
  return attributes;
}

/// Where flooded frames go: into a tunnel of the sort that is made for each receiver (RFC 8365 section 9).
Result<void> read_tunnel(const Attributes& attributes, EvpnRoute& route) {
  if (!attributes.tunnel) return invalid("it does not say where flooded frames go (no PMSI tunnel)");
  const pb::PmsiTunnelAttribute& tunnel = *attributes.tunnel;
  if (tunnel.type() != kIngressReplication) {
    return invalid(
        fmt::format("flooded frames go by tunnels of type {}, and only ingress replication (6) is supported",
                    tunnel.type()));
  }
  const auto vni = Vni::from(tunnel.label());
  if (!vni) return invalid(fmt::format("its label {} is no VNI", tunnel.label()));
  route.vni = *vni;
  const std::string& id = tunnel.id();
  const auto* const bytes = reinterpret_cast<const std::uint8_t*>(id.data());
  if (id.size() == 4) {
    route.vtep = Ipv4(load_be32(bytes));
  } else if (id.size() == 16) {
    Ipv6::Octets octets{};
    std::ranges::copy_n(bytes, 16, octets.begin());
    route.vtep = Ipv6(octets);
  } else {
    return invalid(fmt::format("its tunnel ends at {} bytes, which are no address", id.size()));
  }
  if (!is_host(route.vtep)) return invalid("its tunnel ends at no host");
  return {};
}

}  // namespace

std::string EvpnRoute::key() const {
  switch (kind) {
    case Kind::kMac:
      return fmt::format("[2]:[{}]:[{}]:[{}]:[{}]", distinguisher.to_string(), tag, mac.to_string(),
                         ip ? ip->to_string() : "");
    case Kind::kMulticast:
      return fmt::format("[3]:[{}]:[{}]:[{}]", distinguisher.to_string(), tag, ip ? ip->to_string() : "");
    case Kind::kPrefix:
      return fmt::format("[5]:[{}]:[{}]:[{}]", distinguisher.to_string(), tag, prefix.to_string());
  }
  return {};
}

pb::Path EvpnRoute::to_path() const {
  pb::Path path;
  path.mutable_family()->set_afi(kAfiL2vpn);
  path.mutable_family()->set_safi(kSafiEvpn);
  const auto fill_segment = [](pb::EthernetSegmentIdentifier& segment) {
    segment.set_value(std::string(kSegmentSize, '\0'));
  };
  pb::ExtendedCommunitiesAttribute communities;
  for (const RouteTarget& target : targets) *communities.add_communities() = pack_target(target);
  pb::EncapExtended encapsulation;
  encapsulation.set_tunnel_type(kVxlan);
  *communities.add_communities() = pack(encapsulation);
  std::optional<pb::PmsiTunnelAttribute> tunnel;
  switch (kind) {
    case Kind::kMac: {
      pb::EVPNMACIPAdvertisementRoute nlri;
      *nlri.mutable_rd() = pack_distinguisher(distinguisher);
      fill_segment(*nlri.mutable_esi());
      nlri.set_ethernet_tag(tag);
      nlri.set_mac_address(mac.to_string());
      if (ip) nlri.set_ip_address(ip->to_string());
      nlri.add_labels(vni.value());
      *path.mutable_nlri() = pack(nlri);
      if (sticky || sequence != 0) {
        pb::MacMobilityExtended mobility;
        mobility.set_is_sticky(sticky);
        mobility.set_sequence_num(sequence);
        *communities.add_communities() = pack(mobility);
      }
      if (router) {
        pb::UnknownExtended arp_nd;
        arp_nd.set_type(kEvpnCommunity);
        arp_nd.set_value(std::string({kArpNdSubtype, kRouterFlag, 0, 0, 0, 0, 0}));
        *communities.add_communities() = pack(arp_nd);
      }
      break;
    }
    case Kind::kMulticast: {
      pb::EVPNInclusiveMulticastEthernetTagRoute nlri;
      *nlri.mutable_rd() = pack_distinguisher(distinguisher);
      nlri.set_ethernet_tag(tag);
      nlri.set_ip_address(ip.value_or(vtep).to_string());
      *path.mutable_nlri() = pack(nlri);
      tunnel.emplace();
      tunnel->set_type(kIngressReplication);
      tunnel->set_label(vni.value());
      const auto* const bytes = reinterpret_cast<const char*>(vtep.octets().data());
      tunnel->set_id(vtep.is_v4() ? std::string(bytes + 12, 4) : std::string(bytes, 16));
      break;
    }
    case Kind::kPrefix: {
      pb::EVPNIPPrefixRoute nlri;
      *nlri.mutable_rd() = pack_distinguisher(distinguisher);
      fill_segment(*nlri.mutable_esi());
      nlri.set_ethernet_tag(tag);
      nlri.set_ip_prefix(prefix.address().to_string());
      nlri.set_ip_prefix_len(prefix.length());
      nlri.set_gw_address(prefix.address().is_v4() ? "0.0.0.0" : "::");
      nlri.set_label(vni.value());
      *path.mutable_nlri() = pack(nlri);
      if (router_mac) {
        pb::RouterMacExtended mac_of_router;
        mac_of_router.set_mac(router_mac->to_string());
        *communities.add_communities() = pack(mac_of_router);
      }
      break;
    }
  }
  pb::OriginAttribute origin;
  origin.set_origin(kOriginIgp);
  pb::NextHopAttribute next_hop;
  next_hop.set_next_hop(vtep.to_string());
  *path.add_pattrs() = pack(origin);
  *path.add_pattrs() = pack(next_hop);
  *path.add_pattrs() = pack(communities);
  if (tunnel) *path.add_pattrs() = pack(*tunnel);
  return path;
}

Result<std::optional<EvpnRoute>> EvpnRoute::from_path(const pb::Path& path) {
  auto subject = read_subject(path);
  if (!subject || !*subject || path.is_withdraw()) return subject;
  EvpnRoute& route = **subject;
  const auto attributes = read_attributes(path, route);
  if (!attributes) return std::unexpected(attributes.error());
  if (attributes->has_encapsulation && !attributes->is_vxlan)
    return invalid("its encapsulation is not VXLAN");
  if (route.kind == Kind::kMulticast) {
    if (auto read = read_tunnel(*attributes, route); !read) return std::unexpected(read.error());
    return subject;
  }
  if (!attributes->next_hop) return invalid("it has no next hop");
  route.vtep = *attributes->next_hop;
  if (route.kind == Kind::kPrefix && !route.router_mac)
    return invalid("it does not say which MAC address its router has");
  return subject;
}

std::string EvpnRoute::describe(const pb::Path& path) {
  pb::Path subject = path;
  subject.set_is_withdraw(true);  // of which less is wanted
  if (const auto route = read_subject(subject); route && *route) return (*route)->key();
  return printable(path.nlri().type_url().substr(path.nlri().type_url().rfind('/') + 1));
}

}  // namespace vtep
