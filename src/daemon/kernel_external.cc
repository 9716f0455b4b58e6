// What control planes say, and what they are told.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "daemon/kernel_links.h"

namespace vtep {
namespace {

/// Of all remotes. False: there was none.
bool erase_mac(std::set<std::pair<MacAddr, IpAddr>>& entries, MacAddr mac) {
  bool is_erased = false;
  auto entry = entries.lower_bound({mac, IpAddr()});
  while (entry != entries.end() && entry->first == mac) {
    entry = entries.erase(entry);
    is_erased = true;
  }
  return is_erased;
}

/// Whose the address is, as far as this host has heard on the bridge; not set: nobody's.
void set_owner(KernelLink& link, const IpAddr& ip, std::optional<MacAddr> mac) {
  if (const auto before = link.address_owners.find(ip); before != link.address_owners.end()) {
    const auto station = link.station_addresses.find(before->second);
    station->second.erase(ip);
    if (station->second.empty()) link.station_addresses.erase(station);
    link.address_owners.erase(before);
  }
  if (!mac) return;
  link.address_owners[ip] = *mac;
  link.station_addresses[*mac].insert(ip);
}

/// Entries of the device, and of its bridge behind it. Some may be there already, or not any more.
BridgeEntry own_entry(const KernelLink& link, MacAddr mac, const IpAddr& remote) {
  return {.device = link.interface, .mac = mac, .remote = remote, .extern_learn = true};
}

BridgeEntry bridge_entry(const KernelLink& link, MacAddr mac) {
  return {.device = link.interface, .bridge = link.bridge, .mac = mac, .extern_learn = true};
}

}  // namespace

// --- what they say

Result<void> KernelLinks::write(const std::string& name, std::span<const ExternalMac> wanted) {
  KernelLink& link = links_.at(name);
  Result<void> first_failure;
  std::vector<BridgeFdb::Request> requests;
  for (const ExternalMac& one : wanted) {
    if (!one.vtep) {
      const bool is_ours = link.macs.erase(one.mac) != 0;
      const bool is_left = erase_mac(link.left, one.mac);
      if (!is_ours && !is_left) continue;
      if (link.bridge.is_set()) requests.push_back({BridgeFdb::Verb::kRemove, bridge_entry(link, one.mac)});
      requests.push_back({BridgeFdb::Verb::kRemove, own_entry(link, one.mac, {})});
      continue;
    }
    const auto by_hand = link.by_hand.lower_bound({one.mac, IpAddr()});
    if (by_hand != link.by_hand.end() && by_hand->first == one.mac) {
      if (first_failure) {
        first_failure = fail(ErrorKind::kExists, fmt::format("{}: {} has an entry by hand, which counts more",
                                                             name, one.mac.to_string()));
      }
      continue;
    }
    erase_mac(link.left, one.mac);
    const auto known = link.macs.find(one.mac);
    const bool is_same = known != link.macs.end() && known->second.vtep == one.vtep;
    link.macs[one.mac] = one;
    if (is_same) continue;
    requests.push_back({BridgeFdb::Verb::kReplace, own_entry(link, one.mac, *one.vtep)});
    if (link.bridge.is_set()) requests.push_back({BridgeFdb::Verb::kReplace, bridge_entry(link, one.mac)});
  }
  const auto outcomes = fdb_->apply(requests);
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const auto& done = outcomes[i];
    const bool is_gone_already = !done && requests[i].verb == BridgeFdb::Verb::kRemove;
    if (done || is_gone_already) continue;
    if (!requests[i].entry.bridge.is_set()) link.macs.erase(requests[i].entry.mac);
    if (first_failure) first_failure = fail(done.error().kind, done.error().message);
  }
  return first_failure;
}

Result<void> KernelLinks::write(const std::string& name, std::span<const ExternalFlood> wanted) {
  KernelLink& link = links_.at(name);
  std::vector<BridgeFdb::Request> requests;
  for (const ExternalFlood& one : wanted) {
    const std::pair key{MacAddr(), one.vtep};
    BridgeEntry entry{.device = link.interface, .mac = {}, .remote = one.vtep};
    entry.state = BridgeEntry::State::kPermanent;
    const bool was_left = link.left.erase(key) != 0;
    if (one.source == 0) {
      const bool is_ours = link.floods.erase(one.vtep) != 0;
      if (is_ours || was_left) requests.push_back({BridgeFdb::Verb::kRemove, entry});
    } else if (!link.by_hand.contains(key)) {
      const bool is_new = link.floods.insert_or_assign(one.vtep, one).second;
      if (is_new && !was_left) requests.push_back({BridgeFdb::Verb::kAppend, entry});
    }
  }
  Result<void> first_failure;
  const auto outcomes = fdb_->apply(requests);
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (outcomes[i] || requests[i].verb == BridgeFdb::Verb::kRemove) continue;
    link.floods.erase(requests[i].entry.remote);
    if (first_failure) first_failure = outcomes[i];
  }
  return first_failure;
}

Result<void> KernelLinks::write(const std::string& name, std::span<const ExternalNeighbour> wanted) {
  write_neighbours(links_.at(name), wanted);
  return {};
}

