// Requests about the engine's other tables: nexthops, multicast groups, neighbours, and what is known of the
// way to remote VTEPs.
#include <fmt/format.h>

#include <algorithm>

#include "daemon/overlay.h"
#include "daemon/table_spec.h"

namespace vtep {
namespace {

std::optional<Vni> source_vni(bool given, std::uint32_t number) {
  return given ? Vni::from(number) : std::nullopt;
}

Error unknown_operation() {
  return {ErrorKind::kInvalid, "say whether to add, replace or delete"};
}

}  // namespace

// --- nexthops

Result<void> Overlay::change_nexthop(const v1::NexthopChange& change) {
  if (auto done = apply(change); !done) return done;
  v1::StateRecord record;
  *record.mutable_nexthop() = change;
  remember(record);
  publish_events();
  return {};
}

Result<void> Overlay::apply(const v1::NexthopChange& change) {
  const auto engine = data_plane_.engine();
  Result<void> done = std::unexpected(unknown_operation());
  if (change.operation() == v1::CHANGE_DELETE) {
    done = engine->remove_nexthop(change.nexthop().id());
  } else {
    const auto nexthop = parse_nexthop(change.nexthop());
    if (!nexthop) return std::unexpected(nexthop.error());
    if (change.operation() == v1::CHANGE_ADD) done = engine->nexthops().add(*nexthop);
    if (change.operation() == v1::CHANGE_REPLACE) done = engine->nexthops().replace(*nexthop);
  }
  return done;
}

Result<std::vector<v1::Nexthop>> Overlay::list_nexthops(std::uint32_t id) {
  std::vector<v1::Nexthop> out;
  const auto nexthops = data_plane_.engine()->nexthops().list();
  for (const Nexthop& nexthop : nexthops) {
    if (id == 0 || id == nexthop.id) out.push_back(to_proto(nexthop));
  }
  if (id != 0 && out.empty()) return fail(ErrorKind::kNotFound, fmt::format("there is no nexthop {}", id));
  return out;
}

// --- multicast groups

Result<void> Overlay::change_mdb(const v1::MdbChange& change) {
  if (auto done = apply(change); !done) return done;
  v1::StateRecord record;
  *record.mutable_mdb() = change;
  remember(record);
  publish_events();
  return {};
}

Result<void> Overlay::apply(const v1::MdbChange& change) {
  const v1::MdbEntry& entry = change.entry();
  const auto link = find(entry.dev());
  if (!link) return std::unexpected(link.error());
  const auto request = parse_mdb_entry(entry, (*link)->settings.engine,
                                       [this](const std::string& name) { return index_of(name); });
  if (!request) return std::unexpected(request.error());
  const auto id = link_id(entry.dev(), source_vni(entry.has_src_vni(), entry.src_vni()));
  if (!id) return std::unexpected(id.error());

  const auto engine = data_plane_.engine();
  Mdb& mdb = engine->mdb();
  if (change.operation() == v1::CHANGE_DELETE) {
    return mdb.remove(*id, request->group, request->source, request->remote.address);
  }
  if (request->remote.address.is_unspecified()) {
    return fail(ErrorKind::kInvalid, "an entry needs the remote VTEP: say 'dst IP'");
  }
  if (change.operation() == v1::CHANGE_ADD) {
    return mdb.add(*id, request->group, request->source, request->remote);
  }
  if (change.operation() == v1::CHANGE_REPLACE) {
    return mdb.replace(*id, request->group, request->source, request->remote);
  }
  return std::unexpected(unknown_operation());
}

v1::MdbEntry Overlay::describe(const MdbEntry& entry) const {
  const LinkName& link = names_.at(entry.link);
  v1::MdbEntry out = to_proto(entry, link.name, [this](IfIndex index) { return name_of(index); });
  if (link.vni) out.set_src_vni(link.vni->value());
  return out;
}

Result<std::vector<v1::MdbEntry>> Overlay::list_mdb(const std::string& dev) {
  const auto ids = ids_of(dev);
  if (!ids) return std::unexpected(ids.error());
  std::vector<v1::MdbEntry> out;
  const auto groups = data_plane_.engine()->mdb().list(std::nullopt, Engine::to_seconds(loop_.now()));
  for (const MdbEntry& entry : groups) {
    if (std::ranges::binary_search(*ids, entry.link)) out.push_back(describe(entry));
  }
  if (!dev.empty())
    std::ranges::stable_sort(out, {}, [](const v1::MdbEntry& entry) { return entry.src_vni(); });
  return out;
}

// --- neighbours

Result<void> Overlay::change_neighbour(const v1::NeighbourChange& change) {
  if (kernel_.contains(change.neighbour().dev())) return kernel_.change_neighbour(change);
  if (auto done = apply(change); !done) return done;
  v1::StateRecord record;
  *record.mutable_neighbour() = change;
  remember(record);
  publish_events();
  return {};
}

Result<void> Overlay::apply(const v1::NeighbourChange& change) {
  const v1::Neighbour& neighbour = change.neighbour();
  const auto id = link_id(neighbour.dev(), source_vni(neighbour.has_src_vni(), neighbour.src_vni()));
  if (!id) return std::unexpected(id.error());
  const auto request = parse_neighbour(neighbour);
  if (!request) return std::unexpected(request.error());

  const auto engine = data_plane_.engine();
  Neighbours& neighbours = engine->neighbours();
  const Seconds now = Engine::to_seconds(loop_.now());
  const auto known = neighbours.find(*id, request->ip, NeighbourOrigin::kPermanent, now);
  switch (change.operation()) {
    case v1::CHANGE_DELETE:
      // What was heard can be deleted, too: it comes back when it is heard again.
      if (!neighbours.remove(*id, request->ip, NeighbourOrigin::kPermanent) &&
          !neighbours.remove(*id, request->ip, NeighbourOrigin::kHeard)) {
        return fail(ErrorKind::kNotFound,
                    fmt::format("{} has no entry for {}", neighbour.dev(), request->ip.to_string()));
      }
      break;
    case v1::CHANGE_ADD:
    case v1::CHANGE_REPLACE:
      if (request->mac.is_zero()) {
        return fail(ErrorKind::kInvalid, "a neighbour needs a MAC address: say 'lladdr MAC'");
      }
      if (known && change.operation() == v1::CHANGE_ADD) {
        return fail(ErrorKind::kExists,
                    fmt::format("{} is {} already", request->ip.to_string(), known->mac.to_string()));
      }
      if (neighbours.set(*id, request->ip, request->mac, request->router, NeighbourOrigin::kPermanent, now) ==
          Neighbours::Outcome::kInvalid) {
        return fail(ErrorKind::kInvalid,
                    fmt::format("no station can have the address {}", request->ip.to_string()));
      }
      break;
    default:
      return std::unexpected(unknown_operation());
  }
  return {};
}

v1::Neighbour Overlay::describe(const Neighbour& neighbour) const {
  const LinkName& link = names_.at(neighbour.link);
  v1::Neighbour out;
  out.set_ip(neighbour.ip.to_string());
  out.set_mac(neighbour.mac.to_string());
  out.set_dev(link.name);
  if (link.vni) out.set_src_vni(link.vni->value());
  out.set_permanent(neighbour.origin >= NeighbourOrigin::kSystem);
  out.set_extern_learn(neighbour.origin == NeighbourOrigin::kControl);
  out.set_router(neighbour.router.value_or(false));
  out.set_updated(neighbour.updated);
  return out;
}

Result<std::vector<v1::Neighbour>> Overlay::list_neighbours(const std::string& dev) {
  const auto ids = kernel_.contains(dev) ? Result<std::vector<LinkId>>(std::vector<LinkId>()) : ids_of(dev);
  if (!ids) return std::unexpected(ids.error());
  std::vector<Neighbour> found;
  const auto neighbours =
      data_plane_.engine()->neighbours().list(std::nullopt, Engine::to_seconds(loop_.now()));
  for (const Neighbour& neighbour : neighbours) {
    if (std::ranges::binary_search(*ids, neighbour.link)) found.push_back(neighbour);
  }
  std::ranges::sort(found, {}, [](const Neighbour& n) { return std::pair(n.link, n.ip); });
  std::vector<v1::Neighbour> out;
  for (const Neighbour& neighbour : found) out.push_back(describe(neighbour));
  if (auto done = append_kernel_neighbours(dev, out); !done) return std::unexpected(done.error());
  return out;
}

/// What the operator has told the kernel (`ip neigh add … dev vxlan0`) answers, too. Not what the kernel
/// found out by itself: its own questions must not be answered from its own memory.
void Overlay::neighbour_changed(const NeighbourEntry& entry) {
  kernel_.neighbour_changed(entry);
  const auto is_it = [&](const auto& item) { return item.second.interface == entry.device; };
  const auto found = std::ranges::find_if(links_, is_it);
  if (!entry.device.is_set() || found == links_.end()) return;
  const OverlayLink& link = found->second;
  if (!link.settings.engine.proxy && !link.settings.engine.rsc) return;
  const auto engine = data_plane_.engine();
  Neighbours& neighbours = engine->neighbours();
  const bool usable = !entry.removed && entry.valid && entry.permanent;
  const auto apply = [&](LinkId id) {
    if (usable) {
      neighbours.set(id, entry.ip, entry.mac, entry.router, NeighbourOrigin::kSystem,
                     Engine::to_seconds(loop_.now()));
    } else {
      neighbours.remove(id, entry.ip, NeighbourOrigin::kSystem);
    }
  };
  if (!link.is_vnifilter()) apply(link.id);
  for (const auto& [number, vni] : link.vnis) apply(vni.id);
  publish_events();
}

/// Takes over the kernel's table once a link begins to answer from it.
void Overlay::follow_neighbours(OverlayLink& link) {
  if ((!link.settings.engine.proxy && !link.settings.engine.rsc) || !link.interface.is_set()) return;
  const auto entries = system_neighbours_.neighbours(link.interface);
  if (!entries) return;
  for (const NeighbourEntry& entry : *entries) neighbour_changed(entry);
}

// --- the way to remote VTEPs

Result<void> Overlay::set_remote(const v1::Remote& remote) {
  if (auto done = apply(remote); !done) return done;
  v1::StateRecord record;
  *record.mutable_remote() = remote;
  remember(record);
  return {};
}

Result<void> Overlay::apply(const v1::Remote& remote) {
  const auto address = IpAddr::parse(remote.address());
  if (!address || address->is_unspecified()) {
    return fail(ErrorKind::kInvalid, fmt::format("\"{}\" is not the address of a VTEP", remote.address()));
  }
  const std::uint32_t least = address->is_v4() ? PathTable::kMinMtu4 : PathTable::kMinMtu6;
  if (remote.mtu() != 0 && (remote.mtu() < least || remote.mtu() > 65535)) {
    return fail(ErrorKind::kInvalid, fmt::format("mtu {} of {} is not between {} and 65535", remote.mtu(),
                                                 remote.address(), least));
  }
  const auto engine = data_plane_.engine();
  PathTable& paths = engine->paths();
  if (remote.has_mtu()) paths.set_mtu(*address, remote.mtu());
  if (remote.link_udp_csum()) {
    paths.set_checksum(*address, std::nullopt);
  } else if (remote.has_udp_csum()) {
    paths.set_checksum(*address, remote.udp_csum());
  }
  return {};
}

Result<std::vector<v1::Remote>> Overlay::list_remotes(const std::string& dev) {
  const auto ids = ids_of(dev);
  if (!ids) return std::unexpected(ids.error());
  const Seconds now = Engine::to_seconds(loop_.now());
  std::map<IpAddr, std::uint32_t> entries;
  const auto fdb_entries = data_plane_.engine()->fdb().list(std::nullopt, now);
  for (const FdbEntry& entry : fdb_entries) {
    if (entry.group == 0 && std::ranges::binary_search(*ids, entry.link)) ++entries[entry.remote.address];
  }
  std::vector<v1::Remote> out;
  const auto paths = data_plane_.engine()->paths().list();
  for (const Path& path : paths) {
    const auto count = entries.find(path.address);
    if (!dev.empty() && count == entries.end()) continue;
    v1::Remote& remote = out.emplace_back(to_proto(path, now));
    if (count != entries.end()) remote.set_entries(count->second);
  }
  return out;
}

// --- what the journal has to say of them

/// What entries of the FDB refer to, and what belongs to no link.
void Overlay::append_tables(std::vector<v1::StateRecord>& records) {
  auto nexthops = data_plane_.engine()->nexthops().list();
  // Groups name others: those first.
  std::ranges::stable_partition(nexthops, [](const Nexthop& nexthop) { return !nexthop.is_group(); });
  for (const Nexthop& nexthop : nexthops) {
    v1::NexthopChange& change = *records.emplace_back().mutable_nexthop();
    change.set_operation(v1::CHANGE_REPLACE);
    *change.mutable_nexthop() = to_proto(nexthop);
  }
  const auto paths = data_plane_.engine()->paths().list();
  for (const Path& path : paths) {
    if (path.mtu_until != Path::kByHand && !path.checksum) continue;
    v1::Remote& remote = *records.emplace_back().mutable_remote();
    remote.set_address(path.address.to_string());
    if (path.mtu_until == Path::kByHand) remote.set_mtu(path.mtu);
    if (path.checksum) remote.set_udp_csum(*path.checksum);
  }
}

void Overlay::append_link_tables(std::vector<v1::StateRecord>& records) {
  const Seconds now = Engine::to_seconds(loop_.now());
  const auto groups = data_plane_.engine()->mdb().list(std::nullopt, now);
  for (const MdbEntry& entry : groups) {
    if (!entry.permanent) continue;
    v1::MdbChange& change = *records.emplace_back().mutable_mdb();
    change.set_operation(v1::CHANGE_REPLACE);
    *change.mutable_entry() = describe(entry);
  }
  const auto neighbours = data_plane_.engine()->neighbours().list(std::nullopt, now);
  for (const Neighbour& neighbour : neighbours) {
    if (neighbour.origin != NeighbourOrigin::kPermanent) continue;
    v1::NeighbourChange& change = *records.emplace_back().mutable_neighbour();
    change.set_operation(v1::CHANGE_REPLACE);
    *change.mutable_neighbour() = describe(neighbour);
  }
}

}  // namespace vtep
