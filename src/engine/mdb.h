// The multicast database: (link, group, source) → the remote VTEPs that get a tenant's multicast.
//
// Entries have two origins. *Permanent* ones are set by request and mean what they mean in Linux's VXLAN
// driver: an (S, G) entry wins over (*, G), which wins over the catch-all (group 0.0.0.0 or ::). *Learned*
// ones are memberships that were heard behind a VTEP (group_snoop.h); a learned catch-all is a VTEP behind
// which a multicast router was heard, which gets every group (RFC 4541 section 2.1.2). Strangers make learned
// entries, so these only ever add remotes to what is permanent; and where they may be incomplete, the frame
// is flooded:
//   * no querier is heard: nobody would repeat a report, so silence proves nothing. A querier's first query
//     counts only once its maximum response time has passed;
//   * the group has link scope: 224.0.0.0/24 "must be forwarded on all ports" (RFC 4541 section 2.1.2), and
//     ff02::/16 carries neighbour discovery, which must not hang on one lost report. Such groups are never
//     learned. As in the kernel, a permanent entry of their own counts, the catch-all does not;
//   * a limit kept something from being learned lately.
//
// Invariants:
//   * one member per (link, group, source, remote address), as in the kernel; permanent, learned, or both;
//   * members are in the order of their addresses, so that lists are merged without duplicates;
//   * a group with a learned member is in `due_` at or before the time when the first of them ends.
//
// Thread safety: under the lock of the engine's tables. Knows no clock; seconds are passed in.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/ip.h"
#include "base/result.h"
#include "engine/ids.h"
#include "engine/remote.h"

namespace vtep {

/// One remote of one group, as a copy.
struct MdbEntry {
  LinkId link = 0;
  IpAddr group{};   ///< 0.0.0.0 or ::: the catch-all, or with `permanent` unset a router
  IpAddr source{};  ///< IpAddr(): any
  Remote remote{};
  bool permanent = false;
  std::uint32_t expires = 0;  ///< seconds until a learned one is forgotten; 0 if it is permanent
};

struct MdbEvent {
  enum class Kind : std::uint8_t {
    kSet,      ///< new or changed; a permanent one that was taken away may still be there as a learned one
    kRemoved,  ///< by request, or not reported any more
  };
  Kind kind;
  MdbEntry entry;  ///< expires is 0
};

/// Each protocol has queriers, routers and listeners of its own.
enum class GroupProtocol : std::uint8_t { kIgmp, kMld };

/// What a general query says. The defaults are those of RFC 3376 section 8 and RFC 3810 section 9.
struct GeneralQuery {
  GroupProtocol protocol = GroupProtocol::kIgmp;
  IpAddr vtep{};  ///< it came from behind this one; unspecified: from our own interface
  bool from_router =
      true;  ///< not if its source is 0.0.0.0: a switch asked (RFC 4541 section 2.1.1 item 1 b)
  Seconds max_response = 10;
  Seconds interval = 125;  ///< between queries, as stated in version 3 (MLD: 2)
  std::uint32_t robustness = 2;
};

/// 224.0.0.0/24, and ff02::/16 with any flags.
bool is_link_scope(const IpAddr& group);

class Mdb {
 public:
  struct Options {
    std::uint64_t hash_seed = 0;      ///< from a random source in production: groups come from strangers
    std::size_t max_groups = 4096;    ///< learned groups a link and protocol
    std::size_t max_sources = 64;     ///< learned sources a group
    std::size_t max_members = 65536;  ///< learned entries a link and protocol
  };

  /// RFC 3376 section 8.4: robustness × query interval + response time. Longer if a querier states larger
  /// values, but never longer than kMaxMembership, since queriers may be strangers too.
  static constexpr Seconds kMembership = 260;
  static constexpr Seconds kMaxMembership = 7200;
  /// RFC 3376 section 8.8: last member query interval × count.
  static constexpr Seconds kLastMember = 2;

  /// `remotes` is shared with other tables and must outlive this one.
  Mdb(RemoteTable& remotes, const Options& options)
      : options_(options), groups_(0, Hash{options.hash_seed}), remotes_(remotes) {}
  Mdb(const Mdb&) = delete;
  Mdb& operator=(const Mdb&) = delete;

  // --- by people and control planes. `source` unspecified, of whatever family: any. Errors leave the table
  // as it was.

  /// A permanent entry. kExists if there is a permanent one for that remote address; kInvalid if the group is
  /// neither a multicast address nor unspecified, or the source does not go with it.
  Result<void> add(LinkId link, const IpAddr& group, const IpAddr& source, const Remote& remote);
  /// The same, or in the place of the one with that remote address.
  Result<void> replace(LinkId link, const IpAddr& group, const IpAddr& source, const Remote& remote);
  /// The permanent entry, under which a learned one may come to light; if there is none, the learned one.
  /// kNotFound.
  Result<void> remove(LinkId link, const IpAddr& group, const IpAddr& source, const IpAddr& remote);
  /// Everything of the link, what is known about its queriers too. Returns the number of entries. O(table).
  std::size_t remove_link(LinkId link);

  // --- by snooping. Precondition: `vtep` is a unicast address, or unspecified where that has a meaning.

