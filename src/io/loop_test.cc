#include "io/loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "io/timer.h"

namespace vtep {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;

class Pipe {
 public:
  Pipe() { EXPECT_EQ(::pipe(fds_.data()), 0); }
  ~Pipe() {
    ::close(fds_[0]);
    ::close(fds_[1]);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  int reader() const { return fds_[0]; }
  void put() { EXPECT_EQ(::write(fds_[1], "x", 1), 1); }
  void take() {
    char byte = 0;
    EXPECT_EQ(::read(fds_[0], &byte, 1), 1);
  }

 private:
  std::array<int, 2> fds_;
};

class LoopTest : public ::testing::Test {
 protected:
  std::unique_ptr<Loop> loop = Loop::create().value();
  std::string log;
};

TEST_F(LoopTest, CallsForReadableFilesUntilUnwatched) {
  Pipe pipe;
  pipe.put();
  int calls = 0;
  ASSERT_TRUE(loop->watch(pipe.reader(), [&] {
    // Level-triggered: the byte stays and the loop calls again.
    if (++calls == 3) {
      loop->unwatch(pipe.reader());
      loop->at(loop->now() + milliseconds(5), [&] { loop->stop(); });
    }
  }));
  loop->run();
  EXPECT_EQ(calls, 3);
}

TEST_F(LoopTest, ReportsEndOfFile) {
  std::array<int, 2> fds;
  ASSERT_EQ(::pipe(fds.data()), 0);
  ASSERT_TRUE(loop->watch(fds[0], [&] { loop->stop(); }));
  ::close(fds[1]);
  loop->run();
  loop->unwatch(fds[0]);
  ::close(fds[0]);
}

TEST_F(LoopTest, RefusesWhatCannotBeWatched) {
  const auto watched = loop->watch(-1, [] {});
  ASSERT_FALSE(watched);
  EXPECT_EQ(watched.error().kind, ErrorKind::kSystem);
  loop->unwatch(-1);
}

TEST_F(LoopTest, AnUnwatchedFileIsNotCalledInTheSameWakeUp) {
  Pipe a;
  Pipe b;
  a.put();
  b.put();
  int calls = 0;
  const auto callback = [&] {
    ++calls;
    loop->unwatch(a.reader());
    loop->unwatch(b.reader());
    loop->stop();
  };
  ASSERT_TRUE(loop->watch(a.reader(), callback));
  ASSERT_TRUE(loop->watch(b.reader(), callback));
  loop->run();
  EXPECT_EQ(calls, 1);
}

TEST_F(LoopTest, AFileOfTheSameNumberDoesNotInheritEvents) {
  Pipe a;
  Pipe old_file;
  a.put();
  old_file.put();
  Pipe fresh;
  const auto replace = [&](int from) {
    // Whichever of the two comes first replaces the other one by a file that has nothing to read.
    return [&, from] {
      log += 'x';
      const int other = from == a.reader() ? old_file.reader() : a.reader();
      loop->unwatch(from);
      loop->unwatch(other);
      ASSERT_EQ(::dup2(fresh.reader(), other), other);
      ASSERT_TRUE(loop->watch(other, [&] { log += "stale"; }));
      loop->at(loop->now() + milliseconds(5), [&] { loop->stop(); });
    };
  };
  ASSERT_TRUE(loop->watch(a.reader(), replace(a.reader())));
  ASSERT_TRUE(loop->watch(old_file.reader(), replace(old_file.reader())));
  loop->run();
  EXPECT_EQ(log, "x");
}

TEST_F(LoopTest, AllowsAsManyFilesAsTheProcessMayHave) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  ASSERT_GT(before.rlim_max, 100U);
  const rlimit low{.rlim_cur = 100, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  ASSERT_TRUE(Loop::create());
  rlimit after{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &after), 0);
  EXPECT_EQ(after.rlim_cur, before.rlim_max);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
}

TEST_F(LoopTest, TimersFireInOrderAndNeverEarly) {
  const Time start = loop->now();
  const auto note = [&](char what, milliseconds delay) {
    return [this, what, delay, start] {
      log += what;
      EXPECT_GE(loop->now() - start, delay);
    };
  };
  loop->at(start + milliseconds(20), note('c', milliseconds(20)));
  loop->at(start + milliseconds(10), note('a', milliseconds(10)));
  loop->at(start + milliseconds(10), note('b', milliseconds(10)));
  loop->at(start + milliseconds(30), [&] { loop->stop(); });
  loop->run();
  EXPECT_EQ(log, "abc");
}

TEST_F(LoopTest, CancelledTimersDoNotFire) {
  const Time when = loop->now() + milliseconds(5);
  Loop::TimerId second = 0;
  const auto never = loop->at(when, [&] { log += '!'; });
  loop->at(when, [&] {
    log += 'a';
    loop->cancel(second);  // due in the same wake-up
  });
  second = loop->at(when, [&] { log += '!'; });
  loop->at(when, [&] { loop->stop(); });
  loop->cancel(never);
  loop->cancel(never);
  loop->cancel(4711);
  loop->run();
  EXPECT_EQ(log, "a");
}

TEST_F(LoopTest, ATimerThatSetsItselfDoesNotStarveFiles) {
  Pipe pipe;
  std::function<void()> again = [&] { loop->at(loop->now(), again); };
  again();
  int wake_ups = 0;
  pipe.put();
  ASSERT_TRUE(loop->watch(pipe.reader(), [&] {
    if (++wake_ups == 10) loop->stop();
  }));
  loop->run();
  EXPECT_EQ(wake_ups, 10);
}

TEST_F(LoopTest, TheFarthestTimesAreFine) {
  loop->at(Time::max(), [&] { log += "max"; });
  loop->at(Time::min(), [&] {
    log += "min";
    loop->stop();
  });
  loop->run();
  EXPECT_EQ(log, "min");
}

TEST_F(LoopTest, PostedWorkRunsInOrder) {
  loop->post([&] {
    log += 'a';
    loop->post([&] {
      log += 'c';
      loop->stop();
    });
  });
  loop->post([&] { log += 'b'; });
  loop->run();
  EXPECT_EQ(log, "abc");
}

TEST_F(LoopTest, AStopBeforeRunIsNotLostAndTheLoopRunsAgain) {
  loop->stop();
  loop->run();
  loop->at(loop->now(), [&] {
    log += 'a';
    loop->stop();
  });
  loop->run();
  EXPECT_EQ(log, "a");
}

TEST_F(LoopTest, TakesWorkFromOtherThreads) {
  constexpr int kThreads = 4;
  constexpr int kEach = 1000;
  std::array<std::vector<int>, kThreads> seen;  // touched by the loop's thread only
  std::vector<std::thread> threads;
  int done = 0;
  for (std::size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) loop->post([&, t, i] { seen[t].push_back(i); });
      loop->post([&] {
        if (++done == kThreads) loop->stop();
      });
    });
  }
  loop->run();
  for (std::thread& thread : threads) thread.join();
  for (const std::vector<int>& numbers : seen) {
    ASSERT_EQ(numbers.size(), std::size_t{kEach});
    EXPECT_TRUE(std::is_sorted(numbers.begin(), numbers.end()));
  }
}

