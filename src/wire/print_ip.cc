#include "wire/ip_protocol.h"
#include "wire/ipv4.h"
#include "wire/ipv6.h"
#include "wire/print_parts.h"

namespace vtep::print {
namespace {

bool has_ports(std::uint8_t protocol) {
  return protocol == kProtocolTcp || protocol == kProtocolUdp;
}

/// tcpdump leaves the addresses of TCP and UDP to their printers, which put the ports behind them.
void upper_layer(std::string& out, std::uint8_t protocol, ByteView payload, const IpContext& ip) {
  if (!has_ports(protocol)) ip.append_addresses(out);
  switch (protocol) {
    case kProtocolUdp:
      return udp(out, payload, ip);
    case kProtocolTcp:
      return tcp(out, payload, ip);
    case kProtocolIcmp:
      return icmpv4(out, payload, ip);
    case kProtocolIcmpv6:
      return icmpv6(out, payload, ip);
    case kProtocolIgmp:
      return igmp(out, payload);
    default:
      return append(out, " ip-proto-", protocol, " ", ip.stated_length);
  }
}

void extension_header(std::string& out, const ExtensionHeaderCursor::Header& header, std::size_t left) {
  switch (header.type) {
    case kProtocolHopByHop:
      out += "HBH ";
      return;
    case kProtocolDestinationOptions:
      out += "DSTOPT ";
      return;
    case kProtocolFragment: {
      const Ipv6FragmentField field(header.bytes);
      append(out, "frag (", field.offset(), "|", left, ")");
      if (field.offset() == 0) out += ' ';
      return;
    }
    case kProtocolRouting:
      out += "RT6 ";
      return;
    default:
      out += "AH ";
      return;
  }
}

}  // namespace

void IpContext::append_addresses(std::string& out) const {
  if (!source.empty()) append(out, source, " > ", destination, ": ");
}

void IpContext::append_endpoints(std::string& out, std::uint16_t source_port,
                                 std::uint16_t destination_port) const {
  const std::string_view dot = source.empty() ? "" : ".";
  append(out, source, dot, source_port, " > ", destination, dot, destination_port, ": ");
}

void ipv4(std::string& out, ByteView datagram, int depth) {
  if (datagram.size() < Ipv4Header::kSize) {
    out += " [|ip]";
    return;
  }
  const auto view = Ipv4View::parse(datagram);
  if (!view) {
    const unsigned version = datagram[Ipv4Header::kVersionAndLength] >> 4U;
    const unsigned header_length = (datagram[Ipv4Header::kVersionAndLength] & 0xfU) * 4;
    if (version != 4) return append(out, "IP version ", version, " (invalid)");
    if (header_length < Ipv4Header::kSize) return append(out, "bad-hlen ", header_length);
    if (header_length > datagram.size()) return append(out, " [|ip]");
    return append(out, "bad-len ", load_be16(datagram.data() + Ipv4Header::kTotalLength));
  }
  if (view->is_truncated()) {
    append(out, "truncated-ip - ", view->total_length() - datagram.size(), " bytes missing! ");
  }
  const IpContext ip{.source = view->source().to_string(),
                     .destination = view->destination().to_string(),
                     .stated_length = view->total_length() - view->header_length(),
                     .fragment = view->is_fragment(),
                     .depth = depth};
  if (view->fragment_offset() != 0) {
    ip.append_addresses(out);
    return append(out, "ip-proto-", view->protocol());
  }
  upper_layer(out, view->protocol(), view->payload(), ip);
}

void ipv6(std::string& out, ByteView datagram, int depth) {
  if (datagram.size() < Ipv6Header::kSize) {
    out += " [|ip6]";
    return;
  }
  const auto view = Ipv6View::parse(datagram);
  if (!view) return append(out, "IP version ", datagram[0] / 16U, " (invalid)");
  if (view->is_truncated()) {
    append(out, "truncated-ip6 - ", view->payload_length() - view->payload().size(), " bytes missing!");
  }
  IpContext ip{.source = view->source().to_string(),
               .destination = view->destination().to_string(),
               .stated_length = view->payload_length(),
               .fragment = false,
               .depth = depth};
  ExtensionHeaderCursor cursor(view->next_header(), view->payload());
  std::size_t walked = 0;
  while (const auto header = cursor.next()) {
    if (walked == 0) ip.append_addresses(out);
    walked += header->bytes.size();
    extension_header(out, *header, view->payload_length() - walked);
  }
  const Ipv6Upper& upper = cursor.upper();
  if (walked == 0 && !upper.offset) ip.append_addresses(out);
  if (walked != 0) ip.source.clear(), ip.destination.clear();
  if (!upper.offset) {
    if (upper.protocol == kProtocolNoNextHeader) {
      out += "no next header";
    } else if (!upper.fragment) {
      append(out, " ip-proto-", upper.protocol, " ", view->payload_length() - walked);
    }
    return;
  }
  ip.stated_length -= walked;
  ip.fragment = upper.fragment;
  upper_layer(out, upper.protocol, view->payload().subspan(*upper.offset), ip);
}

}  // namespace vtep::print
