#include "cli/neighbour_grammar.h"

#include <gtest/gtest.h>

#include "cli/testing.h"

namespace vtep {
namespace {

std::string change(v1::ChangeOperation operation, std::string_view line) {
  Words words(split(line));
  const auto parsed = parse_neighbour_change(operation, words);
  if (!parsed) return parsed.error().why == NotParsed::Why::kHelp ? "help" : parsed.error().text;
  EXPECT_EQ(parsed->operation(), operation);
  return parsed->neighbour().ShortDebugString();
}
std::string add(std::string_view line) {
  return change(v1::CHANGE_ADD, line);
}

TEST(NeighbourAdd, Words) {
  EXPECT_EQ(add("192.168.5.1 lladdr 2:0:0:0:0:1 dev v"),
            R"(ip: "192.168.5.1" mac: "02:00:00:00:00:01" dev: "v" permanent: true)");
  EXPECT_EQ(add("dev v src_vni 7 router nud permanent lladdr 2:0:0:0:0:1 to FD00:0::1"),
            R"(ip: "fd00::1" mac: "02:00:00:00:00:01" dev: "v" src_vni: 7 permanent: true router: true)");
}

TEST(NeighbourAdd, Refused) {
  EXPECT_EQ(add("lladdr 2:0:0:0:0:1 dev v"), "the IP address is missing");
  EXPECT_EQ(add("192.168.5.1 lladdr 2:0:0:0:0:1"), "the link is missing: say 'dev DEV'");
  EXPECT_EQ(add("192.168.5.1 dev v"), "the MAC address is missing: say 'lladdr MAC'");
  EXPECT_EQ(add("192.168.5.1 192.168.5.2 dev v"),
            "'192.168.5.2' makes no sense here: the address is 192.168.5.1 already");
  EXPECT_EQ(add("239.1.1.1 dev v"),
            "'to 239.1.1.1' makes no sense: that is a multicast group, a unicast address is expected");
  EXPECT_EQ(add("192.168.5.1 lladdr 1:0:0:0:0:1 dev v"),
            "'lladdr 01:00:00:00:00:01' makes no sense: it is no unicast address");
  EXPECT_EQ(add("192.168.5.1 lladdr 2:0:0:0:0:1 dev v nud stale"),
            "'nud stale' makes no sense: what a person sets is permanent");
  EXPECT_EQ(add("proxy 192.168.5.1 dev v"),
            "vtep does not support 'proxy': its table is for answering in the overlay");
  EXPECT_EQ(add("help"), "help");
}

TEST(NeighbourDelete, NeedsNoMac) {
  EXPECT_EQ(change(v1::CHANGE_DELETE, "192.168.5.1 dev v"), R"(ip: "192.168.5.1" dev: "v")");
}

TEST(NeighbourShow, Words) {
  Words words(split("to FD00:0::1 dev v"));
  const auto show = parse_neighbour_show(words);
  ASSERT_TRUE(show);
  EXPECT_EQ(show->dev, "v");
  EXPECT_EQ(show->ip, "fd00::1");
  EXPECT_EQ(refusal(parse_neighbour_show, ""), "parsed");
  EXPECT_EQ(refusal(parse_neighbour_show, "help"), "help");
}

}  // namespace
}  // namespace vtep
