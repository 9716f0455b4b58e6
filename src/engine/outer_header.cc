#include "engine/outer_header.h"

#include "engine/ecn.h"
#include "wire/ipv4.h"
#include "wire/ipv6.h"

namespace vtep {
namespace {

/// A group does not leave the subnet unless somebody says so (RFC 1112 section 6.1).
constexpr std::uint8_t kGroupTtl = 1;
/// RFC 1700's default, and that of Linux.
constexpr std::uint8_t kDefaultTtl = 64;

/// 0 if the frame is not IP.
std::uint8_t inner_ttl(ByteView frame, const Layers& layers) {
  const std::uint8_t* const header = frame.data() + layers.l3;
  if (layers.ip == Layers::Ip::kV4) return header[Ipv4Header::kTtl];
  if (layers.ip == Layers::Ip::kV6) return header[Ipv6Header::kHopLimit];
  return 0;
}

std::uint8_t outer_ttl(const OuterPolicy& policy, ByteView frame, const Layers& layers, bool multicast) {
  if (!policy.ttl_inherit) return policy.ttl == 0 && multicast ? kGroupTtl : policy.ttl;
  const std::uint8_t inherited = inner_ttl(frame, layers);
  // Who says `inherit` has routers in mind: ARP has to get as far as the packets that follow it. Route's 0
  // would be a TTL of 1 for a group, where Linux takes the system's default.
  return inherited == 0 && multicast ? kDefaultTtl : inherited;
}

/// IPv6 is never fragmented on its way, which is what DF says.
bool inner_dont_fragment(ByteView frame, const Layers& layers) {
  if (layers.ip == Layers::Ip::kV6) return true;
  if (layers.ip != Layers::Ip::kV4) return false;
  const std::uint8_t* const field = frame.data() + layers.l3 + Ipv4Header::kFragment;
  return (load_be16(field) & Ipv4Header::kDontFragment) != 0;
}

bool outer_dont_fragment(DontFragment policy, ByteView frame, const Layers& layers) {
  switch (policy) {
    case DontFragment::kUnset:
      return false;
    case DontFragment::kSet:
      return true;
    case DontFragment::kInherit:
      break;
  }
  return inner_dont_fragment(frame, layers);
}

std::uint32_t outer_flow_label(const OuterPolicy& policy, ByteView frame, const Layers& layers) {
  if (!policy.flow_label_inherit) return policy.flow_label;
  if (layers.ip != Layers::Ip::kV6) return 0;
  return load_be32(frame.data() + layers.l3 + Ipv6Header::kVersionClassLabel) & FlowLabel::kMax;
}

}  // namespace

void fill_outer(const OuterPolicy& policy, ByteView frame, const Layers& layers, bool remote_is_v4,
                bool remote_is_multicast, Route& route) {
  const std::uint8_t inner_tos = inner_traffic_class(frame, layers);
  const unsigned dscp = (policy.tos_inherit ? inner_tos : policy.tos) & ~unsigned{kEcnMask};
  route.tos = static_cast<std::uint8_t>(dscp | encapsulated_ecn(inner_tos));
  route.ttl = outer_ttl(policy, frame, layers, remote_is_multicast);
  // What the remote's family does not have stays at its default, so that equal routes compare equal.
  route.dont_fragment = remote_is_v4 && outer_dont_fragment(policy.dont_fragment, frame, layers);
  route.flow_label = remote_is_v4 ? 0 : outer_flow_label(policy, frame, layers);
  route.checksum = remote_is_v4 ? policy.checksum4 : policy.checksum6;
}

}  // namespace vtep
