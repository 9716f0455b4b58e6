#include "engine/suppress.h"

#include <cassert>
#include <optional>

#include "wire/arp.h"
#include "wire/checksum.h"
#include "wire/ethernet.h"
#include "wire/icmpv6.h"
#include "wire/ip_protocol.h"
#include "wire/ipv6.h"
#include "wire/multicast.h"
#include "wire/nd.h"

namespace vtep {
namespace {

constexpr std::uint8_t kNdHopLimit = 255;  // RFC 4861 section 4.4
constexpr Ipv6 kAllNodes({0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});

/// IpAddr holds an IPv4-mapped address as the IPv4 address, for which ND must not speak.
bool is_station_address6(const Ipv6& address) {
  return IpAddr(address).is_v6() && is_station_address(address);
}

std::optional<ArpMessage> read_arp(ByteView frame, const Layers& layers) {
  if (layers.ethertype != kEthertypeArp) return std::nullopt;
  const auto view = ArpView::parse(frame.subspan(layers.l3));
  if (!view) return std::nullopt;
  return view->message();
}

struct NdPacket {
  Ipv6View ip;
  Icmpv6View message;

  bool is_valid() const { return !ip.is_truncated() && is_valid_nd(ip, message); }
};

/// An ICMPv6 message right behind the IPv6 header. RFC 6980 section 5 has ND in fragments ignored; other
/// extension headers are left to the stations.
std::optional<NdPacket> read_nd(ByteView frame, const Layers& layers) {
  if (layers.ip != Layers::Ip::kV6 || layers.protocol != kProtocolIcmpv6) return std::nullopt;
  if (layers.l4 != layers.l3 + Ipv6Header::kSize) return std::nullopt;
  const auto ip = Ipv6View::parse(frame.subspan(layers.l3));
  const auto message = Icmpv6View::parse(frame.subspan(layers.l4, layers.end - layers.l4));
  if (!ip || !message) return std::nullopt;
  return NdPacket{*ip, *message};
}

std::expected<AddressRequest, Suppression> read_arp_request(ByteView frame, const Layers& layers,
                                                            const ArpMessage& arp) {
  if (arp.operation != ArpOperation::kRequest) return std::unexpected(Suppression::kNotARequest);
  const bool is_probe = arp.sender_ip.is_unspecified();
  const bool is_plain = layers.vlan_tags == 0 && EthernetView::parse(frame)->destination().is_multicast() &&
                        arp.sender_mac.is_unicast() && (is_probe || is_station_address(arp.sender_ip)) &&
                        is_station_address(arp.target_ip) && arp.sender_ip != arp.target_ip;
  if (!is_plain) return std::unexpected(Suppression::kPass);
  return AddressRequest{.target = arp.target_ip, .asker = arp.sender_ip, .asker_mac = arp.sender_mac};
}

std::expected<AddressRequest, Suppression> read_solicitation(ByteView frame, const Layers& layers,
                                                             const NdPacket& packet) {
  const auto solicitation = NeighborSolicitation::parse(packet.message);
  if (!solicitation) return std::unexpected(Suppression::kNotARequest);
  const EthernetView ethernet = *EthernetView::parse(frame);
  const Ipv6 source = packet.ip.source();
  const Ipv6 target = solicitation->target;
  const MacAddr asker_mac = solicitation->source_mac.value_or(ethernet.source());
  const bool is_plain = layers.vlan_tags == 0 && ethernet.destination().is_multicast() &&
                        asker_mac.is_unicast() && (source.is_unspecified() || is_station_address6(source)) &&
                        is_station_address6(target) && source != target &&
                        packet.ip.destination() == solicited_node_group(target) && packet.is_valid();
  if (!is_plain) return std::unexpected(Suppression::kPass);
  return AddressRequest{.target = target, .asker = source, .asker_mac = asker_mac};
}

void emit_arp_reply(const AddressRequest& request, MacAddr owner, Packet& reply) {
  reply.set_size(EthernetHeader::kSize + ArpMessage::kSize);
  const ByteSpan frame(reply.data(), reply.size());
  EthernetHeader{request.asker_mac, owner, kEthertypeArp}.emit(frame);
  ArpMessage{.operation = ArpOperation::kReply,
             .sender_mac = owner,
             .sender_ip = request.target.v4(),
             .target_mac = request.asker_mac,
             .target_ip = request.asker.v4()}
      .emit(frame.subspan(EthernetHeader::kSize));
}

void emit_advertisement(const AddressRequest& request, const Neighbour& owner, Packet& reply) {
  const bool is_detection = request.asker.is_unspecified();
  const NeighborAdvertisement advertisement{.target = request.target.v6(),
                                            .router = *owner.router,
                                            .solicited = !is_detection,
                                            .override_cache = true,
                                            .target_mac = owner.mac};
  Ipv6Header ip;
  ip.source = advertisement.target;
  ip.destination = is_detection ? kAllNodes : request.asker.v6();
  ip.next_header = kProtocolIcmpv6;
  ip.hop_limit = kNdHopLimit;

  const std::size_t size = advertisement.size();
  reply.set_size(EthernetHeader::kSize + Ipv6Header::kSize + size);
  const ByteSpan frame(reply.data(), reply.size());
  EthernetHeader{is_detection ? multicast_mac(kAllNodes) : request.asker_mac, owner.mac, kEthertypeIpv6}.emit(
      frame);
  const ByteSpan datagram = frame.subspan(EthernetHeader::kSize);
  ip.emit(datagram);
  advertisement.emit(
      datagram.subspan(Ipv6Header::kSize),
      pseudo_header_sum(ip.source, ip.destination, kProtocolIcmpv6, static_cast<std::uint32_t>(size)));
}

/// What the sender of a frame says about itself.
struct Claim {
  IpAddr ip;
  MacAddr mac;
  std::optional<bool> router{};
  bool overrides = true;  ///< holds whatever was known; otherwise it only confirms what is known
};

std::optional<Claim> read_arp_claim(const ArpMessage& arp, MacAddr source) {
  if (arp.sender_mac != source || !is_station_address(arp.sender_ip)) return std::nullopt;
  return Claim{.ip = arp.sender_ip, .mac = source};
}

std::optional<Claim> read_nd_claim(const NdPacket& packet, MacAddr source) {
  Claim claim{.ip = packet.ip.source(), .mac = source};
  std::optional<MacAddr> stated;
  if (const auto advertisement = NeighborAdvertisement::parse(packet.message)) {
    stated = advertisement->target_mac;
    claim.ip = advertisement->target;
    claim.router = advertisement->router;
    claim.overrides = stated && advertisement->override_cache;
  } else if (const auto router = RouterAdvertisement::parse(packet.message)) {
    stated = router->source_mac;
    claim.router = true;
    claim.overrides = stated.has_value();
  } else if (const auto solicitation = NeighborSolicitation::parse(packet.message)) {
    stated = solicitation->source_mac;
    claim.overrides = stated.has_value();
  } else {
    return std::nullopt;
  }
  if (stated.value_or(source) != source || claim.ip.is_v4() || !is_station_address(claim.ip) ||
      !packet.is_valid())
    return std::nullopt;
  return claim;
}

std::optional<Claim> read_claim(ByteView frame, const Layers& layers) {
  if (layers.vlan_tags != 0) return std::nullopt;
  const auto ethernet = EthernetView::parse(frame);
  if (!ethernet || !ethernet->source().is_unicast()) return std::nullopt;
  if (const auto arp = read_arp(frame, layers)) return read_arp_claim(*arp, ethernet->source());
  if (const auto packet = read_nd(frame, layers)) return read_nd_claim(*packet, ethernet->source());
  return std::nullopt;
}

}  // namespace

bool speaks_of_neighbours(const Layers& layers) {
  return layers.ethertype == kEthertypeArp ||
         (layers.ip == Layers::Ip::kV6 && layers.protocol == kProtocolIcmpv6);
}

std::expected<AddressRequest, Suppression> AddressRequest::read(ByteView frame, const Layers& layers) {
  if (const auto arp = read_arp(frame, layers)) return read_arp_request(frame, layers, *arp);
  if (const auto packet = read_nd(frame, layers)) return read_solicitation(frame, layers, *packet);
  return std::unexpected(Suppression::kNotARequest);
}

bool AddressRequest::is_answered_by(const Neighbour& known) const {
  return known.mac != asker_mac && (target.is_v4() || known.router);
}

void AddressRequest::answer(const Neighbour& known, Packet& reply) const {
  assert(is_answered_by(known) && reply.size() == 0 && reply.room() >= kMaxReply);
  if (target.is_v4()) {
    emit_arp_reply(*this, known.mac, reply);
  } else {
    emit_advertisement(*this, known, reply);
  }
}

void snoop_neighbours(Neighbours& neighbours, LinkId link, ByteView frame, const Layers& layers,
                      Seconds now) {
  const auto claim = read_claim(frame, layers);
  if (!claim) return;
  if (!claim->overrides) {
    const auto known = neighbours.find(link, claim->ip, NeighbourOrigin::kHeard, now);
    if (!known || known->mac != claim->mac) return;
  }
  neighbours.set(link, claim->ip, claim->mac, claim->router, NeighbourOrigin::kHeard, now);
}

void forget_local_neighbours(Neighbours& neighbours, LinkId link, ByteView frame, const Layers& layers) {
  const auto claim = read_claim(frame, layers);
  if (claim && claim->overrides) neighbours.remove(link, claim->ip, NeighbourOrigin::kHeard);
}

void snoop_station(Stations& stations, LinkId link, ByteView frame, const Layers& layers, Seconds now) {
  const auto claim = read_claim(frame, layers);
  if (!claim || !claim->overrides) return;
  // Whoever answers for it must know whether it is a router: see Neighbour::router.
  if (claim->ip.is_v6() && !claim->router) return;
  stations.bind(link, claim->mac, claim->ip, claim->router.value_or(false), now);
}

}  // namespace vtep
