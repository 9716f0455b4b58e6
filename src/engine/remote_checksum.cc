#include "engine/remote_checksum.h"

#include "wire/ethernet.h"
#include "wire/tcp.h"
#include "wire/udp.h"

namespace vtep {
namespace {

constexpr std::uint8_t kUdp = 0x80;
constexpr std::uint8_t kStartMask = 0x7f;
constexpr unsigned kStartShift = 1;
constexpr std::uint16_t kMaxStart = std::uint16_t{kStartMask} << kStartShift;

}  // namespace

std::optional<std::uint8_t> remote_checksum_byte(const Offload& offload) {
  if (!offload.needs_checksum || offload.checksum_start > kMaxStart || offload.checksum_start % 2 != 0)
    return std::nullopt;
  const auto start = static_cast<std::uint8_t>(offload.checksum_start >> kStartShift);
  if (offload.checksum_offset == UdpHeader::kChecksum) return start | kUdp;
  if (offload.checksum_offset == TcpHeader::kChecksum) return start;
  return std::nullopt;
}

bool apply_remote_checksum(Packet& frame, std::uint8_t byte) {
  const auto start = static_cast<std::uint16_t>((byte & kStartMask) << kStartShift);
  const std::uint16_t offset = (byte & kUdp) != 0 ? UdpHeader::kChecksum : TcpHeader::kChecksum;
  if (start < EthernetHeader::kSize || std::size_t{start} + offset + 2 > frame.size()) return false;
  frame.offload = {};
  frame.offload.needs_checksum = true;
  frame.offload.checksum_start = start;
  frame.offload.checksum_offset = offset;
  return true;
}

}  // namespace vtep
