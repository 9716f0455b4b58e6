#include <array>

#include "wire/icmpv4.h"
#include "wire/icmpv6.h"
#include "wire/ip_protocol.h"
#include "wire/ipv4.h"
#include "wire/ipv6.h"
#include "wire/mld.h"
#include "wire/nd.h"
#include "wire/print_parts.h"
#include "wire/udp.h"

namespace vtep::print {
namespace {

/// `udp port 2000`: where the datagram inside an error was going.
void append_port(std::string& out, std::uint8_t protocol, ByteView payload) {
  if (protocol == kProtocolUdp) {
    out += "udp";
  } else if (protocol == kProtocolTcp) {
    out += "tcp";
  } else {
    append(out, "protocol ", protocol);
  }
  if (payload.size() >= UdpHeader::kLength)
    append(out, " port ", load_be16(payload.data() + UdpHeader::kDestinationPort));
}

/// Why `inner`, the start of which stands in the message, did not arrive.
void unreachable(std::string& out, const Icmpv4View& message, const Ipv4View& inner) {
  const Ipv4 destination = inner.destination();
  switch (message.code()) {
    case 0:
      return append(out, "net ", destination, " unreachable");
    case 1:
      return append(out, "host ", destination, " unreachable");
    case 2:
      return append(out, destination, " protocol ", inner.protocol(), " unreachable");
    case 3:
      append(out, destination, " ");
      append_port(out, inner.protocol(), inner.payload());
      out += " unreachable";
      return;
    case Icmpv4Header::kFragmentationNeeded:
      append(out, destination, " unreachable - need to frag");
      if (message.next_hop_mtu() != 0) append(out, " (mtu ", message.next_hop_mtu(), ")");
      return;
    default:
      return append(out, destination, " unreachable - #", message.code());
  }
}

void redirect(std::string& out, const Icmpv4View& message, const Ipv4View& inner) {
  static constexpr std::array<std::string_view, 4> kWhat = {"net", "host", "tos-net", "tos-host"};
  if (message.code() >= kWhat.size()) return append(out, "redirect, code ", message.code());
  append(out, "redirect ", inner.destination(), " to ", kWhat[message.code()], " ", Ipv4(message.rest()));
}

void unreachable(std::string& out, std::uint8_t code, const Ipv6View& inner) {
  static constexpr std::uint8_t kPort = 4;
  static constexpr std::array<std::string_view, 5> kWhy = {"unreachable route", "unreachable prohibited",
                                                           "beyond scope", "unreachable address",
                                                           "unreachable port"};
  out += "destination unreachable, ";
  if (code >= kWhy.size()) return append(out, "unknown unreach code (", code, ")");
  append(out, kWhy[code], code == kPort ? ", " : " ", inner.destination());
  if (code != kPort) return;
  const Ipv6Upper upper = inner.upper();
  out += ' ';
  append_port(out, upper.protocol, upper.offset ? inner.payload().subspan(*upper.offset) : ByteView());
}

void neighbor(std::string& out, const Icmpv6View& message, std::string_view name, std::string_view what) {
  static constexpr std::size_t kTarget = 4;
  out += name;
  if (message.body().size() < kTarget + Ipv6::kSize) return;
  append(out, ", ", what, " ", Ipv6::load(message.body().data() + kTarget));
}

/// The 16 or 32 bits behind the checksum, if they are there.
std::uint32_t word(const Icmpv6View& message) {
  return message.body().size() < 4 ? 0 : load_be32(message.body().data());
}

void append_echo(std::string& out, std::string_view name, std::uint32_t rest) {
  append(out, name, ", id ", rest >> 16, ", seq ", rest & 0xffff);
}

}  // namespace

void icmpv4(std::string& out, ByteView message, const IpContext& ip) {
  const auto view = Icmpv4View::parse(message);
  if (!view) {
    out += " [|icmp]";
    return;
  }
  const bool is_error = view->type() == icmpv4_type::kUnreachable || view->type() == icmpv4_type::kRedirect;
  const auto inner = Ipv4View::parse(view->payload());
  if (is_error && !inner) {
    out += " [|icmp]";
    return;
  }
  out += "ICMP ";
  switch (view->type()) {
    case icmpv4_type::kEchoRequest:
      append_echo(out, "echo request", view->rest());
      break;
    case icmpv4_type::kEchoReply:
      append_echo(out, "echo reply", view->rest());
      break;
    case icmpv4_type::kUnreachable:
      unreachable(out, *view, *inner);
      break;
    case icmpv4_type::kRedirect:
      redirect(out, *view, *inner);
      break;
    case icmpv4_type::kTimeExceeded:
      out += view->code() == 0 ? "time exceeded in-transit" : "ip reassembly time exceeded";
      break;
    default:
      append(out, "type-#", view->type());
  }
  append(out, ", length ", ip.stated_length);
}

void icmpv6(std::string& out, ByteView message, const IpContext& ip) {
  const auto view = Icmpv6View::parse(message);
  if (!view) {
    out += " [|icmp6]";
    return;
  }
  // Errors: four bytes, then the datagram that caused them.
  const auto inner = Ipv6View::parse(view->body().size() < 4 ? ByteView() : view->body().subspan(4));
  out += "ICMP6, ";
  switch (view->type()) {
    case icmpv6_type::kEchoRequest:
      append_echo(out, "echo request", word(*view));
      break;
    case icmpv6_type::kEchoReply:
      append_echo(out, "echo reply", word(*view));
      break;
    case icmpv6_type::kUnreachable:
      if (inner) {
        unreachable(out, view->code(), *inner);
      } else {
        out += "destination unreachable";
      }
      break;
    case icmpv6_type::kPacketTooBig:
      append(out, "packet too big, mtu ", word(*view));
      break;
    case icmpv6_type::kTimeExceeded:
      out += view->code() == 0 ? "time exceeded in-transit" : "ip reassembly time exceeded";
      if (inner && view->code() == 0) append(out, " for ", inner->destination());
      break;
    case icmpv6_type::kRouterSolicitation:
      out += "router solicitation";
      break;
    case icmpv6_type::kRouterAdvertisement:
      out += "router advertisement";
      break;
    case icmpv6_type::kNeighborSolicitation:
      neighbor(out, *view, "neighbor solicitation", "who has");
      break;
    case icmpv6_type::kNeighborAdvertisement:
      neighbor(out, *view, "neighbor advertisement", "tgt is");
      break;
    case mld_type::kQuery:
    case mld_type::kReport:
    case mld_type::kDone:
    case mld_type::kReportV2:
      mld(out, *view);
      break;
    default:
      append(out, "unknown icmp6 type (", view->type(), ")");
  }
  append(out, ", length ", ip.stated_length);
}

}  // namespace vtep::print
