// VLAN tags: IEEE 802.1Q (customer, ethertype 0x8100) and 802.1ad (service, 0x88a8). A tag stands between the
// addresses and the ethertype of a frame; here it is what follows an ethertype that announces one, so that
// stacked tags are parsed one from the payload of the other.
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   | PCP |D|  VLAN Identifier      |           Ethertype           |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//
// Identifier 0 tags a priority only. Identifier 0xfff is reserved and "shall not be configured ... or
// transmitted in a tag header" (IEEE 802.1Q table 9-2).
#pragma once

#include <cassert>
#include <compare>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "wire/ethertype.h"

namespace vtep {

class VlanId {
 public:
  static constexpr std::uint16_t kMax = 0xffe;

  constexpr VlanId() = default;
  /// Empty if `value` is not below the reserved identifier.
  static constexpr std::optional<VlanId> from(std::uint64_t value) {
    if (value > kMax) return std::nullopt;
    return VlanId(static_cast<std::uint16_t>(value));
  }
  constexpr std::uint16_t value() const { return value_; }
  friend constexpr auto operator<=>(VlanId, VlanId) = default;

 private:
  explicit constexpr VlanId(std::uint16_t value) : value_(value) {}
  std::uint16_t value_ = 0;
};

/// IEEE 802.1Q section 6.9.3 names the code points; their order is not that of their importance.
enum class VlanPriority : std::uint8_t {
  kBestEffort,
  kBackground,
  kExcellentEffort,
  kCriticalApplications,
  kVideo,
  kVoice,
  kInternetworkControl,
  kNetworkControl,
};

struct VlanHeader {
  static constexpr std::size_t kSize = 4;
  static constexpr std::size_t kControl = 0;
  static constexpr std::size_t kEthertype = 2;
  static constexpr std::uint16_t kDropEligible = 0x1000;
  static constexpr std::uint16_t kIdMask = 0x0fff;
  static constexpr unsigned kPriorityShift = 13;

  VlanId id;
  VlanPriority priority = VlanPriority::kBestEffort;
  bool drop_eligible = false;
  std::uint16_t ethertype = 0;  ///< of what follows the tag

  /// Precondition: out.size() >= kSize.
  constexpr void emit(ByteSpan out) const {
    assert(out.size() >= kSize);
    const auto control = static_cast<std::uint16_t>(static_cast<unsigned>(priority) << kPriorityShift |
                                                    (drop_eligible ? kDropEligible : 0U) | id.value());
    store_be16(out.data() + kControl, control);
    store_be16(out.data() + kEthertype, ethertype);
  }

  friend bool operator==(const VlanHeader&, const VlanHeader&) = default;
};

/// Borrows the bytes it was parsed from.
class VlanView {
 public:
  /// `payload` is what follows the ethertype that announced the tag. Empty if there are fewer than 4 bytes.
  static constexpr std::optional<VlanView> parse(ByteView payload) {
    if (payload.size() < VlanHeader::kSize) return std::nullopt;
    return VlanView(payload);
  }

  /// As it stands there, the reserved value included.
  constexpr std::uint16_t id() const { return control() & VlanHeader::kIdMask; }
  constexpr VlanPriority priority() const {
    return static_cast<VlanPriority>(control() >> VlanHeader::kPriorityShift);
  }
  constexpr bool drop_eligible() const { return (control() & VlanHeader::kDropEligible) != 0; }
  constexpr std::uint16_t ethertype() const { return load_be16(bytes_.data() + VlanHeader::kEthertype); }
  constexpr ByteView payload() const { return bytes_.subspan(VlanHeader::kSize); }
  /// Empty if the identifier is the reserved one.
  constexpr std::optional<VlanHeader> header() const {
    const auto vlan_id = VlanId::from(id());
    if (!vlan_id) return std::nullopt;
    return VlanHeader{*vlan_id, priority(), drop_eligible(), ethertype()};
  }

 private:
  explicit constexpr VlanView(ByteView bytes) : bytes_(bytes) {}
  constexpr std::uint16_t control() const { return load_be16(bytes_.data() + VlanHeader::kControl); }
  ByteView bytes_;
};

}  // namespace vtep
