#include "engine/move_guard.h"

#include <gtest/gtest.h>

#include <deque>
#include <map>

#include "engine/test_frames.h"

namespace vtep {
namespace {

constexpr LinkId kLink = 3;
constexpr MoveLimit kLimit{.moves = 5, .window = 180};

MacAddr mac(std::uint32_t number) {
  return MacAddr::from_u64(0x020000000000U + number);
}

/// How many moves at one time until it was too many.
int moves_until_frozen(MoveGuard& guard, LinkId link, MacAddr address, const MoveLimit& limit, Seconds now) {
  for (int moves = 1; moves < 1000; ++moves) {
    if (guard.moved(link, address, limit, now)) return moves;
  }
  return 0;
}

TEST(MoveGuard, MoreThanTheLimitIsTooMany) {
  for (const std::uint32_t moves : {1U, 5U, 20U}) {
    MoveGuard guard({});
    EXPECT_EQ(moves_until_frozen(guard, kLink, mac(1), {moves, 180}, 7), static_cast<int>(moves) + 1);
    EXPECT_TRUE(guard.moved(kLink, mac(1), {moves, 180}, 7)) << "and stays so";
  }
}

TEST(MoveGuard, ALimitOfZeroIsNever) {
  MoveGuard guard({});
  EXPECT_EQ(moves_until_frozen(guard, kLink, mac(1), {0, 180}, 7), 0);
  EXPECT_EQ(moves_until_frozen(guard, kLink, mac(1), kLimit, 7), 6) << "nothing was counted";
}

TEST(MoveGuard, OnlyMovesWithinTheWindowCount) {
  for (const Seconds start : {Seconds{0}, Seconds{1000}, Seconds{0xffffffff}}) {
    MoveGuard guard({});
    for (const Seconds at : {0U, 10U, 20U, 30U, 40U})
      EXPECT_FALSE(guard.moved(kLink, mac(1), kLimit, start + at));
    // The first one is 180 seconds old: five are left.
    EXPECT_FALSE(guard.moved(kLink, mac(1), kLimit, start + 180));
    EXPECT_TRUE(guard.moved(kLink, mac(1), kLimit, start + 189));
  }
}

TEST(MoveGuard, SlowMovesNeverFreeze) {
  MoveGuard guard({});
  for (Seconds now = 0; now < 36 * 1000; now += 36) EXPECT_FALSE(guard.moved(kLink, mac(1), kLimit, now));
  EXPECT_FALSE(guard.moved(kLink, mac(2), {1, 0}, 9)) << "a window of nothing holds nothing";
  EXPECT_FALSE(guard.moved(kLink, mac(2), {1, 0}, 9));
}

TEST(MoveGuard, ABurstAcrossTheEndOfATimerCountsInFull) {
  MoveGuard guard({});
  EXPECT_FALSE(guard.moved(kLink, mac(1), kLimit, 0));
  for (const Seconds at : {177U, 178U, 179U, 181U}) EXPECT_FALSE(guard.moved(kLink, mac(1), kLimit, at));
  EXPECT_FALSE(guard.moved(kLink, mac(1), kLimit, 182));
  EXPECT_TRUE(guard.moved(kLink, mac(1), kLimit, 183));
}

TEST(MoveGuard, LinksAndMacsAreCountedApart) {
  MoveGuard guard({});
  for (int i = 0; i < 5; ++i) {
    for (const LinkId link : {0U, 1U, 7000U}) {
      for (std::uint32_t number = 0; number < 3; ++number)
        EXPECT_FALSE(guard.moved(link, mac(number), kLimit, 50)) << i;
    }
  }
  EXPECT_TRUE(guard.moved(1, mac(2), kLimit, 51));
}

TEST(MoveGuard, ForgetsAMac) {
  MoveGuard guard({});
  guard.forget(kLink, mac(1));
  for (int i = 0; i < 5; ++i) {
    guard.moved(kLink, mac(1), kLimit, 10);
    guard.moved(kLink, mac(2), kLimit, 10);
  }
  guard.forget(kLink, mac(1));
  guard.forget(kLink + 1, mac(2));
  guard.forget(kLink, mac(3));
  EXPECT_TRUE(guard.moved(kLink, mac(2), kLimit, 11));
  EXPECT_EQ(moves_until_frozen(guard, kLink, mac(1), kLimit, 11), 6);
}

TEST(MoveGuard, ForgetsALink) {
  MoveGuard guard({});
  for (int i = 0; i < 5; ++i) {
    guard.moved(kLink, mac(1), kLimit, 10);
    guard.moved(kLink + 1, mac(1), kLimit, 10);
  }
  guard.forget_link(kLink);
  EXPECT_TRUE(guard.moved(kLink + 1, mac(1), kLimit, 11));
  EXPECT_EQ(moves_until_frozen(guard, kLink, mac(1), kLimit, 11), 6);
  guard.forget_link(kLink);
  EXPECT_EQ(moves_until_frozen(guard, kLink, mac(1), kLimit, 11), 6);
}

TEST(MoveGuard, TheOldestIsForgottenFirst) {
  MoveGuard guard({.hash_seed = 0, .capacity = 4});
  const MoveLimit limit{.moves = 1, .window = 1000};
  for (std::uint32_t number = 0; number < 4; ++number)
    EXPECT_FALSE(guard.moved(kLink, mac(number), limit, number));
  EXPECT_FALSE(guard.moved(kLink, mac(4), limit, 4));  // in the place of mac(0)'s
  EXPECT_TRUE(guard.moved(kLink, mac(2), limit, 5));   // known still; in the place of mac(1)'s
  EXPECT_TRUE(guard.moved(kLink, mac(4), limit, 6));   // in the place of mac(2)'s first
  EXPECT_FALSE(guard.moved(kLink, mac(1), limit, 7));  // in the place of mac(3)'s
  EXPECT_FALSE(guard.moved(kLink, mac(3), limit, 8));
}

TEST(MoveGuard, ABusyMacPushesNobodyOutWithinASecond) {
  MoveGuard guard({.hash_seed = 0, .capacity = 4});
  for (int i = 0; i < 5; ++i) guard.moved(kLink, mac(1), kLimit, 10);
  for (int i = 0; i < 1000; ++i) guard.moved(kLink, mac(2), kLimit, 10);
  EXPECT_TRUE(guard.moved(kLink, mac(1), kLimit, 10));
}

TEST(MoveGuard, TheDefaultHoldsWhatItPromises) {
  MoveGuard guard({.hash_seed = 99});
  const MoveLimit limit{.moves = 4, .window = 180};
  for (Seconds now = 0; now < 4; ++now) {
    for (std::uint32_t number = 0; number < 65'536; ++number) {
      ASSERT_FALSE(guard.moved(number % 10, mac(number), limit, now));
    }
  }
  // In the order in which they were written, each overwrites an entry of its own.
  for (std::uint32_t number = 0; number < 65'536; ++number)
    ASSERT_FALSE(guard.moved(number % 10, mac(number), limit, 4));
  for (std::uint32_t number = 0; number < 65'536; ++number)
    ASSERT_TRUE(guard.moved(number % 10, mac(number), limit, 4)) << "the four entries and one more";
}

// --- against a list of all moves

struct Reference {
  struct Move {
    LinkId link;
    MacAddr mac;
    Seconds time;
    std::uint64_t count;
  };
  std::deque<Move> moves;  // one a MAC and second, in order; the ring's worth of them
  std::size_t capacity;

  bool moved(LinkId link, MacAddr address, const MoveLimit& limit, Seconds now) {
    if (limit.moves == 0) return false;
    const auto same = [&](const Move& move) { return move.link == link && move.mac == address; };
    const auto latest = std::find_if(moves.rbegin(), moves.rend(), same);
    if (latest != moves.rend() && latest->time == now) {
      ++latest->count;
    } else {
      if (moves.size() == capacity) moves.pop_front();
      moves.push_back({link, address, now, 1});
    }
    std::uint64_t count = 0;
    for (const Move& move : moves) {
      if (same(move) && now - move.time < limit.window) count += move.count;
    }
    return count > limit.moves;
  }
  // What is forgotten keeps its place until it is overwritten.
  void forget(LinkId link, MacAddr address) {
    for (Move& move : moves) {
      if (move.link == link && move.mac == address) move.link = 0xffff;
    }
  }
  void forget_link(LinkId link) {
    for (Move& move : moves) {
      if (move.link == link) move.link = 0xffff;
    }
  }
};

TEST(MoveGuard, AgreesWithAListOfAllMoves) {
  for (const std::uint32_t capacity : {1U, 2U, 16U, 64U}) {
    std::mt19937_64 random(capacity);
    MoveGuard guard({.hash_seed = random(), .capacity = capacity});
    Reference reference{{}, capacity};
    Seconds now = 0xffffff00;  // and over the edge
    int exceeded = 0;
    for (int i = 0; i < 20'000; ++i) {
      const LinkId link = test::pick(random, 0, 2);
      const MacAddr address = mac(test::pick(random, 0, 5));
      const std::uint32_t what = test::pick(random, 0, 99);
      now += test::pick(random, 0, 9) / 7;
      if (what == 0) {
        guard.forget_link(link);
        reference.forget_link(link);
      } else if (what < 4) {
        guard.forget(link, address);
        reference.forget(link, address);
      } else {
        const MoveLimit limit{test::pick(random, 0, 6), test::pick(random, 0, 40)};
        const bool expected = reference.moved(link, address, limit, now);
        ASSERT_EQ(guard.moved(link, address, limit, now), expected) << i;
        exceeded += expected ? 1 : 0;
      }
    }
    EXPECT_GT(exceeded, 50);
  }
}

}  // namespace
}  // namespace vtep
