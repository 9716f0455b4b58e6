#include "wire/igmp.h"

#include <cassert>

#include "wire/checksum.h"

namespace vtep {
namespace {

constexpr std::size_t kCode = 1;
constexpr std::size_t kChecksum = 2;
constexpr std::size_t kGroup = 4;
constexpr std::size_t kRecordCount = 6;
// Of a query of version 3.
constexpr std::size_t kFlags = 8;
constexpr std::size_t kInterval = 9;
constexpr std::size_t kSourceCount = 10;
constexpr std::size_t kSources = 12;

constexpr std::uint8_t kSuppress = 0x08;
constexpr std::uint8_t kRobustnessMask = 0x07;

/// RFC 3376 section 7.2.1 (and RFC 2236 section 4): what the zero in a query of version 1 stands for.
constexpr std::uint32_t kVersion1Response = 100;
constexpr std::uint8_t kTtl = 1;

void emit_fixed(ByteSpan message, std::uint8_t type, std::uint8_t code, Ipv4 group) {
  message[0] = type;
  message[kCode] = code;
  group.store(message.data() + kGroup);
}

void emit_checksum(ByteSpan message) {
  store_be16(message.data() + kChecksum, 0);
  store_be16(message.data() + kChecksum, internet_checksum(message));
}

}  // namespace

std::optional<IgmpView> IgmpView::parse(ByteView message) {
  if (message.size() < kMinSize) return std::nullopt;
  return IgmpView(message);
}

bool IgmpView::is_checksum_right() const {
  return internet_checksum(bytes_) == 0;
}

std::optional<IgmpQuery> IgmpQuery::parse(const IgmpView& message) {
  if (message.type() != igmp_type::kQuery) return std::nullopt;
  IgmpQuery query;
  query.group = message.group();
  if (message.size() == IgmpView::kMinSize) {
    query.version = message.code() == 0 ? 1 : 2;
    query.max_response = message.code() == 0 ? kVersion1Response : message.code();
    return query;
  }
  if (message.size() < kSources) return std::nullopt;
  const ByteView bytes = message.bytes();
  const std::size_t source_bytes = load_be16(bytes.data() + kSourceCount) * Ipv4::kSize;
  if (message.size() - kSources < source_bytes) return std::nullopt;
  query.max_response = IgmpTimeCode::decode(message.code());
  query.suppress = (bytes[kFlags] & kSuppress) != 0;
  query.robustness = bytes[kFlags] & kRobustnessMask;
  query.interval = IgmpTimeCode::decode(bytes[kInterval]);
  query.sources = SourceList<Ipv4>(bytes.subspan(kSources, source_bytes)).to_vector();
  return query;
}

std::size_t IgmpQuery::size() const {
  return version < 3 ? IgmpView::kMinSize : kSources + sources.size() * Ipv4::kSize;
}

void IgmpQuery::emit(ByteSpan message) const {
  assert(message.size() == size() && sources.size() <= 0xffff && (version == 3 || sources.empty()));
  const std::uint32_t code = version == 1   ? 0
                             : version == 2 ? max_response
                                            : IgmpTimeCode::encode(max_response);
  emit_fixed(message, igmp_type::kQuery, static_cast<std::uint8_t>(code), group);
  if (version == 3) {
    std::uint8_t* p = message.data();
    p[kFlags] = static_cast<std::uint8_t>((suppress ? kSuppress : 0) | (robustness & kRobustnessMask));
    p[kInterval] = static_cast<std::uint8_t>(IgmpTimeCode::encode(interval));
    store_be16(p + kSourceCount, static_cast<std::uint16_t>(sources.size()));
    p += kSources;
    for (const Ipv4 source : sources) {
      source.store(p);
      p += Ipv4::kSize;
    }
  }
  emit_checksum(message);
}

std::optional<IgmpReport> IgmpReport::parse(const IgmpView& message) {
  const bool is_v1 = message.type() == igmp_type::kReportV1;
  if (!is_v1 && message.type() != igmp_type::kReportV2) return std::nullopt;
  if (!message.group().is_multicast()) return std::nullopt;
  return IgmpReport{static_cast<std::uint8_t>(is_v1 ? 1 : 2), message.group()};
}

void IgmpReport::emit(ByteSpan message) const {
  assert(message.size() == size());
  emit_fixed(message, version == 1 ? igmp_type::kReportV1 : igmp_type::kReportV2, 0, group);
  emit_checksum(message);
}

std::optional<IgmpLeave> IgmpLeave::parse(const IgmpView& message) {
  if (message.type() != igmp_type::kLeave || !message.group().is_multicast()) return std::nullopt;
  return IgmpLeave{message.group()};
}

void IgmpLeave::emit(ByteSpan message) const {
  assert(message.size() == size());
  emit_fixed(message, igmp_type::kLeave, 0, group);
  emit_checksum(message);
}

std::optional<IgmpReportV3> IgmpReportV3::parse(const IgmpView& message) {
  if (message.type() != igmp_type::kReportV3) return std::nullopt;
  auto records = read_records(message.records());
  if (!records) return std::nullopt;
  return IgmpReportV3{std::move(*records)};
}

std::size_t IgmpReportV3::size() const {
  return IgmpView::kMinSize + total_size(records);
}

void IgmpReportV3::emit(ByteSpan message) const {
  assert(message.size() == size() && records.size() <= 0xffff);
  emit_fixed(message, igmp_type::kReportV3, 0, {});
  store_be16(message.data() + kRecordCount, static_cast<std::uint16_t>(records.size()));
  emit_records(message.subspan(IgmpView::kMinSize), records);
  emit_checksum(message);
}

bool is_valid_igmp(const Ipv4View& packet, const IgmpView& message) {
  if (packet.is_truncated() || packet.is_fragment() || packet.ttl() != kTtl) return false;
  if (packet.source().is_multicast()) return false;
  if (!packet.is_checksum_right() || !message.is_checksum_right()) return false;
  const bool is_general = message.type() == igmp_type::kQuery && message.group().is_unspecified();
  return !is_general || packet.destination() == kAllSystems;
}

}  // namespace vtep
