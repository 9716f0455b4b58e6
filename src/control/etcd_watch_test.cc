#include "control/etcd_watch.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "control/fake_etcd.h"
#include "control/test_etcd.h"
#include "control/test_loop.h"

namespace vtep {
namespace {

namespace pb = etcdserverpb;

using testing::ElementsAre;
using testing::HasSubstr;

/// What a watch has said.
struct Heard {
  std::vector<std::string> log;             ///< "/a=1 /b=2" or "-/a" for each batch with events
  std::vector<std::int64_t> revisions;      ///< of all batches
  std::map<std::string, std::string> held;  ///< what is there after all that
  std::int64_t last_event = 0;
  int connections = 0;
  std::optional<Error> disconnected;  ///< since the last connection, which may come while a test looks
  std::optional<Error> last_trouble;
  std::optional<EtcdWatchEnd> end;

  EtcdWatchHandlers handlers() {
    return {.on_events = [this](std::int64_t revision,
                                std::span<const EtcdEvent> events) { take(revision, events); },
            .on_connected =
                [this] {
                  ++connections;
                  disconnected.reset();
                },
            .on_disconnected = [this](Time, const Error& reason) { disconnected = last_trouble = reason; },
            .on_end =
                [this](const EtcdWatchEnd& reason) {
                  EXPECT_FALSE(end);
                  end = reason;
                }};
  }

 private:
  void take(std::int64_t revision, std::span<const EtcdEvent> events) {
    EXPECT_TRUE(revisions.empty() || revision > revisions.back());
    revisions.push_back(revision);
    std::string batch;
    for (const auto& [is_removal, entry] : events) {
      EXPECT_GE(entry.mod_revision, last_event);
      EXPECT_LE(entry.mod_revision, revision);
      last_event = entry.mod_revision;
      batch += (batch.empty() ? "" : " ") + (is_removal ? "-" + entry.key : entry.key + "=" + entry.value);
      if (is_removal) {
        held.erase(entry.key);
      } else {
        held[entry.key] = entry.value;
      }
    }
    if (!events.empty()) log.push_back(batch);
  }
};

class EtcdWatchTest : public EtcdTest {
 protected:
  void start(std::vector<std::string> arguments = {}) {
    etcd_ = std::make_unique<TestEtcd>(std::move(arguments));
    etcd_->start();
    client_ = make_client_of(etcd_->endpoint());
  }
  void watch(const std::string& prefix, std::int64_t from) {
    watch_ = client_->watch(prefix, from, heard_.handlers());
  }
  bool run_until_connected(int connections) {
    return run_until(
        [this, connections] { return heard_.connections >= connections && !heard_.disconnected; });
  }
  /// Writes `count` keys one after the other, and returns the revision of the last.
  std::int64_t write(const std::string& prefix, int count) {
    Result<std::int64_t> last = 0;
    for (int i = 0; i < count && last; ++i)
      last = put(*client_, prefix + std::to_string(i), std::to_string(i));
    EXPECT_EQ(why(last), "");
    return last.value_or(0);
  }
  bool run_until_heard(std::int64_t revision) {
    return run_until([this, revision] { return heard_.last_event >= revision; });
  }

