#include "daemon/journal_line.h"

#include <gmock/gmock.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace vtep {
namespace {

using google::protobuf::util::MessageDifferencer;

std::string as_protobuf_writes(const v1::StateRecord& record) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string line;
  EXPECT_TRUE(google::protobuf::util::MessageToJsonString(record, &line, options).ok());
  return line + '\n';
}

std::string line_of(const v1::StateRecord& record) {
  std::string line;
  append_line(record, line);
  return line;
}

v1::StateRecord parsed(const std::string& line) {
  v1::StateRecord record;
  EXPECT_TRUE(parse_line(line, record)) << line;
  return record;
}

/// Each field is given or not; among the values are those that have to be escaped.
v1::StateRecord random_change(std::mt19937& random) {
  const auto one_of = [&random](const auto& values) {
    return values[std::uniform_int_distribution<std::size_t>(0, values.size() - 1)(random)];
  };
  const auto maybe = [&random] { return std::uniform_int_distribution<>(0, 3)(random) == 0; };
  const std::vector<std::string> names = {"",    "vxlan0", "a b",        "quote\"d", "back\\slash",
                                          "a<b", "tab\t",  "\xc3\xa4th", "eth0.7",   "a-b_c"};
  const std::vector<std::uint32_t> numbers = {0, 1, 4789, 16777215, 4294967295U};
  v1::StateRecord record;
  v1::FdbChange& change = *record.mutable_fdb();
  change.set_operation(static_cast<v1::FdbChange::Operation>(std::uniform_int_distribution<>(0, 5)(random)));
  change.set_force(maybe());
  if (maybe() && maybe()) return record;
  v1::FdbEntry& entry = *change.mutable_entry();
  entry.set_mac(maybe() ? one_of(names) : "02:00:00:00:01:ff");
  entry.set_dev(maybe() ? one_of(names) : "vxlan0");
  entry.set_dst(maybe() ? one_of(names) : "fd00:10::2");
  if (maybe()) entry.set_port(one_of(numbers));
  if (maybe()) entry.set_vni(one_of(numbers));
  if (maybe()) entry.set_via(one_of(names));
  entry.set_state(static_cast<v1::FdbState>(std::uniform_int_distribution<>(0, 4)(random)));
  if (maybe() && maybe()) entry.set_used(one_of(numbers));
  if (maybe() && maybe()) entry.set_updated(one_of(numbers));
  if (maybe()) entry.set_nhid(one_of(numbers));
  entry.set_router(maybe());
  if (maybe()) entry.set_src_vni(one_of(numbers));
  entry.set_frozen(maybe() && maybe());
  return record;
}

TEST(JournalLine, IsWhatProtobufWritesAndReads) {
  std::mt19937 random(1);
  for (int i = 0; i < 20'000; ++i) {
    const v1::StateRecord record = random_change(random);
    const std::string line = line_of(record);
    ASSERT_EQ(line, as_protobuf_writes(record));
    const v1::StateRecord again = parsed(line.substr(0, line.size() - 1));
    ASSERT_TRUE(MessageDifferencer::Equals(record, again)) << line;
  }
}

TEST(JournalLine, DoesNotCareForOrderOrBlanks) {
  const v1::StateRecord record = parsed(
      R"( { "fdb" : {"force":true, "entry":{"dev":"vxlan0","mac":"02:00:00:00:01:01"}, "operation":"OPERATION_ADD"}})");
  EXPECT_EQ(record.fdb().entry().mac(), "02:00:00:00:01:01");
  EXPECT_EQ(record.fdb().entry().dev(), "vxlan0");
  EXPECT_EQ(record.fdb().operation(), v1::FdbChange::OPERATION_ADD);
  EXPECT_TRUE(record.fdb().force());
}

/// Whatever happened to a line, the verdict is protobuf's.
TEST(JournalLine, DamageIsNoticedAsByProtobuf) {
  v1::StateRecord record;
  v1::FdbChange& change = *record.mutable_fdb();
  change.set_operation(v1::FdbChange::OPERATION_ADD);
  change.set_force(true);
  change.mutable_entry()->set_mac("02:00:00:00:01:01");
  change.mutable_entry()->set_dev("vxlan0");
  change.mutable_entry()->set_port(4789);
  change.mutable_entry()->set_state(v1::FDB_STATE_STATIC);
  change.mutable_entry()->set_src_vni(7);
  std::string whole = line_of(record);
  whole.pop_back();

  const auto compare = [](const std::string& line) {
    v1::StateRecord ours;
    v1::StateRecord theirs;
    const bool good = google::protobuf::util::JsonStringToMessage(line, &theirs).ok();
    ASSERT_EQ(parse_line(line, ours), good) << line;
    if (good) {
      ASSERT_TRUE(MessageDifferencer::Equals(ours, theirs)) << line;
    }
  };
  for (std::size_t i = 0; i < whole.size(); ++i) {
    compare(whole.substr(0, i));
    compare(whole.substr(0, i) + whole.substr(i + 1));
    for (const char c : {',', '"', '{', '}', ':', '0', 'x', ' ', '\\', '\0'}) {
      std::string changed = whole;
      changed[i] = c;
      compare(changed);
      compare(whole.substr(0, i) + c + whole.substr(i));
    }
  }
  compare(whole + whole);
}

}  // namespace
}  // namespace vtep
