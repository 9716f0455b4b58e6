#include "engine/fdb.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>
#include <utility>

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
      table_(std::make_shared<Table>(kInitialSlots)),
      published_(table_.get()),
      remotes_(remotes),
      nexthops_(nexthops) {}

Fdb::~Fdb() {
  for (std::size_t i = 0; i <= table().mask; ++i) {
    const Entry entry = at(i);
    if (entry.is_free()) continue;
    for (const RemoteId id : remotes_of(entry)) remotes_.release(id);
  }
}

// --- the hash table

void Fdb::store(Slot& slot, const Entry& entry) {
  std::array<std::uint64_t, 2> words;
  std::memcpy(words.data(), &entry, sizeof(words));
  slot.key.store(words[0], std::memory_order_release);
  slot.target.store(words[1], std::memory_order_release);
  slot.used.store(entry.used, std::memory_order_relaxed);
  slot.updated.store(entry.updated, std::memory_order_relaxed);
}

void Fdb::put(std::size_t index, const Entry& entry) {
  const std::uint64_t sequence = sequence_.load(std::memory_order_relaxed);
  sequence_.store(sequence + 1, std::memory_order_relaxed);
  store(table().slots[index], entry);
  sequence_.store(sequence + 2, std::memory_order_release);
}

std::size_t Fdb::find_slot(const Table& table, std::uint64_t hash, LinkId link, std::uint64_t mac) {
  for (std::size_t i = hash & table.mask;; i = (i + 1) & table.mask) {
    const Entry entry = load(table.slots[i]);
    if (entry.is_free() || entry.is(link, mac)) return i;
  }
}

std::size_t Fdb::insert(LinkId link, MacAddr mac, Entry entry) {
  if ((size_ + 1) * 4 > (table().mask + 1) * 3) grow();
  const std::size_t index = find_slot(link, mac.to_u64());
  assert(at(index).is_free());
  entry.mac = mac.to_u64() & kMacBits;
  entry.link = link;
  put(index, entry);
  ++size_;
  ++links_of(link).entries;
  if (entry.is_dynamic()) ++dynamic_;
  note_expiry(entry);
  return index;
}

void Fdb::grow() {
  const Table& old = table();
  auto larger = std::make_shared<Table>((old.mask + 1) * 2);
  for (std::size_t i = 0; i <= old.mask; ++i) {
    const Entry entry = load(old.slots[i]);
    if (entry.is_free()) continue;
    store(larger->slots[find_slot(*larger, hash(entry.link, entry.mac), entry.link, entry.mac)], entry);
  }
  published_.store(larger.get());
  remotes_.epochs().retire(std::exchange(table_, std::move(larger)));
  if (scan_at_) scan_at_ = 0;  // slots have moved: look at all of them again
}

void Fdb::erase(std::size_t index) {
  const Table& here = table();
  const std::uint64_t sequence = sequence_.load(std::memory_order_relaxed);
  sequence_.store(sequence + 1, std::memory_order_relaxed);
  std::size_t hole = index;
  for (std::size_t i = (hole + 1) & here.mask;; i = (i + 1) & here.mask) {
    const Entry entry = load(here.slots[i]);
    if (entry.is_free()) break;
    // An entry may fill the hole unless its home lies cyclically behind the hole.
    const std::size_t distance_to_home = (i - hash(entry.link, entry.mac)) & here.mask;
    if (distance_to_home >= ((i - hole) & here.mask)) {
      store(here.slots[hole], entry);
      // The scan has not seen this entry yet and would not meet it any more: it goes back.
      if (scan_at_ && hole < *scan_at_ && i >= *scan_at_) scan_at_ = hole;
      hole = i;
    }
  }
  store(here.slots[hole], {});
  sequence_.store(sequence + 2, std::memory_order_release);
  --size_;
}

// --- without the lock

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
  if (++named_[named_key(link, remotes_.path_id(id))] == 1)
    names_version_.fetch_add(1, std::memory_order_release);
  return id;
}

void Fdb::let_go(LinkId link, RemoteId id) {
  const auto named = named_.find(named_key(link, remotes_.path_id(id)));
  if (--named->second == 0) {
    named_.erase(named);
    names_version_.fetch_add(1, std::memory_order_release);
  }
  remotes_.release(id);
}

std::span<const RemoteId> Fdb::remotes_of(const Entry& entry) const {
  if (entry.target == kList) return lists_[entry.index];
  if (entry.target == kGroup) return {};
  return {&entry.index, 1};
}

