// Entries and neighbours: requests of people, and what the kernel says of them.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "daemon/kernel_links.h"
#include "daemon/table_spec.h"

namespace vtep {
namespace {

FdbState to_state(BridgeEntry::State state) {
  switch (state) {
    case BridgeEntry::State::kPermanent:
      return FdbState::kPermanent;
    case BridgeEntry::State::kStatic:
      return FdbState::kStatic;
    case BridgeEntry::State::kDynamic:
      break;
  }
  return FdbState::kDynamic;
}

BridgeEntry::State to_state(FdbState state) {
  switch (state) {
    case FdbState::kPermanent:
      return BridgeEntry::State::kPermanent;
    case FdbState::kStatic:
      return BridgeEntry::State::kStatic;
    case FdbState::kDynamic:
      break;
  }
  return BridgeEntry::State::kDynamic;
}

BridgeFdb::Verb to_verb(v1::FdbChange::Operation operation) {
  switch (operation) {
    case v1::FdbChange::OPERATION_APPEND:
      return BridgeFdb::Verb::kAppend;
    case v1::FdbChange::OPERATION_REPLACE:
      return BridgeFdb::Verb::kReplace;
    case v1::FdbChange::OPERATION_DELETE:
      return BridgeFdb::Verb::kRemove;
    default:
      return BridgeFdb::Verb::kAdd;
  }
}

bool matches(const FdbFilter& filter, const FdbEntry& entry) {
  if (!filter.states.empty() && std::ranges::find(filter.states, entry.state) == filter.states.end())
    return false;
  if (filter.router && *filter.router != entry.router) return false;
  if (filter.mac && *filter.mac != entry.mac) return false;
  return entry.group != 0 ? filter.remote.matches_group(entry.group) : filter.remote.matches(entry.remote);
}

}  // namespace

// --- entries

FdbEntry KernelLinks::to_entry(const KernelLink& link, const BridgeEntry& entry) const {
  FdbEntry out{.link = link.id,
               .mac = entry.mac,
               .remote = {.address = entry.remote, .port = entry.port, .vni = entry.vni, .via = entry.via},
               .state = to_state(entry.state),
               .group = entry.nexthop,
               .router = entry.router};
  out.used = entry.used;
  out.updated = entry.updated;
  if (entry.mac.is_zero()) {
    const auto flood = link.floods.find(entry.remote);
    if (flood != link.floods.end()) out.source = flood->second.source;
  } else if (const auto external = link.macs.find(entry.mac); external != link.macs.end()) {
    out.source = external->second.source;
  }
  return out;
}

Result<BridgeEntry> KernelLinks::parse(const KernelLink& link, const v1::FdbEntry& entry) const {
  const auto request = parse_fdb_entry(entry, link.settings.engine,
                                       [this](const std::string& name) { return index_of(name); });
  if (!request) return std::unexpected(request.error());
  if (request->source_vni && *request->source_vni != link.settings.engine.vni) {
    return fail(ErrorKind::kInvalid,
                fmt::format("{} has the one VNI {}", link.name, link.settings.engine.vni.value()));
  }
  const Remote& remote = request->target.remote;
  return BridgeEntry{.device = link.interface,
                     .mac = request->mac,
                     .remote = remote.address,
                     .port = remote.port,
                     .vni = remote.vni,
                     .via = remote.via,
                     .nexthop = request->target.group,
                     .state = to_state(request->state),
                     .router = request->target.router};
}

void KernelLinks::remember(const v1::FdbChange& change) {
  const auto found = links_.find(change.entry().dev());
  const auto mac = MacAddr::parse(change.entry().mac());
  if (found == links_.end() || !mac) return;
  KernelLink& link = found->second;
  const std::pair key{*mac, IpAddr::parse(change.entry().dst()).value_or(IpAddr())};
  if (change.operation() == v1::FdbChange::OPERATION_REPLACE ||
      (change.operation() == v1::FdbChange::OPERATION_DELETE && change.entry().dst().empty())) {
    std::erase_if(link.remembered, [&](const auto& item) { return item.first.first == *mac; });
  }
  if (change.operation() == v1::FdbChange::OPERATION_DELETE) {
    link.remembered.erase(key);
  } else if (change.entry().state() != v1::FDB_STATE_DYNAMIC) {
    link.remembered[key] = change.entry();
  }
}

Result<void> KernelLinks::change_fdb(const v1::FdbChange& change) {
  KernelLink& link = links_.at(change.entry().dev());
  const auto entry = parse(link, change.entry());
  if (!entry) return std::unexpected(entry.error());
  const BridgeFdb::Request request{to_verb(change.operation()), *entry};
  auto done = fdb_->apply(std::span(&request, 1)).front();
  if (!done && done.error().kind == ErrorKind::kNotFound)
    return fail(ErrorKind::kNotFound, fmt::format("there is no entry for {}", entry->mac.to_string()));
  if (!done) return done;
  // What a person says counts more than what a control plane has said.
  if (entry->mac.is_zero()) {
    link.floods.erase(entry->remote);
  } else {
    link.macs.erase(entry->mac);
  }
  remember(change);
  return {};
}

Result<KernelLinks::Flushed> KernelLinks::flush_fdb(const v1::FlushFdbRequest& request) {
  const KernelLink& link = links_.at(request.dev());
  const auto filter = parse_fdb_flush(request, link.settings.engine,
                                      [this](const std::string& name) { return index_of(name); });
  if (!filter) return std::unexpected(filter.error());
  const auto entries = fdb_->list(link.interface);
  if (!entries) return std::unexpected(entries.error());
  std::vector<BridgeFdb::Request> requests;
  for (const BridgeEntry& entry : *entries) {
    if (!entry.bridge.is_set() && matches(*filter, to_entry(link, entry)))
      requests.push_back({BridgeFdb::Verb::kRemove, entry});
  }
  Flushed flushed;
  const auto outcomes = fdb_->apply(requests);
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (!outcomes[i]) continue;
    ++flushed.removed;
    const auto remembered = link.remembered.find({requests[i].entry.mac, requests[i].entry.remote});
    if (remembered == link.remembered.end()) continue;
    v1::FdbChange& change = flushed.forgotten.emplace_back();
    change.set_operation(v1::FdbChange::OPERATION_DELETE);
    *change.mutable_entry() = remembered->second;
  }
  for (const v1::FdbChange& change : flushed.forgotten) remember(change);
  return flushed;
}

