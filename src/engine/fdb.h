// The forwarding database: (link, MAC) → one remote, or a list of remotes. The all-zero MAC of a link is its
// flood list, where broadcast, unknown unicast and multicast go (BUM).
//
// Invariants:
//   * one entry per (link, MAC); only the all-zero MAC and group MACs may have more than one remote;
//   * permanent and static entries neither age nor move, nor does what a control plane says; other dynamic
//     ones (learned, or added as such) do both, unless one is frozen: that one does not move;
//   * a nexthop group stands for several remotes of which a flow takes one; frames from its members are as
//     good as frames from a remote;
//   * an entry's `updated` is when it was set or when a frame from that MAC last arrived; ageing counts from
//     it (as Linux does since 6.16: what is only sent to, but never heard from, is forgotten);
//   * the table is open addressing with linear probing and backward-shift deletion: no tombstones, so a
//     lookup never degrades; 24 bytes a slot, at most 3/4 full.
//
// Thread safety: hash(), prefetch(), peek(), refresh() and names_version() may be called by any reader of the
// remotes' epochs at any time, and never wait: a change of a few words is tried again (a sequence lock), a
// table that has grown is another one, and the old one goes when nobody looks at it any more. Everything else
// is called under the lock of the engine's tables. Knows no clock; seconds are passed in.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/mac.h"
#include "base/result.h"
#include "engine/event.h"
#include "engine/fdb_entry.h"
#include "engine/mix.h"
#include "engine/nexthops.h"
#include "engine/remote.h"

namespace vtep {

class Fdb {
 public:
  struct Options {
    std::uint64_t hash_seed = 0;         ///< from a random source in production: MACs come from strangers
    std::size_t max_dynamic = 1U << 22;  ///< dynamic entries beyond this are not learned
  };

  /// The tables must outlive it; `remotes` is shared with whoever else names remotes.
  Fdb(const Options& options, RemoteTable& remotes, const Nexthops& nexthops);
  ~Fdb();
  Fdb(const Fdb&) = delete;
  Fdb& operator=(const Fdb&) = delete;

  // --- by people and control planes. Errors: kInvalid, kExists, kNotFound, kFull (max_addresses); the table
  // is unchanged then.

  /// A new entry. kExists if the MAC has one.
  Result<void> add(LinkId link, MacAddr mac, const FdbTarget& target, FdbState state, Seconds now);
  /// One more remote for the all-zero MAC or a group MAC (kInvalid for others that have an entry already).
  /// The entry keeps its state; appending a remote that is there already changes nothing.
  Result<void> append(LinkId link, MacAddr mac, const FdbTarget& target, FdbState state, Seconds now);
  /// Puts `target` in the place of all remotes of the entry, or makes the entry. Ends a freeze.
  Result<void> replace(LinkId link, MacAddr mac, const FdbTarget& target, FdbState state, Seconds now);
  /// The whole entry.
  Result<void> remove(LinkId link, MacAddr mac);
  /// One remote of the entry, and with the last one the entry. Only what `filter` sets is compared.
  Result<void> remove(LinkId link, MacAddr mac, const RemoteFilter& filter);
  /// Removes every (entry, remote) that matches; returns how many. O(table), unless the link has nothing but
  /// its flood list.
  std::size_t flush(LinkId link, const FdbFilter& filter);
  /// Removes every entry that names this nexthop group, on all links. O(table).
  std::size_t flush_group(GroupIndex group);
  /// An underlay device came back under another number. No events: the entries are the same to everybody
  /// outside.
  void move_device(IfIndex from, IfIndex to);
  // --- by the data path. No allocation once the table has its size.

  enum class Learned : std::uint8_t {
    kRefreshed,  ///< known there
    kNew,
    kMoved,       ///< was behind another remote
    kHeldStatic,  ///< a static entry says otherwise: the frame must be dropped
    kHeldFrozen,  ///< the MAC has moved too often and stays where it is: the frame must be dropped
    kFull,        ///< max_dynamic or the link's limit reached; the frame is good
  };
  /// A frame from `mac` arrived from `source`. Precondition: mac.is_unicast().
  Learned learn(LinkId link, MacAddr mac, const IpAddr& source, Seconds now);
  class Destination {
   public:
    Destination() = default;
    Destination(RemoteId one, bool router) : is_router(router), is_one_(true), one_(one) {}
    Destination(std::span<const RemoteId> several, bool group, bool router)
        : one_of(group), is_router(router), several_(several) {}

    /// Empty: unknown. Valid as long as this object, and until the next change.
    std::span<const RemoteId> remotes() const& {
      return is_one_ ? std::span<const RemoteId>(&one_, 1) : several_;
    }
    std::span<const RemoteId> remotes() const&& = delete;
    bool is_known() const { return is_one_ || !several_.empty(); }

    bool one_of = false;  ///< a nexthop group: a flow takes one of them
    bool is_router = false;

