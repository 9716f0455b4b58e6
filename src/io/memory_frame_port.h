// A local port without a kernel: a test, or another engine, stands on the other side.
//
// Behaves like a Tap: frames wait in a queue of bounded length, an interface that is down refuses what is
// written, one that is gone says so. Thread safety: belongs to one thread.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "base/bytes.h"
#include "base/offload.h"
#include "io/frame_port.h"

namespace vtep {

struct MemoryFrame {
  std::vector<std::uint8_t> bytes;
  Offload offload;

  friend bool operator==(const MemoryFrame&, const MemoryFrame&) = default;
};

class MemoryFramePort final : public FramePort {
 public:
  /// What a TAP queues for its reader before it drops.
  static constexpr std::size_t kQueueLength = 1000;

  /// A frame for read(). False if the queue is full: the frame is lost.
  bool inject(ByteView frame, const Offload& offload = {});
  /// The frames written since the last call, in order.
  std::vector<MemoryFrame> collect();

  /// Administratively up, as it is at first; down, write() refuses every frame.
  void set_up(bool up) { up_ = up; }
  /// As a TAP of a kernel that does not segment UDP.
  void refuse_udp_segments() { takes_udp_segments_ = false; }
  /// As if somebody had deleted the interface: read() answers kUnavailable, write() refuses.
  void remove() { removed_ = true; }

  Result<std::size_t> read(PacketBatch& batch) override;
  WriteReport write(std::span<Packet> frames) override;
  bool takes_udp_segments() const override { return takes_udp_segments_; }
  int fd() const override { return -1; }

 private:
  std::deque<MemoryFrame> to_read_;
  std::vector<MemoryFrame> written_;
  bool up_ = true;
  bool removed_ = false;
  bool takes_udp_segments_ = true;
};

}  // namespace vtep
