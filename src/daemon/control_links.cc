#include "daemon/control_links.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>
#include <variant>

namespace vtep {
namespace {

/// Changes come in crowds: one look for all of them, and a move must not wait.
constexpr Duration kSoon = std::chrono::milliseconds(2);

}  // namespace

ControlLinks::ControlLinks(Loop& loop, Overlay& overlay, Rib& rib, LocalFacts& local,
                           std::function<void()> changed)
    : loop_(loop),
      overlay_(overlay),
      rib_(rib),
      local_(local),
      changed_(std::move(changed)),
      listener_(local.listen([this](const LocalFacts::Key& key) {
        if (const auto* const mac = std::get_if<MacFact::Key>(&key)) macs_.insert(*mac);
        if (const auto* const ip = std::get_if<NeighbourFact::Key>(&key)) neighbours_.insert(*ip);
        look_soon();
      })),
      soon_(loop) {
  overlay.watch(this);
}

ControlLinks::~ControlLinks() {
  overlay_.watch(nullptr);
  local_.end(listener_);
}

void ControlLinks::set_sources(std::map<std::string, SourceId> sources) {
  sources_ = std::move(sources);
  links_changed();
}

void ControlLinks::look_soon() {
  soon_.set_if_idle(kSoon, [this] { look(); });
}

void ControlLinks::look() {
  if (std::exchange(links_may_differ_, false)) follow_links();
  // A duplicate that has been quiet for long enough: what is seen of it counts again.
  for (const MacFact::Key& key : local_.tick(loop_.now())) {
    if (const auto place = places_.find(key.vni); place != places_.end()) {
      overlay_.forget_station(place->second.dev, key.vni, key.mac);
    }
  }
  take_changes();
  write(vteps_);
  write(macs_);
  write(neighbours_);
}

// --- what happens on links

void ControlLinks::links_changed() {
  links_may_differ_ = true;
  look_soon();
  changed_();
}

void ControlLinks::station_changed(Vni vni, const StationEvent& event) {
  const auto place = places_.find(vni);
  if (place == places_.end()) return;
  const MacFact::Key key{vni, event.mac};
  switch (event.kind) {
    case StationEvent::Kind::kSeen:
      if (local_.see(key, false, loop_.now()) == LocalFacts::Sighting::kDuplicate) {
        spdlog::warn(
            "{}: {} moves to and fro between this host and others: is the address used twice, or is there a "
            "loop?",
            place->second.dev, event.mac.to_string());
      }
      break;
    case StationEvent::Kind::kGone:
      if (event.mac != place->second.address) local_.forget(key);
      break;
    case StationEvent::Kind::kAddress:
      local_.bind({vni, event.ip}, {.mac = event.mac, .router = event.router});
      break;
  }
}

void ControlLinks::entry_gone(Vni vni, const FdbEntry& entry) {
  if (entry.mac.is_zero()) {
    vteps_.insert({vni, entry.remote.address});
  } else {
    macs_.insert({vni, entry.mac});
  }
  look_soon();
}

void ControlLinks::follow_links() {
  std::map<Vni, ControlledVni> wanted;
  for (const ControlledVni& link : overlay_.list_controlled()) {
    const auto [there, is_new] = wanted.try_emplace(link.vni, link);
    if (!is_new)
      spdlog::warn("{} and {} have VNI {}: control planes hear of {}", there->second.dev, link.dev,
                   link.vni.value(), there->second.dev);
  }
  std::vector<Vni> gone;
  for (const auto& [vni, place] : places_) {
    const auto found = wanted.find(vni);
    if (found == wanted.end() || found->second.dev != place.dev) gone.push_back(vni);
  }
  for (const Vni vni : gone) leave(vni);
  std::set<Vni> fresh;
  for (const auto& [vni, link] : wanted) {
    LocalVni local{.vteps = link.vteps};
    for (const std::string& name : link.control) {
      if (const auto source = sources_.find(name); source != sources_.end())
        local.sources.insert(source->second);
    }
    local_.set_vni(vni, local);
    if (!places_.contains(vni)) fresh.insert(vni);
    Place& place = places_[vni];
    place.dev = link.dev;
    follow_interface(vni, place, link);
    follow_prefixes(vni, place, link);
  }
  if (!fresh.empty()) note_all(fresh);
}

/// The interface itself is a station, which need not speak to be there.
void ControlLinks::follow_interface(Vni vni, Place& place, const ControlledVni& link) {
  if (place.address != link.address && !place.address.is_zero()) local_.forget({vni, place.address});
  place.address = link.address;
  if (place.address.is_zero()) return;
  local_.see({vni, place.address}, false, loop_.now());
  const std::set<IpAddr> ips(link.ips.begin(), link.ips.end());
  for (const IpAddr& ip : place.ips) {
    const LocalNeighbour* const owner = local_.find(NeighbourFact::Key{vni, ip});
    if (!ips.contains(ip) && owner != nullptr && owner->mac == place.address) local_.unbind({vni, ip});
  }
  for (const IpAddr& ip : ips) local_.bind({vni, ip}, {.mac = place.address});
  place.ips = ips;
}

/// Its router is the interface.
void ControlLinks::follow_prefixes(Vni vni, Place& place, const ControlledVni& link) {
  std::set<Prefix> wanted;
  if (!link.address.is_zero()) wanted.insert(link.announce.begin(), link.announce.end());
  for (const Prefix& prefix : place.prefixes) {
    if (!wanted.contains(prefix)) local_.remove_prefix({vni, prefix});
  }
  for (const Prefix& prefix : wanted) local_.set_prefix({vni, prefix}, {.router = link.address});
  place.prefixes = std::move(wanted);
}

// --- what follows for their tables

void ControlLinks::note_all(const std::set<Vni>& vnis) {
  const auto note = [&vnis](auto& table, auto& noted) {
    table.for_each([&](const auto& key, const auto&) {
      if (vnis.contains(key.vni)) noted.insert(key);
    });
  };
  note(rib_.macs(), macs_);
  note(rib_.vteps(), vteps_);
  note(rib_.neighbours(), neighbours_);
}

void ControlLinks::take_changes() {
  for (const auto& key : rib_.macs().take_changed()) macs_.insert(key);
  for (const auto& key : rib_.vteps().take_changed()) vteps_.insert(key);
  for (const auto& key : rib_.neighbours().take_changed()) neighbours_.insert(key);
}

ExternalMac ControlLinks::wanted(const MacFact::Key& key) {
  ExternalMac one{.mac = key.mac};
  if (local_.find(key) != nullptr && !local_.yield(key, loop_.now())) return one;
  if (const auto* const winner = rib_.macs().winner(key)) {
    one.source = winner->by.source;
    one.vtep = winner->fact.vtep;
  } else if (const auto place = places_.find(key.vni); place != places_.end()) {
    // Nobody has it: if it is here all the same, its next frame says so.
    overlay_.forget_station(place->second.dev, key.vni, key.mac);
  }
  return one;
}

ExternalFlood ControlLinks::wanted(const VtepFact::Key& key) const {
  const auto* const winner = rib_.vteps().winner(key);
  return {.vtep = key.vtep, .source = winner == nullptr ? SourceId{0} : winner->by.source};
}

ExternalNeighbour ControlLinks::wanted(const NeighbourFact::Key& key) const {
  ExternalNeighbour one{.ip = key.ip};
  // Who is here answers for itself.
  const auto* const winner = rib_.neighbours().winner(key);
  if (winner == nullptr || local_.find(key) != nullptr) return one;
  one.mac = winner->fact.mac;
  one.router = winner->fact.router;
  return one;
}

/// What is noted meanwhile, as by yielding, waits for the next look.
template <typename Key>
void ControlLinks::write(std::unordered_set<Key, FactHash>& noted) {
  std::map<Vni, std::vector<decltype(wanted(std::declval<Key>()))>> by_vni;
  for (const Key& key : std::exchange(noted, {})) {
    if (places_.contains(key.vni)) by_vni[key.vni].push_back(wanted(key));
  }
  for (const auto& [vni, entries] : by_vni) write_to(vni, places_.at(vni), entries);
}

template <typename Wanted>
void ControlLinks::write_to(Vni vni, const Place& place, const std::vector<Wanted>& wanted) {
  if (auto done = overlay_.write_external(place.dev, vni, std::span<const Wanted>(wanted)); !done) {
    spdlog::debug("{}", done.error().message);
  }
}

void ControlLinks::leave(Vni vni) {
  const Place place = places_.at(vni);
  // Before sources hear of it, and withdraw what they said.
  std::vector<ExternalFlood> floods;
  std::vector<ExternalMac> macs;
  std::vector<ExternalNeighbour> neighbours;
  rib_.vteps().for_each([&](const VtepFact::Key& key, const auto&) {
    if (key.vni == vni) floods.push_back({.vtep = key.vtep});
  });
  rib_.macs().for_each([&](const MacFact::Key& key, const auto&) {
    if (key.vni == vni) macs.push_back({.mac = key.mac});
  });
  rib_.neighbours().for_each([&](const NeighbourFact::Key& key, const auto&) {
    if (key.vni == vni) neighbours.push_back({.ip = key.ip});
  });
  places_.erase(vni);
  local_.remove_vni(vni);
  if (!overlay_.has_link(place.dev)) return;
  write_to(vni, place, floods);
  write_to(vni, place, macs);
  write_to(vni, place, neighbours);
}

}  // namespace vtep
