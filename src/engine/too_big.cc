#include "engine/too_big.h"

#include <algorithm>
#include <cassert>

#include "wire/checksum.h"
#include "wire/icmpv4.h"
#include "wire/icmpv6.h"
#include "wire/ip_protocol.h"
#include "wire/ipv4.h"
#include "wire/ipv6.h"

namespace vtep {
namespace {

constexpr std::uint32_t kMinIpv4Mtu = 68;    // RFC 791 section 3.2
constexpr std::uint32_t kMinIpv6Mtu = 1280;  // RFC 8200 section 5
constexpr std::size_t kMaxIpv4Answer = 576;  // RFC 1812 section 4.3.2.3
constexpr std::size_t kMaxIpv6Answer = 1280;
/// Precedence "internetwork control" (RFC 1812 section 4.3.2.5), the DSCP CS6.
constexpr std::uint8_t kControlTos = 0xc0;
constexpr std::size_t kMtuSize = 4;  // of the MTU field of ICMPv6's message

/// Neither "this network", loopback, multicast, class E nor the limited broadcast (RFC 1122 section 3.2.1.3).
bool names_one_host(Ipv4 address) {
  const std::uint32_t network = address.value() >> 24;
  return network != 0 && network != 127 && network < 224;
}

bool names_one_host(const Ipv6& address) {
  constexpr Ipv6 kLoopback({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
  return !address.is_unspecified() && !address.is_multicast() && address != kLoopback;
}

bool is_icmpv4_error(std::uint8_t type) {
  constexpr std::uint8_t kSourceQuench = 4;
  constexpr std::uint8_t kParameterProblem = 12;
  return type == icmpv4_type::kUnreachable || type == kSourceQuench || type == icmpv4_type::kRedirect ||
         type == icmpv4_type::kTimeExceeded || type == kParameterProblem;
}

bool is_icmpv6_error(std::uint8_t type) {
  constexpr std::uint8_t kFirstInformational = 128;  // RFC 4443 section 2.1
  constexpr std::uint8_t kRedirect = 137;            // informational by number, but section 2.4 (e.2)
  return type < kFirstInformational || type == kRedirect;
}

bool may_answer(const Ipv4View& ip, ByteView frame, const Layers& layers) {
  if (!ip.dont_fragment() || ip.fragment_offset() != 0) return false;
  if (ip.is_truncated() || !ip.is_checksum_right()) return false;
  if (!names_one_host(ip.source()) || !names_one_host(ip.destination())) return false;
  if (ip.protocol() != kProtocolIcmp) return true;
  return layers.l4 != 0 && !is_icmpv4_error(frame[layers.l4 + Icmpv4Header::kType]);
}

bool may_answer(const Ipv6View& ip, ByteView frame, const Layers& layers) {
  if (ip.is_truncated()) return false;
  if (!names_one_host(ip.source()) || !names_one_host(ip.destination())) return false;
  // No offset: a later fragment, or a chain of headers that cannot be followed to its end.
  if (!ip.upper().offset) return false;
  if (layers.protocol != kProtocolIcmpv6) return true;
  return layers.l4 != 0 && !is_icmpv6_error(frame[layers.l4 + Icmpv6Header::kType]);
}

/// The frame's Ethernet header and tags with the addresses swapped, and room for `size` bytes of IP behind
/// them, which are returned.
ByteSpan start_reply(ByteView frame, const Layers& layers, std::size_t size, Packet& reply) {
  assert(reply.room() >= kMaxTooBigAnswer);
  reply.set_size(layers.l3 + size);
  reply.offload = {};
  const auto ethernet = EthernetView::parse(frame);
  std::copy_n(frame.begin(), layers.l3, reply.data());
  ethernet->source().store(reply.data() + EthernetHeader::kDestination);
  ethernet->destination().store(reply.data() + EthernetHeader::kSource);
  return {reply.data() + layers.l3, size};
}

bool answer_ipv4(ByteView frame, const Layers& layers, std::uint32_t inner_mtu, Packet& reply) {
  constexpr std::size_t kHeaders = Ipv4Header::kSize + Icmpv4Header::kSize;
  const auto ip = Ipv4View::parse(frame.subspan(layers.l3));
  if (!ip || inner_mtu < kMinIpv4Mtu || !may_answer(*ip, frame, layers)) return false;

  const ByteView packet = frame.subspan(layers.l3, layers.end - layers.l3);
  const ByteView quote = packet.first(std::min(packet.size(), kMaxIpv4Answer - kHeaders));
  const ByteSpan answer = start_reply(frame, layers, kHeaders + quote.size(), reply);
  std::copy(quote.begin(), quote.end(), answer.begin() + kHeaders);
  Icmpv4Header{icmpv4_type::kUnreachable, Icmpv4Header::kFragmentationNeeded, inner_mtu}.emit(
      answer.subspan(Ipv4Header::kSize));
  Ipv4Header header;
  header.source = ip->destination();
  header.destination = ip->source();
  header.protocol = kProtocolIcmp;
  header.traffic_class = kControlTos;
  header.dont_fragment = true;  // so that the identification may be 0 (RFC 6864 section 4.1)
  header.emit(answer);
  return true;
}

bool answer_ipv6(ByteView frame, const Layers& layers, std::uint32_t inner_mtu, Packet& reply) {
  constexpr std::size_t kHeaders = Ipv6Header::kSize + Icmpv6Header::kSize + kMtuSize;
  const auto ip = Ipv6View::parse(frame.subspan(layers.l3));
  if (!ip || inner_mtu < kMinIpv6Mtu || !may_answer(*ip, frame, layers)) return false;

  const ByteView packet = frame.subspan(layers.l3, layers.end - layers.l3);
  const ByteView quote = packet.first(std::min(packet.size(), kMaxIpv6Answer - kHeaders));
  const ByteSpan answer = start_reply(frame, layers, kHeaders + quote.size(), reply);
  std::copy(quote.begin(), quote.end(), answer.begin() + kHeaders);
  Ipv6Header header;
  header.source = ip->destination();
  header.destination = ip->source();
  header.next_header = kProtocolIcmpv6;
  header.emit(answer);
  const ByteSpan message = answer.subspan(Ipv6Header::kSize);
  store_be32(message.data() + Icmpv6Header::kSize, inner_mtu);
  Icmpv6Header{icmpv6_type::kPacketTooBig, 0}.emit(
      message, pseudo_header_sum(header.source, header.destination, kProtocolIcmpv6,
                                 static_cast<std::uint32_t>(message.size())));
  return true;
}

}  // namespace

bool answer_too_big(ByteView frame, const Layers& layers, std::uint32_t inner_mtu, Packet& reply) {
  if (layers.ip == Layers::Ip::kNone || layers.end - layers.l3 <= inner_mtu) return false;
  const auto ethernet = EthernetView::parse(frame);
  if (!ethernet || !ethernet->source().is_unicast() || !ethernet->destination().is_unicast()) return false;
  return layers.ip == Layers::Ip::kV4 ? answer_ipv4(frame, layers, inner_mtu, reply)
                                      : answer_ipv6(frame, layers, inner_mtu, reply);
}

}  // namespace vtep
