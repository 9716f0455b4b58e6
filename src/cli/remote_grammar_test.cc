#include "cli/remote_grammar.h"

#include <gtest/gtest.h>

#include "cli/testing.h"

namespace vtep {
namespace {

std::string set(std::string_view line) {
  Words words(split(line));
  const auto parsed = parse_remote_set(words);
  if (!parsed) return parsed.error().why == NotParsed::Why::kHelp ? "help" : parsed.error().text;
  return parsed->ShortDebugString();
}

TEST(RemoteSet, Words) {
  EXPECT_EQ(set("10.0.0.2 udpcsum"), R"(address: "10.0.0.2" udp_csum: true)");
  EXPECT_EQ(set("FD00:0::2 noudpcsum mtu 1400"), R"(address: "fd00::2" mtu: 1400 udp_csum: false)");
  EXPECT_EQ(set("10.0.0.2 default"), R"(address: "10.0.0.2" link_udp_csum: true)");
  EXPECT_EQ(set("10.0.0.2 mtu auto"), R"(address: "10.0.0.2" mtu: 0)");
  EXPECT_EQ(set("10.0.0.2 mtu 68"), R"(address: "10.0.0.2" mtu: 68)");
}

TEST(RemoteSet, Refused) {
  EXPECT_EQ(set(""), "'set' needs a value, and the line ends after it");
  EXPECT_EQ(set("10.0.0.2"), "nothing to set: say 'udpcsum', 'noudpcsum', 'default' or 'mtu'");
  EXPECT_EQ(set("239.1.1.1 udpcsum"),
            "'set 239.1.1.1' makes no sense: that is a multicast group, a unicast address is expected");
  EXPECT_EQ(set("10.0.0.2 udpcsum default"), "'udpcsum, noudpcsum or default' is given twice");
  EXPECT_EQ(set("10.0.0.2 mtu 67"), "'mtu 67' makes no sense: 68 is the least on the way to 10.0.0.2");
  EXPECT_EQ(set("fd00::2 mtu 1279"), "'mtu 1279' makes no sense: 1280 is the least on the way to fd00::2");
  EXPECT_EQ(set("10.0.0.2 mtu 65536"),
            "'mtu 65536' makes no sense: 'auto' or a number of bytes up to 65535 is expected");
  EXPECT_EQ(set("10.0.0.2 frob"), "'frob' makes no sense to 'remote set': see 'vtep remote help'");
  EXPECT_EQ(set("help"), "help");
}

TEST(RemoteShow, Words) {
  Words words(split("dev v"));
  EXPECT_EQ(parse_remote_show(words)->dev(), "v");
  EXPECT_EQ(refusal(parse_remote_show, ""), "parsed");
  EXPECT_EQ(refusal(parse_remote_show, "v"), "'v' makes no sense to 'remote show': see 'vtep remote help'");
}

}  // namespace
}  // namespace vtep