TEST_F(LoopTest, StopsFromAnotherThreadWhileItSleeps) {
  std::thread other([&] {
    std::this_thread::sleep_for(milliseconds(10));
    loop->stop();
  });
  loop->run();
  other.join();
}

TEST_F(LoopTest, GoesOnAfterASignal) {
  struct sigaction action{};
  struct sigaction before{};
  action.sa_handler = [](int) {};
  ASSERT_EQ(::sigaction(SIGUSR1, &action, &before), 0);
  const pthread_t self = ::pthread_self();
  std::atomic<bool> finished = false;
  std::thread other([&] {
    for (int i = 0; i < 5; ++i) {
      std::this_thread::sleep_for(milliseconds(3));
      ::pthread_kill(self, SIGUSR1);
    }
    finished = true;
    loop->stop();
  });
  loop->run();
  EXPECT_TRUE(finished);
  other.join();
  ::sigaction(SIGUSR1, &before, nullptr);
}

TEST_F(LoopTest, ReadsTheClockOncePerWakeUp) {
  std::vector<Time> readings;
  const auto read = [&] {
    readings.push_back(loop->now());
    std::this_thread::sleep_for(milliseconds(2));
    readings.push_back(loop->now());
  };
  const Time start = loop->now();
  loop->at(start, read);
  loop->at(start, read);
  loop->at(start + milliseconds(1), [&] { loop->stop(); });
  loop->run();
  ASSERT_EQ(readings.size(), 4U);
  EXPECT_THAT(readings, ElementsAre(readings[0], readings[0], readings[0], readings[0]));
}

TEST_F(LoopTest, ATimerWaitsForOneThingAndGoesWithItsOwner) {
  std::string called;
  auto timer = std::make_unique<Timer>(*loop);
  auto gone = std::make_unique<Timer>(*loop);
  gone->set(milliseconds(1), [&] { called += "gone "; });
  gone.reset();
  timer->set(milliseconds(1), [&] { called += "replaced "; });
  timer->set(milliseconds(2), [&] {
    called += "first ";
    EXPECT_FALSE(timer->is_set());
    timer->set(milliseconds(1), [&] {
      called += "second ";
      timer.reset();
      loop->stop();
    });
  });
  timer->set_if_idle(milliseconds(1), [&] { called += "too many "; });
  EXPECT_TRUE(timer->is_set());
  loop->run();
  EXPECT_EQ(called, "first second ");
}

}  // namespace
}  // namespace vtep
