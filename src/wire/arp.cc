#include "wire/arp.h"

#include "wire/ethertype.h"

namespace vtep {

void ArpMessage::emit(ByteSpan out) const {
  assert(out.size() >= kSize);
  std::uint8_t* const p = out.data();
  store_be16(p + kHardwareType, kEthernet);
  store_be16(p + kProtocolType, kEthertypeIpv4);
  p[kHardwareLength] = MacAddr::kSize;
  p[kProtocolLength] = Ipv4::kSize;
  store_be16(p + kOperation, static_cast<std::uint16_t>(operation));
  sender_mac.store(p + kSenderMac);
  sender_ip.store(p + kSenderIp);
  target_mac.store(p + kTargetMac);
  target_ip.store(p + kTargetIp);
}

std::optional<ArpView> ArpView::parse(ByteView packet) {
  if (packet.size() < ArpMessage::kSize) return std::nullopt;
  const std::uint8_t* const p = packet.data();
  if (load_be16(p + ArpMessage::kHardwareType) != ArpMessage::kEthernet) return std::nullopt;
  if (load_be16(p + ArpMessage::kProtocolType) != kEthertypeIpv4) return std::nullopt;
  if (p[ArpMessage::kHardwareLength] != MacAddr::kSize) return std::nullopt;
  if (p[ArpMessage::kProtocolLength] != Ipv4::kSize) return std::nullopt;
  return ArpView(packet.first(ArpMessage::kSize));
}

std::optional<ArpMessage> ArpView::message() const {
  const auto stated = static_cast<ArpOperation>(operation());
  if (stated != ArpOperation::kRequest && stated != ArpOperation::kReply) return std::nullopt;
  return ArpMessage{stated, sender_mac(), sender_ip(), target_mac(), target_ip()};
}

}  // namespace vtep
