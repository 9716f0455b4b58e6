#include "daemon/routed_prefixes.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
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

HostRoute route_of(const RoutedPrefixes::Place& place, const Prefix& prefix, const PrefixFact& fact) {
  if (fact.direct) return {.destination = prefix, .gateway = fact.vtep, .device = place.underlay};
  return {.destination = prefix, .gateway = prefix.address(), .device = place.interface, .onlink = true};
}

}  // namespace

RoutedPrefixes::Outcome RoutedPrefixes::reconcile(const Place& place, const Wanted& wanted) {
  Outcome outcome;
  std::map<IpAddr, MacAddr> neighbours;
  std::map<MacAddr, IpAddr> entries;
  std::set<HostRoute> routes;
  for (const auto& [address, one] : wanted) {
    const auto& [prefix, fact] = one;
    routes.insert(route_of(place, prefix, fact));
    if (fact.direct) continue;
    neighbours[address] = fact.router;
    entries[fact.router] = fact.vtep;
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
    if (neighbours.contains(entry.ip)) continue;
    entry.removed = true;
    stale_neighbours.push_back(entry);
  }
  for (const auto& [ip, mac] : missing) changes.push_back({.device = place.interface, .ip = ip, .mac = mac});
  for (const auto& done : neighbours_.apply(changes)) note(outcome, done);

  // Entries of the FDB.
  const auto write_entry = [&](const ExternalMac& entry) {
    return overlay_.write_external(place.link, {}, std::span(&entry, 1));
  };
  const auto external = overlay_.list_external(place.link, place.source);
  if (!external) return {.changed = 0, .failed = 1, .first_failure = external.error().message};
  std::map<MacAddr, IpAddr> has;
  for (const FdbEntry& entry : *external) has[entry.mac] = entry.remote.address;
  for (const auto& [mac, vtep] : entries) {
    if (const auto found = has.find(mac); found != has.end() && found->second == vtep) continue;
    note(outcome, write_entry({.mac = mac, .source = place.source, .vtep = vtep}));
  }

  // Routes: those that are gone first, for one may stand where another belongs.
  const auto listed = routes_.list({}, kRouteProtocol);
  if (!listed) return {.changed = 0, .failed = 1, .first_failure = listed.error().message};
  std::vector<HostRoutes::Request> requests;
  std::set<HostRoute> missing_routes = routes;
  for (const HostRoute& route : *listed) {
    if (missing_routes.erase(route) != 0) continue;
    if (route.device == place.interface || route.device == place.underlay) {
      requests.push_back({HostRoutes::Verb::kRemove, route});
    }
  }
  for (const HostRoute& route : missing_routes) requests.push_back({HostRoutes::Verb::kSet, route});
  for (const auto& done : routes_.apply(requests)) note(outcome, done);

  // And now that no route leads there any more.
  for (const auto& [mac, vtep] : has) {
    if (!entries.contains(mac)) note(outcome, write_entry({.mac = mac}));
  }
  for (const auto& done : neighbours_.apply(stale_neighbours)) note(outcome, done);
  return outcome;
}

}  // namespace vtep
