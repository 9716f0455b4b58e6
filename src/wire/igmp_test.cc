#include "wire/igmp.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "wire/checksum.h"
#include "wire/golden_frames.h"

namespace vtep {
namespace {

const Ipv4 kGroup(239, 1, 1, 1);

struct Message {
  explicit Message(ByteView frame)
      : packet(*Ipv4View::parse(frame.subspan(14))), igmp(*IgmpView::parse(packet.payload())) {}
  Ipv4View packet;
  IgmpView igmp;
};

Message golden(std::string_view name) {
  return Message(golden_frame(name));
}

template <typename Value>
void expect_same_bytes(std::string_view name) {
  const Message message = golden(name);
  const auto value = Value::parse(message.igmp);
  ASSERT_TRUE(value) << name;
  std::vector<std::uint8_t> out(value->size(), 0xff);
  value->emit(out);
  const ByteView expected = message.igmp.bytes();
  EXPECT_TRUE(std::equal(out.begin(), out.end(), expected.begin(), expected.end())) << name;
}

TEST(Igmp, EmitsWhatItParsed) {
  for (const auto* name : {"igmp-query-v1", "igmp-query-v2", "igmp-query-v2-group", "igmp-query-v3",
                           "igmp-query-v3-group", "igmp-query-v3-sources", "igmp-query-v3-long-response"}) {
    expect_same_bytes<IgmpQuery>(name);
  }
  expect_same_bytes<IgmpReport>("igmp-report-v1");
  expect_same_bytes<IgmpReport>("igmp-report-v2");
  expect_same_bytes<IgmpLeave>("igmp-leave");
  expect_same_bytes<IgmpReportV3>("igmpv3-report");
}

TEST(Igmp, QueryVersions) {
  const auto v1 = IgmpQuery::parse(golden("igmp-query-v1").igmp);
  EXPECT_EQ(v1, (IgmpQuery{.version = 1, .group = {}, .max_response = 100}));
  const auto v2 = IgmpQuery::parse(golden("igmp-query-v2-group").igmp);
  EXPECT_EQ(v2, (IgmpQuery{.version = 2, .group = kGroup, .max_response = 10}));
  const auto v3 = IgmpQuery::parse(golden("igmp-query-v3-sources").igmp);
  EXPECT_EQ(v3, (IgmpQuery{.version = 3,
                           .group = kGroup,
                           .max_response = 208,
                           .suppress = false,
                           .robustness = 2,
                           .interval = 256,
                           .sources = {Ipv4(192, 0, 2, 9), Ipv4(198, 51, 100, 10)}}));
  EXPECT_TRUE(IgmpQuery::parse(golden("igmp-query-v3-group").igmp)->suppress);
  EXPECT_FALSE(IgmpQuery::parse(golden("igmp-query-length-10").igmp));
  EXPECT_FALSE(IgmpQuery::parse(golden("igmp-query-v3-sources-cut-off").igmp));
  EXPECT_FALSE(IgmpQuery::parse(golden("igmp-report-v2").igmp));
}

TEST(Igmp, ReportsAndLeave) {
  EXPECT_EQ(IgmpReport::parse(golden("igmp-report-v1").igmp), (IgmpReport{1, kGroup}));
  EXPECT_EQ(IgmpReport::parse(golden("igmp-report-v2").igmp), (IgmpReport{2, kGroup}));
  EXPECT_EQ(IgmpReport::parse(golden("igmp-report-v2-long").igmp), (IgmpReport{2, kGroup}));
  EXPECT_EQ(IgmpLeave::parse(golden("igmp-leave").igmp), IgmpLeave{kGroup});
  EXPECT_FALSE(IgmpReport::parse(golden("igmp-leave").igmp));
  EXPECT_FALSE(IgmpLeave::parse(golden("igmp-report-v2").igmp));
}

TEST(Igmp, RefusesAGroupThatIsNone) {
  std::vector<std::uint8_t> bytes(8);
  IgmpReport{2, Ipv4(10, 0, 0, 1)}.emit(bytes);
  EXPECT_FALSE(IgmpReport::parse(*IgmpView::parse(bytes)));
  IgmpLeave{Ipv4()}.emit(bytes);
  EXPECT_FALSE(IgmpLeave::parse(*IgmpView::parse(bytes)));
}

// The second record of the golden frame has no sources, the third is followed by auxiliary data, which are
// not kept.
TEST(Igmp, RecordsOfVersion3) {
  const auto report = IgmpReportV3::parse(golden("igmp-report-v3-sources").igmp);
  const std::vector<GroupRecord<Ipv4>> expected = {
      {RecordType::kBlock, kGroup, {Ipv4(192, 0, 2, 9)}},
      {RecordType::kToInclude, Ipv4(239, 1, 1, 2), {}},
      {RecordType::kIsInclude, Ipv4(239, 1, 1, 3), {Ipv4(198, 51, 100, 10)}},
  };
  EXPECT_EQ(report, IgmpReportV3{expected});
  EXPECT_FALSE(IgmpReportV3::parse(golden("igmp-report-v3-cut-off").igmp));
  EXPECT_FALSE(IgmpReportV3::parse(golden("igmp-leave").igmp));
}

TEST(Igmp, PassesOverUnknownRecordTypes) {
  const GroupRecord<Ipv4> known{RecordType::kIsExclude, kGroup, {}};
  const IgmpReportV3 report{{{RecordType::kAllow, kGroup, {}}, known}};
  std::vector<std::uint8_t> bytes(report.size());
  report.emit(bytes);
  for (const unsigned unknown : {0U, 7U, 255U}) {
    bytes[8] = static_cast<std::uint8_t>(unknown);
    EXPECT_EQ(IgmpReportV3::parse(*IgmpView::parse(bytes)), IgmpReportV3{{known}});
  }
}

// A count of sources, of records, or of auxiliary words that would reach behind the message.
TEST(Igmp, HostileLengths) {
  const IgmpReportV3 report{{{RecordType::kAllow, kGroup, {Ipv4(192, 0, 2, 9)}}}};
  std::vector<std::uint8_t> good(report.size());
  report.emit(good);
  const auto with = [&](std::size_t at, std::uint8_t value) {
    auto bytes = good;
    bytes[at] = value;
    return IgmpReportV3::parse(*IgmpView::parse(bytes));
  };
  EXPECT_TRUE(with(0, 0x22));
  EXPECT_FALSE(with(6, 0xff));  // records
  EXPECT_FALSE(with(7, 2));
  EXPECT_FALSE(with(9, 1));  // auxiliary words
  EXPECT_FALSE(with(9, 0xff));
  EXPECT_FALSE(with(10, 0xff));  // sources
  EXPECT_FALSE(with(11, 2));
  for (std::size_t size = 0; size < good.size(); ++size) {
    const auto view = IgmpView::parse(ByteView(good).first(size));
    EXPECT_EQ(view.has_value(), size >= 8);
    if (view) {
      EXPECT_FALSE(IgmpReportV3::parse(*view)) << size;
    }
  }
}

TEST(Igmp, TimeCodes) {
  EXPECT_EQ(IgmpTimeCode::decode(127), 127U);
  EXPECT_EQ(IgmpTimeCode::decode(128), 128U);
  EXPECT_EQ(IgmpTimeCode::decode(255), 31744U);
  EXPECT_EQ(MldTimeCode::decode(0x7fff), 32767U);
  EXPECT_EQ(MldTimeCode::decode(0x8000), 32768U);
  EXPECT_EQ(MldTimeCode::decode(0xffff), 8387584U);
  for (std::uint32_t code = 0; code <= 0xff; ++code)
    EXPECT_EQ(IgmpTimeCode::encode(IgmpTimeCode::decode(code)), code);
  for (std::uint32_t code = 0; code <= 0xffff; ++code)
    ASSERT_EQ(MldTimeCode::encode(MldTimeCode::decode(code)), code);
  EXPECT_EQ(IgmpTimeCode::decode(IgmpTimeCode::encode(135)), 128U);  // rounded down
  EXPECT_EQ(IgmpTimeCode::decode(IgmpTimeCode::encode(0xffffffff)), 31744U);
}

TEST(Igmp, ValidPackets) {
  for (const auto* name :
       {"igmp-query-v1", "igmp-query-v2", "igmp-query-v3", "igmp-query-v2-group", "igmp-report-v1",
        "igmp-report-v2", "igmp-leave", "igmp-report-v3-sources", "igmpv3-report"}) {
    const Message message = golden(name);
    EXPECT_TRUE(is_valid_igmp(message.packet, message.igmp)) << name;
  }
}

struct Flaw {
  const char* what;
  std::size_t at;  ///< in the datagram
  std::uint8_t value;
  bool mend;  ///< the IP header's checksum
};

TEST(Igmp, InvalidPackets) {
  const ByteView frame = golden_frame("igmp-query-v2").subspan(14);
  const auto is_valid = [](const std::vector<std::uint8_t>& bytes) {
    const auto packet = Ipv4View::parse(bytes);
    return is_valid_igmp(*packet, *IgmpView::parse(packet->payload()));
  };
  const std::vector<std::uint8_t> good(frame.begin(), frame.end());
  ASSERT_TRUE(is_valid(good));
  const Flaw flaws[] = {
      {"TTL 2", 8, 2, true},
      {"IP checksum", 4, 0x77, false},
      {"IGMP checksum", 26, 0x77, false},
      {"a part of a datagram", 6, 0x20, true},
      {"from a group", 12, 224, true},
      {"general query to a single host", 16, 10, true},
      {"length beyond the end", 3, 60, true},
  };
  for (const Flaw& flaw : flaws) {
    auto bytes = good;
    bytes[flaw.at] = flaw.value;
    if (flaw.mend) {
      store_be16(bytes.data() + 10, 0);
      store_be16(bytes.data() + 10, internet_checksum(ByteView(bytes).first(24)));
    }
    EXPECT_FALSE(is_valid(bytes)) << flaw.what;
  }
}

}  // namespace
}  // namespace vtep
