// What control planes say of the forwarding tables, and what they are told of links. None of it is
// remembered: they say it again.
#include <fmt/format.h>

#include <algorithm>

#include "daemon/overlay.h"

namespace vtep {
namespace {

/// Frames wait while the tables are locked.
constexpr std::size_t kChunk = 256;

template <typename Wanted, typename Write>
void write_in_chunks(DataPlane& data_plane, std::span<const Wanted> wanted, const Write& write) {
  while (!wanted.empty()) {
    const auto chunk = wanted.first(std::min(kChunk, wanted.size()));
    wanted = wanted.subspan(chunk.size());
    const auto engine = data_plane.engine();
    for (const Wanted& one : chunk) write(*engine, one);
  }
}

bool is_held_by_hand(const FdbEntry& entry) {
  return entry.source == 0 && entry.state != FdbState::kDynamic;
}

Result<void> write_one(Fdb& fdb, LinkId link, const ExternalMac& wanted, Seconds now) {
  const auto there = fdb.get(link, wanted.mac, now);
  if (!wanted.vtep) {
    if (there.empty() || there.front().source == 0) return {};
    return fdb.remove(link, wanted.mac);
  }
  if (std::ranges::any_of(there, is_held_by_hand)) {
    return fail(ErrorKind::kExists,
                fmt::format("{} has an entry by hand, which counts more", wanted.mac.to_string()));
  }
  FdbTarget target{Remote{.address = *wanted.vtep}};
  target.source = wanted.source;
  const bool is_same = there.size() == 1 && there.front().source == target.source &&
                       there.front().group == 0 && there.front().remote == target.remote;
  return is_same ? Result<void>() : fdb.replace(link, wanted.mac, target, FdbState::kDynamic, now);
}

}  // namespace

Result<void> Overlay::write_external(const std::string& dev, std::optional<Vni> vni,
                                     std::span<const ExternalMac> wanted) {
  if (kernel_.contains(dev)) return kernel_.write(dev, wanted);
  const auto link = link_id(dev, vni);
  if (!link) return std::unexpected(link.error());
  const Seconds now = Engine::to_seconds(loop_.now());
  Result<void> first_failure;
  write_in_chunks(data_plane_, wanted, [&](Engine& engine, const ExternalMac& one) {
    const auto done = write_one(engine.fdb(), *link, one, now);
    // Where it is elsewhere, its next frame here is news.
    if (done && one.vtep) engine.stations().forget(*link, one.mac);
    if (!done && first_failure) {
      first_failure = fail(done.error().kind, fmt::format("{}: {}", dev, done.error().message));
    }
  });
  publish_events();
  data_plane_.schedule();
  return first_failure;
}

Result<void> Overlay::write_external(const std::string& dev, std::optional<Vni> vni,
                                     std::span<const ExternalFlood> wanted) {
  if (kernel_.contains(dev)) return kernel_.write(dev, wanted);
  const auto link = link_id(dev, vni);
  if (!link) return std::unexpected(link.error());
  const Seconds now = Engine::to_seconds(loop_.now());
  std::map<IpAddr, std::uint8_t>& ours = external_floods_[*link];
  {
    const auto engine = data_plane_.engine();
    Fdb& fdb = engine->fdb();
    for (const ExternalFlood& one : wanted) {
      const auto there = fdb.get(*link, MacAddr(), now);
      const Remote remote{.address = one.vtep};
      const bool is_there = std::ranges::find(there, remote, &FdbEntry::remote) != there.end();
      if (one.source != 0 && !is_there) {
        if (auto added = fdb.append(*link, MacAddr(), remote, FdbState::kPermanent, now); !added)
          return added;
        ours[one.vtep] = one.source;
      } else if (one.source != 0 && ours.contains(one.vtep)) {
        ours[one.vtep] = one.source;
      } else if (one.source == 0 && ours.erase(one.vtep) != 0 && is_there) {
        const RemoteFilter it{.address = one.vtep, .port = Port(), .link_vni = true, .via = IfIndex()};
        if (auto removed = fdb.remove(*link, MacAddr(), it); !removed) return removed;
      }
    }
  }
  publish_events();
  return {};
}

Result<void> Overlay::write_external(const std::string& dev, std::optional<Vni> vni,
                                     std::span<const ExternalNeighbour> wanted) {
  if (kernel_.contains(dev)) return kernel_.write(dev, wanted);
  const auto link = link_id(dev, vni);
  if (!link) return std::unexpected(link.error());
  const Seconds now = Engine::to_seconds(loop_.now());
  write_in_chunks(data_plane_, wanted, [&](Engine& engine, const ExternalNeighbour& one) {
    if (one.mac) {
      engine.neighbours().set(*link, one.ip, *one.mac, one.router, NeighbourOrigin::kControl, now);
    } else {
      engine.neighbours().remove(*link, one.ip, NeighbourOrigin::kControl);
    }
  });
  publish_events();
  return {};
}

Result<std::vector<FdbEntry>> Overlay::list_external(const std::string& dev, std::uint8_t source) {
  if (kernel_.contains(dev)) return kernel_.list_external(dev, source);
  const auto link = find(dev);
  if (!link) return std::unexpected(link.error());
  auto entries = data_plane_.engine()->fdb().list((*link)->id, Engine::to_seconds(loop_.now()));
  std::erase_if(entries, [source](const FdbEntry& entry) { return entry.source != source; });
  return entries;
}

void Overlay::forget_station(const std::string& dev, std::optional<Vni> vni, MacAddr mac) {
  if (kernel_.contains(dev)) return kernel_.forget_station(dev, mac);
  if (const auto link = link_id(dev, vni)) data_plane_.engine()->stations().forget(*link, mac);
}

// --- what they are told

std::vector<ControlledVni> Overlay::list_controlled() {
  std::vector<ControlledVni> out;
  const auto addresses = rtnetlink_.list_addresses();
  for (const auto& [name, link] : links_) {
    if (link.settings.control.empty()) continue;
    const LinkConfig& config = link.settings.engine;
    ControlledVni one{.dev = name, .control = link.settings.control, .address = config.address};
    one.vteps = link.settings.locals();
    one.interface = link.interface;
    one.announce = link.settings.announce;
    one.accept = link.settings.accept;
    for (const HostAddress& address : addresses.value_or(std::vector<HostAddress>())) {
      if (link.interface.is_set() && address.device == link.interface) one.ips.push_back(address.address);
    }
    if (!link.is_vnifilter()) {
      one.vni = config.vni;
      out.push_back(one);
    }
    for (const auto& [vni, member] : link.vnis) {
      one.vni = vni;
      out.push_back(one);
    }
  }
  kernel_.append_controlled(out);
  return out;
}

std::optional<Vni> Overlay::vni_of(LinkId id) const {
  const auto name = names_.find(id);
  if (name == names_.end()) return std::nullopt;
  const auto link = links_.find(name->second.name);
  if (link == links_.end() || link->second.settings.control.empty()) return std::nullopt;
  return name->second.vni ? name->second.vni : std::optional(link->second.settings.engine.vni);
}

void Overlay::tell_control_planes(std::span<const StationEvent> stations, std::span<const FdbEvent> entries) {
  if (!watcher_) return;
  for (const StationEvent& event : stations) {
    if (const auto vni = vni_of(event.link)) watcher_->station_changed(*vni, event);
  }
  for (const FdbEvent& event : entries) {
    if (event.kind != FdbEvent::Kind::kRemoved && event.kind != FdbEvent::Kind::kAged) continue;
    const auto vni = vni_of(event.entry.link);
    if (!vni) continue;
    if (event.entry.mac.is_zero()) external_floods_[event.entry.link].erase(event.entry.remote.address);
    watcher_->entry_gone(*vni, event.entry);
  }
}

void Overlay::mark_external_floods(std::vector<FdbEntry>& entries) const {
  for (FdbEntry& entry : entries) {
    if (!entry.mac.is_zero()) continue;
    const auto ours = external_floods_.find(entry.link);
    if (ours == external_floods_.end()) continue;
    if (const auto found = ours->second.find(entry.remote.address); found != ours->second.end())
      entry.source = found->second;
  }
}

}  // namespace vtep
