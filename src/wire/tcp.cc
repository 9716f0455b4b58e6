#include "wire/tcp.h"

#include <algorithm>
#include <cassert>

#include "wire/checksum.h"

namespace vtep {

void TcpHeader::emit(ByteSpan segment, ByteView options, std::uint64_t pseudo_sum) const {
  assert(options.size() % 4 == 0 && options.size() <= kMaxOptions);
  assert(segment.size() >= kSize + options.size());
  std::uint8_t* const p = segment.data();
  store_be16(p + kSourcePort, source.value());
  store_be16(p + kDestinationPort, destination.value());
  store_be32(p + kSequence, sequence);
  store_be32(p + kAcknowledgment, acknowledgment);
  p[kDataOffset] = static_cast<std::uint8_t>((kSize + options.size()) / 4 << 4);
  p[kFlags] = flags;
  store_be16(p + kWindow, window);
  store_be16(p + kChecksum, 0);
  store_be16(p + kUrgent, urgent);
  std::copy(options.begin(), options.end(), segment.begin() + kSize);
  store_be16(p + kChecksum, checksum_finish(checksum_partial(segment, pseudo_sum)));
}

std::optional<TcpView> TcpView::parse(ByteView segment) {
  if (segment.size() < TcpHeader::kSize) return std::nullopt;
  const TcpView view(segment);
  if (view.header_length() < TcpHeader::kSize || view.header_length() > segment.size()) return std::nullopt;
  return view;
}

bool TcpView::is_checksum_right(std::uint64_t pseudo_sum) const {
  return checksum_fold(checksum_partial(bytes_, pseudo_sum)) == 0xffff;
}

TcpHeader TcpView::header() const {
  return {source(), destination(), sequence(), acknowledgment(), flags(), window(), urgent()};
}

}  // namespace vtep
