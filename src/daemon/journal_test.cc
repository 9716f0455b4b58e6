#include "daemon/journal.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/mac.h"

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

  static std::vector<v1::StateRecord> replay(Journal& journal) {
    std::vector<v1::StateRecord> records;
    journal.replay([&](const v1::StateRecord& record) { records.push_back(record); });
    return records;
  }
  std::vector<v1::StateRecord> replay() {
    auto journal = Journal::open(path_);
    EXPECT_TRUE(journal) << journal.error().message;
    return journal ? replay(**journal) : std::vector<v1::StateRecord>();
  }
  void append_text(const std::string& text) { std::ofstream(path_, std::ios::app) << text; }

  std::filesystem::path directory_;
  std::string path_;
};

TEST_F(JournalTest, GivesBackWhatWasWritten) {
  {
    auto journal = Journal::open(path_);
    ASSERT_TRUE(journal);
    EXPECT_TRUE(replay(**journal).empty());
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
    EXPECT_EQ(replay(**journal).size(), 1U);
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

TEST_F(JournalTest, ARunOfTableChangesIsOneLineAndComesBackOneByOne) {
  std::vector<v1::StateRecord> written;
  for (int i = 0; i < 2500; ++i) {
    v1::FdbChange& change = *written.emplace_back().mutable_fdb();
    change.mutable_entry()->set_mac(MacAddr::from_u64(static_cast<std::uint64_t>(i)).to_string());
    if (i == 1200) written.push_back(deletion("between"));
  }
  {
    auto journal = Journal::open(path_);
    ASSERT_TRUE(journal);
    ASSERT_TRUE((*journal)->append(written));
    EXPECT_EQ((*journal)->size(), 2502U);
  }
  std::ifstream file(path_);
  const auto lines = std::count(std::istreambuf_iterator<char>(file), {}, '\n');
  EXPECT_EQ(lines, 1 + 2 + 1 + 2) << "the version, two runs, what is between, two runs";
  auto journal = Journal::open(path_);
  ASSERT_TRUE(journal);
  const auto records = replay(**journal);
  ASSERT_EQ(records.size(), written.size());
  for (std::size_t i = 0; i < records.size(); ++i) {
    EXPECT_EQ(records[i].SerializeAsString(), written[i].SerializeAsString()) << i;
  }
  EXPECT_EQ((*journal)->size(), 2502U);
}

TEST_F(JournalTest, ADamagedRunCostsOneLine) {
  ASSERT_TRUE((*Journal::open(path_))->append(deletion("a")));
  append_text("{\"fdb_run\":\"!!!!\"}\n{\"fdb_run\":\"/////w==\"}\n");
  ASSERT_TRUE((*Journal::open(path_))->append(deletion("b")));
  EXPECT_EQ(replay().size(), 2U);
}

TEST_F(JournalTest, NamesThePathItCannotWrite) {
  const auto journal = Journal::open("/proc/nowhere/vtepd.state");
  ASSERT_FALSE(journal);
  EXPECT_NE(journal.error().message.find("/proc/nowhere/vtepd.state"), std::string::npos);
}

}  // namespace
}  // namespace vtep
