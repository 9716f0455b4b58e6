// For tests only: a real etcd on loopback, which lasts as long as the object, or as the test program if that
// crashes.
//
// Whatever does not work throws, which fails the test with the reason; so does a machine without etcd.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace vtep {

/// TCP ports of 127.0.0.1 that nobody has.
std::vector<std::uint16_t> free_ports(std::size_t count);

/// A directory of its own, which goes with the object.
class TestDirectory {
 public:
  TestDirectory();
  ~TestDirectory();
  TestDirectory(const TestDirectory&) = delete;
  TestDirectory& operator=(const TestDirectory&) = delete;

  std::string file(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

class TestEtcd {
 public:
  /// Not running yet. `arguments` are added to the command line; with "https" they must name the
  /// certificates.
  explicit TestEtcd(std::vector<std::string> arguments = {}, std::string scheme = "http");
  ~TestEtcd();
  TestEtcd(const TestEtcd&) = delete;
  TestEtcd& operator=(const TestEtcd&) = delete;

  const std::string& endpoint() const { return endpoint_; }
  /// `NAME=http://127.0.0.1:PORT`, for the list of all members.
  std::string member() const { return name_ + "=" + peer_url_; }

  /// Alone, or as one of `members`.
  void launch(const std::string& members = {});
  /// Until it serves, which a member does when most are there.
  void wait_until_healthy();
  void start() {
    launch();
    wait_until_healthy();
  }
  void stop();   ///< as an administrator does
  void crash();  ///< at once
  void pause();  ///< connections stay, answers do not come
  void resume();
  void forget();  ///< what it held. Precondition: it does not run

  /// Calls etcd's JSON gateway: `post("/v3/kv/compaction", R"({"revision":"7"})")`. Returns the answer's
  /// body.
  std::string post(const std::string& path, const std::string& body) const;
  bool is_leader() const;

 private:
  void end(int signal);

  const std::vector<std::string> arguments_;
  const TestDirectory directory_;
  std::uint16_t client_port_;
  std::uint16_t health_port_;
  std::string name_;
  std::string endpoint_;
  std::string peer_url_;
  pid_t pid_ = -1;
};

/// One that runs until the test program ends, for tests that do it no harm. Started by the first that asks.
TestEtcd* shared_etcd();

}  // namespace vtep
