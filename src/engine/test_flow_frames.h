// Frames of a flow with every header field open, written byte by byte and summed word by word, so that
// nothing of what the engine uses is trusted. Test-only.
#pragma once

#include <cstdint>
#include <vector>

#include "base/offload.h"
#include "engine/test_frames.h"

namespace vtep::test {

/// One TCP segment or UDP datagram. The defaults are a right TCP segment over IPv4 with DF.
struct FlowFrame {
  std::vector<std::uint16_t> tags{};  ///< ethertypes of VLAN tags, outermost first
  std::uint16_t vlan = 100;
  MacAddr destination = kMacB;
  IpAddr from = Ipv4(10, 0, 0, 1);
  IpAddr to = Ipv4(10, 0, 0, 2);
  std::uint8_t protocol = kProtocolTcp;
  std::uint16_t source_port = 1000;
  std::uint16_t destination_port = 2000;

  std::uint8_t tos = 0;
  std::uint8_t ttl = 64;
  std::uint32_t flow_label = 0;
  std::uint16_t identification = 0;
  std::uint16_t fragment = 0x4000;           ///< the IPv4 field: flags and offset
  Bytes ip_options{};                        ///< a multiple of 4
  std::vector<std::uint8_t> extensions{};    ///< types of IPv6 extension headers
  IpAddr final_destination = ip("fd00::9");  ///< in a routing header, if there is one

  std::uint32_t sequence = 0;
  std::uint32_t acknowledgment = 1;
  std::uint8_t reserved = 0;  ///< the low half of the data offset's byte
  std::uint8_t flags = tcp_flag::kAck;
  std::uint16_t window = 500;
  std::uint16_t urgent = 0;
  Bytes tcp_options{};  ///< a multiple of 4

  Bytes payload = Bytes(100, 0x5a);
  std::size_t padding = 0;
  Sum sum = Sum::kRight;
  bool ip_sum_is_right = true;

  bool is_v4() const { return from.is_v4(); }
  bool is_tcp() const { return protocol == kProtocolTcp; }
  std::size_t l3() const { return 14 + tags.size() * 4; }
  std::size_t l4() const {
    if (is_v4()) return l3() + 20 + ip_options.size();
    std::size_t at = l3() + 40;
    for (const std::uint8_t type : extensions) at += type == kProtocolRouting ? 24 : 8;
    return at;
  }
  std::size_t headers() const { return l4() + (is_tcp() ? 20 + tcp_options.size() : 8); }
  std::size_t end() const { return headers() + payload.size(); }
  std::size_t checksum_field() const { return l4() + (is_tcp() ? 16 : 6); }

  /// What a sender says who wants this frame cut into segments of `size`.
  Offload request(std::size_t size) const {
    Offload offload = unfinished();
    offload.segmentation = !is_tcp() ? Segmentation::kUdp
                           : is_v4() ? Segmentation::kTcp4
                                     : Segmentation::kTcp6;
    offload.segment_size = static_cast<std::uint16_t>(size);
    offload.header_length = static_cast<std::uint16_t>(headers());
    return offload;
  }
  /// What a sender says who left the checksum to others.
  Offload unfinished() const {
    Offload offload;
    offload.needs_checksum = true;
    offload.checksum_start = static_cast<std::uint16_t>(l4());
    offload.checksum_offset = static_cast<std::uint16_t>(checksum_field() - l4());
    return offload;
  }
  Bytes build() const;
};

/// One's complement sum, two bytes at a time.
inline std::uint32_t slow_sum(ByteView bytes, std::uint32_t sum = 0) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    sum += i % 2 == 0 ? std::uint32_t{bytes[i]} << 8 : bytes[i];
    if (sum > 0xffff) sum -= 0xffff;
  }
  return sum;
}

