// What every frame asks of the FDB, without its lock: the end of fdb.h, which includes it. Inlined, so that
// an entry stays in registers: through memory it costs as much as the search.
#pragma once

#include "engine/fdb.h"

namespace vtep {

inline void Fdb::prefetch(std::uint64_t hashed) const {
  const Table& here = *published_.load();
  if (here.mask < kPrefetchedSlots) return;
  __builtin_prefetch(&here.slots[hashed & here.mask]);
}

[[gnu::always_inline]] inline Fdb::Slot* Fdb::try_peek(std::uint64_t hashed, LinkId link, MacAddr mac,
                                                       Entry& entry) const {
  const std::uint64_t address = mac.to_u64();
  for (int attempt = 0; attempt < kPeekAttempts; ++attempt) {
    const std::uint64_t sequence = sequence_.load(std::memory_order_acquire);
    if (sequence % 2 != 0) continue;
    const Table& here = *published_.load();
    // Bounded: of a table in the middle of a change, the free slot that ends a search may be hidden.
    std::size_t i = hashed & here.mask;
    for (std::size_t left = here.mask + 1; left > 0; --left, i = (i + 1) & here.mask) {
      entry = load(here.slots[i]);
      if (!entry.is_free() && !entry.is(link, address)) continue;
      if (sequence_.load(std::memory_order_relaxed) != sequence) break;
      return entry.is_free() ? nullptr : &here.slots[i];
    }
  }
  return nullptr;
}

[[gnu::always_inline]] inline Fdb::Peek Fdb::peek(std::uint64_t hashed, LinkId link, MacAddr mac,
                                                  Seconds now) const {
  Entry entry;
  Slot* const slot = try_peek(hashed, link, mac, entry);
  if (slot == nullptr) return {};
  if (entry.used != now) slot->used.store(now, std::memory_order_relaxed);
  return {.kind = entry.target == kRemote ? Peeked::kOne : Peeked::kSeveral,
          .remote = entry.index,
          .router = entry.router != 0};
}

inline std::optional<Fdb::Learned> Fdb::refresh(std::uint64_t hashed, LinkId link, MacAddr mac,
                                                const IpAddr& source, Seconds now) const {
  Entry entry;
  Slot* const slot = try_peek(hashed, link, mac, entry);
  if (slot == nullptr || entry.target != kRemote) return std::nullopt;
  if (remotes_[entry.index].address == source) {
    // Once a second: do not dirty the cache line for every frame.
    if (entry.updated != now) slot->updated.store(now, std::memory_order_relaxed);
    return Learned::kRefreshed;
  }
  if (!entry.is_dynamic()) return Learned::kHeldStatic;
  if (entry.frozen != 0) return Learned::kHeldFrozen;
  return std::nullopt;
}

}  // namespace vtep
