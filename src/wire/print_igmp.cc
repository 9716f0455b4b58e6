#include "wire/icmpv6.h"
#include "wire/igmp.h"
#include "wire/mld.h"
#include "wire/print_parts.h"

namespace vtep::print {
namespace {

/// `3m24s`, or `1.0s` below a minute.
void append_tenths(std::string& out, std::uint32_t tenths) {
  static constexpr std::uint32_t kMinute = 600;
  if (tenths < kMinute) return append(out, tenths / 10, ".", tenths % 10, "s");
  append(out, tenths / kMinute, "m");
  if (tenths % kMinute != 0) append(out, tenths % kMinute / 10, "s");
}

/// What stands behind the group of a query with a list of sources.
void append_sources(std::string& out, std::uint32_t promised, std::size_t bytes, std::size_t address_size) {
  if (promised == 0) return;
  if (bytes < promised * address_size) {
    out += " [invalid number of sources]";
  } else {
    append(out, ", ", promised, " source(s)");
  }
}

void igmp_query(std::string& out, const IgmpView& view) {
  static constexpr std::size_t kQueryV3Size = 12;
  static constexpr std::size_t kSourceCount = 10;
  static constexpr std::uint8_t kDefault = 100;
  if (view.size() >= kQueryV3Size) {
    out += "igmp query v3";
    if (view.code() != kDefault) {
      out += " [max resp time ";
      append_tenths(out, IgmpTimeCode::decode(view.code()));
      out += ']';
    }
    if (view.group().is_unspecified()) return;
    append(out, " [gaddr ", view.group());
    append_sources(out, load_be16(view.bytes().data() + kSourceCount), view.size() - kQueryV3Size,
                   Ipv4::kSize);
    out += ']';
    return;
  }
  out += view.code() == 0 ? "igmp query v1" : "igmp query v2";
  if (view.code() != 0 && view.code() != kDefault) append(out, " [max resp time ", view.code(), "]");
  if (!view.group().is_unspecified()) append(out, " [gaddr ", view.group(), "]");
  if (view.size() != IgmpView::kMinSize) append(out, " [len ", view.size(), "]");
}

/// tcpdump forgets the blank in front.
void mld_v1_fields(std::string& out, ByteView body) {
  static constexpr std::size_t kFields = 20;
  if (body.size() < kFields) return;
  append(out, "max resp delay: ", load_be16(body.data()), " addr: ", Ipv6::load(body.data() + 4));
}

void mld_query(std::string& out, ByteView body) {
  static constexpr std::size_t kVersion1 = 20;
  static constexpr std::size_t kVersion2 = 24;
  out += "multicast listener query";
  if (body.size() == kVersion1) return mld_v1_fields(out, body);
  if (body.size() < kVersion2)
    return append(out, " unknown-version (len ", body.size() + Icmpv6Header::kSize, ") ");
  append(out, " v2 [gaddr ", Ipv6::load(body.data() + 4));
  append_sources(out, load_be16(body.data() + 22), body.size() - kVersion2, Ipv6::kSize);
  out += ']';
}

}  // namespace

void igmp(std::string& out, ByteView message) {
  const auto view = IgmpView::parse(message);
  if (!view) {
    out += " [|igmp]";
    return;
  }
  switch (view->type()) {
    case igmp_type::kQuery:
      return igmp_query(out, *view);
    case igmp_type::kReportV1:
      return append(out, "igmp v1 report ", view->group());
    case igmp_type::kReportV2:
      return append(out, "igmp v2 report ", view->group());
    case igmp_type::kLeave:
      return append(out, "igmp leave ", view->group());
    case igmp_type::kReportV3:
      return append(out, "igmp v3 report, ", view->record_count(), " group record(s)");
    default:
      return append(out, "igmp-", view->type());
  }
}

void mld(std::string& out, const Icmpv6View& message) {
  const ByteView body = message.body();
  switch (message.type()) {
    case mld_type::kQuery:
      return mld_query(out, body);
    case mld_type::kReport:
      out += "multicast listener report";
      return mld_v1_fields(out, body);
    case mld_type::kDone:
      out += "multicast listener done";
      return mld_v1_fields(out, body);
    default:
      out += "multicast listener report v2";
      if (body.size() >= 4) append(out, ", ", load_be16(body.data() + 2), " group record(s)");
  }
}

}  // namespace vtep::print
