// The overlay's neighbours: (link, IP address) → MAC address, from which ARP and neighbour solicitations are
// answered (suppress.h) and routes are shortened (route_short_circuit.h).
//
// An address may be known from several origins at once; the strongest one is what everybody sees, and when it
// goes, the next one shows.
//   * permanent: by request. Nothing else changes it.
//   * system: the kernel's neighbour table of the interface (`ip neigh … dev vxlan0`).
//   * control: a control plane says so. It says it again, or withdraws it.
//   * heard: from ARP and ND that remote VTEPs sent. The last one wins; forgotten when not heard again for
//   the
//     link's time. ARP comes from strangers, so there is a limit for each link and one for all together; at
//     the limit, new ones are not taken, and those that are there go on being refreshed.
//
// The time is not the FDB's 300 s but 1200 s, because the two are heard differently: every frame of a station
// refreshes its MAC, only its ARP and ND refresh its IP, and of those our own answers leave few. A stale one
// does no harm meanwhile: heard neighbours answer only while the FDB knows their MAC, and an address that
// changes hands announces itself (RFC 5227 section 2.3, RFC 4861 section 7.2.6).
//
// The table is linear hashing with chains: growing by one entry splits one bucket, so no insertion ever
// stalls for a rehash, and entries never move, so a scan for what is due can stop anywhere. 44 bytes an
// entry, key included; chunks are kept when entries go.
//
// Thread safety: under the lock of the engine's tables. Knows no clock; seconds are passed in.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/ip.h"
#include "base/mac.h"
#include "engine/ids.h"

namespace vtep {

/// Where a neighbour is known from; the larger one is the stronger one. Never 0: that marks a free entry.
enum class NeighbourOrigin : std::uint8_t { kHeard = 1, kControl = 2, kSystem = 3, kPermanent = 4 };

struct Neighbour {
  LinkId link = 0;
  IpAddr ip;
  MacAddr mac;
  NeighbourOrigin origin = NeighbourOrigin::kHeard;
  /// IPv6: the R flag of its advertisements. Empty: it never said; a wrong one would make hosts forget their
  /// default router (RFC 4861 section 7.2.5), so whoever needs it has to ask the neighbour.
  std::optional<bool> router{};
  std::uint32_t updated = 0;  ///< seconds since it was set or heard

  friend bool operator==(const Neighbour&, const Neighbour&) = default;
};

struct NeighbourEvent {
  enum class Kind : std::uint8_t {
    kSet,      ///< new, or another MAC, origin or R flag than before
    kRemoved,  ///< no origin knows it any more
  };
  Kind kind;
  Neighbour neighbour;  ///< updated is 0
};

/// Whether a station can have this address, so that somebody may ask for it: no group, not unspecified, not
/// loopback, not the limited broadcast.
bool is_station_address(const IpAddr& ip);

class Neighbours {
 public:
  struct Options {
    std::uint64_t hash_seed = 0;       ///< from a random source in production: addresses come from strangers
    std::size_t max_heard = 1U << 20;  ///< of all links together
    std::size_t max_heard_link = 65536;
  };
  /// Seconds for which a heard neighbour is kept, unless set_ageing() says otherwise.
  static constexpr std::uint32_t kAgeing = 1200;

  explicit Neighbours(const Options& options) : options_(options) {}

  enum class Outcome : std::uint8_t {
    kSet,      ///< new, or changed
    kSame,     ///< known like this; refreshed
    kFull,     ///< heard, and at a limit: not taken
    kInvalid,  ///< no address of a station, or the MAC is no unicast address: not taken
  };
  /// What `origin` says about `ip` now. Without `router`, the flag stays what this origin said before about
  /// the same MAC.
  Outcome set(LinkId link, const IpAddr& ip, MacAddr mac, std::optional<bool> router, NeighbourOrigin origin,
              Seconds now);
  /// What `origin` says no longer. False if it said nothing.
  bool remove(LinkId link, const IpAddr& ip, NeighbourOrigin origin);
  /// All neighbours of the link, and its ageing time. O(table).
  void remove_link(LinkId link);

