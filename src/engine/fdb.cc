#include "engine/fdb.h"

#include <algorithm>
#include <cassert>
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

std::uint64_t named_key(LinkId link, PathId path) {
  return std::uint64_t{link} << 32 | path;
}

Result<void> check(MacAddr mac, const FdbTarget& target, FdbState state, const Nexthops& nexthops) {
  if (target.group == 0 && target.remote.address.is_unspecified()) {
    return fail(ErrorKind::kInvalid, "an entry needs the address of a remote VTEP");
  }
  if (target.group != 0) {
    if (is_replicated(mac)) {
      return fail(ErrorKind::kInvalid,
                  mac.to_string() + " is replicated to every remote: it cannot have a nexthop group");
    }
    if (!nexthops.group(target.group)) {
      return fail(ErrorKind::kInvalid,
                  "nexthop " + std::to_string(target.group) + " does not exist or is not a group");
    }
  }
  if (state == FdbState::kDynamic && is_replicated(mac)) {
    return fail(ErrorKind::kInvalid, mac.to_string() + " cannot be dynamic: no frame comes from it");
  }
  return {};
}

}  // namespace

Fdb::Fdb(const Options& options, RemoteTable& remotes, const Nexthops& nexthops)
    : options_(options),
      slots_(std::make_unique<Slot[]>(kInitialSlots)),
      mask_(kInitialSlots - 1),
      remotes_(remotes),
      nexthops_(nexthops) {}

Fdb::~Fdb() {
  for (std::size_t i = 0; i <= mask_; ++i) {
    if (slots_[i].state == 0) continue;
    for (const RemoteId id : remotes_of(slots_[i])) remotes_.release(id);
  }
}

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
  slot = {};
  slot.mac = mac.to_u64() & kMacBits;
  slot.state = static_cast<std::uint64_t>(state) & 0xf;
  slot.link = link;
  slot.used = now;
  slot.updated = now;
  ++size_;
  ++links_of(link).entries;
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

Fdb::Link& Fdb::links_of(LinkId link) {
  if (link >= links_.size()) links_.resize(std::size_t{link} + 1);
  return links_[link];
}

bool Fdb::is_full(LinkId link) const {
  return link < links_.size() && links_[link].max_addresses != 0 &&
         links_[link].entries >= links_[link].max_addresses;
}

// --- remotes of an entry

RemoteId Fdb::hold(LinkId link, const Remote& remote) {
  const RemoteId id = remotes_.acquire(remote);
  ++named_[named_key(link, remotes_.path_id(id))];
  return id;
}

void Fdb::let_go(LinkId link, RemoteId id) {
  const auto named = named_.find(named_key(link, remotes_.path_id(id)));
  if (--named->second == 0) named_.erase(named);
  remotes_.release(id);
}

std::span<const RemoteId> Fdb::remotes_of(const Slot& slot) const {
  if (slot.target == kList) return lists_[slot.index];
  if (slot.target == kGroup) return {};
  return {&slot.index, 1};
}

void Fdb::release_target(Slot& slot) {
  for (const RemoteId id : remotes_of(slot)) let_go(slot.link, id);
  if (slot.target == kList) {
    lists_[slot.index].clear();
    free_lists_.push_back(slot.index);
  }
  if (slot.target == kGroup) --links_of(slot.link).groups;
  slot.target = kRemote;
}

void Fdb::set_single(Slot& slot, RemoteId id) {
  slot.target = kRemote;
  slot.index = id;
}

void Fdb::set_list(Slot& slot, List list) {
  if (free_lists_.empty()) {
    free_lists_.push_back(static_cast<std::uint32_t>(lists_.size()));
    lists_.emplace_back();
  }
  slot.target = kList;
  slot.index = free_lists_.back();
  free_lists_.pop_back();
  lists_[slot.index] = std::move(list);
}