void Fdb::release_target(const Entry& entry) {
  for (const RemoteId id : remotes_of(entry)) let_go(entry.link, id);
  if (entry.target == kList) {
    lists_[entry.index].clear();
    free_lists_.push_back(entry.index);
  }
  if (entry.target == kGroup) {
    --links_of(entry.link).groups;
    names_version_.fetch_add(1, std::memory_order_release);
  }
}

void Fdb::set_single(Entry& entry, RemoteId id) {
  entry.target = kRemote;
  entry.index = id;
}

void Fdb::set_list(Entry& entry, List list) {
  if (free_lists_.empty()) {
    free_lists_.push_back(static_cast<std::uint32_t>(lists_.size()));
    lists_.emplace_back();
  }
  entry.target = kList;
  entry.index = free_lists_.back();
  free_lists_.pop_back();
  lists_[entry.index] = std::move(list);
}

bool Fdb::comes_from(const Entry& entry, const IpAddr& source) const {
  if (entry.target == kGroup) return nexthops_.names(entry.index, source);
  return remotes_[entry.index].address == source;  // a unicast MAC has no list
}

// --- changes by request

Result<void> Fdb::add(LinkId link, MacAddr mac, const FdbTarget& target, FdbState state, Seconds now) {
  if (!get_entry(link, mac).is_free()) {
    return fail(ErrorKind::kExists, mac.to_string() + " has an entry already; 'replace' changes it" +
                                        (is_replicated(mac) ? ", 'append' adds a remote" : ""));
  }
  return replace(link, mac, target, state, now);
}

Result<void> Fdb::append(LinkId link, MacAddr mac, const FdbTarget& target, FdbState state, Seconds now) {
  const std::size_t index = find_slot(link, mac.to_u64());
  Entry entry = at(index);
  if (entry.is_free()) return replace(link, mac, target, state, now);
  if (!is_replicated(mac)) {
    return fail(ErrorKind::kInvalid,
                mac.to_string() +
                    " is a unicast address and has a remote already: only the all-zero address and "
                    "group addresses may have several");
  }
  if (auto checked = check(mac, target, state, nexthops_); !checked) return checked;
  // By value: after move_device() equal remotes may have different ids.
  if (std::ranges::any_of(remotes_of(entry), [&](RemoteId id) { return remotes_[id] == target.remote; })) {
    return {};
  }
  const RemoteId id = hold(link, target.remote);
  if (entry.target == kList) {
    lists_[entry.index].push_back(id);
  } else {
    set_list(entry, {entry.index, id});
  }
  entry.updated = now;
  put(index, entry);
  emit(FdbEvent::Kind::kSet, entry, id);
  return {};
}

Result<void> Fdb::replace(LinkId link, MacAddr mac, const FdbTarget& target, FdbState state, Seconds now) {
  if (auto checked = check(mac, target, state, nexthops_); !checked) return checked;
  const std::size_t index = find_slot(link, mac.to_u64());
  const Entry old = at(index);
  if (old.is_free() && is_full(link)) {
    return fail(ErrorKind::kFull, "the link's table holds its limit of " +
                                      std::to_string(links_[link].max_addresses) + " entries (maxaddress)");
  }
  Entry fresh = old;
  fresh.link = link;
  fresh.state = static_cast<std::uint64_t>(state) & 0xf;
  fresh.router = target.router ? 1 : 0;
  fresh.source = target.source & 0x3f;
  fresh.frozen = 0;
  fresh.updated = now;
  // Held before the old ones are let go: a remote that stays keeps what is known of the way to it.
  set_target(fresh, target);
  if (old.is_free()) {
    fresh.used = now;
    insert(link, mac, fresh);
  } else {
    // Listeners know the remotes of a replicated entry one by one; a unicast MAC has only the one that was
    // set last.
    if (is_replicated(mac)) {
      for (const RemoteId id : remotes_of(old)) {
        if (id != fresh.index) emit(FdbEvent::Kind::kRemoved, old, id);
      }
    }
    put(index, fresh);
    release_target(old);
    dynamic_ -= old.is_dynamic() ? 1 : 0;
    dynamic_ += fresh.is_dynamic() ? 1 : 0;
    note_expiry(fresh);
  }
  fresh.mac = mac.to_u64() & kMacBits;
  emit_all(FdbEvent::Kind::kSet, fresh);
  return {};
}

void Fdb::set_target(Entry& entry, const FdbTarget& target) {
  if (target.group == 0) return set_single(entry, hold(entry.link, target.remote));
  entry.target = kGroup;
  entry.index = *nexthops_.group(target.group);
  ++links_of(entry.link).groups;
  names_version_.fetch_add(1, std::memory_order_release);
}

