// Keeps a listener's picture of a kernel table true. The kernel announces entry by entry what comes, changes
// and goes; but an announcement may be lost (the socket's queue overran), and of some changes there is none.
// Then the whole table is asked for, and the listener is told the difference.
//
// `Table` says what it is about:
//
//     using Change = …;                   what the listener is told
//     using Key = …;                      what all changes of one entry have in common; ordered
//     static Key key(const Change&);
//     static bool is_removal(const Change&);
//     static Change removal(const Key&);
//
// Thread safety: belongs to one thread.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "io/netlink_socket.h"

namespace vtep {

template <typename Table>
class NetlinkWatch {
 public:
  using Change = typename Table::Change;
  using Key = typename Table::Key;
  using Listener = std::function<void(const Change&)>;
  /// What a message means for the listener, if anything.
  using Take = std::function<std::optional<Change>(std::uint16_t type, ByteView payload)>;
  using List = std::function<Result<std::vector<Change>>()>;

  /// `events` is subscribed, and `present` has been asked for since: it is not reported.
  NetlinkWatch(NetlinkSocket events, const std::vector<Change>& present) : events_(std::move(events)) {
    for (const Change& entry : present) known_.insert(Table::key(entry));
  }

  void on_change(Listener listener) { listener_ = std::move(listener); }
  int fd() const { return events_.fd(); }
  /// What the listener may know of and has not seen removed.
  const std::set<Key>& known() const { return known_; }

  /// From within `take`: entries may have gone without a word.
  void doubt() { is_doubtful_ = true; }

  /// Reads what is queued, and calls the listener. If the table cannot be listed when it must be, the next
  /// dispatch() tries again.
  void dispatch(const Take& take, const List& list) {
    std::vector<Change> changes;
    const bool is_complete = events_.receive_all([&](std::uint16_t type, ByteView payload) {
      const auto change = take(type, payload);
      if (!change) return;
      note(*change);
      changes.push_back(*change);
    });
    if (!is_complete) is_behind_ = true;
    // After what is still queued, so that the last word on every entry is the newest.
    if (is_behind_ || is_doubtful_) catch_up(list, changes);

    // The listener may ask and change, or replace itself.
    const Listener listener = listener_;
    if (!listener) return;
    for (const Change& change : changes) listener(change);
  }

 private:
  void note(const Change& change) {
    if (Table::is_removal(change)) {
      known_.erase(Table::key(change));
    } else {
      known_.insert(Table::key(change));
    }
  }

  void catch_up(const List& list, std::vector<Change>& changes) {
    const auto entries = list();
    if (!entries) return;
    std::set<Key> lost = known_;
    if (is_behind_) {
      // Of what came before only the outcome counts; but a removal among it has not been told yet.
      for (const Change& change : changes) lost.insert(Table::key(change));
      changes.clear();
    }
    for (const Change& entry : *entries) {
      lost.erase(Table::key(entry));
      if (!is_behind_) continue;
      note(entry);
      changes.push_back(entry);
    }
    for (const Key& key : lost) {
      known_.erase(key);
      changes.push_back(Table::removal(key));
    }
    is_behind_ = is_doubtful_ = false;
  }

  NetlinkSocket events_;
  Listener listener_;
  std::set<Key> known_;
  bool is_behind_ = false;
  bool is_doubtful_ = false;
};

}  // namespace vtep
