// For tests only: an event loop that runs until what a test waits for has come.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/result.h"
#include "control/etcd_client.h"
#include "io/loop.h"

namespace vtep {

class TestLoop {
 public:
  /// So long that only a test that fails takes it.
  static constexpr std::chrono::seconds kLimit{60};

  Loop& loop() { return *loop_; }
  /// Runs the loop until `is_done`; false after kLimit.
  bool run_until(const std::function<bool()>& is_done);

  /// `await<EtcdListing>([&](auto done) { client->list("/", done); })`: starts a call and runs the loop until
  /// it is done.
  template <typename T>
  Result<T> await(const std::function<void(std::function<void(Result<T>)>)>& start) {
    // Shared: a call that is late must find its place.
    const auto result = std::make_shared<std::optional<Result<T>>>();
    start([result](Result<T> outcome) { *result = std::move(outcome); });
    if (!run_until([&] { return result->has_value(); }))
      return fail(ErrorKind::kSystem, "the test waits in vain");
    return std::move(**result);
  }

 private:
  const std::unique_ptr<Loop> loop_ = Loop::create().value();
};

/// A loop, and the calls of a client with their outcome; one that must not fail fails the test.
class EtcdTest : public ::testing::Test, protected TestLoop {
 protected:
  std::unique_ptr<EtcdClient> make_client(const EtcdOptions& options);
  std::unique_ptr<EtcdClient> make_client_of(const std::string& endpoint) {
    return make_client({.endpoints = {endpoint}});
  }

  Result<EtcdListing> list(EtcdClient& client, const std::string& prefix);
  Result<std::int64_t> put(EtcdClient& client, const std::string& key, const std::string& value,
                           std::int64_t lease = 0);
  Result<EtcdWrite> insert(EtcdClient& client, const std::string& key, const std::string& value,
                           std::int64_t lease = 0);
  Result<std::int64_t> remove_prefix(EtcdClient& client, const std::string& prefix);
};

/// What an error says; nothing if there is none.
template <typename T>
std::string why(const Result<T>& result) {
  return result ? std::string() : result.error().message;
}

}  // namespace vtep
