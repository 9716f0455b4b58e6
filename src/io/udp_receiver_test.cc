// What only sockets do: ports that somebody holds. The rest is in underlay_test.cc.
#include "io/udp_receiver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <string>

#include "io/port_holder.h"
#include "io/test_namespace.h"

namespace vtep {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using Family = UdpReceiver::Family;

class UdpReceiverTest : public NamespaceTest {};

/// Another program, called `ovs-vswitchd`, with a socket on the VXLAN port.
class OtherProgram {
 public:
  explicit OtherProgram(Family family) {
    std::array<int, 2> ready;
    EXPECT_EQ(::pipe(ready.data()), 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::prctl(PR_SET_NAME, "ovs-vswitchd");
      const auto receiver = UdpReceiver::open(family, kIanaVxlanPort);
      if (receiver && ::write(ready[1], "y", 1) == 1) ::pause();
      ::_exit(1);
    }
    ::close(ready[1]);
    char answer = 0;
    EXPECT_EQ(::read(ready[0], &answer, 1), 1);
    ::close(ready[0]);
  }
  ~OtherProgram() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  OtherProgram(const OtherProgram&) = delete;
  OtherProgram& operator=(const OtherProgram&) = delete;

  std::string description() const { return "process ovs-vswitchd (pid " + std::to_string(pid_) + ")"; }

 private:
  pid_t pid_;
};

TEST_F(UdpReceiverTest, NamesTheProcessThatHoldsThePort) {
  for (const Family family : {Family::kV4, Family::kV6}) {
    const OtherProgram other(family);
    EXPECT_EQ(describe_port_holder(kIanaVxlanPort), other.description());
    const auto receiver = UdpReceiver::open(family, kIanaVxlanPort);
    ASSERT_FALSE(receiver);
    EXPECT_EQ(receiver.error().kind, ErrorKind::kInUse);
    EXPECT_EQ(receiver.error().message, "UDP port 4789 is held by " + other.description() +
                                            "; stop it, or choose another port with dstport");
  }
}

TEST_F(UdpReceiverTest, NamesTheKernelsVxlanDevice) {
  sh("ip link add vxlan7 type vxlan id 7 dstport 8472 local 127.0.0.1 && ip link set vxlan7 up");
  sh("ip link add asleep type vxlan id 99 dstport 4789 local 127.0.0.1");
  sh("ip link add vxlan100 type vxlan id 100 dstport 4789 local 127.0.0.1 && ip link set vxlan100 up");
  const auto receiver = UdpReceiver::open(Family::kV4, kIanaVxlanPort);
  ASSERT_FALSE(receiver);
  EXPECT_EQ(receiver.error().kind, ErrorKind::kInUse);
  EXPECT_THAT(receiver.error().message,
              AllOf(HasSubstr("UDP port 4789"), HasSubstr("the kernel's vxlan device vxlan100 (VNI 100)")));

  sh("ip link set vxlan100 down");
  EXPECT_TRUE(UdpReceiver::open(Family::kV4, kIanaVxlanPort)) << "a device that is down holds no port";
}

TEST_F(UdpReceiverTest, AdmitsWhenItCannotFindOut) {
  // Nobody holds this port any more: it was freed between the failure and the question.
  EXPECT_EQ(describe_port_holder(Port(4790)), "another socket");
}

TEST_F(UdpReceiverTest, FamiliesDoNotShareAPort) {
  const auto v6 = UdpReceiver::open(Family::kV6, kIanaVxlanPort);
  ASSERT_TRUE(v6) << v6.error().message;
  const auto v4 = UdpReceiver::open(Family::kV4, kIanaVxlanPort);
  EXPECT_TRUE(v4) << v4.error().message;
  EXPECT_FALSE(UdpReceiver::open(Family::kV6, kIanaVxlanPort));
}

TEST_F(UdpReceiverTest, WithoutIpv6ItSaysSo) {
  const auto v6 = [] { return UdpReceiver::open(Family::kV6, kIanaVxlanPort); };
  sh("ip link add va type veth peer name vb");
  sh("echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6");
  const auto none = v6();
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error(),
            (Error{ErrorKind::kUnavailable, "Cannot open a UDP socket for IPv6: IPv6 is disabled here"}));
  EXPECT_TRUE(UdpReceiver::open(Family::kV4, kIanaVxlanPort));

  sh("echo 0 > /proc/sys/net/ipv6/conf/va/disable_ipv6");
  EXPECT_TRUE(v6()) << "one interface is enough";
  sh("echo 0 > /proc/sys/net/ipv6/conf/all/disable_ipv6; echo 1 > /proc/sys/net/ipv6/conf/va/disable_ipv6");
  EXPECT_TRUE(v6());
}

TEST_F(UdpReceiverTest, ThePortIsFreeWhenTheReceiverIsGone) {
  ASSERT_TRUE(UdpReceiver::open(Family::kV4, kIanaVxlanPort));
  EXPECT_TRUE(UdpReceiver::open(Family::kV4, kIanaVxlanPort));
}

}  // namespace
}  // namespace vtep