Result<void> Fdb::remove(LinkId link, MacAddr mac) {
  return remove(link, mac, RemoteFilter{});
}

Result<void> Fdb::remove(LinkId link, MacAddr mac, const RemoteFilter& filter) {
  const std::size_t index = find_slot(link, mac.to_u64());
  if (at(index).is_free()) return fail(ErrorKind::kNotFound, "there is no entry for " + mac.to_string());
  if (remove_matching(index, filter) == 0) {
    return fail(ErrorKind::kNotFound, "the entry for " + mac.to_string() + " has no such remote");
  }
  return {};
}

std::size_t Fdb::flush(LinkId link, const FdbFilter& filter) {
  // Removal shifts entries backwards, across the table's end too; collecting first keeps the walk simple.
  std::vector<MacAddr> macs;
  std::size_t left = size(link);
  const auto consider = [&](const Entry& entry) {
    if (entry.is_free() || entry.link != link) return;
    --left;
    const auto state = static_cast<FdbState>(entry.state);
    const MacAddr mac = MacAddr::from_u64(entry.mac);
    if (!filter.states.empty() && std::ranges::find(filter.states, state) == filter.states.end()) return;
    if (filter.router && *filter.router != (entry.router != 0)) return;
    if (filter.mac && *filter.mac != mac) return;
    macs.push_back(mac);
  };
  // Ten thousand links that have nothing but a flood list must not cost ten thousand walks.
  if (left == 1) consider(get_entry(link, MacAddr()));
  for (std::size_t i = 0; i <= table().mask && left > 0; ++i) consider(at(i));
  std::size_t removed = 0;
  for (const MacAddr mac : macs) removed += remove_matching(find_slot(link, mac.to_u64()), filter.remote);
  return removed;
}

std::size_t Fdb::flush_group(GroupIndex group) {
  std::vector<std::pair<LinkId, MacAddr>> found;
  for (std::size_t i = 0; i <= table().mask; ++i) {
    const Entry entry = at(i);
    if (entry.is_free() || entry.target != kGroup || entry.index != group) continue;
    found.emplace_back(entry.link, MacAddr::from_u64(entry.mac));
  }
  for (const auto& [link, mac] : found) remove_slot(find_slot(link, mac.to_u64()), FdbEvent::Kind::kRemoved);
  return found.size();
}

std::size_t Fdb::remove_matching(std::size_t index, const RemoteFilter& filter) {
  const Entry entry = at(index);
  if (entry.target == kGroup) {
    if (!filter.matches_group(nexthops_.group_id(entry.index))) return 0;
    remove_slot(index, FdbEvent::Kind::kRemoved);
    return 1;
  }
  const auto remotes = remotes_of(entry);
  const auto matches = [&](RemoteId id) { return filter.matches(remotes_[id]); };
  const auto count = static_cast<std::size_t>(std::ranges::count_if(remotes, matches));
  if (count == remotes.size()) {
    remove_slot(index, FdbEvent::Kind::kRemoved);
  } else if (count > 0) {  // some but not all: it is a list
    std::erase_if(lists_[entry.index], [&](RemoteId id) {
      if (!matches(id)) return false;
      emit(FdbEvent::Kind::kRemoved, entry, id);
      let_go(entry.link, id);
      return true;
    });
  }
  return count;
}

void Fdb::move_device(IfIndex from, IfIndex to) {
  remotes_.move_device(from, to);
  // What were two remotes of a list may be one now.
  for (std::size_t slot = 0; slot <= table().mask; ++slot) {
    const Entry entry = at(slot);
    if (entry.is_free() || entry.target != kList) continue;
    List& list = lists_[entry.index];
    for (std::size_t i = 0; i < list.size(); ++i) {
      const Remote first = remotes_[list[i]];
      if (first.via != to) continue;
      const auto again =
          std::remove_if(list.begin() + static_cast<std::ptrdiff_t>(i) + 1, list.end(), [&](RemoteId id) {
            if (remotes_[id] != first) return false;
            let_go(entry.link, id);
            return true;
          });
      list.erase(again, list.end());
    }
  }
}

void Fdb::remove_slot(std::size_t index, FdbEvent::Kind kind) {
  const Entry entry = at(index);
  emit_all(kind, entry);
  if (entry.is_dynamic()) --dynamic_;
  erase(index);
  release_target(entry);
  --links_of(entry.link).entries;
}

// --- the data path

