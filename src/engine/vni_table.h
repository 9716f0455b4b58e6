// Which link a datagram belongs to: (UDP port, VNI) → link. Read for every datagram, changed when links come
// and go.
//
// Open addressing, linear probing; what is taken out leaves a mark until the table is built anew.
//
// Thread safety: find() for readers of the epochs, without a lock; everything else under the lock of the
// engine's tables.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/epochs.h"
#include "base/port.h"
#include "base/vni.h"
#include "engine/ids.h"

namespace vtep {

class VniTable {
 public:
  explicit VniTable(Epochs& epochs);
  VniTable(const VniTable&) = delete;
  VniTable& operator=(const VniTable&) = delete;

  /// False if (port, vni) has a link.
  bool insert(Port port, Vni vni, LinkId link);
  /// Harmless if there is none.
  void erase(Port port, Vni vni);
  std::optional<LinkId> find(Port port, Vni vni) const;

 private:
  static constexpr LinkId kNone = 0xffffffff;
  struct Slot {
    std::atomic<std::uint64_t> key = 0;  // 0: was never used
    std::atomic<LinkId> link = kNone;    // kNone: was taken out
  };
  struct Table {
    explicit Table(std::size_t size) : mask(size - 1), slots(std::make_unique<Slot[]>(size)) {}
    const std::size_t mask;
    const std::unique_ptr<Slot[]> slots;
  };

  static std::uint64_t key_of(Port port, Vni vni);
  /// The key's slot, or the first one that was never used.
  static Slot& slot_of(const Table& table, std::uint64_t key);
  void rebuild(std::size_t size);

  Epochs& epochs_;
  std::shared_ptr<const Table> table_;
  std::atomic<const Table*> published_;
  std::size_t used_ = 0;  // slots with a key
  std::size_t links_ = 0;
};

}  // namespace vtep
