#include "engine/inner_checksum.h"

#include <utility>

#include "wire/checksum.h"
#include "wire/ethernet.h"
#include "wire/ip_protocol.h"
#include "wire/ipv4.h"
#include "wire/ipv6.h"
#include "wire/tcp.h"
#include "wire/udp.h"
#include "wire/vlan.h"
#include "wire/vxlan.h"

namespace vtep {
namespace {

/// Partial sum of the pseudo-header of the frame's TCP or UDP. Precondition: layers.l4 != 0.
std::uint64_t pseudo_sum(const Packet& frame, const Layers& layers) {
  const std::uint8_t* const l3 = frame.data() + layers.l3;
  const std::uint32_t length = layers.end - layers.l4;
  if (layers.ip == Layers::Ip::kV4) {
    return pseudo_header_sum(Ipv4::load(l3 + Ipv4Header::kSource), Ipv4::load(l3 + Ipv4Header::kDestination),
                             layers.protocol, length);
  }
  return pseudo_header_sum(Ipv6::load(l3 + Ipv6Header::kSource), Ipv6::load(l3 + Ipv6Header::kDestination),
                           layers.protocol, length);
}

/// From the first byte of TCP or UDP to the end of the datagram, without Ethernet padding.
ByteView transport(const Packet& frame, const Layers& layers) {
  return frame.view().subspan(layers.l4, layers.end - layers.l4);
}

/// UDP's own length is that of the datagram; otherwise its checksum covers less than transport().
bool fills_datagram(const Packet& frame, const Layers& layers) {
  return load_be16(frame.data() + layers.l4 + UdpHeader::kLength) == layers.end - layers.l4;
}

/// The interface shall cut the frame, whose headers of `header_length` bytes come before what is cut.
std::optional<Drop> restore_segmentation(Packet& frame, const Layers& layers, const Offload& request) {
  const std::uint64_t pseudo = pseudo_sum(frame, layers);
  std::uint8_t* const field = frame.data() + request.checksum_start + request.checksum_offset;
  if (load_be16(field) != checksum_fold(pseudo)) {
    if (checksum_fold(checksum_partial(transport(frame, layers), pseudo)) != 0xffff)
      return Drop::kInnerChecksum;
    store_be16(field, checksum_fold(pseudo));  // what whoever cuts the frame starts from
  }
  frame.offload = request;
  return std::nullopt;
}

/// Into segments that fit the interface's MTU: nobody said how large they were.
std::optional<Drop> restore_tcp(Packet& frame, const Layers& layers, std::uint32_t mtu) {
  // Padding behind the datagram would be cut into segments with the rest.
  if (layers.end != frame.size()) return Drop::kInnerTooBig;
  const auto tcp = TcpView::parse(transport(frame, layers));
  if (!tcp) return Drop::kInnerTooBig;
  const std::size_t header_length = layers.l4 + tcp->header_length();
  const std::size_t ip_and_tcp = header_length - layers.l3;
  if (ip_and_tcp >= mtu) return Drop::kInnerTooBig;
  return restore_segmentation(
      frame, layers,
      {.needs_checksum = true,
       .segmentation = layers.ip == Layers::Ip::kV4 ? Segmentation::kTcp4 : Segmentation::kTcp6,
       .segment_size = static_cast<std::uint16_t>(mtu - ip_and_tcp),
       .header_length = static_cast<std::uint16_t>(header_length),
       .checksum_start = layers.l4,
       .checksum_offset = TcpHeader::kChecksum});
}

/// Into datagrams of `size` bytes, as the kernel said with it.
std::optional<Drop> restore_udp(Packet& frame, const Layers& layers, std::uint32_t mtu, std::uint16_t size) {
  const std::size_t header_length = layers.l4 + UdpHeader::kSize;
  if (layers.end != frame.size() || !fills_datagram(frame, layers) ||
      header_length - layers.l3 + size > mtu) {
    return Drop::kInnerTooBig;
  }
  return restore_segmentation(frame, layers,
                              {.needs_checksum = true,
                               .segmentation = Segmentation::kUdp,
                               .segment_size = size,
                               .header_length = static_cast<std::uint16_t>(header_length),
                               .checksum_start = layers.l4,
                               .checksum_offset = UdpHeader::kChecksum});
}

}  // namespace

bool is_tunnelled_super_frame(ByteView message, std::size_t segment) {
  const auto vxlan = VxlanView::parse(message);
  if (!vxlan || segment == 0) return false;
  const ByteView frame = vxlan->payload();
  const Layers layers = classify(frame);
  const bool is_cut_off =
      layers.ip == Layers::Ip::kV4   ? Ipv4View::parse(frame.subspan(layers.l3))->is_truncated()
      : layers.ip == Layers::Ip::kV6 ? Ipv6View::parse(frame.subspan(layers.l3))->is_truncated()
                                     : true;
  return !is_cut_off && layers.protocol == kProtocolUdp && layers.l4 != 0 &&
         VxlanHeader::kSize + layers.end > segment && layers.end == frame.size();
}

bool finish_checksum(Packet& frame) {
  const Offload& offload = frame.offload;
  if (!offload.needs_checksum) return true;
  const std::size_t field = std::size_t{offload.checksum_start} + offload.checksum_offset;
  if (field + 2 > frame.size()) return false;
  // The field holds the pseudo-header sum already, so summing over it completes the checksum. Zero is written
  // as 0xffff: right for UDP (RFC 768), and for TCP the two are the same number.
  const std::uint64_t sum = checksum_partial(frame.view().subspan(offload.checksum_start));
  store_be16(frame.data() + field, checksum_finish_udp(sum));
  frame.offload = {};
  return true;
}

std::optional<Drop> restore_offload(Packet& frame, const Layers& layers, std::uint32_t mtu) {
  const Offload said = std::exchange(frame.offload, {});
  const std::size_t limit = EthernetHeader::kSize + layers.vlan_tags * VlanHeader::kSize + mtu;
  const bool is_tcp = layers.protocol == kProtocolTcp;
  const bool is_udp = layers.protocol == kProtocolUdp;
  const bool has_checksum = (is_tcp || is_udp) && layers.l4 != 0 && !layers.fragment;
  if (said.segmentation == Segmentation::kUdp && said.segment_size != 0 && is_udp && has_checksum) {
    return restore_udp(frame, layers, mtu, said.segment_size);
  }
  if (frame.size() > limit) {
    return is_tcp && has_checksum ? restore_tcp(frame, layers, mtu) : Drop::kInnerTooBig;
  }
  if (!has_checksum) return std::nullopt;
  const std::uint16_t offset = is_tcp ? TcpHeader::kChecksum : UdpHeader::kChecksum;
  const std::uint16_t field = load_be16(frame.data() + layers.l4 + offset);
  if (is_udp && (field == 0 || !fills_datagram(frame, layers))) return std::nullopt;
  const std::uint64_t pseudo = pseudo_sum(frame, layers);
  if (checksum_fold(checksum_partial(transport(frame, layers), pseudo)) == 0xffff) {
    frame.offload.checksum_valid = true;
    return std::nullopt;
  }
  if (field != checksum_fold(pseudo)) return std::nullopt;
  frame.offload.needs_checksum = true;
  frame.offload.checksum_start = layers.l4;
  frame.offload.checksum_offset = offset;
  return std::nullopt;
}

}  // namespace vtep
