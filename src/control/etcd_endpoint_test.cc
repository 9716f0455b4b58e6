#include "control/etcd_endpoint.h"

#include <gtest/gtest.h>

namespace vtep {
namespace {

struct Case {
  const char* text;
  bool is_secure;
  const char* name;
  const char* target;
};

TEST(EtcdEndpointTest, TakesWhatPeopleWrite) {
  const Case cases[] = {
      {"http://10.0.0.1:2379", true, "http://10.0.0.1:2379", "ipv4:10.0.0.1:2379"},
      {"https://10.0.0.1:2379/", false, "https://10.0.0.1:2379", "ipv4:10.0.0.1:2379"},
      {"10.0.0.1:2379", false, "http://10.0.0.1:2379", "ipv4:10.0.0.1:2379"},
      {"10.0.0.1:2379", true, "https://10.0.0.1:2379", "ipv4:10.0.0.1:2379"},
      {"[FD00:0::1]:2379", false, "http://[fd00::1]:2379", "ipv6:[fd00::1]:2379"},
      {"etcd-1.example.org:1", false, "http://etcd-1.example.org:1", "dns:///etcd-1.example.org:1"},
  };
  for (const Case& c : cases) {
    const auto endpoint = parse_etcd_endpoint(c.text, c.is_secure);
    ASSERT_TRUE(endpoint) << endpoint.error().message;
    EXPECT_EQ(endpoint->name, c.name);
    EXPECT_EQ(endpoint->target, c.target);
    EXPECT_EQ(endpoint->is_secure, endpoint->name.starts_with("https"));
    EXPECT_EQ("http" + std::string(endpoint->is_secure ? "s" : "") + "://" + endpoint->authority,
              endpoint->name);
  }
}

TEST(EtcdEndpointTest, RefusesWhatMakesNoSenseByName) {
  for (const char* text : {"",
                           ":",
                           "10.0.0.1",
                           "http://10.0.0.1",
                           "10.0.0.1:",
                           "10.0.0.1:0",
                           "10.0.0.1:65536",
                           "10.0.0.1:-1",
                           ":2379",
                           "unix:///run/etcd",
                           "ftp://10.0.0.1:21",
                           "http://10.0.0.1:2379/v3",
                           "http://root:pw@10.0.0.1:2379",
                           "10.0.0.256:2379",
                           "1.2.3:2379",
                           "fd00::1:2379",
                           "[fd00::1]",
                           "[fd00::g]:2379",
                           "[10.0.0.1]:2379",
                           "-x:2379",
                           "a b:2379",
                           "a,b:2379",
                           "http://http://a:1",
                           "a:1:2",
                           "a%2f:1"}) {
    const auto endpoint = parse_etcd_endpoint(text, false);
    ASSERT_FALSE(endpoint) << text;
    EXPECT_EQ(endpoint.error().kind, ErrorKind::kInvalid);
    EXPECT_NE(endpoint.error().message.find('"' + std::string(text) + '"'), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace vtep
