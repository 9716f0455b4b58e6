#include "engine/ecn.h"

#include "wire/checksum.h"
#include "wire/ipv4.h"
#include "wire/ipv6.h"

namespace vtep {
namespace {

constexpr std::uint8_t kNotEct = 0;
constexpr std::uint8_t kEct1 = 1;
constexpr std::uint8_t kCe = 3;

/// Precondition: layers.ip is kV4.
void set_ipv4_ecn(std::uint8_t* header, std::uint8_t ecn) {
  const std::uint16_t before = load_be16(header + Ipv4Header::kVersionAndLength);
  const auto after = static_cast<std::uint16_t>((before & ~unsigned{kEcnMask}) | ecn);
  store_be16(header + Ipv4Header::kVersionAndLength, after);
  // Incrementally (RFC 1624), so that a header that arrived damaged stays recognisable as that.
  const std::uint16_t checksum = load_be16(header + Ipv4Header::kChecksum);
  store_be16(header + Ipv4Header::kChecksum, checksum_update(checksum, before, after));
}

/// Precondition: layers.ip is kV6.
void set_ipv6_ecn(std::uint8_t* header, std::uint8_t ecn) {
  constexpr unsigned kShift = 20;  // of the traffic class in the first word
  const std::uint32_t word = load_be32(header + Ipv6Header::kVersionClassLabel);
  store_be32(header + Ipv6Header::kVersionClassLabel,
             (word & ~(std::uint32_t{kEcnMask} << kShift)) | std::uint32_t{ecn} << kShift);
}

}  // namespace

std::uint8_t inner_traffic_class(ByteView frame, const Layers& layers) {
  const std::uint8_t* const header = frame.data() + layers.l3;
  switch (layers.ip) {
    case Layers::Ip::kV4:
      return header[Ipv4Header::kTrafficClass];
    case Layers::Ip::kV6:
      return static_cast<std::uint8_t>(load_be16(header + Ipv6Header::kVersionClassLabel) >> 4);
    case Layers::Ip::kNone:
      break;
  }
  return 0;
}

EcnResult decapsulate_ecn(Packet& frame, const Layers& layers, std::uint8_t outer_tos) {
  if (layers.ip == Layers::Ip::kNone) return EcnResult::kKeep;
  const std::uint8_t inner = inner_traffic_class(frame.view(), layers) & kEcnMask;
  const std::uint8_t outer = outer_tos & kEcnMask;
  if (inner == kNotEct) return outer == kCe ? EcnResult::kLost : EcnResult::kKeep;
  // Severity grows ECT(0), ECT(1), CE, and the more severe of the two marks counts (RFC 6040 section 4.2).
  const bool takes_outer = outer == kCe || (outer == kEct1 && inner != kCe);
  if (!takes_outer || outer == inner) return EcnResult::kKeep;
  std::uint8_t* const header = frame.data() + layers.l3;
  if (layers.ip == Layers::Ip::kV4) {
    set_ipv4_ecn(header, outer);
  } else {
    set_ipv6_ecn(header, outer);
  }
  return EcnResult::kKeep;
}

}  // namespace vtep
