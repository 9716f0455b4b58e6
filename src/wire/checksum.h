// The internet checksum (RFC 1071), its incremental update (RFC 1624), and the pseudo-headers of IPv4 (RFC
// 9293 section 3.1) and IPv6 (RFC 8200 section 8.1).
//
// A partial sum is a plain number: a 16-bit word in host order may be added to it by hand, and partial sums
// may be added to each other. It stands for the one's complement sum of the big-endian words that went into
// it; only checksum_fold() gives that sum its one form.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/ip.h"

namespace vtep {

/// Adds the bytes to `initial`. An odd length counts as if a zero byte followed, so every part but the last
/// must have an even length.
std::uint64_t checksum_partial(ByteView bytes, std::uint64_t initial = 0);

/// The one's complement sum itself, not complemented. 0xffff over bytes that contain a right checksum.
constexpr std::uint16_t checksum_fold(std::uint64_t sum) {
  // Four steps are always enough, and a loop's last one is a branch that no processor can guess.
  sum = (sum & 0xffffffff) + (sum >> 32);
  sum = (sum & 0xffffffff) + (sum >> 32);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(sum);
}

/// What goes into a checksum field of IPv4, ICMP, IGMP or TCP; the field counted as zero in `sum`.
constexpr std::uint16_t checksum_finish(std::uint64_t sum) {
  return static_cast<std::uint16_t>(~checksum_fold(sum));
}

/// The same for UDP, where a zero field means that there is no checksum and 0xffff stands for it (RFC 768).
constexpr std::uint16_t checksum_finish_udp(std::uint64_t sum) {
  const std::uint16_t checksum = checksum_finish(sum);
  return checksum == 0 ? std::uint16_t{0xffff} : checksum;
}

/// RFC 1071 over all of `bytes`; 0 over bytes that contain a right checksum.
std::uint16_t internet_checksum(ByteView bytes);

/// The checksum after one aligned word changed from `before` to `after` (RFC 1624 section 3, equation 3).
constexpr std::uint16_t checksum_update(std::uint16_t checksum, std::uint16_t before, std::uint16_t after) {
  return checksum_finish(std::uint64_t{static_cast<std::uint16_t>(~checksum)} +
                         static_cast<std::uint16_t>(~before) + after);
}

/// Partial sum of the pseudo-header; `length` counts the upper-layer header and its payload.
constexpr std::uint64_t pseudo_header_sum(Ipv4 source, Ipv4 destination, std::uint8_t protocol,
                                          std::uint32_t length) {
  return std::uint64_t{source.value()} + destination.value() + protocol + length;
}

std::uint64_t pseudo_header_sum(const Ipv6& source, const Ipv6& destination, std::uint8_t protocol,
                                std::uint32_t length);

}  // namespace vtep
