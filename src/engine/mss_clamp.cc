#include "engine/mss_clamp.h"

#include <bit>

#include "wire/checksum.h"
#include "wire/ip_protocol.h"
#include "wire/ipv4.h"
#include "wire/ipv6.h"
#include "wire/options.h"
#include "wire/tcp.h"

namespace vtep {
namespace {

constexpr std::size_t kMssSize = 2;  // of the option's data

/// Whether the checksum field of the TCP header at `l4` is to be finished by somebody later.
bool is_unfinished(const Offload& offload, std::size_t l4) {
  return offload.needs_checksum &&
         std::size_t{offload.checksum_start} + offload.checksum_offset == l4 + TcpHeader::kChecksum;
}

/// Replaces the word `at` bytes into the TCP segment, and unless it is unfinished, its part in the checksum.
void replace_word(std::uint8_t* segment, std::size_t at, std::uint16_t after, bool unfinished) {
  std::uint16_t before = load_be16(segment + at);
  store_be16(segment + at, after);
  if (unfinished) return;
  // Behind an odd number of one-byte options the word lies across two words of the sum. The one's complement
  // sum of swapped words is the swapped sum (RFC 1071 section 2 (B)), so the word counts as if it were
  // swapped.
  if (at % 2 != 0) {
    before = std::byteswap(before);
    after = std::byteswap(after);
  }
  std::uint8_t* const field = segment + TcpHeader::kChecksum;
  store_be16(field, checksum_update(load_be16(field), before, after));
}

}  // namespace

bool clamp_mss(Packet& frame, const Layers& layers, std::uint32_t inner_mtu) {
  if (layers.protocol != kProtocolTcp || layers.l4 == 0) return false;
  const auto tcp = TcpView::parse(frame.view().subspan(layers.l4, layers.end - layers.l4));
  if (!tcp || (tcp->flags() & tcp_flag::kSyn) == 0) return false;
  const std::size_t headers =
      (layers.ip == Layers::Ip::kV4 ? Ipv4Header::kSize : Ipv6Header::kSize) + TcpHeader::kSize;
  if (inner_mtu <= headers || inner_mtu - headers > 0xffff) return false;
  const auto limit = static_cast<std::uint16_t>(inner_mtu - headers);

  std::uint8_t* const segment = frame.data() + layers.l4;
  const bool unfinished = is_unfinished(frame.offload, layers.l4);
  bool changed = false;
  OptionCursor cursor(tcp->options());
  while (const auto option = cursor.next()) {
    if (option->kind != tcp_option::kMaxSegmentSize || option->data.size() != kMssSize) continue;
    if (load_be16(option->data.data()) <= limit) continue;
    replace_word(segment, static_cast<std::size_t>(option->data.data() - segment), limit, unfinished);
    changed = true;
  }
  return changed;
}

}  // namespace vtep
