// One queue of a TAP: its frames in and out, each behind a virtio header. A kernel's queue is an open file.
//
// Thread safety: belongs to one thread.
#pragma once

#include "io/frame_port.h"

namespace vtep {

class TapQueue final : public FramePort {
 public:
  /// With kWrite, read() never finds anything and fd() is -1: another one reads the same queue.
  enum class Use { kReadAndWrite, kWrite };

  /// Takes over `fd`, which is attached to the interface and has a virtio header of kVirtioHeaderSize.
  TapQueue(int fd, bool udp_segments, Use use = Use::kReadAndWrite)
      : fd_(fd), udp_segments_(udp_segments), use_(use) {}
  ~TapQueue() override;
  TapQueue(const TapQueue&) = delete;
  TapQueue& operator=(const TapQueue&) = delete;

  /// A frame larger than its buffer is delivered as an empty packet, so that whoever counts runts counts it.
  /// One whose virtio header makes no sense has kSenselessOffload.
  Result<std::size_t> read(PacketBatch& batch) override;
  /// One system call a frame.
  WriteReport write(std::span<Packet> frames) override;
  bool takes_udp_segments() const override { return udp_segments_; }
  int fd() const override { return use_ == Use::kWrite ? -1 : fd_; }

 private:
  const int fd_;
  const bool udp_segments_;
  const Use use_;
};

}  // namespace vtep
