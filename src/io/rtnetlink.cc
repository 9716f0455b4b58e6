#include "io/rtnetlink.h"

#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "io/address_message.h"
#include "io/netlink_links.h"
#include "io/netlink_socket.h"

namespace vtep {
namespace {

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
      auto link = get_link(requests, address->device);
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

  requests->be_strict();
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
  const auto listed = list_addresses(index);
  if (!listed) return std::unexpected(listed.error());
  std::vector<IpAddr> addresses;
  addresses.reserve(listed->size());
  for (const HostAddress& one : *listed) addresses.push_back(one.address);
  return addresses;
}

Result<std::vector<HostAddress>> Rtnetlink::list_addresses(IfIndex index) {
  std::vector<HostAddress> addresses;
  const auto begin = [&] {
    addresses.clear();
    ifaddrmsg header{};
    header.ifa_index = index.value();
    return NetlinkRequest(RTM_GETADDR, NLM_F_DUMP, header);
  };
  auto dumped = impl_->requests.dump(begin, "addresses", [&](std::uint16_t type, ByteView payload) {
    if (type != RTM_NEWADDR) return;
    const auto address = parse_address(payload);
    // An old kernel answers with all.
    if (address && (!index.is_set() || address->device == index)) addresses.push_back(*address);
  });
  if (!dumped) return std::unexpected(std::move(dumped).error());
  return addresses;
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

Result<void> Rtnetlink::add_address(const HostAddress& address) {
  const auto add = [&](int flag) {
    return impl_->requests.request(address_request(RTM_NEWADDR, NLM_F_CREATE | flag, address));
  };
  auto refusal = add(NLM_F_EXCL);
  if (refusal && refusal->error_number == EEXIST) {
    // The kernel's replacing would call another prefix length of an IPv6 address a success. Of the same one
    // it lets the lifetime last.
    const auto present = list_addresses(address.device);
    const bool is_same =
        present && std::ranges::any_of(*present, [&](const HostAddress& one) {
          return one.address == address.address && one.prefix_length == address.prefix_length;
        });
    if (is_same) refusal = add(NLM_F_REPLACE);
  }
  if (!refusal) return {};
  LinkNames names(impl_->requests);
  return std::unexpected(
      refusal->to_error("Cannot add the address " + to_string(address, names.of(address.device))));
}

Result<void> Rtnetlink::delete_address(const HostAddress& address) {
  const auto refusal = impl_->requests.request(address_request(RTM_DELADDR, 0, address));
  if (!refusal || refusal->error_number == EADDRNOTAVAIL || refusal->error_number == ENODEV) return {};
  LinkNames names(impl_->requests);
  return std::unexpected(
      refusal->to_error("Cannot delete the address " + to_string(address, names.of(address.device))));
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
  const bool is_complete = impl_->events.receive_all(
      [&](std::uint16_t type, ByteView payload) { impl_->take(type, payload, changes); });
  // After what is still queued, so that the last word on every interface is the newest.
  if (!is_complete) impl_->take_all(changes);

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
