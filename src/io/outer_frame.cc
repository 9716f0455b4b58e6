#include "io/outer_frame.h"

#include <cassert>
#include <cstddef>

#include "base/mac.h"

namespace vtep {
namespace {

constexpr std::size_t kEthernetHeader = 14;
constexpr std::size_t kIpv4Header = 20;
constexpr std::size_t kIpv6Header = 40;
constexpr std::size_t kUdpHeader = 8;
constexpr std::uint8_t kUdp = 17;

MacAddr mac_of(const IpAddr& address) {
  const std::uint64_t low = load_be32(address.octets().data() + 12);
  if (!address.is_multicast()) return MacAddr::from_u64(0x020000000000 | low);
  return MacAddr::from_u64(address.is_v4() ? 0x01005e000000 | (low & 0x7fffff) : 0x333300000000 | low);
}

/// RFC 791: the one's complement sum of the header's words.
std::uint16_t ipv4_checksum(const std::uint8_t* header) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < kIpv4Header; i += 2) sum += load_be16(header + i);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

void store_ipv4(const OuterAddresses& addresses, std::size_t udp_length, std::uint8_t* p) {
  p[0] = 0x45;
  p[1] = addresses.tos;
  store_be16(p + 2, static_cast<std::uint16_t>(kIpv4Header + udp_length));
  if (addresses.dont_fragment) p[6] = 0x40;
  p[8] = addresses.ttl;
  p[9] = kUdp;
  if (addresses.source.is_v4()) addresses.source.v4().store(p + 12);
  addresses.destination.v4().store(p + 16);
  store_be16(p + 10, ipv4_checksum(p));
}

void store_ipv6(const OuterAddresses& addresses, std::size_t udp_length, std::uint8_t* p) {
  store_be32(p, 6U << 28 | std::uint32_t{addresses.tos} << 20 | (addresses.flow_label & 0xfffff));
  store_be16(p + 4, static_cast<std::uint16_t>(udp_length));
  p[6] = kUdp;
  p[7] = addresses.ttl;
  addresses.source.v6().store(p + 8);
  addresses.destination.v6().store(p + 24);
}

}  // namespace

std::vector<std::uint8_t> make_outer_frame(const OuterAddresses& addresses,
                                           std::span<const ByteView> payload) {
  const bool v4 = addresses.destination.is_v4();
  assert(addresses.source.is_unspecified() || addresses.source.is_v4() == v4);
  const std::size_t ip_header = v4 ? kIpv4Header : kIpv6Header;
  std::size_t udp_length = kUdpHeader;
  for (const ByteView part : payload) udp_length += part.size();
  assert(ip_header + udp_length <= 0xffff);

  std::vector<std::uint8_t> frame(kEthernetHeader + ip_header + kUdpHeader);
  mac_of(addresses.destination).store(frame.data());
  mac_of(addresses.source).store(frame.data() + MacAddr::kSize);
  store_be16(frame.data() + 12, v4 ? 0x0800 : 0x86dd);
  if (v4) {
    store_ipv4(addresses, udp_length, frame.data() + kEthernetHeader);
  } else {
    store_ipv6(addresses, udp_length, frame.data() + kEthernetHeader);
  }
  std::uint8_t* const udp = frame.data() + kEthernetHeader + ip_header;
  store_be16(udp, addresses.source_port.value());
  store_be16(udp + 2, addresses.destination_port.value());
  store_be16(udp + 4, static_cast<std::uint16_t>(udp_length));
  for (const ByteView part : payload) frame.insert(frame.end(), part.begin(), part.end());
  return frame;
}

}  // namespace vtep
