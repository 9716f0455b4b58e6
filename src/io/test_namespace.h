// For tests only: network namespaces that last as long as the object, and the `ip` commands run in them.
//
//     TestNamespace peer;
//     sh("ip link add va type veth peer name vb netns " + peer.path());
//     peer.run([] { sh("ip link set vb up"); });
//
// Nothing has a name, so nothing is left behind. Only the calling thread enters a namespace.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>

namespace vtep {

/// Empty if namespaces can be made here; otherwise the reason, for GTEST_SKIP().
std::string why_no_namespaces();

/// Runs a shell command in the calling thread's namespace; a failure of it fails the test.
void sh(const std::string& command);

class TestNamespace {
 public:
  /// Makes a namespace, with lo up, and does not enter it.
  TestNamespace();
  ~TestNamespace();
  TestNamespace(const TestNamespace&) = delete;
  TestNamespace& operator=(const TestNamespace&) = delete;

  /// For `ip link … netns PATH`.
  std::string path() const;
  /// Runs `work` inside and comes back.
  void run(const std::function<void()>& work) const;

 private:
  int fd_;
};

/// Every test runs in a new namespace; skipped where that cannot be.
class NamespaceTest : public ::testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

 private:
  int home_ = -1;
};

/// That namespace has va (10.9.0.1, fd09::1); its peer has vb (10.9.0.2, fd09::2), where a packet socket
/// hears what the kernel has not cut yet.
class CableTest : public NamespaceTest {
 protected:
  void SetUp() override;
  void TearDown() override;

  std::optional<TestNamespace> peer_;
  int packets_ = -1;
};

/// Takes CAP_NET_ADMIN from the calling thread as long as it lasts.
class WithoutNetAdmin {
 public:
  WithoutNetAdmin();
  ~WithoutNetAdmin();
  WithoutNetAdmin(const WithoutNetAdmin&) = delete;
  WithoutNetAdmin& operator=(const WithoutNetAdmin&) = delete;
};

/// Waits until the interface is up and has a carrier, in the calling thread's namespace: a veth drops what is
/// sent before the kernel has noticed that its peer is up. Fails the test if it takes more than five seconds.
void wait_running(const std::string& name);

/// Waits until `fd` is readable. False if it is not within two seconds.
bool wait_readable(int fd);

}  // namespace vtep
