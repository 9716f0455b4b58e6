#include "cli/mdb_grammar.h"

#include <gtest/gtest.h>

#include "cli/testing.h"

namespace vtep {
namespace {

std::string change(v1::ChangeOperation operation, std::string_view line) {
  Words words(split(line));
  const auto parsed = parse_mdb_change(operation, words);
  if (!parsed) return parsed.error().why == NotParsed::Why::kHelp ? "help" : parsed.error().text;
  EXPECT_EQ(parsed->operation(), operation);
  return parsed->entry().ShortDebugString();
}
std::string add(std::string_view line) {
  return change(v1::CHANGE_ADD, line);
}

TEST(MdbAdd, Words) {
  EXPECT_EQ(add("dev v port v grp 239.1.1.1 permanent dst 10.0.0.2"),
            R"(dev: "v" group: "239.1.1.1" dst: "10.0.0.2" permanent: true)");
  EXPECT_EQ(
      add("via eno1 src_vni 10 vni 5 dst_port 4790 dst fd00::2 src 192.168.5.1 grp 232.1.1.1 dev v"),
      R"(dev: "v" group: "232.1.1.1" source: "192.168.5.1" dst: "fd00::2" port: 4790 vni: 5 via: "eno1" )"
      R"(src_vni: 10 permanent: true)");
  EXPECT_EQ(add("dev v grp 0.0.0.0 dst 10.0.0.2"),
            R"(dev: "v" group: "0.0.0.0" dst: "10.0.0.2" permanent: true)");
  EXPECT_EQ(add("dev v grp :: dst 239.9.9.9"), R"(dev: "v" group: "::" dst: "239.9.9.9" permanent: true)");
}

TEST(MdbDelete, TakesLearnedOnesToo) {
  EXPECT_EQ(change(v1::CHANGE_DELETE, "dev v grp 239.1.1.1 dst 10.0.0.2"),
            R"(dev: "v" group: "239.1.1.1" dst: "10.0.0.2")");
}

TEST(MdbAdd, Refused) {
  EXPECT_EQ(add("grp 239.1.1.1 dst 10.0.0.2"), "the link is missing: say 'dev DEV'");
  EXPECT_EQ(add("dev v dst 10.0.0.2"), "the group is missing: say 'grp GROUP'");
  EXPECT_EQ(add("dev v grp 239.1.1.1"), "the remote VTEP is missing: say 'dst IP'");
  EXPECT_EQ(add("dev v port eno1 grp 239.1.1.1 dst 10.0.0.2"),
            "'port eno1' makes no sense: the port is the link itself, v");
  for (const std::string group : {"10.0.0.1", "01:00:5e:01:01:01", "x"}) {
    EXPECT_EQ(add("dev v grp " + group + " dst 10.0.0.2"),
              "'grp " + group +
                  "' makes no sense: a multicast address is expected, or 0.0.0.0 or :: for all the others");
  }
  EXPECT_EQ(add("dev v grp 239.1.1.1 src fd00::1 dst 10.0.0.2"),
            "239.1.1.1 and fd00::1 are of different families");
  EXPECT_EQ(add("dev v grp :: src fd00::1 dst 10.0.0.2"),
            "'src' makes no sense with the group of all the others");
  EXPECT_EQ(add("dev v grp 239.1.1.1 temp dst 10.0.0.2"),
            "an entry that is asked for is permanent; the others come from IGMP and MLD");
  EXPECT_EQ(add("dev v grp 239.1.1.1 filter_mode include dst 10.0.0.2"),
            "vtep does not support 'filter_mode': write one entry a source, with 'src'");
  EXPECT_EQ(add("dev v grp 239.1.1.1 dst 10.0.0.2 dst 10.0.0.3"), "'dst' is given twice");
  EXPECT_EQ(add("dev v frob"), "'frob' makes no sense to 'mdb': see 'vtep mdb help'");
  EXPECT_EQ(add("help"), "help");
}

TEST(MdbShow, Words) {
  Words words(split("dev v"));
  EXPECT_EQ(parse_mdb_show(words)->dev(), "v");
  EXPECT_EQ(refusal(parse_mdb_show, ""), "parsed");
  EXPECT_EQ(refusal(parse_mdb_show, "v"), "'v' makes no sense to 'mdb show': see 'vtep mdb help'");
}

}  // namespace
}  // namespace vtep
