#include "io/memberships.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <iterator>
#include <set>
#include <sstream>
#include <string>

#include "io/rtnetlink.h"
#include "io/test_namespace.h"

namespace vtep {
namespace {

/// The groups the kernel has joined on `device`, as `ip maddr` prints them.
std::set<std::string> joined(const std::string& device) {
  std::set<std::string> groups;
  FILE* pipe = ::popen(("ip maddr show dev " + device).c_str(), "r");
  if (pipe == nullptr) return groups;
  char line[256];
  while (std::fgets(line, sizeof(line), pipe) != nullptr) {
    std::istringstream words(line);
    std::string family, group;
    words >> family >> group;
    if (family == "inet" || family == "inet6") groups.insert(group);
  }
  ::pclose(pipe);
  return groups;
}

std::ptrdiff_t open_files() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
}

class MembershipsTest : public NamespaceTest {
 protected:
  void SetUp() override {
    NamespaceTest::SetUp();
    if (IsSkipped()) return;
    sh("ip link add va type veth peer name vb && ip link set va up && ip link set vb up");
    const auto rtnetlink = Rtnetlink::create().value();
    va_ = rtnetlink->find("va").value().index;
    vb_ = rtnetlink->find("vb").value().index;
  }

  IfIndex va_;
  IfIndex vb_;
};

TEST_F(MembershipsTest, JoinsOnTheDeviceAndCountsUsers) {
  for (const char* text : {"239.1.1.1", "ff05::1111"}) {
    const IpAddr group = *IpAddr::parse(text);
    Memberships memberships;
    EXPECT_FALSE(joined("va").contains(text));
    ASSERT_TRUE(memberships.join(group, va_));
    ASSERT_TRUE(memberships.join(group, va_));
    EXPECT_TRUE(joined("va").contains(text));
    EXPECT_FALSE(joined("vb").contains(text));
    ASSERT_TRUE(memberships.join(group, vb_));
    EXPECT_TRUE(joined("vb").contains(text));

    memberships.leave(group, va_);
    EXPECT_TRUE(joined("va").contains(text)) << "one user is left";
    memberships.leave(group, va_);
    EXPECT_FALSE(joined("va").contains(text));
    EXPECT_TRUE(joined("vb").contains(text));
    memberships.leave(group, va_);
    EXPECT_TRUE(joined("vb").contains(text));
  }
}

TEST_F(MembershipsTest, LeavesEverythingAtTheEnd) {
  {
    Memberships memberships;
    ASSERT_TRUE(memberships.join(Ipv4(239, 1, 1, 1), va_));
  }
  EXPECT_FALSE(joined("va").contains("239.1.1.1"));
}

TEST_F(MembershipsTest, TakesMoreThanASocketHolds) {
  // igmp_max_memberships is 20 per socket; IPv6 memberships are bounded by the socket's option memory.
  constexpr std::uint8_t kGroups = 250;
  Memberships memberships;
  for (std::uint8_t i = 1; i <= kGroups; ++i) {
    const auto v4 = memberships.join(Ipv4(239, 1, 2, i), va_);
    ASSERT_TRUE(v4) << v4.error().message;
    const auto v6 = memberships.join(*IpAddr::parse("ff05::2:" + std::to_string(i)), va_);
    ASSERT_TRUE(v6) << v6.error().message;
  }
  const auto groups = joined("va");
  EXPECT_TRUE(groups.contains("239.1.2.1"));
  EXPECT_TRUE(groups.contains("239.1.2.250"));
  EXPECT_TRUE(groups.contains("ff05::2:250"));

  // Room made on a full socket is used again: a group that moves does not cost a socket each time.
  const auto files = open_files();
  for (std::uint8_t i = 1; i < kGroups; ++i) {
    memberships.leave(Ipv4(239, 1, 2, i), va_);
    ASSERT_TRUE(memberships.join(Ipv4(239, 1, 3, i), va_));
  }
  EXPECT_EQ(open_files(), files);
  EXPECT_FALSE(joined("va").contains("239.1.2.3"));
  EXPECT_TRUE(joined("va").contains("239.1.3.3"));
}

TEST_F(MembershipsTest, ALimitThatNoSocketPassesIsAnError) {
  sh("echo 0 > /proc/sys/net/ipv4/igmp_max_memberships");
  Memberships memberships;
  const auto refused = memberships.join(Ipv4(239, 1, 1, 1), va_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kSystem);
  sh("echo 20 > /proc/sys/net/ipv4/igmp_max_memberships");
  EXPECT_TRUE(memberships.join(Ipv4(239, 1, 1, 1), va_));
}

TEST_F(MembershipsTest, ADeviceThatIsMissingMayComeLater) {
  Memberships memberships;
  for (const char* text : {"239.1.1.1", "ff05::1111"}) {
    const auto joined_nowhere = memberships.join(*IpAddr::parse(text), IfIndex(4711));
    ASSERT_FALSE(joined_nowhere);
    EXPECT_EQ(joined_nowhere.error().kind, ErrorKind::kUnavailable);
    EXPECT_THAT(joined_nowhere.error().message, ::testing::HasSubstr(text));
  }
}

TEST_F(MembershipsTest, SurvivesTheDevice) {
  Memberships memberships;
  ASSERT_TRUE(memberships.join(Ipv4(239, 1, 1, 1), va_));
  ASSERT_TRUE(memberships.join(*IpAddr::parse("ff05::1111"), va_));
  sh("ip link set va down && ip link set va up");
  EXPECT_TRUE(joined("va").contains("239.1.1.1")) << "down and up again keeps it";
  sh("ip link del va");
  memberships.leave(Ipv4(239, 1, 1, 1), va_);
  memberships.leave(*IpAddr::parse("ff05::1111"), va_);

  sh("ip link add va type veth peer name vb && ip link set va up");
  const IfIndex again = Rtnetlink::create().value()->find("va").value().index;
  ASSERT_TRUE(memberships.join(Ipv4(239, 1, 1, 1), again));
  EXPECT_TRUE(joined("va").contains("239.1.1.1"));
}

}  // namespace
}  // namespace vtep
