// Holds vtep's output against what `bridge` printed for the kernel's vxlan driver (testdata/capture).
#include "cli/fdb_print.h"

#include <gmock/gmock.h>

#include "cli/captured_output.h"
#include "cli/transcript.h"

namespace vtep {
namespace {

std::string print(const std::vector<v1::FdbEntry>& entries, const Format& format, FdbForm form) {
  if (!format.json) {
    std::string text;
    for (const v1::FdbEntry& entry : entries) text += fdb_text(entry, format, form);
    return text;
  }
  CapturedOutput captured;
  JsonList list(captured.output(), format.pretty);
  for (const v1::FdbEntry& entry : entries) list.add(fdb_json(entry, format, form));
  list.end();
  return captured.text();
}

struct Transcript {
  const char* file;
  FdbForm form;
};

class FdbTranscript : public testing::TestWithParam<Transcript> {};

TEST_P(FdbTranscript, PrintsTheSame) {
  const std::vector<Exchange> exchanges = read_transcript(GetParam().file);
  ASSERT_GT(exchanges.size(), 1);
  const std::vector<v1::FdbEntry> entries = entries_of(exchanges.front().output);
  for (const Exchange& exchange : exchanges) {
    EXPECT_EQ(print(entries, exchange.format(), GetParam().form), exchange.output) << exchange.command;
  }
}

INSTANTIATE_TEST_SUITE_P(Captured, FdbTranscript,
                         testing::Values(Transcript{"fdb_dev.txt", FdbForm::kWithoutDevice},
                                         Transcript{"fdb_all.txt", FdbForm::kWithDevice},
                                         Transcript{"fdb_get.txt", FdbForm::kWithDevice},
                                         Transcript{"fdb_get_zero.txt", FdbForm::kWithDevice},
                                         Transcript{"vni_fdb.txt", FdbForm::kWithoutDevice},
                                         Transcript{"fdb_empty.txt", FdbForm::kWithoutDevice}));

TEST(FdbText, VniZeroIsSaid) {
  v1::FdbEntry entry;
  entry.set_mac("00:11:22:33:44:55");
  entry.set_vni(0);
  EXPECT_EQ(fdb_text(entry, {}, FdbForm::kWithoutDevice), "00:11:22:33:44:55 vni 0 self \n");
}

TEST(FdbText, FrozenIsTheLastFlag) {
  v1::FdbEntry entry;
  entry.set_mac("00:11:22:33:44:55");
  entry.set_dst("10.0.0.1");
  entry.set_router(true);
  entry.set_frozen(true);
  EXPECT_EQ(fdb_text(entry, {}, FdbForm::kWithoutDevice),
            "00:11:22:33:44:55 dst 10.0.0.1 self router frozen \n");
  EXPECT_EQ(fdb_json(entry, {}, FdbForm::kWithoutDevice).at("flags").dump(), R"(["self","router","frozen"])");
}

TEST(FdbText, WhatAControlPlaneSays) {
  v1::FdbEntry entry;
  entry.set_mac("00:11:22:33:44:55");
  entry.set_dst("10.0.0.1");
  entry.set_extern_learn(true);
  entry.set_source("flannel");
  EXPECT_EQ(fdb_text(entry, {}, FdbForm::kWithoutDevice),
            "00:11:22:33:44:55 dst 10.0.0.1 self extern_learn \n");
  EXPECT_EQ(fdb_text(entry, {.details = 1}, FdbForm::kWithoutDevice),
            "00:11:22:33:44:55 dst 10.0.0.1 self extern_learn source flannel \n");
  const Json json = fdb_json(entry, {}, FdbForm::kWithoutDevice);
  EXPECT_EQ(json.at("flags").dump(), R"(["self","extern_learn"])");
  EXPECT_EQ(json.at("source"), "flannel");
}

}  // namespace
}  // namespace vtep
