// The candidates for the forwarding database's table, all with the same face: (link, MAC) → a remote's
// four-byte id and the two times that an entry keeps. All use the same seeded hash, so that what differs is
// the table.
//
//   FdbTable        the FDB itself, with what it does besides: counted remotes, events
//   Probing<Slots>  its table alone, in three layouts, with prefetch
//   SwissTable      absl::flat_hash_map
//   RcuTable        liburcu's cds_lfht: readers take no lock
//   StdTable        std::unordered_map
//
// find() is called and compiled as one piece, as Fdb::find() is: with so many instances in one file GCC would
// otherwise stop inlining here and there.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <malloc.h>
#include <sys/mman.h>
#include <urcu/rculfhash.h>
#include <urcu/urcu-memb.h>

#include <bit>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/mac.h"
#include "engine/fdb.h"
#include "engine/mix.h"
#include "engine/test_tables.h"

namespace vtep::bench {

constexpr std::size_t kRemotes = 256;
constexpr std::uint64_t kSeed = 0x5eed;

inline std::uint64_t hash_of(LinkId link, std::uint64_t mac) {
  return mix64((mac | std::uint64_t{link} << 48) ^ mix64(kSeed ^ link));
}

/// What malloc has given away, by all threads.
inline std::size_t allocated_bytes() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

class FdbTable {
 public:
  void learn(LinkId link, MacAddr mac, RemoteId remote, Seconds now) {
    tables_.fdb.learn(link, mac, Ipv4(10, 0, 0, static_cast<std::uint8_t>(remote)), now);
  }
  std::optional<RemoteId> find(LinkId link, MacAddr mac, Seconds now) {
    const Fdb::Peek found = tables_.fdb.peek(link, mac, now);
    return found.kind == Fdb::Peeked::kOne ? std::optional(found.remote) : std::nullopt;
  }
  void forget(LinkId link, MacAddr mac) { static_cast<void>(tables_.fdb.remove(link, mac)); }
  void begin_batch() {}
  void end_batch() { tables_.fdb.take_events(); }

 protected:
  test::FdbTables tables_{Fdb::Options{.hash_seed = kSeed}};
};

// --- open addressing, linear probing, at most 3/4 full

/// An array of zeros that starts at a cache line; on request it asks for pages of 2 MiB.
template <typename T>
class Lines {
 public:
  Lines(std::size_t count, bool huge) {
    const std::size_t alignment = huge ? std::size_t{2} << 20 : 64;
    const std::size_t bytes = (count * sizeof(T) + alignment - 1) / alignment * alignment;
    items_.reset(static_cast<T*>(std::aligned_alloc(alignment, bytes)));
    if (huge) ::madvise(items_.get(), bytes, MADV_HUGEPAGE);
    std::uninitialized_value_construct_n(items_.get(), count);
  }
  T& operator[](std::size_t i) { return items_.get()[i]; }
  const T& operator[](std::size_t i) const { return items_.get()[i]; }

 private:
  struct Free {
    void operator()(T* items) const { std::free(items); }
  };
  std::unique_ptr<T, Free> items_;
};

/// As the FDB has them: one slot of four shares two cache lines. Aligned to 32 bytes: none does.
template <std::size_t kAlignment, bool kHuge = false>
class WholeSlots {
 public:
  explicit WholeSlots(std::size_t count) : slots_(count, kHuge) {}
  bool is_free(std::size_t i) const { return slots_[i].state == 0; }
  bool holds(std::size_t i, LinkId link, std::uint64_t mac) const {
    return slots_[i].mac == mac && slots_[i].link == link;
  }
  const void* line(std::size_t i) const { return &slots_[i]; }
  RemoteId use(std::size_t i, Seconds now) {
    if (slots_[i].used != now) slots_[i].used = now;
    return slots_[i].remote;
  }
  void update(std::size_t i, RemoteId remote, Seconds now) {
    if (slots_[i].remote != remote) slots_[i].remote = remote;
    if (slots_[i].updated != now) slots_[i].updated = now;
  }
  void put(std::size_t i, LinkId link, std::uint64_t mac, RemoteId remote, Seconds now) {
    slots_[i] = {mac & 0xffffffffffff, 1, link, remote, now, now};
  }
  std::uint64_t hash(std::size_t i) const { return hash_of(slots_[i].link, slots_[i].mac); }
  void move(std::size_t to, const WholeSlots& other, std::size_t from) { slots_[to] = other.slots_[from]; }