   private:
    bool is_one_ = false;
    RemoteId one_ = 0;
    std::span<const RemoteId> several_{};
  };
  /// Where frames for `mac` go. Marks the entry as used.
  Destination find(LinkId link, MacAddr mac, Seconds now);
  /// A dynamic entry stays where it is until it is replaced, removed or aged. Harmless if there is none.
  void freeze(LinkId link, MacAddr mac);
  /// Whether an entry of the link names this VTEP; if one names a nexthop group, any group's members count.
  bool names(LinkId link, const IpAddr& vtep) const;

  // --- by the data path, without the lock

  enum class Peeked : std::uint8_t {
    kUnknown,  ///< or not to be told without the lock: find() knows
    kOne,      ///< one remote
    kSeveral,  ///< a list, or a nexthop group: find() knows them
  };
  struct Peek {
    Peeked kind = Peeked::kUnknown;
    RemoteId remote = 0;  ///< with kOne
    bool router = false;
  };
  /// Of an address, for the functions below: worked out for a whole batch first, and kept.
  std::uint64_t hash(LinkId link, MacAddr mac) const { return hash(link, mac.to_u64()); }
  /// Brings the entry nearer while the rest of the batch is being hashed. Does nothing while the table is so
  /// small that it is near in any case.
  void prefetch(std::uint64_t hash) const;
  /// Where frames for `mac` go. Marks the entry as used.
  Peek peek(std::uint64_t hash, LinkId link, MacAddr mac, Seconds now) const;
  Peek peek(LinkId link, MacAddr mac, Seconds now) const { return peek(hash(link, mac), link, mac, now); }
  /// As learn(), if nothing has to be learned: kRefreshed, kHeldStatic or kHeldFrozen. Empty: call learn().
  std::optional<Learned> refresh(std::uint64_t hash, LinkId link, MacAddr mac, const IpAddr& source,
                                 Seconds now) const;
  /// Changes whenever names() of anybody may have.
  std::uint32_t names_version() const { return names_version_.load(std::memory_order_acquire); }

  // --- ageing

  /// Seconds after which a dynamic entry of `link` is forgotten; 0: never. Default for a new link is 0.
  void set_ageing(LinkId link, std::uint32_t seconds);
  /// The most entries that the link may have, however they came; 0: no limit. What is there stays.
  void set_max_addresses(LinkId link, std::uint32_t count) { links_of(link).max_addresses = count; }
  /// Forgets what is due, looking at no more than `budget` slots; call again at next_deadline().
  void age(Seconds now, std::size_t budget);
  /// When age() has work; empty: nothing can expire. In the past while a scan is unfinished.
  std::optional<Seconds> next_deadline() const;

  // --- looking at it

  /// The entry with all its remotes; empty if there is none.
  std::vector<FdbEntry> get(LinkId link, MacAddr mac, Seconds now) const;
  /// Every (entry, remote) of one link, or of all. A copy: O(table).
  std::vector<FdbEntry> list(std::optional<LinkId> link, Seconds now) const;
  /// Entries, whatever their number of remotes.
  std::size_t size() const { return size_; }
  std::size_t size(LinkId link) const { return link < links_.size() ? links_[link].entries : 0; }
  std::size_t memory_bytes() const { return (table().mask + 1) * sizeof(Slot); }

  /// Entries that were set, moved or removed since the last call, in order. The caller drains after every
  /// batch.
  std::vector<FdbEvent> take_events();

 private:
  enum Target : std::uint8_t { kRemote, kList, kGroup };
  /// An entry as the code speaks of it.
  struct Entry {
    std::uint64_t mac : 48 = 0;
    std::uint64_t state : 4 = 0;   // FdbState; 0: the slot is free
    std::uint64_t target : 4 = 0;  // Target
    std::uint64_t router : 1 = 0;
    std::uint64_t frozen : 1 = 0;
    std::uint64_t source : 6 = 0;  // a control plane's number; 0: nobody's
    LinkId link = 0;
    std::uint32_t index = 0;  // a RemoteId, an index into lists_, or a GroupIndex
    Seconds used = 0;
    Seconds updated = 0;

    bool is_free() const { return state == 0; }
    bool is_dynamic() const { return state == static_cast<std::uint64_t>(FdbState::kDynamic) && source == 0; }
    bool is(LinkId of, std::uint64_t address) const { return mac == address && link == of; }
  };
  /// And as it lies in memory. The stamps are written by readers too, who may hit an entry that has just
  /// taken the place of another: it counts as used a second too early, no more.
  struct Slot {
    std::atomic<std::uint64_t> key;     // mac … source
    std::atomic<std::uint64_t> target;  // link, index
    std::atomic<Seconds> used;
    std::atomic<Seconds> updated;
  };
  static_assert(sizeof(Slot) == 24);
  struct Table {
    explicit Table(std::size_t size) : mask(size - 1), slots(std::make_unique<Slot[]>(size)) {}
    const std::size_t mask;
    const std::unique_ptr<Slot[]> slots;
  };
  using List = std::vector<RemoteId>;
  /// Changes are a few words long; a reader who meets so many of them may as well wait for the lock.
  static constexpr int kPeekAttempts = 64;
  /// 192 KiB: half of what the second-level cache of a small processor holds. There it begins to pay
  /// (bench/table_bench.cc); below, it costs next to nothing but is of no use.
  static constexpr std::size_t kPrefetchedSlots = 8192;
  static constexpr std::uint64_t kLinkStep = 0x9e3779b97f4a7c15;  // neighbouring links are far apart
  struct Link {
    std::uint32_t ageing = 0;
    std::uint32_t max_addresses = 0;
    std::uint32_t entries = 0;
    std::uint32_t groups = 0;  // entries that name a nexthop group
  };

