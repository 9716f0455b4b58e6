#include "io/host_routes.h"

#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "io/link_message.h"
#include "io/netlink_links.h"
#include "io/netlink_socket.h"
#include "io/netlink_watch.h"
#include "io/route_message.h"

namespace vtep {
namespace {

constexpr IfIndex kLoopback{1};

struct RouteTable {
  using Change = HostRoutes::Change;
  using Key = HostRoute;
  static const Key& key(const Change& change) { return change.route; }
  static bool is_removal(const Change& change) { return change.removed; }
  static Change removal(const Key& key) { return {.route = key, .removed = true}; }
};

/// What the kernel would do, and must not, or would misunderstand.
std::optional<std::string> why_not(const HostRoute& route) {
  if (route.protocol != kRouteProtocol) {
    return "it is of protocol " + std::to_string(route.protocol) + ", not " + std::to_string(kRouteProtocol);
  }
  if (route.gateway && route.gateway->is_v4() != route.destination.address().is_v4()) {
    return "the gateway is of another family";
  }
  return std::nullopt;
}

NetlinkRequest to_request(const HostRoutes::Request& request) {
  switch (request.verb) {
    case HostRoutes::Verb::kTakeOver:
      return new_route_request(NLM_F_CREATE | NLM_F_REPLACE, request.route);
    case HostRoutes::Verb::kRemove:
      return delete_route_request(request.route);
    case HostRoutes::Verb::kSet:
      break;
  }
  // The kernel replaces whosever it is: only if there is none, and then we look.
  return new_route_request(NLM_F_CREATE | NLM_F_EXCL, request.route);
}

std::string what_failed(const HostRoutes::Request& request, LinkNames& names) {
  const bool removes = request.verb == HostRoutes::Verb::kRemove;
  return (removes ? "Cannot delete the route " : "Cannot set the route ") +
         to_string(request.route, names.of(request.route.device));
}

bool is_taken(const std::optional<NetlinkRefusal>& answer) {
  return answer && answer->error_number == EEXIST;
}

/// An IPv6 gateway may not be one that the table finds on another device: not even by the route that is to be
/// replaced, where the gateway is in its destination.
bool is_in_its_own_way(const HostRoutes::Request& request, const std::optional<NetlinkRefusal>& answer) {
  return request.verb != HostRoutes::Verb::kRemove && request.route.onlink &&
         request.route.destination.address().is_v6() && answer && answer->error_number == EINVAL;
}

bool is_absence(const NetlinkRefusal& refusal) {
  return refusal.error_number == ESRCH || refusal.error_number == ENODEV;
}

Result<std::vector<HostRoute>> list_routes(NetlinkSocket& socket, IfIndex device,
                                           std::optional<std::uint8_t> protocol) {
  std::vector<HostRoute> routes;
  // Family by family: of all at once even those that know no such filter would be asked.
  for (const std::uint8_t family : std::array<std::uint8_t, 2>{AF_INET, AF_INET6}) {
    const std::size_t before = routes.size();
    const auto begin = [&] {
      routes.resize(before);
      rtmsg header{};
      header.rtm_family = family;
      header.rtm_table = RT_TABLE_MAIN;
      header.rtm_protocol = protocol.value_or(RTPROT_UNSPEC);
      NetlinkRequest request(RTM_GETROUTE, NLM_F_DUMP, header);
      if (device.is_set()) request.add(RTA_OIF, device.value());
      return request;
    };
    const auto dumped = socket.dump(begin, "routes", [&](std::uint16_t type, ByteView payload) {
      const auto message = type == RTM_NEWROUTE ? parse_route(payload) : std::nullopt;
      if (!message || message->table != RT_TABLE_MAIN) return;
      const HostRoute& route = message->route;
      // A kernel without this family answers with the others.
      if (netlink_family(route.destination.address()) != family) return;
      if (device.is_set() && route.device != device) return;
      if (protocol && route.protocol != *protocol) return;
      routes.push_back(route);
    });
    // No such device: no route.
    if (!dumped && dumped.error().kind != ErrorKind::kNotFound) return std::unexpected(dumped.error());
  }
  return routes;
}

Result<std::vector<HostRoutes::Change>> list_changes(NetlinkSocket& socket) {
  auto routes = list_routes(socket, {}, {});
  if (!routes) return std::unexpected(std::move(routes).error());
  std::vector<HostRoutes::Change> changes;
  changes.reserve(routes->size());
  for (const HostRoute& route : *routes) changes.push_back({.route = route});
  return changes;
}

}  // namespace

struct HostRoutes::Impl {
  NetlinkSocket requests;
  NetlinkWatch<RouteTable> watch;

  std::optional<Change> take(std::uint16_t type, ByteView payload);
  bool uses(IfIndex device) const {
    return std::ranges::any_of(watch.known(), [&](const HostRoute& route) { return route.device == device; });
  }

