// Ethertypes this house knows (IANA, IEEE 802 Numbers).
#pragma once

#include <cstdint>

namespace vtep {

inline constexpr std::uint16_t kEthertypeIpv4 = 0x0800;
inline constexpr std::uint16_t kEthertypeArp = 0x0806;
inline constexpr std::uint16_t kEthertypeVlan = 0x8100;  ///< IEEE 802.1Q customer tag
inline constexpr std::uint16_t kEthertypeIpv6 = 0x86dd;
inline constexpr std::uint16_t kEthertypeServiceVlan = 0x88a8;  ///< IEEE 802.1ad service tag
/// Smaller values of the field are the length of an IEEE 802.3 frame.
inline constexpr std::uint16_t kMinEthertype = 0x0600;

constexpr bool is_vlan_ethertype(std::uint16_t ethertype) {
  return ethertype == kEthertypeVlan || ethertype == kEthertypeServiceVlan;
}

}  // namespace vtep
