#include "io/test_namespace.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <system_error>
#include <thread>

#include "io/rtnetlink.h"

namespace vtep {
namespace {

int open_current() {
  return ::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
}

void enter(int fd) {
  ASSERT_EQ(::setns(fd, CLONE_NEWNET), 0) << std::generic_category().message(errno);
}

/// Of the effective set only, so that it can come back. The system call is per thread.
void have_net_admin(bool wanted) {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets{};
  ASSERT_EQ(::syscall(SYS_capget, &header, sets.data()), 0);
  constexpr std::uint32_t kBit = CAP_TO_MASK(CAP_NET_ADMIN);
  std::uint32_t& effective = sets[CAP_TO_INDEX(CAP_NET_ADMIN)].effective;
  effective = wanted ? effective | kBit : effective & ~kBit;
  ASSERT_EQ(::syscall(SYS_capset, &header, sets.data()), 0);
}

}  // namespace

std::string why_no_namespaces() {
  if (::geteuid() != 0) return "needs root: makes network namespaces";
  const int home = open_current();
  std::string reason;
  if (::unshare(CLONE_NEWNET) != 0) {
    reason = "cannot make a network namespace: " + std::generic_category().message(errno);
  } else {
    enter(home);
  }
  ::close(home);
  return reason;
}

void sh(const std::string& command) {
  // NOLINTNEXTLINE(cert-env33-c): the commands are the tests' own
  EXPECT_EQ(std::system(command.c_str()), 0) << command;
}

TestNamespace::TestNamespace() {
  const int home = open_current();
  EXPECT_EQ(::unshare(CLONE_NEWNET), 0) << std::generic_category().message(errno);
  fd_ = open_current();
  sh("ip link set lo up");
  enter(home);
  ::close(home);
}

TestNamespace::~TestNamespace() {
  ::close(fd_);
}

std::string TestNamespace::path() const {
  return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(fd_);
}

void TestNamespace::run(const std::function<void()>& work) const {
  const int home = open_current();
  enter(fd_);
  work();
  enter(home);
  ::close(home);
}

void NamespaceTest::SetUp() {
  if (const std::string reason = why_no_namespaces(); !reason.empty()) GTEST_SKIP() << reason;
  home_ = open_current();
  ASSERT_EQ(::unshare(CLONE_NEWNET), 0);
  sh("ip link set lo up");
}

void NamespaceTest::TearDown() {
  if (home_ < 0) return;
  enter(home_);
  ::close(home_);
}

WithoutNetAdmin::WithoutNetAdmin() {
  have_net_admin(false);
}

WithoutNetAdmin::~WithoutNetAdmin() {
  have_net_admin(true);
}

void wait_running(const std::string& name) {
  const auto rtnetlink = Rtnetlink::create();
  ASSERT_TRUE(rtnetlink) << rtnetlink.error().message;
  for (int i = 0; i < 5000; ++i) {
    const auto interface = (*rtnetlink)->find(name);
    ASSERT_TRUE(interface) << interface.error().message;
    if (interface->is_running()) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  FAIL() << name << " does not come up";
}

bool wait_readable(int fd) {
  pollfd wanted{.fd = fd, .events = POLLIN, .revents = 0};
  return ::poll(&wanted, 1, 2000) == 1;
}

void CableTest::SetUp() {
  NamespaceTest::SetUp();
  if (IsSkipped()) return;
  peer_.emplace();
  sh("ip link add va type veth peer name vb netns " + peer_->path());
  sh("ip addr add 10.9.0.1/24 dev va && ip addr add fd09::1/64 nodad dev va && ip link set va up");
  peer_->run([&] {
    sh("ip addr add 10.9.0.2/24 dev vb && ip addr add fd09::2/64 nodad dev vb && ip link set vb up");
    packets_ = ::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETH_P_ALL));
    wait_running("vb");
  });
  ASSERT_GE(packets_, 0);
  wait_running("va");
}

void CableTest::TearDown() {
  if (packets_ >= 0) ::close(packets_);
  peer_.reset();
  NamespaceTest::TearDown();
}

}  // namespace vtep
