#include "wire/ipv4.h"

#include <algorithm>
#include <cassert>

#include "wire/checksum.h"

namespace vtep {

void Ipv4Header::emit(ByteSpan datagram) const {
  assert(datagram.size() >= kSize && datagram.size() <= kMaxDatagram);
  std::uint8_t* const p = datagram.data();
  p[kVersionAndLength] = 0x45;
  p[kTrafficClass] = traffic_class;
  store_be16(p + kTotalLength, static_cast<std::uint16_t>(datagram.size()));
  store_be16(p + kIdentification, identification);
  store_be16(p + kFragment, dont_fragment ? kDontFragment : 0);
  p[kTtl] = ttl;
  p[kProtocol] = protocol;
  store_be16(p + kChecksum, 0);
  source.store(p + kSource);
  destination.store(p + kDestination);
  store_be16(p + kChecksum, internet_checksum(datagram.first(kSize)));
}

std::optional<Ipv4View> Ipv4View::parse(ByteView datagram) {
  if (datagram.size() < Ipv4Header::kSize) return std::nullopt;
  if (datagram[Ipv4Header::kVersionAndLength] >> 4 != 4) return std::nullopt;
  const Ipv4View view(datagram);
  if (view.header_length() < Ipv4Header::kSize || view.header_length() > datagram.size()) return std::nullopt;
  if (view.total_length() < view.header_length()) return std::nullopt;
  return Ipv4View(datagram.first(std::min<std::size_t>(view.total_length(), datagram.size())));
}

bool Ipv4View::is_checksum_right() const {
  return internet_checksum(bytes_.first(header_length())) == 0;
}

std::optional<Ipv4Header> Ipv4View::header() const {
  if (header_length() != Ipv4Header::kSize || is_fragment()) return std::nullopt;
  return Ipv4Header{source(),        destination(),    protocol(),     ttl(),
                    traffic_class(), identification(), dont_fragment()};
}

}  // namespace vtep
