#include "base/port.h"
#include "wire/print_parts.h"
#include "wire/udp.h"
#include "wire/vxlan.h"

namespace vtep::print {
namespace {

constexpr Port kMdnsPort{5353};

void vxlan(std::string& out, ByteView datagram, int depth) {
  const auto header = VxlanView::parse(datagram);
  if (!header) {
    out += "VXLAN (invalid)";
    return;
  }
  append(out, "VXLAN, flags [", header->has_vni() ? "I" : "invalid", "] (", hex(header->flags(), 2),
         "), vni ", header->vni().value());
  if (depth + 1 == kMaxDepth) return;
  out += '\n';
  ethernet(out, header->payload(), depth + 1);
}

}  // namespace

void udp(std::string& out, ByteView datagram, const IpContext& ip) {
  if (datagram.size() < UdpHeader::kLength) {
    ip.append_addresses(out);
    out += " [|udp]";
    return;
  }
  const std::uint8_t* const p = datagram.data();
  ip.append_endpoints(out, load_be16(p + UdpHeader::kSourcePort), load_be16(p + UdpHeader::kDestinationPort));
  if (datagram.size() < UdpHeader::kSize) return append(out, "truncated-udp ", datagram.size());
  const auto view = UdpView::parse(datagram);
  if (!view) return append(out, "truncated-udplength ", load_be16(p + UdpHeader::kLength));

  const std::size_t stated = view->length() - UdpHeader::kSize;
  if (view->length() > ip.stated_length && !ip.fragment) {
    return append(out, "UDP, bad length ", stated, " > ", ip.stated_length - UdpHeader::kSize);
  }
  if (view->destination() == kIanaVxlanPort || view->destination() == kLinuxVxlanPort) {
    return vxlan(out, view->payload(), ip.depth);
  }
  const bool is_mdns = view->source() == kMdnsPort || view->destination() == kMdnsPort;
  if (is_mdns && mdns_question(out, view->payload())) return append(out, "(", stated, ")");
  append(out, "UDP, length ", stated);
}

}  // namespace vtep::print