  using Answers = std::vector<std::optional<NetlinkRefusal>>;
  Answers send(std::span<const Request> all) {
    return requests.request_all(all.size(), [&](std::size_t i) { return to_request(all[i]); });
  }
  void settle(std::span<const Request> all, Answers& answers);
};

Result<std::unique_ptr<HostRoutes>> HostRoutes::create() {
  auto requests = NetlinkSocket::create();
  if (!requests) return std::unexpected(std::move(requests).error());
  requests->be_strict();
  constexpr std::array<int, 4> kGroups = {RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE, RTNLGRP_LINK,
                                          RTNLGRP_IPV4_IFADDR};
  auto events = NetlinkSocket::subscribe(kGroups);
  if (!events) return std::unexpected(std::move(events).error());
  auto present = list_changes(*requests);
  if (!present) return std::unexpected(std::move(present).error());
  return std::unique_ptr<HostRoutes>(new HostRoutes(
      std::make_unique<Impl>(*std::move(requests), NetlinkWatch<RouteTable>(*std::move(events), *present))));
}

HostRoutes::HostRoutes(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HostRoutes::~HostRoutes() = default;

Result<std::vector<HostRoute>> HostRoutes::list(IfIndex device, std::optional<std::uint8_t> protocol) {
  return list_routes(impl_->requests, device, protocol);
}

Result<void> HostRoutes::set(const HostRoute& route) {
  const Request request{Verb::kSet, route};
  return apply({&request, 1}).front();
}

Result<void> HostRoutes::take_over(const HostRoute& route) {
  const Request request{Verb::kTakeOver, route};
  return apply({&request, 1}).front();
}

Result<void> HostRoutes::remove(const HostRoute& route) {
  const Request request{Verb::kRemove, route};
  return apply({&request, 1}).front();
}

std::vector<Result<void>> HostRoutes::apply(std::span<const Request> requests) {
  std::vector<Result<void>> results(requests.size());
  LinkNames names(impl_->requests);
  std::vector<Request> legal;
  std::vector<std::size_t> indices;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    if (const auto reason = why_not(requests[i].route)) {
      results[i] = fail(ErrorKind::kInvalid, what_failed(requests[i], names) + ": " + *reason);
    } else {
      legal.push_back(requests[i]);
      indices.push_back(i);
    }
  }
  auto answers = impl_->send(legal);
  impl_->settle(legal, answers);
  for (std::size_t i = 0; i < legal.size(); ++i) {
    if (!answers[i] || (legal[i].verb == Verb::kRemove && is_absence(*answers[i]))) continue;
    results[indices[i]] = std::unexpected(answers[i]->to_error(what_failed(legal[i], names)));
  }
  return results;
}

/// A second round for those whose place is taken, if they may have it.
void HostRoutes::Impl::settle(std::span<const Request> all, Answers& answers) {
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (is_taken(answers[i]) || is_in_its_own_way(all[i], answers[i])) open.push_back(i);
  }
  if (open.empty()) return;
  const auto routes = list_routes(requests, {}, {});
  if (!routes) return;
  std::map<std::pair<Prefix, std::uint32_t>, const HostRoute*> places;
  for (const HostRoute& route : *routes) places.try_emplace({route.destination, route.metric}, &route);

  std::vector<Request> again;
  std::vector<std::size_t> indices;
  const auto ask_again = [&](Verb verb, const HostRoute& route, std::size_t i) {
    again.push_back({verb, route});
    indices.push_back(i);
  };
  for (const std::size_t i : open) {
    const auto& [verb, route] = all[i];
    const auto place = places.find({route.destination, route.metric});
    const HostRoute* holder = place == places.end() ? nullptr : place->second;
    if (holder != nullptr && holder->protocol != kRouteProtocol && verb == Verb::kSet) {
      answers[i] = NetlinkRefusal{
          EEXIST, "a route of protocol " + std::to_string(holder->protocol) + " is in its place"};
      continue;
    }
    if (holder != nullptr && *holder == route) {
      answers[i].reset();
      continue;
    }
    if (!is_taken(answers[i])) {
      if (holder == nullptr) continue;  // something else is wrong with it
      ask_again(Verb::kRemove, *holder, i);
    } else if (verb == Verb::kTakeOver) {
      // Ours stands behind a stranger's, and the kernel knows no way to swap them.
      ask_again(Verb::kRemove, route, i);
    }
    ask_again(Verb::kTakeOver, route, i);
  }

  Answers later = send(again);
  for (std::size_t i = 0; i < again.size(); ++i) {
    if (again[i].verb == Verb::kTakeOver) answers[indices[i]] = std::move(later[i]);
  }
}

std::optional<HostRoutes::Change> HostRoutes::Impl::take(std::uint16_t type, ByteView payload) {
  if (type == RTM_NEWROUTE || type == RTM_DELROUTE) {
    const auto message = parse_route(payload);
    if (!message || message->table != RT_TABLE_MAIN) return std::nullopt;
    return Change{.route = message->route, .removed = type == RTM_DELROUTE};
  }
  if (type == RTM_DELADDR) watch.doubt();
  if (type == RTM_NEWLINK || type == RTM_DELLINK) {
    const auto link = parse_link(payload);
    if (!link || link->family != AF_UNSPEC) return std::nullopt;
    const bool is_down = type == RTM_DELLINK || !link->interface.is_up();
    if (is_down && uses(link->interface.index)) watch.doubt();
  }
  return std::nullopt;
}

void HostRoutes::on_change(Listener listener) {
  impl_->watch.on_change(std::move(listener));
}

int HostRoutes::fd() const {
  return impl_->watch.fd();
}

void HostRoutes::dispatch() {
  impl_->watch.dispatch([this](std::uint16_t type, ByteView payload) { return impl_->take(type, payload); },
                        [this] {
                          // The kernel announces a device's end, and then cleans up, both under one lock.
                          // This question waits for the lock; a dump would not.
                          [[maybe_unused]] const auto loopback = get_link(impl_->requests, kLoopback);
                          return list_changes(impl_->requests);
                        });
}

}  // namespace vtep