  std::unique_ptr<TestEtcd> etcd_;
  std::unique_ptr<EtcdClient> client_;
  Heard heard_;
  std::unique_ptr<EtcdWatch> watch_;
};

TEST_F(EtcdWatchTest, TellsWhatHappensToAPrefixInOrder) {
  start();
  write("/a/", 2);
  const auto listing = list(*client_, "/a/");
  ASSERT_EQ(why(listing), "");
  watch("/a/", listing->revision + 1);
  EXPECT_EQ(watch_->revision(), listing->revision);
  ASSERT_TRUE(run_until_connected(1));
  EXPECT_TRUE(watch_->is_connected());
  write("/b/", 2);
  write("/a/", 3);
  ASSERT_EQ(why(put(*client_, "/a", "")), "");
  const auto removal = remove_prefix(*client_, "/a/");
  ASSERT_EQ(why(removal), "");
  ASSERT_TRUE(run_until_heard(*removal));
  // One removal was one revision.
  EXPECT_THAT(heard_.log, ElementsAre("/a/0=0", "/a/1=1", "/a/2=2", "-/a/0 -/a/1 -/a/2"));
  EXPECT_EQ(watch_->revision(), *removal);
  EXPECT_TRUE(heard_.held.empty());
}

TEST_F(EtcdWatchTest, BeginsInThePastOrNow) {
  start();
  const std::int64_t last = write("/a/", 50);
  watch("/a/", 1);
  ASSERT_TRUE(run_until_heard(last));
  EXPECT_EQ(heard_.held.size(), 50U);

  heard_ = {};
  watch("", 0);
  EXPECT_EQ(watch_->revision(), 0);
  ASSERT_TRUE(run_until_connected(1));
  EXPECT_EQ(watch_->revision(), last);
  ASSERT_TRUE(run_until_heard(write("/new", 1)));
  EXPECT_THAT(heard_.log, ElementsAre("/new0=0"));
}

TEST_F(EtcdWatchTest, EndsIfWhatItNeedsWasCompacted) {
  start();
  const std::int64_t last = write("/a/", 10);
  etcd_->post("/v3/kv/compaction", fmt::format(R"({{"revision":"{}"}})", last));
  watch("/a/", last - 5);
  ASSERT_TRUE(run_until([&] { return heard_.end.has_value(); }));
  EXPECT_TRUE(heard_.end->must_list);
  EXPECT_EQ(heard_.end->compact_revision, last);
  EXPECT_THAT(heard_.end->error.message, HasSubstr("watch /a/"));
  EXPECT_FALSE(watch_->is_connected());

  // As its owner goes on.
  const auto listing = list(*client_, "/a/");
  ASSERT_EQ(why(listing), "");
  heard_ = {};
  watch("/a/", listing->revision + 1);
  EXPECT_TRUE(run_until_heard(write("/a/", 1)));
}

TEST_F(EtcdWatchTest, SurvivesRestartsWithoutLosingOrRepeatingAnything) {
  start();
  watch("/a/", 1);
  ASSERT_TRUE(run_until_connected(1));
  // Writes go on all the time; those that etcd does not answer may have been carried out.
  int written = 0;
  bool is_busy = false;
  const auto write_on = [&] {
    if (is_busy) return;
    is_busy = true;
    const std::string number = std::to_string(written++);
    client_->put("/a/" + number, number, 0, [&](const auto&) { is_busy = false; });
  };
  for (int round = 1; round <= 2; ++round) {
    const int goal = written + 100;
    ASSERT_TRUE(run_until([&] {
      write_on();
      return written >= goal;
    }));
    round == 1 ? etcd_->stop() : etcd_->crash();
    ASSERT_TRUE(run_until([&] { return heard_.disconnected.has_value(); }));
    EXPECT_EQ(heard_.last_trouble->kind, ErrorKind::kUnavailable);
    EXPECT_FALSE(watch_->is_connected());
    etcd_->start();
    ASSERT_TRUE(run_until([&] {
      write_on();
      return heard_.connections == round + 1;
    }));
  }
  ASSERT_TRUE(run_until([&] { return !is_busy; }));
  const std::int64_t last = write("/a/last", 1);
  ASSERT_TRUE(run_until_heard(last));
  // That nothing comes twice, Heard has checked; that nothing is lost is seen here, for no key was written
  // twice.
  const auto listing = list(*client_, "/a/");
  ASSERT_EQ(why(listing), "");
  std::map<std::string, std::string> entries;
  for (const EtcdEntry& entry : listing->entries) entries[entry.key] = entry.value;
  EXPECT_EQ(heard_.held, entries);
  EXPECT_GE(entries.size(), 200U);
}

TEST_F(EtcdWatchTest, NoticesAServerThatIsSilent) {
  start({"--grpc-keepalive-min-time", "500ms"});
  client_ = make_client({.endpoints = {etcd_->endpoint()},
                         .timeout = std::chrono::milliseconds(500),
                         .silence = std::chrono::milliseconds(1500)});
  watch("/a/", 1);
  ASSERT_TRUE(run_until_connected(1));
  etcd_->pause();
  ASSERT_TRUE(run_until([&] { return heard_.disconnected.has_value(); }));
  EXPECT_THAT(heard_.last_trouble->message, HasSubstr(etcd_->endpoint()));
  etcd_->resume();
  ASSERT_TRUE(run_until_connected(2));
  EXPECT_TRUE(run_until_heard(write("/a/", 1)));
}

TEST_F(EtcdWatchTest, EndsIfEtcdHasANewHistory) {
  start();
  watch("/a/", 1);
  ASSERT_TRUE(run_until_heard(write("/a/", 20)));
  etcd_->stop();
  etcd_->forget();
  etcd_->start();
  ASSERT_TRUE(run_until([&] { return heard_.end.has_value(); }));
  EXPECT_TRUE(heard_.end->must_list);
  EXPECT_EQ(heard_.end->compact_revision, 0);
}

TEST_F(EtcdWatchTest, MayBeDestroyedByItsHandler) {
  start();
  const std::int64_t last = write("/a/", 5);
  int calls = 0;
  const auto destroy = [&] {
    ++calls;
    watch_.reset();
  };
  watch_ = client_->watch("/a/", 1, {.on_connected = destroy});
  ASSERT_TRUE(run_until([&] { return calls == 1; }));
  watch_ = client_->watch("/a/", 1, {.on_events = [&](auto, auto) { destroy(); }});
  ASSERT_TRUE(run_until([&] { return calls == 2; }));
  etcd_->post("/v3/kv/compaction", fmt::format(R"({{"revision":"{}"}})", last));
  watch_ = client_->watch("/a/", 1, {.on_end = [&](const auto&) { destroy(); }});
  ASSERT_TRUE(run_until([&] { return calls == 3; }));
  watch_ = client_->watch(
      "/a/", last,
      {.on_connected = [&] { etcd_->crash(); }, .on_disconnected = [&](Time, const Error&) { destroy(); }});
  ASSERT_TRUE(run_until([&] { return calls == 4; }));
}

TEST_F(EtcdWatchTest, GoesOnWithoutItsClient) {
  start();
  watch("/a/", 1);
  const std::int64_t last = write("/a/", 3);
  client_.reset();
  EXPECT_TRUE(run_until_heard(last));
  EXPECT_EQ(heard_.held.size(), 3U);
}

pb::WatchResponse response(std::int64_t revision) {
  pb::WatchResponse result;
  result.mutable_header()->set_revision(revision);
  return result;
}

pb::WatchResponse created(std::int64_t revision) {
  auto result = response(revision);
  result.set_created(true);
  return result;
}

pb::WatchResponse event(const std::string& key, std::int64_t revision, bool is_fragment = false) {
  auto result = response(revision);
  result.set_fragment(is_fragment);
  pb::KeyValue& kv = *result.add_events()->mutable_kv();
  kv.set_key(key);
  kv.set_mod_revision(revision);
  return result;
}

TEST_F(EtcdWatchTest, PutsTogetherWhatComesInParts) {
  FakeEtcd fake;
  fake.events = {created(9),       event("/a/1", 7, true), event("/a/2", 7, true),
                 event("/a/3", 8), response(12),           event("/a/4", 8)};
  client_ = make_client_of(fake.endpoint());
  watch("/a/", 7);
  ASSERT_TRUE(run_until([&] { return heard_.revisions.size() == 2; }));
  EXPECT_THAT(heard_.log, ElementsAre("/a/1= /a/2= /a/3="));
  EXPECT_THAT(heard_.revisions, ElementsAre(8, 12));
  watch_.reset();
}

/// A string that is no UTF-8 is not parsed.
pb::WatchResponse malformed() {
  auto result = response(9);
  result.set_cancel_reason("\xff");
  return result;
}

TEST_F(EtcdWatchTest, LeavesAServerThatMakesNoSense) {
  const std::vector<std::vector<pb::WatchResponse>> nonsense = {
      {},                                                      // silence
      {event("/a/1", 7)},                                      // nothing was created
      {created(9), created(9)},                                // twice
      {created(0)},                                            // no revision
      {created(9), event("/b", 7)},                            // another's key
      {created(9), event("/a/1", 8, true), event("/a/1", 7)},  // backwards
      {created(9), response(-1)},
      {malformed()},
      {created(9), malformed()},
  };
  for (const auto& events : nonsense) {
    FakeEtcd fake;
    fake.events = events;
    client_ = make_client({.endpoints = {fake.endpoint()}, .timeout = std::chrono::milliseconds(200)});
    heard_ = {};
    watch("/a/", 7);
    // It may be connected again by the time we look.
    ASSERT_TRUE(run_until([&] { return heard_.last_trouble.has_value(); }));
    EXPECT_THAT(heard_.last_trouble->message, HasSubstr(fake.endpoint()));
    EXPECT_TRUE(heard_.log.empty());
    watch_.reset();
    client_.reset();
  }
}

}  // namespace
}  // namespace vtep
