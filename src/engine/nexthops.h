// Nexthops and groups of them: an FDB entry that names a group has several remotes, of which each flow takes
// one (`ip nexthop add id 1 via 10.0.0.2 fdb`, `ip nexthop add id 10 group 1/2 fdb`).
//
// A number names a nexthop or a group, never both. A group keeps its place (GroupIndex) while its members
// change, so that FDB entries need not be touched.
//
// Thread safety: under the lock of the engine's tables.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/ip.h"
#include "base/result.h"
#include "engine/remote.h"

namespace vtep {

using GroupIndex = std::uint32_t;

struct NexthopMember {
  std::uint32_t id = 0;
  std::uint32_t weight = 1;  ///< 1–256

  friend bool operator==(const NexthopMember&, const NexthopMember&) = default;
};

/// One or the other: an address, or members.
struct Nexthop {
  std::uint32_t id = 0;
  IpAddr via{};
  std::vector<NexthopMember> members{};

  bool is_group() const { return !members.empty(); }
  friend bool operator==(const Nexthop&, const Nexthop&) = default;
};

class Nexthops {
 public:
  static constexpr std::uint32_t kMaxWeight = 256;
  static constexpr std::size_t kMaxMembers = 1024;

  /// `remotes` must outlive it.
  explicit Nexthops(RemoteTable& remotes) : remotes_(remotes) {}
  ~Nexthops();
  Nexthops(const Nexthops&) = delete;
  Nexthops& operator=(const Nexthops&) = delete;

  /// kExists if the number is taken; kInvalid: id 0, no unicast address, an unknown member, a group in a
  /// group, a weight out of range, members of different families are fine.
  Result<void> add(const Nexthop& nexthop);
  /// The same, or in the place of what there is. kInvalid if that would turn a group into a nexthop or back.
  Result<void> replace(const Nexthop& nexthop);
  /// kNotFound. A nexthop leaves the groups it is in; a group that has none left goes with it. The groups
  /// that went are appended to `gone`: FDB entries that name them have to go before the next change.
  Result<void> remove(std::uint32_t id, std::vector<GroupIndex>& gone);

  /// Empty if `id` is no group.
  std::optional<GroupIndex> group(std::uint32_t id) const;
  std::uint32_t group_id(GroupIndex group) const { return groups_[group].id; }
  /// Its remotes, each as often as its share of the flows. Valid until the next change.
  std::span<const RemoteId> remotes(GroupIndex group) const { return groups_[group].buckets; }
  bool names(GroupIndex group, const IpAddr& address) const;
  /// Whether any group has it.
  bool names(const IpAddr& address) const;

  /// Changes whenever names() of anybody may have. Any thread may ask, at any time.
  std::uint32_t version() const { return version_.load(std::memory_order_acquire); }

  std::vector<Nexthop> list() const;

 private:
  struct Group {
    std::uint32_t id = 0;
    std::vector<RemoteId> buckets;
    std::vector<PathId> paths;  // of the buckets, each once, sorted
  };

  Result<void> check(const Nexthop& nexthop) const;
  void fill(const Nexthop& group);
  void clear(Group& group);
  GroupIndex remove_group(std::uint32_t id);

  RemoteTable& remotes_;
  std::atomic<std::uint32_t> version_ = 1;
  std::map<std::uint32_t, Nexthop> nexthops_;
  std::map<std::uint32_t, GroupIndex> group_of_;
  std::vector<Group> groups_;
  std::vector<GroupIndex> free_;
  std::unordered_map<PathId, std::uint32_t> named_;  // how many buckets have it
};

}  // namespace vtep
