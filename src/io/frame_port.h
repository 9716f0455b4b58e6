// A local port: where overlay frames come from and go to. Siblings: TapQueue (a kernel interface),
// MemoryFramePort (in-memory), and the decorators PcapFramePort and FaultFramePort.
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

  /// Once so many bytes were read, read() has enough: what is dealt with before more is read is still in the
  /// processor's cache.
  static constexpr std::size_t kReadBytes = 256 * 1024;

  /// Appends frames to `batch` until it is full, has kReadBytes, or nothing is left; returns how many.
  /// Nothing to read is 0, not an error. kUnavailable means that the interface is gone: close the port and
  /// look for a new one. Super-frames come whole, with what is left to do in `offload`: a TCP frame or UDP
  /// datagram of up to 64 KB.
  virtual Result<std::size_t> read(PacketBatch& batch) = 0;

  /// More parts than this in a frame's `rest` are refused. 64 KB of ordinary segments have 45.
  static constexpr std::size_t kMaxRest = 256;

  /// Hands every frame over, with its `rest` and its `offload`; changes none of its bytes. A frame that is
  /// not taken is counted in the report and never tried again: order is kept.
  virtual WriteReport write(std::span<Packet> frames) = 0;

  /// Whether write() takes frames that are to be segmented as UDP (Segmentation::kUdp). TCP it always takes.
  virtual bool takes_udp_segments() const { return false; }

  /// What to wait on for read(); -1 if the port cannot be waited on.
  virtual int fd() const = 0;
};

}  // namespace vtep
