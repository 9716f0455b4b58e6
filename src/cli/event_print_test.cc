#include "cli/event_print.h"

#include <gmock/gmock.h>

#include "cli/transcript.h"

namespace vtep {
namespace {

v1::Event event(v1::Event::Action action) {
  v1::Event result;
  result.set_action(action);
  return result;
}

// Set, then deleted: what testdata/capture does while a monitor runs.
std::vector<v1::Event> link_events(const v1::Link& link) {
  std::vector<v1::Event> events = {event(v1::Event::ACTION_SET), event(v1::Event::ACTION_DELETED)};
  for (v1::Event& each : events) *each.mutable_link() = link;
  return events;
}

std::vector<v1::Event> fdb_events(const v1::FdbEntry& entry) {
  std::vector<v1::Event> events = {event(v1::Event::ACTION_SET), event(v1::Event::ACTION_DELETED)};
  for (v1::Event& each : events) *each.mutable_fdb() = entry;
  return events;
}

void expect_same(const std::vector<Exchange>& exchanges, const std::vector<v1::Event>& events) {
  ASSERT_GT(exchanges.size(), 1);
  for (auto exchange = exchanges.begin() + 1; exchange != exchanges.end(); ++exchange) {
    std::string text;
    for (const v1::Event& each : events) {
      text += event_text(each, exchange->format(), exchange->command.ends_with(" all"));
    }
    EXPECT_EQ(text, exchange->output) << exchange->command;
  }
}

TEST(EventText, LinksAsIpMonitor) {
  const std::vector<Exchange> exchanges = read_transcript("monitor_link.txt");
  expect_same(exchanges, link_events(links_of(exchanges.front().output).at(0)));
}

TEST(EventText, FdbAsBridgeMonitor) {
  const std::vector<Exchange> exchanges = read_transcript("monitor_fdb.txt");
  expect_same(exchanges, fdb_events(entries_of(exchanges.front().output).at(0)));
}

TEST(EventText, LinkBanner) {
  const std::vector<Exchange> exchanges = read_transcript("monitor_link.txt");
  const v1::Event deleted = link_events(links_of(exchanges.front().output).at(0)).at(1);
  EXPECT_THAT(event_text(deleted, {}, true), testing::StartsWith("[LINK]Deleted 10: v2: <"));
}

TEST(EventText, JsonIsOneLine) {
  v1::FdbEntry entry;
  entry.set_mac("00:11:22:33:44:55");
  entry.set_dev("vxlan0");
  const std::vector<v1::Event> events = fdb_events(entry);
  EXPECT_EQ(event_text(events[0], {.json = true, .pretty = true}, false),
            R"({"mac":"00:11:22:33:44:55","ifname":"vxlan0","flags":["self"],"state":""})"
            "\n");
  EXPECT_EQ(event_text(events[1], {.json = true}, true),
            R"({"deleted":true,"mac":"00:11:22:33:44:55","ifname":"vxlan0","flags":["self"],"state":""})"
            "\n");
}

TEST(EventText, Lost) {
  v1::Event lost;
  lost.set_lost(12);
  EXPECT_EQ(event_text(lost, {}, true), "12 events were lost\n");
  EXPECT_EQ(event_text(lost, {.json = true}, true), "{\"lost\":12}\n");
}

TEST(EventText, Misses) {
  v1::Event mac;
  mac.mutable_miss()->set_dev("vxlan0");
  mac.mutable_miss()->set_mac("02:00:00:00:00:01");
  EXPECT_EQ(event_text(mac, {}, false), "miss 02:00:00:00:00:01 dev vxlan0\n");
  EXPECT_EQ(event_text(mac, {}, true), "[NEIGH]miss 02:00:00:00:00:01 dev vxlan0\n");
  EXPECT_EQ(event_text(mac, {.json = true}, false),
            "{\"miss\":true,\"mac\":\"02:00:00:00:00:01\",\"ifname\":\"vxlan0\"}\n");
  v1::Event ip;
  ip.mutable_miss()->set_dev("vxlan0");
  ip.mutable_miss()->set_ip("10.1.1.1");
  EXPECT_EQ(event_text(ip, {}, false), "miss 10.1.1.1 dev vxlan0\n");
  EXPECT_EQ(event_text(ip, {.json = true}, false),
            "{\"miss\":true,\"dst\":\"10.1.1.1\",\"dev\":\"vxlan0\"}\n");
}

TEST(EventText, NeighboursAndGroups) {
  v1::Event neighbour = event(v1::Event::ACTION_DELETED);
  neighbour.mutable_neighbour()->set_ip("10.1.1.1");
  neighbour.mutable_neighbour()->set_mac("02:00:00:00:00:01");
  neighbour.mutable_neighbour()->set_dev("vxlan0");
  EXPECT_EQ(event_text(neighbour, {}, true),
            "[NEIGH]Deleted 10.1.1.1 dev vxlan0 lladdr 02:00:00:00:00:01 REACHABLE \n");
  EXPECT_THAT(event_text(neighbour, {.json = true}, true),
              testing::StartsWith(R"({"deleted":true,"dst":"10.1)"));
  v1::Event mdb = event(v1::Event::ACTION_SET);
  mdb.mutable_mdb()->set_dev("vxlan0");
  mdb.mutable_mdb()->set_group("239.1.1.1");
  mdb.mutable_mdb()->set_dst("10.0.0.2");
  EXPECT_EQ(event_text(mdb, {}, true), "[MDB]dev vxlan0 port vxlan0 grp 239.1.1.1 temp dst 10.0.0.2\n");
  EXPECT_THAT(event_text(mdb, {.json = true}, false), testing::StartsWith(R"({"dev":"vxlan0",)"));
}

TEST(EventText, UnknownSortIsNothing) {
  EXPECT_EQ(event_text(v1::Event(), {}, true), "");
}

}  // namespace
}  // namespace vtep
