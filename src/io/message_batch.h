// Datagrams of one socket, gathered into the messages of one sendmmsg. A run of them is one message, which
// the kernel cuts into datagrams again (UDP_SEGMENT).
//
// A run is 2 to 64 datagrams with one route and one size; the last may be shorter, and ends it. Together they
// are no larger than one datagram may be.
//
// Thread safety: belongs to one thread. Points at the datagrams that were added.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <span>

#include "base/datagram.h"
#include "io/send_control.h"
#include "io/socket_address.h"

namespace vtep {

class MessageBatch {
 public:
  static constexpr std::size_t kMaxMessages = 64;
  /// Of one message: UDP_MAX_SEGMENTS of every kernel that has UDP_SEGMENT.
  static constexpr std::size_t kMaxSegments = 64;

  MessageBatch();
  MessageBatch(const MessageBatch&) = delete;
  MessageBatch& operator=(const MessageBatch&) = delete;

  void clear() { messages_count_ = datagrams_count_ = parts_count_ = 0; }
  /// Whether one more message fits, whatever it is.
  bool has_room() const {
    return messages_count_ < kMaxMessages && parts_count_ + kMaxSegments * kParts <= kMaxParts;
  }

  /// Adds `batch[index]`, as a message of its own or, if `segments`, behind the last one's datagrams if it
  /// continues their run. Precondition: has_room().
  void add(std::size_t index, const Datagram& datagram, bool segments);
  /// Writes what the kernel reads besides the datagrams; after the last add().
  std::span<mmsghdr> finish();

  /// Datagrams in all.
  std::size_t size() const { return datagrams_count_; }
  /// The indexes that were added of message number `message`, in order.
  std::span<const std::size_t> datagrams(std::size_t message) const {
    return {indexes_.data() + runs_[message].first, runs_[message].count};
  }
  std::span<const std::size_t> datagrams() const { return {indexes_.data(), datagrams_count_}; }

 private:
  static constexpr std::size_t kParts = 3;  // header, prefix, frame
  /// Several messages of the largest sort; small enough to stay in a cache.
  static constexpr std::size_t kMaxParts = 1024;

  struct Run {
    const Datagram* head;    // the first datagram
    std::size_t first;       // into indexes_
    std::size_t count;       // datagrams
    std::size_t first_part;  // into parts_
    std::size_t size;        // bytes of all
    bool open;               // another datagram may follow
  };

  bool continues(const Run& run, const Datagram& datagram) const;
  void add_part(ByteView bytes);

  std::size_t messages_count_ = 0;
  std::size_t datagrams_count_ = 0;
  std::size_t parts_count_ = 0;
  std::array<mmsghdr, kMaxMessages> messages_{};
  std::array<SocketAddress, kMaxMessages> remotes_{};
  std::array<SendControl, kMaxMessages> controls_{};
  std::array<Run, kMaxMessages> runs_{};
  std::array<iovec, kMaxParts> parts_{};
  std::array<std::size_t, kMaxParts> indexes_{};  // a datagram has a part at least
};

}  // namespace vtep
