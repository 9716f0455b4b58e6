#include "control/local_facts.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace vtep {
namespace {

/// Collected first, for removing changes the table.
template <typename Table>
std::vector<typename Table::key_type> keys_of(const Table& table, Vni vni) {
  std::vector<typename Table::key_type> keys;
  for (const auto& [key, value] : table) {
    if (key.vni == vni) keys.push_back(key);
  }
  return keys;
}

template <typename Table>
const typename Table::mapped_type* find_in(const Table& table, const typename Table::key_type& key) {
  const auto found = table.find(key);
  return found == table.end() ? nullptr : &found->second;
}

std::uint32_t after(std::uint32_t sequence) {
  return sequence == std::numeric_limits<std::uint32_t>::max() ? sequence : sequence + 1;
}

}  // namespace

void LocalFacts::changed(const Key& key) const {
  for (const Listener& listener : listeners_) listener(key);
}

// --- VNIs

void LocalFacts::set_vni(Vni vni, const LocalVni& local) {
  const auto [there, is_new] = vnis_.try_emplace(vni, local);
  if (!is_new && there->second == local) return;
  const bool is_told_anew = is_new || there->second.sources != local.sources;
  there->second = local;
  changed(vni);
  if (is_told_anew) for_each_of(vni, [this](const Key& key) { changed(key); });
}

void LocalFacts::remove_vni(Vni vni) {
  const auto found = vnis_.find(vni);
  if (found == vnis_.end()) return;
  for (const auto& key : keys_of(stations_, vni)) forget(key);
  for (const auto& key : keys_of(prefixes_, vni)) remove_prefix(key);
  vnis_.erase(found);
  changed(vni);
}

const LocalVni* LocalFacts::find(Vni vni) const {
  return find_in(vnis_, vni);
}

bool LocalFacts::is_told(SourceId source, Vni vni) const {
  const LocalVni* const local = find(vni);
  return local != nullptr && local->sources.contains(source);
}

// --- stations

LocalFacts::Sighting LocalFacts::see(const MacFact::Key& key, bool sticky, Time now) {
  if (!vnis_.contains(key.vni)) return Sighting::kNoVni;
  const auto* const winner = claims_.winner(key);
  if (const auto ours = stations_.find(key); ours != stations_.end()) {
    if (ours->second.sticky != sticky) {
      ours->second.sticky = sticky;
      changed(key);
    }
    return Sighting::kOurs;
  }
  LocalStation station{.sticky = sticky};
  if (winner != nullptr) {
    if (winner->fact.sticky) return Sighting::kSticky;
    if (is_duplicate(key, now) || note_move(key, now)) return Sighting::kDuplicate;
    station.sequence = after(winner->fact.sequence);
  }
  stations_[key] = station;
  changed(key);
  return Sighting::kOurs;
}

void LocalFacts::forget(const MacFact::Key& key) {
  if (stations_.erase(key) == 0) return;
  drop_addresses(key);
  changed(key);
}

bool LocalFacts::yield(const MacFact::Key& key, Time now) {
  const auto* const winner = claims_.winner(key);
  if (winner == nullptr) return false;
  const auto ours = stations_.find(key);
  if (ours == stations_.end()) return true;
  if (!loses(ours->second, winner->fact, key.vni)) return false;
  note_move(key, now);
  forget(key);
  return true;
}

bool LocalFacts::loses(const LocalStation& ours, const MacFact& claim, Vni vni) const {
  const std::vector<IpAddr>& vteps = vnis_.at(vni).vteps;
  return MacFact::beats(claim, {.vtep = vteps.front(), .sticky = ours.sticky, .sequence = ours.sequence});
}

const LocalStation* LocalFacts::find(const MacFact::Key& key) const {
  return find_in(stations_, key);
}

// --- stations that are here and there

/// True: that was one too many.
bool LocalFacts::note_move(const MacFact::Key& key, Time now) {
  Moves& moves = moves_[key];
  std::erase_if(moves.times, [&](Time then) { return now - then >= limits_.window; });
  moves.times.push_back(now);
  moves.is_duplicate = moves.times.size() > limits_.moves;
  return moves.is_duplicate;
}

