#include "engine/route_short_circuit.h"

#include <optional>

#include "wire/ethernet.h"
#include "wire/ipv4.h"
#include "wire/ipv6.h"

namespace vtep {
namespace {

/// Empty for frames that no router would send to a station of this overlay.
std::optional<IpAddr> ip_destination(ByteView frame, const Layers& layers) {
  if (layers.vlan_tags != 0 || layers.ip == Layers::Ip::kNone) return std::nullopt;
  const std::uint8_t* const header = frame.data() + layers.l3;
  const IpAddr destination = layers.ip == Layers::Ip::kV4
                                 ? IpAddr(Ipv4::load(header + Ipv4Header::kDestination))
                                 : IpAddr(Ipv6::load(header + Ipv6Header::kDestination));
  // IpAddr holds an IPv4-mapped address as the IPv4 address, which is somebody else's.
  if (destination.is_v4() != (layers.ip == Layers::Ip::kV4)) return std::nullopt;
  if (!is_station_address(destination)) return std::nullopt;
  return destination;
}

}  // namespace

bool short_circuit(Packet& frame, const Layers& layers, const Neighbours& neighbours, LinkId link,
                   Seconds now, IpAddr* missed) {
  const auto destination = ip_destination(frame.view(), layers);
  if (!destination) return false;
  const MacAddr router = MacAddr::load(frame.data() + EthernetHeader::kDestination);
  if (router.is_multicast()) return false;
  const auto neighbour = neighbours.find(link, *destination, now);
  if (!neighbour) {
    if (missed != nullptr) *missed = *destination;
    return false;
  }
  if (neighbour->mac == router) return false;
  router.store(frame.data() + EthernetHeader::kSource);
  neighbour->mac.store(frame.data() + EthernetHeader::kDestination);
  return true;
}

}  // namespace vtep
