#include "engine/segment.h"

#include <algorithm>
#include <cstring>

#include "wire/checksum.h"
#include "wire/ip_protocol.h"
#include "wire/ipv4.h"
#include "wire/ipv6.h"
#include "wire/tcp.h"
#include "wire/udp.h"

namespace vtep {
namespace {

/// Bytes in front of the payload, or 0 if the frame is not what the request says.
std::size_t header_length(const Packet& frame, const Layers& layers) {
  const Offload& offload = frame.offload;
  if (layers.l4 == 0 || layers.fragment) return 0;
  std::size_t transport = UdpHeader::kSize;
  std::size_t checksum = UdpHeader::kChecksum;
  if (offload.segmentation == Segmentation::kUdp) {
    if (layers.protocol != kProtocolUdp) return 0;
  } else {
    const auto ip = offload.segmentation == Segmentation::kTcp4 ? Layers::Ip::kV4 : Layers::Ip::kV6;
    if (layers.protocol != kProtocolTcp || layers.ip != ip) return 0;
    transport = std::size_t{frame.data()[layers.l4 + TcpHeader::kDataOffset]} / 16 * 4;
    checksum = TcpHeader::kChecksum;
  }
  const std::size_t length = layers.l4 + transport;
  if (offload.header_length != length || length >= layers.end) return 0;
  if (offload.checksum_start != layers.l4 || offload.checksum_offset != checksum) return 0;
  return length;
}

/// What the pseudo-headers of all segments have in common: everything but the length.
std::uint64_t addresses_sum(const Packet& frame, const Layers& layers, std::size_t checksum_field) {
  const std::uint8_t* const l3 = frame.data() + layers.l3;
  if (layers.ip == Layers::Ip::kV4) {
    return pseudo_header_sum(Ipv4::load(l3 + Ipv4Header::kSource), Ipv4::load(l3 + Ipv4Header::kDestination),
                             layers.protocol, 0);
  }
  if (layers.l4 == layers.l3 + Ipv6Header::kSize) {
    return pseudo_header_sum(Ipv6::load(l3 + Ipv6Header::kSource), Ipv6::load(l3 + Ipv6Header::kDestination),
                             layers.protocol, 0);
  }
  // A routing header may hold the address that counts (RFC 8200 section 8.1). The sender knew it: the field
  // holds its pseudo-header sum, from which the super-frame's own length is taken away.
  const auto length = static_cast<std::uint16_t>(layers.end - layers.l4);
  return std::uint64_t{load_be16(frame.data() + checksum_field)} + static_cast<std::uint16_t>(~length);
}

/// Writes the headers of one segment after the other. All sums are of what no segment changes.
class Cutter {
 public:
  Cutter(const Packet& frame, const Layers& layers, std::size_t header_length)
      : frame_(frame), layers_(layers), header_length_(header_length) {
    const std::uint8_t* const l3 = frame.data() + layers.l3;
    const std::uint8_t* const l4 = frame.data() + layers.l4;
    const ByteView transport = frame.view().subspan(layers.l4, header_length - layers.l4);
    const bool is_tcp = layers.protocol == kProtocolTcp;
    const std::size_t field = is_tcp ? TcpHeader::kChecksum : UdpHeader::kChecksum;
    if (layers.ip == Layers::Ip::kV4) {
      identification_ = load_be16(l3 + Ipv4Header::kIdentification);
      const std::size_t size = std::size_t{l3[Ipv4Header::kVersionAndLength] & 0xfU} * 4;
      ip_sum_ = sum_without(frame.view().subspan(layers.l3, size),
                            {Ipv4Header::kTotalLength, Ipv4Header::kIdentification, Ipv4Header::kChecksum});
    }
    if (is_tcp) {
      sequence_ = load_be32(l4 + TcpHeader::kSequence);
      flags_ = load_be16(l4 + TcpHeader::kDataOffset);
      sum_ = sum_without(transport,
                         {TcpHeader::kSequence, TcpHeader::kSequence + 2, TcpHeader::kDataOffset, field});
    } else {
      sum_ = sum_without(transport, {UdpHeader::kLength, field});
    }
    sum_ += addresses_sum(frame, layers, layers.l4 + field);
  }