inline Bytes FlowFrame::build() const {
  Bytes out;
  const auto byte = [&](std::size_t value) { out.push_back(static_cast<std::uint8_t>(value)); };
  const auto word = [&](std::size_t value) {
    byte(value >> 8);
    byte(value);
  };
  const auto quad = [&](std::size_t value) {
    word(value >> 16);
    word(value);
  };
  const auto bytes = [&](ByteView view) { out.insert(out.end(), view.begin(), view.end()); };
  const auto address = [&](const IpAddr& a) { bytes(ByteView(a.octets()).subspan(a.is_v4() ? 12 : 0)); };

  Bytes macs(12);
  destination.store(macs.data());
  kMacA.store(macs.data() + 6);
  bytes(macs);
  for (const std::uint16_t tag : tags) {
    word(tag);
    word(vlan);
  }
  word(is_v4() ? 0x0800 : 0x86dd);

  if (is_v4()) {
    byte(0x45 + ip_options.size() / 4);
    byte(tos);
    word(end() - l3());
    word(identification);
    word(fragment);
    byte(ttl);
    byte(protocol);
    word(0);
    address(from);
    address(to);
    bytes(ip_options);
    const std::uint32_t checksum = ~slow_sum(ByteView(out).subspan(l3()));
    store_be16(out.data() + l3() + 10, static_cast<std::uint16_t>(ip_sum_is_right ? checksum : checksum + 1));
  } else {
    quad(std::size_t{6} << 28 | std::size_t{tos} << 20 | flow_label);
    word(end() - l3() - 40);
    byte(extensions.empty() ? protocol : extensions[0]);
    byte(ttl);
    address(from);
    address(to);
    for (std::size_t i = 0; i < extensions.size(); ++i) {
      const bool is_routing = extensions[i] == kProtocolRouting;
      byte(i + 1 < extensions.size() ? extensions[i + 1] : protocol);
      byte(is_routing ? 2 : 0);
      word(is_routing ? 1 : 0x0104);  // one segment left, or padding
      quad(0);
      if (is_routing) address(final_destination);
    }
  }

  word(source_port);
  word(destination_port);
  if (is_tcp()) {
    quad(sequence);
    quad(acknowledgment);
    byte((5 + tcp_options.size() / 4) << 4 | reserved);
    byte(flags);
    word(window);
    word(0);
    word(urgent);
    bytes(tcp_options);
  } else {
    word(end() - l4());
    word(0);
  }
  bytes(payload);

  Bytes pseudo(ByteView(out).begin() + static_cast<std::ptrdiff_t>(l3() + (is_v4() ? 12 : 8)),
               ByteView(out).begin() + static_cast<std::ptrdiff_t>(l3() + (is_v4() ? 20 : 40)));
  const bool is_routed = !is_v4() && std::ranges::find(extensions, kProtocolRouting) != extensions.end();
  if (is_routed) std::ranges::copy(final_destination.octets(), pseudo.begin() + 16);
  const auto length = static_cast<std::uint32_t>(end() - l4());
  std::uint8_t tail[4] = {};
  store_be16(tail, static_cast<std::uint16_t>(length));
  tail[3] = protocol;
  const std::uint32_t pseudo_sum = slow_sum(tail, slow_sum(pseudo));
  auto checksum = static_cast<std::uint16_t>(~slow_sum(ByteView(out).subspan(l4()), pseudo_sum));
  if (!is_tcp() && checksum == 0) checksum = 0xffff;
  if (sum == Sum::kPseudo) checksum = static_cast<std::uint16_t>(pseudo_sum);
  if (sum == Sum::kWrong) checksum ^= 0x5a5a;
  if (sum == Sum::kNone) checksum = 0;
  store_be16(out.data() + checksum_field(), checksum);
  out.resize(out.size() + padding, 0xee);
  return out;
}

/// What a network card would make of the super-frame, in frames of their own.
inline std::vector<FlowFrame> slow_cut(const FlowFrame& super, std::size_t size) {
  std::vector<FlowFrame> all;
  for (std::size_t at = 0; at < super.payload.size(); at += size) {
    FlowFrame one = super;
    const bool is_last = at + size >= super.payload.size();
    const ByteView part = ByteView(super.payload).subspan(at, is_last ? super.payload.size() - at : size);
    one.payload = to_bytes(part);
    one.padding = 0;
    one.sum = Sum::kRight;
    one.sequence += static_cast<std::uint32_t>(at);
    one.identification += static_cast<std::uint16_t>(all.size());
    if (!all.empty()) one.flags &= 0x7f;
    if (!is_last) one.flags &= 0xf6;
    all.push_back(one);
  }
  return all;
}

}  // namespace vtep::test