Result<std::vector<FdbEntry>> KernelLinks::list_fdb(const std::string& name) {
  const KernelLink& link = links_.at(name);
  const auto listed = fdb_->list(link.interface);
  if (!listed) return std::unexpected(listed.error());
  std::vector<FdbEntry> out;
  for (const BridgeEntry& entry : *listed) {
    if (!entry.bridge.is_set()) out.push_back(to_entry(link, entry));
  }
  return out;
}

// --- neighbours

Result<std::vector<Neighbour>> KernelLinks::list_neighbours(const std::string& name) {
  const KernelLink& link = links_.at(name);
  const auto listed = neighbours_.neighbours(link.host_interface());
  if (!listed) return std::unexpected(listed.error());
  std::vector<Neighbour> out;
  for (const NeighbourEntry& entry : *listed) {
    if (!entry.valid || entry.ip.is_multicast()) continue;
    out.push_back({.link = link.id,
                   .ip = entry.ip,
                   .mac = entry.mac,
                   .origin = entry.extern_learn ? NeighbourOrigin::kControl
                             : entry.permanent  ? NeighbourOrigin::kSystem
                                                : NeighbourOrigin::kHeard,
                   .router = entry.router});
  }
  return out;
}

Result<void> KernelLinks::change_neighbour(const v1::NeighbourChange& change) {
  KernelLink& link = links_.at(change.neighbour().dev());
  const auto request = parse_neighbour(change.neighbour());
  if (!request) return std::unexpected(request.error());
  const auto there = list_neighbours(link.name);
  if (!there) return std::unexpected(there.error());
  const auto known = std::ranges::find(*there, request->ip, &Neighbour::ip);
  const bool is_known = known != there->end();
  if (change.operation() == v1::CHANGE_DELETE) {
    if (!is_known)
      return fail(ErrorKind::kNotFound,
                  fmt::format("{} has no entry for {}", link.name, request->ip.to_string()));
    return neighbours_.remove(link.host_interface(), request->ip);
  }
  if (request->mac.is_zero())
    return fail(ErrorKind::kInvalid, "a neighbour needs a MAC address: say 'lladdr MAC'");
  if (change.operation() == v1::CHANGE_ADD && is_known && known->origin == NeighbourOrigin::kSystem) {
    return fail(ErrorKind::kExists,
                fmt::format("{} is {} already", request->ip.to_string(), known->mac.to_string()));
  }
  link.neighbours.erase(request->ip);
  return neighbours_.set(link.host_interface(), request->ip, request->mac);
}

