#include "engine/nexthops.h"

#include <algorithm>
#include <numeric>
#include <set>
#include <string>

namespace vtep {

Nexthops::~Nexthops() {
  for (Group& group : groups_) clear(group);
}

Result<void> Nexthops::check(const Nexthop& nexthop) const {
  const std::string name = "nexthop " + std::to_string(nexthop.id);
  if (nexthop.id == 0) return fail(ErrorKind::kInvalid, "a nexthop's id is not 0");
  if (!nexthop.is_group()) {
    if (nexthop.via.is_unspecified() || nexthop.via.is_multicast()) {
      return fail(ErrorKind::kInvalid, name + " needs the address of one VTEP");
    }
    return {};
  }
  if (nexthop.members.size() > kMaxMembers) {
    return fail(ErrorKind::kInvalid, name + " has more than " + std::to_string(kMaxMembers) + " members");
  }
  std::set<std::uint32_t> seen;
  for (const NexthopMember& member : nexthop.members) {
    const std::string number = std::to_string(member.id);
    const auto known = nexthops_.find(member.id);
    if (known == nexthops_.end()) return fail(ErrorKind::kInvalid, "there is no nexthop " + number);
    if (known->second.is_group()) {
      return fail(ErrorKind::kInvalid, "nexthop " + number + " is a group and cannot be a member");
    }
    if (!seen.insert(member.id).second)
      return fail(ErrorKind::kInvalid, "nexthop " + number + " is a member twice");
    if (member.weight == 0 || member.weight > kMaxWeight) {
      return fail(ErrorKind::kInvalid, "the weight of nexthop " + number + " is not between 1 and 256");
    }
  }
  return {};
}

Result<void> Nexthops::add(const Nexthop& nexthop) {
  if (nexthops_.contains(nexthop.id)) {
    return fail(ErrorKind::kExists, "nexthop " + std::to_string(nexthop.id) + " exists already");
  }
  return replace(nexthop);
}

Result<void> Nexthops::replace(const Nexthop& nexthop) {
  if (auto checked = check(nexthop); !checked) return checked;
  const auto known = nexthops_.find(nexthop.id);
  if (known != nexthops_.end() && known->second.is_group() != nexthop.is_group()) {
    return fail(ErrorKind::kInvalid, "nexthop " + std::to_string(nexthop.id) +
                                         " cannot turn from a group into a nexthop or back: delete it first");
  }
  nexthops_[nexthop.id] = nexthop;
  if (nexthop.is_group()) {
    fill(nexthop);
    return {};
  }
  for (const auto& [id, other] : nexthops_) {
    const auto is_it = [&](const NexthopMember& member) { return member.id == nexthop.id; };
    if (std::ranges::any_of(other.members, is_it)) fill(other);
  }
  return {};
}

Result<void> Nexthops::remove(std::uint32_t id, std::vector<GroupIndex>& gone) {
  const auto known = nexthops_.find(id);
  if (known == nexthops_.end())
    return fail(ErrorKind::kNotFound, "there is no nexthop " + std::to_string(id));
  if (!known->second.is_group()) {
    std::vector<std::uint32_t> empty;
    for (auto& [group_id, group] : nexthops_) {
      const auto is_it = [&](const NexthopMember& member) { return member.id == id; };
      if (std::erase_if(group.members, is_it) == 0) continue;
      if (group.members.empty()) {
        empty.push_back(group_id);
      } else {
        fill(group);
      }
    }
    nexthops_.erase(known);
    for (const std::uint32_t group_id : empty) gone.push_back(remove_group(group_id));
    return {};
  }
  gone.push_back(remove_group(id));
  return {};
}

GroupIndex Nexthops::remove_group(std::uint32_t id) {
  const GroupIndex index = group_of_.at(id);
  clear(groups_[index]);
  free_.push_back(index);
  group_of_.erase(id);
  nexthops_.erase(id);
  return index;
}

void Nexthops::clear(Group& group) {
  version_.fetch_add(1, std::memory_order_release);
  for (const RemoteId remote : group.buckets) {
    const auto named = named_.find(remotes_.path_id(remote));
    if (--named->second == 0) named_.erase(named);
    remotes_.release(remote);
  }
  group.buckets.clear();
  group.paths.clear();
}

/// Weights become counts of buckets, divided by what they have in common.
void Nexthops::fill(const Nexthop& nexthop) {
  const auto [known, is_new] = group_of_.try_emplace(nexthop.id);
  if (is_new) {
    if (free_.empty()) {
      free_.push_back(static_cast<GroupIndex>(groups_.size()));
      groups_.emplace_back();
    }
    known->second = free_.back();
    free_.pop_back();
  }
  Group& group = groups_[known->second];
  group.id = nexthop.id;
  std::uint32_t common = 0;
  for (const NexthopMember& member : nexthop.members) common = std::gcd(common, member.weight);
  std::vector<RemoteId> buckets;
  for (const NexthopMember& member : nexthop.members) {
    const Remote remote{.address = nexthops_.at(member.id).via, .port = {}, .vni = {}, .via = {}};
    for (std::uint32_t i = 0; i < member.weight / common; ++i) {
      buckets.push_back(remotes_.acquire(remote));
      ++named_[remotes_.path_id(buckets.back())];
    }
  }
  clear(group);
  group.buckets = std::move(buckets);
  for (const RemoteId remote : group.buckets) group.paths.push_back(remotes_.path_id(remote));
  std::ranges::sort(group.paths);
  const auto repeated = std::ranges::unique(group.paths);
  group.paths.erase(repeated.begin(), repeated.end());
}

std::optional<GroupIndex> Nexthops::group(std::uint32_t id) const {
  const auto known = group_of_.find(id);
  if (known == group_of_.end()) return std::nullopt;
  return known->second;
}

bool Nexthops::names(GroupIndex group, const IpAddr& address) const {
  const auto path = remotes_.paths().id_of(address);
  return path && std::ranges::binary_search(groups_[group].paths, *path);
}

bool Nexthops::names(const IpAddr& address) const {
  const auto path = remotes_.paths().id_of(address);
  return path && named_.contains(*path);
}

std::vector<Nexthop> Nexthops::list() const {
  std::vector<Nexthop> all;
  for (const auto& [id, nexthop] : nexthops_) all.push_back(nexthop);
  return all;
}

}  // namespace vtep
