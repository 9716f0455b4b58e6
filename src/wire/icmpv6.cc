#include "wire/icmpv6.h"

#include <cassert>

#include "wire/checksum.h"

namespace vtep {

void Icmpv6Header::emit(ByteSpan message, std::uint64_t pseudo_sum) const {
  assert(message.size() >= kSize);
  std::uint8_t* const p = message.data();
  p[kType] = type;
  p[kCode] = code;
  store_be16(p + kChecksum, 0);
  store_be16(p + kChecksum, checksum_finish(checksum_partial(message, pseudo_sum)));
}

std::optional<Icmpv6View> Icmpv6View::parse(ByteView message) {
  if (message.size() < Icmpv6Header::kSize) return std::nullopt;
  return Icmpv6View(message);
}

bool Icmpv6View::is_checksum_right(std::uint64_t pseudo_sum) const {
  return checksum_fold(checksum_partial(bytes_, pseudo_sum)) == 0xffff;
}

}  // namespace vtep
