#include "cli/link_grammar.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/util/message_differencer.h>

#include "cli/testing.h"

namespace vtep {
namespace {

template <typename Message>
Message message(const std::string& text) {
  Message result;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &result)) << text;
  return result;
}

// What a line becomes, as protobuf text; the sentence if it is refused.
template <typename Parse>
std::string parse(Parse parse_words, std::string_view line) {
  Words words(split(line));
  const auto request = parse_words(words);
  return request ? request->ShortDebugString() : request.error().text;
}

void expect_add(std::string_view line, const std::string& text) {
  Words words(split(line));
  const auto request = parse_link_add(words);
  ASSERT_TRUE(request) << line << ": " << request.error().text;
  const auto expected = message<v1::AddLinkRequest>(text);
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(*request, expected))
      << line << ": " << request->ShortDebugString();
}

TEST(LinkAdd, TheWriteUpsLine) {
  expect_add("name vxlan0 type vxlan id 6000 group 239.1.1.1 dstport 4789 dev eno1",
             R"(name: "vxlan0" spec { id: 6000 group: "239.1.1.1" dstport: 4789 dev: "eno1" })");
}

TEST(LinkAdd, EveryOption) {
  expect_add(
      "vxlan0 address 02:0:0:0:0:5 mtu 1400 type vxlan id 2 remote 10.1.1.1 local 10.138.36.66 dev eno1 "
      "srcport 50000 60000 dstport 4790 nolearning ttl 4 ageing 60",
      R"(name: "vxlan0" spec { id: 2 remote: "10.1.1.1" local: "10.138.36.66" dev: "eno1" dstport: 4790
         srcport_min: 50000 srcport_max: 60000 ttl: 4 ageing: 60 learning: false address: "02:00:00:00:00:05"
         mtu: 1400 })");
}

TEST(LinkAdd, OrderDoesNotMatter) {
  expect_add("mtu 1400 vxlan0 type vxlan dev eno1 learning group 239.1.1.1 id 1",
             R"(name: "vxlan0" spec { id: 1 group: "239.1.1.1" dev: "eno1" learning: true mtu: 1400 })");
}

TEST(LinkAdd, OtherNamesAndShortWords) {
  expect_add("dev v1 ty vxlan vni 0x10 hoplimit 3 port 1 2",
             R"(name: "v1" spec { id: 16 ttl: 3 srcport_min: 1 srcport_max: 2 })");
  expect_add("v1 type vxlan v 1 r 10.0.0.1 l 10.0.0.2 d eno1 t auto a none s 0 0 dst 0 nol",
             R"(name: "v1" spec { id: 1 remote: "10.0.0.1" local: "10.0.0.2" dev: "eno1" ttl: 0 ageing: 0
                srcport_min: 0 srcport_max: 0 dstport: 0 learning: false })");
}

TEST(LinkAdd, Ipv6) {
  expect_add("v1 type vxlan id 1 group FF05:0::100 dev eno1 local fd00::1",
             R"(name: "v1" spec { id: 1 group: "ff05::100" dev: "eno1" local: "fd00::1" })");
}

TEST(LinkAdd, NoName) {
  expect_add("type vxlan id 16777215", "spec { id: 16777215 }");
}

TEST(LinkAdd, Help) {
  EXPECT_EQ(refusal(parse_link_add, "help"), "help");
  EXPECT_EQ(refusal(parse_link_add, "type vxlan help"), "help");
  EXPECT_EQ(refusal(parse_link_add, "v1 type vxlan id 1 help"), "help");
}

struct Refused {
  const char* line;
  const char* sentence;
};

