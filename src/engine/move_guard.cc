#include "engine/move_guard.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <type_traits>

#include "engine/mix.h"

namespace vtep {
namespace {

constexpr std::uint32_t kNoSlot = std::numeric_limits<std::uint32_t>::max();

}  // namespace

MoveGuard::MoveGuard(const Options& options)
    : hash_seed_(options.hash_seed),
      capacity_(std::bit_ceil(std::uint64_t{std::max(options.capacity, 1U)})) {}

bool MoveGuard::moved(LinkId link, MacAddr mac, const MoveLimit& limit, Seconds now) {
  if (limit.moves == 0) return false;
  if (!entries_) {
    static_assert(std::is_trivially_default_constructible_v<Entry>, "pages nobody wrote stay unmapped");
    entries_ = std::make_unique_for_overwrite<Entry[]>(capacity_);
    buckets_.assign(capacity_, kNoSlot);
  }
  const Key whose = key(link, mac);
  const Slot before = find(whose);
  if (before != kNoSlot && entries_[before].time == now) {
    ++entries_[before].moves;
    return exceeds(entries_[before], limit, now);
  }
  append(whose, before, now);
  return exceeds(entries_[slot(next_ - 1)], limit, now);
}

void MoveGuard::forget(LinkId link, MacAddr mac) {
  if (!entries_) return;
  const Slot latest = find(key(link, mac));
  if (latest != kNoSlot) unlink(entries_[latest]);
}

void MoveGuard::forget_link(LinkId link) {
  if (link >= generations_.size()) generations_.resize(std::size_t{link} + 1);
  ++generations_[link];
}

MoveGuard::Key MoveGuard::key(LinkId link, MacAddr mac) const {
  return {mac.to_u64(), link, link < generations_.size() ? generations_[link] : 0};
}

MoveGuard::Slot& MoveGuard::bucket(const Key& key) {
  const std::uint64_t link = std::uint64_t{key.link} << 32 | key.generation;
  return buckets_[mix64(mix64(key.mac ^ hash_seed_) ^ link) & (capacity_ - 1)];
}

MoveGuard::Slot MoveGuard::find(const Key& key) {
  Slot at = bucket(key);
  while (at != kNoSlot && entries_[at].key != key) at = entries_[at].next;
  return at;
}

void MoveGuard::unlink(Entry& entry) {
  Slot* at = &bucket(entry.key);
  while (&entries_[*at] != &entry) at = &entries_[*at].next;
  *at = entry.next;
  entry.latest = false;
}

void MoveGuard::append(const Key& key, Slot before, Seconds now) {
  Sequence older = 0;
  if (before != kNoSlot) {
    // Its sequence number is the one below next_ that falls on this slot.
    older = next_ - 1 - ((next_ - 1 - before) & (capacity_ - 1));
    unlink(entries_[before]);
  }
  Entry& entry = entries_[slot(next_)];
  if (next_ > capacity_ && entry.latest) unlink(entry);
  Slot& head = bucket(key);
  entry = {.key = key, .time = now, .moves = 1, .older = older, .next = head, .latest = true};
  head = slot(next_);
  ++next_;
}

bool MoveGuard::exceeds(const Entry& latest, const MoveLimit& limit, Seconds now) const {
  std::uint64_t moves = 0;
  for (const Entry* entry = &latest; now - entry->time < limit.window;
       entry = &entries_[slot(entry->older)]) {
    moves += entry->moves;
    if (moves > limit.moves) return true;
    if (!is_there(entry->older)) break;
  }
  return false;
}

}  // namespace vtep
