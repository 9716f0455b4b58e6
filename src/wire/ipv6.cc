#include "wire/ipv6.h"

#include <algorithm>
#include <cassert>

#include "wire/ip_protocol.h"

namespace vtep {
namespace {

constexpr std::size_t kMinExtensionHeader = 8;
bool is_extension_header(std::uint8_t type) {
  switch (type) {
    case kProtocolHopByHop:
    case kProtocolRouting:
    case kProtocolFragment:
    case kProtocolAuthentication:
    case kProtocolDestinationOptions:
      return true;
    default:
      return false;
  }
}

std::size_t extension_length(std::uint8_t type, std::uint8_t length_field) {
  // The authentication header alone counts in words of four bytes, less two (RFC 4302 section 2.2).
  if (type == kProtocolAuthentication) return (std::size_t{length_field} + 2) * 4;
  if (type == kProtocolFragment) return kMinExtensionHeader;
  return (std::size_t{length_field} + 1) * 8;
}

}  // namespace

void Ipv6Header::emit(ByteSpan datagram) const {
  assert(datagram.size() >= kSize && datagram.size() <= kSize + kMaxPayload);
  std::uint8_t* const p = datagram.data();
  store_be32(p + kVersionClassLabel, 6U << 28 | std::uint32_t{traffic_class} << 20 | flow_label.value());
  store_be16(p + kPayloadLength, static_cast<std::uint16_t>(datagram.size() - kSize));
  p[kNextHeader] = next_header;
  p[kHopLimit] = hop_limit;
  source.store(p + kSource);
  destination.store(p + kDestination);
}

std::optional<ExtensionHeaderCursor::Header> ExtensionHeaderCursor::next() {
  if (!upper_.offset) return std::nullopt;
  if (!is_extension_header(upper_.protocol)) {
    if (upper_.protocol == kProtocolNoNextHeader) upper_.offset.reset();
    return std::nullopt;
  }
  const ByteView left = payload_.subspan(*upper_.offset);
  const std::size_t length =
      left.size() < kMinExtensionHeader ? kMinExtensionHeader : extension_length(upper_.protocol, left[1]);
  if (walked_ == kMaxExtensionHeaders || length > left.size()) {
    upper_.offset.reset();
    return std::nullopt;
  }
  const Header header{upper_.protocol, left.first(length)};
  ++walked_;
  upper_.protocol = left[0];
  *upper_.offset += length;
  if (header.type == kProtocolFragment) {
    const Ipv6FragmentField field(header.bytes);
    // RFC 6946: an "atomic" fragment, all of its datagram, is none.
    upper_.fragment = upper_.fragment || field.more() || field.offset() != 0;
    if (field.offset() != 0) upper_.offset.reset();
  }
  return header;
}

Ipv6Upper walk_extension_headers(std::uint8_t next_header, ByteView payload) {
  ExtensionHeaderCursor cursor(next_header, payload);
  while (cursor.next()) {
  }
  return cursor.upper();
}

std::optional<Ipv6View> Ipv6View::parse(ByteView datagram) {
  if (datagram.size() < Ipv6Header::kSize) return std::nullopt;
  if (datagram[Ipv6Header::kVersionClassLabel] >> 4 != 6) return std::nullopt;
  const std::size_t stated = Ipv6Header::kSize + Ipv6View(datagram).payload_length();
  return Ipv6View(datagram.first(std::min(stated, datagram.size())));
}

Ipv6Header Ipv6View::header() const {
  return {source(), destination(), next_header(), hop_limit(), traffic_class(), flow_label()};
}

}  // namespace vtep
