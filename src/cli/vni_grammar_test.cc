#include "cli/vni_grammar.h"

#include <gtest/gtest.h>

#include "cli/testing.h"

namespace vtep {
namespace {

auto change(v1::ChangeOperation operation) {
  return [operation](Words& words) { return parse_vni_change(operation, words); };
}

// One line a change, as protobuf text.
std::string changes(v1::ChangeOperation operation, std::string_view line) {
  Words words(split(line));
  const auto parsed = parse_vni_change(operation, words);
  if (!parsed) return parsed.error().text;
  std::string text;
  for (const v1::VniChange& each : *parsed) text += each.entry().ShortDebugString() + '\n';
  return text;
}

TEST(VniAdd, One) {
  EXPECT_EQ(changes(v1::CHANGE_ADD, "dev v vni 10"), "dev: \"v\" vni: 10\n");
  EXPECT_EQ(changes(v1::CHANGE_ADD, "vni 10 vlan 5 group 239.1.1.1 dev v"),
            "dev: \"v\" vni: 10 vlan: 5 group: \"239.1.1.1\"\n");
  EXPECT_EQ(changes(v1::CHANGE_ADD, "vni 0 remote FD00:0::1 dev v"), "dev: \"v\" remote: \"fd00::1\"\n");
}

TEST(VniAdd, RangesAreOneChangeEach) {
  EXPECT_EQ(changes(v1::CHANGE_ADD, "dev v vni 10-11,20 vlan 100-102"),
            "dev: \"v\" vni: 10 vlan: 100\n"
            "dev: \"v\" vni: 11 vlan: 101\n"
            "dev: \"v\" vni: 20 vlan: 102\n");
  EXPECT_EQ(changes(v1::CHANGE_DELETE, "dev v vni 10-11"), "dev: \"v\" vni: 10\ndev: \"v\" vni: 11\n");
}

TEST(VniAdd, TheOperationIsInEach) {
  Words words(split("dev v vni 10-11"));
  const auto parsed = parse_vni_change(v1::CHANGE_DELETE, words);
  ASSERT_TRUE(parsed);
  for (const v1::VniChange& each : *parsed) EXPECT_EQ(each.operation(), v1::CHANGE_DELETE);
}

TEST(VniAdd, Refused) {
  const auto add = change(v1::CHANGE_ADD);
  EXPECT_EQ(refusal(add, "vni 10"), "the link is missing: say 'dev DEV'");
  EXPECT_EQ(refusal(add, "dev v"), "the VNI is missing: say 'vni VNI'");
  EXPECT_EQ(refusal(add, "dev v vni 10-12 vlan 100-101"),
            "3 VNIs and 2 VLANs do not go together: there must be as many of either");
  EXPECT_EQ(refusal(add, "dev v vni 10-12"),
            "several VNIs are told apart by VLAN: say 'vlan VID-VID' with as many VLANs");
  EXPECT_EQ(
      refusal(add, "dev v vni 16777216"),
      "'vni 16777216' makes no sense: a VNI from 0 to 16777215, a range like 10-12 or a list of these is "
      "expected");
  EXPECT_EQ(refusal(add, "dev v vni 1 vlan 4095"),
            "'vlan 4095' makes no sense: a VLAN from 1 to 4094, a range like 10-12 or a list of these is "
            "expected");
  EXPECT_EQ(refusal(change(v1::CHANGE_DELETE), "dev v vni 0-4095"),
            "'vni 0-4095' is too much at once: 4095 are the most");
  EXPECT_EQ(refusal(add, "dev v vni 1 group 239.1.1.1 remote 10.0.0.1"), "'group or remote' is given twice");
  EXPECT_EQ(refusal(add, "dev v vni 1 group 10.0.0.1"),
            "'group 10.0.0.1' makes no sense: that is no multicast address; a unicast VTEP is a 'remote'");
  EXPECT_EQ(refusal(add, "dev v vni 1 vni 2"), "'vni' is given twice");
  EXPECT_EQ(refusal(add, "dev v vni 1 frob"), "'frob' makes no sense to 'vni': see 'vtep vni help'");
  EXPECT_EQ(refusal(add, "help"), "help");
}

TEST(VniShow, Words) {
  EXPECT_EQ(refusal(parse_vni_show, ""), "parsed");
  Words words(split("dev v"));
  EXPECT_EQ(parse_vni_show(words)->dev(), "v");
  EXPECT_EQ(refusal(parse_vni_show, "v"), "'v' makes no sense to 'vni show': see 'vtep vni help'");
  EXPECT_EQ(refusal(parse_vni_show, "help"), "help");
}

}  // namespace
}  // namespace vtep