bool Fdb::comes_from(const Slot& slot, const IpAddr& source) const {
  if (slot.target == kGroup) return nexthops_.names(slot.index, source);
  return remotes_[slot.index].address == source;  // a unicast MAC has no list
}

// --- changes by request

Result<void> Fdb::add(LinkId link, MacAddr mac, const FdbTarget& target, FdbState state, Seconds now) {
  if (slots_[find_slot(link, mac.to_u64())].state != 0) {
    return fail(ErrorKind::kExists, mac.to_string() + " has an entry already; 'replace' changes it" +
                                        (is_replicated(mac) ? ", 'append' adds a remote" : ""));
  }
  return replace(link, mac, target, state, now);
}

Result<void> Fdb::append(LinkId link, MacAddr mac, const FdbTarget& target, FdbState state, Seconds now) {
  Slot& slot = slots_[find_slot(link, mac.to_u64())];
  if (slot.state == 0) return replace(link, mac, target, state, now);
  if (!is_replicated(mac)) {
    return fail(ErrorKind::kInvalid,
                mac.to_string() +
                    " is a unicast address and has a remote already: only the all-zero address and "
                    "group addresses may have several");
  }
  if (auto checked = check(mac, target, state, nexthops_); !checked) return checked;
  // By value: after move_device() equal remotes may have different ids.
  if (std::ranges::any_of(remotes_of(slot), [&](RemoteId id) { return remotes_[id] == target.remote; })) {
    return {};
  }
  const RemoteId id = hold(link, target.remote);
  if (slot.target == kList) {
    lists_[slot.index].push_back(id);
  } else {
    set_list(slot, {slot.index, id});
  }
  slot.updated = now;
  emit(FdbEvent::Kind::kSet, slot, id);
  return {};
}

Result<void> Fdb::replace(LinkId link, MacAddr mac, const FdbTarget& target, FdbState state, Seconds now) {
  if (auto checked = check(mac, target, state, nexthops_); !checked) return checked;
  Slot* slot = &slots_[find_slot(link, mac.to_u64())];
  if (slot->state == 0) {
    if (is_full(link)) {
      return fail(ErrorKind::kFull, "the link's table holds its limit of " +
                                        std::to_string(links_[link].max_addresses) + " entries (maxaddress)");
    }
    slot = &insert(link, mac, state, now);
    set_target(*slot, target);
  } else {
    // Held before the old ones are let go: a remote that stays keeps what is known of the way to it.
    Slot fresh = *slot;
    set_target(fresh, target);
    // Listeners know the remotes of a replicated entry one by one; a unicast MAC has only the one that was
    // set last.
    if (is_replicated(mac)) {
      for (const RemoteId old : remotes_of(*slot)) {
        if (old != fresh.index) emit(FdbEvent::Kind::kRemoved, *slot, old);
      }
    }
    release_target(*slot);
    slot->target = fresh.target;
    slot->index = fresh.index;
    dynamic_ -= slot->state == static_cast<std::uint64_t>(FdbState::kDynamic) ? 1 : 0;
    dynamic_ += state == FdbState::kDynamic ? 1 : 0;
    slot->state = static_cast<std::uint64_t>(state) & 0xf;
    slot->frozen = 0;
    slot->updated = now;
    note_expiry(*slot);
  }
  slot->router = target.router ? 1 : 0;
  emit_all(FdbEvent::Kind::kSet, *slot);
  return {};
}

void Fdb::set_target(Slot& slot, const FdbTarget& target) {
  if (target.group == 0) return set_single(slot, hold(slot.link, target.remote));
  slot.target = kGroup;
  slot.index = *nexthops_.group(target.group);
  ++links_of(slot.link).groups;
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
  std::size_t left = size(link);
  const auto consider = [&](const Slot& slot) {
    if (slot.state == 0 || slot.link != link) return;
    --left;
    const auto state = static_cast<FdbState>(slot.state);
    const MacAddr mac = MacAddr::from_u64(slot.mac);
    if (!filter.states.empty() && std::ranges::find(filter.states, state) == filter.states.end()) return;
    if (filter.router && *filter.router != (slot.router != 0)) return;
    if (filter.mac && *filter.mac != mac) return;
    macs.push_back(mac);
  };
  // Ten thousand links that have nothing but a flood list must not cost ten thousand walks.
  if (left == 1) consider(slots_[find_slot(link, 0)]);
  for (std::size_t i = 0; i <= mask_ && left > 0; ++i) consider(slots_[i]);
  std::size_t removed = 0;
  for (const MacAddr mac : macs) removed += remove_matching(find_slot(link, mac.to_u64()), filter.remote);
  return removed;
}