  /// Whoever knows no seed cannot choose addresses that meet in one place.
  std::uint64_t hash(LinkId link, std::uint64_t mac) const {
    return mix64(mac ^ (options_.hash_seed + link * kLinkStep));
  }
  const Table& table() const { return *table_; }
  /// An acquiring load of a word that was stored with release brings everything before that store with it,
  /// the odd sequence number among it: so a reader that has seen half of a change sees another number
  /// afterwards.
  static Entry load(const Slot& slot) {
    const std::array<std::uint64_t, 2> words{slot.key.load(std::memory_order_acquire),
                                             slot.target.load(std::memory_order_acquire)};
    Entry entry;
    std::memcpy(static_cast<void*>(&entry), words.data(), sizeof(words));
    entry.used = slot.used.load(std::memory_order_relaxed);
    entry.updated = slot.updated.load(std::memory_order_relaxed);
    return entry;
  }
  static void store(Slot& slot, const Entry& entry);
  Entry at(std::size_t index) const { return load(table().slots[index]); }
  /// Readers see it whole.
  void put(std::size_t index, const Entry& entry);
  // The entry, or the free slot where it would go.
  static std::size_t find_slot(const Table& table, std::uint64_t hash, LinkId link, std::uint64_t mac);
  std::size_t find_slot(LinkId link, std::uint64_t mac) const {
    return find_slot(table(), hash(link, mac), link, mac);
  }
  Entry get_entry(LinkId link, MacAddr mac) const { return at(find_slot(link, mac.to_u64())); }
  /// Without the lock: the entry and its slot. Null: there is none, or something is being changed.
  Slot* try_peek(std::uint64_t hash, LinkId link, MacAddr mac, Entry& entry) const;
  std::size_t insert(LinkId link, MacAddr mac, Entry entry);
  void grow();
  void erase(std::size_t index);  // with backward shift
  Link& links_of(LinkId link);
  bool is_full(LinkId link) const;
  RemoteId hold(LinkId link, const Remote& remote);
  void let_go(LinkId link, RemoteId id);
  void release_target(const Entry& entry);
  // None if it names a group. Valid as long as `entry`.
  std::span<const RemoteId> remotes_of(const Entry& entry) const;
  void set_target(Entry& entry, const FdbTarget& target);
  static void set_single(Entry& entry, RemoteId id);
  void set_list(Entry& entry, List list);
  bool comes_from(const Entry& entry, const IpAddr& source) const;
  std::optional<Seconds> expiry_of(const Entry& entry) const;  // empty: never
  void note_expiry(const Entry& entry);
  void emit(FdbEvent::Kind kind, const Entry& entry, RemoteId remote);  // of a group, `remote` is ignored
  void emit_all(FdbEvent::Kind kind, const Entry& entry);
  void remove_slot(std::size_t index, FdbEvent::Kind kind);
  std::size_t remove_matching(std::size_t index, const RemoteFilter& filter);
  FdbEntry describe(const Entry& entry, RemoteId remote, Seconds now) const;
  std::uint32_t ageing_of(LinkId link) const { return link < links_.size() ? links_[link].ageing : 0; }
  void append_description(const Entry& entry, Seconds now, std::vector<FdbEntry>& entries) const;

  const Options options_;
  std::shared_ptr<Table> table_;
  std::atomic<const Table*> published_;      // table_, for readers without the lock
  std::atomic<std::uint64_t> sequence_ = 0;  // odd while slots are being changed
  std::atomic<std::uint32_t> names_version_ = 1;
  std::size_t size_ = 0;
  std::size_t dynamic_ = 0;

  RemoteTable& remotes_;
  const Nexthops& nexthops_;
  std::vector<List> lists_;
  std::vector<std::uint32_t> free_lists_;
  std::vector<Link> links_;                                 // by LinkId
  std::unordered_map<std::uint64_t, std::uint32_t> named_;  // (link, path) → entries that name the VTEP
  // A scan visits every slot once. Between scans nothing can expire before next_scan_.
  std::optional<Seconds> next_scan_;
  std::optional<std::size_t> scan_at_;       // set while a scan is under way
  std::optional<Seconds> scan_next_expiry_;  // earliest expiry that this scan has seen

  std::vector<FdbEvent> events_;
};

}  // namespace vtep

#include "engine/fdb_lookup.h"
