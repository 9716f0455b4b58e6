#include "engine/vni_table.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "engine/mix.h"

namespace vtep {
namespace {

constexpr std::size_t kInitialSlots = 16;

}  // namespace

VniTable::VniTable(Epochs& epochs)
    : epochs_(epochs), table_(std::make_shared<Table>(kInitialSlots)), published_(table_.get()) {}

/// Never 0: bit 40 is always set.
std::uint64_t VniTable::key_of(Port port, Vni vni) {
  return std::uint64_t{1} << 40 | std::uint64_t{port.value()} << 24 | vni.value();
}

VniTable::Slot& VniTable::slot_of(const Table& table, std::uint64_t key) {
  for (std::size_t i = mix64(key) & table.mask;; i = (i + 1) & table.mask) {
    const std::uint64_t there = table.slots[i].key.load(std::memory_order_acquire);
    if (there == key || there == 0) return table.slots[i];
  }
}

bool VniTable::insert(Port port, Vni vni, LinkId link) {
  if (find(port, vni)) return false;
  if ((used_ + 1) * 2 > table_->mask + 1) rebuild(std::bit_ceil((links_ + 1) * 4));
  const std::uint64_t key = key_of(port, vni);
  Slot& slot = slot_of(*table_, key);
  if (slot.key.load(std::memory_order_relaxed) == 0) ++used_;
  slot.link.store(link, std::memory_order_release);
  slot.key.store(key, std::memory_order_release);
  ++links_;
  return true;
}

void VniTable::erase(Port port, Vni vni) {
  if (!find(port, vni)) return;
  slot_of(*table_, key_of(port, vni)).link.store(kNone, std::memory_order_release);
  --links_;
}

std::optional<LinkId> VniTable::find(Port port, Vni vni) const {
  const std::uint64_t key = key_of(port, vni);
  const Slot& slot = slot_of(*published_.load(), key);
  if (slot.key.load(std::memory_order_acquire) != key) return std::nullopt;
  const LinkId link = slot.link.load(std::memory_order_acquire);
  return link == kNone ? std::nullopt : std::optional(link);
}

void VniTable::rebuild(std::size_t size) {
  auto fresh = std::make_shared<Table>(std::max(size, kInitialSlots));
  used_ = 0;
  for (std::size_t i = 0; i <= table_->mask; ++i) {
    const std::uint64_t key = table_->slots[i].key.load(std::memory_order_relaxed);
    const LinkId link = table_->slots[i].link.load(std::memory_order_relaxed);
    if (key == 0 || link == kNone) continue;
    Slot& slot = slot_of(*fresh, key);
    slot.link.store(link, std::memory_order_relaxed);
    slot.key.store(key, std::memory_order_relaxed);
    ++used_;
  }
  published_.store(fresh.get());
  epochs_.retire(std::exchange(table_, std::move(fresh)));
}

}  // namespace vtep
