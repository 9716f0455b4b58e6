// What etcd holds, and how it changes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace vtep {

struct EtcdEntry {
  std::string key;
  std::string value;
  std::int64_t create_revision = 0;
  std::int64_t mod_revision = 0;
  std::int64_t version = 0;  ///< 1 when it was created, one more with each change
  std::int64_t lease = 0;    ///< 0: none

  friend bool operator==(const EtcdEntry&, const EtcdEntry&) = default;
};

/// All entries as they were at one revision, sorted by key. A watch goes on from revision + 1.
struct EtcdListing {
  std::int64_t revision = 0;
  std::vector<EtcdEntry> entries;
};

/// The outcome of a write that depends on what is there.
struct EtcdWrite {
  bool is_written = false;
  EtcdEntry entry;  ///< what is there now: ours, or what was in the way; without a key if nothing is
};

/// One of several changes that are made together.
struct EtcdChange {
  std::string key;
  std::optional<std::string> value;  ///< not set: the key is removed
};

struct EtcdEvent {
  bool is_removal = false;
  EtcdEntry entry;  ///< of a removal only key and mod_revision
};

/// Why a watch has ended, which it does only for what trying again would not mend.
struct EtcdWatchEnd {
  Error error;
  /// What happened since the revision that was asked for is lost, for it was compacted or etcd began a new
  /// history: list, and watch from there.
  bool must_list = false;
  std::int64_t compact_revision = 0;  ///< the oldest revision that can be watched from; 0: unknown
};

}  // namespace vtep
