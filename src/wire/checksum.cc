#include "wire/checksum.h"

#include <bit>
#include <cstring>

namespace vtep {
namespace {

// The one's complement sum does not care about byte order as long as the result is swapped once at the end
// (RFC 1071 section 2 (B)): words are loaded as the machine has them, eight bytes at a time.
template <typename Word>
Word load_native(const std::uint8_t* p) {
  Word word;
  std::memcpy(&word, p, sizeof word);
  return word;
}

std::uint64_t add_with_carry(std::uint64_t a, std::uint64_t b) {
  const bool carry = __builtin_add_overflow(a, b, &a);
  return a + carry;
}

}  // namespace

std::uint64_t checksum_partial(ByteView bytes, std::uint64_t initial) {
  const std::uint8_t* p = bytes.data();
  std::size_t left = bytes.size();
  // Four chains, so that one carry need not wait for another.
  std::uint64_t sum_a = 0, sum_b = 0, sum_c = 0, sum_d = 0;
  for (; left >= 32; left -= 32, p += 32) {
    sum_a = add_with_carry(sum_a, load_native<std::uint64_t>(p));
    sum_b = add_with_carry(sum_b, load_native<std::uint64_t>(p + 8));
    sum_c = add_with_carry(sum_c, load_native<std::uint64_t>(p + 16));
    sum_d = add_with_carry(sum_d, load_native<std::uint64_t>(p + 24));
  }
  std::uint64_t sum = add_with_carry(add_with_carry(sum_a, sum_b), add_with_carry(sum_c, sum_d));
  for (; left >= 8; left -= 8, p += 8) sum = add_with_carry(sum, load_native<std::uint64_t>(p));
  if ((left & 4) != 0) {
    sum = add_with_carry(sum, load_native<std::uint32_t>(p));
    p += 4;
  }
  if ((left & 2) != 0) {
    sum = add_with_carry(sum, load_native<std::uint16_t>(p));
    p += 2;
  }
  if ((left & 1) != 0) {
    const std::uint8_t padded[2] = {*p, 0};
    sum = add_with_carry(sum, load_native<std::uint16_t>(padded));
  }
  std::uint16_t folded = checksum_fold(sum);
  if constexpr (std::endian::native == std::endian::little) folded = std::byteswap(folded);
  return initial + folded;
}

std::uint16_t internet_checksum(ByteView bytes) {
  return checksum_finish(checksum_partial(bytes));
}

std::uint64_t pseudo_header_sum(const Ipv6& source, const Ipv6& destination, std::uint8_t protocol,
                                std::uint32_t length) {
  const std::uint64_t addresses = checksum_partial(destination.octets(), checksum_partial(source.octets()));
  return addresses + length + protocol;
}

}  // namespace vtep
