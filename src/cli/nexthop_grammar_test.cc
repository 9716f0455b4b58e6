#include "cli/nexthop_grammar.h"

#include <gtest/gtest.h>

#include "cli/testing.h"

namespace vtep {
namespace {

auto change(v1::ChangeOperation operation) {
  return [operation](Words& words) { return parse_nexthop_change(operation, words); };
}

std::string add(std::string_view line) {
  Words words(split(line));
  const auto parsed = parse_nexthop_change(v1::CHANGE_ADD, words);
  return parsed ? parsed->nexthop().ShortDebugString() : parsed.error().text;
}

TEST(NexthopAdd, Words) {
  EXPECT_EQ(add("id 1 via 10.0.0.2 fdb"), R"(id: 1 via: "10.0.0.2")");
  EXPECT_EQ(add("fdb via FD00:0::3 id 4294967295"), R"(id: 4294967295 via: "fd00::3")");
  EXPECT_EQ(add("id 10 group 1/2,3/7,256"),
            "id: 10 members { id: 1 weight: 1 } members { id: 2 weight: 3 } members { id: 7 weight: 256 }");
}

TEST(NexthopAdd, Refused) {
  const std::string expected =
      "makes no sense: nexthops with weights from 1 to 256 are expected, like 1/2,5/3";
  for (const std::string group : {"x", "0", "1/", "/1", "1,0", "1,257", "1,", "1//2"}) {
    EXPECT_EQ(add("id 10 group " + group), "'group " + group + "' " + expected);
  }
  EXPECT_EQ(add("id 10 group 1/2/1"), "'group 1/2/1' has nexthop 1 twice: give it a larger weight");
  EXPECT_EQ(add("id 10 group 1/10"), "group 10 cannot be a member of itself");
  EXPECT_EQ(add("id 0 via 10.0.0.1"), "'id 0' makes no sense: the number of a nexthop, from 1 is expected");
  EXPECT_EQ(add("via 10.0.0.1"), "the nexthop's number is missing: say 'id ID'");
  EXPECT_EQ(add("id 1"), "where to is missing: say 'via IP' or 'group ID/ID'");
  EXPECT_EQ(add("id 1 via 10.0.0.1 group 2"), "'via' and 'group' exclude each other");
  EXPECT_EQ(add("id 1 via 239.1.1.1"),
            "'via 239.1.1.1' makes no sense: that is a multicast group, a unicast address is expected");
  EXPECT_EQ(add("id 1 via 10.0.0.1 dev eno1"),
            "vtep does not support 'dev': its nexthops are remote VTEPs, not routes");
  EXPECT_EQ(add("id 1 frob"), "'frob' makes no sense to 'nexthop': see 'vtep nexthop help'");
  EXPECT_EQ(refusal(change(v1::CHANGE_ADD), "help"), "help");
}

TEST(NexthopDelete, TheIdSaysItAll) {
  EXPECT_EQ(refusal(change(v1::CHANGE_DELETE), "id 1"), "parsed");
  EXPECT_EQ(refusal(change(v1::CHANGE_DELETE), ""), "the nexthop's number is missing: say 'id ID'");
}

TEST(NexthopShow, Words) {
  Words words(split("id 5 groups fdb"));
  const auto show = parse_nexthop_show(words);
  ASSERT_TRUE(show);
  EXPECT_EQ(show->id, 5);
  v1::Nexthop nexthop;
  EXPECT_FALSE(show->shows(nexthop));
  EXPECT_TRUE(NexthopShow().shows(nexthop));
  nexthop.add_members();
  EXPECT_TRUE(show->shows(nexthop));
  EXPECT_EQ(refusal(parse_nexthop_show, "5"),
            "'5' makes no sense to 'nexthop show': see 'vtep nexthop help'");
}

TEST(NexthopGet, NeedsTheId) {
  EXPECT_EQ(refusal(parse_nexthop_get, "id 5"), "parsed");
  EXPECT_EQ(refusal(parse_nexthop_get, ""), "the nexthop's number is missing: say 'id ID'");
  EXPECT_EQ(refusal(parse_nexthop_get, "groups"),
            "'groups' makes no sense to 'nexthop get': see 'vtep nexthop help'");
}

}  // namespace
}  // namespace vtep
