// Addresses of interfaces: what Rtnetlink sets, and what of it can be seen.
#include "io/host_address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/rtnetlink.h"
#include "io/test_namespace.h"

namespace vtep {
namespace {

using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class HostAddressTest : public NamespaceTest {
 protected:
  void SetUp() override {
    NamespaceTest::SetUp();
    if (IsSkipped()) return;
    // Without addresses that the kernel makes.
    sh("ip link add va type veth peer name vb && ip link set va addrgenmode none");
    sh("ip link set vb addrgenmode none");
    sh("ip link set va up && ip link set vb up");
    rtnetlink_ = Rtnetlink::create().value();
    va_ = rtnetlink_->find("va").value().index;
  }
  HostAddress address(const char* text, unsigned length) const {
    return {.address = *IpAddr::parse(text), .prefix_length = length, .device = va_};
  }
  std::vector<HostAddress> listed() { return rtnetlink_->list_addresses(va_).value(); }

  std::unique_ptr<Rtnetlink> rtnetlink_;
  IfIndex va_;
};

TEST_F(HostAddressTest, IsAddedAndDeletedHoweverOften) {
  for (const HostAddress& one : {address("10.244.47.0", 32), address("fd00:47::", 128)}) {
    EXPECT_THAT(listed(), IsEmpty());
    for (int i = 0; i < 2; ++i) {
      const auto added = rtnetlink_->add_address(one);
      EXPECT_TRUE(added) << added.error().message;
      EXPECT_THAT(listed(), UnorderedElementsAre(one));
    }
    EXPECT_TRUE(rtnetlink_->has_address(one.address).value());
    for (int i = 0; i < 2; ++i) {
      const auto deleted = rtnetlink_->delete_address(one);
      EXPECT_TRUE(deleted) << deleted.error().message;
      EXPECT_THAT(listed(), IsEmpty());
    }
  }
}

TEST_F(HostAddressTest, IsListedWithPrefixLengthAndScope) {
  sh("ip addr add 10.9.0.1/24 dev va && ip addr add 10.9.1.1/32 scope link dev va");
  sh("ip addr add fd09::1/64 nodad dev va");
  HostAddress with_scope = address("10.9.1.1", 32);
  with_scope.scope = 253;
  EXPECT_THAT(listed(), UnorderedElementsAre(address("10.9.0.1", 24), with_scope, address("fd09::1", 64)));
  EXPECT_TRUE(rtnetlink_->delete_address(with_scope));
  EXPECT_TRUE(rtnetlink_->add_address(with_scope));
  EXPECT_THAT(listed(), UnorderedElementsAre(address("10.9.0.1", 24), with_scope, address("fd09::1", 64)));
  EXPECT_EQ(rtnetlink_->list_addresses().value().size(), 5U) << "with those of lo";
}

TEST_F(HostAddressTest, WithAnotherPrefixLengthIsAnother) {
  sh("ip addr add 10.9.0.1/24 dev va && ip addr add fd09::1/64 nodad dev va");
  EXPECT_TRUE(rtnetlink_->delete_address(address("10.9.0.1", 32)));
  EXPECT_TRUE(rtnetlink_->delete_address(address("fd09::1", 128)));
  EXPECT_EQ(listed().size(), 2U);
  EXPECT_TRUE(rtnetlink_->add_address(address("10.9.0.1", 32)));
  EXPECT_EQ(listed().size(), 3U);
  const auto v6 = rtnetlink_->add_address(address("fd09::1", 128));
  ASSERT_FALSE(v6) << "IPv6 has an address once";
  EXPECT_EQ(v6.error().kind, ErrorKind::kExists);
  EXPECT_EQ(v6.error().message.find("Cannot add the address fd09::1/128 dev va: "), 0U) << v6.error().message;
}

TEST_F(HostAddressTest, LastsThoughItsLifetimeWasLimited) {
  sh("ip addr add 10.9.0.1/24 valid_lft 1000 preferred_lft 1000 dev va");
  EXPECT_TRUE(rtnetlink_->add_address(address("10.9.0.1", 24)));
  sh("ip addr show dev va | grep -q 'valid_lft forever'");
}

TEST_F(HostAddressTest, OfNoInterface) {
  HostAddress nowhere = address("10.9.0.1", 24);
  nowhere.device = IfIndex(4711);
  const auto added = rtnetlink_->add_address(nowhere);
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(added.error().message.find("Cannot add the address 10.9.0.1/24 dev #4711: "), 0U)
      << added.error().message;
  EXPECT_TRUE(rtnetlink_->delete_address(nowhere)) << "it is not there";
}

TEST_F(HostAddressTest, NeedsThePermission) {
  const WithoutNetAdmin without;
  const auto added = rtnetlink_->add_address(address("10.9.0.1", 24));
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error(), (Error{ErrorKind::kPermission,
                                  "Cannot add the address 10.9.0.1/24 dev va: Operation not permitted"}));
  EXPECT_EQ(rtnetlink_->delete_address(address("10.9.0.1", 24)).error().message,
            "Cannot delete the address 10.9.0.1/24 dev va: Operation not permitted");
}

}  // namespace
}  // namespace vtep