/// Where there is no interface for them yet, they wait for it.
void KernelLinks::write_neighbours(KernelLink& link, std::span<const ExternalNeighbour> wanted) {
  std::vector<NeighbourEntry> changes;
  for (const ExternalNeighbour& one : wanted) {
    NeighbourEntry entry{.device = link.host_interface(), .ip = one.ip, .mac = one.mac.value_or(MacAddr())};
    entry.router = one.router;
    entry.extern_learn = true;
    entry.removed = !one.mac;
    if (one.mac) {
      link.neighbours[one.ip] = one;
    } else if (link.neighbours.erase(one.ip) == 0) {
      continue;
    }
    if (link.can_have_neighbours) changes.push_back(entry);
  }
  for (const auto& done : neighbours_.apply(changes)) {
    if (!done) spdlog::debug("{}: {}", link.name, done.error().message);
  }
}

std::vector<ExternalNeighbour> KernelLinks::drop_neighbours(KernelLink& link) {
  std::vector<ExternalNeighbour> had, gone;
  for (const auto& [ip, neighbour] : link.neighbours) {
    had.push_back(neighbour);
    gone.push_back({.ip = ip});
  }
  write_neighbours(link, gone);
  return had;
}

std::vector<FdbEntry> KernelLinks::list_external(const std::string& name, std::uint8_t source) const {
  const KernelLink& link = links_.at(name);
  std::vector<FdbEntry> out;
  for (const auto& [mac, one] : link.macs) {
    if (one.source == source)
      out.push_back({.link = link.id, .mac = mac, .remote = {.address = *one.vtep}, .source = source});
  }
  return out;
}

/// What the last daemon was told and nobody has said again.
void KernelLinks::sweep() {
  for (auto& [name, link] : links_) {
    std::vector<BridgeFdb::Request> requests;
    for (const auto& [mac, remote] : std::exchange(link.left, {})) {
      if (link.bridge.is_set() && !mac.is_zero())
        requests.push_back({BridgeFdb::Verb::kRemove, bridge_entry(link, mac)});
      requests.push_back({BridgeFdb::Verb::kRemove, own_entry(link, mac, remote)});
    }
    if (!requests.empty()) spdlog::info("{}: {} entries of an earlier daemon go", name, requests.size());
    (void)fdb_->apply(requests);
  }
}

// --- what they are told

void KernelLinks::append_controlled(std::vector<ControlledVni>& out) {
  for (const auto& [name, link] : links_) {
    if (link.settings.control.empty()) continue;
    ControlledVni one{.vni = link.settings.engine.vni, .dev = name, .control = link.settings.control};
    one.vteps = link.settings.locals();
    one.interface = link.host_interface();
    one.announce = link.settings.announce;
    one.accept = link.settings.accept;
    // Behind a bridge the device itself is nobody: the bridge is.
    const auto host = rtnetlink_.find(link.host_interface());
    one.address = host ? host->address : link.settings.engine.address;
    one.ips = rtnetlink_.addresses(link.host_interface()).value_or(std::vector<IpAddr>());
    out.push_back(std::move(one));
  }
}

void KernelLinks::take_stations(KernelLink& link) {
  if (!link.bridge.is_set()) return;
  for (const NeighbourEntry& entry :
       neighbours_.neighbours(link.bridge).value_or(std::vector<NeighbourEntry>())) {
    if (entry.valid && !entry.extern_learn) set_owner(link, entry.ip, entry.mac);
  }
  const auto entries = fdb_->list_bridge(link.bridge);
  if (!entries) return spdlog::warn("{}: {}", link.name, entries.error().message);
  for (const BridgeEntry& entry : *entries) bridge_entry_changed(link, entry);
}

void KernelLinks::see_station(const KernelLink& link, MacAddr mac) {
  tell(link, StationEvent::Kind::kSeen, mac);
  const auto addresses = link.station_addresses.find(mac);
  if (addresses == link.station_addresses.end()) return;
  for (const IpAddr& ip : addresses->second) tell(link, StationEvent::Kind::kAddress, mac, ip);
}

void KernelLinks::tell(const KernelLink& link, StationEvent::Kind kind, MacAddr mac, const IpAddr& ip,
                       bool router) {
  if (watcher_ == nullptr || link.settings.control.empty()) return;
  watcher_->station_changed(link.settings.engine.vni,
                            {.kind = kind, .link = link.id, .mac = mac, .ip = ip, .router = router});
}

/// The bridge does not say again what it has said: if the station is there, that is news now.
void KernelLinks::forget_station(const std::string& name, MacAddr mac) {
  if (!links_.at(name).stations.contains(mac)) return;
  // Not from within the question.
  loop_.post([this, name, mac] {
    const auto link = links_.find(name);
    if (link != links_.end() && link->second.stations.contains(mac)) see_station(link->second, mac);
  });
}

void KernelLinks::neighbour_changed(const NeighbourEntry& entry) {
  for (auto& [name, link] : links_) {
    if (!link.bridge.is_set() || link.bridge != entry.device || entry.extern_learn) continue;
    const bool has_owner = !entry.removed && entry.valid;
    set_owner(link, entry.ip, has_owner ? std::optional(entry.mac) : std::nullopt);
    if (!has_owner) continue;
    if (link.stations.contains(entry.mac))
      tell(link, StationEvent::Kind::kAddress, entry.mac, entry.ip, entry.router);
  }
}

}  // namespace vtep
