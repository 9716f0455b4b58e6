// ARP for Ethernet and IPv4 (RFC 826).
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |      Hardware type (1)        |    Protocol type (0x0800)     |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   | HW length (6) | PR length (4) |          Operation            |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                   Sender hardware address                     |
//   +                               +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                               |  Sender protocol address ...  |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |  ... Sender protocol address  |   Target hardware address ... |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+                               +
//   |               ... Target hardware address                     |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                   Target protocol address                     |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
#pragma once

#include <cassert>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/ip.h"
#include "base/mac.h"

namespace vtep {

enum class ArpOperation : std::uint16_t { kRequest = 1, kReply = 2 };

/// A gratuitous ARP has sender_ip == target_ip (an announcement, RFC 5227 section 2.3); a probe has
/// the unspecified sender_ip (RFC 5227 section 2.1.1).
struct ArpMessage {
  static constexpr std::size_t kSize = 28;
  static constexpr std::size_t kHardwareType = 0;
  static constexpr std::size_t kProtocolType = 2;
  static constexpr std::size_t kHardwareLength = 4;
  static constexpr std::size_t kProtocolLength = 5;
  static constexpr std::size_t kOperation = 6;
  static constexpr std::size_t kSenderMac = 8;
  static constexpr std::size_t kSenderIp = 14;
  static constexpr std::size_t kTargetMac = 18;
  static constexpr std::size_t kTargetIp = 24;
  static constexpr std::uint16_t kEthernet = 1;

  ArpOperation operation = ArpOperation::kRequest;
  MacAddr sender_mac;
  Ipv4 sender_ip;
  MacAddr target_mac;  ///< of a request: nothing is known yet, zero by custom
  Ipv4 target_ip;

  /// Precondition: out.size() >= kSize.
  void emit(ByteSpan out) const;

  friend bool operator==(const ArpMessage&, const ArpMessage&) = default;
};

/// Borrows the bytes it was parsed from.
class ArpView {
 public:
  /// Empty if it is shorter than 28 bytes, or speaks of anything but Ethernet and IPv4. Ethernet padding may
  /// follow.
  static std::optional<ArpView> parse(ByteView packet);

  /// As it stands there; RARP and others use further values.
  std::uint16_t operation() const { return load_be16(bytes_.data() + ArpMessage::kOperation); }
  MacAddr sender_mac() const { return MacAddr::load(bytes_.data() + ArpMessage::kSenderMac); }
  Ipv4 sender_ip() const { return Ipv4::load(bytes_.data() + ArpMessage::kSenderIp); }
  MacAddr target_mac() const { return MacAddr::load(bytes_.data() + ArpMessage::kTargetMac); }
  Ipv4 target_ip() const { return Ipv4::load(bytes_.data() + ArpMessage::kTargetIp); }
  /// Empty if the operation is neither request nor reply.
  std::optional<ArpMessage> message() const;

 private:
  explicit ArpView(ByteView bytes) : bytes_(bytes) {}
  ByteView bytes_;
};

}  // namespace vtep
