// One frame in a buffer with headroom, and the batch in which frames travel.
//
// A Packet does not own its buffer and a copy of it aliases the same bytes; a PacketBatch owns all of its
// buffers. Not thread-safe: a batch belongs to one thread.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/ip.h"
#include "base/offload.h"
#include "base/port.h"

namespace vtep {

/// Free bytes in front of every frame that is read: room for a VXLAN header on the way out and for a virtio
/// header on the way in, so that neither path moves payload. A multiple of 8 keeps the data aligned.
inline constexpr std::size_t kHeadroom = 64;
/// The largest frame or datagram anybody can hand us: a TSO super-frame or a whole UDP datagram.
inline constexpr std::size_t kMaxFrame = 65535 + 18;

class Packet {
 public:
  Packet() = default;
  /// A frame of no bytes; the data starts `headroom` bytes into `buffer`, which must outlive the packet.
  Packet(ByteSpan buffer, std::size_t headroom)
      : buffer_(buffer.data()),
        capacity_(static_cast<std::uint32_t>(buffer.size())),
        start_(static_cast<std::uint32_t>(headroom)) {
    assert(headroom <= buffer.size());
  }

  std::uint8_t* data() { return buffer_ + start_; }
  const std::uint8_t* data() const { return buffer_ + start_; }
  std::size_t size() const { return size_; }
  ByteView view() const { return {data(), size_}; }
  std::size_t headroom() const { return start_; }
  /// Bytes that fit from data() to the end of the buffer.
  std::size_t room() const { return capacity_ - start_; }

  /// Precondition: size <= room().
  void set_size(std::size_t size) {
    assert(size <= room());
    size_ = static_cast<std::uint32_t>(size);
  }
  /// Grows the packet at its front; the new bytes hold whatever was there. Precondition: n <= headroom().
  std::uint8_t* push_front(std::size_t n) {
    assert(n <= headroom());
    start_ -= static_cast<std::uint32_t>(n);
    size_ += static_cast<std::uint32_t>(n);
    return data();
  }
  /// Drops the first n bytes. Precondition: n <= size().
  void pull_front(std::size_t n) {
    assert(n <= size());
    start_ += static_cast<std::uint32_t>(n);
    size_ -= static_cast<std::uint32_t>(n);
  }

  Offload offload;
  /// On the way to a FramePort: bytes that follow data(), elsewhere in memory, parts of what was merged into this
  /// frame. `offload` speaks of the whole. Not owned; they stay as they are until the frame was written.
  std::span<const ByteView> rest{};
  /// On the way in: who sent the outer datagram. Unspecified for frames of a local port.
  IpAddr outer_source;
  Port outer_source_port;
  std::uint8_t outer_tos = 0;  ///< IPv4 TOS or IPv6 traffic class of the outer header

 private:
  std::uint8_t* buffer_ = nullptr;
  std::uint32_t capacity_ = 0;
  std::uint32_t start_ = 0;
  std::uint32_t size_ = 0;
};

/// A fixed set of buffers, reused for every read. Pages that no large frame ever touched stay unmapped.
class PacketBatch {
 public:
  explicit PacketBatch(std::size_t capacity, std::size_t buffer_size = kHeadroom + kMaxFrame)
      : buffer_size_((buffer_size + 63) / 64 * 64),
        storage_(std::make_unique_for_overwrite<std::uint8_t[]>(capacity * buffer_size_)),
        packets_(capacity) {
    clear();
  }

  std::size_t capacity() const { return packets_.size(); }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  bool full() const { return size_ == capacity(); }

  /// Every slot becomes an empty packet with kHeadroom in front again.
  void clear() {
    for (std::size_t i = 0; i < packets_.size(); ++i) reset(i);
    size_ = 0;
  }
  /// The slot behind the last packet, reset; it counts once commit() is called. Precondition: !full().
  Packet& next() {
    reset(size_);
    return packets_[size_];
  }
  void commit() { ++size_; }
  /// Slots in order for a reader that fills many at once; follow with set_size().
  std::span<Packet> slots() { return packets_; }
  void set_size(std::size_t size) { size_ = size; }

  std::span<Packet> packets() { return {packets_.data(), size_}; }
  std::span<const Packet> packets() const { return {packets_.data(), size_}; }

 private:
  void reset(std::size_t i) {
    packets_[i] = Packet(ByteSpan(storage_.get() + i * buffer_size_, buffer_size_), kHeadroom);
  }

  std::size_t buffer_size_;
  std::unique_ptr<std::uint8_t[]> storage_;
  std::vector<Packet> packets_;
  std::size_t size_ = 0;
};

}  // namespace vtep