/// Until it has been quiet for as long as moves count.
bool LocalFacts::is_duplicate(const MacFact::Key& key, Time now) const {
  const auto found = moves_.find(key);
  return found != moves_.end() && found->second.is_duplicate &&
         now - found->second.times.back() < limits_.window;
}

std::vector<MacFact::Key> LocalFacts::duplicates(Time now) const {
  std::vector<MacFact::Key> keys;
  for (const auto& [key, moves] : moves_) {
    if (is_duplicate(key, now)) keys.push_back(key);
  }
  std::ranges::sort(keys, {}, [](const MacFact::Key& key) { return std::pair(key.vni, key.mac); });
  return keys;
}

std::vector<MacFact::Key> LocalFacts::tick(Time now) {
  std::vector<MacFact::Key> free;
  std::erase_if(moves_, [&](const auto& entry) {
    if (now - entry.second.times.back() < limits_.window) return false;
    if (entry.second.is_duplicate) free.push_back(entry.first);
    return true;
  });
  return free;
}

// --- addresses

void LocalFacts::bind(const NeighbourFact::Key& key, const LocalNeighbour& neighbour) {
  const MacFact::Key station{key.vni, neighbour.mac};
  if (!stations_.contains(station)) return;
  const auto [there, is_new] = neighbours_.try_emplace(key, neighbour);
  if (!is_new) {
    if (there->second == neighbour) return;
    const MacFact::Key before{key.vni, there->second.mac};
    there->second = neighbour;
    if (before != station) {
      addresses_[before].erase(key.ip);
      changed(before);
    }
  }
  addresses_[station].insert(key.ip);
  changed(station);
  changed(key);
}

void LocalFacts::unbind(const NeighbourFact::Key& key) {
  const auto found = neighbours_.find(key);
  if (found == neighbours_.end()) return;
  const MacFact::Key station{key.vni, found->second.mac};
  addresses_[station].erase(key.ip);
  neighbours_.erase(found);
  changed(station);
  changed(key);
}

std::vector<IpAddr> LocalFacts::addresses(const MacFact::Key& key) const {
  const auto found = addresses_.find(key);
  return found == addresses_.end() ? std::vector<IpAddr>()
                                   : std::vector<IpAddr>(found->second.begin(), found->second.end());
}

void LocalFacts::drop_addresses(const MacFact::Key& key) {
  const auto found = addresses_.find(key);
  if (found == addresses_.end()) return;
  const std::set<IpAddr> addresses = std::move(found->second);
  addresses_.erase(found);
  for (const IpAddr& ip : addresses) {
    neighbours_.erase({key.vni, ip});
    changed(NeighbourFact::Key{key.vni, ip});
  }
}

const LocalNeighbour* LocalFacts::find(const NeighbourFact::Key& key) const {
  return find_in(neighbours_, key);
}

// --- prefixes

void LocalFacts::set_prefix(const PrefixFact::Key& key, const LocalPrefix& prefix) {
  if (!vnis_.contains(key.vni)) return;
  const auto [there, is_new] = prefixes_.try_emplace(key, prefix);
  if (!is_new && there->second == prefix) return;
  there->second = prefix;
  changed(key);
}

void LocalFacts::remove_prefix(const PrefixFact::Key& key) {
  if (prefixes_.erase(key) != 0) changed(key);
}

const LocalPrefix* LocalFacts::find(const PrefixFact::Key& key) const {
  return find_in(prefixes_, key);
}

void LocalFacts::for_each_of(Vni vni, const Listener& visit) const {
  for (const auto& key : keys_of(stations_, vni)) visit(key);
  for (const auto& key : keys_of(neighbours_, vni)) visit(key);
  for (const auto& key : keys_of(prefixes_, vni)) visit(key);
}

void LocalFacts::for_each(SourceId source, const Listener& visit) const {
  for (const auto& [vni, local] : vnis_) {
    if (local.sources.contains(source)) visit(vni);
  }
  const auto visit_all = [&](const auto& table) {
    for (const auto& [key, value] : table) {
      if (is_told(source, key.vni)) visit(key);
    }
  };
  visit_all(stations_);
  visit_all(neighbours_);
  visit_all(prefixes_);
}

}  // namespace vtep
