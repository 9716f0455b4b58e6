#include "wire/any_bytes.h"

#include <algorithm>
#include <string>
#include <vector>

#include "wire/any_bytes_parts.h"
#include "wire/arp.h"
#include "wire/checksum.h"
#include "wire/ethernet.h"
#include "wire/icmpv4.h"
#include "wire/icmpv6.h"
#include "wire/ip_protocol.h"
#include "wire/ipv4.h"
#include "wire/ipv6.h"
#include "wire/layers.h"
#include "wire/nd.h"
#include "wire/options.h"
#include "wire/print.h"
#include "wire/tcp.h"
#include "wire/udp.h"
#include "wire/vlan.h"
#include "wire/vxlan.h"

namespace vtep {
namespace {

/// A dirty header in front of a payload that is there already.
std::vector<std::uint8_t> dirty_in_front_of(std::size_t header_size, ByteView payload) {
  auto buffer = dirty(header_size + payload.size());
  std::copy(payload.begin(), payload.end(), buffer.begin() + static_cast<std::ptrdiff_t>(header_size));
  return buffer;
}

bool is_inside(ByteView part, ByteView whole) {
  return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

bool same_bytes(ByteView a, ByteView b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

void check_options(ByteView options) {
  OptionCursor cursor(options);
  std::size_t walked = 0;
  while (const auto option = cursor.next()) {
    const bool is_single = option->kind == Option::kEnd || option->kind == Option::kNop;
    walked += is_single ? 1 : 2 + option->data.size();
    require(option->data.empty() || is_inside(option->data, options), "an option lies inside the options");
  }
  require(walked <= options.size(), "options are walked once");
}

constexpr Ipv6 kSource({0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
constexpr Ipv6 kDestination({0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});

template <typename Message>
void check_nd_message(const Icmpv6View& view) {
  const auto message = Message::parse(view);
  if (!message) return;
  auto out = dirty(message->size());
  const std::uint64_t sum =
      pseudo_header_sum(kSource, kDestination, kProtocolIcmpv6, static_cast<std::uint32_t>(out.size()));
  message->emit(out, sum);
  const auto again = Icmpv6View::parse(out);
  require(again.has_value() && again->is_checksum_right(sum), "an emitted message has a right checksum");
  require(Message::parse(*again) == message, "a message survives emit and parse");
}

std::uint64_t naive_sum(ByteView bytes) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) sum += i % 2 == 0 ? bytes[i] * 256U : bytes[i];
  return sum;
}

}  // namespace

void check_ethernet(ByteView frame) {
  const auto view = EthernetView::parse(frame);
  require(view.has_value() == (frame.size() >= EthernetHeader::kSize), "14 bytes are an Ethernet header");
  if (!view) return;
  auto out = dirty(EthernetHeader::kSize);
  view->header().emit(out);
  require(same_bytes(out, frame.first(EthernetHeader::kSize)), "an Ethernet header is emitted as it was");

  std::uint16_t ethertype = view->ethertype();
  ByteView payload = view->payload();
  while (is_vlan_ethertype(ethertype)) {
    const auto tag = VlanView::parse(payload);
    if (!tag) return;
    if (const auto header = tag->header()) {
      auto tag_out = dirty(VlanHeader::kSize);
      header->emit(tag_out);
      require(same_bytes(tag_out, payload.first(VlanHeader::kSize)), "a VLAN tag is emitted as it was");
    } else {
      require(tag->id() > VlanId::kMax, "only the reserved identifier is refused");
    }
    ethertype = tag->ethertype();
    payload = tag->payload();
    require(is_inside(payload, frame), "a tag's payload lies inside the frame");
  }
}

void check_arp(ByteView packet) {
  const auto view = ArpView::parse(packet);
  if (!view) return;
  const auto message = view->message();
  require(message.has_value() == (view->operation() == 1 || view->operation() == 2),
          "requests and replies are known");
  if (!message) return;
  auto out = dirty(ArpMessage::kSize);
  message->emit(out);
  require(same_bytes(out, packet.first(ArpMessage::kSize)), "an ARP message is emitted as it was");
}

void check_ipv4(ByteView datagram) {
  const auto view = Ipv4View::parse(datagram);
  if (!view) return;
  require(is_inside(view->payload(), datagram), "the payload lies inside the datagram");
  require(view->header_length() + view->payload().size() <= view->total_length(),
          "nothing behind the total length");
  require(view->is_truncated() == (datagram.size() < view->total_length()),
          "truncated means fewer bytes than stated");
  check_options(view->options());
  (void)view->is_checksum_right();
  const auto header = view->header();
  if (!header) return;
  auto out = dirty_in_front_of(Ipv4Header::kSize, view->payload());
  header->emit(out);
  const auto again = Ipv4View::parse(out);
  require(again.has_value() && again->is_checksum_right(), "an emitted header has a right checksum");
  require(again->header() == header && !again->is_truncated(), "an IPv4 header survives emit and parse");
  require(same_bytes(again->payload(), view->payload()), "emission leaves the payload alone");
}

void check_ipv6(ByteView datagram) {
  const auto view = Ipv6View::parse(datagram);
  if (!view) return;
  require(is_inside(view->payload(), datagram), "the payload lies inside the datagram");
  require(view->payload().size() <= view->payload_length(), "nothing behind the payload length");
  ExtensionHeaderCursor cursor(view->next_header(), view->payload());
  int walked = 0;
  while (const auto header = cursor.next()) {
    ++walked;
    require(header->bytes.size() >= 8 && is_inside(header->bytes, view->payload()),
            "headers lie inside the payload");
  }
  require(walked <= kMaxExtensionHeaders, "the walk is bounded");
  require(cursor.upper() == view->upper(), "walking by hand comes to the same end");
  require(!view->upper().offset || *view->upper().offset <= view->payload().size(),
          "the upper layer lies inside");
  auto out = dirty_in_front_of(Ipv6Header::kSize, view->payload());
  view->header().emit(out);
  const auto again = Ipv6View::parse(out);
  require(again.has_value() && again->header() == view->header() && !again->is_truncated(),
          "an IPv6 header survives emit and parse");
  require(again->upper() == view->upper(), "emission leaves the payload alone");
}

void check_icmpv4(ByteView message) {
  const auto view = Icmpv4View::parse(message);
  if (!view) return;
  (void)view->is_checksum_right();
  auto out = dirty_in_front_of(Icmpv4Header::kSize, view->payload());
  view->header().emit(out);
  const auto again = Icmpv4View::parse(out);
  require(again.has_value() && again->is_checksum_right(), "an emitted message has a right checksum");
  require(again->header() == view->header(), "an ICMP header survives emit and parse");
}

void check_icmpv6(ByteView datagram) {
  const auto packet = Ipv6View::parse(datagram);
  if (!packet) return;
  const Ipv6Upper upper = packet->upper();
  if (!upper.offset) return;
  // Whatever the protocol: the fuzzer need not find the number first.
  const auto view = Icmpv6View::parse(packet->payload().subspan(*upper.offset));
  if (!view) return;
  const bool is_valid = is_valid_nd(*packet, *view);
  require(!is_valid || packet->hop_limit() == 255, "neighbour discovery never crosses a router");
  check_nd_message<RouterSolicitation>(*view);
  check_nd_message<RouterAdvertisement>(*view);
  check_nd_message<NeighborSolicitation>(*view);
  check_nd_message<NeighborAdvertisement>(*view);
  auto out = dirty_in_front_of(Icmpv6Header::kSize, view->body());
  const std::uint64_t sum = pseudo_header_sum(packet->source(), packet->destination(), kProtocolIcmpv6,
                                              static_cast<std::uint32_t>(out.size()));
  view->header().emit(out, sum);
  const auto again = Icmpv6View::parse(out);
  require(again.has_value() && again->is_checksum_right(sum), "an emitted message has a right checksum");
  require(again->header() == view->header(), "an ICMPv6 header survives emit and parse");
}

void check_tcp(ByteView segment) {
  const auto view = TcpView::parse(segment);
  if (!view) return;
  require(is_inside(view->payload(), segment), "the payload lies inside the segment");
  check_options(view->options());
  auto out = dirty_in_front_of(view->header_length(), view->payload());
  const std::uint64_t sum = pseudo_header_sum(Ipv4(192, 0, 2, 1), Ipv4(192, 0, 2, 2), kProtocolTcp,
                                              static_cast<std::uint32_t>(out.size()));
  view->header().emit(out, view->options(), sum);
  const auto again = TcpView::parse(out);
  require(again.has_value() && again->is_checksum_right(sum), "an emitted segment has a right checksum");
  require(again->header() == view->header(), "a TCP header survives emit and parse");
  require(same_bytes(again->options(), view->options()), "TCP options survive emit and parse");
  require(same_bytes(again->payload(), view->payload()), "emission leaves the payload alone");
}

void check_udp(ByteView datagram) {
  const auto view = UdpView::parse(datagram);
  if (!view) return;
  require(is_inside(view->payload(), datagram), "the payload lies inside the datagram");
  require(UdpHeader::kSize + view->payload().size() <= view->length(), "nothing behind the length");
  auto out = dirty_in_front_of(UdpHeader::kSize, view->payload());
  const std::uint64_t sum = pseudo_header_sum(Ipv4(192, 0, 2, 1), Ipv4(192, 0, 2, 2), kProtocolUdp,
                                              static_cast<std::uint32_t>(out.size()));
  view->header().emit(out, sum);
  const auto again = UdpView::parse(out);
  require(again.has_value() && again->checksum() != 0 && again->is_checksum_right(sum),
          "an emitted datagram has a checksum, and a right one");
  require(again->header() == view->header() && !again->is_truncated(),
          "a UDP header survives emit and parse");
  require(same_bytes(again->payload(), view->payload()), "emission leaves the payload alone");
}

void check_vxlan(ByteView payload) {
  const auto view = VxlanView::parse(payload);
  require(view.has_value() == (payload.size() >= VxlanHeader::kSize), "8 bytes are a VXLAN header");
  if (!view) return;
  auto out = dirty(VxlanHeader::kSize);
  VxlanHeader{view->vni()}.emit(out);
  const auto again = VxlanView::parse(out);
  require(again.has_value() && again->vni() == view->vni() && again->has_vni(),
          "a VNI survives emit and parse");
  require(again->flags() == VxlanHeader::kFlagI && again->reserved1() == 0 && again->reserved2() == 0,
          "reserved fields are sent as zero");
  require(view->has_vni() == ((payload[0] & 8) != 0), "the I flag is the fifth bit");
  require(view->payload().size() == payload.size() - VxlanHeader::kSize,
          "the inner frame is all that follows");
}

void check_print(ByteView frame) {
  const std::string text = print_frame(frame);
  require(!text.empty(), "something is printed");
  require(std::all_of(text.begin(), text.end(), [](char c) { return c == '\n' || (c >= ' ' && c <= '~'); }),
          "only printable characters");
}

void check_classify(ByteView frame) {
  const Layers layers = classify(frame);
  require(layers.end <= frame.size(), "the end lies inside the frame");
  require(layers.l3 <= frame.size(), "layer 3 begins inside the frame");
  require(layers.vlan_tags <= kMaxVlanTags, "tags are bounded");
  if (layers.ip == Layers::Ip::kNone) {
    require(layers.l4 == 0 && layers.end == frame.size() && !layers.fragment,
            "nothing is said about what is not IP");
    return;
  }
  const ByteView datagram = frame.first(layers.end).subspan(layers.l3);
  const bool is_v4 = layers.ip == Layers::Ip::kV4;
  require(is_v4 ? Ipv4View::parse(datagram).has_value() : Ipv6View::parse(datagram).has_value(),
          "IP means an IP header");
  if (layers.l4 == 0) return;
  require(layers.l4 > layers.l3 && layers.l4 < layers.end, "layer 4 begins behind layer 3");
  const ByteView segment = frame.first(layers.end).subspan(layers.l4);
  switch (layers.protocol) {
    case kProtocolTcp:
      require(TcpView::parse(segment).has_value(), "a TCP header can be read");
      break;
    case kProtocolUdp:
      require(segment.size() >= UdpHeader::kSize, "a UDP header can be read");
      break;
    case kProtocolIcmp:
      require(is_v4 && Icmpv4View::parse(segment).has_value(), "an ICMP header can be read");
      break;
    case kProtocolIcmpv6:
      require(!is_v4 && Icmpv6View::parse(segment).has_value(), "an ICMPv6 header can be read");
      break;
    default:
      require(false, "layer 4 is of a protocol that is known");
  }
}

void check_checksum(ByteView bytes) {
  const std::uint64_t naive = naive_sum(bytes);
  const std::uint16_t folded = checksum_fold(naive);
  require(checksum_fold(checksum_partial(bytes)) == folded, "the fast sum is the naive sum");
  require(internet_checksum(bytes) == static_cast<std::uint16_t>(~folded), "the checksum is its complement");
  if (bytes.size() < 4) return;

  // A part of even length in front, wherever that puts the rest in memory.
  const std::size_t cut = (bytes[0] * 256U + bytes[1]) % bytes.size() / 2 * 2;
  const std::uint64_t parts = checksum_partial(bytes.subspan(cut), checksum_partial(bytes.first(cut)));
  require(checksum_fold(parts) == folded, "parts add up");

  // RFC 1624: one word changes.
  std::vector<std::uint8_t> changed(bytes.begin(), bytes.end());
  const std::size_t at = cut + 2 <= changed.size() ? cut : 0;
  const std::uint16_t before = load_be16(changed.data() + at);
  const auto after = static_cast<std::uint16_t>(before + bytes[2] * 257U + bytes[3]);
  store_be16(changed.data() + at, after);
  const std::uint16_t updated = checksum_update(static_cast<std::uint16_t>(~folded), before, after);
  const auto full = static_cast<std::uint16_t>(~checksum_fold(naive_sum(changed)));
  const bool is_all_zero = naive_sum(changed) == 0;  // the one sum with two forms of zero
  require(updated == full || (is_all_zero && updated == 0), "an incremental update comes to the full sum");
}

}  // namespace vtep
