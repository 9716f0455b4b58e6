#include "wire/any_bytes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "wire/golden_frames.h"

namespace vtep {
namespace {

void check_all(ByteView bytes) {
  for (const auto check :
       {check_ethernet, check_arp, check_ipv4, check_ipv6, check_icmpv4, check_icmpv6, check_igmp, check_mld,
        check_tcp, check_udp, check_vxlan, check_print, check_classify, check_checksum}) {
    check(bytes);
  }
}

// Where the layers of the golden frames begin: at the front, behind Ethernet, IPv4, UDP, VXLAN, and the inner
// ones.
constexpr std::size_t kStarts[] = {0, 14, 34, 42, 50, 64, 84, 104};

// Each cut lives in an allocation of its own size, so that a sanitizer sees the first byte read behind it.
TEST(AnyBytes, CutOffAtEveryLength) {
  for (const GoldenFrame& frame : golden_frames()) {
    const std::size_t size = std::min<std::size_t>(frame.bytes.size(), 200);
    for (const std::size_t start : kStarts) {
      for (std::size_t end = start; end <= size; ++end) {
        const auto begin = frame.bytes.begin();
        check_all(std::vector<std::uint8_t>(begin + static_cast<std::ptrdiff_t>(start),
                                            begin + static_cast<std::ptrdiff_t>(end)));
      }
    }
  }
}

TEST(AnyBytes, OneByteChanged) {
  std::mt19937 random(1);
  for (const GoldenFrame& frame : golden_frames()) {
    const std::size_t size = std::min<std::size_t>(frame.bytes.size(), 200);
    for (std::size_t at = 0; at < size; ++at) {
      std::vector<std::uint8_t> bytes(frame.bytes.begin(),
                                      frame.bytes.begin() + static_cast<std::ptrdiff_t>(size));
      bytes[at] = static_cast<std::uint8_t>(random());
      for (const std::size_t start : kStarts) {
        if (start <= bytes.size()) check_all(ByteView(bytes).subspan(start));
      }
    }
  }
}

}  // namespace
}  // namespace vtep
