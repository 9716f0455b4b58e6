#include "control/etcd_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <memory>

#include "control/etcd_channel.h"
#include "control/fake_etcd.h"
#include "control/test_etcd.h"
#include "control/test_loop.h"

namespace vtep {
namespace {

namespace pb = etcdserverpb;

using testing::HasSubstr;

/// Each has keys of its own.
class EtcdClientTest : public EtcdTest {
 protected:
  void SetUp() override {
    etcd_ = shared_etcd();
    client_ = make_client_of(etcd_->endpoint());
  }

  TestEtcd* etcd_ = nullptr;
  std::unique_ptr<EtcdClient> client_;
};

TEST_F(EtcdClientTest, ListsManyPagesAtOneRevision) {
  constexpr int kCount = 2 * EtcdClient::kPageSize + 500;
  int answers = 0;
  const auto answered = [&](const Result<std::int64_t>& revision) {
    EXPECT_EQ(why(revision), "");
    ++answers;
  };
  for (int i = 0; i < kCount; ++i)
    client_->put("/list/" + std::to_string(1000000 + i), std::to_string(i), 0, answered);
  client_->put("/lisu", "outside", 0, answered);
  ASSERT_TRUE(run_until([&] { return answers == kCount + 1; }));

  // Changes while the pages come.
  for (int i = 0; i < 200; ++i)
    client_->put("/list/" + std::to_string(1000000 + kCount + i), "", 0, answered);
  const auto listing = list(*client_, "/list/");
  ASSERT_EQ(why(listing), "");
  ASSERT_GE(listing->entries.size(), kCount);
  // Of the changes it has those that were made by then, and no other.
  std::map<std::string, EtcdEntry> entries;
  for (const EtcdEntry& entry : listing->entries) {
    EXPECT_LE(entry.mod_revision, listing->revision);
    EXPECT_TRUE(entries.emplace(entry.key, entry).second) << entry.key;
  }
  EXPECT_EQ(listing->entries[7].value, "7");
  EXPECT_EQ(listing->entries[7].version, 1);
  ASSERT_TRUE(run_until([&] { return answers == kCount + 201; }));
  const auto later = list(*client_, "/list/");
  ASSERT_EQ(why(later), "");
  EXPECT_EQ(later->entries.size(), kCount + 200U);
  for (const EtcdEntry& entry : later->entries) {
    EXPECT_EQ(entries.contains(entry.key), entry.mod_revision <= listing->revision) << entry.key;
  }
}

TEST_F(EtcdClientTest, GetsOneOrNone) {
  ASSERT_EQ(why(put(*client_, "/get", "1")), "");
  ASSERT_EQ(why(put(*client_, "/get/deeper", "2")), "");
  const auto get = [&](const std::string& key) {
    return await<EtcdListing>([&](auto done) { client_->get(key, done); });
  };
  const auto there = get("/get");
  ASSERT_EQ(why(there), "");
  ASSERT_EQ(there->entries.size(), 1U);
  EXPECT_EQ(there->entries[0].value, "1");
  const auto none = get("/ge");
  ASSERT_EQ(why(none), "");
  EXPECT_TRUE(none->entries.empty());
  EXPECT_GE(none->revision, there->revision);
}

TEST_F(EtcdClientTest, OfThoseWhoInsertAtOnceOneWins) {
  const auto other = make_client_of(etcd_->endpoint());
  for (int round = 0; round < 20; ++round) {
    const std::string key = "/claim/" + std::to_string(round);
    std::vector<EtcdWrite> writes;
    const auto take = [&](const Result<EtcdWrite>& write) {
      ASSERT_EQ(why(write), "");
      writes.push_back(*write);
    };
    client_->insert(key, "a", 0, take);
    other->insert(key, "b", 0, take);
    ASSERT_TRUE(run_until([&] { return writes.size() == 2; }));
    EXPECT_NE(writes[0].is_written, writes[1].is_written);
    // The loser learns who it was.
    EXPECT_EQ(writes[0].entry, writes[1].entry);
    EXPECT_EQ(writes[0].entry.key, key);
  }
}

TEST_F(EtcdClientTest, ReplacesWhatIsUnchanged) {
  const auto replace = [&](const std::string& value, std::int64_t revision) {
    return await<EtcdWrite>([&](auto done) { client_->replace("/replace", value, 0, revision, done); });
  };
  const auto first = insert(*client_, "/replace", "1");
  ASSERT_EQ(why(first), "");
  const auto second = replace("2", first->entry.mod_revision);
  ASSERT_EQ(why(second), "");
  EXPECT_TRUE(second->is_written);
  EXPECT_EQ(second->entry.version, 2);
  const auto third = replace("3", first->entry.mod_revision);
  ASSERT_EQ(why(third), "");
  EXPECT_FALSE(third->is_written);
  EXPECT_EQ(third->entry, second->entry);

  ASSERT_EQ(why(await<std::int64_t>([&](auto done) { client_->remove("/replace", done); })), "");
  const auto fourth = replace("4", second->entry.mod_revision);
  ASSERT_EQ(why(fourth), "");
  EXPECT_FALSE(fourth->is_written);
  EXPECT_EQ(fourth->entry, EtcdEntry());
}

TEST_F(EtcdClientTest, RemovesAPrefixAndNothingBeside) {
  for (const char* key : {"/remove", "/remove/a", "/remove/b", "/removf"})
    ASSERT_EQ(why(put(*client_, key, "")), "");
  ASSERT_EQ(why(remove_prefix(*client_, "/remove/")), "");
  ASSERT_EQ(why(await<std::int64_t>([&](auto done) { client_->remove("/remove/none", done); })), "");
  const auto left = list(*client_, "/remov");
  ASSERT_EQ(why(left), "");
  ASSERT_EQ(left->entries.size(), 2U);
  EXPECT_EQ(left->entries[0].key, "/remove");
  EXPECT_EQ(left->entries[1].key, "/removf");
}

TEST_F(EtcdClientTest, ALeaseEndsUnlessItIsRefreshed) {
  constexpr std::int64_t kSeconds = 3;
  const auto grant = [&] { return await<std::int64_t>([&](auto done) { client_->grant(kSeconds, done); }); };
  const auto kept = grant();
  const auto left = grant();
  ASSERT_EQ(why(kept) + why(left), "");
  ASSERT_EQ(why(put(*client_, "/lease/kept", "", *kept)), "");
  ASSERT_EQ(why(put(*client_, "/lease/left", "", *left)), "");

  bool is_busy = false;
  bool is_left_gone = false;
  ASSERT_TRUE(run_until([&] {
    if (is_busy) return false;
    is_busy = true;
    client_->refresh(*kept, [&](const Result<std::int64_t>& ttl) {
      EXPECT_EQ(why(ttl), "");
      EXPECT_EQ(ttl.value_or(0), kSeconds);
      client_->get("/lease/left", [&](const Result<EtcdListing>& listing) {
        is_left_gone = listing && listing->entries.empty();
        is_busy = false;
      });
    });
    return is_left_gone;
  }));
  ASSERT_TRUE(run_until([&] { return !is_busy; }));
  const auto entries = list(*client_, "/lease/");
  ASSERT_EQ(why(entries), "");
  ASSERT_EQ(entries->entries.size(), 1U);
  EXPECT_EQ(entries->entries[0].lease, *kept);

  const auto revoke = [&](std::int64_t lease) {
    return await<void>([&](auto done) { client_->revoke(lease, done); });
  };
  ASSERT_EQ(why(revoke(*kept)), "");
  EXPECT_TRUE(list(*client_, "/lease/")->entries.empty());
  for (const Error& error :
       {revoke(*kept).error(), put(*client_, "/lease/x", "", *left).error(),
        await<std::int64_t>([&](auto done) { client_->refresh(*left, done); }).error()}) {
    EXPECT_EQ(error.kind, ErrorKind::kNotFound) << error.message;
  }
  EXPECT_EQ(await<std::int64_t>([&](auto done) { client_->grant(0, done); }).error().kind,
            ErrorKind::kInvalid);
}

TEST_F(EtcdClientTest, RefusesWhatIsTooLargeOrHasNoKey) {
  EXPECT_EQ(why(put(*client_, "/large", std::string(EtcdClient::kMaxValue, 'x'))), "");
  const auto larger = put(*client_, "/large", std::string(EtcdClient::kMaxValue + 1, 'x'));
  ASSERT_FALSE(larger);
  EXPECT_EQ(larger.error().kind, ErrorKind::kFull);
  EXPECT_THAT(larger.error().message, HasSubstr("put /large"));
  EXPECT_EQ(put(*client_, "", "x").error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(remove_prefix(*client_, "").error().kind, ErrorKind::kInvalid);
}

TEST_F(EtcdClientTest, CallsNobodyBackAfterItsEnd) {
  int answers = 0;
  for (int i = 0; i < 100; ++i) client_->put("/end", "", 0, [&](const auto&) { ++answers; });
  client_->list("/", [&](const auto&) { ++answers; });
  client_->refresh(1, [&](const auto&) { ++answers; });
  client_->put("", "", 0, [&](const auto&) { ++answers; });
  const auto watch = client_->watch("/", 1, {});
  client_.reset();
  client_ = make_client_of(etcd_->endpoint());
  EXPECT_EQ(why(put(*client_, "/end", "")), "");
  EXPECT_EQ(answers, 0);
}

TEST_F(EtcdClientTest, MayBeDestroyedByACallback) {
  int answers = 0;
  for (int i = 0; i < 10; ++i) {
    client_->put("/end", "", 0, [&](const Result<std::int64_t>&) {
      ++answers;
      client_.reset();
    });
  }
  ASSERT_TRUE(run_until([&] { return answers > 0; }));
  client_ = make_client_of(etcd_->endpoint());
  EXPECT_EQ(why(put(*client_, "/end", "")), "");
  EXPECT_EQ(answers, 1);
}

TEST_F(EtcdClientTest, AnInsertWhoseAnswerWasLostIsOurs) {
  FakeEtcd lossy;  // hands the call on, and loses the answer
  const auto channel = grpc::CreateChannel(etcd_->endpoint().substr(7), grpc::InsecureChannelCredentials());
  const auto stub = pb::KV::NewStub(channel);
  lossy.on_txn = [&](const pb::TxnRequest& request, pb::TxnResponse& response) {
    grpc::ClientContext context;
    const auto status = stub->Txn(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return grpc::Status(grpc::StatusCode::UNAVAILABLE, "lost by the test");
  };
  const auto client = [&] { return make_client({.endpoints = {lossy.endpoint(), etcd_->endpoint()}}); };

  const auto mine = client();
  const auto first = insert(*mine, "/lost/insert", "mine");
  ASSERT_EQ(why(first), "");
  EXPECT_TRUE(first->is_written);
  const auto other = client();
  const auto second = await<EtcdWrite>(
      [&](auto done) { other->replace("/lost/insert", "mine too", 0, first->entry.mod_revision, done); });
  ASSERT_EQ(why(second), "");
  EXPECT_TRUE(second->is_written);
  const auto another = client();
  const auto third = insert(*another, "/lost/insert", "another's");
  ASSERT_EQ(why(third), "");
  EXPECT_FALSE(third->is_written);
  EXPECT_EQ(third->entry.value, "mine too");
}

TEST_F(EtcdClientTest, RefusesPagesThatAreTooLarge) {
  FakeEtcd fake;
  fake.on_range = [](const pb::RangeRequest&, pb::RangeResponse& response) {
    response.mutable_header()->set_revision(1);
    response.add_kvs()->set_key("/large");
    response.mutable_kvs(0)->set_value(std::string(kMaxEtcdMessage, 'x'));
    return grpc::Status::OK;
  };
  const auto listing = list(*make_client_of(fake.endpoint()), "/large");
  ASSERT_FALSE(listing);
  EXPECT_EQ(listing.error().kind, ErrorKind::kFull) << listing.error().message;
  EXPECT_THAT(listing.error().message, HasSubstr("list /large"));
}

TEST_F(EtcdClientTest, RefusesAListingWithoutEnd) {
  FakeEtcd fake;
  std::atomic<int> pages = 0;
  fake.on_range = [&](const pb::RangeRequest& request, pb::RangeResponse& response) {
    ++pages;
    response.mutable_header()->set_revision(1);
    // The second page begins where the first did.
    response.add_kvs()->set_key(pages == 1 ? request.key() : "/a");
    response.set_more(true);
    return grpc::Status::OK;
  };
  const auto listing = list(*make_client_of(fake.endpoint()), "/a");
  ASSERT_FALSE(listing);
  EXPECT_EQ(listing.error().kind, ErrorKind::kSystem);
  EXPECT_EQ(pages, 2);
}

TEST_F(EtcdClientTest, BeginsAnewIfARevisionIsCompactedBetweenPages) {
  FakeEtcd fake;
  std::atomic<int> calls = 0;
  fake.on_range = [&](const pb::RangeRequest& request, pb::RangeResponse& response) {
    const int call = ++calls;
    if (request.revision() == 5) return grpc::Status(grpc::StatusCode::OUT_OF_RANGE, "etcdserver: compacted");
    response.mutable_header()->set_revision(call == 1 ? 5 : 9);
    response.add_kvs()->set_key(call == 1 ? "/a/old" : "/a/new");
    response.set_more(call == 1);
    return grpc::Status::OK;
  };
  const auto listing = list(*make_client_of(fake.endpoint()), "/a/");
  ASSERT_EQ(why(listing), "");
  EXPECT_EQ(listing->revision, 9);
  ASSERT_EQ(listing->entries.size(), 1U);
  EXPECT_EQ(listing->entries[0].key, "/a/new");
}

}  // namespace
}  // namespace vtep