Fdb::Learned Fdb::learn(LinkId link, MacAddr mac, const IpAddr& source, Seconds now) {
  const std::size_t index = find_slot(link, mac.to_u64());
  const Entry known = at(index);
  const Remote remote{.address = source, .port = {}, .vni = {}, .via = {}};
  if (known.is_free()) {
    if (dynamic_ >= options_.max_dynamic || is_full(link)) return Learned::kFull;
    Entry fresh;
    fresh.state = static_cast<std::uint64_t>(FdbState::kDynamic);
    fresh.used = fresh.updated = now;
    set_single(fresh, hold(link, remote));
    const Entry inserted = at(insert(link, mac, fresh));
    emit(FdbEvent::Kind::kLearned, inserted, inserted.index);
    return Learned::kNew;
  }
  if (comes_from(known, source)) {
    if (known.updated != now) table().slots[index].updated.store(now, std::memory_order_relaxed);
    return Learned::kRefreshed;
  }
  if (!known.is_dynamic() || known.target == kGroup) return Learned::kHeldStatic;
  if (known.frozen != 0) return Learned::kHeldFrozen;
  Entry moved = known;
  set_single(moved, hold(link, remote));
  moved.updated = now;
  put(index, moved);
  release_target(known);
  emit(FdbEvent::Kind::kMoved, moved, moved.index);
  return Learned::kMoved;
}

void Fdb::freeze(LinkId link, MacAddr mac) {
  const std::size_t index = find_slot(link, mac.to_u64());
  Entry entry = at(index);
  if (entry.is_free() || !entry.is_dynamic()) return;
  entry.frozen = 1;
  put(index, entry);
  emit_all(FdbEvent::Kind::kFrozen, entry);
}

Fdb::Destination Fdb::find(LinkId link, MacAddr mac, Seconds now) {
  const std::size_t index = find_slot(link, mac.to_u64());
  const Entry entry = at(index);
  if (entry.is_free()) return {};
  if (entry.used != now) table().slots[index].used.store(now, std::memory_order_relaxed);
  const bool router = entry.router != 0;
  if (entry.target == kRemote) return {entry.index, router};
  if (entry.target == kGroup) return {nexthops_.remotes(entry.index), true, router};
  return {lists_[entry.index], false, router};
}

bool Fdb::names(LinkId link, const IpAddr& vtep) const {
  const auto path = remotes_.paths().id_of(vtep);
  if (path && named_.contains(named_key(link, *path))) return true;
  return link < links_.size() && links_[link].groups != 0 && nexthops_.names(vtep);
}

// --- looking at it

FdbEntry Fdb::describe(const Entry& entry, RemoteId remote, Seconds now) const {
  const bool is_group = entry.target == kGroup;
  return {.link = entry.link,
          .mac = MacAddr::from_u64(entry.mac),
          .remote = is_group ? Remote() : remotes_[remote],
          .state = static_cast<FdbState>(entry.state),
          .group = is_group ? nexthops_.group_id(entry.index) : 0,
          .router = entry.router != 0,
          .source = static_cast<std::uint8_t>(entry.source),
          .frozen = entry.frozen != 0,
          .used = now - entry.used,
          .updated = now - entry.updated};
}

void Fdb::append_description(const Entry& entry, Seconds now, std::vector<FdbEntry>& entries) const {
  if (entry.target == kGroup) entries.push_back(describe(entry, 0, now));
  for (const RemoteId id : remotes_of(entry)) entries.push_back(describe(entry, id, now));
}

std::vector<FdbEntry> Fdb::get(LinkId link, MacAddr mac, Seconds now) const {
  std::vector<FdbEntry> entries;
  const Entry entry = get_entry(link, mac);
  if (!entry.is_free()) append_description(entry, now, entries);
  return entries;
}

std::vector<FdbEntry> Fdb::list(std::optional<LinkId> link, Seconds now) const {
  std::vector<FdbEntry> entries;
  for (std::size_t i = 0; i <= table().mask; ++i) {
    const Entry entry = at(i);
    if (!entry.is_free() && (!link || entry.link == *link)) append_description(entry, now, entries);
  }
  return entries;
}

void Fdb::emit(FdbEvent::Kind kind, const Entry& entry, RemoteId remote) {
  events_.push_back({kind, describe(entry, remote, entry.updated)});
  events_.back().entry.used = 0;
}

void Fdb::emit_all(FdbEvent::Kind kind, const Entry& entry) {
  if (entry.target == kGroup) return emit(kind, entry, 0);
  for (const RemoteId id : remotes_of(entry)) emit(kind, entry, id);
}

std::vector<FdbEvent> Fdb::take_events() {
  return std::exchange(events_, {});
}

}  // namespace vtep
