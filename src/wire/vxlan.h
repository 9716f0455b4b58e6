// The VXLAN header (RFC 7348 section 5).
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |R|R|R|R|I|R|R|R|            Reserved                           |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                VXLAN Network Identifier (VNI) |   Reserved    |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//
// "the I flag MUST be set to 1 for a valid VXLAN Network ID (VNI). The other 7 bits (designated "R") are
// reserved fields and MUST be set to zero on transmission and ignored on receipt." "Reserved fields (24 bits
// and 8 bits): MUST be set to zero on transmission and ignored on receipt."
#pragma once

#include <cassert>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/vni.h"

namespace vtep {

/// The header as one big-endian number of 64 bits: which bits mean something, and to whom.
namespace vxlan_bits {
inline constexpr std::uint64_t kVxlan = 0x08000000'ffffff00;  ///< the I flag and the VNI: all of RFC 7348
/// Group policy (draft-smith-vxlan-group-policy): G flag; the 24 bits of flags and
/// group behind the first byte, as Linux has it.
inline constexpr std::uint64_t kGbpFlag = 0x80000000'00000000;
inline constexpr std::uint64_t kGbp = kGbpFlag | 0x00ffffff'00000000;
/// Remote checksum offload (draft-herbert-vxlan-rco): C flag; where the checksum starts and stands.
inline constexpr std::uint64_t kRemoteChecksumFlag = 0x00200000'00000000;
inline constexpr std::uint64_t kRemoteChecksum = kRemoteChecksumFlag | 0xff;
}  // namespace vxlan_bits

struct VxlanHeader {
  static constexpr std::size_t kSize = 8;
  static constexpr std::size_t kFlags = 0;
  static constexpr std::size_t kReserved1 = 1;
  static constexpr std::size_t kVni = 4;
  static constexpr std::size_t kReserved2 = 7;
  static constexpr std::uint8_t kFlagI = 0x08;

  Vni vni;

  /// Precondition: out.size() >= kSize.
  constexpr void emit(ByteSpan out) const {
    assert(out.size() >= kSize);
    out[kFlags] = kFlagI;
    store_be24(out.data() + kReserved1, 0);
    store_be24(out.data() + kVni, vni.value());
    out[kReserved2] = 0;
  }

  friend bool operator==(const VxlanHeader&, const VxlanHeader&) = default;
};

/// Borrows the bytes it was parsed from. Whether the I flag is set is the caller's to ask: a header without
/// it names no VNI, but a printer wants to show it.
class VxlanView {
 public:
  /// Empty if there are fewer than 8 bytes.
  static constexpr std::optional<VxlanView> parse(ByteView datagram) {
    if (datagram.size() < VxlanHeader::kSize) return std::nullopt;
    return VxlanView(datagram);
  }

  constexpr std::uint8_t flags() const { return bytes_[VxlanHeader::kFlags]; }
  /// The I flag: without it vni() means nothing and the packet is to be dropped.
  constexpr bool has_vni() const { return (flags() & VxlanHeader::kFlagI) != 0; }
  constexpr Vni vni() const { return *Vni::from(load_be24(bytes_.data() + VxlanHeader::kVni)); }
  constexpr std::uint32_t reserved1() const { return load_be24(bytes_.data() + VxlanHeader::kReserved1); }
  constexpr std::uint8_t reserved2() const { return bytes_[VxlanHeader::kReserved2]; }
  /// The inner frame.
  constexpr ByteView payload() const { return bytes_.subspan(VxlanHeader::kSize); }

 private:
  explicit constexpr VxlanView(ByteView bytes) : bytes_(bytes) {}
  ByteView bytes_;
};

}  // namespace vtep
