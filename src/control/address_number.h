// Addresses as numbers, for counting through subnets.
#pragma once

#include "base/ip.h"
#include "base/prefix.h"

namespace vtep {

__extension__ using AddressNumber = unsigned __int128;

inline unsigned address_bits(const IpAddr& address) {
  return address.is_v4() ? 32 : 128;
}

inline AddressNumber to_number(const IpAddr& address) {
  if (address.is_v4()) return address.v4().value();
  const std::uint8_t* const bytes = address.octets().data();
  return AddressNumber{load_be64(bytes)} << 64 | load_be64(bytes + 8);
}

/// Of the family that `like` has; what does not fit is cut off.
inline IpAddr to_address(AddressNumber number, const IpAddr& like) {
  if (like.is_v4()) return Ipv4(static_cast<std::uint32_t>(number));
  Ipv6::Octets octets;
  store_be64(octets.data(), static_cast<std::uint64_t>(number >> 64));
  store_be64(octets.data() + 8, static_cast<std::uint64_t>(number));
  return Ipv6(octets);
}

/// Addresses in a subnet. Precondition: `length` is not 0.
inline AddressNumber subnet_size(const IpAddr& like, unsigned length) {
  return AddressNumber{1} << (address_bits(like) - length);
}

}  // namespace vtep
