// Duplicate MAC detection (RFC 7432 section 15.1): a MAC that moves between remotes again and again is in two
// places at once, or somebody plays with it.
//
// RFC 7432 counts within timers of M seconds that start with a first move; here each move looks back M
// seconds, so that a burst across the end of a timer counts in full.
//
// A ring of moves in the order in which they happened, each with a link to the same MAC's move before; a hash
// table finds a MAC's latest. A new move takes the place of the oldest one of all: what is forgotten first is
// what has not moved for longest, nothing has to expire, and nothing is ever scanned. Moves of a MAC within
// one second share an entry, so that one busy loop does not push the others out.
//
// Thread safety: under the lock of the engine's tables. Knows no clock; seconds are passed in.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/mac.h"
#include "engine/ids.h"
#include "engine/link.h"

namespace vtep {

class MoveGuard {
 public:
  struct Options {
    std::uint64_t hash_seed = 0;  ///< from a random source in production: MACs come from strangers
    /// Entries of the ring: by default 65,536 MACs that moved in four different seconds each. 40 bytes an
    /// entry, of which only those that were ever written take memory. Rounded up to a power of two.
    std::uint32_t capacity = 4 * 65'536;
  };

  /// Allocates nothing until the first move.
  explicit MoveGuard(const Options& options);

  /// Counts a move of `mac`, and says whether it has now moved more than limit.moves times within
  /// limit.window seconds (a move exactly so long ago is out). Takes at most one step for each counted entry.
  /// A limit of 0 moves: counts nothing, false.
  bool moved(LinkId link, MacAddr mac, const MoveLimit& limit, Seconds now);
  /// The moves of `mac` so far do not count any more.
  void forget(LinkId link, MacAddr mac);
  /// The same for all of a link, whose number may be used again.
  void forget_link(LinkId link);

 private:
  /// A move's place in time: 1, 2, … It stands in slot (sequence mod capacity) until it is overwritten.
  using Sequence = std::uint64_t;
  using Slot = std::uint32_t;

  struct Key {
    std::uint64_t mac;
    LinkId link;
    std::uint32_t generation;  ///< of the link: how often it was forgotten

    friend bool operator==(const Key&, const Key&) = default;
  };
  struct Entry {
    Key key;
    Seconds time;
    std::uint32_t moves;  ///< in this second
    Sequence older;       ///< the same MAC's entry before; 0: none. It may have been overwritten since.
    Slot next;            ///< in the bucket, if `latest`
    bool latest;          ///< of its MAC, and not forgotten: it stands in a bucket
  };

  Key key(LinkId link, MacAddr mac) const;
  Slot& bucket(const Key& key);
  /// The slot of the latest entry, or kNoSlot. Precondition: allocated.
  Slot find(const Key& key);
  /// Out of its bucket.
  void unlink(Entry& entry);
  /// A new latest entry in the place of the oldest of all.
  void append(const Key& key, Slot before, Seconds now);
  bool exceeds(const Entry& latest, const MoveLimit& limit, Seconds now) const;
  bool is_there(Sequence sequence) const { return sequence != 0 && next_ - sequence <= capacity_; }
  Slot slot(Sequence sequence) const { return static_cast<Slot>(sequence & (capacity_ - 1)); }

  std::uint64_t hash_seed_;
  std::uint64_t capacity_;            // a power of two
  std::unique_ptr<Entry[]> entries_;  // [slot]; written where is_there()
  std::vector<Slot> buckets_;         // capacity_ of them; empty until the first move
  Sequence next_ = 1;
  std::vector<std::uint32_t> generations_;  // [link]; 0 beyond its end
};

}  // namespace vtep
