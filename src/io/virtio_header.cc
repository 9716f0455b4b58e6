#include "io/virtio_header.h"

namespace vtep {
namespace {

constexpr std::size_t kFlags = 0;
constexpr std::size_t kGsoType = 1;
constexpr std::size_t kHeaderLength = 2;
constexpr std::size_t kGsoSize = 4;
constexpr std::size_t kChecksumStart = 6;
constexpr std::size_t kChecksumOffset = 8;
constexpr std::size_t kNumBuffers = 10;

constexpr std::uint8_t kNeedsChecksum = 1;
constexpr std::uint8_t kDataValid = 2;

constexpr std::uint8_t kGsoNone = 0;
constexpr std::uint8_t kGsoTcp4 = 1;
constexpr std::uint8_t kGsoTcp6 = 4;
constexpr std::uint8_t kGsoUdpL4 = 5;
constexpr std::uint8_t kGsoEcn = 0x80;  // a flag beside the type: the first segment has CWR set

constexpr std::size_t kEthernetHeader = 14;
constexpr std::size_t kUdpHeader = 8;
constexpr std::size_t kTcpMinHeader = 20;
constexpr std::size_t kTcpDataOffset = 12;
constexpr std::size_t kTcpFlags = 13;
constexpr std::uint8_t kTcpCwr = 0x80;
constexpr std::size_t kTcpChecksum = 16;
constexpr std::size_t kUdpChecksum = 6;

std::uint16_t load_le16(const std::uint8_t* p) {
  return static_cast<std::uint16_t>(p[0] | p[1] << 8);
}

void store_le16(std::uint8_t* p, std::uint16_t value) {
  p[0] = static_cast<std::uint8_t>(value);
  p[1] = static_cast<std::uint8_t>(value >> 8);
}

std::optional<Segmentation> segmentation_of(std::uint8_t gso_type) {
  switch (gso_type & ~kGsoEcn) {
    case kGsoNone:
      return Segmentation::kNone;
    case kGsoTcp4:
      return Segmentation::kTcp4;
    case kGsoTcp6:
      return Segmentation::kTcp6;
    case kGsoUdpL4:
      return Segmentation::kUdp;
    default:
      return std::nullopt;
  }
}

std::uint8_t gso_type_of(Segmentation segmentation) {
  switch (segmentation) {
    case Segmentation::kNone:
      return kGsoNone;
    case Segmentation::kTcp4:
      return kGsoTcp4;
    case Segmentation::kTcp6:
      return kGsoTcp6;
    case Segmentation::kUdp:
      return kGsoUdpL4;
  }
  return kGsoNone;
}

/// The kernel's own receive offload marks what it merged in the same way, from the same bit.
bool has_cwr(const Offload& offload, ByteView head) {
  if (offload.segmentation != Segmentation::kTcp4 && offload.segmentation != Segmentation::kTcp6)
    return false;
  const std::size_t flags = std::size_t{offload.checksum_start} + kTcpFlags;
  return flags < head.size() && (head[flags] & kTcpCwr) != 0;
}

/// Bytes up to the transport payload, or 0 if the frame is too short to tell or holds no payload.
std::size_t header_length_of(Segmentation segmentation, std::size_t transport, ByteView frame) {
  std::size_t length = transport + kUdpHeader;
  if (segmentation != Segmentation::kUdp) {
    if (frame.size() < transport + kTcpMinHeader) return 0;
    const std::size_t tcp_header = std::size_t{frame[transport + kTcpDataOffset]} >> 4 << 2;
    if (tcp_header < kTcpMinHeader) return 0;
    length = transport + tcp_header;
  }
  return length < frame.size() && length <= 0xffff ? length : 0;
}

}  // namespace

std::optional<Offload> parse_virtio_header(const std::array<std::uint8_t, kVirtioHeaderSize>& header,
                                           ByteView frame) {
  Offload offload;
  const std::uint8_t flags = header[kFlags];
  offload.checksum_valid = (flags & kDataValid) != 0;
  offload.needs_checksum = (flags & kNeedsChecksum) != 0;
  if (offload.needs_checksum) {
    offload.checksum_start = load_le16(header.data() + kChecksumStart);
    offload.checksum_offset = load_le16(header.data() + kChecksumOffset);
    const std::size_t field = std::size_t{offload.checksum_start} + offload.checksum_offset;
    if (offload.checksum_start < kEthernetHeader || field + 2 > frame.size()) return std::nullopt;
  }

  const auto segmentation = segmentation_of(header[kGsoType]);
  if (!segmentation) return std::nullopt;
  offload.segmentation = *segmentation;
  if (*segmentation != Segmentation::kNone) {
    // Every segment gets a checksum of its own, so one without a place for it cannot be cut.
    if (!offload.needs_checksum) return std::nullopt;
    if (offload.checksum_offset != (*segmentation == Segmentation::kUdp ? kUdpChecksum : kTcpChecksum))
      return std::nullopt;
    offload.segment_size = load_le16(header.data() + kGsoSize);
    const std::size_t length = header_length_of(*segmentation, offload.checksum_start, frame);
    if (offload.segment_size == 0 || length == 0) return std::nullopt;
    offload.header_length = static_cast<std::uint16_t>(length);
  }
  return offload;
}

void store_virtio_header(const Offload& offload, ByteView head, std::uint8_t* p) {
  const bool segmented = offload.segmentation != Segmentation::kNone;
  std::uint8_t flags = 0;
  if (offload.needs_checksum) {
    flags = kNeedsChecksum;
  } else if (offload.checksum_valid) {
    flags = kDataValid;
  }
  p[kFlags] = flags;
  p[kGsoType] = gso_type_of(offload.segmentation) | (has_cwr(offload, head) ? kGsoEcn : kGsoNone);
  store_le16(p + kHeaderLength, segmented ? offload.header_length : std::uint16_t{0});
  store_le16(p + kGsoSize, segmented ? offload.segment_size : std::uint16_t{0});
  store_le16(p + kChecksumStart, offload.needs_checksum ? offload.checksum_start : std::uint16_t{0});
  store_le16(p + kChecksumOffset, offload.needs_checksum ? offload.checksum_offset : std::uint16_t{0});
  store_le16(p + kNumBuffers, 0);
}

}  // namespace vtep
