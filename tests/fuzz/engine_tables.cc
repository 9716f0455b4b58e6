// Every table is changed as people, control planes and the kernel change it.
#include <set>

#include "engine_driver.h"

namespace vtep::fuzz {

// --- the forwarding table

Remote Driver::some_remote() {
  const std::uint8_t shape = in_.byte();
  Remote remote{.address = kAddresses[shape % std::size(kAddresses)], .port = {}, .vni = {}, .via = {}};
  if ((shape & 0x20) != 0) remote.port = in_.one_of(kPorts);
  if ((shape & 0x40) != 0) remote.vni = in_.one_of(kVnis);
  if ((shape & 0x80) != 0) remote.via = IfIndex(in_.byte() % 3 + 1U);
  if (shape == 0x1f) remote.address = {};
  return remote;
}

RemoteFilter Driver::some_filter() {
  const std::uint8_t shape = in_.byte();
  RemoteFilter filter;
  if ((shape & 1) != 0) filter.address = in_.one_of(kAddresses);
  if ((shape & 2) != 0) filter.port = in_.one_of(kPorts);
  if ((shape & 4) != 0) filter.vni = in_.one_of(kVnis);
  if ((shape & 8) != 0) filter.via = IfIndex(in_.byte() % 4);
  filter.link_vni = (shape & 16) != 0;
  if ((shape & 32) != 0) filter.group = in_.byte() % 8;
  return filter;
}

void Driver::fdb_set() {
  const LinkId link = some_link();
  const MacAddr to = mac(in_.byte());
  FdbTarget target(some_remote());
  const std::uint8_t how = in_.byte();
  const FdbState state = kStates[how % std::size(kStates)];
  target.router = (how & 0x40) != 0;
  if ((how & 0x80) != 0) target.group = in_.byte() % 8;
  Fdb& fdb = engine_.fdb();
  const bool is_known = !fdb.get(link, to, now_s()).empty();
  const std::uint32_t limit = links_.at(link).max_addresses;
  const bool has_room = is_known || limit == 0 || fdb.size(link) < limit;
  const bool has_target = target.group != 0 ? is_group(target.group) && !is_replicated(to)
                                            : !target.remote.address.is_unspecified();
  const bool is_legal = has_target && (state != FdbState::kDynamic || !is_replicated(to));
  switch (in_.byte() % 3) {
    case 0:
      REQUIRE(fdb.add(link, to, target, state, now_s()).has_value() == (is_legal && !is_known && has_room));
      break;
    case 1:
      REQUIRE(fdb.append(link, to, target, state, now_s()).has_value() ==
              (is_legal && has_room && (!is_known || is_replicated(to))));
      break;
    default:
      REQUIRE(fdb.replace(link, to, target, state, now_s()).has_value() == (is_legal && has_room));
      if (!is_legal || !has_room) break;
      const auto entries = fdb.get(link, to, now_s());
      REQUIRE(entries.size() == 1 && !entries[0].frozen && entries[0].state == state);
      REQUIRE(entries[0].group == target.group && entries[0].router == target.router);
  }
}

void Driver::move_device() {
  const IfIndex from(in_.byte() % 3 + 1U);
  const IfIndex to(in_.byte() % 3 + 1U);
  engine_.fdb().move_device(from, to);
  for (auto& [key, remote] : mdb_) {
    if (remote.via == from) remote.via = to;
  }
  REQUIRE(from == to || !engine_.uses_device(from));
  device_moved_ = true;
}

void Driver::fdb_remove() {
  const LinkId link = some_link();
  const MacAddr to = mac(in_.byte());
  const RemoteFilter filter = some_filter();
  const auto matching = [&] {
    std::size_t count = 0;
    for (const FdbEntry& entry : engine_.fdb().get(link, to, now_s())) {
      const bool matches =
          entry.group != 0 ? filter.matches_group(entry.group) : filter.matches(entry.remote);
      count += matches ? 1 : 0;
    }
    return count;
  };
  const bool is_there = matching() != 0;
  REQUIRE(engine_.fdb().remove(link, to, filter).has_value() == is_there);
  REQUIRE(matching() == 0);
}

void Driver::fdb_flush() {
  const LinkId link = some_link();
  FdbFilter filter;
  const std::uint8_t shape = in_.byte();
  if ((shape & 1) != 0) filter.states.push_back(in_.one_of(kStates));
  if ((shape & 2) != 0) filter.mac = mac(in_.byte());
  if ((shape & 4) != 0) filter.router = in_.flag();
  filter.remote = some_filter();
  const std::size_t before = engine_.fdb().list({}, now_s()).size();
  const std::size_t removed = engine_.fdb().flush(link, filter);
  REQUIRE(engine_.fdb().list({}, now_s()).size() == before - removed);
  REQUIRE(engine_.fdb().flush(link, filter) == 0);
}

// --- nexthops

bool Driver::is_legal(const Nexthop& nexthop) const {
  if (nexthop.id == 0) return false;
  if (!nexthop.is_group()) return !nexthop.via.is_unspecified() && !nexthop.via.is_multicast();
  std::set<std::uint32_t> seen;
  for (const NexthopMember& member : nexthop.members) {
    const auto known = nexthops_.find(member.id);
    if (known == nexthops_.end() || known->second.is_group()) return false;
    if (member.weight == 0 || member.weight > Nexthops::kMaxWeight || !seen.insert(member.id).second)
      return false;
  }
  return true;
}

void Driver::nexthop_set() {
  constexpr std::uint32_t kWeights[] = {1, 2, 3, 256, 0, 257};
  Nexthop nexthop{.id = in_.byte() % 8U, .via = {}, .members = {}};
  const std::uint8_t members = in_.byte() % 5;
  if (members == 0) nexthop.via = in_.one_of(kAddresses);
  for (std::uint8_t i = 0; i < members; ++i) {
    const std::uint32_t id = in_.byte() % 8U;
    nexthop.members.push_back({.id = id, .weight = in_.one_of(kWeights)});
  }
  const auto known = nexthops_.find(nexthop.id);
  const bool is_known = known != nexthops_.end();
  bool is_accepted;
  if (in_.flag()) {
    is_accepted = is_legal(nexthop) && (!is_known || known->second.is_group() == nexthop.is_group());
    REQUIRE(engine_.nexthops().replace(nexthop).has_value() == is_accepted);
  } else {
    is_accepted = is_legal(nexthop) && !is_known;
    REQUIRE(engine_.nexthops().add(nexthop).has_value() == is_accepted);
  }
  if (is_accepted) nexthops_[nexthop.id] = nexthop;
}

void Driver::nexthop_remove() {
  const std::uint32_t id = in_.byte() % 8;
  REQUIRE(engine_.remove_nexthop(id).has_value() == nexthops_.contains(id));
  nexthops_.erase(id);
  std::set<std::uint32_t> emptied;
  for (auto& [group_id, group] : nexthops_) {
    const auto is_it = [&](const NexthopMember& member) { return member.id == id; };
    if (std::erase_if(group.members, is_it) != 0 && group.members.empty()) emptied.insert(group_id);
  }
  for (const std::uint32_t group_id : emptied) nexthops_.erase(group_id);
}

// --- the multicast database

void Driver::mdb_set() {
  const LinkId link = some_link();
  const IpAddr group = in_.one_of(kGroups);
  const IpAddr source = in_.one_of(kStations);
  const Remote remote = some_remote();
  const bool has_source = !source.is_unspecified();
  const bool is_legal =
      (group.is_multicast() || group.is_unspecified()) && !remote.address.is_unspecified() &&
      (!has_source || (group.is_multicast() && !source.is_multicast() && source.is_v4() == group.is_v4()));
  const MdbKey key(link, group, has_source ? source : IpAddr(), remote.address);
  bool is_accepted;
  if (in_.flag()) {
    is_accepted = is_legal;
    REQUIRE(engine_.mdb().replace(link, group, source, remote).has_value() == is_accepted);
  } else {
    is_accepted = is_legal && !mdb_.contains(key);
    REQUIRE(engine_.mdb().add(link, group, source, remote).has_value() == is_accepted);
  }
  if (is_accepted) mdb_[key] = remote;
}

void Driver::mdb_remove() {
  const LinkId link = some_link();
  const IpAddr group = in_.one_of(kGroups);
  const IpAddr chosen = in_.one_of(kStations);
  const IpAddr source = chosen.is_unspecified() ? IpAddr() : chosen;
  const IpAddr remote = in_.one_of(kAddresses);
  bool is_there = false;
  for (const MdbEntry& entry : engine_.mdb().list(link, now_s())) {
    is_there |= entry.group == group && entry.source == source && entry.remote.address == remote;
  }
  REQUIRE(engine_.mdb().remove(link, group, chosen, remote).has_value() == is_there);
  mdb_.erase({link, group, source, remote});
}

// --- neighbours

void Driver::neighbour_set() {
  constexpr NeighbourOrigin kOrigins[] = {NeighbourOrigin::kPermanent, NeighbourOrigin::kSystem};
  const LinkId link = some_link();
  const IpAddr address = in_.one_of(kStations);
  const MacAddr owner = mac(in_.byte());
  const std::uint8_t router = in_.byte() % 3;
  const NeighbourOrigin origin = in_.one_of(kOrigins);
  const auto outcome = engine_.neighbours().set(
      link, address, owner, router == 2 ? std::nullopt : std::optional(router == 1), origin, now_s());
  const bool is_legal = is_station_address(address) && owner.is_unicast();
  REQUIRE((outcome == Neighbours::Outcome::kInvalid) == !is_legal);
  REQUIRE(outcome != Neighbours::Outcome::kFull);
  if (is_legal) neighbours_[{link, address, origin}] = owner;
}

void Driver::neighbour_remove() {
  constexpr NeighbourOrigin kOrigins[] = {NeighbourOrigin::kPermanent, NeighbourOrigin::kSystem,
                                          NeighbourOrigin::kHeard};
  const LinkId link = some_link();
  const IpAddr address = in_.one_of(kStations);
  const NeighbourOrigin origin = in_.one_of(kOrigins);
  const bool was_there = engine_.neighbours().remove(link, address, origin);
  const bool was_told = neighbours_.erase({link, address, origin}) != 0;
  REQUIRE(origin == NeighbourOrigin::kHeard || was_there == was_told);
}

// --- paths

void Driver::path_set() {
  const std::uint8_t how = in_.byte() % 5;
  const IpAddr address = in_.one_of(kAddresses);
  const std::uint32_t mtu = in_.one_of(kPathMtus);
  PathTable& paths = engine_.paths();
  HandMade& made = paths_[address];
  switch (how) {
    case 0:
      if (paths.learn_mtu(address, mtu, now_s())) {
        REQUIRE(made.mtu == 0);
        REQUIRE(paths.find(address)->mtu >= (address.is_v4() ? PathTable::kMinMtu4 : PathTable::kMinMtu6));
      }
      break;
    case 1:
      paths.set_mtu(address, mtu);
      made.mtu = mtu;
      REQUIRE(mtu != 0 || paths.find(address) == nullptr || paths.find(address)->mtu == 0);
      break;
    case 2: {
      const std::uint8_t wanted = in_.byte() % 3;
      made.checksum = wanted == 0 ? std::nullopt : std::optional(wanted == 1);
      paths.set_checksum(address, made.checksum);
      break;
    }
    case 3:
      paths.forget_learned();
      for (const Path& path : paths.list()) REQUIRE(path.mtu == 0 || path.mtu_until == Path::kByHand);
      break;
    default: {
      const Port port = in_.one_of(kPorts);
      const bool is_known = paths.find(address) != nullptr;
      const bool is_believed = engine_.hear_path_mtu(address, port, in_.quad(), mtu, now_);
      REQUIRE(is_known || !is_believed);
    }
  }
  if (made.is_nothing()) paths_.erase(address);
}

}  // namespace vtep::fuzz