 private:
  struct alignas(kAlignment) Slot {
    std::uint64_t mac : 48;
    std::uint64_t state : 16;
    LinkId link;
    RemoteId remote;
    Seconds used;
    Seconds updated;
  };
  Lines<Slot> slots_;
};

/// 16 bytes for the lookup, four to a cache line, and the times apart. The six bits that the first part has
/// left hold the low bits of the second in which the entry was used last: a lookup touches the times once a
/// second.
template <bool kHuge = false>
class SplitSlots {
 public:
  explicit SplitSlots(std::size_t count) : keys_(count, kHuge), times_(count, kHuge) {}
  bool is_free(std::size_t i) const { return keys_[i].state == 0; }
  bool holds(std::size_t i, LinkId link, std::uint64_t mac) const {
    return keys_[i].mac == mac && keys_[i].link == link;
  }
  const void* line(std::size_t i) const { return &keys_[i]; }
  RemoteId use(std::size_t i, Seconds now) {
    if (keys_[i].second != (now & 0x3f)) {
      keys_[i].second = now & 0x3f;
      times_[i].used = now;
    }
    return keys_[i].remote;
  }
  void update(std::size_t i, RemoteId remote, Seconds now) {
    if (keys_[i].remote != remote) keys_[i].remote = remote;
    if (times_[i].updated != now) times_[i].updated = now;
  }
  void put(std::size_t i, LinkId link, std::uint64_t mac, RemoteId remote, Seconds now) {
    keys_[i] = {mac & 0xffffffffffff, 1, now & 0x3f, link, remote};
    times_[i] = {now, now};
  }
  std::uint64_t hash(std::size_t i) const { return hash_of(keys_[i].link, keys_[i].mac); }
  void move(std::size_t to, const SplitSlots& other, std::size_t from) {
    keys_[to] = other.keys_[from];
    times_[to] = other.times_[from];
  }

 private:
  struct Key {
    std::uint64_t mac : 48;
    std::uint64_t state : 10;
    std::uint64_t second : 6;
    LinkId link;
    RemoteId remote;
  };
  struct Times {
    Seconds used;
    Seconds updated;
  };
  Lines<Key> keys_;
  Lines<Times> times_;
};

template <typename Slots>
class Probing {
 public:
  void learn(LinkId link, MacAddr mac, RemoteId remote, Seconds now) {
    std::size_t i = slot_of(hash_of(link, mac.to_u64()), link, mac.to_u64());
    if (!slots_.is_free(i)) return slots_.update(i, remote, now);
    if ((size_ + 1) * 4 > (mask_ + 1) * 3) {
      grow();
      i = slot_of(hash_of(link, mac.to_u64()), link, mac.to_u64());
    }
    slots_.put(i, link, mac.to_u64(), remote, now);
    ++size_;
  }
  [[gnu::noinline, gnu::flatten]] std::optional<RemoteId> find(LinkId link, MacAddr mac, Seconds now) {
    return find_hashed(hash_of(link, mac.to_u64()), link, mac, now);
  }
  std::uint64_t hash(LinkId link, MacAddr mac) const { return hash_of(link, mac.to_u64()); }
  /// Asks for the line where the search will begin.
  void prefetch_hashed(std::uint64_t hash) const { __builtin_prefetch(slots_.line(hash & mask_)); }
  /// find() for whoever has the hash already.
  std::optional<RemoteId> find_hashed(std::uint64_t hash, LinkId link, MacAddr mac, Seconds now) {
    const std::size_t i = slot_of(hash, link, mac.to_u64());
    return slots_.is_free(i) ? std::nullopt : std::optional(slots_.use(i, now));
  }
  void begin_batch() {}
  void end_batch() {}

 private:
  std::size_t slot_of(std::uint64_t hash, LinkId link, std::uint64_t mac) const {
    std::size_t i = hash & mask_;
    while (!slots_.is_free(i) && !slots_.holds(i, link, mac)) i = (i + 1) & mask_;
    return i;
  }
  void grow() {
    const std::size_t old_count = mask_ + 1;
    const Slots old = std::exchange(slots_, Slots(old_count * 2));
    mask_ = old_count * 2 - 1;
    for (std::size_t i = 0; i < old_count; ++i) {
      if (old.is_free(i)) continue;
      std::size_t to = old.hash(i) & mask_;
      while (!slots_.is_free(to)) to = (to + 1) & mask_;
      slots_.move(to, old, i);
    }
  }

  std::size_t mask_ = 63;
  Slots slots_{mask_ + 1};
  std::size_t size_ = 0;
};

// --- maps of libraries

/// 12 bytes, so that key and value take 24, as a slot of the FDB does.
struct TableKey {
  TableKey(LinkId l, MacAddr mac)
      : link(l),
        high(static_cast<std::uint32_t>(mac.to_u64() >> 32)),
        low(static_cast<std::uint32_t>(mac.to_u64())) {}
  std::uint64_t mac() const { return std::uint64_t{high} << 32 | low; }
  bool operator==(const TableKey&) const = default;

