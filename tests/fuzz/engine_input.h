// What an input of the engine's fuzz target is made of: bytes that are read one after the other, and the
// small sets of values that they choose from, so that commands meet.
#pragma once

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "engine/engine.h"
#include "engine/lane.h"
#include "engine/test_frames.h"

#define REQUIRE(condition)                                                               \
  do {                                                                                   \
    if (!(condition)) {                                                                  \
      std::fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                      \
    }                                                                                    \
  } while (false)

namespace vtep::fuzz {

/// What is missing at the end reads as zero, so that every input means something.
class Input {
 public:
  explicit Input(ByteView bytes) : left_(bytes) {}
  bool empty() const { return left_.empty(); }
  std::uint8_t byte() {
    if (left_.empty()) return 0;
    const std::uint8_t value = left_[0];
    left_ = left_.subspan(1);
    return value;
  }
  std::uint16_t word() {
    const std::uint8_t high = byte();
    return static_cast<std::uint16_t>(high << 8 | byte());
  }
  std::uint64_t quad() {
    std::uint64_t value = 0;
    for (int i = 0; i < 4; ++i) value = value << 16 | word();
    return value;
  }
  bool flag() { return byte() % 2 != 0; }
  ByteView bytes(std::size_t n) {
    const ByteView taken = left_.first(std::min(n, left_.size()));
    left_ = left_.subspan(taken.size());
    return taken;
  }
  template <typename T, std::size_t N>
  const T& one_of(const T (&choices)[N]) {
    return choices[byte() % N];
  }

 private:
  ByteView left_;
};

inline constexpr Port kPorts[] = {kIanaVxlanPort, kLinuxVxlanPort, Port(1)};
inline constexpr Vni kVnis[] = {1_vni, 2_vni, 0_vni, 0xffffff_vni};
inline constexpr PortRange kRanges[] = {
    {}, {Port(5000), Port(5000)}, {Port(5000), Port(5006)}, {Port(0), Port(65535)}};
inline constexpr std::uint32_t kAgeings[] = {300, 0, 1, 10, 0xffffffff};
inline constexpr std::uint32_t kMtus[] = {1500, 68, 1450, 9000};
inline constexpr std::uint32_t kPathMtus[] = {1400, 0, 1, 552, 1280, 1350, 1500, 65535, 0xffffffff};
inline constexpr FdbState kStates[] = {FdbState::kPermanent, FdbState::kStatic, FdbState::kDynamic};
/// VTEPs.
inline const IpAddr kAddresses[] = {Ipv4(192, 0, 2, 1), Ipv4(192, 0, 2, 2), Ipv4(239, 1, 1, 1),
                                    test::ip("2001:db8::1"), test::ip("ff0e::1")};
/// Stations of the overlay, and what cannot be one.
inline const IpAddr kStations[] = {Ipv4(10, 0, 0, 1),   Ipv4(10, 0, 0, 2),   Ipv4(10, 0, 0, 3),
                                   test::ip("fd00::1"), test::ip("fd00::2"), test::ip("fe80::1"),
                                   Ipv4(224, 0, 0, 1),  IpAddr(Ipv4()),      IpAddr()};
/// Of the overlay. The last is none.
inline const IpAddr kGroups[] = {
    Ipv4(239, 1, 1, 1),  Ipv4(239, 1, 1, 2),         Ipv4(224, 0, 0, 1), test::ip("ff0e::1:101"),
    test::ip("ff02::1"), test::ip("ff02::1:ff00:2"), IpAddr(Ipv4()),     IpAddr(),
    Ipv4(10, 0, 0, 1)};

/// 0 is the all-zero address, 1 broadcast, 2 a group.
inline MacAddr mac(std::uint8_t n) {
  if (n == 0) return {};
  if (n == 1) return kBroadcastMac;
  if (n == 2) return MacAddr({0x01, 0, 0x5e, 0, 0, 1});
  return MacAddr({0x02, 0, 0, 0, 0, n});
}

inline bool is_replicated(MacAddr address) {
  return address.is_zero() || address.is_multicast();
}

}  // namespace vtep::fuzz
