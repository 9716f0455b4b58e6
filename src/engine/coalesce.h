// Frames of one flow put together again before an interface sees them: one write instead of forty.
//
// The rules are those of Linux's GRO: consecutive TCP segments or equal UDP datagrams behind headers that say
// the same. What comes out is a super-frame that cut() (engine/segment.h), or the kernel when it forwards,
// takes apart into the frames that went in, byte for byte, with two exceptions. The checksum of a frame that
// came unfinished is finished. And IPv4 identifications that were all the same count up, which is allowed
// only with DF, where they mean nothing (RFC 6864 section 4.1); without DF only identifications that count up
// are merged.
//
// The order within a flow (both addresses, protocol, both ports) never changes, also not around what cannot
// be merged: that closes whatever is open of its flow. A fragment closes all flows of its protocol, because
// its own cannot be told.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/packet.h"
#include "wire/layers.h"

namespace vtep {

/// Not thread-safe: one for each thread. Nothing is allocated once the largest batch has been seen.
class Coalescer {
 public:
  struct Options {
    bool tcp = true;
    bool udp = false;  ///< only where the kernel takes UDP super-frames (TUN_F_USO4, TUN_F_USO6; Linux 6.2)
  };

  /// UDP_MAX_SEGMENTS of kernels before 6.9, and what their own GRO stops at.
  static constexpr std::uint32_t kMaxUdpSegments = 64;
  /// Our own limit, far below IOV_MAX (1024), so that one writev() always takes a frame. Full segments reach
  /// the limit of an IP packet long before.
  static constexpr std::uint32_t kMaxTcpSegments = 256;
  /// Flows that can be open at once; one more closes one of them, and costs no more than that.
  static constexpr std::size_t kFlows = 256;

  /// Merges `frames`, which go to one interface in this order; layers[i] is classify(frames[i]). Those that
  /// are left are moved to the front, each in the place of its first part; returns how many.
  ///
  /// A merged frame's `rest` holds the payloads of its other parts, until the next call; its own headers are
  /// rewritten in place, and `offload` asks for segmentation. All other frames keep every byte and their
  /// offload. A frame is a part only if its checksum is known: checksum_valid, or needs_checksum with the
  /// pseudo-header sum in its field. Precondition: both spans have the same size; no frame has a `rest`.
  std::size_t merge(std::span<Packet> frames, std::span<const Layers> layers, Options options);

 private:
  static constexpr std::size_t kWays = 4;
  static constexpr std::uint32_t kNone = 0xffffffff;

  /// Frames that follow each other; it may be but one. Sizes in bytes.
  struct Chain {
    const std::uint8_t* head;  // of the first frame
    std::uint32_t position;    // of the first frame, among those that are left
    std::uint32_t first_part;  // of the second frame and so on, in parts_
    std::uint32_t last_part;
    std::uint32_t count;     // frames
    std::uint32_t payload;   // in all frames
    std::uint32_t sequence;  // TCP: of the next frame
    std::uint16_t segment;   // payload of the first frame
    std::uint16_t l3, l4, headers;
    std::uint16_t identification;  // IPv4: of the first frame
    std::uint8_t closing_flags;    // TCP: FIN and PSH of the last frame
    bool is_udp, is_v4;
    bool same_identification;
  };
  struct Part {
    ByteView payload;
    std::uint32_t next;
  };
  /// A frame that may become part of a chain.
  struct Candidate;

  /// Where the flow's chain is, or may be put.
  struct Slot {
    std::size_t index;
    bool is_open;
  };

  Slot find(const Candidate& candidate);
  bool append(Chain& chain, const Candidate& candidate);
  void start(const Candidate& candidate, std::size_t slot, std::uint32_t position);
  void close_protocol(std::uint8_t protocol);
  void finish(const Chain& chain, Packet& frame);

  // Four ways in each set, so that a set's tags are compared at once.
  std::array<std::uint32_t, kFlows> tags_{};  // of the flow's hash; 0: nothing is open here
  std::array<std::uint32_t, kFlows> open_{};  // index in chains_
  std::uint32_t evict_ = 0;                   // the way that goes next
  std::vector<Chain> chains_;
  std::vector<Part> parts_;
  std::vector<ByteView> rest_;  // what Packet::rest points into
};

}  // namespace vtep
