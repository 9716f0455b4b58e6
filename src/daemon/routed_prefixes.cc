#include "daemon/routed_prefixes.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <span>
#include <utility>
#include <vector>

namespace vtep {
namespace {

void note(RoutedPrefixes::Outcome& outcome, const Result<void>& done) {
  if (done) {
    ++outcome.changed;
  } else if (outcome.failed++ == 0) {
    outcome.first_failure = done.error().message;
  }
}

HostRoute route_of(const RoutedPrefixes::Place& place, const Prefix& prefix,
                   const RoutedPrefixes::Wanted& wanted) {
  if (wanted.fact.direct)
    return {.destination = prefix, .gateway = wanted.fact.vtep, .device = place.underlay};
  return {.destination = prefix, .gateway = wanted.gateway, .device = place.interface, .onlink = true};
}

}  // namespace

Result<RoutedPrefixes::Entries> RoutedPrefixes::list_entries(const Place& place) {
  Entries entries;
  if (!place.source) return entries;
  const auto listed = overlay_.list_external(place.link, *place.source);
  if (!listed) return std::unexpected(listed.error());
  for (const FdbEntry& entry : *listed) entries[entry.mac] = entry.remote.address;
  return entries;
}

Result<void> RoutedPrefixes::write_entry(const Place& place, const ExternalMac& entry) {
  return overlay_.write_external(place.link, {}, std::span(&entry, 1));
}

RoutedPrefixes::Outcome RoutedPrefixes::reconcile(const Place& place, const AllWanted& wanted) {
  Outcome outcome;
  std::map<IpAddr, MacAddr> neighbours;
  Entries entries;
  std::set<HostRoute> routes;
  for (const auto& [prefix, one] : wanted) {
    routes.insert(route_of(place, prefix, one));
    if (one.fact.direct) continue;
    neighbours[one.gateway] = one.fact.router;
    if (place.source) entries[one.fact.router] = one.fact.vtep;
  }

  // Neighbours that are missing or say otherwise, and those that nobody wants any more.
  std::vector<NeighbourEntry> changes, stale_neighbours;
  const auto there = neighbours_.neighbours(place.interface);
  if (!there) return {.changed = 0, .failed = 1, .first_failure = there.error().message};
  std::map<IpAddr, MacAddr> missing = neighbours;
  for (NeighbourEntry entry : *there) {
    if (!entry.permanent || entry.ip.is_multicast()) continue;
    const auto found = missing.find(entry.ip);
    if (found != missing.end() && found->second == entry.mac) missing.erase(found);
    const bool is_ours = place.is_whole || entry.protocol == kRouteProtocol;
    if (neighbours.contains(entry.ip) || !is_ours) continue;
    entry.removed = true;
    stale_neighbours.push_back(entry);
  }
  for (const auto& [ip, mac] : missing) {
    NeighbourEntry& entry = changes.emplace_back();
    entry.device = place.interface;
    entry.ip = ip;
    entry.mac = mac;
    entry.protocol = kRouteProtocol;
  }
  for (const auto& done : neighbours_.apply(changes)) note(outcome, done);

  const auto has = list_entries(place);
  if (!has) return {.changed = 0, .failed = 1, .first_failure = has.error().message};
  for (const auto& [mac, vtep] : entries) {
    if (const auto found = has->find(mac); found != has->end() && found->second == vtep) continue;
    note(outcome, write_entry(place, {.mac = mac, .source = *place.source, .vtep = vtep}));
  }

  // Routes: those that are gone first, for one may stand where another belongs.
  const auto listed = routes_.list({}, kRouteProtocol);
  if (!listed) return {.changed = 0, .failed = 1, .first_failure = listed.error().message};
  std::vector<HostRoutes::Request> requests;
  std::set<HostRoute> missing_routes = routes;
  for (const HostRoute& route : *listed) {
    if (missing_routes.erase(route) != 0) continue;
    if (route.device == place.interface && place.left.contains(route.destination)) {
      if (route.gateway)
        std::erase_if(stale_neighbours, [&](const auto& entry) { return entry.ip == route.gateway; });
    } else if (route.device == place.interface ||
               (place.underlay.is_set() && route.device == place.underlay)) {
      requests.push_back({HostRoutes::Verb::kRemove, route});
    }
  }
  for (const HostRoute& route : missing_routes) requests.push_back({HostRoutes::Verb::kSet, route});
  for (const auto& done : routes_.apply(requests)) note(outcome, done);

  // And now that no route leads there any more.
  for (const auto& [mac, vtep] : *has) {
    if (!entries.contains(mac)) note(outcome, write_entry(place, {.mac = mac}));
  }
  for (const auto& done : neighbours_.apply(stale_neighbours)) note(outcome, done);
  return outcome;
}

std::set<Prefix> RoutedPrefixes::list(IfIndex interface) {
  std::set<Prefix> list;
  for (const HostRoute& route : routes_.list(interface, kRouteProtocol).value_or(std::vector<HostRoute>()))
    list.insert(route.destination);
  return list;
}

}  // namespace vtep
