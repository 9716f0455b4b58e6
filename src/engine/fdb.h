// The forwarding database: (link, MAC) → one remote, or a list of remotes. The all-zero MAC of a link is its
// flood list, where broadcast, unknown unicast and multicast go (BUM).
//
// Invariants:
//   * one entry per (link, MAC); only the all-zero MAC and group MACs may have more than one remote;
//   * permanent and static entries neither age nor move; dynamic ones (learned, or added as such) do both;
//   * an entry's `updated` is when it was set or when a frame from that MAC last arrived; ageing counts from
//   it
//     (as Linux does since 6.16: what is only sent to, but never heard from, is forgotten);
//   * the table is open addressing with linear probing and backward-shift deletion: no tombstones, so a
//   lookup
//     never degrades; 24 bytes a slot, at most 3/4 full.
//
// Thread-compatible: belongs to the engine's thread. Knows no clock; seconds are passed in.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/mac.h"
#include "base/result.h"
#include "engine/event.h"
#include "engine/fdb_entry.h"
#include "engine/remote.h"

namespace vtep {

class Fdb {
 public:
  struct Options {
    std::uint64_t hash_seed = 0;         ///< from a random source in production: MACs come from strangers
    std::size_t max_dynamic = 1U << 22;  ///< dynamic entries beyond this are not learned
  };

  explicit Fdb(const Options& options);

  // --- by people and control planes. Errors: kInvalid, kExists, kNotFound; the table is unchanged then.

  /// A new entry. kExists if the MAC has one.
  Result<void> add(LinkId link, MacAddr mac, const Remote& remote, FdbState state, Seconds now);
  /// One more remote for the all-zero MAC or a group MAC (kInvalid for others that have an entry already).
  /// The entry keeps its state; appending a remote that is there already changes nothing.
  Result<void> append(LinkId link, MacAddr mac, const Remote& remote, FdbState state, Seconds now);
  /// Puts `remote` in the place of all remotes of the entry, or makes the entry.
  Result<void> replace(LinkId link, MacAddr mac, const Remote& remote, FdbState state, Seconds now);
  /// The whole entry.
  Result<void> remove(LinkId link, MacAddr mac);
  /// One remote of the entry, and with the last one the entry. Only what `filter` sets is compared.
  Result<void> remove(LinkId link, MacAddr mac, const RemoteFilter& filter);
  /// Removes every (entry, remote) that matches; returns how many.
  std::size_t flush(LinkId link, const FdbFilter& filter);
  /// An underlay device came back under another number. No events: the entries are the same to everybody
  /// outside.
  void move_device(IfIndex from, IfIndex to);
  bool uses_device(IfIndex device) const { return remotes_.uses_device(device); }

  // --- by the data path. No allocation once the table has its size.

  enum class Learned : std::uint8_t {
    kRefreshed,  ///< known there
    kNew,
    kMoved,       ///< was behind another remote
    kHeldStatic,  ///< a static entry says otherwise: the frame must be dropped
    kFull,        ///< max_dynamic reached; the frame is good
  };
  /// A frame from `mac` arrived from `source`. Precondition: mac.is_unicast().
  Learned learn(LinkId link, MacAddr mac, const IpAddr& source, Seconds now);
  /// Where frames for `mac` go; empty if unknown. Marks the entry as used. Valid until the next change.
  std::span<const RemoteId> find(LinkId link, MacAddr mac, Seconds now);
  const Remote& remote(RemoteId id) const { return remotes_[id]; }

  // --- ageing

  /// Seconds after which a dynamic entry of `link` is forgotten; 0: never. Default for a new link is 0.
  void set_ageing(LinkId link, std::uint32_t seconds);
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
  /// Distinct remotes that the entries name.
  std::size_t remote_count() const { return remotes_.size(); }
  std::size_t memory_bytes() const { return (mask_ + 1) * sizeof(Slot); }

  /// Entries that were set, moved or removed since the last call, in order. The caller drains after every
  /// batch.
  std::vector<FdbEvent> take_events();

 private:
  struct Slot {
    std::uint64_t mac : 48;
    std::uint64_t state : 8;  // FdbState; 0: the slot is free
    std::uint64_t is_list : 8;
    LinkId link;
    std::uint32_t target;  // RemoteId, or index into lists_ when is_list
    Seconds used;
    Seconds updated;
  };
  static_assert(sizeof(Slot) == 24);
  using List = std::vector<RemoteId>;

  std::size_t home(LinkId link, std::uint64_t mac) const;
  std::size_t find_slot(LinkId link,
                        std::uint64_t mac) const;  // the entry, or the free slot where it would go
  Slot& insert(LinkId link, MacAddr mac, FdbState state, Seconds now);
  void grow();
  void erase(std::size_t index);  // with backward shift
  void release_target(Slot& slot);
  std::span<const RemoteId> remotes_of(const Slot& slot) const;
  void set_single(Slot& slot, RemoteId id);
  void set_list(Slot& slot, List list);
  std::optional<Seconds> expiry_of(const Slot& slot) const;  // empty: never
  void note_expiry(const Slot& slot);
  void emit(FdbEvent::Kind kind, const Slot& slot, RemoteId remote);
  void remove_slot(std::size_t index, FdbEvent::Kind kind);
  std::size_t remove_matching(std::size_t index, const RemoteFilter& filter);
  FdbEntry describe(const Slot& slot, RemoteId remote, Seconds now) const;
  std::uint32_t ageing_of(LinkId link) const { return link < ageing_.size() ? ageing_[link] : 0; }

  const Options options_;
  std::unique_ptr<Slot[]> slots_;
  std::size_t mask_;
  std::size_t size_ = 0;
  std::size_t dynamic_ = 0;

  RemoteTable remotes_;
  std::vector<List> lists_;
  std::vector<std::uint32_t> free_lists_;

  std::vector<std::uint32_t> ageing_;  // by LinkId
  // A scan visits every slot once. Between scans nothing can expire before next_scan_.
  std::optional<Seconds> next_scan_;
  std::optional<std::size_t> scan_at_;       // set while a scan is under way
  std::optional<Seconds> scan_next_expiry_;  // earliest expiry that this scan has seen

  std::vector<FdbEvent> events_;
};

}  // namespace vtep
