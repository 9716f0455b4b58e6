#include "wire/print.h"

#include "wire/arp.h"
#include "wire/ethernet.h"
#include "wire/print_parts.h"
#include "wire/vlan.h"

namespace vtep {
namespace print {
namespace {

constexpr std::uint16_t kEthertypeLldp = 0x88cc;

std::string_view ethertype_name(std::uint16_t ethertype) {
  switch (ethertype) {
    case kEthertypeIpv4:
      return "IPv4";
    case kEthertypeArp:
      return "ARP";
    case kEthertypeIpv6:
      return "IPv6";
    case kEthertypeVlan:
      return "802.1Q";
    case kEthertypeServiceVlan:
      return "802.1Q-QinQ";
    case kEthertypeLldp:
      return "LLDP";
    default:
      return "Unknown";
  }
}

void append_ethertype(std::string& out, std::uint16_t ethertype) {
  append(out, "ethertype ", ethertype_name(ethertype), " (", hex(ethertype, 4), ")");
}

void arp(std::string& out, ByteView packet) {
  const auto view = ArpView::parse(packet);
  if (!view) {
    out += packet.size() < ArpMessage::kSize ? " [|arp]" : "ARP, not of Ethernet and IPv4";
  } else if (view->operation() == static_cast<std::uint16_t>(ArpOperation::kRequest)) {
    append(out, "Request who-has ", view->target_ip());
    if (!view->target_mac().is_zero()) append(out, " (", view->target_mac(), ")");
    append(out, " tell ", view->sender_ip());
  } else if (view->operation() == static_cast<std::uint16_t>(ArpOperation::kReply)) {
    append(out, "Reply ", view->sender_ip(), " is-at ", view->sender_mac());
  } else {
    append(out, "ARP, operation ", view->operation());
  }
  if (view) append(out, ", length ", packet.size());
}

}  // namespace

std::string hex(std::uint32_t value, int digits) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text = "0x";
  for (int i = digits - 1; i >= 0; --i) text += kDigits[value >> (4 * i) & 0xf];
  return text;
}

void ethernet(std::string& out, ByteView frame, int depth) {
  const auto header = EthernetView::parse(frame);
  if (!header) {
    out += " [|ether]";
    return;
  }
  append(out, header->source(), " > ", header->destination(), ", ");
  std::uint16_t ethertype = header->ethertype();
  ByteView payload = header->payload();
  if (ethertype < kMinEthertype) {
    append(out, "802.3, length ", ethertype);
    return;
  }
  if (is_vlan_ethertype(ethertype) && payload.size() < VlanHeader::kSize) {
    out += " [|vlan]";
    return;
  }
  append_ethertype(out, ethertype);
  append(out, ", length ", frame.size());

  std::string_view separator = ": ";
  while (is_vlan_ethertype(ethertype)) {
    const auto tag = VlanView::parse(payload);
    if (!tag) {
      append(out, separator, " [|vlan]");
      return;
    }
    append(out, separator, "vlan ", tag->id(), ", p ", static_cast<unsigned>(tag->priority()));
    if (tag->drop_eligible()) out += ", DEI";
    ethertype = tag->ethertype();
    payload = tag->payload();
    separator = ", ";
    out += separator;
    append_ethertype(out, ethertype);
    separator = ", ";
  }

  switch (ethertype) {
    case kEthertypeArp:
      out += separator;
      return arp(out, payload);
    case kEthertypeIpv4:
      out += separator;
      return ipv4(out, payload, depth);
    case kEthertypeIpv6:
      out += separator;
      return ipv6(out, payload, depth);
    case kEthertypeLldp:
      return append(out, separator, "LLDP, length ", payload.size());
    default:
      return;
  }
}

}  // namespace print

std::string print_frame(ByteView frame) {
  std::string out;
  print::ethernet(out, frame, 0);
  return out;
}

}  // namespace vtep
