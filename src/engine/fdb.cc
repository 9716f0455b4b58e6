#include "engine/fdb.h"

#include <algorithm>
#include <cassert>
#include <limits>
#include <utility>

#include "engine/mix.h"

namespace vtep {
namespace {

constexpr std::size_t kInitialSlots = 64;
constexpr std::uint64_t kMacBits = 0xffffffffffff;

/// Only these may have several remotes: their frames are replicated.
bool is_replicated(MacAddr mac) {
  return mac.is_zero() || mac.is_multicast();
}

Result<void> check(MacAddr mac, const Remote& remote, FdbState state) {
  if (remote.address.is_unspecified()) {
    return fail(ErrorKind::kInvalid, "an entry needs the address of a remote VTEP");
  }
  if (state == FdbState::kDynamic && is_replicated(mac)) {
    return fail(ErrorKind::kInvalid, mac.to_string() + " cannot be dynamic: no frame comes from it");
  }
  return {};
}

}  // namespace

Fdb::Fdb(const Options& options)
    : options_(options), slots_(std::make_unique<Slot[]>(kInitialSlots)), mask_(kInitialSlots - 1) {}

// --- the hash table

std::size_t Fdb::home(LinkId link, std::uint64_t mac) const {
  return mix64((mac | std::uint64_t{link} << 48) ^ mix64(options_.hash_seed ^ link)) & mask_;
}

std::size_t Fdb::find_slot(LinkId link, std::uint64_t mac) const {
  std::size_t i = home(link, mac);
  while (slots_[i].state != 0 && (slots_[i].mac != mac || slots_[i].link != link)) i = (i + 1) & mask_;
  return i;
}

Fdb::Slot& Fdb::insert(LinkId link, MacAddr mac, FdbState state, Seconds now) {
  if ((size_ + 1) * 4 > (mask_ + 1) * 3) grow();
  Slot& slot = slots_[find_slot(link, mac.to_u64())];
  assert(slot.state == 0);
  slot = {.mac = mac.to_u64() & kMacBits,
          .state = static_cast<std::uint64_t>(state),
          .is_list = 0,
          .link = link,
          .target = 0,
          .used = now,
          .updated = now};
  ++size_;
  if (state == FdbState::kDynamic) ++dynamic_;
  note_expiry(slot);
  return slot;
}

void Fdb::grow() {
  const std::size_t old_count = mask_ + 1;
  const auto old = std::exchange(slots_, std::make_unique<Slot[]>(old_count * 2));
  mask_ = old_count * 2 - 1;
  for (std::size_t i = 0; i < old_count; ++i) {
    if (old[i].state != 0) slots_[find_slot(old[i].link, old[i].mac)] = old[i];
  }
  if (scan_at_) scan_at_ = 0;  // slots have moved: look at all of them again
}

void Fdb::erase(std::size_t index) {
  std::size_t hole = index;
  for (std::size_t i = (hole + 1) & mask_; slots_[i].state != 0; i = (i + 1) & mask_) {
    // An entry may fill the hole unless its home lies cyclically behind the hole.
    const std::size_t distance_to_home = (i - home(slots_[i].link, slots_[i].mac)) & mask_;
    if (distance_to_home >= ((i - hole) & mask_)) {
      slots_[hole] = slots_[i];
      // The scan has not seen this entry yet and would not meet it any more: it goes back.
      if (scan_at_ && hole < *scan_at_ && i >= *scan_at_) scan_at_ = hole;
      hole = i;
    }
  }
  slots_[hole] = {};
  --size_;
}

// --- remotes of an entry

std::span<const RemoteId> Fdb::remotes_of(const Slot& slot) const {
  if (slot.is_list != 0) return lists_[slot.target];
  return {&slot.target, 1};
}

void Fdb::release_target(Slot& slot) {
  for (const RemoteId id : remotes_of(slot)) remotes_.release(id);
  if (slot.is_list != 0) {
    lists_[slot.target].clear();
    free_lists_.push_back(slot.target);
  }
}

void Fdb::set_single(Slot& slot, RemoteId id) {
  slot.is_list = 0;
  slot.target = id;
}

void Fdb::set_list(Slot& slot, List list) {
  if (free_lists_.empty()) {
    free_lists_.push_back(static_cast<std::uint32_t>(lists_.size()));
    lists_.emplace_back();
  }
  slot.is_list = 1;
  slot.target = free_lists_.back();
  free_lists_.pop_back();
  lists_[slot.target] = std::move(list);
}

// --- changes by request

Result<void> Fdb::add(LinkId link, MacAddr mac, const Remote& remote, FdbState state, Seconds now) {
  if (slots_[find_slot(link, mac.to_u64())].state != 0) {
    return fail(ErrorKind::kExists, mac.to_string() + " has an entry already; 'replace' changes it" +
                                        (is_replicated(mac) ? ", 'append' adds a remote" : ""));
  }
  return replace(link, mac, remote, state, now);
}

Result<void> Fdb::append(LinkId link, MacAddr mac, const Remote& remote, FdbState state, Seconds now) {
  Slot& slot = slots_[find_slot(link, mac.to_u64())];
  if (slot.state == 0) return replace(link, mac, remote, state, now);
  if (!is_replicated(mac)) {
    return fail(ErrorKind::kInvalid,
                mac.to_string() +
                    " is a unicast address and has a remote already: only the all-zero address and "
                    "group addresses may have several");
  }
  if (auto checked = check(mac, remote, state); !checked) return checked;
  // By value: after move_device() equal remotes may have different ids.
  if (std::ranges::any_of(remotes_of(slot), [&](RemoteId id) { return remotes_[id] == remote; })) return {};
  const RemoteId id = remotes_.acquire(remote);
  if (slot.is_list != 0) {
    lists_[slot.target].push_back(id);
  } else {
    set_list(slot, {slot.target, id});
  }
  slot.updated = now;
  emit(FdbEvent::Kind::kSet, slot, id);
  return {};
}

Result<void> Fdb::replace(LinkId link, MacAddr mac, const Remote& remote, FdbState state, Seconds now) {
  if (auto checked = check(mac, remote, state); !checked) return checked;
  const RemoteId id = remotes_.acquire(remote);
  Slot* slot = &slots_[find_slot(link, mac.to_u64())];
  if (slot->state == 0) {
    slot = &insert(link, mac, state, now);
  } else {
    // Listeners know the remotes of a replicated entry one by one; a unicast MAC has only the one that was
    // set last.
    if (is_replicated(mac)) {
      for (const RemoteId old : remotes_of(*slot)) {
        if (old != id) emit(FdbEvent::Kind::kRemoved, *slot, old);
      }
    }
    release_target(*slot);
    dynamic_ -= slot->state == static_cast<std::uint64_t>(FdbState::kDynamic) ? 1 : 0;
    dynamic_ += state == FdbState::kDynamic ? 1 : 0;
    slot->state = static_cast<std::uint64_t>(state);
    slot->updated = now;
    note_expiry(*slot);
  }
  set_single(*slot, id);
  emit(FdbEvent::Kind::kSet, *slot, id);
  return {};
}

Result<void> Fdb::remove(LinkId link, MacAddr mac) {
  return remove(link, mac, RemoteFilter{});
}

Result<void> Fdb::remove(LinkId link, MacAddr mac, const RemoteFilter& filter) {
  const std::size_t index = find_slot(link, mac.to_u64());
  if (slots_[index].state == 0) return fail(ErrorKind::kNotFound, "there is no entry for " + mac.to_string());
  if (remove_matching(index, filter) == 0) {
    return fail(ErrorKind::kNotFound, "the entry for " + mac.to_string() + " has no such remote");
  }
  return {};
}

std::size_t Fdb::flush(LinkId link, const FdbFilter& filter) {
  // Removal shifts entries backwards, across the table's end too; collecting first keeps the walk simple.
  std::vector<MacAddr> macs;
  for (std::size_t i = 0; i <= mask_; ++i) {
    const Slot& slot = slots_[i];
    if (slot.state == 0 || slot.link != link) continue;
    const auto state = static_cast<FdbState>(slot.state);
    const MacAddr mac = MacAddr::from_u64(slot.mac);
    if (!filter.states.empty() && std::ranges::find(filter.states, state) == filter.states.end()) continue;
    if (filter.mac && *filter.mac != mac) continue;
    macs.push_back(mac);
  }
  std::size_t removed = 0;
  for (const MacAddr mac : macs) removed += remove_matching(find_slot(link, mac.to_u64()), filter.remote);
  return removed;
}

std::size_t Fdb::remove_matching(std::size_t index, const RemoteFilter& filter) {
  Slot& slot = slots_[index];
  const auto remotes = remotes_of(slot);
  const auto matches = [&](RemoteId id) { return filter.matches(remotes_[id]); };
  const auto count = static_cast<std::size_t>(std::ranges::count_if(remotes, matches));
  if (count == remotes.size()) {
    remove_slot(index, FdbEvent::Kind::kRemoved);
  } else if (count > 0) {  // some but not all: it is a list
    std::erase_if(lists_[slot.target], [&](RemoteId id) {
      if (!matches(id)) return false;
      emit(FdbEvent::Kind::kRemoved, slot, id);
      remotes_.release(id);
      return true;
    });
  }
  return count;
}

void Fdb::move_device(IfIndex from, IfIndex to) {
  remotes_.move_device(from, to);
  // What were two remotes of a list may be one now.
  for (List& list : lists_) {
    for (std::size_t i = 0; i < list.size(); ++i) {
      const Remote& first = remotes_[list[i]];
      if (first.via != to) continue;
      const auto again =
          std::remove_if(list.begin() + static_cast<std::ptrdiff_t>(i) + 1, list.end(), [&](RemoteId id) {
            if (remotes_[id] != first) return false;
            remotes_.release(id);
            return true;
          });
      list.erase(again, list.end());
    }
  }
}

void Fdb::remove_slot(std::size_t index, FdbEvent::Kind kind) {
  Slot& slot = slots_[index];
  for (const RemoteId id : remotes_of(slot)) emit(kind, slot, id);
  if (static_cast<FdbState>(slot.state) == FdbState::kDynamic) --dynamic_;
  release_target(slot);
  erase(index);
}

// --- the data path

Fdb::Learned Fdb::learn(LinkId link, MacAddr mac, const IpAddr& source, Seconds now) {
  Slot& slot = slots_[find_slot(link, mac.to_u64())];
  if (slot.state == 0) {
    if (dynamic_ >= options_.max_dynamic) return Learned::kFull;
    Slot& fresh = insert(link, mac, FdbState::kDynamic, now);
    set_single(fresh, remotes_.acquire({.address = source, .port = {}, .vni = {}, .via = {}}));
    emit(FdbEvent::Kind::kLearned, fresh, fresh.target);
    return Learned::kNew;
  }
  // A unicast MAC has one remote.
  if (remotes_[slot.target].address == source) {
    slot.updated = now;
    return Learned::kRefreshed;
  }
  if (static_cast<FdbState>(slot.state) != FdbState::kDynamic) return Learned::kHeldStatic;
  const RemoteId id = remotes_.acquire({.address = source, .port = {}, .vni = {}, .via = {}});
  release_target(slot);
  set_single(slot, id);
  slot.updated = now;
  emit(FdbEvent::Kind::kMoved, slot, id);
  return Learned::kMoved;
}

std::span<const RemoteId> Fdb::find(LinkId link, MacAddr mac, Seconds now) {
  Slot& slot = slots_[find_slot(link, mac.to_u64())];
  if (slot.state == 0) return {};
  if (slot.used != now) slot.used = now;  // once a second: do not dirty the cache line for every frame
  return remotes_of(slot);
}

// --- ageing

void Fdb::set_ageing(LinkId link, std::uint32_t seconds) {
  if (link >= ageing_.size()) ageing_.resize(link + 1, 0);
  ageing_[link] = seconds;
  // The old bound may be too late now, and so may what a scan under way has seen.
  if (dynamic_ != 0) next_scan_ = 0;
  if (scan_at_) scan_at_ = 0;
}

std::optional<Seconds> Fdb::expiry_of(const Slot& slot) const {
  const std::uint32_t ageing = ageing_of(slot.link);
  if (static_cast<FdbState>(slot.state) != FdbState::kDynamic || ageing == 0) return std::nullopt;
  // Beyond the end of the scale is never: a sum that wrapped would be in the past.
  if (ageing > std::numeric_limits<Seconds>::max() - slot.updated) return std::nullopt;
  return slot.updated + ageing;
}

void Fdb::note_expiry(const Slot& slot) {
  const auto expiry = expiry_of(slot);
  if (!expiry) return;
  next_scan_ = std::min(next_scan_.value_or(*expiry), *expiry);
  if (scan_at_) scan_next_expiry_ = std::min(scan_next_expiry_.value_or(*expiry), *expiry);
}

void Fdb::age(Seconds now, std::size_t budget) {
  if (!scan_at_) {
    if (!next_scan_ || now < *next_scan_) return;
    scan_at_ = 0;
    scan_next_expiry_.reset();
  }
  std::size_t i = *scan_at_;
  for (; budget > 0 && i <= mask_; --budget) {
    const auto expiry = expiry_of(slots_[i]);
    if (expiry && *expiry <= now) {
      remove_slot(i, FdbEvent::Kind::kAged);  // something else may have shifted into slot i: look again
      continue;
    }
    if (expiry) scan_next_expiry_ = std::min(scan_next_expiry_.value_or(*expiry), *expiry);
    ++i;
  }
  if (i <= mask_) {
    scan_at_ = i;
    return;
  }
  scan_at_.reset();
  next_scan_ = scan_next_expiry_;
}

std::optional<Seconds> Fdb::next_deadline() const {
  return scan_at_ ? std::optional<Seconds>(0) : next_scan_;
}

// --- looking at it

FdbEntry Fdb::describe(const Slot& slot, RemoteId remote, Seconds now) const {
  return {.link = slot.link,
          .mac = MacAddr::from_u64(slot.mac),
          .remote = remotes_[remote],
          .state = static_cast<FdbState>(slot.state),
          .used = now - slot.used,
          .updated = now - slot.updated};
}

std::vector<FdbEntry> Fdb::get(LinkId link, MacAddr mac, Seconds now) const {
  std::vector<FdbEntry> entries;
  const Slot& slot = slots_[find_slot(link, mac.to_u64())];
  if (slot.state == 0) return entries;
  for (const RemoteId id : remotes_of(slot)) entries.push_back(describe(slot, id, now));
  return entries;
}

std::vector<FdbEntry> Fdb::list(std::optional<LinkId> link, Seconds now) const {
  std::vector<FdbEntry> entries;
  for (std::size_t i = 0; i <= mask_; ++i) {
    const Slot& slot = slots_[i];
    if (slot.state == 0 || (link && slot.link != *link)) continue;
    for (const RemoteId id : remotes_of(slot)) entries.push_back(describe(slot, id, now));
  }
  return entries;
}

void Fdb::emit(FdbEvent::Kind kind, const Slot& slot, RemoteId remote) {
  events_.push_back({kind, describe(slot, remote, slot.updated)});
  events_.back().entry.used = 0;
}

std::vector<FdbEvent> Fdb::take_events() {
  return std::exchange(events_, {});
}

}  // namespace vtep
