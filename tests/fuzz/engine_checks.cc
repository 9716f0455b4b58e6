// What always holds, whatever was done: the tables say what they were told, nothing names what is gone, and
// every reference is somebody's.
#include <set>

#include "engine_driver.h"

namespace vtep::fuzz {
namespace {

using RemoteKey = std::tuple<IpAddr, std::uint16_t, std::int64_t, std::uint32_t>;

RemoteKey key_of(const Remote& remote) {
  return {remote.address, remote.port.value(), remote.vni ? std::int64_t{remote.vni->value()} : -1,
          remote.via.value()};
}

}  // namespace

bool Driver::is_group(std::uint32_t id) const {
  const auto known = nexthops_.find(id);
  return known != nexthops_.end() && known->second.is_group();
}

bool Driver::group_names(std::uint32_t id, const IpAddr& address) const {
  const auto is_it = [&](const NexthopMember& one) { return nexthops_.at(one.id).via == address; };
  return std::ranges::any_of(nexthops_.at(id).members, is_it);
}

std::size_t Driver::entries_of(LinkId link) const {
  std::set<MacAddr> macs;
  for (const FdbEntry& entry : engine_.fdb().list(link, now_s())) macs.insert(entry.mac);
  return macs.size();
}

void Driver::check_tables() {
  check_events();
  check_fdb();
  check_mdb();
  check_neighbours();
  REQUIRE(std::ranges::equal(engine_.nexthops().list(), nexthops_, {}, {},
                             [](const auto& item) { return item.second; }));
  check_remotes();
  check_paths();
}

void Driver::check_events() {
  for (const FdbEvent& event : engine_.fdb().take_events()) {
    REQUIRE((event.entry.group == 0) != event.entry.remote.address.is_unspecified());
  }
  for (const MdbEvent& event : engine_.mdb().take_events())
    REQUIRE(!event.entry.remote.address.is_unspecified());
  for (const NeighbourEvent& event : engine_.neighbours().take_events())
    REQUIRE(event.neighbour.mac.is_unicast());
  const auto misses = engine_.take_misses();
  REQUIRE(misses.size() <= Engine::kMaxMisses);
  for (const MissEvent& miss : misses) {
    REQUIRE(links_.contains(miss.link));
    REQUIRE(miss.mac.is_zero() != miss.ip.is_unspecified());
    REQUIRE(miss.mac.is_zero() ? links_.at(miss.link).l3miss : links_.at(miss.link).l2miss);
  }
}

void Driver::check_fdb() {
  Fdb& fdb = engine_.fdb();
  std::map<std::pair<LinkId, MacAddr>, std::size_t> remotes;
  std::map<LinkId, std::set<IpAddr>> named;
  std::set<LinkId> with_group;
  for (const FdbEntry& entry : fdb.list({}, now_s())) {
    REQUIRE(links_.contains(entry.link));
    REQUIRE(entry.state != FdbState::kDynamic || !is_replicated(entry.mac));
    REQUIRE(!entry.frozen || (entry.state == FdbState::kDynamic && entry.group == 0));
    ++remotes[{entry.link, entry.mac}];
    if (entry.group != 0) {
      REQUIRE(is_group(entry.group) && !is_replicated(entry.mac));
      with_group.insert(entry.link);
    } else {
      REQUIRE(!entry.remote.address.is_unspecified());
      named[entry.link].insert(entry.remote.address);
    }
    if (entry.state == FdbState::kDynamic && links_.at(entry.link).ageing != 0) {
      const std::uint64_t expiry = std::uint64_t{now_s() - entry.updated} + links_.at(entry.link).ageing;
      const auto deadline = fdb.next_deadline();
      REQUIRE(expiry > 0xffffffff || (deadline && *deadline <= expiry));
    }
  }
  REQUIRE(fdb.size() == remotes.size());
  std::map<LinkId, std::size_t> entries;
  for (const auto& [key, count] : remotes) {
    const auto& [link, to] = key;
    ++entries[link];
    REQUIRE(count == 1 || is_replicated(to));
    const auto described = fdb.get(link, to, now_s());
    REQUIRE(described.size() == count);
    const Fdb::Destination found = fdb.find(link, to, now_s());
    REQUIRE(found.one_of == (described[0].group != 0) && found.is_router == described[0].router);
    REQUIRE(found.one_of ? found.is_known() : found.remotes().size() == count);
  }
  for (const auto& [link, config] : links_) {
    REQUIRE(fdb.size(link) == entries[link]);
    const std::size_t limit = config.max_addresses;
    REQUIRE(limit == 0 || entries[link] <= std::max(limit, entries_[link]));
    for (const IpAddr& address : kAddresses) {
      bool expected = named[link].contains(address);
      if (with_group.contains(link)) {
        for (const auto& [id, nexthop] : nexthops_)
          expected |= nexthop.is_group() && group_names(id, address);
      }
      REQUIRE(fdb.names(link, address) == expected);
    }
  }
  entries_ = entries;
}

void Driver::check_mdb() {
  const auto entries = engine_.mdb().list({}, now_s());
  REQUIRE(entries.size() == engine_.mdb().size());
  std::size_t permanent = 0;
  for (const MdbEntry& entry : entries) {
    REQUIRE(links_.contains(entry.link));
    if (!entry.permanent) continue;
    ++permanent;
    const auto told = mdb_.find({entry.link, entry.group, entry.source, entry.remote.address});
    REQUIRE(told != mdb_.end() && told->second == entry.remote);
  }
  REQUIRE(permanent == mdb_.size());
}

void Driver::check_neighbours() {
  Neighbours& neighbours = engine_.neighbours();
  for (const auto& [key, owner] : neighbours_) {
    const auto& [link, address, origin] = key;
    const auto found = neighbours.find(link, address, origin, now_s());
    REQUIRE(found && found->mac == owner);
    REQUIRE(neighbours.find(link, address, now_s())->origin >= origin);
  }
  for (const Neighbour& one : neighbours.list({}, now_s())) {
    REQUIRE(links_.contains(one.link));
    REQUIRE(is_station_address(one.ip) && one.mac.is_unicast());
    REQUIRE(one.origin == NeighbourOrigin::kHeard || neighbours_.contains({one.link, one.ip, one.origin}));
  }
}

void Driver::check_remotes() {
  std::multiset<RemoteKey> named;
  for (const FdbEntry& entry : engine_.fdb().list({}, now_s())) {
    if (entry.group == 0) named.insert(key_of(entry.remote));
  }
  for (const MdbEntry& entry : engine_.mdb().list({}, now_s())) named.insert(key_of(entry.remote));
  for (const auto& [id, nexthop] : nexthops_) {
    for (const NexthopMember& member : nexthop.members) {
      named.insert(key_of({.address = nexthops_.at(member.id).via, .port = {}, .vni = {}, .via = {}}));
    }
  }
  const std::size_t distinct = std::set<RemoteKey>(named.begin(), named.end()).size();
  REQUIRE(engine_.remote_count() >= distinct);
  REQUIRE(engine_.remote_count() <= (device_moved_ ? named.size() : distinct));
}

void Driver::check_paths() {
  std::set<IpAddr> expected;
  for (const auto& [address, made] : paths_) expected.insert(address);
  for (const FdbEntry& entry : engine_.fdb().list({}, now_s())) {
    if (entry.group == 0) expected.insert(entry.remote.address);
  }
  for (const MdbEntry& entry : engine_.mdb().list({}, now_s())) expected.insert(entry.remote.address);
  for (const auto& [id, nexthop] : nexthops_) {
    for (const NexthopMember& member : nexthop.members) expected.insert(nexthops_.at(member.id).via);
  }
  const auto paths = engine_.paths().list();
  REQUIRE(std::ranges::equal(paths, expected, {}, &Path::address));
  for (const Path& path : paths) {
    const auto told = paths_.find(path.address);
    const HandMade made = told == paths_.end() ? HandMade() : told->second;
    REQUIRE(path.checksum == made.checksum);
    REQUIRE((path.mtu_until == Path::kByHand) == (made.mtu != 0));
    REQUIRE(made.mtu == 0 || path.mtu == made.mtu);
  }
}

}  // namespace vtep::fuzz