std::size_t Fdb::flush_group(GroupIndex group) {
  std::vector<std::pair<LinkId, MacAddr>> found;
  for (std::size_t i = 0; i <= mask_; ++i) {
    const Slot& slot = slots_[i];
    if (slot.state == 0 || slot.target != kGroup || slot.index != group) continue;
    found.emplace_back(slot.link, MacAddr::from_u64(slot.mac));
  }
  for (const auto& [link, mac] : found) remove_slot(find_slot(link, mac.to_u64()), FdbEvent::Kind::kRemoved);
  return found.size();
}

std::size_t Fdb::remove_matching(std::size_t index, const RemoteFilter& filter) {
  Slot& slot = slots_[index];
  if (slot.target == kGroup) {
    if (!filter.matches_group(nexthops_.group_id(slot.index))) return 0;
    remove_slot(index, FdbEvent::Kind::kRemoved);
    return 1;
  }
  const auto remotes = remotes_of(slot);
  const auto matches = [&](RemoteId id) { return filter.matches(remotes_[id]); };
  const auto count = static_cast<std::size_t>(std::ranges::count_if(remotes, matches));
  if (count == remotes.size()) {
    remove_slot(index, FdbEvent::Kind::kRemoved);
  } else if (count > 0) {  // some but not all: it is a list
    std::erase_if(lists_[slot.index], [&](RemoteId id) {
      if (!matches(id)) return false;
      emit(FdbEvent::Kind::kRemoved, slot, id);
      let_go(slot.link, id);
      return true;
    });
  }
  return count;
}

void Fdb::move_device(IfIndex from, IfIndex to) {
  remotes_.move_device(from, to);
  // What were two remotes of a list may be one now.
  for (std::size_t slot = 0; slot <= mask_; ++slot) {
    if (slots_[slot].state == 0 || slots_[slot].target != kList) continue;
    List& list = lists_[slots_[slot].index];
    for (std::size_t i = 0; i < list.size(); ++i) {
      const Remote first = remotes_[list[i]];
      if (first.via != to) continue;
      const auto again =
          std::remove_if(list.begin() + static_cast<std::ptrdiff_t>(i) + 1, list.end(), [&](RemoteId id) {
            if (remotes_[id] != first) return false;
            let_go(slots_[slot].link, id);
            return true;
          });
      list.erase(again, list.end());
    }
  }
}

void Fdb::remove_slot(std::size_t index, FdbEvent::Kind kind) {
  Slot& slot = slots_[index];
  emit_all(kind, slot);
  if (static_cast<FdbState>(slot.state) == FdbState::kDynamic) --dynamic_;
  release_target(slot);
  --links_of(slot.link).entries;
  erase(index);
}

// --- the data path

