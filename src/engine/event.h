// What the engine tells the world about its tables. Plain data; the caller drains it.
#pragma once

#include <cstdint>

#include "engine/fdb_entry.h"

namespace vtep {

struct FdbEvent {
  enum class Kind : std::uint8_t {
    kSet,      ///< added or changed by request; a unicast MAC has only this remote now
    kLearned,  ///< a MAC that was not known
    kMoved,    ///< a dynamic MAC now behind `entry.remote`
    kRemoved,  ///< by request
    kAged,     ///< not heard from for the ageing time
    kFrozen,   ///< moved too often: stays behind `entry.remote`
  };
  Kind kind;
  FdbEntry entry;  ///< used and updated are 0
};

/// A frame was for somebody whom nobody knows (`l2miss`, `l3miss`).
struct MissEvent {
  LinkId link = 0;
  MacAddr mac{};  ///< zero if an IP address is missing
  IpAddr ip{};
};

/// A station behind one of this host's interfaces.
struct StationEvent {
  enum class Kind : std::uint8_t {
    kSeen,     ///< it was not known to be here
    kGone,     ///< not heard from for the ageing time, with all its addresses
    kAddress,  ///< says that `ip` is its own
  };
  Kind kind;
  LinkId link = 0;
  MacAddr mac{};
  IpAddr ip{};
  bool router = false;  ///< with kAddress
};

}  // namespace vtep
