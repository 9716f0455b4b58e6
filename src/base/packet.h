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

/// Free bytes in front of every frame that is read, so that a header can grow without moving payload. A
/// multiple of 8 keeps the data aligned.
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
  /// No bytes any more, and another buffer, as the constructor has it; all else stays.
  void move_to(ByteSpan buffer, std::size_t headroom) {
    assert(headroom <= buffer.size());
    buffer_ = buffer.data();
    capacity_ = static_cast<std::uint32_t>(buffer.size());
    start_ = static_cast<std::uint32_t>(headroom);
    size_ = 0;
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
  /// On the way to a FramePort: bytes that follow data(), elsewhere in memory, parts of what was merged into
  /// this frame. `offload` speaks of the whole. Not owned; they stay as they are until the frame was written.
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

/// A fixed set of buffers, reused for every read, the lowest first: pages that no large frame ever touched
/// stay unmapped. A buffer holds one packet, or several that arrived in it together.
class PacketBatch {
 public:
  /// `capacity` counts buffers.
  explicit PacketBatch(std::size_t capacity, std::size_t buffer_size = kHeadroom + kMaxFrame)
      : buffer_size_((buffer_size + 63) / 64 * 64),
        capacity_(capacity),
        storage_(std::make_unique_for_overwrite<std::uint8_t[]>(capacity * buffer_size_)),
        packets_(capacity) {}

  std::size_t capacity() const { return capacity_; }
  /// Packets; may be more than buffers.
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  /// Whether all buffers are taken.
  bool full() const { return taken_ == capacity_; }

  void clear() { size_ = taken_ = 0; }

  /// One packet in a buffer of its own: an empty one with kHeadroom in front, behind the last packet; it
  /// counts once commit() is called. Precondition: !full().
  Packet& next() {
    Packet& slot = slot_behind();
    slot = free_buffer(0);
    return slot;
  }
  void commit() {
    ++size_;
    ++taken_;
  }

  /// For a reader that fills many buffers at once and finds out afterwards what is in them: the free buffers
  /// in order, each as an empty packet with kHeadroom in front. Then append() what came, and take() the
  /// buffers.
  std::size_t free_buffers() const { return capacity_ - taken_; }
  /// Precondition: i < free_buffers().
  Packet free_buffer(std::size_t i) {
    return {ByteSpan(storage_.get() + (taken_ + i) * buffer_size_, buffer_size_), kHeadroom};
  }
  /// `packet` lies in one of the buffers. Allocates only to hold more packets than ever before.
  void append(const Packet& packet) {
    slot_behind() = packet;
    ++size_;
  }
  void take(std::size_t buffers) { taken_ += buffers; }

  /// Valid until more is appended.
  std::span<Packet> packets() { return {packets_.data(), size_}; }
  std::span<const Packet> packets() const { return {packets_.data(), size_}; }

 private:
  Packet& slot_behind() {
    if (size_ == packets_.size()) packets_.emplace_back();
    return packets_[size_];
  }

  std::size_t buffer_size_;
  std::size_t capacity_;
  std::unique_ptr<std::uint8_t[]> storage_;
  std::vector<Packet> packets_;  // the first size_ are the batch; only ever grows
  std::size_t size_ = 0;
  std::size_t taken_ = 0;  // buffers
};

}  // namespace vtep
