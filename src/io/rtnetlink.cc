#include "io/rtnetlink.h"

#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "io/netlink_attributes.h"
#include "io/netlink_links.h"
#include "io/netlink_socket.h"

namespace vtep {
namespace {

constexpr int kDumpAttempts = 10;
/// Overruns in one dispatch() after which the rest of the queue waits for the next.
constexpr int kMaxOverruns = 16;

struct AddressMessage {
  IfIndex index;
  std::optional<IpAddr> address;  // empty for other families
};

/// The payload of RTM_NEWADDR and RTM_DELADDR: struct ifaddrmsg and attributes.
std::optional<AddressMessage> parse_address(ByteView payload) {
  ifaddrmsg header{};
  if (payload.size() < sizeof(header)) return std::nullopt;
  std::memcpy(&header, payload.data(), sizeof(header));

  // On a point-to-point interface IFA_ADDRESS is the peer's; where both are given IFA_LOCAL is ours.
  ByteView local;
  ByteView address;
  NetlinkAttributes attributes(payload.subspan(sizeof(header)));
  while (const auto attribute = attributes.next()) {
    if (attribute->type == IFA_LOCAL) local = attribute->payload;
    if (attribute->type == IFA_ADDRESS) address = attribute->payload;
  }
  if (attributes.damaged()) return std::nullopt;

  AddressMessage message{.index = IfIndex(header.ifa_index), .address = std::nullopt};
  const ByteView ours = local.empty() ? address : local;
  if (header.ifa_family == AF_INET && ours.size() == Ipv4::kSize) {
    message.address = Ipv4::load(ours.data());
  } else if (header.ifa_family == AF_INET6 && ours.size() == Ipv6::kSize) {
    message.address = Ipv6::load(ours.data());
  }
  return message;
}

Result<Interface> only_interface(Result<LinkMessage> link) {
  if (!link) return std::unexpected(std::move(link).error());
  return std::move(link->interface);
}

NetlinkRequest change_link(IfIndex index, unsigned flags, unsigned mask) {
  ifinfomsg header{};
  header.ifi_index = static_cast<int>(index.value());
  header.ifi_flags = flags;
  header.ifi_change = mask;
  return NetlinkRequest(RTM_SETLINK, 0, header);
}

}  // namespace

struct Rtnetlink::Impl {
  NetlinkSocket requests;
  NetlinkSocket events;
  Listener listener;
  // What the listener has heard of and not seen removed, so that a removal lost in an overrun can be told.
  std::map<IfIndex, std::string> known;

  /// Turns a notification into a change; forgets bridge ports and other families.
  void take(std::uint16_t type, ByteView payload, std::vector<Change>& changes) {
    if (type == RTM_NEWLINK || type == RTM_DELLINK) {
      auto link = parse_link(payload);
      if (!link || link->family != AF_UNSPEC) return;
      changes.push_back({std::move(link->interface), type == RTM_DELLINK, {}});
    } else if (type == RTM_NEWADDR || type == RTM_DELADDR) {
      const auto address = parse_address(payload);
      if (!address) return;
      // Gone already if this fails; its removal is reported on its own.
      auto link = get_link(requests, address->index);
      if (link) changes.push_back({std::move(link->interface), false, address->address});
    }
  }

  void take_all(std::vector<Change>& changes) {
    auto links = dump_links(requests);
    if (!links) return;
    std::map<IfIndex, std::string> lost = known;
    for (LinkMessage& link : *links) {
      lost.erase(link.interface.index);
      changes.push_back({std::move(link.interface), false, {}});
    }
    for (const auto& [index, name] : lost) {
      Change change{.interface = {}, .removed = true};
      change.interface.index = index;
      change.interface.name = name;
      changes.push_back(std::move(change));
    }
  }

