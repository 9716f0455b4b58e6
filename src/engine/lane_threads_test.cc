// Lanes beside each other and beside whoever changes the tables. ThreadSanitizer runs these, too.
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

#include "engine/engine.h"
#include "engine/lane.h"
#include "engine/test_frames.h"

namespace vtep {
namespace {

using test::Bytes;
using test::TestFrame;
using test::TestPackets;

constexpr Time kNow{std::chrono::seconds(1000)};
constexpr Seconds kNowSeconds = 1000;
constexpr std::uint64_t kKnownMacs = 64;
constexpr int kRounds = 400;

MacAddr known_mac(std::uint64_t i) {
  return MacAddr::from_u64(0x020000000000U + i);
}
IpAddr home_of(std::uint64_t i) {
  return Ipv4(10, 0, 0, static_cast<std::uint8_t>(1 + i % 16));
}

class LaneThreads : public testing::Test {
 protected:
  LaneThreads() {
    LinkConfig config;
    config.vni = 10_vni;
    config.mtu = 1450;
    link_ = *engine_.add_link(config, kNow);
    for (std::uint64_t i = 0; i < kKnownMacs; ++i) {
      const Remote remote{.address = home_of(i), .port = {}, .vni = {}, .via = {}};
      EXPECT_TRUE(engine_.fdb().add(link_, known_mac(i), remote, FdbState::kStatic, kNowSeconds));
    }
  }

  /// Frames to every known MAC, again and again: each goes where its MAC lives, whatever happens beside it.
  void send_to_known(int rounds) {
    Lane lane(engine_);
    PacketBatch replies(4);
    std::vector<Datagram> out;
    TestPackets frames;
    for (std::uint64_t i = 0; i < kKnownMacs; ++i) {
      TestFrame frame;
      frame.destination = known_mac(i);
      frames.add(frame.build());
    }
    for (int round = 0; round < rounds; ++round) {
      out.clear();
      lane.encapsulate(link_, frames.span(), kNow, out, replies);
      ASSERT_EQ(out.size(), kKnownMacs);
      for (std::uint64_t i = 0; i < kKnownMacs; ++i) {
        ASSERT_EQ(out[i].route.remote, home_of(i));
        ASSERT_EQ(VxlanView::parse(out[i].header)->vni(), 10_vni);
      }
    }
  }

  /// Frames from addresses that are this lane's own: new ones in every round, and the old ones again.
  void hear_new_ones(std::uint64_t lane_number, int rounds) {
    Lane lane(engine_);
    std::vector<LinkId> links(2);
    std::vector<Layers> layers(2);
    for (int round = 0; round < rounds; ++round) {
      TestPackets datagrams;
      for (const int which : {round, round / 2}) {
        TestFrame frame;
        frame.source = MacAddr::from_u64(0x060000000000U | lane_number << 32 | static_cast<unsigned>(which));
        datagrams.add_datagram(10_vni, frame.build(), home_of(static_cast<unsigned>(which)));
      }
      ASSERT_EQ(lane.decapsulate(kLinuxVxlanPort, datagrams.span(), kNow, links, layers), 2U);
      ASSERT_EQ(links[0], link_);
    }
  }

  std::size_t entries() {
    const std::lock_guard lock(engine_.mutex());
    return engine_.fdb().size(link_);
  }

