#include "cli/fdb_grammar.h"

#include <gmock/gmock.h>

#include "cli/testing.h"

namespace vtep {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr auto kAdd = v1::FdbChange::OPERATION_ADD;
constexpr auto kAppend = v1::FdbChange::OPERATION_APPEND;
constexpr auto kReplace = v1::FdbChange::OPERATION_REPLACE;
constexpr auto kDelete = v1::FdbChange::OPERATION_DELETE;

auto change(v1::FdbChange::Operation operation) {
  return [operation](Words& words) { return parse_fdb_change(operation, words); };
}

// What a line becomes, as protobuf text; the sentence if it is refused.
template <typename Parse>
std::string parse(Parse parse_words, std::string_view line) {
  Words words(split(line));
  const auto request = parse_words(words);
  return request ? request->ShortDebugString() : request.error().text;
}

TEST(FdbOperation, Words) {
  const auto operation = [](std::string_view word) {
    Words words(split(word));
    return take_fdb_operation(words);
  };
  EXPECT_EQ(operation("add"), kAdd);
  EXPECT_EQ(operation("a"), kAdd);
  EXPECT_EQ(operation("app"), kAppend);
  EXPECT_EQ(operation("replace"), kReplace);
  EXPECT_EQ(operation("del"), kDelete);
  EXPECT_EQ(operation("show"), std::nullopt);
}

TEST(FdbChange, PlainLine) {
  EXPECT_EQ(parse(change(kAdd), "00:11:22:33:44:55 dev vxlan0 dst 10.1.1.1"),
            R"(operation: OPERATION_ADD entry { mac: "00:11:22:33:44:55" dev: "vxlan0" dst: "10.1.1.1" })");
}

TEST(FdbChange, EveryWordInAnyOrder) {
  EXPECT_EQ(parse(change(kReplace),
                  "via eno1 vni 7 static dst fd00::1 self port 8472 dev vxlan0 to 0:11:22:33:44:56"),
            R"(operation: OPERATION_REPLACE entry { mac: "00:11:22:33:44:56" dev: "vxlan0" dst: "fd00::1" )"
            R"(port: 8472 vni: 7 via: "eno1" state: FDB_STATE_STATIC })");
}

TEST(FdbChange, NexthopsRoutersAndTables) {
  EXPECT_EQ(parse(change(kAdd), "0:0:0:0:0:1 dev v nhid 10 src_vni 0 router static"),
            R"(operation: OPERATION_ADD entry { mac: "00:00:00:00:00:01" dev: "v" state: FDB_STATE_STATIC )"
            R"(nhid: 10 router: true src_vni: 0 })");
  constexpr std::string_view kExcludes =
      "'nhid' excludes 'dst', 'port', 'vni' and 'via': the nexthops say where to";
  for (const char* word : {"dst 10.0.0.1", "port 5", "vni 5", "via eno1"}) {
    EXPECT_EQ(refusal(change(kAdd), std::string("0:0:0:0:0:1 dev v nhid 10 ") + word), kExcludes) << word;
  }
  EXPECT_EQ(refusal(change(kAdd), "0:0:0:0:0:1 dev v nhid 0"),
            "'nhid 0' makes no sense: the number of a nexthop, from 1 is expected");
  EXPECT_EQ(refusal(change(kAdd), "0:0:0:0:0:1 dev v nhid 1 nhid 2"), "'nhid' is given twice");
  EXPECT_EQ(refusal(change(kAdd), "0:0:0:0:0:1 dev v nhid 1 router router"), "'router' is given twice");
}

TEST(FdbChange, States) {
  const auto state = [](const std::string& word) {
    const std::string line = "0:0:0:0:0:1 dev v dst 10.0.0.1 " + word;
    Words words(split(line));
    return parse_fdb_change(kAdd, words)->entry().state();
  };
  EXPECT_EQ(state(""), v1::FDB_STATE_UNSPECIFIED);
  EXPECT_EQ(state("permanent"), v1::FDB_STATE_PERMANENT);
  EXPECT_EQ(state("local"), v1::FDB_STATE_PERMANENT);
  EXPECT_EQ(state("static"), v1::FDB_STATE_STATIC);
  EXPECT_EQ(state("temp"), v1::FDB_STATE_STATIC);
  EXPECT_EQ(state("dyn"), v1::FDB_STATE_DYNAMIC);
}

TEST(FdbChange, PortZeroIsTheLinksOwn) {
  EXPECT_EQ(parse(change(kDelete), "0:0:0:0:0:0 dev v port 0"),
            R"(operation: OPERATION_DELETE entry { mac: "00:00:00:00:00:00" dev: "v" })");
}

TEST(FdbChange, AppendIsForFloodListsAndGroups) {
  const std::string remote = " dev v dst 10.0.0.1";
  EXPECT_EQ(refusal(change(kAppend), "00:00:00:00:00:00" + remote), "parsed");
  EXPECT_EQ(refusal(change(kAppend), "01:00:5e:00:00:01" + remote), "parsed");
  EXPECT_EQ(refusal(change(kAppend), "ff:ff:ff:ff:ff:ff" + remote), "parsed");
  EXPECT_EQ(refusal(change(kAppend), "00:11:22:33:44:55" + remote),
            "00:11:22:33:44:55 is behind one VTEP only: use 'replace' to move it; 'append' is for "
            "00:00:00:00:00:00 "
            "and multicast addresses");
}

TEST(FdbChange, Refused) {
  EXPECT_EQ(refusal(change(kAdd), "dev v dst 10.0.0.1"), "the MAC address is missing");
  EXPECT_EQ(refusal(change(kAdd), "0:0:0:0:0:1 dst 10.0.0.1"), "the link is missing: say 'dev DEV'");
  EXPECT_EQ(refusal(change(kAdd), "0:0:0:0:0:1 dev v"),
            "the remote VTEP is missing: say 'dst IP' or 'nhid ID'");
  EXPECT_EQ(refusal(change(kDelete), "0:0:0:0:0:1 dev v"), "parsed");
  EXPECT_EQ(refusal(change(kAdd), "0:0:0:0:0 dev v"), "'0:0:0:0:0' is no MAC address like 4a:bd:99:0c:09:b2");
  EXPECT_EQ(refusal(change(kAdd), "0:0:0:0:0:1 0:0:0:0:0:2 dev v"),
            "'0:0:0:0:0:2' makes no sense here: the MAC address is 00:00:00:00:00:01 already");
  EXPECT_EQ(refusal(change(kAdd), "0:0:0:0:0:1 dev v dst any"),
            "'dst any' makes no sense: an IPv4 or IPv6 address is expected");
  EXPECT_EQ(refusal(change(kAdd), "0:0:0:0:0:1 dev v dst 10.0.0.1 dst 10.0.0.2"), "'dst' is given twice");
  EXPECT_EQ(refusal(change(kAdd), "0:0:0:0:0:1 dev v dst 10.0.0.1 port 70000"),
            "'port 70000' makes no sense: a port from 0 to 65535 is expected");
  EXPECT_EQ(refusal(change(kAdd), "0:0:0:0:0:1 dev v dst 10.0.0.1 vni 16777216"),
            "'vni 16777216' makes no sense: a VNI from 0 to 16777215 is expected");
  EXPECT_EQ(refusal(change(kAdd), "0:0:0:0:0:1 dev v dst 10.0.0.1 static permanent"),
            "'permanent, static or dynamic' is given twice");
  EXPECT_EQ(refusal(change(kAdd), "0:0:0:0:0:1 dev v dst 10.0.0.1 master"),
            "vtep does not support 'master': its table is that of a vxlan interface itself");
  EXPECT_EQ(refusal(change(kAdd), "0:0:0:0:0:1 dev v vlan 5"),
            "vtep does not support 'vlan': its table is that of a vxlan interface itself");
  EXPECT_EQ(refusal(change(kAdd), "help"), "help");
}

Parsed<FdbShow> show(std::string_view line) {
  Words words(split(line));
  return parse_fdb_show(words);
}

v1::FdbEntry entry(v1::FdbState state) {
  v1::FdbEntry result;
  result.set_state(state);
  return result;
}

TEST(FdbShow, Words) {
  EXPECT_EQ(show("")->dev, "");
  EXPECT_EQ(show("dev vxlan0")->dev, "vxlan0");
  EXPECT_EQ(show("brport vxlan0")->dev, "vxlan0");
  EXPECT_THAT(show("state perm state static")->states,
              ElementsAre(v1::FDB_STATE_PERMANENT, v1::FDB_STATE_STATIC));
  EXPECT_THAT(show("state reachable")->states, ElementsAre(v1::FDB_STATE_DYNAMIC));
  EXPECT_THAT(show("state static state all")->states, IsEmpty());
}

TEST(FdbShow, Filters) {
  EXPECT_TRUE(show("")->shows(entry(v1::FDB_STATE_PERMANENT)));
  EXPECT_FALSE(show("dynamic")->shows(entry(v1::FDB_STATE_PERMANENT)));
  EXPECT_TRUE(show("dynamic")->shows(entry(v1::FDB_STATE_STATIC)));
  EXPECT_TRUE(show("dynamic")->shows(entry(v1::FDB_STATE_DYNAMIC)));
  EXPECT_TRUE(show("state static")->shows(entry(v1::FDB_STATE_STATIC)));
  EXPECT_FALSE(show("state static")->shows(entry(v1::FDB_STATE_DYNAMIC)));
}

TEST(FdbShow, Refused) {
  EXPECT_EQ(refusal(parse_fdb_show, "vxlan0"), "'vxlan0' makes no sense to 'fdb show': see 'vtep fdb help'");
  EXPECT_EQ(refusal(parse_fdb_show, "state x"), "'state' is one of permanent, static, dynamic and all");
  EXPECT_EQ(refusal(parse_fdb_show, "br br0"),
            "vtep does not support 'br': its table is that of a vxlan interface itself");
}

TEST(FdbGet, Words) {
  Words words(split("0:11:22:33:44:55 dev vxlan0 vni 7 self"));
  const auto get = parse_fdb_get(words);
  ASSERT_TRUE(get);
  EXPECT_EQ(get->mac, "00:11:22:33:44:55");
  EXPECT_EQ(get->dev, "vxlan0");
  EXPECT_EQ(get->vni, 7);
  EXPECT_EQ(refusal(parse_fdb_get, "dev vxlan0"), "the MAC address is missing");
  EXPECT_EQ(refusal(parse_fdb_get, "0:0:0:0:0:1"), "the link is missing: say 'dev DEV'");
}

TEST(FdbFlush, Words) {
  EXPECT_EQ(parse(parse_fdb_flush, "dev v"), R"(dev: "v")");
  EXPECT_EQ(parse(parse_fdb_flush, "dev v dst 10.0.0.1 vni 7 port 1 via eno1 self"),
            R"(dev: "v" dst: "10.0.0.1" vni: 7 port: 1 via: "eno1")");
}

TEST(FdbGet, OfOneTable) {
  Words words(split("0:0:0:0:0:1 dev v src_vni 7"));
  const auto get = parse_fdb_get(words);
  ASSERT_TRUE(get);
  v1::FdbEntry entry;
  EXPECT_FALSE(get->is(entry));
  entry.set_src_vni(7);
  EXPECT_TRUE(get->is(entry));
  entry.set_vni(9);
  EXPECT_TRUE(get->is(entry));
}

TEST(FdbFlush, NexthopsRoutersAndTables) {
  EXPECT_EQ(parse(parse_fdb_flush, "dev v nhid 10 src_vni 7 router"),
            R"(dev: "v" nhid: 10 src_vni: 7 router: true)");
  EXPECT_EQ(parse(parse_fdb_flush, "dev v norouter"), R"(dev: "v" router: false)");
  EXPECT_EQ(refusal(parse_fdb_flush, "dev v router norouter"), "'router' is given twice");
}

TEST(FdbFlush, States) {
  EXPECT_EQ(parse(parse_fdb_flush, "dev v static"), R"(dev: "v" states: FDB_STATE_STATIC)");
  EXPECT_EQ(parse(parse_fdb_flush, "dev v nopermanent"),
            R"(dev: "v" states: FDB_STATE_STATIC states: FDB_STATE_DYNAMIC)");
  EXPECT_EQ(parse(parse_fdb_flush, "dev v permanent dynamic"),
            R"(dev: "v" states: FDB_STATE_PERMANENT states: FDB_STATE_DYNAMIC)");
  EXPECT_EQ(parse(parse_fdb_flush, "dev v nopermanent nodynamic"), R"(dev: "v" states: FDB_STATE_STATIC)");
}

TEST(FdbFlush, Refused) {
  EXPECT_EQ(refusal(parse_fdb_flush, "static"), "the link is missing: say 'dev DEV'");
  EXPECT_EQ(refusal(parse_fdb_flush, "dev v static nostatic"),
            "no entry is in all of these states: nothing would be flushed");
  EXPECT_EQ(refusal(parse_fdb_flush, "dev v frob"),
            "'frob' makes no sense to 'fdb flush': see 'vtep fdb help'");
}

}  // namespace
}  // namespace vtep
