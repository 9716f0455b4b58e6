#include "control/etcd_message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "control/backoff.h"
#include "control/printable.h"

namespace vtep {
namespace {

namespace pb = etcdserverpb;

pb::RangeResponse page(const std::vector<std::string>& keys, bool more = false) {
  pb::RangeResponse response;
  response.mutable_header()->set_revision(7);
  response.set_more(more);
  for (const std::string& key : keys) response.add_kvs()->set_key(key);
  return response;
}

pb::WatchResponse events(const std::vector<std::pair<std::string, std::int64_t>>& changes,
                         std::int64_t revision) {
  pb::WatchResponse response;
  response.mutable_header()->set_revision(revision);
  for (const auto& [key, mod_revision] : changes) {
    pb::KeyValue& kv = *response.add_events()->mutable_kv();
    kv.set_key(key);
    kv.set_mod_revision(mod_revision);
  }
  return response;
}

TEST(EtcdMessageTest, APrefixEndsWhereTheNextBegins) {
  EXPECT_EQ(end_of_prefix("/a/"), "/a0");
  EXPECT_EQ(end_of_prefix("a\xff\xff"), "b");
  EXPECT_EQ(end_of_prefix("\xff"), std::string(1, '\0'));
  EXPECT_EQ(end_of_prefix(""), std::string(1, '\0'));
  EXPECT_EQ(end_of_prefix("\x7f"), "\x80");
  EXPECT_EQ(start_of_prefix(""), std::string(1, '\0'));
  EXPECT_EQ(start_of_prefix("a"), "a");
}

TEST(EtcdMessageTest, TakesAPageBehindTheOneBefore) {
  std::vector<EtcdEntry> entries;
  auto first = page({"/a/1", "/a/2"}, true);
  auto second = page({"/a/3"});
  EXPECT_EQ(take_page(first, "/a/", entries), 8U);
  EXPECT_EQ(take_page(second, "/a/", entries), 4U);
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_EQ(entries[2].key, "/a/3");
}

TEST(EtcdMessageTest, RefusesAPageThatWasNotAskedFor) {
  auto without_revision = page({"/a/2"});
  without_revision.mutable_header()->set_revision(0);
  auto last_revision = page({"/a/2"});
  last_revision.mutable_header()->set_revision(std::numeric_limits<std::int64_t>::max());
  for (auto bad : {page({"/b"}), page({""}), page({"/a/1"}), page({"/a/3", "/a/2"}), page({"/a/2", "/a/2"}),
                   page({}, true), without_revision, last_revision}) {
    std::vector<EtcdEntry> entries = {{.key = "/a/1", .value = {}}};
    EXPECT_FALSE(take_page(bad, "/a/", entries)) << bad.ShortDebugString();
  }
}

TEST(EtcdMessageTest, TakesEventsThatAreNew) {
  auto response = events({{"/a/1", 4}, {"/a/2", 5}, {"/a/1", 5}, {"/a/3", 9}}, 9);
  response.mutable_events(3)->set_type(pb::Event::DELETE);
  std::vector<EtcdEvent> taken;
  ASSERT_TRUE(take_events(response, "/a/", 5, taken));
  ASSERT_EQ(taken.size(), 3U);
  EXPECT_EQ(taken[0].entry.key, "/a/2");
  EXPECT_FALSE(taken[1].is_removal);
  EXPECT_TRUE(taken[2].is_removal);
  EXPECT_EQ(taken[2].entry.mod_revision, 9);
}

TEST(EtcdMessageTest, RefusesEventsThatWereNotAskedFor) {
  for (auto bad : {events({{"/b", 5}}, 9), events({{"", 5}}, 9), events({{"/a/1", 6}, {"/a/1", 5}}, 9),
                   events({{"/a/1", 10}}, 9)}) {
    std::vector<EtcdEvent> taken;
    EXPECT_FALSE(take_events(bad, "/a/", 5, taken)) << bad.ShortDebugString();
  }
}

TEST(EtcdMessageTest, WhatOthersSayIsPrinted) {
  EXPECT_EQ(printable("etcdserver: no\x1b[2J\n"), "etcdserver: no?[2J?");
  EXPECT_EQ(printable("abcdef", 3), "abc...");
}

TEST(BackoffTest, GrowsUpToALimitAndIsNotTheSameForAll) {
  Backoff backoff(1);
  EXPECT_EQ(backoff.after(1, 3), Duration(0));
  EXPECT_EQ(backoff.after(3, 3), Duration(0));
  for (std::size_t i = 1; i < 100; ++i) {
    const Duration longest =
        i < 7 ? std::min(Backoff::kFirst * (1 << (i - 1)), Backoff::kLast) : Backoff::kLast;
    const Duration delay = backoff.after(3 + i, 3);
    EXPECT_GE(delay, longest / 2) << i;
    EXPECT_LE(delay, longest) << i;
  }
  EXPECT_NE(Backoff(1).after(100, 0), Backoff(2).after(100, 0));
}

}  // namespace
}  // namespace vtep
