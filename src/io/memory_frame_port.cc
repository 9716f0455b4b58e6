#include "io/memory_frame_port.h"

#include <algorithm>
#include <utility>

#include "io/all_bytes.h"

namespace vtep {

bool MemoryFramePort::inject(ByteView frame, const Offload& offload) {
  if (to_read_.size() == kQueueLength) return false;
  to_read_.push_back({{frame.begin(), frame.end()}, offload});
  return true;
}

std::vector<MemoryFrame> MemoryFramePort::collect() {
  return std::exchange(written_, {});
}

Result<std::size_t> MemoryFramePort::read(PacketBatch& batch) {
  if (removed_) return fail(ErrorKind::kUnavailable, "The in-memory interface has been removed");
  std::size_t count = 0;
  for (; !batch.full() && !to_read_.empty(); ++count) {
    const MemoryFrame& frame = to_read_.front();
    Packet& packet = batch.next();
    if (frame.bytes.size() <= packet.room()) {
      std::ranges::copy(frame.bytes, packet.data());
      packet.set_size(frame.bytes.size());
      packet.offload = frame.offload;
    }
    batch.commit();
    to_read_.pop_front();
  }
  return count;
}

WriteReport MemoryFramePort::write(std::span<Packet> frames) {
  WriteReport report;
  for (const Packet& frame : frames) {
    if (frame.rest.size() > kMaxRest) {
      ++report.refused;
    } else if (removed_ || !up_) {
      ++report.interface_down;
    } else {
      written_.push_back({all_bytes(frame), frame.offload});
      ++report.written;
    }
  }
  return report;
}

}  // namespace vtep
