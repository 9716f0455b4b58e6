// The header in front of every frame of a TAP: struct virtio_net_hdr_v1 (Virtio 1.1 section 5.1.6).
//
//    0       1          2        4         6            8             10
//   +-------+----------+--------+---------+------------+-------------+-------------+
//   | flags | gso_type | hdr_len| gso_size| csum_start | csum_offset | num_buffers |
//   +-------+----------+--------+---------+------------+-------------+-------------+
//
// Little-endian. Written out here because <linux/virtio_net.h> does not compile as C++ (a field is named
// class).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/offload.h"

namespace vtep {

inline constexpr std::size_t kVirtioHeaderSize = 12;

/// Stands for a virtio header that made no sense, where a frame cannot be refused: its checksum request lies
/// outside any frame, so whoever is to fulfil it drops the frame by the name it has for that.
inline constexpr Offload kSenselessOffload{
    .needs_checksum = true, .checksum_start = 0xffff, .checksum_offset = 0xffff};

/// What `header` says about `frame`, with every field checked against the frame. Empty if it makes no sense:
/// unknown segmentation, or offsets outside the frame or at no checksum. The header length is taken from the
/// frame, because the kernel's hdr_len is only a hint.
std::optional<Offload> parse_virtio_header(const std::array<std::uint8_t, kVirtioHeaderSize>& header,
                                           ByteView frame);

/// Writes all kVirtioHeaderSize bytes at `p`. `head` is the frame or its first part, with all headers: it
/// tells whether the first TCP segment has CWR set, which devices must not repeat in the others (RFC 3168
/// section 6.1.2).
void store_virtio_header(const Offload& offload, ByteView head, std::uint8_t* p);

}  // namespace vtep
