#include "control/test_loop.h"

namespace vtep {

bool TestLoop::run_until(const std::function<bool()>& is_done) {
  const auto limit = std::chrono::steady_clock::now() + kLimit;
  bool is_met = false;
  const std::function<void()> look = [&] {
    is_met = is_done();
    if (is_met || std::chrono::steady_clock::now() > limit) return loop_->stop();
    loop_->at(loop_->now() + std::chrono::milliseconds(2), look);
  };
  look();
  loop_->run();
  return is_met;
}

std::unique_ptr<EtcdClient> EtcdTest::make_client(const EtcdOptions& options) {
  auto client = EtcdClient::create(loop(), options);
  if (client) return std::move(*client);
  ADD_FAILURE() << client.error().message;
  return nullptr;
}

Result<EtcdListing> EtcdTest::list(EtcdClient& client, const std::string& prefix) {
  return await<EtcdListing>([&](auto done) { client.list(prefix, done); });
}

Result<std::int64_t> EtcdTest::put(EtcdClient& client, const std::string& key, const std::string& value,
                                   std::int64_t lease) {
  return await<std::int64_t>([&](auto done) { client.put(key, value, lease, done); });
}

Result<EtcdWrite> EtcdTest::insert(EtcdClient& client, const std::string& key, const std::string& value,
                                   std::int64_t lease) {
  return await<EtcdWrite>([&](auto done) { client.insert(key, value, lease, done); });
}

Result<std::int64_t> EtcdTest::remove_prefix(EtcdClient& client, const std::string& prefix) {
  return await<std::int64_t>([&](auto done) { client.remove_prefix(prefix, done); });
}

}  // namespace vtep
