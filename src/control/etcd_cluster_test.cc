// Members that are not there, or are no etcd; and three of which one is lost.
#include "control/etcd_cluster.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "control/fake_etcd.h"
#include "control/test_etcd.h"
#include "control/test_loop.h"

namespace vtep {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

/// What a client says of a cluster with this one member, and whether it gets along if a good one is there as
/// well.
class BadMemberTest : public EtcdTest {
 protected:
  void SetUp() override { etcd_ = shared_etcd(); }

  Error error_of(const std::string& endpoint) {
    const auto client = make_client({.endpoints = {endpoint}, .timeout = milliseconds(300)});
    const auto listing = list(*client, "/a");
    EXPECT_FALSE(listing);
    const Error error = listing ? Error() : listing.error();
    EXPECT_THAT(error.message, HasSubstr("list /a"));
    EXPECT_THAT(error.message, HasSubstr(endpoint));
    return error;
  }

  void expect_other_is_asked(const std::string& endpoint) {
    const auto client =
        make_client({.endpoints = {endpoint, etcd_->endpoint()}, .timeout = milliseconds(300)});
    EXPECT_EQ(why(list(*client, "/a")), "");
    EXPECT_EQ(why(put(*client, "/a", "")), "");
    bool is_connected = false;
    const auto watch = client->watch("/a", 1, {.on_connected = [&] { is_connected = true; }});
    EXPECT_TRUE(run_until([&] { return is_connected; }));
  }

  TestEtcd* etcd_ = nullptr;
};

TEST_F(BadMemberTest, NobodyListens) {
  const std::string endpoint = fmt::format("http://127.0.0.1:{}", free_ports(1)[0]);
  const Error error = error_of(endpoint);
  EXPECT_EQ(error.kind, ErrorKind::kUnavailable);
  EXPECT_THAT(error.message, HasSubstr("does not answer"));
  expect_other_is_asked(endpoint);
}

TEST_F(BadMemberTest, AcceptsAndNeverAnswers) {
  const BluntServer silent("");
  const Error error = error_of(silent.endpoint());
  EXPECT_EQ(error.kind, ErrorKind::kUnavailable);
  EXPECT_THAT(error.message, HasSubstr("does not answer"));
  expect_other_is_asked(silent.endpoint());
}

TEST_F(BadMemberTest, SpeaksAnotherLanguage) {
  // A web server of old, HTTP/2 settings with a length that is a lie, and noise.
  for (const std::string& words : {std::string("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"),
                                   std::string("\xff\xff\xff\x04\x00\x00\x00\x00\x00", 9),
                                   std::string(5000, '\x7e'), std::string(5000, '\0')}) {
    const BluntServer blunt(words);
    const Error error = error_of(blunt.endpoint());
    EXPECT_EQ(error.kind, ErrorKind::kUnavailable) << error.message;
    expect_other_is_asked(blunt.endpoint());
  }
}

TEST_F(BadMemberTest, KnowsNothingOfEtcd) {
  const FakeEtcd fake;  // implements no call
  const Error error = error_of(fake.endpoint());
  EXPECT_EQ(error.kind, ErrorKind::kSystem);
  EXPECT_THAT(error.message, HasSubstr("is it etcd"));
}

TEST_F(BadMemberTest, SaysWhatMustNotBePrinted) {
  FakeEtcd fake;
  fake.on_range = [](const auto&, auto&) {
    return grpc::Status(grpc::StatusCode::INTERNAL, "\x1b[2J" + std::string(1000, 'x'));
  };
  const Error error = error_of(fake.endpoint());
  EXPECT_EQ(error.message.find('\x1b'), std::string::npos);
  EXPECT_LT(error.message.size(), 400U);
}

TEST_F(BadMemberTest, GivesATokenThatCannotBeSent) {
  FakeEtcd fake;
  fake.on_login = [](const auto&, auto& response) {
    response.set_token("a\nb: c");
    return grpc::Status::OK;
  };
  const auto client = make_client({.endpoints = {fake.endpoint()}, .user = "root", .password = "x"});
  EXPECT_THAT(why(list(*client, "/a")), HasSubstr("token"));
}

TEST_F(BadMemberTest, AllOfThemAreAskedOnce) {
  const auto ports = free_ports(3);
  EtcdOptions options;
  for (const auto port : ports) options.endpoints.push_back(fmt::format("http://127.0.0.1:{}", port));
  const auto client = make_client(options);
  const auto listing = list(*client, "/a");
  ASSERT_FALSE(listing);
  EXPECT_EQ(listing.error().kind, ErrorKind::kUnavailable);
  EXPECT_THAT(listing.error().message, HasSubstr(options.endpoints[2]));
  EXPECT_THAT(listing.error().message, HasSubstr("the other 2"));
}

TEST_F(BadMemberTest, OptionsThatMakeNoSenseAreRefused) {
  const auto refusal = [&](const EtcdOptions& options) {
    const auto client = EtcdClient::create(loop(), options);
    return client ? std::string() : client.error().message;
  };
  EXPECT_NE(refusal({}), "");
  EXPECT_THAT(refusal({.endpoints = {"10.0.0.1"}}), HasSubstr("\"10.0.0.1\""));
  EXPECT_THAT(refusal({.endpoints = {"10.0.0.1:1", "http://10.0.0.1:1"}}), HasSubstr("twice"));
  EXPECT_NE(refusal({.endpoints = {"10.0.0.1:1"}, .password = "secret"}), "");
  EXPECT_THAT(
      refusal({.endpoints = {"10.0.0.1:1"}, .user = "u", .password = "secret", .timeout = Duration(0)}),
      HasSubstr("timeout"));
}

TEST_F(EtcdTest, ThreeMembersGetAlongWithoutTheirLeader) {
  std::array<TestEtcd, 3> members;
  const std::string all = members[0].member() + "," + members[1].member() + "," + members[2].member();
  for (TestEtcd& member : members) member.launch(all);
  for (TestEtcd& member : members) member.wait_until_healthy();
  TestEtcd* leader = &members[0];
  for (TestEtcd& member : members) {
    if (member.is_leader()) leader = &member;
  }

  // The leader is the one that is asked, and watched.
  EtcdOptions options = {.endpoints = {leader->endpoint()}, .timeout = std::chrono::seconds(2)};
  for (TestEtcd& member : members) {
    if (&member != leader) options.endpoints.push_back(member.endpoint());
  }
  const auto client = make_client(options);
  std::vector<std::string> seen;
  int connections = 0;
  const auto watch = client->watch("/m/", 1,
                                   {.on_events =
                                        [&](std::int64_t, std::span<const EtcdEvent> events) {
                                          for (const EtcdEvent& event : events)
                                            seen.push_back(event.entry.key);
                                        },
                                    .on_connected = [&] { ++connections; }});
  ASSERT_EQ(why(put(*client, "/m/1", "")), "");
  ASSERT_TRUE(run_until([&] { return seen.size() == 1; }));

  leader->crash();
  const auto written = insert(*client, "/m/2", "x");
  ASSERT_EQ(why(written), "");
  EXPECT_TRUE(written->is_written);
  const auto listing = list(*client, "/m/");
  ASSERT_EQ(why(listing), "");
  EXPECT_EQ(listing->entries.size(), 2U);
  ASSERT_TRUE(run_until([&] { return seen.size() == 2; }));
  EXPECT_EQ(seen, (std::vector<std::string>{"/m/1", "/m/2"}));
  EXPECT_GE(connections, 2);
}

}  // namespace
}  // namespace vtep
