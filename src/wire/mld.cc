#include "wire/mld.h"

#include <cassert>

#include "wire/checksum.h"
#include "wire/ip_protocol.h"

namespace vtep {
namespace {

// Offsets from the start of the ICMPv6 message.
constexpr std::size_t kMaxResponse = 4;
constexpr std::size_t kRecordCount = 6;
constexpr std::size_t kGroup = 8;
constexpr std::size_t kRecords = 8;
constexpr std::size_t kFlags = 24;
constexpr std::size_t kInterval = 25;
constexpr std::size_t kSourceCount = 26;
constexpr std::size_t kSources = 28;
constexpr std::size_t kSizeV1 = 24;

constexpr std::uint8_t kSuppress = 0x08;
constexpr std::uint8_t kRobustnessMask = 0x07;

constexpr std::uint8_t kHopLimit = 1;
constexpr Ipv6 kAllNodes({0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});

/// A view's body begins behind type, code and checksum.
const std::uint8_t* at(const Icmpv6View& message, std::size_t offset) {
  return message.body().data() + (offset - Icmpv6Header::kSize);
}

/// The group of a report or done; empty if it is none of that type.
std::optional<Ipv6> group_of(const Icmpv6View& message, std::uint8_t type) {
  if (message.type() != type || message.size() < kSizeV1) return std::nullopt;
  const Ipv6 group = Ipv6::load(at(message, kGroup));
  if (!group.is_multicast()) return std::nullopt;
  return group;
}

void emit_v1(ByteSpan message, std::uint8_t type, const Ipv6& group, std::uint64_t pseudo_sum) {
  assert(message.size() == kSizeV1);
  store_be32(message.data() + kMaxResponse, 0);
  group.store(message.data() + kGroup);
  Icmpv6Header{type, 0}.emit(message, pseudo_sum);
}

/// RFC 2711: option 5 of a hop-by-hop header, two bytes, 0 for MLD. Other options are passed over.
bool has_router_alert(ByteView hop_by_hop) {
  constexpr std::uint8_t kPad1 = 0;
  constexpr std::uint8_t kRouterAlert = 5;
  ByteView left = hop_by_hop.subspan(2);  // behind next header and length
  while (!left.empty()) {
    if (left[0] == kPad1) {
      left = left.subspan(1);
      continue;
    }
    if (left.size() < 2 || left.size() - 2 < left[1]) return false;
    if (left[0] == kRouterAlert && left[1] == 2 && load_be16(left.data() + 2) == 0) return true;
    left = left.subspan(std::size_t{2} + left[1]);
  }
  return false;
}

bool has_router_alert(const Ipv6View& packet) {
  ExtensionHeaderCursor cursor(packet.next_header(), packet.payload());
  // RFC 8200 section 4.1: it stands first or nowhere.
  const auto first = cursor.next();
  return first && first->type == kProtocolHopByHop && has_router_alert(first->bytes);
}

}  // namespace

bool is_mld_type(std::uint8_t type) {
  return type == mld_type::kQuery || type == mld_type::kReport || type == mld_type::kDone ||
         type == mld_type::kReportV2;
}

std::optional<MldQuery> MldQuery::parse(const Icmpv6View& message) {
  if (message.type() != mld_type::kQuery || message.size() < kSizeV1) return std::nullopt;
  MldQuery query;
  query.group = Ipv6::load(at(message, kGroup));
  const std::uint16_t code = load_be16(at(message, kMaxResponse));
  if (message.size() == kSizeV1) {
    query.version = 1;
    query.max_response = code;
    return query;
  }
  if (message.size() < kSources) return std::nullopt;
  const std::size_t source_bytes = load_be16(at(message, kSourceCount)) * Ipv6::kSize;
  if (message.size() - kSources < source_bytes) return std::nullopt;
  query.max_response = MldTimeCode::decode(code);
  query.suppress = (*at(message, kFlags) & kSuppress) != 0;
  query.robustness = *at(message, kFlags) & kRobustnessMask;
  query.interval = IgmpTimeCode::decode(*at(message, kInterval));
  query.sources = SourceList<Ipv6>(ByteView(at(message, kSources), source_bytes)).to_vector();
  return query;
}

std::size_t MldQuery::size() const {
  return version == 1 ? kSizeV1 : kSources + sources.size() * Ipv6::kSize;
}

void MldQuery::emit(ByteSpan message, std::uint64_t pseudo_sum) const {
  assert(message.size() == size() && sources.size() <= 0xffff && (version == 2 || sources.empty()));
  std::uint8_t* p = message.data();
  const std::uint32_t code = version == 1 ? max_response : MldTimeCode::encode(max_response);
  store_be32(p + kMaxResponse, code << 16);
  group.store(p + kGroup);
  if (version == 2) {
    p[kFlags] = static_cast<std::uint8_t>((suppress ? kSuppress : 0) | (robustness & kRobustnessMask));
    p[kInterval] = static_cast<std::uint8_t>(IgmpTimeCode::encode(interval));
    store_be16(p + kSourceCount, static_cast<std::uint16_t>(sources.size()));
    p += kSources;
    for (const Ipv6& source : sources) {
      source.store(p);
      p += Ipv6::kSize;
    }
  }
  Icmpv6Header{mld_type::kQuery, 0}.emit(message, pseudo_sum);
}

std::optional<MldReport> MldReport::parse(const Icmpv6View& message) {
  const auto group = group_of(message, mld_type::kReport);
  if (!group) return std::nullopt;
  return MldReport{*group};
}

std::size_t MldReport::size() {
  return kSizeV1;
}

void MldReport::emit(ByteSpan message, std::uint64_t pseudo_sum) const {
  emit_v1(message, mld_type::kReport, group, pseudo_sum);
}

std::optional<MldDone> MldDone::parse(const Icmpv6View& message) {
  const auto group = group_of(message, mld_type::kDone);
  if (!group) return std::nullopt;
  return MldDone{*group};
}

std::size_t MldDone::size() {
  return kSizeV1;
}

void MldDone::emit(ByteSpan message, std::uint64_t pseudo_sum) const {
  emit_v1(message, mld_type::kDone, group, pseudo_sum);
}

GroupRecordCursor<Ipv6> mld_records(const Icmpv6View& message) {
  if (message.type() != mld_type::kReportV2 || message.size() < kRecords) return {{}, 0};
  return {message.body().subspan(kRecords - Icmpv6Header::kSize), load_be16(at(message, kRecordCount))};
}

std::optional<MldReportV2> MldReportV2::parse(const Icmpv6View& message) {
  if (message.type() != mld_type::kReportV2 || message.size() < kRecords) return std::nullopt;
  auto records = read_records(mld_records(message));
  if (!records) return std::nullopt;
  return MldReportV2{std::move(*records)};
}

std::size_t MldReportV2::size() const {
  return kRecords + total_size(records);
}

void MldReportV2::emit(ByteSpan message, std::uint64_t pseudo_sum) const {
  assert(message.size() == size() && records.size() <= 0xffff);
  store_be32(message.data() + kMaxResponse, static_cast<std::uint32_t>(records.size()));
  emit_records(message.subspan(kRecords), records);
  Icmpv6Header{mld_type::kReportV2, 0}.emit(message, pseudo_sum);
}

bool is_valid_mld(const Ipv6View& packet, const Icmpv6View& message) {
  if (packet.is_truncated() || packet.hop_limit() != kHopLimit || packet.upper().fragment) return false;
  const Ipv6 source = packet.source();
  const auto length = static_cast<std::uint32_t>(message.size());
  const std::uint64_t sum = pseudo_header_sum(source, packet.destination(), kProtocolIcmpv6, length);
  if (!message.is_checksum_right(sum)) return false;

  const bool is_query = message.type() == mld_type::kQuery;
  if (!source.is_link_local() && (is_query || !source.is_unspecified())) return false;
  const bool is_v2 = message.type() == mld_type::kReportV2 || (is_query && message.size() >= kSources);
  if (is_v2 && !has_router_alert(packet)) return false;
  if (is_query && message.size() >= kSizeV1 && Ipv6::load(at(message, kGroup)).is_unspecified())
    return packet.destination() == kAllNodes;
  return true;
}

}  // namespace vtep
