#include "engine/flow_hash.h"

#include <algorithm>

#include "engine/mix.h"
#include "wire/ethernet.h"
#include "wire/ip_protocol.h"
#include "wire/ipv4.h"
#include "wire/ipv6.h"

namespace vtep {
namespace {

/// Mixes each end on its own and then adds: the sum does not know which end sent.
inline std::uint64_t both_ends(std::uint64_t a, std::uint64_t b, std::uint64_t common) {
  return mix64(mix64(a) + mix64(b) + common);
}

std::uint64_t ipv6_end(const std::uint8_t* address, std::uint64_t port) {
  return mix64(load_be64(address)) ^ load_be64(address + 8) ^ port << 48;
}

}  // namespace

std::uint64_t flow_hash(ByteView frame, const Layers& layers) {
  const std::uint8_t* const bytes = frame.data();
  std::uint64_t source_port = 0;
  std::uint64_t destination_port = 0;
  const bool has_ports = layers.protocol == kProtocolTcp || layers.protocol == kProtocolUdp;
  if (has_ports && layers.l4 != 0 && !layers.fragment) {
    source_port = load_be16(bytes + layers.l4);
    destination_port = load_be16(bytes + layers.l4 + 2);
  }
  // Of an IPv6 datagram with options in its fragmentable part, only the first fragment shows the protocol.
  const std::uint8_t protocol = layers.fragment ? std::uint8_t{0} : layers.protocol;
  const std::uint8_t* const l3 = bytes + layers.l3;
  switch (layers.ip) {
    case Layers::Ip::kV4:
      return both_ends(std::uint64_t{load_be32(l3 + Ipv4Header::kSource)} << 16 | source_port,
                       std::uint64_t{load_be32(l3 + Ipv4Header::kDestination)} << 16 | destination_port,
                       protocol);
    case Layers::Ip::kV6:
      return both_ends(ipv6_end(l3 + Ipv6Header::kSource, source_port),
                       ipv6_end(l3 + Ipv6Header::kDestination, destination_port), protocol);
    case Layers::Ip::kNone:
      break;
  }
  return both_ends(load_be48(bytes + EthernetHeader::kSource),
                   load_be48(bytes + EthernetHeader::kDestination), layers.ethertype);
}

Port source_port(std::uint64_t hash, const PortRange& range) {
  const std::uint32_t span = std::uint32_t{range.max.value()} - range.min.value() + 1U;
  const std::uint32_t buckets = std::min(span, kSourcePorts);
  // The upper half of the hash, scaled: no modulo bias and no division by a variable.
  const auto bucket = static_cast<std::uint32_t>((hash >> 32) * buckets >> 32);
  // The middle of the bucket: its neighbours on both sides can stand in for a port that is taken.
  const std::uint32_t width = span / buckets;
  return Port(static_cast<std::uint16_t>(range.min.value() + bucket * width + width / 2));
}

}  // namespace vtep
