#include "control/mesh_vni.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "control/printable.h"

namespace vtep {

MeshVni::MeshVni(Rib& rib, SourceId source, SourceStatus& status, Vni vni, std::string prefix,
                 std::string self, std::vector<IpAddr> local, OwnKey on_own)
    : rib_(rib),
      source_(source),
      status_(status),
      vni_(vni),
      prefix_(std::move(prefix)),
      self_(std::move(self)),
      local_(std::move(local)),
      on_own_(std::move(on_own)) {}

// --- what etcd tells

void MeshVni::take_all(const EtcdListing& listing, Time now) {
  std::set<std::string, std::less<>> there;
  for (const EtcdEntry& entry : listing.entries) there.insert(entry.key.substr(prefix_.size()));
  std::vector<MeshKey> gone;
  for (const auto& [name, node] : nodes_) {
    if (node.vtep && !there.contains("nodes/" + name)) gone.push_back({.node = name});
    for (const auto& [mac, station] : node.stations) {
      if (!there.contains(fmt::format("macs/{}/{}", mac.to_string(), name))) gone.push_back({name, mac});
    }
  }
  for (const MeshKey& key : gone) remove(key, now);
  std::erase_if(status_.refusals, [&](const auto& refusal) {
    return refusal.first.starts_with(refusal_name("")) &&
           !there.contains(refusal.first.substr(refusal_name("").size()));
  });
  for (const EtcdEntry& entry : listing.entries) take_one({.is_removal = false, .entry = entry}, now);
}

void MeshVni::take(std::span<const EtcdEvent> events, Time now) {
  for (const EtcdEvent& event : events) take_one(event, now);
}

void MeshVni::take_one(const EtcdEvent& event, Time now) {
  const std::string rest = event.entry.key.substr(prefix_.size());
  const auto key = MeshKey::parse(rest);
  if (key && key->node == self_) return on_own_(*key, event);
  Result<void> taken;
  if (event.is_removal) {
    if (key) remove(*key, now);
  } else {
    taken = key ? accept(*key, event.entry.value, now) : std::unexpected(key.error());
  }
  if (taken) {
    status_.refusals.erase(refusal_name(rest));
  } else {
    status_.refuse(refusal_name(rest), taken.error().message);
  }
}

/// As `vtep -d source` shows it.
std::string MeshVni::refusal_name(std::string_view rest) const {
  return fmt::format("vni {} {}", vni_.value(), printable(rest));
}

Result<void> MeshVni::accept(const MeshKey& key, const std::string& value, Time now) {
  if (!key.mac) {
    const auto member = MeshMember::parse(value);
    if (!member) return std::unexpected(member.error());
    const auto vtep = choose(*member);
    if (!vtep) return std::unexpected(vtep.error());
    set_member(key.node, *vtep, now);
    return {};
  }
  const auto station = MeshStation::parse(value);
  if (!station) return std::unexpected(station.error());
  set_station(key.node, *key.mac, *station, now);
  return {};
}

/// The first that we can send to.
Result<IpAddr> MeshVni::choose(const MeshMember& member) const {
  for (const IpAddr& vtep : member.vteps) {
    if (std::ranges::find(local_, vtep) != local_.end()) {
      return fail(ErrorKind::kInvalid, fmt::format("{} is this node's address", vtep.to_string()));
    }
  }
  for (const IpAddr& vtep : member.vteps) {
    const auto is_of_family = [&](const IpAddr& own) { return own.is_v4() == vtep.is_v4(); };
    if (std::ranges::any_of(local_, is_of_family)) return vtep;
  }
  return fail(ErrorKind::kInvalid,
              fmt::format("this node has no IPv{} address to send to {} from",
                          member.vteps.front().is_v4() ? 4 : 6, member.vteps.front().to_string()));
}

// --- and what follows from it

void MeshVni::set_member(const std::string& name, const IpAddr& vtep, Time now) {
  Node& node = nodes_[name];
  if (node.vtep == vtep) return;
  if (node.origin == 0) node.origin = ++last_origin_;
  // The new one first, so that there is no moment without.
  rib_.say(source_, node.origin, VtepFact::Key{vni_, vtep}, VtepFact{}, now);
  for (const auto& [mac, station] : node.stations) say(vtep, mac, station, now);
  if (node.vtep) {
    rib_.unsay<VtepFact>(source_, node.origin, {vni_, *node.vtep}, now);
  } else {
    ++members_;
  }
  node.vtep = vtep;
}

void MeshVni::set_station(const std::string& name, MacAddr mac, const MeshStation& said, Time now) {
  Node& node = nodes_[name];
  Station& station = node.stations[mac];
  if (station.origin == 0) station.origin = ++last_origin_;
  for (const MeshAddress& before : std::exchange(station.said, said).addresses) {
    if (std::ranges::find(said.addresses, before.ip, &MeshAddress::ip) != said.addresses.end()) continue;
    rib_.unsay<NeighbourFact>(source_, station.origin, {vni_, before.ip}, now);
  }
  if (node.vtep) say(*node.vtep, mac, station, now);
}

void MeshVni::remove(const MeshKey& key, Time now) {
  const auto node = nodes_.find(key.node);
  if (node == nodes_.end()) return;
  if (key.mac) {
    const auto station = node->second.stations.find(*key.mac);
    if (station == node->second.stations.end()) return;
    unsay(*key.mac, station->second, now);
    node->second.stations.erase(station);
  } else if (node->second.vtep) {
    // What it still says of its stations waits, should it take part again.
    for (const auto& [mac, station] : node->second.stations) unsay(mac, station, now);
    rib_.unsay<VtepFact>(source_, node->second.origin, {vni_, *node->second.vtep}, now);
    node->second.vtep.reset();
    --members_;
  }
  if (!node->second.vtep && node->second.stations.empty()) nodes_.erase(node);
}

void MeshVni::leave(Time now) {
  while (!nodes_.empty()) {
    const std::string name = nodes_.begin()->first;
    std::vector<MacAddr> macs;
    for (const auto& [mac, station] : nodes_.begin()->second.stations) macs.push_back(mac);
    for (const MacAddr& mac : macs) remove({name, mac}, now);
    remove({.node = name}, now);
  }
}

void MeshVni::say(const IpAddr& vtep, MacAddr mac, const Station& station, Time now) {
  const MeshStation& said = station.said;
  rib_.say(source_, station.origin, MacFact::Key{vni_, mac},
           MacFact{.vtep = vtep, .sticky = said.sticky, .sequence = said.sequence}, now);
  for (const MeshAddress& address : said.addresses) {
    rib_.say(source_, station.origin, NeighbourFact::Key{vni_, address.ip},
             NeighbourFact{.mac = mac, .router = address.router, .sequence = said.sequence}, now);
  }
}

void MeshVni::unsay(MacAddr mac, const Station& station, Time now) {
  for (const MeshAddress& address : station.said.addresses) {
    rib_.unsay<NeighbourFact>(source_, station.origin, {vni_, address.ip}, now);
  }
  rib_.unsay<MacFact>(source_, station.origin, {vni_, mac}, now);
}

}  // namespace vtep