  Engine engine_{{.hash_seed = 1}};
  LinkId link_ = 0;
};

TEST_F(LaneThreads, KnownAddressesAreFoundWhileTheTableGrowsAndShrinks) {
  std::atomic<bool> done = false;
  std::thread writer([&] {
    std::mt19937_64 random(1);
    while (!done) {
      const std::lock_guard lock(engine_.mutex());
      for (int i = 0; i < 50; ++i) {
        const MacAddr mac = MacAddr::from_u64(0x0a0000000000U + random() % 4000);
        const Remote remote{
            .address = Ipv4(10, 1, 0, static_cast<std::uint8_t>(random())), .port = {}, .vni = {}, .via = {}};
        if (random() % 3 == 0) {
          (void)engine_.fdb().remove(link_, mac);
        } else {
          (void)engine_.fdb().replace(link_, mac, remote, FdbState::kStatic, kNowSeconds);
        }
      }
      engine_.fdb().take_events();
    }
  });
  std::vector<std::thread> readers;
  for (int i = 0; i < 2; ++i) readers.emplace_back([this] { send_to_known(kRounds); });
  for (std::thread& reader : readers) reader.join();
  done = true;
  writer.join();
  EXPECT_EQ(engine_.counters(link_).encapsulated_frames, 2U * kRounds * kKnownMacs);
  EXPECT_EQ(engine_.counters(link_).drops.total(), 0U);
}

TEST_F(LaneThreads, WhatLanesLearnIsAllThere) {
  std::vector<std::thread> lanes;
  for (std::uint64_t i = 0; i < 3; ++i) lanes.emplace_back([this, i] { hear_new_ones(i, kRounds); });
  lanes.emplace_back([this] { send_to_known(kRounds); });
  for (std::thread& lane : lanes) lane.join();
  EXPECT_EQ(entries(), kKnownMacs + 3U * kRounds);
  EXPECT_EQ(engine_.counters(link_).learned, 3U * kRounds);
  EXPECT_EQ(engine_.counters(link_).decapsulated_frames, 3U * 2 * kRounds);
}

TEST_F(LaneThreads, LinksComeAndGoAndChangeBesideTheTraffic) {
  std::atomic<bool> done = false;
  std::thread control([&] {
    std::uint32_t round = 0;
    while (!done) {
      const std::lock_guard lock(engine_.mutex());
      LinkConfig config = engine_.config(link_);
      config.outer.ttl = static_cast<std::uint8_t>(++round);
      ASSERT_TRUE(engine_.change_link(link_, config, kNow));
      LinkConfig other;
      other.vni = *Vni::from(100 + round % 50);
      other.flood = Ipv4(10, 9, 9, 9);
      if (const auto added = engine_.add_link(other, kNow); added && round % 2 == 0)
        engine_.remove_link(*added);
      engine_.paths().set_mtu(home_of(round), 1400 + round % 100);
      engine_.paths().set_checksum(home_of(round), round % 2 == 0);
      (void)engine_.nexthops().replace(
          {.id = 1, .via = Ipv4(10, 0, 0, static_cast<std::uint8_t>(1 + round % 9))});
      engine_.advance(kNow, 64);
      engine_.fdb().take_events();
    }
  });
  std::vector<std::thread> lanes;
  lanes.emplace_back([this] { send_to_known(kRounds); });
  lanes.emplace_back([this] { hear_new_ones(7, kRounds); });
  lanes.emplace_back([&] {
    // Towards links that may be there or not.
    Lane lane(engine_);
    PacketBatch replies(4);
    std::vector<Datagram> out;
    std::vector<LinkId> links(1);
    std::vector<Layers> layers(1);
    for (std::uint32_t round = 0; round < kRounds; ++round) {
      TestPackets frames;
      frames.add(TestFrame{}.build());
      out.clear();
      lane.encapsulate(link_ + round % 60, frames.span(), kNow, out, replies);
      TestPackets datagrams;
      datagrams.add_datagram(*Vni::from(100 + round % 50), TestFrame{}.build(), home_of(round));
      lane.decapsulate(kLinuxVxlanPort, datagrams.span(), kNow, links, layers);
    }
  });
  for (std::thread& lane : lanes) lane.join();
  done = true;
  control.join();
  EXPECT_EQ(engine_.counters(link_).encapsulated_frames, std::uint64_t{kRounds} * kKnownMacs);
}

TEST_F(LaneThreads, OnlyKnownVtepsAreHeardWithoutLearning) {
  LinkConfig config = engine_.config(link_);
  config.learning = false;
  ASSERT_TRUE(engine_.change_link(link_, config, kNow));
  Lane lane(engine_);
  std::vector<LinkId> links(1);
  std::vector<Layers> layers(1);
  const auto is_heard = [&](const IpAddr& from) {
    TestPackets datagrams;
    datagrams.add_datagram(10_vni, TestFrame{}.build(), from);
    return lane.decapsulate(kLinuxVxlanPort, datagrams.span(), kNow, links, layers) == 1;
  };
  const IpAddr stranger = Ipv4(10, 7, 7, 7);
  EXPECT_TRUE(is_heard(home_of(0)));
  EXPECT_TRUE(is_heard(home_of(0)));
  EXPECT_FALSE(is_heard(stranger));
  // What was found out once does not outlive a change.
  const Remote remote{.address = stranger, .port = {}, .vni = {}, .via = {}};
  ASSERT_TRUE(engine_.fdb().add(link_, known_mac(999), remote, FdbState::kStatic, kNowSeconds));
  EXPECT_TRUE(is_heard(stranger));
  ASSERT_TRUE(engine_.fdb().remove(link_, known_mac(999)));
  EXPECT_FALSE(is_heard(stranger));
}

}  // namespace
}  // namespace vtep
