#include "daemon/journal.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

namespace vtep {
namespace {

v1::StateRecord deletion(const std::string& name) {
  v1::StateRecord record;
  record.set_delete_link(name);
  return record;
}

class JournalTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/vtep-journal-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
    path_ = directory_ / "vtepd.state";
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::vector<v1::StateRecord> replay() {
    auto journal = Journal::open(path_);
    EXPECT_TRUE(journal) << journal.error().message;
    return journal ? (*journal)->take_replay() : std::vector<v1::StateRecord>();
  }
  void append_text(const std::string& text) { std::ofstream(path_, std::ios::app) << text; }

  std::filesystem::path directory_;
  std::string path_;
};

TEST_F(JournalTest, GivesBackWhatWasWritten) {
  {
    auto journal = Journal::open(path_);
    ASSERT_TRUE(journal);
    EXPECT_TRUE((*journal)->take_replay().empty());
    v1::StateRecord link;
    link.mutable_link()->set_name("vxlan0");
    link.mutable_link()->mutable_spec()->set_id(80000);
    ASSERT_TRUE((*journal)->append(link));
    ASSERT_TRUE((*journal)->append(deletion("vxlan1")));
  }
  const auto records = replay();
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].link().spec().id(), 80000U);
  EXPECT_EQ(records[1].delete_link(), "vxlan1");
}

TEST_F(JournalTest, ALineThatACrashCutOffIsLeftOutAndTheNextOneIsWhole) {
  ASSERT_TRUE((*Journal::open(path_))->append(deletion("a")));
  append_text(R"({"delete_link":"b)");
  {
    auto journal = Journal::open(path_);
    ASSERT_TRUE(journal);
    EXPECT_EQ((*journal)->take_replay().size(), 1U);
    ASSERT_TRUE((*journal)->append(deletion("c")));
  }
  const auto records = replay();
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[1].delete_link(), "c");
}

TEST_F(JournalTest, DamageInTheMiddleCostsOneLine) {
  ASSERT_TRUE((*Journal::open(path_))->append(deletion("a")));
  append_text("\x01 garbage\n");
  ASSERT_TRUE((*Journal::open(path_))->append(deletion("b")));
  EXPECT_EQ(replay().size(), 2U);
}

TEST_F(JournalTest, AnotherVersionIsRefused) {
  append_text("{\"version\":7}\n");
  const auto journal = Journal::open(path_);
  ASSERT_FALSE(journal);
  EXPECT_NE(journal.error().message.find(path_), std::string::npos);
}

TEST_F(JournalTest, IsHeldByOneDaemon) {
  const auto first = Journal::open(path_);
  ASSERT_TRUE(first);
  const auto second = Journal::open(path_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::kInUse);
}

TEST_F(JournalTest, RewritingReplacesEverythingAndKeepsTheLock) {
  {
    auto journal = Journal::open(path_);
    ASSERT_TRUE(journal);
    for (int i = 0; i < 100; ++i) ASSERT_TRUE((*journal)->append(deletion("x")));
    EXPECT_EQ((*journal)->size(), 101U);
    const v1::StateRecord record = deletion("y");
    ASSERT_TRUE((*journal)->rewrite({&record, 1}));
    EXPECT_EQ((*journal)->size(), 2U);
    EXPECT_FALSE(Journal::open(path_));
    ASSERT_TRUE((*journal)->append(deletion("z")));
  }
  const auto records = replay();
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].delete_link(), "y");
  EXPECT_EQ(records[1].delete_link(), "z");
}

TEST_F(JournalTest, NamesThePathItCannotWrite) {
  const auto journal = Journal::open("/proc/nowhere/vtepd.state");
  ASSERT_FALSE(journal);
  EXPECT_NE(journal.error().message.find("/proc/nowhere/vtepd.state"), std::string::npos);
}

}  // namespace
}  // namespace vtep
