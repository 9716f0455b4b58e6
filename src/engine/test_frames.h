// Frames and packets for the engine's tests, built with wire's emitters. Test-only.
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <random>
#include <vector>

#include "base/packet.h"
#include "base/vni.h"
#include "wire/checksum.h"
#include "wire/ethernet.h"
#include "wire/ip_protocol.h"
#include "wire/ipv4.h"
#include "wire/ipv6.h"
#include "wire/layers.h"
#include "wire/tcp.h"
#include "wire/udp.h"
#include "wire/vlan.h"
#include "wire/vxlan.h"

namespace vtep::test {

using Bytes = std::vector<std::uint8_t>;

inline constexpr MacAddr kMacA{{0x02, 0, 0, 0, 0, 0xaa}};
inline constexpr MacAddr kMacB{{0x02, 0, 0, 0, 0, 0xbb}};

/// What stands in the checksum field of TCP or UDP.
enum class Sum { kRight, kPseudo, kWrong, kNone };

/// A TCP or UDP frame over either IP. The defaults are a right UDP frame.
struct TestFrame {
  MacAddr destination = kMacB;
  MacAddr source = kMacA;
  std::vector<std::uint16_t> tags{};  ///< ethertypes of VLAN tags, outermost first
  IpAddr from = Ipv4(10, 0, 0, 1);
  IpAddr to = Ipv4(10, 0, 0, 2);
  std::uint8_t protocol = kProtocolUdp;
  Port source_port{1000};
  Port destination_port{2000};
  std::size_t payload = 32;     ///< bytes behind the TCP or UDP header
  std::size_t tcp_options = 0;  ///< bytes; a multiple of 4
  Sum sum = Sum::kRight;
  std::uint16_t fragment = 0;  ///< the IPv4 field: flags and offset
  std::size_t padding = 0;     ///< Ethernet padding behind the datagram
  std::uint8_t padding_byte = 0;
  std::uint8_t seed = 0;  ///< of the payload's pattern

  std::size_t transport_header() const {
    return protocol == kProtocolTcp ? TcpHeader::kSize + tcp_options : UdpHeader::kSize;
  }
  std::size_t l3() const { return EthernetHeader::kSize + tags.size() * VlanHeader::kSize; }
  std::size_t l4() const { return l3() + (from.is_v4() ? Ipv4Header::kSize : Ipv6Header::kSize); }
  std::size_t end() const { return l4() + transport_header() + payload; }
  std::size_t checksum_field() const {
    return l4() + (protocol == kProtocolTcp ? TcpHeader::kChecksum : UdpHeader::kChecksum);
  }
  std::uint64_t pseudo_sum() const {
    const auto length = static_cast<std::uint32_t>(end() - l4());
    if (from.is_v4()) return pseudo_header_sum(from.v4(), to.v4(), protocol, length);
    return pseudo_header_sum(from.v6(), to.v6(), protocol, length);
  }

  Bytes build() const {
    Bytes bytes(end() + padding, padding_byte);
    const ByteSpan frame(bytes);
    const std::uint16_t ip_type = from.is_v4() ? kEthertypeIpv4 : kEthertypeIpv6;
    EthernetHeader{destination, source, tags.empty() ? ip_type : tags[0]}.emit(frame);
    for (std::size_t i = 0; i < tags.size(); ++i) {
      VlanHeader tag;
      tag.id = *VlanId::from(100 + i);
      tag.ethertype = i + 1 < tags.size() ? tags[i + 1] : ip_type;
      tag.emit(frame.subspan(EthernetHeader::kSize + i * VlanHeader::kSize));
    }
    for (std::size_t i = l4() + transport_header(); i < end(); ++i)
      bytes[i] = static_cast<std::uint8_t>(seed + i * 7);
    const ByteSpan segment = frame.subspan(l4(), end() - l4());
    if (protocol == kProtocolTcp) {
      const Bytes options(tcp_options, 1);  // no-operation
      TcpHeader header;
      header.source = source_port;
      header.destination = destination_port;
      header.flags = tcp_flag::kAck;
      header.emit(segment, options, pseudo_sum());
    } else {
      UdpHeader{source_port, destination_port}.emit(segment, pseudo_sum());
    }
    std::uint8_t* const field = bytes.data() + checksum_field();
    if (sum == Sum::kPseudo) store_be16(field, checksum_fold(pseudo_sum()));
    if (sum == Sum::kWrong) store_be16(field, load_be16(field) ^ 0x5a5a);
    if (sum == Sum::kNone) store_be16(field, 0);
    if (from.is_v4()) {
      const ByteSpan datagram = frame.subspan(l3(), end() - l3());
      Ipv4Header header;
      header.source = from.v4();
      header.destination = to.v4();
      header.protocol = protocol;
      header.emit(datagram);
      store_be16(datagram.data() + Ipv4Header::kFragment, fragment);
      store_be16(datagram.data() + Ipv4Header::kChecksum, 0);
      store_be16(datagram.data() + Ipv4Header::kChecksum,
                 internet_checksum(datagram.first(Ipv4Header::kSize)));
    } else {
      Ipv6Header header;
      header.source = from.v6();
      header.destination = to.v6();
      header.next_header = protocol;
      header.emit(frame.subspan(l3(), end() - l3()));
    }
    return bytes;
  }
};

inline IpAddr ip(const char* text) {
  return *IpAddr::parse(text);
}

/// Whether the frame's own TCP or UDP checksum is right, computed from first principles (no Offload
/// involved).
inline bool checksum_is_right(const TestFrame& shape, ByteView frame) {
  const ByteView segment = frame.subspan(shape.l4(), shape.end() - shape.l4());
  return checksum_fold(checksum_partial(segment, shape.pseudo_sum())) == 0xffff;
}

/// Packets in buffers of exactly their size, so that AddressSanitizer sees a read one byte too far.
class TestPackets {
 public:
  Packet& add(ByteView bytes, std::size_t headroom = 8) {
    buffers_.push_back(std::make_unique<std::uint8_t[]>(headroom + bytes.size()));
    Packet packet(ByteSpan(buffers_.back().get(), headroom + bytes.size()), headroom);
    packet.set_size(bytes.size());
    std::copy(bytes.begin(), bytes.end(), packet.data());
    packets_.push_back(packet);
    return packets_.back();
  }
  /// What a remote VTEP would send.
  Packet& add_datagram(Vni vni, ByteView frame, const IpAddr& outer_source) {
    Bytes bytes(VxlanHeader::kSize);
    VxlanHeader{vni}.emit(bytes);
    bytes.insert(bytes.end(), frame.begin(), frame.end());
    Packet& packet = add(bytes);
    packet.outer_source = outer_source;
    return packet;
  }
  std::span<Packet> span() { return packets_; }
  Packet& operator[](std::size_t i) { return packets_[i]; }

 private:
  std::vector<std::unique_ptr<std::uint8_t[]>> buffers_;
  std::vector<Packet> packets_;
};

inline Bytes to_bytes(ByteView view) {
  return {view.begin(), view.end()};
}

/// `low` to `high`, both included. Plain arithmetic, so that a seed means the same on every standard library.
inline std::uint32_t pick(std::mt19937_64& random, std::uint32_t low, std::uint32_t high) {
  return low + static_cast<std::uint32_t>(random() % (std::uint64_t{high} - low + 1));
}

/// Of a comparison with a model: under a sanitizer, where a step takes twenty times as long, a third of them.
constexpr int steps(int count) {
#ifdef VTEP_SANITIZED
  return count / 3;
#else
  return count;
#endif
}

}  // namespace vtep::test