  Result<void> change(NetlinkRequest request, const std::string& what) {
    if (const auto refusal = requests.request(std::move(request))) {
      return std::unexpected(refusal->to_error(what));
    }
    return {};
  }
};

Result<std::unique_ptr<Rtnetlink>> Rtnetlink::create() {
  auto requests = NetlinkSocket::create();
  if (!requests) return std::unexpected(std::move(requests).error());
  constexpr std::array<int, 3> kGroups = {RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR};
  auto events = NetlinkSocket::subscribe(kGroups);
  if (!events) return std::unexpected(std::move(events).error());

  // Without it an old kernel answers with more than was asked for, and addresses() picks.
  const int on = 1;
  ::setsockopt(requests->fd(), SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on));

  auto impl = std::make_unique<Impl>(*std::move(requests), *std::move(events));
  auto links = dump_links(impl->requests);
  if (!links) return std::unexpected(std::move(links).error());
  for (const LinkMessage& link : *links) impl->known.emplace(link.interface.index, link.interface.name);
  return std::unique_ptr<Rtnetlink>(new Rtnetlink(std::move(impl)));
}

Rtnetlink::Rtnetlink(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Rtnetlink::~Rtnetlink() = default;

Result<Interface> Rtnetlink::find(std::string_view name) {
  return only_interface(get_link(impl_->requests, name));
}

Result<Interface> Rtnetlink::find(IfIndex index) {
  return only_interface(get_link(impl_->requests, index));
}

Result<std::vector<Interface>> Rtnetlink::list() {
  auto links = dump_links(impl_->requests);
  if (!links) return std::unexpected(std::move(links).error());
  std::vector<Interface> interfaces;
  interfaces.reserve(links->size());
  for (LinkMessage& link : *links) interfaces.push_back(std::move(link.interface));
  return interfaces;
}

Result<std::vector<IpAddr>> Rtnetlink::addresses(IfIndex index) {
  ifaddrmsg header{};
  header.ifa_index = index.value();
  for (int attempt = 0; attempt < kDumpAttempts; ++attempt) {
    std::vector<IpAddr> addresses;
    const auto refusal = impl_->requests.request(NetlinkRequest(RTM_GETADDR, NLM_F_DUMP, header),
                                                 [&](std::uint16_t type, ByteView payload) {
                                                   if (type != RTM_NEWADDR) return;
                                                   const auto message = parse_address(payload);
                                                   if (!message || !message->address) return;
                                                   if (!index.is_set() || message->index == index)
                                                     addresses.push_back(*message->address);
                                                 });
    if (!refusal) return addresses;
    if (refusal->error_number != EAGAIN) return std::unexpected(refusal->to_error("Cannot list addresses"));
  }
  return fail(ErrorKind::kUnavailable, "Cannot list addresses: they change too fast");
}

Result<bool> Rtnetlink::has_address(const IpAddr& address) {
  bool found = false;
  std::optional<NetlinkRefusal> refusal;
  if (address.is_v6()) {
    ifaddrmsg header{};
    header.ifa_family = AF_INET6;
    NetlinkRequest request(RTM_GETADDR, 0, header);
    request.add(IFA_ADDRESS, ByteView(address.v6().octets()));
    refusal = impl_->requests.request(std::move(request), [&](std::uint16_t, ByteView) { found = true; });
    if (refusal && refusal->error_number == EADDRNOTAVAIL) return false;
  } else {
    // There is no such question for IPv4; its addresses stand in the routing table as local.
    rtmsg header{};
    header.rtm_family = AF_INET;
    header.rtm_dst_len = 8 * Ipv4::kSize;
    std::array<std::uint8_t, Ipv4::kSize> octets;
    address.v4().store(octets.data());
    NetlinkRequest request(RTM_GETROUTE, 0, header);
    request.add(RTA_DST, ByteView(octets));
    refusal = impl_->requests.request(std::move(request), [&](std::uint16_t, ByteView payload) {
      rtmsg route{};
      if (payload.size() < sizeof(route)) return;
      std::memcpy(&route, payload.data(), sizeof(route));
      found = route.rtm_type == RTN_LOCAL;
    });
    if (refusal && (refusal->error_number == ENETUNREACH || refusal->error_number == EHOSTUNREACH))
      return false;
  }
  if (refusal) return std::unexpected(refusal->to_error("Cannot ask for the address " + address.to_string()));
  return found;
}

Result<void> Rtnetlink::set_mtu(IfIndex index, std::uint32_t mtu) {
  NetlinkRequest request = change_link(index, 0, 0);
  request.add(IFLA_MTU, mtu);
  return impl_->change(std::move(request), "Cannot set the MTU to " + std::to_string(mtu));
}

Result<void> Rtnetlink::set_address(IfIndex index, const MacAddr& address) {
  NetlinkRequest request = change_link(index, 0, 0);
  const auto octets = address.octets();
  request.add(IFLA_ADDRESS, ByteView(octets));
  return impl_->change(std::move(request), "Cannot set the address " + address.to_string());
}

Result<void> Rtnetlink::set_up(IfIndex index, bool up) {
  return impl_->change(change_link(index, up ? unsigned{IFF_UP} : 0U, IFF_UP),
                       up ? "Cannot set the interface up" : "Cannot set the interface down");
}

Result<void> Rtnetlink::set_name(IfIndex index, std::string_view new_name) {
  const std::string what = "Cannot rename to \"" + std::string(new_name) + "\"";
  if (new_name.empty() || new_name.size() >= IFNAMSIZ) {
    return fail(ErrorKind::kInvalid, what + ": a name has 1 to 15 characters");
  }
  NetlinkRequest request = change_link(index, 0, 0);
  request.add(IFLA_IFNAME, std::string(new_name));
  return impl_->change(std::move(request), what);
}

Result<void> Rtnetlink::set_noqueue(IfIndex index) {
  tcmsg header{};
  header.tcm_ifindex = static_cast<int>(index.value());
  header.tcm_parent = TC_H_ROOT;
  NetlinkRequest request(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE, header);
  request.add(TCA_KIND, std::string("noqueue"));
  return impl_->change(std::move(request), "Cannot set the queueing discipline noqueue");
}

Result<void> Rtnetlink::set_gso_max_size(IfIndex index, std::uint32_t bytes) {
  NetlinkRequest request = change_link(index, 0, 0);
  request.add(IFLA_GSO_MAX_SIZE, bytes);
  return impl_->change(std::move(request),
                       "Cannot limit super-frames to " + std::to_string(bytes) + " bytes");
}

Result<void> Rtnetlink::set_group(IfIndex index, std::uint32_t group) {
  NetlinkRequest request = change_link(index, 0, 0);
  request.add(IFLA_GROUP, group);
  return impl_->change(std::move(request), "Cannot set the group " + std::to_string(group));
}

Result<void> Rtnetlink::delete_group(std::uint32_t group) {
  const std::string what = "Cannot delete the interfaces of group " + std::to_string(group);
  // The kernel says EPERM.
  if (group == 0) return fail(ErrorKind::kInvalid, what + ": every interface may be in it");
  NetlinkRequest request(RTM_DELLINK, 0, ifinfomsg{});
  request.add(IFLA_GROUP, group);
  const auto refusal = impl_->requests.request(std::move(request));
  if (!refusal) return {};
  Error error = refusal->to_error(what);
  if (refusal->error_number == EOPNOTSUPP) error.kind = ErrorKind::kInvalid;
  return std::unexpected(std::move(error));
}

void Rtnetlink::on_change(Listener listener) {
  impl_->listener = std::move(listener);
}

int Rtnetlink::fd() const {
  return impl_->events.fd();
}

void Rtnetlink::dispatch() {
  std::vector<Change> changes;
  int overruns = 0;
  while (overruns < kMaxOverruns) {
    const auto received = impl_->events.receive(
        [&](std::uint16_t type, ByteView payload) { impl_->take(type, payload, changes); });
    if (received == NetlinkSocket::Received::kNothing) break;
    if (received == NetlinkSocket::Received::kOverrun) ++overruns;
  }
  // After what is still queued, so that the last word on every interface is the newest.
  if (overruns > 0) impl_->take_all(changes);

  // The listener may ask and change, or replace itself.
  const Listener listener = impl_->listener;
  for (const Change& change : changes) {
    if (change.removed) {
      impl_->known.erase(change.interface.index);
    } else {
      impl_->known[change.interface.index] = change.interface.name;
    }
    if (listener) listener(change);
  }
}

}  // namespace vtep