  enum class Joined : std::uint8_t {
    kKnown,  ///< refreshed
    kNew,
    kWidened,  ///< the group holds max_sources: the VTEP gets the group from all sources
    kIgnored,  ///< a group of link scope, or none
    kRefused,  ///< at a limit: what may be missing now is flooded
  };
  /// Somebody behind `vtep` listens to the group, from `source` or from any.
  Joined join(LinkId link, const IpAddr& group, const IpAddr& source, const IpAddr& vtep, Seconds now);
  /// Somebody behind `vtep` left: the group with all its sources, or one source. Others there have the last
  /// member query time to say that they are still listening. Nothing happens while no querier would ask them.
  void leave(LinkId link, const IpAddr& group, const IpAddr& source, const IpAddr& vtep, Seconds now);
  /// A multicast router was heard behind `vtep`, or if that is unspecified behind our own interface, by
  /// something else than a query (a PIM hello).
  Joined router(LinkId link, GroupProtocol protocol, const IpAddr& vtep, Seconds now);
  Joined query(LinkId link, const GeneralQuery& query, Seconds now);
  /// A query for one group: so long will the querier wait for an answer to each of its two questions.
  void group_query(LinkId link, GroupProtocol protocol, Seconds max_response);
  /// Whether our own interface has somebody behind it who wants to hear reports: a querier or router.
  bool has_local_querier(LinkId link, GroupProtocol protocol, Seconds now) const;

  // --- by the data path

  enum class Verdict : std::uint8_t {
    kFlood,   ///< by the FDB's all-zero entry, or the group MAC's own
    kListed,  ///< to `out`
    kNobody,  ///< nobody asked for it
  };
  /// Where a multicast datagram goes. `out` is emptied first and keeps its capacity; each address is in it
  /// once. With `snooping`, learned entries count. The ids are valid until the next change. Does not allocate
  /// unless `out` grows.
  Verdict find(LinkId link, const IpAddr& group, const IpAddr& source, bool snooping, Seconds now,
               std::vector<RemoteId>& out) const;

  // --- ageing

  /// Forgets what is due: groups as a whole, until `budget` entries were looked at.
  void age(Seconds now, std::size_t budget);
  /// When age() has work; empty: nothing can expire.
  std::optional<Seconds> next_deadline() const;

  // --- looking at it

  /// In the order of link, group, source, address. A copy: O(table).
  std::vector<MdbEntry> list(std::optional<LinkId> link, Seconds now) const;
  std::size_t size() const { return size_; }
  /// Any thread may ask, at any time.
  bool is_empty() const { return size_.load(std::memory_order_relaxed) == 0; }

  /// What changed since the last call, in order. The caller drains after every batch.
  std::vector<MdbEvent> take_events();

 private:
  struct Key {
    LinkId link;
    IpAddr group;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  struct Hash {
    std::uint64_t seed;
    std::size_t operator()(const Key& key) const;
  };
  struct Member {
    IpAddr address;
    RemoteId remote;
    Seconds expires = 0;  // 0: not learned
    bool permanent = false;
  };
  struct Source {
    IpAddr address{};
    std::vector<Member> members{};
    std::uint32_t permanent = 0;  // members that are
    std::uint32_t learned = 0;
  };
  using Due = std::multimap<Seconds, Key>;
  struct Group {
    Source any{};
    std::vector<Source> sources{};  // in the order of their addresses
    std::uint32_t learned_sources = 0;
    std::optional<Due::iterator> due{};

    bool is_learned() const { return any.learned != 0 || learned_sources != 0; }
    bool is_empty() const { return any.members.empty() && sources.empty(); }
  };
  using Groups = std::unordered_map<Key, Group, Hash>;
  /// Of one link and protocol.
  struct Domain {
    // A querier's word counts from `querier_from` to `querier_until`.
    Seconds querier_from = 0;
    Seconds querier_until = 0;
    Seconds local_until = 0;  // a querier behind our own interface
    Seconds membership = kMembership;
    Seconds last_member = kLastMember;
    // Until then, a limit keeps this from being complete: which groups there are, who is in them.
    Seconds groups_incomplete = 0;
    Seconds members_incomplete = 0;
    std::uint32_t groups = 0;  // whatever their origin
    std::uint32_t learned_groups = 0;
    std::uint32_t learned_members = 0;
  };

  Domain& domain_of(LinkId link, GroupProtocol protocol);
  Domain& domain_of(const Key& key);
  const Domain* find_domain(LinkId link, GroupProtocol protocol) const;
  const Group* find_group(const Key& key) const;
  Groups::value_type& make_group(const Key& key);
  static Source& make_source(Group& group, const IpAddr& address);
  Member& make_member(Source& source, const Remote& remote);
  void erase_member(const Key& key, Source& source, Member& member);  // no learned one any more
  void set_remote(Member& member, const Remote& remote);
  void tidy(Groups::iterator at);
  Joined learn(const Key& key, const IpAddr& source, const IpAddr& vtep, Seconds now);
  void set_learned(const Key& key, Group& group, Source& source, Member& member, Seconds expires);
  void drop_learned(const Key& key, Group& group, Source& source, Member& member);
  void schedule(const Key& key, Group& group, Seconds at);
  std::size_t expire(Groups::iterator at, Seconds now);  // returns how many members it looked at
  MdbEntry describe(const Key& key, const Source& source, const Member& member) const;
  void emit(MdbEvent::Kind kind, const Key& key, const Source& source, const Member& member);

  const Options options_;
  Groups groups_;
  Due due_;
  std::vector<std::array<Domain, 2>> domains_;  // by LinkId and protocol
  std::atomic<std::size_t> size_ = 0;
  RemoteTable& remotes_;
  std::vector<MdbEvent> events_;
};

}  // namespace vtep