Fdb::Learned Fdb::learn(LinkId link, MacAddr mac, const IpAddr& source, Seconds now) {
  Slot& slot = slots_[find_slot(link, mac.to_u64())];
  if (slot.state == 0) {
    if (dynamic_ >= options_.max_dynamic || is_full(link)) return Learned::kFull;
    Slot& fresh = insert(link, mac, FdbState::kDynamic, now);
    set_single(fresh, hold(link, {.address = source, .port = {}, .vni = {}, .via = {}}));
    emit(FdbEvent::Kind::kLearned, fresh, fresh.index);
    return Learned::kNew;
  }
  if (comes_from(slot, source)) {
    if (slot.updated != now)
      slot.updated = now;  // once a second: do not dirty the cache line for every frame
    return Learned::kRefreshed;
  }
  if (static_cast<FdbState>(slot.state) != FdbState::kDynamic || slot.target == kGroup) {
    return Learned::kHeldStatic;
  }
  if (slot.frozen != 0) return Learned::kHeldFrozen;
  const RemoteId id = hold(link, {.address = source, .port = {}, .vni = {}, .via = {}});
  release_target(slot);
  set_single(slot, id);
  slot.updated = now;
  emit(FdbEvent::Kind::kMoved, slot, id);
  return Learned::kMoved;
}

void Fdb::freeze(LinkId link, MacAddr mac) {
  Slot& slot = slots_[find_slot(link, mac.to_u64())];
  if (slot.state == 0 || static_cast<FdbState>(slot.state) != FdbState::kDynamic) return;
  slot.frozen = 1;
  emit_all(FdbEvent::Kind::kFrozen, slot);
}

Fdb::Destination Fdb::find(LinkId link, MacAddr mac, Seconds now) {
  Slot& slot = slots_[find_slot(link, mac.to_u64())];
  if (slot.state == 0) return {};
  if (slot.used != now) slot.used = now;
  if (slot.target != kGroup)
    return {.remotes = remotes_of(slot), .one_of = false, .router = slot.router != 0};
  return {.remotes = nexthops_.remotes(slot.index), .one_of = true, .router = slot.router != 0};
}

bool Fdb::names(LinkId link, const IpAddr& vtep) const {
  const auto path = remotes_.paths().id_of(vtep);
  if (path && named_.contains(named_key(link, *path))) return true;
  return link < links_.size() && links_[link].groups != 0 && nexthops_.names(vtep);
}

// --- looking at it

FdbEntry Fdb::describe(const Slot& slot, RemoteId remote, Seconds now) const {
  const bool is_group = slot.target == kGroup;
  return {.link = slot.link,
          .mac = MacAddr::from_u64(slot.mac),
          .remote = is_group ? Remote() : remotes_[remote],
          .state = static_cast<FdbState>(slot.state),
          .group = is_group ? nexthops_.group_id(slot.index) : 0,
          .router = slot.router != 0,
          .frozen = slot.frozen != 0,
          .used = now - slot.used,
          .updated = now - slot.updated};
}

void Fdb::append_description(const Slot& slot, Seconds now, std::vector<FdbEntry>& entries) const {
  if (slot.target == kGroup) entries.push_back(describe(slot, 0, now));
  for (const RemoteId id : remotes_of(slot)) entries.push_back(describe(slot, id, now));
}

std::vector<FdbEntry> Fdb::get(LinkId link, MacAddr mac, Seconds now) const {
  std::vector<FdbEntry> entries;
  const Slot& slot = slots_[find_slot(link, mac.to_u64())];
  if (slot.state != 0) append_description(slot, now, entries);
  return entries;
}

std::vector<FdbEntry> Fdb::list(std::optional<LinkId> link, Seconds now) const {
  std::vector<FdbEntry> entries;
  for (std::size_t i = 0; i <= mask_; ++i) {
    const Slot& slot = slots_[i];
    if (slot.state != 0 && (!link || slot.link == *link)) append_description(slot, now, entries);
  }
  return entries;
}

void Fdb::emit(FdbEvent::Kind kind, const Slot& slot, RemoteId remote) {
  events_.push_back({kind, describe(slot, remote, slot.updated)});
  events_.back().entry.used = 0;
}

void Fdb::emit_all(FdbEvent::Kind kind, const Slot& slot) {
  if (slot.target == kGroup) return emit(kind, slot, 0);
  for (const RemoteId id : remotes_of(slot)) emit(kind, slot, id);
}

std::vector<FdbEvent> Fdb::take_events() {
  return std::exchange(events_, {});
}

}  // namespace vtep
