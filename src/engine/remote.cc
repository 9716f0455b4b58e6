#include "engine/remote.h"

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

RemoteTable::~RemoteTable() {
  for (std::size_t i = 0; i < slots_.size(); ++i) delete slots_[i].remote.load();
}

/// Whoever looks sees the old one or the new one, whole.
void RemoteTable::set(Slot& slot, const Remote& remote) {
  const Remote* const old = slot.remote.exchange(new Remote(remote));
  if (old != nullptr) epochs_.retire(std::shared_ptr<const Remote>(old));
}

RemoteId RemoteTable::acquire(const Remote& remote) {
  if (const auto known = ids_.find(remote); known != ids_.end()) {
    add_reference(known->second);
    return known->second;
  }
  RemoteId id;
  if (!free_.empty() && epochs_.is_over(free_.front().first)) {
    id = free_.front().second;
    free_.pop_front();
    version_.fetch_add(1, std::memory_order_release);  // the id stood for another one
  } else {
    id = static_cast<RemoteId>(slots_.grow());
  }
  Slot& slot = slots_[id];
  set(slot, remote);
  slot.path.store(paths_.acquire(remote.address), std::memory_order_relaxed);
  slot.references = 1;
  ids_.emplace(remote, id);
  return id;
}

void RemoteTable::release(RemoteId id) {
  Slot& slot = slots_[id];
  assert(slot.references > 0);
  if (--slot.references != 0) return;
  // After move_device() two slots may hold equal remotes, and the map names only one of them.
  const auto known = ids_.find((*this)[id]);
  if (known != ids_.end() && known->second == id) ids_.erase(known);
  paths_.release(path_id(id));
  free_.emplace_back(epochs_.retire(), id);
}

void RemoteTable::move_device(IfIndex from, IfIndex to) {
  for (RemoteId id = 0; id < slots_.size(); ++id) {
    Slot& slot = slots_[id];
    if (!is_held(slot) || (*this)[id].via != from) continue;
    Remote moved = (*this)[id];
    if (const auto known = ids_.find(moved); known != ids_.end() && known->second == id) ids_.erase(known);
    moved.via = to;
    set(slot, moved);
    version_.fetch_add(1, std::memory_order_release);
    ids_.emplace(moved, id);
  }
}

bool RemoteTable::has_override(const IpAddr& address, Port port, Vni vni) const {
  for (RemoteId id = 0; id < slots_.size(); ++id) {
    if (!is_held(slots_[id])) continue;
    const Remote& remote = (*this)[id];
    const bool has_own = !remote.port.is_zero() || remote.vni;
    if (has_own && remote.address == address && (remote.port.is_zero() || remote.port == port) &&
        (!remote.vni || *remote.vni == vni)) {
      return true;
    }
  }
  return false;
}

bool RemoteTable::uses_device(IfIndex device) const {
  for (RemoteId id = 0; id < slots_.size(); ++id) {
    if (is_held(slots_[id]) && (*this)[id].via == device) return true;
  }
  return false;
}

}  // namespace vtep
