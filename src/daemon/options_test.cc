#include "daemon/options.h"

#include <gtest/gtest.h>

#include <vector>

namespace vtep {
namespace {

Result<DaemonOptions> parse(std::vector<const char*> words) {
  words.insert(words.begin(), "vtepd");
  return parse_daemon_options(static_cast<int>(words.size()), words.data());
}

TEST(DaemonOptions, HaveDefaults) {
  const auto options = parse({});
  ASSERT_TRUE(options);
  EXPECT_EQ(options->socket_path, "/run/vtep/vtepd.sock");
  EXPECT_EQ(options->state_path(), "/run/vtep/vtepd.state");
  EXPECT_TRUE(options->config_file.empty());
}

TEST(DaemonOptions, TakeValuesBehindABlankOrAnEqualsSign) {
  EXPECT_EQ(parse({"--config", "a.yaml"})->config_file, "a.yaml");
  EXPECT_EQ(parse({"--config=a.yaml"})->config_file, "a.yaml");
  EXPECT_EQ(parse({"-c", "a.yaml", "--check-config"})->check_config, true);
  EXPECT_EQ(parse({"--socket", "/tmp/x"})->state_path(), "/tmp/x.state");
}

TEST(DaemonOptions, SayHowMuchOfTheMachineItMayTake) {
  EXPECT_EQ(parse({})->workers, std::nullopt);
  EXPECT_EQ(parse({"--workers", "auto"})->workers, 0U);
  EXPECT_EQ(parse({"--workers=3"})->workers, 3U);
  EXPECT_EQ(parse({"--spin", "off"})->spin, Duration::zero());
  EXPECT_EQ(parse({"--spin", "200"})->spin, std::chrono::microseconds(200));
  EXPECT_GT(*parse({"--spin", "auto"})->spin, Duration::zero());
}

TEST(DaemonOptions, RefuseWhatMakesNoSense) {
  for (const std::vector<const char*>& words : std::vector<std::vector<const char*>>{{"--what"},
                                                                                     {"extra"},
                                                                                     {"--config"},
                                                                                     {"--check-config"},
                                                                                     {"--help=yes"},
                                                                                     {"--log-level", "loud"},
                                                                                     {"--workers", "0"},
                                                                                     {"--workers", "33"},
                                                                                     {"--spin", "long"},
                                                                                     {"--spin", "10001"},
                                                                                     {"--socket", ""}}) {
    const auto options = parse(words);
    ASSERT_FALSE(options) << words[0];
    EXPECT_EQ(options.error().kind, ErrorKind::kInvalid);
  }
  EXPECT_FALSE(parse({"--socket", std::string(108, 'x').c_str()}));
}

}  // namespace
}  // namespace vtep