  /// `index` and `offset` (in bytes of payload) say which one.
  void write(ByteSpan headers, ByteView payload, std::uint32_t index, std::uint32_t offset, bool is_last) {
    std::memcpy(headers.data(), frame_.data(), header_length_);
    std::uint8_t* const l3 = headers.data() + layers_.l3;
    std::uint8_t* const l4 = headers.data() + layers_.l4;
    const auto after_l3 = static_cast<std::uint16_t>(header_length_ - layers_.l3 + payload.size());
    if (layers_.ip == Layers::Ip::kV4) {
      const auto identification = static_cast<std::uint16_t>(identification_ + index);
      store_be16(l3 + Ipv4Header::kTotalLength, after_l3);
      store_be16(l3 + Ipv4Header::kIdentification, identification);
      store_be16(l3 + Ipv4Header::kChecksum, checksum_finish(ip_sum_ + after_l3 + identification));
    } else {
      store_be16(l3 + Ipv6Header::kPayloadLength, static_cast<std::uint16_t>(after_l3 - Ipv6Header::kSize));
    }
    const auto length = static_cast<std::uint16_t>(header_length_ - layers_.l4 + payload.size());
    const std::uint64_t sum = checksum_partial(payload, sum_ + length);  // of the pseudo-header
    if (layers_.protocol == kProtocolTcp) {
      write_tcp(l4, sum, index, offset, is_last);
    } else {
      store_be16(l4 + UdpHeader::kLength, length);
      store_be16(l4 + UdpHeader::kChecksum, checksum_finish_udp(sum + length));
    }
  }

 private:
  void write_tcp(std::uint8_t* l4, std::uint64_t sum, std::uint32_t index, std::uint32_t offset,
                 bool is_last) {
    const std::uint32_t sequence = sequence_ + offset;
    std::uint16_t flags = flags_;
    if (index != 0) flags &= static_cast<std::uint16_t>(~tcp_flag::kCwr);
    if (!is_last) flags &= static_cast<std::uint16_t>(~(tcp_flag::kFin | tcp_flag::kPsh));
    store_be32(l4 + TcpHeader::kSequence, sequence);
    store_be16(l4 + TcpHeader::kDataOffset, flags);
    store_be16(l4 + TcpHeader::kChecksum, checksum_finish(sum + sequence + flags));
  }

  /// Sum of `header` as if the words at these offsets were zero.
  static std::uint64_t sum_without(ByteView header, std::initializer_list<std::size_t> words) {
    std::uint64_t sum = checksum_partial(header);
    // Taking a word away is adding its complement (RFC 1624 section 3).
    for (const std::size_t at : words) sum += static_cast<std::uint16_t>(~load_be16(header.data() + at));
    return sum;
  }

  const Packet& frame_;
  const Layers& layers_;
  std::size_t header_length_;
  std::uint64_t ip_sum_ = 0;
  std::uint64_t sum_ = 0;  // TCP or UDP header, and the pseudo-header without its length
  std::uint32_t sequence_ = 0;
  std::uint16_t flags_ = 0;  // with the data offset in front
  std::uint16_t identification_ = 0;
};

}  // namespace

bool cut(const Packet& frame, const Layers& layers, HeaderArena& arena, std::vector<Segment>& out) {
  const std::size_t headers = header_length(frame, layers);
  const std::size_t size = frame.offload.segment_size;
  if (headers == 0 || headers > kMaxSegmentHeaders || size == 0) return false;
  const std::size_t count = (layers.end - headers + size - 1) / size;
  if (count > kMaxSegments) return false;

  Cutter cutter(frame, layers, headers);
  ByteView left = frame.view().first(layers.end).subspan(headers);
  std::uint32_t offset = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    const ByteView payload = left.first(std::min(size, left.size()));
    left = left.subspan(payload.size());
    const ByteSpan copy = arena.take(headers);
    cutter.write(copy, payload, i, offset, i + 1 == count);
    out.push_back({.headers = copy, .payload = payload});
    offset += static_cast<std::uint32_t>(payload.size());
  }
  return true;
}

std::size_t largest_segment(const Packet& frame) {
  const Offload& offload = frame.offload;
  if (offload.segmentation == Segmentation::kNone) return frame.size();
  return std::min(frame.size(), std::size_t{offload.header_length} + offload.segment_size);
}

std::size_t segment_count(const Packet& frame) {
  const Offload& offload = frame.offload;
  if (offload.segmentation == Segmentation::kNone || offload.segment_size == 0 ||
      frame.size() <= offload.header_length) {
    return 1;
  }
  const std::size_t payload = frame.size() - offload.header_length;
  return (payload + offload.segment_size - 1) / offload.segment_size;
}

}  // namespace vtep
