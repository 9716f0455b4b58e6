// A local port: where overlay frames come from and go to. Siblings: Tap (a kernel interface), MemoryFramePort
// (in-memory), and the decorators PcapFramePort and FaultFramePort.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/packet.h"
#include "base/result.h"

namespace vtep {

/// Frames that write() could not hand over, by reason. Sums, for the caller's counters.
struct WriteReport {
  std::size_t written = 0;
  std::size_t interface_down = 0;  ///< the interface is administratively down, or its file was detached
  std::size_t queue_full = 0;      ///< would block
  std::size_t refused = 0;         ///< any other error: the kernel did not like the frame
};

/// Batch first: one virtual call moves many frames. Not thread-safe; a port belongs to one thread.
class FramePort {
 public:
  virtual ~FramePort() = default;

  /// Appends frames to `batch` until it is full or nothing is left; returns how many. Nothing to read is 0,
  /// not an error. kUnavailable means that the interface is gone: close the port and look for a new one.
  virtual Result<std::size_t> read(PacketBatch& batch) = 0;

  /// Bytes that write() needs in front of each frame, and overwrites: a virtio header.
  static constexpr std::size_t kWriteHeadroom = 12;

  /// Hands every frame over, with its `offload`. A frame with less headroom than kWriteHeadroom is refused. A
  /// frame that is not taken is counted in the report and never tried again: order is kept.
  virtual WriteReport write(std::span<Packet> frames) = 0;

  /// What to wait on for read(); -1 if the port cannot be waited on.
  virtual int fd() const = 0;
};

}  // namespace vtep