  LinkId link;
  std::uint32_t high;
  std::uint32_t low;
};
struct TableHash {
  std::size_t operator()(const TableKey& key) const { return hash_of(key.link, key.mac()); }
};
struct TableEntry {
  RemoteId remote;
  Seconds used;
  Seconds updated;
};

template <typename Map>
class MapTable {
 public:
  void learn(LinkId link, MacAddr mac, RemoteId remote, Seconds now) {
    const auto [at, is_new] = map_.try_emplace(TableKey(link, mac), TableEntry{remote, now, now});
    if (is_new) return;
    if (at->second.remote != remote) at->second.remote = remote;
    if (at->second.updated != now) at->second.updated = now;
  }
  [[gnu::noinline, gnu::flatten]] std::optional<RemoteId> find(LinkId link, MacAddr mac, Seconds now) {
    const auto at = map_.find(TableKey(link, mac));
    if (at == map_.end()) return std::nullopt;
    if (at->second.used != now) at->second.used = now;
    return at->second.remote;
  }
  void prefetch(LinkId link, MacAddr mac) const
    requires requires(const Map& map, const TableKey& key) { map.prefetch(key); }
  {
    map_.prefetch(TableKey(link, mac));
  }
  void forget(LinkId link, MacAddr mac) { map_.erase(TableKey(link, mac)); }
  void begin_batch() {}
  void end_batch() {}

 private:
  Map map_;
};
using SwissTable = MapTable<absl::flat_hash_map<TableKey, TableEntry, TableHash>>;
using StdTable = MapTable<std::unordered_map<TableKey, TableEntry, TableHash>>;

/// This thread may use RcuTables while one of these lives.
class RcuReader {
 public:
  RcuReader() { urcu_memb_register_thread(); }
  ~RcuReader() { urcu_memb_unregister_thread(); }
  RcuReader(const RcuReader&) = delete;
  RcuReader& operator=(const RcuReader&) = delete;
};

/// One thread may learn and forget; any may find, within a batch. Their threads have an RcuReader.
///
/// It has its final size from the start. It can grow by itself, from a thread in the background; on busy
/// processors that thread did not keep up with a million insertions, which went through ever longer chains
/// for minutes.
class RcuTable {
 public:
  explicit RcuTable(std::size_t expected)
      : table_(cds_lfht_new_flavor(std::bit_ceil(expected), 64, 0, 0, &urcu_memb_flavor, nullptr)) {}
  RcuTable(const RcuTable&) = delete;
  RcuTable& operator=(const RcuTable&) = delete;
  ~RcuTable() {
    std::vector<Node*> nodes;
    urcu_memb_read_lock();
    cds_lfht_iter at;
    for (cds_lfht_first(table_, &at); at.node != nullptr; cds_lfht_next(table_, &at)) {
      nodes.push_back(static_cast<Node*>(at.node));
    }
    for (Node* node : nodes) cds_lfht_del(table_, node);
    urcu_memb_read_unlock();
    urcu_memb_synchronize_rcu();
    for (Node* node : nodes) delete node;
    urcu_memb_barrier();
    cds_lfht_destroy(table_, nullptr);
  }

  /// Within a batch.
  void learn(LinkId link, MacAddr mac, RemoteId remote, Seconds now) {
    const TableKey key(link, mac);
    if (Node* node = look_up(key)) {
      if (node->entry.remote != remote) node->entry.remote = remote;
      if (node->entry.updated != now) node->entry.updated = now;
      return;
    }
    cds_lfht_add(table_, TableHash()(key), new Node(key, {remote, now, now}));
  }
  [[gnu::noinline, gnu::flatten]] std::optional<RemoteId> find(LinkId link, MacAddr mac, Seconds now) {
    Node* node = look_up(TableKey(link, mac));
    if (node == nullptr) return std::nullopt;
    if (node->entry.used != now) node->entry.used = now;
    return node->entry.remote;
  }
  void forget(LinkId link, MacAddr mac) {
    Node* node = look_up(TableKey(link, mac));
    if (node == nullptr || cds_lfht_del(table_, node) != 0) return;
    urcu_memb_call_rcu(node, [](rcu_head* head) { delete static_cast<Node*>(head); });
  }
  void begin_batch() { urcu_memb_read_lock(); }
  void end_batch() { urcu_memb_read_unlock(); }

 private:
  struct Node : cds_lfht_node, rcu_head {
    Node(const TableKey& k, const TableEntry& e) : cds_lfht_node(), rcu_head(), key(k), entry(e) {}
    TableKey key;
    TableEntry entry;
  };
  Node* look_up(const TableKey& key) {
    cds_lfht_iter at;
    cds_lfht_lookup(
        table_, TableHash()(key),
        [](cds_lfht_node* node, const void* wanted) {
          return static_cast<int>(static_cast<const Node*>(node)->key ==
                                  *static_cast<const TableKey*>(wanted));
        },
        &key, &at);
    return static_cast<Node*>(at.node);
  }

  cds_lfht* table_;
};

}  // namespace vtep::bench
