#include "daemon/monitor.h"

#include <gtest/gtest.h>

#include <thread>

namespace vtep {
namespace {

constexpr Duration kNoWait{0};
constexpr Duration kLong = std::chrono::seconds(30);

v1::Event link_event(const std::string& name) {
  v1::Event event;
  event.mutable_link()->set_name(name);
  return event;
}

v1::Event fdb_event() {
  v1::Event event;
  event.mutable_fdb()->set_dev("vxlan0");
  return event;
}

v1::MonitorRequest only_fdb() {
  v1::MonitorRequest request;
  request.set_fdb(true);
  return request;
}

v1::MonitorRequest links_and_fdb() {
  v1::MonitorRequest request = only_fdb();
  request.set_links(true);
  return request;
}

TEST(Monitor, GivesEventsInOrder) {
  Monitor monitor;
  const auto subscription = monitor.subscribe({});
  monitor.publish(link_event("a"));
  monitor.publish(link_event("b"));
  EXPECT_EQ(subscription->next(kNoWait)->link().name(), "a");
  EXPECT_EQ(subscription->next(kNoWait)->link().name(), "b");
  EXPECT_FALSE(subscription->next(kNoWait));
}

TEST(Monitor, FiltersByKind) {
  Monitor monitor;
  const auto fdb = monitor.subscribe(only_fdb());
  const auto both = monitor.subscribe(links_and_fdb());
  v1::Event neighbour;
  neighbour.mutable_neighbour()->set_ip("10.0.0.1");
  monitor.publish(neighbour);
  monitor.publish(link_event("a"));
  monitor.publish(fdb_event());
  EXPECT_TRUE(fdb->next(kNoWait)->has_fdb());
  EXPECT_TRUE(both->next(kNoWait)->has_link());
  EXPECT_TRUE(both->next(kNoWait)->has_fdb());
}

TEST(Monitor, TellsHowManyEventsASlowWatcherLost) {
  Monitor monitor;
  const auto slow = monitor.subscribe({});
  std::uint64_t published = 0;
  for (; published < 100000; ++published) monitor.publish(fdb_event());
  std::uint64_t read = 0;
  std::uint64_t lost = 0;
  while (const auto event = slow->next(kNoWait)) {
    if (event->has_fdb()) ++read;
    lost += event->lost();
  }
  EXPECT_GT(lost, 0U);
  EXPECT_EQ(read + lost, published);
  monitor.publish(link_event("after"));
  EXPECT_EQ(slow->next(kNoWait)->link().name(), "after");
}

TEST(Monitor, ClosingWakesWhoeverWaits) {
  Monitor monitor;
  const auto subscription = monitor.subscribe({});
  std::thread waiter([&] { EXPECT_FALSE(subscription->next(kLong)); });
  monitor.close();
  waiter.join();
  EXPECT_FALSE(subscription->is_open());
  EXPECT_FALSE(monitor.subscribe({})->is_open());
}

TEST(Monitor, CountsWhoIsLeft) {
  Monitor monitor;
  const auto a = monitor.subscribe({});
  const auto b = monitor.subscribe({});
  EXPECT_EQ(monitor.unsubscribe(a), 1U);
  EXPECT_EQ(monitor.unsubscribe(b), 0U);
}

}  // namespace
}  // namespace vtep
