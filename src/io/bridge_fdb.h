// The kernel's forwarding tables, those of vxlan devices and of bridges: asked for, watched, changed. What
// `bridge fdb` shows.
//
// Thread safety: belongs to one thread. Everything happens in the network namespace in which it was created.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "io/bridge_entry.h"

namespace vtep {

class BridgeFdb {
 public:
  using Listener = std::function<void(const BridgeEntry&)>;

  enum class Verb : std::uint8_t {
    kAdd,      ///< kExists if the MAC has an entry
    kAppend,   ///< one more remote
    kReplace,  ///< in the place of whatever there is
    kRemove,   ///< the entry, or with a remote that one of it; kNotFound if there is none
  };
  struct Request {
    Verb verb;
    BridgeEntry entry;  ///< with `bridge` set: of the table of the bridge that the device is a port of
  };

  static Result<std::unique_ptr<BridgeFdb>> create();
  ~BridgeFdb();
  BridgeFdb(const BridgeFdb&) = delete;
  BridgeFdb& operator=(const BridgeFdb&) = delete;

  /// Of one device: its own entries, and those that its bridge has behind it.
  Result<std::vector<BridgeEntry>> list(IfIndex device);
  /// All of a bridge's table.
  Result<std::vector<BridgeEntry>> list_bridge(IfIndex bridge);
  /// Many at once, in order. What becomes of each.
  std::vector<Result<void>> apply(std::span<const Request> requests);

  /// From now on called for every entry that comes, changes or goes. What was there before is not reported.
  /// After an overrun (ENOBUFS) every entry is reported anew, and what went meanwhile as removed.
  void on_change(Listener listener);
  /// What to wait on; then call dispatch().
  int fd() const;
  void dispatch();

 private:
  struct Impl;
  explicit BridgeFdb(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace vtep