TEST(LinkAdd, Refused) {
  constexpr Refused kLines[] = {
      {"v1", "the type is missing: say 'type vxlan id VNI'"},
      {"", "the type is missing: say 'type vxlan id VNI'"},
      {"v1 type", "'type' needs a value, and the line ends after it"},
      {"v1 type geneve id 1", "vtep makes links of type vxlan only, not 'geneve'"},
      {"v1 v2 type vxlan id 1", "'v2' makes no sense here: the link's name is 'v1' already"},
      {"name type vxlan id 1", "'vxlan' makes no sense here: the link's name is 'type' already"},
      {"a234567890123456 type vxlan id 1",
       "'a234567890123456' cannot be the name of an interface: it is longer than 15 characters"},
      {"a/b type vxlan id 1",
       "'a/b' cannot be the name of an interface: '/', ':' and blanks are not allowed"},
      {"a:b type vxlan id 1",
       "'a:b' cannot be the name of an interface: '/', ':' and blanks are not allowed"},
      {"a\tb type vxlan id 1",
       "'a\tb' cannot be the name of an interface: '/', ':' and blanks are not allowed"},
      {".. type vxlan id 1", "'..' cannot be the name of an interface: the kernel reserves it"},
      {"v1 mtu 67 type vxlan id 1", "'mtu 67' makes no sense: 68 is the least"},
      {"v1 mtu 65536 type vxlan id 1",
       "'mtu 65536' makes no sense: a number of bytes from 68 to 65535 is expected"},
      {"v1 mtu 1400 mtu 1400 type vxlan id 1", "'mtu' is given twice"},
      {"v1 address x type vxlan id 1", "'x' is no MAC address like 4a:bd:99:0c:09:b2"},
      {"v1 address 01:00:5e:00:00:01 type vxlan id 1",
       "01:00:5e:00:00:01 cannot be the address of an interface: it is no unicast address"},
      {"v1 up type vxlan id 1", "'up' comes once the link is there: 'vtep link set NAME up'"},
      {"v1 netns x type vxlan id 1",
       "'netns' is not for vtep to set: the interface is an ordinary one, use 'ip link set NAME netns'"},
      {"v1 txq 5 type vxlan id 1",
       "'txqueuelen' is not for vtep to set: the interface is an ordinary one, use 'ip link set NAME "
       "txqueuelen'"},
      {"v1 type vxlan", "the VNI is missing: say 'id VNI'"},
      {"v1 type vxlan id", "'id' needs a value, and the line ends after it"},
      {"v1 type vxlan id 16777216", "'id 16777216' makes no sense: a VNI from 0 to 16777215 is expected"},
      {"v1 type vxlan id -1", "'id -1' makes no sense: a VNI from 0 to 16777215 is expected"},
      {"v1 type vxlan id 1x", "'id 1x' makes no sense: a VNI from 0 to 16777215 is expected"},
      {"v1 type vxlan id 1 vni 1", "'id' is given twice"},
      {"v1 type vxlan id 1 group 239.1.1.1", "'group' needs the underlay device: say 'dev DEV'"},
      {"v1 type vxlan id 1 group 10.0.0.1 dev eno1",
       "'group 10.0.0.1' makes no sense: that is no multicast address; a unicast VTEP is a 'remote'"},
      {"v1 type vxlan id 1 group x dev eno1",
       "'group x' makes no sense: an IPv4 or IPv6 address is expected"},
      {"v1 type vxlan id 1 group 239.1.1.1 remote 10.0.0.1 dev eno1",
       "'group' and 'remote' exclude each other"},
      {"v1 type vxlan id 1 remote 10.0.0.1 group 239.1.1.1 dev eno1",
       "'group' and 'remote' exclude each other"},
      {"v1 type vxlan id 1 remote 239.1.1.1",
       "'remote 239.1.1.1' makes no sense: that is a multicast group, a unicast address is expected"},
      {"v1 type vxlan id 1 remote 0.0.0.0",
       "'remote 0.0.0.0' makes no sense: an IPv4 or IPv6 address is expected"},
      {"v1 type vxlan id 1 local ff02::1",
       "'local ff02::1' makes no sense: that is a multicast group, a unicast address is expected"},
      {"v1 type vxlan id 1 remote 10.0.0.1 local fd00::1",
       "fd00::1 cannot be the source address of packets to 10.0.0.1: give 'local' once more, with an IPv4 "
       "address"},
      {"v1 type vxlan id 1 local fd00::1 group 239.1.1.1 dev eno1",
       "fd00::1 cannot be the source address of packets to 239.1.1.1: give 'local' once more, with an IPv4 "
       "address"},
      {"v1 type vxlan id 1 local 10.0.0.1 local 10.0.0.1",
       "'local' is given twice for the same family: once for IPv4 and once for IPv6 is enough"},
      {"v1 type vxlan id 1 dev eno1 dev eno1", "'dev' is given twice"},
      {"v1 type vxlan id 1 ttl 256",
       "'ttl 256' makes no sense: 'auto', 'inherit' or a number from 0 to 255 is expected"},
      {"v1 type vxlan id 1 ageing 4294967296",
       "'ageing 4294967296' makes no sense: 'none' or a number of seconds is expected"},
      {"v1 type vxlan id 1 srcport 2 1", "'srcport 2 1' makes no sense: the lower port comes first"},
      {"v1 type vxlan id 1 srcport 1", "'srcport' needs a value, and the line ends after it"},
      {"v1 type vxlan id 1 srcport 1 65536",
       "'srcport 65536' makes no sense: a port from 0 to 65535 is expected"},
      {"v1 type vxlan id 1 dstport 65536",
       "'dstport 65536' makes no sense: a port from 0 to 65535 is expected"},
      {"v1 type vxlan id 1 learning nolearning", "'learning' is given twice"},
      {"v1 type vxlan id 1 frob", "'frob' is no option of type vxlan: see 'vtep link help'"},
  };
  for (const auto& [line, sentence] : kLines) EXPECT_EQ(refusal(parse_link_add, line), sentence) << line;
}

