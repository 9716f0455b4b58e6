#include "engine/remote.h"

#include <algorithm>
#include <cassert>

#include "engine/mix.h"

namespace vtep {

std::size_t RemoteTable::Hash::operator()(const Remote& remote) const {
  const auto& octets = remote.address.octets();
  std::uint64_t h = load_be64(octets.data());
  h = mix64(h ^ load_be64(octets.data() + 8));
  h ^= std::uint64_t{remote.port.value()} << 32 | remote.via.value();
  h = mix64(h ^ (remote.vni ? std::uint64_t{remote.vni->value()} << 8 | 1 : 0));
  return h;
}

RemoteId RemoteTable::acquire(const Remote& remote) {
  if (const auto known = ids_.find(remote); known != ids_.end()) {
    add_reference(known->second);
    return known->second;
  }
  RemoteId id;
  if (free_.empty()) {
    id = static_cast<RemoteId>(slots_.size());
    slots_.push_back({remote, 1, paths_.acquire(remote.address)});
  } else {
    id = free_.back();
    free_.pop_back();
    slots_[id] = {remote, 1, paths_.acquire(remote.address)};
  }
  ids_.emplace(remote, id);
  return id;
}

void RemoteTable::release(RemoteId id) {
  Slot& slot = slots_[id];
  assert(slot.references > 0);
  if (--slot.references != 0) return;
  // After move_device() two slots may hold equal remotes, and the map names only one of them.
  const auto known = ids_.find(slot.remote);
  if (known != ids_.end() && known->second == id) ids_.erase(known);
  paths_.release(slot.path);
  free_.push_back(id);
}

void RemoteTable::move_device(IfIndex from, IfIndex to) {
  for (RemoteId id = 0; id < slots_.size(); ++id) {
    Slot& slot = slots_[id];
    if (slot.references == 0 || slot.remote.via != from) continue;
    if (const auto known = ids_.find(slot.remote); known != ids_.end() && known->second == id)
      ids_.erase(known);
    slot.remote.via = to;
    ids_.emplace(slot.remote, id);
  }
}

bool RemoteTable::has_override(const IpAddr& address, Port port, Vni vni) const {
  return std::ranges::any_of(slots_, [&](const Slot& slot) {
    const Remote& remote = slot.remote;
    const bool has_own = !remote.port.is_zero() || remote.vni;
    return slot.references != 0 && has_own && remote.address == address &&
           (remote.port.is_zero() || remote.port == port) && (!remote.vni || *remote.vni == vni);
  });
}

bool RemoteTable::uses_device(IfIndex device) const {
  return std::ranges::any_of(
      slots_, [device](const Slot& slot) { return slot.references != 0 && slot.remote.via == device; });
}

}  // namespace vtep
