#include "wire/udp.h"

#include <algorithm>
#include <cassert>

#include "wire/checksum.h"

namespace vtep {

void UdpHeader::emit(ByteSpan datagram) const {
  assert(datagram.size() >= kSize && datagram.size() <= kMaxDatagram);
  std::uint8_t* const p = datagram.data();
  store_be16(p + kSourcePort, source.value());
  store_be16(p + kDestinationPort, destination.value());
  store_be16(p + kLength, static_cast<std::uint16_t>(datagram.size()));
  store_be16(p + kChecksum, 0);
}

void UdpHeader::emit(ByteSpan datagram, std::uint64_t pseudo_sum) const {
  emit(datagram);
  store_be16(datagram.data() + kChecksum, checksum_finish_udp(checksum_partial(datagram, pseudo_sum)));
}

std::optional<UdpView> UdpView::parse(ByteView datagram) {
  if (datagram.size() < UdpHeader::kSize) return std::nullopt;
  const std::uint16_t stated = UdpView(datagram).length();
  if (stated < UdpHeader::kSize) return std::nullopt;
  return UdpView(datagram.first(std::min<std::size_t>(stated, datagram.size())));
}

bool UdpView::is_checksum_right(std::uint64_t pseudo_sum) const {
  if (checksum() == 0) return true;
  return !is_truncated() && checksum_fold(checksum_partial(bytes_, pseudo_sum)) == 0xffff;
}

}  // namespace vtep