TEST(LinkAdd, PortNoticeUnlessAPortWasNamed) {
  EXPECT_THAT(port_notice(message<v1::AddLinkRequest>("spec { id: 1 }")),
              testing::StartsWith("vxlan: destination port not specified\n"));
  EXPECT_EQ(port_notice(message<v1::AddLinkRequest>("spec { dstport: 0 }")), "");
}

TEST(LinkSet, Words) {
  EXPECT_EQ(parse(parse_link_set, "vxlan0 up"), R"(name: "vxlan0" spec { } up: true)");
  EXPECT_EQ(parse(parse_link_set, "dev vxlan0 down mtu 1400"),
            R"(name: "vxlan0" spec { mtu: 1400 } up: false)");
  EXPECT_EQ(parse(parse_link_set, "vxlan0 type vxlan ttl 5 nolearning"),
            R"(name: "vxlan0" spec { ttl: 5 learning: false })");
  EXPECT_EQ(parse(parse_link_set, "vxlan0 type vxlan group 239.1.1.2"),
            R"(name: "vxlan0" spec { group: "239.1.1.2" })");
}

TEST(LinkSet, Rename) {
  EXPECT_EQ(parse(parse_link_set, "dev vxlan0 name vxlan1 up"),
            R"(name: "vxlan0" up: true new_name: "vxlan1")");
}

TEST(LinkSet, Refused) {
  EXPECT_EQ(refusal(parse_link_set, "up"), "the link's name is missing: 'vtep link set NAME …'");
  EXPECT_EQ(refusal(parse_link_set, "vxlan0 up down"), "'up' is given twice");
  EXPECT_EQ(refusal(parse_link_set, "vxlan0 name a/b"),
            "'a/b' cannot be the name of an interface: '/', ':' and blanks are not allowed");
  EXPECT_EQ(refusal(parse_link_set, "vxlan0 name a name b"), "'name' is given twice");
  EXPECT_EQ(
      refusal(parse_link_set, "vxlan0 master br0"),
      "'master' is not for vtep to set: the interface is an ordinary one, use 'ip link set NAME master'");
}

TEST(LinkDelete, Words) {
  EXPECT_EQ(parse(parse_link_delete, "vxlan0"), R"(name: "vxlan0")");
  EXPECT_EQ(parse(parse_link_delete, "dev vxlan0 type vxlan"), R"(name: "vxlan0")");
  EXPECT_EQ(refusal(parse_link_delete, ""), "the link's name is missing: 'vtep link del NAME'");
  EXPECT_EQ(refusal(parse_link_delete, "dev"), "'dev' needs a value, and the line ends after it");
  EXPECT_EQ(refusal(parse_link_delete, "v1 v2"), "'v2' makes no sense here: the link's name is 'v1' already");
}

TEST(LinkShow, Words) {
  const auto show = [](std::string_view line) {
    Words words(split(line));
    return parse_link_show(words);
  };
  EXPECT_EQ(show("")->name, "");
  EXPECT_FALSE(show("")->up);
  EXPECT_EQ(show("dev vxlan0")->name, "vxlan0");
  EXPECT_EQ(show("up vxlan0 type vxlan")->name, "vxlan0");
  EXPECT_TRUE(show("type vxlan up")->up);
  EXPECT_EQ(refusal(parse_link_show, "type bridge"), "vtep makes links of type vxlan only, not 'bridge'");
}

}  // namespace
}  // namespace vtep
