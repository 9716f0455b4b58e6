// What the sender of a frame left for somebody later to do: the checksum, the segmentation. The fields of
// struct virtio_net_hdr (Virtio 1.1 section 5.1.6) in host terms, so that the engine knows no virtio.
#pragma once

#include <cstdint>

namespace vtep {

enum class Segmentation : std::uint8_t { kNone, kTcp4, kTcp6, kUdp };

struct Offload {
  /// The checksum at `checksum_start + checksum_offset` holds only the pseudo-header sum; whoever sends the
  /// frame on a wire adds the rest, from `checksum_start` to the end.
  bool needs_checksum = false;
  /// The checksum is known to be right: nobody needs to look again.
  bool checksum_valid = false;
  Segmentation segmentation = Segmentation::kNone;
  std::uint16_t segment_size = 0;     ///< payload bytes of one segment, when segmentation is not kNone
  std::uint16_t header_length = 0;    ///< bytes in front of the payload, when segmentation is not kNone
  std::uint16_t checksum_start = 0;   ///< from the start of the frame
  std::uint16_t checksum_offset = 0;  ///< from checksum_start

  friend bool operator==(const Offload&, const Offload&) = default;
};

}  // namespace vtep