// --- what the kernel says

void KernelLinks::entry_changed(const BridgeEntry& entry) {
  if (!entry.bridge.is_set()) {
    if (KernelLink* const link = find(entry.device)) own_entry_changed(*link, entry);
    return;
  }
  for (auto& [name, link] : links_) {
    if (link.bridge == entry.bridge) bridge_entry_changed(link, entry);
  }
}

void KernelLinks::own_entry_changed(KernelLink& link, const BridgeEntry& entry) {
  const FdbEntry shown = to_entry(link, entry);
  const std::pair key{entry.mac, entry.remote};
  const auto flood = link.floods.find(entry.remote);
  const auto external = link.macs.find(entry.mac);
  const bool is_ours = entry.mac.is_zero()
                           ? flood != link.floods.end()
                           : external != link.macs.end() && external->second.vtep == entry.remote;
  if (entry.removed) {
    link.by_hand.erase(key);
    link.left.erase(key);
    if (is_ours) {
      entry.mac.is_zero() ? void(link.floods.erase(flood)) : void(link.macs.erase(external));
      lost_entry(link, entry);
    }
  } else if (!is_ours) {
    if (!entry.extern_learn && entry.state != BridgeEntry::State::kDynamic) link.by_hand.insert(key);
    // Somebody has put it in the place of ours: whether that may be is looked at again.
    if (!entry.mac.is_zero() && external != link.macs.end()) {
      link.macs.erase(external);
      lost_entry(link, entry);
    }
  }
  const auto kind = entry.removed                                            ? FdbEvent::Kind::kRemoved
                    : shown.source == 0 && shown.state == FdbState::kDynamic ? FdbEvent::Kind::kLearned
                                                                             : FdbEvent::Kind::kSet;
  hooks_.entry({.kind = kind, .entry = shown});
}

/// A station is behind another port; or what stood behind ours is gone.
void KernelLinks::bridge_entry_changed(KernelLink& link, const BridgeEntry& entry) {
  const bool is_station = !entry.removed && entry.device != link.interface && entry.device != link.bridge &&
                          !entry.extern_learn && entry.state != BridgeEntry::State::kPermanent;
  const auto known = link.stations.find(entry.mac);
  if (is_station) {
    const bool is_news = known == link.stations.end() || known->second != entry.device;
    link.stations[entry.mac] = entry.device;
    if (is_news) see_station(link, entry.mac);
    return;
  }
  if (known != link.stations.end()) {
    link.stations.erase(known);
    if (entry.removed) tell(link, StationEvent::Kind::kGone, entry.mac);
  }
  if (entry.removed && link.macs.erase(entry.mac) != 0) lost_entry(link, entry);
}

void KernelLinks::lost_entry(const KernelLink& link, const BridgeEntry& entry) {
  if (watcher_ != nullptr && !link.settings.control.empty())
    watcher_->entry_gone(link.settings.engine.vni, to_entry(link, entry));
}

}  // namespace vtep
