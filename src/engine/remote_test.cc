#include "engine/remote.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <vector>

#include "engine/test_frames.h"

namespace vtep {
namespace {

Remote remote(const char* address, std::uint16_t port = 0, std::optional<Vni> vni = {},
              std::uint32_t via = 0) {
  return {.address = test::ip(address), .port = Port(port), .vni = vni, .via = IfIndex(via)};
}

TEST(RemoteTable, EqualRemotesShareAnId) {
  RemoteTable table;
  const RemoteId a = table.acquire(remote("192.0.2.1"));
  EXPECT_EQ(table.acquire(remote("192.0.2.1")), a);
  EXPECT_EQ(table.size(), 1U);
  EXPECT_EQ(table[a], remote("192.0.2.1"));
}

TEST(RemoteTable, EveryFieldTellsRemotesApart) {
  RemoteTable table;
  const Remote all[] = {
      remote("192.0.2.1"),           remote("192.0.2.2"),           remote("::c000:201"),
      remote("192.0.2.1", 4789),     remote("192.0.2.1", 0, 0_vni), remote("192.0.2.1", 0, 1_vni),
      remote("192.0.2.1", 0, {}, 1),
  };
  std::vector<RemoteId> ids;
  for (const Remote& one : all) ids.push_back(table.acquire(one));
  EXPECT_EQ(table.size(), std::size(all));
  for (std::size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(table[ids[i]], all[i]);
}

TEST(RemoteTable, TheLastReferenceFreesTheIdForAnother) {
  RemoteTable table;
  const RemoteId a = table.acquire(remote("192.0.2.1"));
  table.add_reference(a);
  table.release(a);
  EXPECT_EQ(table.acquire(remote("192.0.2.1")), a);
  table.release(a);
  table.release(a);
  EXPECT_EQ(table.size(), 0U);
  EXPECT_FALSE(table.uses_device(IfIndex())) << "a slot that is free uses nothing";
  EXPECT_EQ(table.acquire(remote("192.0.2.9")), a);
  EXPECT_EQ(table[a], remote("192.0.2.9"));
}

TEST(RemoteTable, MoveDeviceRenumbersOnlyThatDevice) {
  RemoteTable table;
  const RemoteId moved = table.acquire(remote("192.0.2.1", 0, {}, 5));
  const RemoteId other = table.acquire(remote("192.0.2.1", 0, {}, 6));
  const RemoteId none = table.acquire(remote("192.0.2.1"));
  EXPECT_TRUE(table.uses_device(IfIndex(5)));
  EXPECT_FALSE(table.uses_device(IfIndex(7)));
  table.move_device(IfIndex(5), IfIndex(7));
  EXPECT_FALSE(table.uses_device(IfIndex(5)));
  EXPECT_TRUE(table.uses_device(IfIndex(7)));
  EXPECT_EQ(table[moved].via, IfIndex(7));
  EXPECT_EQ(table[other].via, IfIndex(6));
  EXPECT_EQ(table[none].via, IfIndex());
  EXPECT_EQ(table.acquire(remote("192.0.2.1", 0, {}, 7)), moved);
  EXPECT_NE(table.acquire(remote("192.0.2.1", 0, {}, 5)), moved);
}

TEST(RemoteTable, RemotesThatBecameEqualKeepTheirOwnReferences) {
  for (const bool first_goes_first : {true, false}) {
    RemoteTable table;
    const RemoteId a = table.acquire(remote("192.0.2.1", 0, {}, 5));
    const RemoteId b = table.acquire(remote("192.0.2.1", 0, {}, 7));
    table.move_device(IfIndex(5), IfIndex(7));
    EXPECT_EQ(table[a], table[b]);
    table.release(first_goes_first ? a : b);
    const RemoteId left = first_goes_first ? b : a;
    EXPECT_EQ(table[left], remote("192.0.2.1", 0, {}, 7));
    EXPECT_EQ(table.size(), 1U);
    if (left == b) {  // the one that had the name first is still found by it
      EXPECT_EQ(table.acquire(remote("192.0.2.1", 0, {}, 7)), b);
      table.release(b);
    }
    table.release(left);
    EXPECT_EQ(table.size(), 0U);
    const RemoteId fresh = table.acquire(remote("192.0.2.1", 0, {}, 7));
    EXPECT_EQ(table[fresh], remote("192.0.2.1", 0, {}, 7));
  }
}

TEST(RemoteTable, MatchesAModelUnderRandomUse) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    std::mt19937_64 random(seed);
    RemoteTable table;
    std::vector<std::pair<RemoteId, Remote>> held;  // one element a reference
    for (int step = 0; step < test::steps(4000); ++step) {
      const std::uint32_t choice = test::pick(random, 0, 9);
      if (choice < 5) {
        const Remote wanted{.address = Ipv4(test::pick(random, 1, 3)),
                            .port = Port(static_cast<std::uint16_t>(test::pick(random, 0, 1))),
                            .vni = {},
                            .via = IfIndex(test::pick(random, 0, 3))};
        held.emplace_back(table.acquire(wanted), wanted);
      } else if (choice < 9) {
        if (held.empty()) continue;
        const auto at = held.begin() + test::pick(random, 0, static_cast<std::uint32_t>(held.size() - 1));
        table.release(at->first);
        held.erase(at);
      } else {
        const IfIndex from(test::pick(random, 1, 3));
        const IfIndex to(test::pick(random, 1, 3));
        table.move_device(from, to);
        for (auto& [id, remote] : held) {
          if (remote.via == from) remote.via = to;
        }
      }
      std::map<RemoteId, int> ids;
      for (const auto& [id, remote] : held) {
        ASSERT_EQ(table[id], remote) << "seed " << seed << " step " << step;
        ++ids[id];
      }
      ASSERT_EQ(table.size(), ids.size());
    }
    for (const auto& [id, remote] : held) table.release(id);
    EXPECT_EQ(table.size(), 0U);
  }
}

}  // namespace
}  // namespace vtep
