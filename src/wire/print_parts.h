// What the printers of the single protocols share. Internal to print*.cc.
//
// Each printer appends to `out`, takes bytes that end where the layer below says, and copes with any bytes.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "wire/icmpv6.h"

namespace vtep::print {

/// Frames inside frames that are followed; a datagram could hold a thousand.
inline constexpr int kMaxDepth = 8;

inline void append_one(std::string& out, std::string_view text) {
  out += text;
}
inline void append_one(std::string& out, std::unsigned_integral auto number) {
  out += std::to_string(number);
}
template <typename T>
  requires requires(const T& value) { value.to_string(); }
void append_one(std::string& out, const T& value) {
  out += value.to_string();
}

/// Text, unsigned numbers in decimal, and addresses, one behind the other.
template <typename... Parts>
void append(std::string& out, const Parts&... parts) {
  (append_one(out, parts), ...);
}

/// `0x0806` for (0x806, 4).
std::string hex(std::uint32_t value, int digits);

/// What a transport's printer needs to know about the IP datagram around it.
struct IpContext {
  /// Text of the addresses. Empty behind IPv6 extension headers, where tcpdump has printed them already.
  std::string source;
  std::string destination;
  std::size_t stated_length = 0;  ///< of the transport's header and payload, though less may be there
  bool fragment = false;
  int depth = 0;

  /// `10.0.0.1 > 10.0.0.2: `, or nothing behind extension headers.
  void append_addresses(std::string& out) const;
  /// `10.0.0.1.1000 > 10.0.0.2.2000: `; the ports alone behind extension headers.
  void append_endpoints(std::string& out, std::uint16_t source_port, std::uint16_t destination_port) const;
};

void ethernet(std::string& out, ByteView frame, int depth);
void ipv4(std::string& out, ByteView datagram, int depth);
void ipv6(std::string& out, ByteView datagram, int depth);
void udp(std::string& out, ByteView datagram, const IpContext& ip);
void tcp(std::string& out, ByteView segment, const IpContext& ip);
void icmpv4(std::string& out, ByteView message, const IpContext& ip);
void icmpv6(std::string& out, ByteView message, const IpContext& ip);
void igmp(std::string& out, ByteView message);
/// Precondition: is_mld_type(message.type()).
void mld(std::string& out, const Icmpv6View& message);
/// False, and nothing appended, if the message is not a plain question.
bool mdns_question(std::string& out, ByteView message);

}  // namespace vtep::print
