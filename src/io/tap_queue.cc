#include "io/tap_queue.h"

#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "io/system_error.h"
#include "io/virtio_header.h"

namespace vtep {
namespace {

/// The interface was deleted: EBADFD at once, EFAULT from a read that was under way.
bool is_gone(int error_number) {
  return error_number == EBADFD || error_number == EFAULT;
}

void count_failure(int error_number, WriteReport& report) {
  if (error_number == EIO || error_number == EBADFD) {
    ++report.interface_down;
  } else if (error_number == EAGAIN || error_number == ENOBUFS || error_number == ENOMEM) {
    ++report.queue_full;
  } else {
    ++report.refused;
  }
}

/// writev only reads; struct iovec has no const.
iovec part_of(ByteView bytes) {
  return {const_cast<std::uint8_t*>(bytes.data()), bytes.size()};
}

}  // namespace

TapQueue::~TapQueue() {
  ::close(fd_);
}

Result<std::size_t> TapQueue::read(PacketBatch& batch) {
  std::array<std::uint8_t, kVirtioHeaderSize> header;
  std::uint8_t overflow = 0;
  std::size_t count = 0;
  std::size_t bytes = 0;
  while (use_ == Use::kReadAndWrite && !batch.full() && bytes < kReadBytes) {
    Packet& packet = batch.next();
    // The last byte is written only by a frame that does not fit the buffer.
    const std::array<iovec, 3> parts = {
        {{header.data(), header.size()}, {packet.data(), packet.room()}, {&overflow, sizeof(overflow)}}};
    const ssize_t got = ::readv(fd_, parts.data(), static_cast<int>(parts.size()));
    if (got < 0) {
      const int error = errno;
      if (error == EINTR) continue;
      // What was read first is delivered first; an error comes again.
      if (error == EAGAIN || count > 0) break;
      if (is_gone(error)) return fail(ErrorKind::kUnavailable, "The TAP interface has been deleted");
      return std::unexpected(system_error("Cannot read from the TAP interface", error));
    }
    const std::size_t size =
        static_cast<std::size_t>(got) - std::min<std::size_t>(static_cast<std::size_t>(got), header.size());
    if (size <= packet.room()) {
      packet.set_size(size);
      packet.offload = parse_virtio_header(header, packet.view()).value_or(kSenselessOffload);
    }
    batch.commit();
    bytes += size;
    ++count;
  }
  return count;
}

WriteReport TapQueue::write(std::span<Packet> frames) {
  std::array<std::uint8_t, kVirtioHeaderSize> header;
  std::array<iovec, 2 + kMaxRest> parts;
  parts[0] = {header.data(), header.size()};
  WriteReport report;
  for (Packet& frame : frames) {
    if (frame.rest.size() > kMaxRest) {
      ++report.refused;
      continue;
    }
    store_virtio_header(frame.offload, frame.view(), header.data());
    parts[1] = {frame.data(), frame.size()};
    std::size_t count = 2;
    for (const ByteView part : frame.rest) parts[count++] = part_of(part);
    ssize_t put = -1;
    do {
      put = ::writev(fd_, parts.data(), static_cast<int>(count));
    } while (put < 0 && errno == EINTR);
    if (put >= 0) {
      ++report.written;
    } else {
      count_failure(errno, report);
    }
  }
  return report;
}

}  // namespace vtep
