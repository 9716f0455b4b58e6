#include "engine/path.h"

#include <algorithm>

#include "engine/mix.h"

namespace vtep {

std::size_t PathTable::Hash::operator()(const IpAddr& address) const {
  const auto& octets = address.octets();
  return mix64(load_be64(octets.data()) ^ mix64(load_be64(octets.data() + 8)));
}

std::uint64_t PathTable::pack(const PathFacts& facts) {
  const std::uint64_t checksum = !facts.checksum ? 0 : *facts.checksum ? 2 : 1;
  return checksum << 32 | facts.mtu;
}

PathFacts PathTable::unpack(std::uint64_t packed) {
  PathFacts facts{.mtu = static_cast<std::uint32_t>(packed)};
  if (packed >> 32 != 0) facts.checksum = packed >> 32 == 2;
  return facts;
}

/// What was changed under the lock is seen without it from now on.
void PathTable::publish(PathId id) {
  Slot& slot = slots_[id];
  const std::uint64_t packed = pack({.mtu = slot.path.mtu, .checksum = slot.path.checksum});
  if (slot.facts.load(std::memory_order_relaxed) == packed) return;
  slot.facts.store(packed, std::memory_order_relaxed);
  version_.fetch_add(1, std::memory_order_release);
}

PathId PathTable::acquire(const IpAddr& address) {
  const auto [known, is_new] = ids_.try_emplace(address);
  if (is_new) {
    if (!free_.empty() && epochs_.is_over(free_.front().first)) {
      known->second = free_.front().second;
      free_.pop_front();
    } else {
      known->second = static_cast<PathId>(slots_.grow());
    }
    Slot& slot = slots_[known->second];
    slot.path = {.address = address};
    slot.references = 0;
    slot.pinned = false;
    publish(known->second);
  }
  ++slots_[known->second].references;
  return known->second;
}

void PathTable::release(PathId id) {
  if (--slots_[id].references > 0) return;
  ids_.erase(slots_[id].path.address);
  free_.emplace_back(epochs_.retire(), id);
}

bool PathTable::learn_mtu(const IpAddr& address, std::uint32_t mtu, Seconds now) {
  const auto known = ids_.find(address);
  if (known == ids_.end()) return false;
  Path& path = slots_[known->second].path;
  mtu = std::max(mtu, address.is_v4() ? kMinMtu4 : kMinMtu6);
  if (path.mtu_until == Path::kByHand || (path.mtu != 0 && path.mtu < mtu)) return false;
  const bool is_news = path.mtu != mtu;
  path.mtu = mtu;
  path.mtu_until = now + kMtuLife;
  publish(known->second);
  next_expiry_ = std::min(next_expiry_.value_or(path.mtu_until), path.mtu_until);
  return is_news;
}

void PathTable::set_mtu(const IpAddr& address, std::uint32_t mtu) {
  const PathId id = acquire(address);
  Path& path = slots_[id].path;
  path.mtu = mtu;
  path.mtu_until = mtu == 0 ? 0 : Path::kByHand;
  publish(id);
  pin(id);
  release(id);
}

void PathTable::forget_learned() {
  age(Path::kByHand - 1);
}

void PathTable::set_checksum(const IpAddr& address, std::optional<bool> checksum) {
  const PathId id = acquire(address);
  slots_[id].path.checksum = checksum;
  publish(id);
  pin(id);
  release(id);
}

/// Holds the path while something about it was set by hand. Precondition: the caller holds a reference.
void PathTable::pin(PathId id) {
  Slot& slot = slots_[id];
  const bool wanted = slot.path.mtu_until == Path::kByHand || slot.path.checksum.has_value();
  if (wanted == slot.pinned) return;
  slot.pinned = wanted;
  slot.references += wanted ? 1U : 0xffffffffU;  // one more, or one less
}

void PathTable::age(Seconds now) {
  if (!next_expiry_ || now < *next_expiry_) return;
  next_expiry_.reset();
  for (const auto& [address, id] : ids_) {
    Path& path = slots_[id].path;
    if (path.mtu == 0 || path.mtu_until == Path::kByHand) continue;
    if (path.mtu_until <= now) {
      path.mtu = 0;
      path.mtu_until = 0;
      publish(id);
    } else {
      next_expiry_ = std::min(next_expiry_.value_or(path.mtu_until), path.mtu_until);
    }
  }
}

std::optional<PathId> PathTable::id_of(const IpAddr& address) const {
  const auto known = ids_.find(address);
  if (known == ids_.end()) return std::nullopt;
  return known->second;
}

const Path* PathTable::find(const IpAddr& address) const {
  const auto id = id_of(address);
  return id ? &slots_[*id].path : nullptr;
}

std::vector<Path> PathTable::list() const {
  std::vector<Path> paths;
  for (const auto& [address, id] : ids_) paths.push_back(slots_[id].path);
  std::ranges::sort(paths, {}, &Path::address);
  return paths;
}

}  // namespace vtep
