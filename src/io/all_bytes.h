// The bytes of a frame or datagram whose parts lie in several places, for those that keep a copy.
#pragma once

#include <cstdint>
#include <vector>

#include "base/datagram.h"
#include "base/packet.h"

namespace vtep {

inline void append_to(std::vector<std::uint8_t>& bytes, ByteView part) {
  bytes.insert(bytes.end(), part.begin(), part.end());
}

/// With its `rest`.
inline std::vector<std::uint8_t> all_bytes(const Packet& frame) {
  std::vector<std::uint8_t> bytes(frame.view().begin(), frame.view().end());
  for (const ByteView part : frame.rest) append_to(bytes, part);
  return bytes;
}

/// The UDP payload: header, prefix and frame.
inline std::vector<std::uint8_t> all_bytes(const Datagram& datagram) {
  std::vector<std::uint8_t> bytes(datagram.header.begin(), datagram.header.end());
  append_to(bytes, datagram.prefix);
  append_to(bytes, datagram.frame);
  return bytes;
}

}  // namespace vtep