  /// The strongest. Does not allocate.
  std::optional<Neighbour> find(LinkId link, const IpAddr& ip, Seconds now) const;
  /// What `origin` alone says. Does not allocate.
  std::optional<Neighbour> find(LinkId link, const IpAddr& ip, NeighbourOrigin origin, Seconds now) const;
  /// The strongest of every address of one link, or of all. A copy: O(table).
  std::vector<Neighbour> list(std::optional<LinkId> link, Seconds now) const;

  /// Seconds after which a heard neighbour of `link` is forgotten; 0: never.
  void set_ageing(LinkId link, std::uint32_t seconds);
  /// Forgets what is due, looking at no more than `budget` entries; call again at next_deadline().
  void age(Seconds now, std::size_t budget);
  /// When age() has work; empty: nothing can expire. In the past while a scan is unfinished.
  std::optional<Seconds> next_deadline() const;

  /// Entries; an address counts once for each origin that knows it.
  std::size_t size() const { return size_; }
  std::size_t memory_bytes() const;

  /// What changed since the last call, in order. The caller drains after every batch.
  std::vector<NeighbourEvent> take_events();

 private:
  using Index = std::uint32_t;
  static constexpr Index kNone = 0xffffffff;
  static constexpr std::size_t kChunk = 1024;

  enum class Router : std::uint8_t { kUnknown, kNo, kYes };
  struct Entry {
    IpAddr ip;
    MacAddr mac;
    LinkId link = 0;
    Seconds updated = 0;
    Index next = kNone;        // of the bucket's chain, or of the free entries
    NeighbourOrigin origin{};  // 0: the entry is free
    Router router = Router::kUnknown;
  };
  static_assert(sizeof(Entry) == 40);
  struct LinkState {
    std::uint32_t ageing = kAgeing;
    std::uint32_t heard = 0;
  };
  /// Grows by chunks: what is in it never moves.
  template <typename T>
  class Chunks {
   public:
    std::size_t size() const { return size_; }
    std::size_t memory_bytes() const { return chunks_.size() * sizeof(Chunk); }
    T& operator[](std::size_t i) { return (*chunks_[i / kChunk])[i % kChunk]; }
    const T& operator[](std::size_t i) const { return (*chunks_[i / kChunk])[i % kChunk]; }
    void push_back(const T& value) {
      if (size_ == chunks_.size() * kChunk) chunks_.push_back(std::make_unique<Chunk>());
      (*this)[size_++] = value;
    }

   private:
    using Chunk = std::array<T, kChunk>;
    std::vector<std::unique_ptr<Chunk>> chunks_;
    std::size_t size_ = 0;
  };

  std::size_t bucket_of(LinkId link, const IpAddr& ip) const;  // precondition: there are buckets
  void split_bucket();
  Index find_entry(LinkId link, const IpAddr& ip, NeighbourOrigin origin) const;
  Index strongest(LinkId link, const IpAddr& ip) const;
  Index insert(const Entry& entry);
  void erase(Index index);
  bool is_full(LinkId link) const;
  LinkState& state_of(LinkId link);
  std::uint32_t ageing_of(LinkId link) const { return link < links_.size() ? links_[link].ageing : kAgeing; }
  std::optional<Seconds> expiry_of(const Entry& entry) const;  // empty: never
  void note_expiry(const Entry& entry);
  Neighbour describe(const Entry& entry, Seconds now) const;
  void emit(NeighbourEvent::Kind kind, const Entry& entry);

  const Options options_;
  Chunks<Entry> entries_;
  Chunks<Index> buckets_;
  Index free_ = kNone;
  std::size_t size_ = 0;
  std::size_t heard_ = 0;
  std::vector<LinkState> links_;  // by LinkId; of a link beyond the end nothing was said

  // A scan visits every entry once. Between scans nothing can expire before next_scan_.
  std::optional<Seconds> next_scan_;
  std::optional<Index> scan_at_;             // set while a scan is under way
  std::optional<Seconds> scan_next_expiry_;  // earliest expiry that this scan has seen

  std::vector<NeighbourEvent> events_;
};

}  // namespace vtep
