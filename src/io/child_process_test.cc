#include "io/child_process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <vector>

namespace vtep {
namespace {

using testing::ElementsAre;

class ChildProcessTest : public testing::Test {
 protected:
  Result<std::unique_ptr<ChildProcess>> start(const std::vector<std::string>& words) {
    return ChildProcess::start(*loop_, words,
                               {.on_line = [this](const std::string& line) { lines_.push_back(line); },
                                .on_end =
                                    [this](const std::string& how) {
                                      how_ = how;
                                      loop_->stop();
                                    }});
  }
  void run() {
    loop_->at(loop_->now() + std::chrono::seconds(20), [this] { loop_->stop(); });
    loop_->run();
  }

  const std::unique_ptr<Loop> loop_ = std::move(Loop::create().value());
  std::vector<std::string> lines_;
  std::string how_;
};

TEST_F(ChildProcessTest, SaysWhatItWritesAndHowItEnds) {
  const auto child = start({"sh", "-c", "echo one; echo two >&2; printf three; exit 3"});
  ASSERT_TRUE(child) << child.error().message;
  run();
  EXPECT_EQ(how_, "exit status 3");
  EXPECT_THAT(lines_, ElementsAre("one", "two")) << "what has no end is no line";
  EXPECT_EQ((*child)->pid(), 0);
}

TEST_F(ChildProcessTest, MayBeKilled) {
  const auto child = start({"sleep", "100"});
  ASSERT_TRUE(child);
  ::kill((*child)->pid(), SIGKILL);
  run();
  EXPECT_EQ(how_, "signal 9");
}

TEST_F(ChildProcessTest, EndsWithTheObject) {
  int pid = 0;
  {
    const auto child = start({"sleep", "100"});
    ASSERT_TRUE(child);
    pid = (*child)->pid();
    EXPECT_EQ(::kill(pid, 0), 0);
  }
  EXPECT_NE(::kill(pid, 0), 0);
}

TEST_F(ChildProcessTest, EndsEvenIfItWillNot) {
  const auto child = start({"sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1; done"});
  ASSERT_TRUE(child);
  while (lines_.empty()) {
    loop_->at(loop_->now() + std::chrono::milliseconds(10), [this] { loop_->stop(); });
    loop_->run();
  }
}

TEST_F(ChildProcessTest, ItMayBeDestroyedByItsOwnEnd) {
  std::unique_ptr<ChildProcess> child;
  auto started = ChildProcess::start(*loop_, {"true"},
                                     {.on_line = [](const std::string&) {},
                                      .on_end =
                                          [&](const std::string&) {
                                            child.reset();
                                            loop_->stop();
                                          }});
  ASSERT_TRUE(started);
  child = std::move(*started);
  run();
  EXPECT_EQ(child, nullptr);
}

TEST_F(ChildProcessTest, WhatIsNotThereCannotBeStarted) {
  const auto child = start({"no-such-program"});
  ASSERT_FALSE(child);
  EXPECT_EQ(child.error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(child.error().message, "cannot start no-such-program: there is no such program");
}

TEST_F(ChildProcessTest, ALongLineIsCutOff) {
  const auto child = start({"sh", "-c", "head -c 100000 /dev/zero | tr '\\0' x; echo; echo end"});
  ASSERT_TRUE(child);
  run();
  ASSERT_EQ(lines_.size(), 2U);
  EXPECT_EQ(lines_[0].size(), 4096U);
}

}  // namespace
}  // namespace vtep
