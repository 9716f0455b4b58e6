#include "wire/icmpv4.h"

#include <cassert>

#include "wire/checksum.h"

namespace vtep {

void Icmpv4Header::emit(ByteSpan message) const {
  assert(message.size() >= kSize);
  std::uint8_t* const p = message.data();
  p[kType] = type;
  p[kCode] = code;
  store_be16(p + kChecksum, 0);
  store_be32(p + kRest, rest);
  store_be16(p + kChecksum, internet_checksum(message));
}

std::optional<Icmpv4View> Icmpv4View::parse(ByteView message) {
  if (message.size() < Icmpv4Header::kSize) return std::nullopt;
  return Icmpv4View(message);
}

bool Icmpv4View::is_checksum_right() const {
  return internet_checksum(bytes_) == 0;
}

bool Icmpv4View::is_echo() const {
  return type() == icmpv4_type::kEchoRequest || type() == icmpv4_type::kEchoReply;
}

}  // namespace vtep
